"""Managers: one process has objects, and any number of others, here or on other machines, call them.

`BaseManager` and `SyncManager` are subclasses of those of `multiprocessing.managers`, and speak with them: either side
may be a stock Python. Their server is the engine's: it hosts queues, locks, dicts and the others itself, without
unpickling what is put into them, and serves every connection in one thread; objects of any other type are Python's, as
with stock, each connection's calls in a thread of their own.

What differs from stock is that less is lost:

- an item that was on its way to a client that died goes back to the front of its queue;
- a `Lock`, `RLock` or `Condition` that a client had when it died, or closed its connection, is released;
- the references of a client go with it.

`SharedMemoryManager` is stock's.
"""

from multiprocessing import util
from multiprocessing import managers as _stock

from ._link import link
from ._proxies import (
    AcquirerProxy,
    ArrayProxy,
    AutoProxy,
    BarrierProxy,
    BaseListProxy,
    BasePoolProxy,
    BaseProxy,
    ConditionProxy,
    DictProxy,
    EventProxy,
    IteratorProxy,
    ListProxy,
    MakeProxyType,
    NamespaceProxy,
    PoolProxy,
    RebuildProxy,
    ValueProxy,
    made,
    ours,
)
from ._server import Server

__all__ = [*_stock.__all__]

Token = _stock.Token
SharedMemoryManager = _stock.SharedMemoryManager


class BaseManager(_stock.BaseManager):
    """A manager without types: `register` says what it hosts. See `multiprocessing.managers.BaseManager`."""

    _Server = Server

    @property
    def _link(self):
        return link(self._address, self._authkey) if self._serializer == "pickle" else None

    def connect(self):
        """Connects to a manager that runs, here or elsewhere: procession's or stock's."""
        if self._link is None:
            super().connect()
        else:
            self._link.ask("dummy")
            self._state.value = _stock.State.STARTED

    def start(self, initializer=None, initargs=()):
        """Starts the process that hosts the objects; it calls the initializer first."""
        if self._address is None:
            # The socket lies in this directory, which is this process's, so that it goes however the other one ends.
            util.get_temp_dir()
        super().start(initializer, initargs)

    def get_server(self):
        """The server itself, to be run in this process by its `serve_forever`."""
        if self._state.value == _stock.State.INITIAL:
            return self._Server(self._registry, self._address, self._authkey, self._serializer)
        return super().get_server()

    @staticmethod
    def _finalize_manager(process, address, authkey, *others):
        _stock.BaseManager._finalize_manager(process, address, authkey, *others)
        link(address, authkey).reset()

    def _create(self, typeid, /, *args, **kwds):
        if self._link is None:
            return super()._create(typeid, *args, **kwds)
        assert self._state.value == _stock.State.STARTED, "server not yet started"
        ident, exposed = self._link.ask("create", (typeid, *args), kwds)
        return Token(typeid, self._address, ident), exposed

    def _debug_info(self):
        return super()._debug_info() if self._link is None else self._link.ask("debug_info")

    def _number_of_objects(self):
        if self._link is None:
            return super()._number_of_objects()
        return self._link.ask("number_of_objects")

    @classmethod
    def register(
        cls,
        typeid,
        callable=None,
        proxytype=None,
        exposed=None,
        method_to_typeid=None,
        create_method=True,
    ):
        """Has the manager host what `callable` makes, or gives, under the name `typeid`.

        See `multiprocessing.managers.BaseManager.register`.
        """
        if proxytype is None:
            proxytype = AutoProxy
        super().register(typeid, callable, proxytype, exposed, method_to_typeid, create_method)
        if create_method:
            setattr(cls, typeid, _maker(typeid, proxytype, getattr(cls, typeid)))


def _maker(typeid, proxytype, stock):
    """The method that makes an object of that type, and its proxy, with one message."""

    def make(self, /, *args, **kwds):
        if self._link is None:
            return stock(self, *args, **kwds)
        util.debug("requesting creation of a shared %r object", typeid)
        token, exposed = self._create(typeid, *args, **kwds)
        return made(self._link, proxytype, token, self._serializer, self, self._authkey, exposed)

    make.__name__ = typeid
    return make


class SyncManager(BaseManager, _stock.SyncManager):
    """A manager of queues, locks, lists, dicts and the others. See `multiprocessing.managers.SyncManager`."""


def _register_as_stock_does():
    for typeid, (callable, exposed, methods, proxytype) in _stock.SyncManager._registry.items():
        has_method = typeid in vars(_stock.SyncManager)
        SyncManager.register(typeid, callable, ours(proxytype), exposed, methods, has_method)


_register_as_stock_does()


def __getattr__(name):
    return getattr(_stock, name)
