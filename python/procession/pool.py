"""Pools of worker processes.

`Pool` has the interface of `multiprocessing.pool.Pool`, with the engine below: workers take tasks from a
shared queue, results are taken in by whoever waits for one, and the death of a worker fails exactly the task
that it ran. `ThreadPool` is stock's.
"""

import os
import queue
import signal
import threading
import warnings
from multiprocessing import get_context, process, util
from multiprocessing import pool as _stock

from . import _core
from .progress import progress as _progress

__all__ = ["Pool", "ThreadPool"]

INIT = _stock.INIT
RUN = _stock.RUN
CLOSE = _stock.CLOSE
TERMINATE = _stock.TERMINATE

MaybeEncodingError = _stock.MaybeEncodingError
RemoteTraceback = _stock.RemoteTraceback
TimeoutError = _stock.TimeoutError
ThreadPool = _stock.ThreadPool

_LOST = ("PoolBroken", "TaskTimeout", "WorkerLost")


def __getattr__(name):
    if name in _LOST:
        from . import lost

        return getattr(lost, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


#: How a worker exits that Ctrl-C has ended: as a shell says it.
_INTERRUPTED = 128 + signal.SIGINT

#: Seconds that a pool that was terminated waits for a map's iterator.
_FAREWELL = 1.0

#: Items of a chunk at most whose size nobody has asked for.
_LONGEST = 4096

#: Whose iterators do not wait for anything, and run no code of a user.
_PROMPT = (list, tuple, range, str, bytes, bytearray, dict, set, frozenset)


class Pool(_stock.Pool):
    """A number of worker processes that run functions.

    Beyond stock, all by name:

    retries                 how often a task is tried again whose worker died
    task_timeout            seconds after which a task is ended, with its worker, and with no other task
    max_memory_per_child    bytes: a worker that has more in memory after a task is replaced
    progress                True, "tqdm", or a function of (ended, total): shows how far each map is
    serializer              "cloudpickle", or an object with `dumps`: sends lambdas and closures, too; such a
                            function is unpickled once a worker

    A task whose worker dies raises `procession.WorkerLost`, and the pool goes on. If an initializer raises,
    the pool is at an end, and so are its tasks, with `procession.pool.PoolBroken`.
    """

    def __init__(
        self,
        processes=None,
        initializer=None,
        initargs=(),
        maxtasksperchild=None,
        context=None,
        *,
        retries=0,
        task_timeout=None,
        max_memory_per_child=None,
        progress=None,
        serializer=None,
    ):
        # First, for __del__ if something is refused.
        self._pool = []
        self._state = INIT
        self._ctx = context or get_context()
        self._maxtasksperchild = maxtasksperchild
        self._initializer = initializer
        self._initargs = initargs
        self._progress = progress
        if processes is None:
            processes = getattr(os, "process_cpu_count", os.cpu_count)() or 1
        if processes < 1:
            raise ValueError("Number of processes must be at least 1")
        if maxtasksperchild is not None:
            if not isinstance(maxtasksperchild, int) or maxtasksperchild <= 0:
                raise ValueError("maxtasksperchild must be a positive int or None")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        _check_options(retries, task_timeout, max_memory_per_child)
        self._processes = processes
        staff = _Staff(
            self._ctx, self.Process, self._pool, initializer, initargs,
            (maxtasksperchild, max_memory_per_child, serializer, False),
        )  # fmt: skip
        self._engine = _core.PoolEngine(
            processes, staff, initializer is not None, retries, task_timeout, serializer
        )
        self._feeder = _Feeder()
        self._worker_handler = threading.Thread(
            target=self._engine.supervise, name="procession-pool", daemon=True
        )
        self._worker_handler._state = RUN
        self._worker_handler.start()
        self._terminate = util.Finalize(
            self, _end, args=(self._engine, self._feeder, self._worker_handler), exitpriority=15
        )
        util.register_after_fork(self, Pool._after_fork)
        self._state = RUN

    def _after_fork(self):
        # The pool is the parent's.
        self._state = TERMINATE

    def __del__(self, _warn=warnings.warn, RUN=RUN):
        if self._state == RUN:
            _warn(f"unclosed running multiprocessing pool {self!r}", ResourceWarning, source=self)

    # What users of stock's internals read.

    @property
    def _cache(self):
        """An entry for every task that has not ended."""
        return dict.fromkeys(range(self._engine.outstanding))

    @property
    def _taskqueue(self):
        """Maps whose tasks are not all submitted."""
        return self._feeder.waiting

    @property
    def _task_handler(self):
        return self._feeder.thread

    @property
    def _result_handler(self):
        return self._worker_handler

    _inqueue = _outqueue = _quick_put = _quick_get = _change_notifier = None

    def _repopulate_pool(self):
        self._engine.fill()

    # One call.

    def apply(self, func, args=(), kwds={}):
        """Returns `func(*args, **kwds)`, called in a worker."""
        self._check_running()
        return self._engine.apply(func, args, kwds)

    def apply_async(self, func, args=(), kwds={}, callback=None, error_callback=None):
        """Has `func(*args, **kwds)` called in a worker; returns an `AsyncResult`.

        A callback is called with the result, or the exception, in the pool's own thread.
        """
        self._check_running()
        result = ApplyResult(self._engine)
        result._begin(self, callback, error_callback)
        self._engine.submit(result, func, args, kwds)
        return result

    # Maps.

    def _map_async(
        self, func, iterable, mapper, chunksize=None, callback=None, error_callback=None
    ):
        result, feed = self._map(func, iterable, mapper, chunksize, callback, error_callback)
        self._feeder.feed(feed)
        return result

    def _map(self, func, iterable, mapper, chunksize, callback, error_callback):
        self._check_running()
        if not hasattr(iterable, "__len__"):
            iterable = list(iterable)
        length = len(iterable)
        if chunksize is None:
            chunksize, extra = divmod(length, self._processes * 4)
            if extra:
                chunksize += 1
            if self._maxtasksperchild is None:
                # Longer ones fall out of the processor's cache on their way.
                chunksize = min(chunksize, _LONGEST)
        result = MapResult(self._engine, "map", _progress(self._progress, length))
        result._begin_map(self, length, chunksize, callback, error_callback)
        items = iterable if chunksize > 0 else ()
        star = mapper is _stock.starmapstar
        return result, _core.Feed(self._engine, result, func, items, max(chunksize, 1), star)

    def map(self, func, iterable, chunksize=None):
        """Returns the list of `func(item)` for each item, called in the workers."""
        result, feed = self._map(func, iterable, _stock.mapstar, chunksize, None, None)
        values = feed.collect()
        return values if result._chunksize > 0 else result.get()

    def starmap(self, func, iterable, chunksize=None):
        """As `map`, with `func(*item)`."""
        result, feed = self._map(func, iterable, _stock.starmapstar, chunksize, None, None)
        values = feed.collect()
        return values if result._chunksize > 0 else result.get()

    def imap(self, func, iterable, chunksize=1):
        """As `map`, but returns an iterator of the results as they come, in order.

        Items are taken from the iterable as tasks are done, a bounded number ahead.
        """
        return self._imap(IMapIterator, "map", func, iterable, chunksize)

    def imap_unordered(self, func, iterable, chunksize=1):
        """As `imap`, in the order in which the calls end."""
        return self._imap(IMapUnorderedIterator, "unordered", func, iterable, chunksize)

    def _imap(self, kind, order, func, iterable, chunksize):
        self._check_running()
        if chunksize < 1:
            raise ValueError(f"Chunksize must be 1+, not {chunksize:n}")
        length = len(iterable) if hasattr(iterable, "__len__") else None
        result = kind(self._engine, order, _progress(self._progress, length))
        result._pool = self
        feed = _core.Feed(self._engine, result, func, iterable, chunksize, False)
        self._feeder.feed(feed, is_prompt=type(iterable) in _PROMPT)
        return result

    # The end.

    def close(self):
        """Takes no more tasks; those that it has are done."""
        util.debug("closing pool")
        if self._state == RUN:
            self._state = CLOSE
            self._worker_handler._state = CLOSE
            self._feeder.close(self._engine)

    def terminate(self):
        """Ends the workers now. What has not ended raises `PoolBroken`."""
        util.debug("terminating pool")
        self._state = TERMINATE
        self._terminate()

    def join(self):
        """Waits until the workers have ended, after `close` or `terminate`."""
        util.debug("joining pool")
        if self._state == RUN:
            raise ValueError("Pool is still running")
        if self._state not in (CLOSE, TERMINATE):
            raise ValueError("In unknown state")
        if self._state == CLOSE:
            self._feeder.join()
            self._engine.drain()
        self._worker_handler.join()


def _check_options(retries, task_timeout, max_memory_per_child):
    if not isinstance(retries, int) or retries < 0:
        raise ValueError("retries must be an int that is not negative")
    if task_timeout is not None and not task_timeout > 0:
        raise ValueError("task_timeout must be positive or None")
    if max_memory_per_child is not None:
        if not isinstance(max_memory_per_child, int) or max_memory_per_child <= 0:
            raise ValueError("max_memory_per_child must be a positive int or None")


def _end(engine, feeder, supervisor):
    # Also called when the pool is collected, and at the end of the process.
    feeder.stop()
    engine.terminate()
    if threading.current_thread() is not supervisor:
        supervisor.join()
    feeder.leave()


class _Staff:
    """How the engine starts workers, and takes their exit codes.

    Knows the list of workers and not the pool, so that a pool that nobody has any more is collected.
    """

    def __init__(self, ctx, make_process, workers, initializer, initargs, limits):
        self._ctx = ctx
        self._make_process = make_process
        self._workers = workers
        self._initializer = initializer
        self._initargs = initargs
        self._limits = limits

    def start(self, post):
        holds_back = self._holds_back_ctrl_c()
        args = (holds_back, post, self._initializer, self._initargs, *self._limits)
        worker = self._make_process(self._ctx, target=_work, args=args)
        worker.name = worker.name.replace("Process", "PoolWorker")
        worker.daemon = True
        try:
            if holds_back:
                # Stock's start does this first, and ends by unblocking Ctrl-C.
                from multiprocessing import resource_tracker

                resource_tracker.ensure_running()
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            worker.start()
        finally:
            if holds_back:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        self._workers.append(worker)
        util.debug("added worker")
        return worker

    def _holds_back_ctrl_c(self):
        """Whether a worker begins with Ctrl-C blocked: a new interpreter that is interrupted while it still starts
        prints a traceback of its own. Not below a fork server, which would keep it blocked in all that it forks."""
        is_blocked = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        return self._ctx.get_start_method() == "spawn" and not is_blocked

    def reap(self, worker):
        worker.join()
        if worker in self._workers:
            self._workers.remove(worker)
        return worker.exitcode


def _work(is_held_back, *task):
    """What a worker does."""
    try:
        if is_held_back:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        _serve(*task)
    except KeyboardInterrupt:
        # The pool's process has got it, too, and tells of it.
        raise SystemExit(_INTERRUPTED) from None


def _serve(post, initializer, initargs, maxtasks, max_memory, serializer, of_executor):
    post.sit_down()
    if initializer is not None:
        try:
            initializer(*initargs)
        except Exception as error:
            import traceback

            if of_executor:
                from concurrent.futures._base import LOGGER

                LOGGER.critical("Exception in initializer:", exc_info=True)
            post.give_up("".join(traceback.format_exception(error)).rstrip())
            return
    parent = process.parent_process()
    post.work(parent.pid, parent.sentinel, maxtasks, max_memory, serializer, of_executor)
    util.debug("worker exiting")


class _Feeder:
    """Submits the tasks of maps that are too long to be submitted at once, or whose items come by and by.

    Its thread is started when the first such map comes.
    """

    def __init__(self):
        self.waiting = queue.SimpleQueue()
        self.thread = None
        self._lock = threading.Lock()
        self._is_stopped = False

    def feed(self, feed, is_prompt=True):
        if is_prompt and feed.fill():
            return
        with self._lock:
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, name="procession-feeder", daemon=True)
                self.thread._state = RUN
                self.thread.start()
            self.waiting.put(feed.finish)

    def _run(self):
        while (act := self.waiting.get()) is not None:
            try:
                act()
            except Exception as error:
                if self._is_stopped:
                    return
                act.__self__.stop(error)
            del act

    def close(self, engine):
        with self._lock:
            if self.thread is None:
                engine.close()
                return
            self.waiting.put(engine.close)
            self.waiting.put(None)

    def join(self):
        if self.thread is not None:
            self.thread.join()

    def stop(self):
        self._is_stopped = True
        self.waiting.put(None)

    def leave(self):
        """Waits for the thread after the end of the pool, unless an iterator of the user's keeps it."""
        if self.thread is not None and threading.current_thread() is not self.thread:
            self.thread.join(_FAREWELL)


