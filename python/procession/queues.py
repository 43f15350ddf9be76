"""Queues between processes.

Each is a class of `multiprocessing.queues`, with the engine below: what is put is pickled at once, in the
caller, into shared memory, and is there when `put` returns. There is no feeder thread, so nothing has to be
flushed at exit, and `fork` finds none. Any number of processes put and get; one that is killed at any point
leaves the queue whole.

A subclass may override the public methods and `_on_queue_feeder_error`. What stock has for its thread
(`_feed`, `_start_thread`, `_buffer`, `_notempty`) is never called or filled here; a subclass that replaces
those has to subclass `multiprocessing.queues.Queue`, which procession leaves as it is.
"""

import os
import time
from collections import deque
from multiprocessing import context as _context
from multiprocessing import queues as _stock
from queue import Empty, Full

from . import _core
from .process import ticket

try:
    from queue import ShutDown
except ImportError:

    class ShutDown(Exception):
        """Raised by `put` and `get` of a queue that was shut down."""


__all__ = ["Queue", "SimpleQueue", "JoinableQueue"]


class ItemsLost(_context.ProcessError):
    """`count` items were got by processes that ended before they called `task_done`."""

    def __init__(self, count):
        super().__init__(count)
        self.count = count

    def __str__(self):
        return f"{self.count} items were got by processes that ended before they called task_done()"


_sentinel = _stock._sentinel
_ForkingPickler = _stock._ForkingPickler


class _End:
    """One end of a queue, as if it were a pipe: what libraries touch of stock's connections.

    Any number may be made of the same queue; they are equal.
    """

    def __init__(self, queue):
        self._queue = queue

    def __eq__(self, other):
        return type(self) is type(other) and self._queue is other._queue

    def __hash__(self):
        return hash((type(self), id(self._queue)))

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def _check_open(self):
        if self.closed:
            raise OSError("handle is closed")


class _Reader(_End):
    """The end to read from.

    Its descriptor is readable while an item, or the end of a pipe, is there: as seen when this process
    last used the queue, or when somebody put. Where several processes get, it may be readable although
    another one was quicker.
    """

    readable = True
    writable = False

    @property
    def closed(self):
        return self._queue._is_reader_closed

    def fileno(self):
        self._check_open()
        return self._queue._items_fd()

    def recv(self):
        self._check_open()
        return self._queue.get()

    def recv_bytes(self, maxlength=None):
        """The next item as the bytes of its pickle."""
        self._check_open()
        if maxlength is not None and maxlength < 0:
            raise ValueError("negative maxlength")
        data = self._queue._get_pickle()
        if maxlength is not None and len(data) > maxlength:
            self.close()
            raise OSError("bad message length")
        return data

    def recv_bytes_into(self, buf, offset=0):
        """As `recv_bytes`, into a writable buffer from byte `offset` on; how many bytes."""
        with memoryview(buf) as view:
            place = view.cast("B")[offset:]
            data = self.recv_bytes()
            if len(data) > len(place):
                raise _context.BufferTooShort(data)
            place[: len(data)] = data
        return len(data)

    def poll(self, timeout=0.0):
        """Whether `recv` would find something within so many seconds; `None` waits for ever."""
        from multiprocessing.connection import wait

        self._check_open()
        deadline = None if timeout is None else time.monotonic() + max(timeout, 0.0)
        while self._queue.empty():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            wait([self], left)
        return True

    def close(self):
        self._queue._close_reader()


class _Writer(_End):
    """The end to write to. Its descriptor is readable while there is room, and always writable."""

    readable = False
    writable = True

    @property
    def closed(self):
        return self._queue._is_writer_closed

    def fileno(self):
        self._check_open()
        return self._queue._room_fd()

    def send(self, obj):
        self._check_open()
        self._queue.put(obj)

    def send_bytes(self, buf, offset=0, size=None):
        """Puts the object whose pickle lies in `size` bytes of `buf` from `offset` on."""
        self._check_open()
        with memoryview(buf) as view:
            data = view.cast("B")
            if offset < 0:
                raise ValueError("offset is negative")
            if len(data) < offset:
                raise ValueError("buffer length < offset")
            if size is None:
                size = len(data) - offset
            elif size < 0:
                raise ValueError("size is negative")
            elif offset + size > len(data):
                raise ValueError("buffer length < offset + size")
            self._queue._put_pickle(bytes(data[offset : offset + size]))

    def close(self):
        self._queue._close_writer()


class _Count:
    """A number of a queue, where stock has a semaphore."""

    def __init__(self, value):
        self._get_value = self.get_value = value

    @property
    def _semlock(self):
        return self

    def _is_zero(self):
        return self._get_value() == 0


class _Piped:
    """What both kinds of queues have of stock's pipe."""

    @property
    def _reader(self):
        return _Reader(self)

    @property
    def _writer(self):
        return _Writer(self)

    @property
    def _poll(self):
        return self._reader.poll

    @property
    def _rlock(self):
        return self._lock_of("_rlock")

    @property
    def _wlock(self):
        return self._lock_of("_wlock")

    def _lock_of(self, name):
        # The engine needs none: for those who hold stock's while they use `_reader` and `_writer`. It
        # is this process's own.
        import threading

        return self.__dict__.setdefault(name, threading.Lock())


