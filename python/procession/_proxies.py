"""What a process has of an object that a manager hosts.

Each is a class of `multiprocessing.managers`, with its calls made natively and its references counted over one
connection (see `_link`). In a message it is pickled as stock's class, so that a stock Python reads it; for a process
that is being started, as itself.
"""

from multiprocessing import managers as _stock
from multiprocessing import process, util
from multiprocessing.context import get_spawning_popen

from ._link import fail, link


class BaseProxy(_stock.BaseProxy):
    """A proxy of an object that a manager hosts.

    If the manager dies, a call raises `EOFError` or `OSError`. If a signal handler raises while a call waits, the
    thread's connection is closed: what the call waited for is left where it is, and procession's manager releases the
    locks that were taken over the connection.

    A queue, lock, value or array of procession's manager on this machine is used in shared memory (see `_arena`), with the
    same methods.

    After fork: the child's proxy counts a reference of its own, and calls over a connection of its own.
    """

    #: Whether its object is used in shared memory.
    _is_near = False

    def __init__(
        self,
        token,
        serializer,
        manager=None,
        authkey=None,
        exposed=None,
        incref=True,
        manager_owned=False,
    ):
        if authkey is None:
            authkey = _key(manager)
        self._link = link(token.address, authkey) if serializer == "pickle" else None
        super().__init__(token, serializer, manager, authkey, exposed, incref, manager_owned)
        if self._link is not None and incref and not manager_owned:
            self._link.share(self)

    def _connect(self):
        if self._link is None:
            super()._connect()
        else:
            self._link.serve()

    def _callmethod(self, methodname, args=(), kwds={}):
        if self._link is None:
            return super()._callmethod(methodname, args, kwds)
        return self._link.call(self._id, methodname, args, kwds, self._receive)

    def _receive(self, kind, value):
        if kind != "#PROXY":
            fail(kind, value)
        exposed, token = value
        # A proxy that was sent here has no manager, but what stock's types return is known.
        manager = self._manager
        registry = _stock.SyncManager._registry if manager is None else manager._registry
        proxytype = ours(registry[token.typeid][-1])
        token.address = self._token.address
        self._link.keep(token.id)
        return made(self._link, proxytype, token, self._serializer, manager, self._authkey, exposed)

    def _incref(self):
        if self._link is None:
            super()._incref()
        elif self._owned_by_manager:
            util.debug("owned_by_manager skipped INCREF of %r", self._token.id)
        else:
            self._link.take(self._id)
            util.debug("INCREF %r", self._token.id)
            state = self._manager and self._manager._state
            self._close = util.Finalize(
                self, _give_back, args=(self._link, self._id, state), exitpriority=10
            )

    def __reduce__(self):
        is_auto = getattr(self, "_isauto", False)
        kind = AutoProxy if is_auto else type(self)
        kwds = {"exposed": self._exposed_} if is_auto else {}
        if get_spawning_popen() is not None:
            kwds["authkey"] = self._authkey
            return RebuildProxy, (kind, self._token, self._serializer, kwds)
        return _stock.RebuildProxy, (_STOCK.get(kind, kind), self._token, self._serializer, kwds)


def _key(manager):
    return process.current_process().authkey if manager is None else manager._authkey


def _give_back(link, ident, state):
    if state is None or state.value == _stock.State.STARTED:
        util.debug("DECREF %r", ident)
        link.drop(ident)
    else:
        util.debug("DECREF %r -- manager already shutdown", ident)


def made(link, proxytype, token, serializer, manager, authkey, exposed):
    """The proxy of an object to which the manager has just counted a reference for us."""
    with link.granted(token.id):
        return proxytype(token, serializer, manager=manager, authkey=authkey, exposed=exposed)


def RebuildProxy(func, token, serializer, kwds):
    """Unpickles a proxy."""
    return _stock.RebuildProxy(ours(func), token, serializer, kwds)


def rebuild_from(link, func, token, serializer, kwds):
    """As `RebuildProxy`, for a proxy that the manager of `link` has sent."""
    if is_address_of(token.address, link.address):
        token.address = link.address
        kwds.setdefault("authkey", link.authkey)
    return RebuildProxy(func, token, serializer, kwds)