class ApplyResult(_core.PoolJob, _stock.ApplyResult):
    """The result of a call that will be there later.

    `await result` waits for it in a coroutine, without a thread.
    """

    _event = None
    _pool = None
    _callback = None
    _error_callback = None

    def __init__(self, *arguments):
        """The engine has made it."""

    def _begin(self, pool, callback, error_callback):
        self._pool = pool
        if callback is not None or error_callback is not None:
            self._callback = callback
            self._error_callback = error_callback
            # Set when the callback was called: only then is the result ready.
            self._event = threading.Event()
            self._when_over(self._call_back)

    def _call_back(self):
        try:
            ok, value = self._outcome()
            callback = self._callback if ok else self._error_callback
            if callback is not None:
                callback(value)
        finally:
            self._event.set()

    def ready(self):
        """Whether the call has ended, well or not."""
        return self._is_over() if self._event is None else self._event.is_set()

    def successful(self):
        """Whether it has returned. `ValueError` if it has not ended."""
        if not self.ready():
            raise ValueError(f"{self!r} not ready")
        return self._has_succeeded()

    def wait(self, timeout=None):
        """Waits until it has ended, `timeout` seconds at most."""
        if self._event is None:
            self._wait(timeout)
        else:
            self._event.wait(timeout)

    def get(self, timeout=None):
        """What the function returned; raises what it raised.

        `multiprocessing.TimeoutError` if it has not ended within `timeout` seconds, `procession.WorkerLost`
        if its worker died.
        """
        self.wait(timeout)
        if not self.ready():
            raise _stock.TimeoutError
        self._pool = None
        ok, value = self._outcome()
        if ok:
            return value
        try:
            raise value
        finally:
            # The traceback refers to this frame.
            del value

    def cancel(self):
        """Takes the call back: it is not begun, or its worker is killed, and replaced.

        False if it has ended already; else `get` raises `concurrent.futures.CancelledError`.
        """
        return self._cancel()

    def __await__(self):
        import asyncio

        loop = asyncio.get_running_loop()
        ended = loop.create_future()

        def tell():
            try:
                loop.call_soon_threadsafe(lambda: ended.done() or ended.set_result(None))
            except RuntimeError:
                # The loop is closed, and nobody waits.
                pass

        if not self.ready():
            self._when_over(tell)
            yield from ended
        return self.get()

    # What users of stock's internals read.

    @property
    def _success(self):
        return self._has_succeeded()

    @property
    def _value(self):
        return self._outcome()[1]

    @property
    def _cache(self):
        return {} if self._pool is None else self._pool._cache


