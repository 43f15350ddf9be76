"""The server of a manager: the engine's, with a guest for the objects that only Python can host.

The engine has the sockets, the requests of clients, the objects of its own types, and all references. The guest, here,
takes *errands* from it: whole requests, as they came, to which it gives whole replies. Each connection that has errands
gets a thread, as with stock, so that an object sees one thread for each thread of a client.

What stock's tables mean here:

| table | holds |
|---|---|
| `id_to_obj` | the guest's objects |
| `id_to_refcount` | how often each was given to a client, until the engine says of so many that they are over |
| `id_to_local_proxy_obj` | objects of this server whose proxies lie inside of the guest's |
"""

import queue
import sys
import threading
import weakref
from multiprocessing import connection, process, util
from multiprocessing import managers as _stock
from traceback import format_exc

from . import _core
from ._link import loads_with
from ._proxies import is_address_of, ours

#: So much of an object's text is in `debug_info`.
_SHOWN = 75

_NOBODY = (None, (), None)

#: Seconds for a thread that has nothing to do, to end.
_FAREWELL = 1.0


class Server(_stock.Server):
    """The server of a manager. See `multiprocessing.managers.Server`.

    With another serializer than pickle this is a server of stock.
    """

    def __new__(cls, registry, address, authkey, serializer):
        if serializer != "pickle":
            return _stock.Server(registry, address, authkey, serializer)
        return super().__new__(cls)

    def __init__(self, registry, address, authkey, serializer):
        if not isinstance(authkey, bytes):
            raise TypeError(f"Authkey {authkey!r} is type {type(authkey)!s}, not bytes")
        self.registry = registry
        self.authkey = process.AuthenticationString(authkey)
        own = hosted(registry)
        self._engine = _core.ManagerServer(
            _complete(address), authkey, own, [*registry.keys() - {name for name, _, _ in own}]
        )
        self.address = self._engine.address
        self.listener = _Listener(self._engine)
        self.id_to_obj = _Objects({"0": _NOBODY})
        self.id_to_refcount = {}
        self.id_to_local_proxy_obj = _Pins(self._engine)
        self.mutex = threading.Lock()
        self.stop_event = _StopEvent(self._engine)
        self._guests = weakref.WeakSet()

    def serve_forever(self):
        """Serves until a client says `shutdown` or `stop_event` is set. Ends by raising `SystemExit`."""
        process.current_process()._manager_server = self
        taker = threading.Thread(target=self._take_errands, daemon=True)
        try:
            taker.start()
            self._engine.serve()
        except (KeyboardInterrupt, SystemExit):
            pass
        finally:
            self.stop_event.set()
            self._engine.close()
            # Whoever waits for an errand is told, and must not come back to an interpreter that has ended.
            for thread in [taker, *(guest.thread for guest in self._guests if not guest.owes)]:
                thread.join(_FAREWELL)
            if sys.stdout != sys.__stdout__:
                util.debug("resetting stdout, stderr")
                sys.stdout = sys.__stdout__
                sys.stderr = sys.__stderr__
            sys.exit(0)

    def _take_errands(self):
        """What is of no connection, and the first errand of each."""
        while errand := self._engine.next():
            what, *about = errand
            if what == "serve":
                guest = _Guest(self, *about)
                self._guests.add(guest)
                guest.start()
            elif what == "adopt":
                self._adopt(*about)
            else:
                self._forget(*about)

    def create(self, c, typeid, /, *args, **kwds):
        """Makes an object, for the client of the connection `c`; its name, and its methods."""
        ident, exposed = super().create(c, typeid, *args, **kwds)
        c.made = ident, typeid, exposed
        return ident, exposed

    def _describe(self, c, objects):
        """The text of `debug_info`, of each object's name, how often it is referred to, and what the engine says of it or `None`."""
        lines = []
        for ident, count, text in objects:
            text = str(self.id_to_obj[ident][0])[:_SHOWN] if text is None else text
            lines.append(f"  {ident}:       refcount={count}\n    {text}")
        return "\n".join(lines)

    def _adopt(self, ident, contents):
        """Hosts an object of the engine's from now on; not if there is something in it that this process does not know."""
        try:
            _, obj = self._loads(contents)
        except Exception:
            self.id_to_obj[ident] = _Unknown(format_exc()), _All(), None
            self._engine.refused(ident)
            return
        # The engine has looked whether the methods are exposed.
        self.id_to_obj[ident] = obj, _All(), {"__iter__": "Iterator"}
        self.id_to_refcount[ident] = 0
        self._engine.adopted(ident)

    def _forget(self, ident, times):
        """`times` of the references that were given are over. More may be on their way to the engine."""
        with self.mutex:
            left = self.id_to_refcount.pop(ident, 0) - times
            if left > 0:
                self.id_to_refcount[ident] = left
            else:
                # Not dropped under the mutex, for it may have proxies inside.
                _gone = self.id_to_obj.pop(ident, None)

    def _give_back(self, ident, method, item):
        """What a client that is gone has got of a queue goes back to its front, as in the engine's queues."""
        source = self.id_to_obj[ident][0]
        if type(source) is queue.Queue and method in ("get", "get_nowait"):
            with source.mutex:
                source.queue.appendleft(item)
                source.not_empty.notify()

    def _loads(self, request):
        """Unpickles a request, in which proxies may be of this server's own objects."""
        return loads_with(self._rebuild, request)

    def _rebuild(self, func, token, serializer, kwds):
        if not is_address_of(token.address, self.address):
            return _stock.RebuildProxy(ours(func), token, serializer, kwds)
        token.address = self.address
        kwds.setdefault("authkey", self.authkey)
        proxy = ours(func)(token, serializer, manager_owned=True, **kwds)
        self._engine.hold(token.id)
        weakref.finalize(proxy, self._engine.release, token.id).atexit = False
        return proxy


