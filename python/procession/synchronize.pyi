from collections.abc import Callable
from multiprocessing import synchronize as _stock
from multiprocessing.context import BaseContext
from typing import Any, Final, TypeAlias

from . import _core

__all__ = ["Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event"]

_LockLike: TypeAlias = _stock.Lock | _stock.RLock

SEM_VALUE_MAX: Final[int]
RECURSIVE_MUTEX: Final = 0
SEMAPHORE: Final = 1

def sem_unlink(name: str, /) -> None: ...
def lock_inside(block: _core.Block) -> RLock: ...

class SemLock(_core.SemLock):
    name: str | None
    def __init__(self, kind: int, value: int, maxvalue: int, *, ctx: BaseContext | None, recover: bool = False) -> None: ...

class Lock(SemLock, _stock.Lock):
    def __init__(self, *, ctx: BaseContext, recover: bool = False) -> None: ...

class RLock(SemLock, _stock.RLock):
    def __init__(self, *, ctx: BaseContext, recover: bool = False) -> None: ...

class Semaphore(SemLock, _stock.Semaphore):
    def __init__(self, value: int = 1, *, ctx: BaseContext) -> None: ...

class BoundedSemaphore(SemLock, _stock.BoundedSemaphore):
    def __init__(self, value: int = 1, *, ctx: BaseContext) -> None: ...

class Condition(_core.Condition, _stock.Condition):
    def __new__(cls, lock: _LockLike | None = None, *, ctx: BaseContext) -> Condition: ...
    def __init__(self, lock: _LockLike | None = None, *, ctx: BaseContext) -> None: ...

class Event(_core.Event, _stock.Event):
    def __init__(self, *, ctx: BaseContext) -> None: ...

class Barrier(_core.Barrier, _stock.Barrier):
    def __init__(
        self, parties: int, action: Callable[[], object] | None = None, timeout: float | None = None, *, ctx: BaseContext
    ) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...
