"""Contexts: what `multiprocessing` calls a start method with all that is made for it.

`ForkContext`, `SpawnContext` and `ForkServerContext` differ from stock in what they make; which of them is
the default is the one setting of the process, `multiprocessing`'s own.
"""

from multiprocessing import context as _stock

from .process import ForkProcess, ForkServerProcess, Member, SpawnProcess

__all__ = ()

BaseContext = _stock.BaseContext
ProcessError = _stock.ProcessError
BufferTooShort = _stock.BufferTooShort
TimeoutError = _stock.TimeoutError
AuthenticationError = _stock.AuthenticationError
assert_spawning = _stock.assert_spawning
get_spawning_popen = _stock.get_spawning_popen
set_spawning_popen = _stock.set_spawning_popen


class _Factories:
    """What a context makes: the engine's objects. The signatures are stock's, with what we add behind."""

    def Manager(self):
        """Starts a process that hosts objects, and returns the manager that is connected to it."""
        from .managers import SyncManager

        manager = SyncManager(ctx=self.get_context())
        manager.start()
        return manager

    def Pipe(self, duplex=True):
        """Returns the two ends of a pipe; the second only sends if not `duplex`."""
        from .connection import Pipe

        return Pipe(duplex)

    def Lock(self, **options):
        """A lock that any process or thread may release; `options` as of `synchronize.Lock`."""
        from .synchronize import Lock

        return Lock(ctx=self.get_context(), **options)

    def RLock(self, **options):
        """A lock that the thread which holds it may take again; `options` as of `synchronize.RLock`."""
        from .synchronize import RLock

        return RLock(ctx=self.get_context(), **options)

    def Condition(self, lock=None):
        """A condition, over `lock` or a new `RLock`."""
        from .synchronize import Condition

        return Condition(lock, ctx=self.get_context())

    def Semaphore(self, value=1):
        """A semaphore that lets `value` enter at once."""
        from .synchronize import Semaphore

        return Semaphore(value, ctx=self.get_context())

    def BoundedSemaphore(self, value=1):
        """A semaphore whose value never exceeds the first one."""
        from .synchronize import BoundedSemaphore

        return BoundedSemaphore(value, ctx=self.get_context())

    def Event(self):
        """A flag that processes can wait for."""
        from .synchronize import Event

        return Event(ctx=self.get_context())

    def Barrier(self, parties, action=None, timeout=None):
        """A point at which `parties` wait for each other."""
        from .synchronize import Barrier

        return Barrier(parties, action, timeout, ctx=self.get_context())

    def Queue(self, maxsize=0, **options):
        """A queue of at most `maxsize` items, or without bound; `options` as of `queues.Queue`."""
        from .queues import Queue

        return Queue(maxsize, ctx=self.get_context(), **options)

    def JoinableQueue(self, maxsize=0, **options):
        """A queue with `task_done` and `join`."""
        from .queues import JoinableQueue

        return JoinableQueue(maxsize, ctx=self.get_context(), **options)

    def SimpleQueue(self):
        """A one-way pipe that any number of processes may use."""
        from .queues import SimpleQueue

        return SimpleQueue(ctx=self.get_context())

    def Pool(self, processes=None, initializer=None, initargs=(), maxtasksperchild=None, **options):
        """A pool of worker processes; `options` as of `pool.Pool`."""
        from .pool import Pool

        return Pool(
            processes, initializer, initargs, maxtasksperchild, context=self.get_context(), **options
        )

    def RawValue(self, typecode_or_type, *args):
        """A ctypes object in shared memory, without a lock."""
        from .sharedctypes import RawValue

        return RawValue(typecode_or_type, *args)

    def RawArray(self, typecode_or_type, size_or_initializer):
        """A ctypes array in shared memory, without a lock."""
        from .sharedctypes import RawArray

        return RawArray(typecode_or_type, size_or_initializer)

    def Value(self, typecode_or_type, *args, lock=True):
        """A ctypes object in shared memory, with a lock."""
        from .sharedctypes import Value

        return Value(typecode_or_type, *args, lock=lock, ctx=self.get_context())

    def Array(self, typecode_or_type, size_or_initializer=None, *, lock=True, **options):
        """A ctypes array in shared memory, with a lock; `options` as of `sharedctypes.Array`."""
        from .sharedctypes import Array

        return Array(
            typecode_or_type, size_or_initializer, lock=lock, ctx=self.get_context(), **options
        )


class _Concrete(_Factories):
    """A context of one start method, which leads to the others of ours."""

    def get_context(self, method=None):
        return self if method is None else _front.get_context(method)


class ForkContext(_Concrete, _stock.ForkContext):
    Process = ForkProcess


class SpawnContext(_Concrete, _stock.SpawnContext):
    Process = SpawnProcess


class ForkServerContext(_Concrete, _stock.ForkServerContext):
    Process = ForkServerProcess


class Process(Member, _stock.Process):
    """A process, started by the default method."""

    @staticmethod
    def _Popen(process_obj):
        return _front.get_context().Process._Popen(process_obj)

    @staticmethod
    def _after_fork():
        return _front.get_context().Process._after_fork()


class DefaultContext(_Factories, _stock.DefaultContext):
    """What `multiprocessing`'s own default context is while procession is installed."""

    Process = Process


_concrete_contexts = {
    "fork": ForkContext(),
    "spawn": SpawnContext(),
    "forkserver": ForkServerContext(),
}


class _Front(_Factories, _stock.BaseContext):
    """What `import procession as mp` shows: our contexts, by the start method that stock has set."""

    Process = Process

    def get_context(self, method=None):
        if method is None:
            method = _stock._default_context.get_start_method()
        try:
            context = _concrete_contexts[method]
        except KeyError:
            raise ValueError(f"cannot find context for {method!r}") from None
        context._check_available()
        return context

    def set_start_method(self, method, force=False):
        _stock._default_context.set_start_method(method, force)

    def get_start_method(self, allow_none=False):
        return _stock._default_context.get_start_method(allow_none)

    def get_all_start_methods(self):
        return _stock._default_context.get_all_start_methods()


_front = _Front()
