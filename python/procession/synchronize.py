"""Locks, semaphores, conditions, events and barriers between processes.

Each is a class of `multiprocessing.synchronize`, with the engine below.
"""

from multiprocessing import context as _context
from multiprocessing import synchronize as _stock
from multiprocessing import util

from . import _core
from .process import reduce_held

__all__ = ["Lock", "RLock", "Semaphore", "BoundedSemaphore"]

SEM_VALUE_MAX = _stock.SEM_VALUE_MAX
RECURSIVE_MUTEX = _stock.RECURSIVE_MUTEX
SEMAPHORE = _stock.SEMAPHORE


class SemLock(_core.SemLock):
    """What the locks and semaphores have in common. `_semlock` is the object itself."""

    name = None
    _is_fork_ctx = False

    def __init__(self, kind, value, maxvalue, *, ctx):
        self._make(kind, value, maxvalue)
        util.debug("created semlock with handle %s", self.handle)

    @property
    def _semlock(self):
        return self

    def _make_methods(self):
        """Stock binds the methods of `_semlock` here; ours are methods already."""

    def __reduce__(self):
        return reduce_held(
            self, self._family, _rebuild, type(self), self.handle, self.kind, self.maxvalue,
            self.__dict__,
        )  # fmt: skip


def _rebuild(family, cls, handle, kind, maxvalue, state):
    lock = cls.__new__(cls)
    lock._attach(family, handle, kind, maxvalue)
    lock.__dict__.update(state)
    return lock


class Lock(SemLock, _stock.Lock):
    """A lock that any process or thread may release. See `threading.Lock`."""

    def __init__(self, *, ctx):
        SemLock.__init__(self, SEMAPHORE, 1, 1, ctx=ctx)


class RLock(SemLock, _stock.RLock):
    """A lock that the thread which holds it may take again. See `threading.RLock`."""

    def __init__(self, *, ctx):
        SemLock.__init__(self, RECURSIVE_MUTEX, 1, 1, ctx=ctx)


class Semaphore(SemLock, _stock.Semaphore):
    """Counts who may enter. See `threading.Semaphore`."""

    def __init__(self, value=1, *, ctx):
        SemLock.__init__(self, SEMAPHORE, value, SEM_VALUE_MAX, ctx=ctx)


class BoundedSemaphore(SemLock, _stock.BoundedSemaphore):
    """A semaphore whose value never exceeds the first one. See `threading.BoundedSemaphore`."""

    def __init__(self, value=1, *, ctx):
        SemLock.__init__(self, SEMAPHORE, value, value, ctx=ctx)
