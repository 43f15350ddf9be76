"""A manager's objects in shared memory: how its proxies come to use them there.

A server of ours on this machine lends the arena in which its queues, locks, values and arrays lie. The proxy of one of
them is then equipped with the methods of the object itself; whatever those cannot do they ask the server for, as the
proxy did before. The classes of the proxies are as they were.

If the manager dies: whoever waits is told half a second later at most, and calls raise `EOFError` from when its death is
known to anybody who shares the memory.
"""

import weakref
from functools import partial

from . import _core

#: The methods that each kind of object has in shared memory.
_METHODS = {
    "Queue": ("put", "put_nowait", "get", "get_nowait", "qsize", "empty", "full", "task_done", "join"),
    "Lock": ("acquire", "release", "locked"),
    "Value": ("get", "set"),
    "Array": ("__len__", "__getitem__", "__setitem__"),
}

#: Of an object that exposes these, and nothing of `_NEVER`, the server is asked whether it is there.
_MARKS = ({"get", "put"}, {"acquire", "release"}, {"get", "set"}, {"__len__", "__getitem__", "__setitem__"})
_NEVER = {"append", "keys", "notify", "wait"}

#: The modules whose proxies have methods that do nothing but call.
_PLAIN = {"procession._proxies", "multiprocessing.managers"}

#: How long the server may take to hand over its memory.
_PATIENCE = 20.0


def may_have(exposed):
    """Whether an object that exposes these methods may lie in the arena."""
    return _NEVER.isdisjoint(exposed) and any(marks.issubset(exposed) for marks in _MARKS)


def join(number, connect):
    """Joins the family of that number, if this process has not; whether it is a member now.

    `connect()` makes a connection to the manager on which the key has been shown.
    """
    if _core.has_joined(number):
        return True
    with connect() as connection:
        return _core.join_manager(connection.fileno(), _PATIENCE) == number


def equip(proxy, family, place, claim):
    """Has the proxy use its object in the arena of that family; `place` is what the server says of it.

    `claim(ident, ticket)` gets what the server kept of a queue's items.
    """
    handle, kind, code, server = place
    ident = proxy._id
    # What the object calls lives as long as the proxy, which must not be kept by it.
    this = weakref.ref(proxy)
    through_server = type(proxy)._callmethod

    def call(method, args=(), kwds={}):
        return through_server(this(), method, args, kwds)

    if kind == "Queue":
        near = _core.HostedQueue(family, server, handle, call, partial(claim, ident))
    elif kind == "Lock":
        near = _core.HostedLock(family, server, handle)
    elif kind == "Value":
        near = _core.HostedValue(family, server, handle, call)
    else:
        near = _core.HostedArray(family, server, handle, code, call)
    exposed = set(proxy._exposed_)
    methods = {name: getattr(near, name) for name in _METHODS[kind] if name in exposed}

    def callmethod(methodname, args=(), kwds={}):
        method = methods.get(methodname)
        if method is None:
            return call(methodname, args, kwds)
        return method(*args, **kwds)

    # The interpreter finds these before those of the class; but for the special ones, and what a user's class has of its
    # own, which call the last.
    plain = {name: method for name, method in methods.items() if _is_plain(type(proxy), name)}
    proxy.__dict__.update(plain, _callmethod=callmethod, _is_near=True)


def _is_plain(cls, name):
    """Whether a method of a proxy does nothing but call."""
    function = getattr(cls, name, None)
    return not name.startswith("__") and getattr(function, "__module__", None) in _PLAIN
