"""The connections of this process to one manager.

| connection | for | how many |
|---|---|---|
| a line | calls of objects, which may wait | one for each thread that calls |
| the desk | making objects, and counting this process's references to them | one, if the manager is procession's |

A stock manager is asked for what the desk does over a connection of its own for each request, as stock clients do.

If the manager dies, whoever waits is told at once, by the `EOFError` or `OSError` that stock has. The next call
tries to connect anew.

After fork: the child has no connection; its first call makes one.
"""

import os
import pickle
import socket
import threading
import weakref
from collections import deque
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from multiprocessing import connection, process, util
from multiprocessing import managers as _stock

from . import _arena, _core

#: Of the rules for our own clients, in the README of the crate of managers.
_VERSION = 1

#: By address and key.
_links = weakref.WeakValueDictionary()
_lock = threading.Lock()


def link(address, authkey):
    """What all proxies of one manager in this process share."""
    key = (address, bytes(authkey))
    with _lock:
        found = _links.get(key)
        if found is None:
            found = _links[key] = Link(address, authkey)
    return found


def _forget():
    # In the child of a fork the connections are the parent's, and some other thread may have had the locks.
    global _lock
    _lock = threading.Lock()
    for each in list(_links.values()):
        each.disown()


os.register_at_fork(after_in_child=_forget)


