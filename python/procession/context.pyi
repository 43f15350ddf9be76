import ctypes
from _ctypes import _CData
from collections.abc import Callable, Iterable, Sequence
from ctypes import _SimpleCData, c_char
from multiprocessing import context as _stock
from multiprocessing.context import AuthenticationError as AuthenticationError
from multiprocessing.context import BaseContext as BaseContext
from multiprocessing.context import BufferTooShort as BufferTooShort
from multiprocessing.context import ProcessError as ProcessError
from multiprocessing.context import TimeoutError as TimeoutError
from multiprocessing.context import assert_spawning as assert_spawning
from multiprocessing.context import get_spawning_popen as get_spawning_popen
from multiprocessing.context import set_spawning_popen as set_spawning_popen
from multiprocessing.process import BaseProcess
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, overload, type_check_only

from . import pool, queues, sharedctypes, synchronize
from .connection import Connection
from .process import ForkProcess, ForkServerProcess, Member, SpawnProcess
from .progress import _Progress

__all__ = ()

_LockLike: TypeAlias = synchronize._LockLike
_T = TypeVar("_T")
_CT = TypeVar("_CT", bound=_CData)

class _Factories(_stock.BaseContext):
    def Pipe(self, duplex: bool = True) -> tuple[Connection[Any, Any], Connection[Any, Any]]: ...
    def Barrier(
        self, parties: int, action: Callable[..., object] | None = None, timeout: float | None = None
    ) -> synchronize.Barrier: ...
    def BoundedSemaphore(self, value: int = 1) -> synchronize.BoundedSemaphore: ...
    def Condition(self, lock: _LockLike | None = None) -> synchronize.Condition: ...
    def Event(self) -> synchronize.Event: ...
    def Lock(self, *, recover: bool = False) -> synchronize.Lock: ...
    def RLock(self, *, recover: bool = False) -> synchronize.RLock: ...
    def Semaphore(self, value: int = 1) -> synchronize.Semaphore: ...
    def Queue(
        self,
        maxsize: int = 0,
        *,
        maxbytes: int = 0,
        serializer: Literal["cloudpickle"] | queues._Serializer | None = None,
    ) -> queues.Queue[Any]: ...
    def JoinableQueue(
        self,
        maxsize: int = 0,
        *,
        report_lost: bool = False,
        maxbytes: int = 0,
        serializer: Literal["cloudpickle"] | queues._Serializer | None = None,
    ) -> queues.JoinableQueue[Any]: ...
    def SimpleQueue(self) -> queues.SimpleQueue[Any]: ...
    def Pool(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        *,
        retries: int = 0,
        task_timeout: float | None = None,
        max_memory_per_child: int | None = None,
        progress: _Progress | None = None,
        serializer: Literal["cloudpickle"] | queues._Serializer | None = None,
    ) -> pool.Pool: ...
    @overload
    def RawArray(self, typecode_or_type: type[_CT], size_or_initializer: int | Sequence[Any]) -> ctypes.Array[_CT]: ...
    @overload
    def RawArray(self, typecode_or_type: str, size_or_initializer: int | Sequence[Any]) -> Any: ...
    @overload
    def Array(
        self, typecode_or_type: type[_SimpleCData[_T]], size_or_initializer: int | Sequence[Any], *, lock: Literal[False]
    ) -> Any: ...
    @overload
    def Array(
        self,
        typecode_or_type: type[c_char],
        size_or_initializer: int | Sequence[Any],
        *,
        lock: Literal[True] | _LockLike = True,
    ) -> sharedctypes.SynchronizedString: ...
    @overload
    def Array(
        self,
        typecode_or_type: type[_SimpleCData[_T]],
        size_or_initializer: int | Sequence[Any] | None = None,
        *,
        lock: Literal[True] | _LockLike = True,
        shape: Sequence[int] | None = None,
    ) -> sharedctypes.SynchronizedArray[_T]: ...
    @overload
    def Array(
        self,
        typecode_or_type: str,
        size_or_initializer: int | Sequence[Any] | None = None,
        *,
        lock: Literal[True] | _LockLike = True,
        shape: Sequence[int] | None = None,
    ) -> sharedctypes.SynchronizedArray[Any]: ...
    @overload
    def Array(
        self,
        typecode_or_type: str | type[_CData],
        size_or_initializer: int | Sequence[Any] | None = None,
        *,
        lock: bool | _LockLike = True,
        shape: Sequence[int] | None = None,
    ) -> Any: ...
@type_check_only
class _Contexts(_Factories):
    @overload  # type: ignore[override]
    def get_context(self, method: None = None) -> _Contexts: ...
    @overload
    def get_context(self, method: Literal["spawn"]) -> SpawnContext: ...
    @overload
    def get_context(self, method: Literal["fork"]) -> ForkContext: ...
    @overload
    def get_context(self, method: Literal["forkserver"]) -> ForkServerContext: ...
    @overload
    def get_context(self, method: str) -> _Contexts: ...

class ForkContext(_Contexts, _stock.ForkContext):
    Process: ClassVar[type[ForkProcess]]

class SpawnContext(_Contexts, _stock.SpawnContext):
    Process: ClassVar[type[SpawnProcess]]

class ForkServerContext(_Contexts, _stock.ForkServerContext):
    Process: ClassVar[type[ForkServerProcess]]

class Process(Member, _stock.Process): ...

class DefaultContext(_Contexts, _stock.DefaultContext):
    Process: ClassVar[type[Process]]

class _Front(_Contexts):
    Process: ClassVar[type[Process]]
    @overload
    def get_start_method(self, allow_none: Literal[False] = False) -> str: ...
    @overload
    def get_start_method(self, allow_none: bool) -> str | None: ...
    def set_start_method(self, method: str | None, force: bool = False) -> None: ...
    def get_all_start_methods(self) -> list[str]: ...

_front: _Front