AsyncResult = ApplyResult


class MapResult(ApplyResult, _stock.MapResult):
    """The results of a map that will be there later."""

    def _begin_map(self, pool, length, chunksize, callback, error_callback):
        self._chunksize = chunksize
        self._length = length
        self._begin(pool, callback, error_callback)

    def _outcome(self):
        if self._chunksize <= 0:
            return True, [None] * self._length
        return self._outcomes()

    @property
    def _number_left(self):
        """How many chunks have not ended."""
        if self._chunksize <= 0 or self._is_over():
            return 0
        return -(-self._length // self._chunksize) - self._counts[1]


class IMapIterator(_core.PoolJob, _stock.IMapIterator):
    """The results of an `imap`, as they come."""

    _pool = None

    def __init__(self, *arguments):
        """The engine has made it."""

    def __iter__(self):
        return self

    def next(self, timeout=None):
        """The next result; `multiprocessing.TimeoutError` if it is not there within `timeout` seconds."""
        return self._next(timeout)

    def __next__(self):
        return self._next()

    @property
    def _index(self):
        """How many tasks have ended."""
        return self._counts[1]

    @property
    def _length(self):
        """How many tasks there are; None until that is known."""
        submitted, _, more = self._counts
        return None if more else submitted


class IMapUnorderedIterator(IMapIterator, _stock.IMapUnorderedIterator):
    """The results of an `imap_unordered`, as they come."""
