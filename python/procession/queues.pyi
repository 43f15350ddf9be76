import sys
from collections import deque
from collections.abc import Iterable
from multiprocessing import queues as _stock
from multiprocessing.context import BaseContext, ProcessError
from queue import Empty as Empty
from queue import Full as Full
from typing import Any, Generic, Literal, Protocol, TypeVar, type_check_only

from . import _core

if sys.version_info >= (3, 13):
    from queue import ShutDown as ShutDown
else:
    class ShutDown(Exception): ...

__all__ = ["Queue", "SimpleQueue", "JoinableQueue"]

class ItemsLost(ProcessError):
    count: int
    def __init__(self, count: int) -> None: ...

_T = TypeVar("_T")

@type_check_only
class _Serializer(Protocol):
    def dumps(self, obj: Any, /) -> bytes: ...

class Queue(_core.Queue, _stock.Queue[_T], Generic[_T]):
    def __init__(
        self,
        maxsize: int = 0,
        *,
        ctx: BaseContext,
        maxbytes: int = 0,
        serializer: Literal["cloudpickle"] | _Serializer | None = None,
    ) -> None: ...
    def put(self, obj: _T, block: bool = True, timeout: float | None = None) -> None: ...
    def get(self, block: bool = True, timeout: float | None = None) -> _T: ...
    def put_many(self, objects: Iterable[_T], timeout: float | None = None) -> None: ...
    def get_many(self, max: int, timeout: float | None = None) -> list[_T]: ...
    @property
    def is_shutdown(self) -> bool: ...
    def shutdown(self, immediate: bool = False) -> None: ...
    async def put_async(self, obj: _T, timeout: float | None = None) -> None: ...
    async def get_async(self, timeout: float | None = None) -> _T: ...

class JoinableQueue(Queue[_T], _stock.JoinableQueue[_T]):
    def __init__(
        self,
        maxsize: int = 0,
        *,
        ctx: BaseContext,
        report_lost: bool = False,
        maxbytes: int = 0,
        serializer: Literal["cloudpickle"] | _Serializer | None = None,
    ) -> None: ...

class SimpleQueue(_core.SimpleQueue, _stock.SimpleQueue[_T], Generic[_T]):
    def __init__(self, *, ctx: BaseContext) -> None: ...
    def put(self, obj: _T) -> None: ...
    def get(self) -> _T: ...