class _Guest:
    """The guest's side of one connection: what stock's `serve_client` takes for the connection."""

    def __init__(self, server, number, first):
        self._server = server
        self._number = number
        self._first = first
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self._call = None
        self.owes = True
        self.made = None

    def start(self):
        try:
            self.thread.start()
        except RuntimeError:
            # The system gives no more threads.
            self.send(("#TRACEBACK", format_exc()))

    def _serve(self):
        while not self._server.stop_event.is_set():
            try:
                self._server.serve_client(self)
            except BaseException:
                # At the connection's end it raises `SystemExit`. An object may do so too, of which its client is told.
                if not self.owes:
                    return
                self.send(("#TRACEBACK", format_exc()))

    def recv(self):
        """The next call of an object. What is asked of the server itself is done before that."""
        while True:
            request = self._server._loads(self._next())
            ident, method, args, kwds = request
            if ident is not None:
                self._call = ident, method
                return request
            self.send(self._manage(method, args, kwds))

    def _next(self):
        request, self._first = self._first, None
        if request is None:
            request = self._server._engine.next_of(self._number)
        if request is None:
            raise EOFError
        self.owes = True
        return request

    def _manage(self, method, args, kwds):
        try:
            ask = self._server.create if method == "create" else self._server._describe
            return "#RETURN", ask(self, *args, **kwds)
        except Exception:
            return "#TRACEBACK", format_exc()

    def send(self, message):
        call, self._call = self._call, None
        if call and message[0] == "#RETURN" and self._server._engine.has_ended(self._number):
            self._server._give_back(*call, message[1])
        reply = _core.dumps(message)
        made, self.made, self.owes = self.made, None, False
        self._server._engine.answer(self._number, reply, made)

    def close(self):
        """The engine does."""


class _All:
    """Contains everything."""

    def __contains__(self, name):
        return True


class _Unknown:
    """What could not be adopted. Calls that were under way to it then say why."""

    def __init__(self, why):
        self._why = why

    def __getattribute__(self, name):
        raise RuntimeError(object.__getattribute__(self, "_why"))


class _Pins(dict):
    """Has the engine keep objects of whose proxies stock's `RebuildProxy` makes a note here, as stock does: for good."""

    def __init__(self, engine):
        super().__init__()
        self._engine = engine

    def __setitem__(self, ident, entry):
        self._engine.hold(ident)
        super().__setitem__(ident, entry)


class _Objects(dict):
    """Stock's `RebuildProxy` looks here for objects that the engine hosts, too."""

    def __missing__(self, ident):
        return _NOBODY


class _Listener:
    """What one can do to the listening socket of a server that does not serve yet."""

    def __init__(self, engine):
        self.address = engine.address
        # A socket's path goes with the process that bound it.
        self.close = util.Finalize(self, engine.close, exitpriority=0)


class _StopEvent(threading.Event):
    def __init__(self, engine):
        super().__init__()
        self._engine = engine

    def set(self):
        super().set()
        self._engine.stop()


def _complete(address):
    """The address, or a new one, as a listener of stock chooses it."""
    if not address:
        return connection.arbitrary_address(connection.default_family)
    connection.address_type(address)
    return address


def hosted(registry):
    """What the engine hosts of a registry: names, which of its types they are, and what is exposed.

    It hosts what stock's own `SyncManager` makes, if it was not registered with more methods or other results.
    """
    stock = _stock.SyncManager._registry
    kinds = [(kind, *stock[kind]) for kind in _core.ManagerServer.kinds() if kind in stock]
    found = []
    for typeid, (callable, exposed, methods, _proxytype) in registry.items():
        for kind, usual_callable, usual, usual_methods, _ in kinds:
            if callable is usual_callable:
                usual = usual or _stock.public_methods(callable())
                exposed = exposed or _stock.public_methods(callable())
                if set(exposed) <= set(usual) and methods == usual_methods:
                    found.append((typeid, kind, [*exposed, *(methods or ())]))
                break
    return found