class Link:
    """The connections to the manager at `address`."""

    def __init__(self, address, authkey):
        self.address = address
        self.authkey = process.AuthenticationString(authkey)
        self.reset()

    def disown(self):
        """Closes the connections, which are another process's, also those that a thread used which is not here."""
        for line in list(self._lines):
            line.close()
        self.reset()

    def reset(self):
        """Forgets the connections. One over which a thread waits at the moment is closed after that."""
        self._lines = weakref.WeakSet()
        self._thread = threading.local()
        # Knows its owner, so that one who has it already does not wait for itself: a signal handler, a `__del__`.
        self._turn = threading.RLock()
        self._desk = None
        self._is_ours = None
        # The number of the manager's arena, until it is known that this process cannot use it.
        self._family = None
        self._dropped = deque()

    def call(self, ident, method, args, kwds, otherwise):
        """The result of a call, over this thread's line; as of `_core.Line.call`."""
        try:
            line = self._thread.line
        except AttributeError:
            line = self.serve()
        try:
            return line.call(ident, method, args, kwds, otherwise)
        except EOFError:
            if line.closed:
                del self._thread.line
                raise EOFError(f"{self} has ended, or cut the connection, before it answered {method!r}") from None
            raise
        except BaseException:
            if line.closed:
                del self._thread.line
            raise

    def serve(self):
        """Connects this thread, and returns its line."""
        name = process.current_process().name
        thread = threading.current_thread()
        if thread is not threading.main_thread():
            name += "|" + thread.name
        util.debug("making connection to manager")
        line = self._greet(name)
        if line is None:
            line = self._open()
            line.call(None, "accept_connection", (name,), {}, fail)
        self._thread.line = line
        return line

    def keep(self, ident):
        """Has the reference that a call over this thread's line has given outlive the line."""
        if self._is_ours:
            self.ask("incref", (ident,))
            self.call(None, "decref", (ident,), {}, fail)

    def enter(self, ident):
        """This thread has locked something, over its line."""
        self._thread.__dict__.setdefault("entered", []).append((ident, self._thread.line))

    def leave(self, ident):
        """Whether what this thread locked last under that name is locked still, as far as lines go."""
        entered = self._thread.__dict__.get("entered", ())
        for place, (name, line) in reversed([*enumerate(entered)]):
            if name == ident:
                del entered[place]
                return not (self._is_ours and line.closed)
        return True

    def ask(self, function, args=(), kwds={}):
        """What the manager itself answers, and not one of its objects."""
        if self._turn._is_owned():
            raise RuntimeError(f"a signal handler asks {self} while the thread that it interrupts does; use a thread for it")
        with self._turn:
            answer = self._ask(function, args, kwds)
        self._settle()
        return answer

    @contextmanager
    def granted(self, ident):
        """Within it, a reference to `ident` that the manager has counted for us goes to the first proxy that asks for
        one; if none does, it is given back."""
        granted = self._thread.__dict__.setdefault("granted", [])
        granted.append(ident)
        try:
            yield
        finally:
            if ident in granted:
                granted.remove(ident)
                self.drop(ident)

    def take(self, ident):
        """Counts a reference."""
        granted = self._thread.__dict__.get("granted", ())
        if ident in granted:
            granted.remove(ident)
        else:
            self.ask("incref", (ident,))

    def drop(self, ident):
        """Gives a reference back. Never waits for another thread: a finalizer may run in the middle of `ask`."""
        self._dropped.append(ident)
        self._settle()

    def _settle(self):
        # Whoever has the turn comes here after it, so nothing stays behind.
        while self._dropped and not self._turn._is_owned() and self._turn.acquire(blocking=False):
            try:
                ident = self._dropped.popleft()
                self._ask("decref", (ident,), {})
            except Exception as error:
                util.debug("... decref failed %s", error)
            finally:
                self._turn.release()

    def _ask(self, function, args, kwds):
        if self._desk is None:
            self._desk = self._greet(process.current_process().name)
        if self._desk is None:
            return _ask_once(self._open(), function, args, kwds)
        try:
            return self._desk.call(None, function, args, kwds, fail)
        except BaseException:
            if self._desk.closed:
                self._desk = None
            raise

    def _greet(self, name):
        """A line, over which the manager counts references; `None` if it is stock's, and knows of no such thing."""
        if self._is_ours is False:
            return None
        line = self._open()
        answer = line.call(None, "hello", (_VERSION, name), {}, _is_unknown)
        if self._is_ours is None and answer is not None:
            self._family = answer.get("arena")
        self._is_ours = answer is not None
        return line if self._is_ours else line.close()

    def share(self, proxy):
        """Has the proxy use its object in shared memory, if it lies there and this process may."""
        if self._family is None or not _arena.may_have(proxy._exposed_):
            return
        try:
            if not _arena.join(self._family, self._connect):
                self._family = None
            elif place := self.ask("handle", (proxy._id,)):
                _arena.equip(proxy, self._family, place, self._claim)
        except (OSError, EOFError) as error:
            # The next call finds out what is the matter with the manager.
            util.debug("cannot share memory with %s: %s", self, error)

    def _claim(self, ident, ticket):
        # Over the thread's line: what comes may hold proxies, which ask at the desk.
        return self.call(None, "claim", (ident, ticket), {}, fail)

    def _connect(self):
        return connection.Client(self.address, authkey=self.authkey)

    def _open(self):
        made = self._connect()
        descriptor, made._handle = made._handle, None
        if isinstance(self.address, tuple):
            with socket.socket(fileno=descriptor) as end:
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                descriptor = end.detach()
        line = _core.Line(descriptor, partial(loads, self))
        self._lines.add(line)
        return line

    def __str__(self):
        return f"the manager at {self.address!r}"


def _is_unknown(kind, value):
    """What a stock server says to a request that it does not know is no answer."""
    return None if kind == "#TRACEBACK" else fail(kind, value)


def _ask_once(line, function, args, kwds):
    try:
        return line.call(None, function, args, kwds, fail)
    finally:
        line.close()


def fail(kind, value):
    """Raises what a reply says that is neither a result nor an exception."""
    raise _stock.convert_to_error(kind, value)


def loads(link, data):
    """Unpickles a reply. Proxies in it are ours, and know the key."""
    from ._proxies import rebuild_from

    return loads_with(partial(rebuild_from, link), data)


def loads_with(rebuild, data):
    """Unpickles with `rebuild` in the place of stock's `RebuildProxy`."""
    if b"RebuildProxy" not in data:
        return pickle.loads(data)
    unpickler = _Unpickler(BytesIO(data))
    unpickler.rebuild = rebuild
    return unpickler.load()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) == ("multiprocessing.managers", "RebuildProxy"):
            return self.rebuild
        return super().find_class(module, name)