def is_address_of(told, known):
    """Whether a manager that calls itself `told` is the one at `known`."""
    if told == known:
        return True
    if not isinstance(told, tuple) or not isinstance(known, tuple):
        return False
    return told[0] == "0.0.0.0" and told[1] == known[1]


def MakeProxyType(name, exposed, _cache={}):
    """A type of proxies whose methods are those of the names `exposed`."""
    exposed = tuple(exposed)
    key = name, exposed
    if key not in _cache:
        methods = {method: _method(method) for method in exposed}
        _cache[key] = type(name, (BaseProxy,), {**methods, "_exposed_": exposed})
    return _cache[key]


def _method(name):
    def method(self, /, *args, **kwds):
        return self._callmethod(name, args, kwds)

    method.__name__ = method.__qualname__ = name
    return method


def AutoProxy(
    token,
    serializer,
    manager=None,
    authkey=None,
    exposed=None,
    incref=True,
    manager_owned=False,
):
    """A proxy with the methods that the manager says its object has."""
    if authkey is None:
        authkey = _key(manager)
    if serializer != "pickle":
        return _stock.AutoProxy(
            token, serializer, manager, authkey, exposed, incref, manager_owned
        )  # fmt: skip
    if exposed is None:
        exposed = link(token.address, authkey).ask("get_methods", (token,))
    kind = MakeProxyType(f"AutoProxy[{token.typeid}]", exposed)
    proxy = kind(token, serializer, manager, authkey, incref=incref, manager_owned=manager_owned)
    proxy._isauto = True
    return proxy


class IteratorProxy(BaseProxy, _stock.IteratorProxy):
    """A proxy of an iterator or a generator."""


class AcquirerProxy(BaseProxy, _stock.AcquirerProxy):
    """A proxy of a lock or a semaphore. If its holder dies, procession's manager releases the lock.

    So it does if the holder's connection is closed, because a signal handler raised while a call waited: then the end of
    a `with` releases nothing, for the lock may be somebody else's by then.
    """

    def __enter__(self):
        result = super().__enter__()
        if self._link is not None and not self._is_near:
            self._link.enter(self._id)
        return result

    def __exit__(self, *exception):
        if self._link is None or self._is_near or self._link.leave(self._id):
            super().__exit__(*exception)


class ConditionProxy(AcquirerProxy, _stock.ConditionProxy):
    """A proxy of a condition."""


class EventProxy(BaseProxy, _stock.EventProxy):
    """A proxy of an event."""


class BarrierProxy(BaseProxy, _stock.BarrierProxy):
    """A proxy of a barrier."""


class NamespaceProxy(BaseProxy, _stock.NamespaceProxy):
    """A proxy of a namespace: its attributes, but for names that begin with an underscore."""


class ValueProxy(BaseProxy, _stock.ValueProxy):
    """A proxy of a value."""


class BaseListProxy(BaseProxy, _stock.BaseListProxy):
    """What the proxies of lists have in common."""


class ListProxy(BaseListProxy, _stock.ListProxy):
    """A proxy of a list."""


class DictProxy(BaseProxy, _stock.DictProxy):
    """A proxy of a dict."""


class ArrayProxy(BaseProxy, _stock.ArrayProxy):
    """A proxy of an array."""


class BasePoolProxy(BaseProxy, _stock.BasePoolProxy):
    """What the proxies of pools have in common."""


class PoolProxy(BasePoolProxy, _stock.PoolProxy):
    """A proxy of a pool in the manager's process."""


_NAMES = (
    "AcquirerProxy", "ArrayProxy", "AutoProxy", "BarrierProxy", "BaseListProxy", "BasePoolProxy", "BaseProxy",
    "ConditionProxy", "DictProxy", "EventProxy", "IteratorProxy", "ListProxy", "NamespaceProxy", "PoolProxy",
    "ValueProxy",
)  # fmt: skip

#: Ours, and of which stock's it is the counterpart.
_STOCK = {globals()[name]: getattr(_stock, name) for name in _NAMES}
_OURS = {stock: mine for mine, stock in _STOCK.items()}


def ours(proxytype):
    """Our counterpart of a proxy type of stock, or the type itself."""
    return _OURS.get(proxytype, proxytype)