class Queue(_Piped, _core.Queue, _stock.Queue):
    """A queue of at most `maxsize` items, or without bound.

    Further bounds and options, by name: `maxbytes` is the most bytes of pickles in the queue (an item
    that is larger goes alone); `serializer` is "cloudpickle", or a module or object with a `dumps` that
    returns a pickle.

    Beside the methods of stock: `put_many`, `get_many`, `put_async`, `get_async`, `shutdown`.

    Errors: `put` raises `queue.Full`, `get` raises `queue.Empty`, both `ShutDown` after `shutdown`, and
    `OSError` where shared memory is used up.

    If a process dies: what it had put is there; what it had got is gone with it.
    """

    _is_tallied = False
    _ignore_epipe = False
    _thread = None
    _jointhread = None
    _joincancelled = False
    _close = None
    _is_reader_dropped = False

    def __init__(self, maxsize=0, *, ctx, maxbytes=0, serializer=None):
        self._make(maxsize, maxbytes, serializer, self._is_tallied)
        self._serializer = getattr(serializer, "__name__", serializer)
        self._opid = os.getpid()

    def __getstate__(self):
        _context.assert_spawning(self)
        here = ticket(self._family)
        here.keep(self)
        return here, self._handle, self._serializer, self._ignore_epipe, self._opid

    def __setstate__(self, state):
        family, handle, self._serializer, self._ignore_epipe, self._opid = state
        self._attach(family, handle, self._serializer)

    async def get_async(self, timeout=None):
        """As `get`, without holding up the event loop, and without a thread."""
        import asyncio

        from ._readiness import readable

        try:
            async with asyncio.timeout(timeout):
                while True:
                    try:
                        return self.get(False)
                    except Empty:
                        await readable(self._items_fd())
        except TimeoutError:
            raise Empty from None

    async def put_async(self, obj, timeout=None):
        """As `put`, without holding up the event loop, and without a thread."""
        import asyncio

        from ._readiness import readable

        try:
            async with asyncio.timeout(timeout):
                while True:
                    try:
                        return self.put(obj, False)
                    except Full:
                        await readable(self._room_fd())
        except TimeoutError:
            raise Full from None

    def join_thread(self):
        """Returns at once: what was put is in the queue already."""
        assert self._closed, f"Queue {self!r} not closed"

    def cancel_join_thread(self):
        """Does nothing: no thread has to be waited for at exit."""

    def _report_unpicklable(self, error, obj):
        # Inside of the handling of the error, which the hook may print.
        try:
            raise error
        except Exception as error:
            self._on_queue_feeder_error(error, obj)

    def _terminate_broken(self):
        self._is_reader_dropped = True
        self.close()

    @property
    def _is_reader_closed(self):
        return self._is_reader_dropped or self._is_writer_closed

    @property
    def _is_writer_closed(self):
        return self._closed and self._is_used

    def _close_reader(self):
        self._is_reader_dropped = True

    def _close_writer(self):
        self.close()

    @property
    def _sem(self):
        return _Count(lambda: max(self._maxsize - self.qsize(), 0))

    @property
    def _buffer(self):
        return deque()

    @property
    def _notempty(self):
        import threading

        return threading.Condition()

    @property
    def _send_bytes(self):
        return self._writer.send_bytes

    @property
    def _recv_bytes(self):
        return self._reader.recv_bytes

    def _reset(self, after_fork=False):
        """Nothing of a queue is a process's own but whether it is closed, which a child forgets."""

    def _after_fork(self):
        self._reset(after_fork=True)

    def _start_thread(self):
        """There is none."""


class JoinableQueue(Queue, _stock.JoinableQueue):
    """A queue whose getters say when an item is done, and whose putters can wait for that.

    If a process dies: an item that it took and did not declare done stays undone, and `join` waits for
    ever, as in stock. With `report_lost` true `join` raises `ItemsLost` instead, once for each of them.
    """

    def __init__(self, maxsize=0, *, ctx, report_lost=False, **options):
        self._is_tallied = bool(report_lost)
        super().__init__(maxsize, ctx=ctx, **options)

    task_done = _core.Queue._task_done

    def join(self):
        """Waits until every item that was put is done."""
        if count := self._join():
            raise ItemsLost(count)

    @property
    def _unfinished_tasks(self):
        return _Count(self._unfinished)


class SimpleQueue(_Piped, _core.SimpleQueue, _stock.SimpleQueue):
    """A one-way pipe that any number of processes may use: `put` waits while 64 KiB are in it.

    If a process dies: when the last one that had the end to write to is gone, `get` raises `EOFError`
    after what is in the pipe; without the last reader `put` raises `BrokenPipeError`. The ends that this
    process sent to one that it started with spawn or forkserver count as in use while it keeps the
    `Process` object.
    """

    def __init__(self, *, ctx):
        self._make()

    def __getstate__(self):
        _context.assert_spawning(self)
        here = ticket(self._family)
        here.keep((self, self._ends()))
        return here, self._handles, self._are_closed

    def __setstate__(self, state):
        self._attach(*state)

    @property
    def _is_reader_closed(self):
        return self._are_closed[0]

    @property
    def _is_writer_closed(self):
        return self._are_closed[1]
