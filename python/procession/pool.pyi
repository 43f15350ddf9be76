from collections.abc import Callable, Generator, Iterable, Mapping
from multiprocessing import pool as _stock
from multiprocessing.context import BaseContext
from multiprocessing.context import TimeoutError as TimeoutError
from multiprocessing.pool import CLOSE as CLOSE
from multiprocessing.pool import INIT as INIT
from multiprocessing.pool import RUN as RUN
from multiprocessing.pool import TERMINATE as TERMINATE
from multiprocessing.pool import ThreadPool as ThreadPool
from typing import Any, Generic, Literal, TypeVar

from . import _core
from .lost import PoolBroken as PoolBroken
from .lost import TaskTimeout as TaskTimeout
from .lost import WorkerLost as WorkerLost
from .progress import _Progress
from .queues import _Serializer

__all__ = ["Pool", "ThreadPool"]

_S = TypeVar("_S")
_T = TypeVar("_T")

class MaybeEncodingError(Exception):
    exc: str
    value: str
    def __init__(self, exc: object, value: object) -> None: ...

class RemoteTraceback(Exception):
    tb: str
    def __init__(self, tb: str) -> None: ...

class ApplyResult(_core.PoolJob, _stock.ApplyResult[_T], Generic[_T]):
    def __init__(self, *arguments: Any) -> None: ...
    def get(self, timeout: float | None = None) -> _T: ...
    def cancel(self) -> bool: ...
    def __await__(self) -> Generator[Any, None, _T]: ...

AsyncResult = ApplyResult

class MapResult(ApplyResult[list[_T]], _stock.MapResult[_T]): ...

class IMapIterator(_core.PoolJob, _stock.IMapIterator[_T], Generic[_T]):
    def __init__(self, *arguments: Any) -> None: ...
    def __next__(self) -> _T: ...  # type: ignore[override]

class IMapUnorderedIterator(IMapIterator[_T], _stock.IMapUnorderedIterator[_T]): ...

class Pool(_stock.Pool):
    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: BaseContext | None = None,
        *,
        retries: int = 0,
        task_timeout: float | None = None,
        max_memory_per_child: int | None = None,
        progress: _Progress | None = None,
        serializer: Literal["cloudpickle"] | _Serializer | None = None,
    ) -> None: ...
    def apply_async(
        self,
        func: Callable[..., _T],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] = {},
        callback: Callable[[_T], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> ApplyResult[_T]: ...
    def map_async(
        self,
        func: Callable[[_S], _T],
        iterable: Iterable[_S],
        chunksize: int | None = None,
        callback: Callable[[list[_T]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> MapResult[_T]: ...
    def starmap_async(
        self,
        func: Callable[..., _T],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callable[[list[_T]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> MapResult[_T]: ...
    def imap(self, func: Callable[[_S], _T], iterable: Iterable[_S], chunksize: int | None = 1) -> IMapIterator[_T]: ...
    def imap_unordered(
        self, func: Callable[[_S], _T], iterable: Iterable[_S], chunksize: int | None = 1
    ) -> IMapUnorderedIterator[_T]: ...
    def __del__(self, _warn: Callable[..., object] = ..., RUN: str = "RUN") -> None: ...
