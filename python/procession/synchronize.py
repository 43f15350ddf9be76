"""Locks, semaphores, conditions, events and barriers between processes.

Each is a class of `multiprocessing.synchronize`, with the engine below.
"""

import weakref
from multiprocessing import context as _context
from multiprocessing import synchronize as _stock
from multiprocessing import util

from . import _core
from .process import reduce_held

__all__ = ["Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event"]

SEM_VALUE_MAX = _stock.SEM_VALUE_MAX
RECURSIVE_MUTEX = _stock.RECURSIVE_MUTEX
SEMAPHORE = _stock.SEMAPHORE
sem_unlink = _stock.sem_unlink


class SemLock(_core.SemLock):
    """What the locks and semaphores have in common. `_semlock` is the object itself."""

    name = None
    _is_fork_ctx = False
    #: The memory of the value or array whose own lock this is.
    _inside = None

    def __init__(self, kind, value, maxvalue, *, ctx, recover=False):
        self._make(kind, value, maxvalue, recover)
        util.debug("created semlock with handle %s", self.handle)

    @property
    def _semlock(self):
        return self

    def _make_methods(self):
        """Stock binds the methods of `_semlock` here; ours are methods already."""

    def __reduce__(self):
        if self._inside is not None:
            _context.assert_spawning(self)
            return lock_inside, (self._inside,)
        return reduce_held(
            self, self._family, _rebuild, type(self), self.handle, self.kind, self.maxvalue,
            self.__dict__,
        )  # fmt: skip


def _rebuild(family, cls, handle, kind, maxvalue, state):
    lock = cls.__new__(cls)
    lock._attach(family, handle, kind, maxvalue)
    lock.__dict__.update(state)
    return lock


def lock_inside(block):
    """The lock of the value or array whose memory `block` is, as an `RLock`. It recovers, see `Lock`."""
    lock = block.lock and block.lock()
    if lock is None:
        lock = RLock.__new__(RLock)
        lock._make_inner(block)
        lock._inside = block
        block.lock = weakref.ref(lock)
    return lock


class Lock(SemLock, _stock.Lock):
    """A lock that any process or thread may release. See `threading.Lock`.

    A lock whose holder was killed stays locked. With `recover=True` it goes to the next who wants it, about
    half a second later, and `owner_died()` tells that one, for as long as it holds the lock: what the lock
    protects may be half changed.
    """

    def __init__(self, *, ctx, recover=False):
        SemLock.__init__(self, SEMAPHORE, 1, 1, ctx=ctx, recover=recover)


class RLock(SemLock, _stock.RLock):
    """A lock that the thread which holds it may take again. See `threading.RLock`.

    `recover` and `owner_died()` are as of `Lock`.
    """

    def __init__(self, *, ctx, recover=False):
        SemLock.__init__(self, RECURSIVE_MUTEX, 1, 1, ctx=ctx, recover=recover)


class Semaphore(SemLock, _stock.Semaphore):
    """Counts who may enter. See `threading.Semaphore`."""

    def __init__(self, value=1, *, ctx):
        SemLock.__init__(self, SEMAPHORE, value, SEM_VALUE_MAX, ctx=ctx)


class BoundedSemaphore(SemLock, _stock.BoundedSemaphore):
    """A semaphore whose value never exceeds the first one. See `threading.BoundedSemaphore`."""

    def __init__(self, value=1, *, ctx):
        SemLock.__init__(self, SEMAPHORE, value, value, ctx=ctx)


class _Count:
    """What stock keeps in a semaphore: a number that can be looked at."""

    def __init__(self, get_value):
        self.get_value = self._get_value = get_value

    @property
    def _semlock(self):
        return self


class Condition(_core.Condition, _stock.Condition):
    """Waits for others to change something under a lock. See `threading.Condition`.

    The lock is a `Lock` or an `RLock`; over any other lock with a `_semlock` this makes a condition of stock.
    A notice passes by those who were killed while they waited; who notifies waits for nobody.
    """

    def __new__(cls, lock=None, *, ctx):
        if lock and not _core.Condition._fits(lock):
            return _stock.Condition(lock, ctx=ctx)
        return super().__new__(cls)

    def __init__(self, lock=None, *, ctx):
        self._make(lock or ctx.RLock())

    def _make_methods(self):
        """Stock binds the methods of its lock here; ours are methods already."""

    @property
    def _sleeping_count(self):
        return _Count(self._n_waiting)

    @property
    def _woken_count(self):
        return _Count(int)

    @property
    def _wait_semaphore(self):
        return _Count(int)

    def __reduce__(self):
        return reduce_held(
            self, self._lock._family, _rebuild_condition, type(self), self._lock, self.handle,
            self.__dict__,
        )  # fmt: skip


def _rebuild_condition(_family, cls, lock, handle, state):
    condition = _core.Condition.__new__(cls)
    condition._attach(lock, handle)
    condition.__dict__.update(state)
    return condition


class Event(_core.Event, _stock.Event):
    """A flag that processes can wait for. See `threading.Event`.

    `is_set` takes no lock, and `set` waits for nobody, so neither hangs when a waiter was killed.
    """

    def __init__(self, *, ctx):
        self._make()

    @property
    def _flag(self):
        return _Count(lambda: int(self.is_set()))

    def __reduce__(self):
        return reduce_held(
            self, self._family, _rebuild_object, type(self), self.handle, self.__dict__
        )


class Barrier(_core.Barrier, _stock.Barrier):
    """A point at which processes wait for each other. See `threading.Barrier`.

    One that is killed while it waits breaks the barrier for the others.
    """

    def __init__(self, parties, action=None, timeout=None, *, ctx):
        self._parties = parties
        self._action = action
        self._timeout = timeout
        self._make(parties)

    def wait(self, timeout=None):
        """Waits for all parties; the number of those that were there before this one.

        The last to arrive runs the action before all go on. Raises `threading.BrokenBarrierError` if the
        barrier is broken, reset, or not complete within `timeout` seconds.
        """
        return self._wait(self._timeout if timeout is None else timeout, self._action)

    @property
    def _count(self):
        return self.n_waiting

    @property
    def _state(self):
        return -2 if self.broken else 0

    def __reduce__(self):
        return reduce_held(
            self, self._family, _rebuild_object, type(self), self.handle, self.__dict__
        )


def _rebuild_object(family, cls, handle, state):
    made = cls.__new__(cls)
    made._attach(family, handle)
    made.__dict__.update(state)
    return made
