"""The interface of `concurrent.futures` on a pool of procession.

A worker that dies fails the futures of the calls that it ran, with `procession.WorkerLost`, and no others;
the executor goes on. `WorkerLost` is a `BrokenProcessPool`, which is what stock raises from all futures then.
"""

import os
import threading
import time
import weakref
from collections import deque
from concurrent.futures import CancelledError, Executor, Future
from functools import partial
from itertools import islice
from multiprocessing import TimeoutError as NotReady
from multiprocessing import get_context, util
from multiprocessing.pool import starmapstar

from . import _core
from .pool import _check_options, _Staff

__all__ = ["ProcessPoolExecutor"]


class ProcessPoolExecutor(Executor):
    """Calls functions in worker processes, which are started with the first call.

    The arguments are those of `concurrent.futures.ProcessPoolExecutor`; `retries`, `task_timeout`,
    `max_memory_per_child` and `serializer` are those of `procession.Pool`.
    """

    def __init__(
        self,
        max_workers=None,
        mp_context=None,
        initializer=None,
        initargs=(),
        *,
        max_tasks_per_child=None,
        retries=0,
        task_timeout=None,
        max_memory_per_child=None,
        serializer=None,
    ):
        if max_workers is None:
            max_workers = getattr(os, "process_cpu_count", os.cpu_count)() or 1
        elif max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if max_tasks_per_child is not None:
            if not isinstance(max_tasks_per_child, int):
                raise TypeError("max_tasks_per_child must be an integer")
            if max_tasks_per_child <= 0:
                raise ValueError("max_tasks_per_child must be >= 1")
        _check_options(retries, task_timeout, max_memory_per_child)
        self._max_workers = max_workers
        if mp_context is None:
            # As in stock, which refuses to replace forked workers.
            mp_context = get_context("spawn" if max_tasks_per_child is not None else None)
        self._mp_context = mp_context
        self._workers = []
        self._staff = _Staff(
            mp_context, _make_process, self._workers, initializer, initargs,
            (max_tasks_per_child, max_memory_per_child, serializer, True),
        )  # fmt: skip
        self._options = (initializer is not None, retries, task_timeout, serializer)
        self._lock = threading.Lock()
        self._engine = None
        self._supervisor = None
        self._is_shut = False
        # Futures that have not ended. The engine's callbacks know them, and not the executor.
        self._pending = set()
        # Maps of which somebody still wants results.
        self._maps = weakref.WeakSet()
        self._end = None
        util.register_after_fork(self, ProcessPoolExecutor._after_fork)

    def _after_fork(self):
        # The workers are the parent's, and so is what ends them.
        self._is_shut = True
        self._engine = None

    @property
    def _processes(self):
        """The workers by their pids."""
        return {worker.pid: worker for worker in self._workers}

    @property
    def _executor_manager_thread(self):
        """The thread that replaces workers and settles futures; None before the first call."""
        return self._supervisor

    @property
    def _broken(self):
        """Why no call can be done any more; False while they can."""
        failure = self._engine and self._engine.failure
        return str(failure) if failure else False

    def _start(self):
        has_initializer, retries, task_timeout, serializer = self._options
        self._engine = _core.PoolEngine(
            self._max_workers, self._staff, has_initializer, retries, task_timeout, serializer
        )
        self._supervisor = threading.Thread(
            target=self._engine.supervise, name="procession-executor", daemon=True
        )
        self._supervisor.start()
        _await_at_exit(self._supervisor)
        self._end = util.Finalize(
            self, _finish, args=(self._engine, self._supervisor), exitpriority=15
        )

    def _check(self):
        if self._is_shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        if util.is_exiting():
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        if self._engine is None:
            self._start()

    def submit(self, fn, /, *args, **kwargs):
        """Has `fn(*args, **kwargs)` called in a worker; returns its future."""
        with self._lock:
            self._check()
            job = _core.PoolJob(self._engine)
            self._engine.submit(job, fn, args, kwargs)
            future = _Future(job)
            self._pending.add(future)
            job._when_over(partial(_settle, future, self._pending))
            return future

    def map(self, fn, *iterables, timeout=None, chunksize=1, buffersize=None):
        """Returns an iterator of `fn(*items)` for the items of the iterables, in order.

        With `buffersize`, so many chunks are submitted at most whose results have not been taken, and items
        are taken from the iterables no further. Raises `TimeoutError` if a result is not there `timeout`
        seconds after the call of `map`.
        """
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        if buffersize is not None:
            if not isinstance(buffersize, int):
                raise TypeError("buffersize must be an integer or None")
            if buffersize < 1:
                raise ValueError("buffersize must be None or > 0")
        end = None if timeout is None else time.monotonic() + timeout
        calls = zip(*iterables)
        if buffersize is not None:
            chunks = iter(lambda: list(islice(calls, chunksize)), [])
            ahead = deque(self.submit(starmapstar, (fn, chunk)) for chunk in islice(chunks, buffersize))
            return _results_ahead(weakref.ref(self), fn, chunks, ahead, end)
        calls = list(calls)
        with self._lock:
            self._check()
            job = _Map(self._engine, "map")
            self._maps.add(job)
            _core.Feed(self._engine, job, fn, calls, chunksize, True, False).finish()
        return _results(job, end)

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Takes no more calls; those that it has are done, or cancelled where they have not begun.

        With `wait`, waits until the workers have ended.
        """
        with self._lock:
            self._is_shut = True
            engine, supervisor = self._engine, self._supervisor
        if engine is None:
            return
        if cancel_futures:
            for future in list(self._pending):
                future.cancel()
            for job in list(self._maps):
                job._withdraw()
        engine.close()
        if wait:
            engine.drain()
            supervisor.join()

    def terminate_workers(self):
        """Shuts down, and ends the workers now with SIGTERM.

        A call that has begun and has not ended raises `PoolBroken`, which is a `BrokenProcessPool`; others are
        cancelled.
        """
        self._force_shutdown(operation="terminate")

    def kill_workers(self):
        """As `terminate_workers`, with SIGKILL right behind."""
        self._force_shutdown(operation="kill")

    def _force_shutdown(self, operation):
        if operation not in ("terminate", "kill"):
            raise ValueError(f"Unsupported operation: {operation!r}")
        workers = list(self._workers)
        self.shutdown(wait=False, cancel_futures=True)
        if self._engine is None:
            return
        # No worker is started any more, and one that was since is ended by the engine.
        self._engine.terminate()
        for worker in workers:
            getattr(worker, operation)()


def _finish(engine, supervisor):
    # The executor was collected, or the process ends: what was submitted is done.
    engine.close()
    if util.is_exiting():
        supervisor.join()


#: The supervisors that run, those of executors that were collected among them.
_supervisors = weakref.WeakSet()
_last = None


def _await_at_exit(supervisor):
    """Has the process end after the supervisor: it calls Python, and no thread may be at that in an interpreter that ends."""
    global _last
    _supervisors.add(supervisor)
    if _last is None or not _last.still_active():
        # After those of executors, which close what is still open.
        _last = util.Finalize(None, _join_supervisors, exitpriority=14)


def _join_supervisors():
    for supervisor in list(_supervisors):
        supervisor.join()


def _make_process(context, *args, **kwargs):
    return context.Process(*args, **kwargs)


class _Future(Future):
    """A future whose call may be taken back as long as no worker has begun with it."""

    def __init__(self, job):
        super().__init__()
        self._job = job

    def cancel(self):
        """Takes the call back. False if a worker has begun with it, or if it has ended."""
        job = self._job
        if self.cancelled():
            return True
        if job is None or not job._withdraw():
            return False
        return super().cancel()

    def running(self):
        """Whether a worker has begun with the call and has not ended it."""
        job = self._job
        return job is not None and not self.done() and job._is_running()


def _settle(future, pending):
    """Gives a future what came of its job. Called by the supervisor."""
    pending.discard(future)
    ok, value = future._job._outcome()
    future._job = None
    if not ok and isinstance(value, CancelledError):
        Future.cancel(future)
        future.set_running_or_notify_cancel()
    elif ok:
        future.set_result(value)
    else:
        future.set_exception(value)


class _Map(_core.PoolJob):
    """The calls of a map."""


def _results_ahead(executor, fn, chunks, ahead, end):
    """The results of a map with a buffer: a chunk is submitted for each of which the results are taken, as long as there
    is the executor."""
    try:
        while ahead:
            if (here := executor()) is not None and (chunk := next(chunks, None)) is not None:
                ahead.append(here.submit(starmapstar, (fn, chunk)))
            del here
            results = ahead[0].result(None if end is None else max(0, end - time.monotonic()))
            ahead.popleft()
            # Nobody but the caller has a result afterwards.
            results.reverse()
            while results:
                yield results.pop()
    finally:
        for future in ahead:
            future.cancel()


def _results(job, end):
    """The results of a map, one by one; gives up what has not begun when it is left."""
    try:
        while True:
            try:
                # In a list, so that nobody but the caller has it afterwards.
                result = [job._next(None if end is None else max(0, end - time.monotonic()))]
            except StopIteration:
                return
            except NotReady as error:
                if type(error) is NotReady:
                    raise TimeoutError from None
                raise
            yield result.pop()
    finally:
        job._withdraw()
