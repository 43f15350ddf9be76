"""Counts procession's objects as they are made, from outside: a line in a file for each.

The package knows nothing of it: classes get another `__init__`, functions another function around them, when their module
has been imported. A line is appended with one `write` and no descriptor stays open, so that the counts are exact
however many processes write, whenever they die, and tests that count descriptors see none of it.

    made Lock
    rebuilt Lock        in another process, out of what was pickled

A class counts once an object: `JoinableQueue` is no `Queue` here.
"""

import os
from collections import Counter

#: Where each name is defined. What is missing there is not counted, and then missed by the ledger's minimums.
PLACES = {
    "procession.synchronize": ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Barrier"),
    "procession.queues": ("Queue", "JoinableQueue", "SimpleQueue"),
    "procession.connection": ("Pipe", "Connection"),
    "procession.sharedctypes": ("Value", "Array", "RawValue", "RawArray"),
    "procession.pool": ("Pool",),
    "procession.managers": ("BaseManager", "SyncManager"),
    "procession._server": ("Server",),
    "procession._proxies": (
        "BaseProxy", "IteratorProxy", "AcquirerProxy", "ConditionProxy", "EventProxy", "BarrierProxy", "NamespaceProxy",
        "ValueProxy", "ListProxy", "DictProxy", "ArrayProxy", "PoolProxy",
    ),
    "procession.futures": ("ProcessPoolExecutor",),
}


def by_module(path):
    """For each module of ours, the function that makes it count into the file at `path`."""
    return {name: lambda module, path=path: count_in(module, path) for name in PLACES}


def count_in(module, path):
    names = PLACES[module.__name__]
    classes = {kind for name in names if isinstance(kind := getattr(module, name, None), type)}
    for kind in classes:
        count_class(kind, classes, path)
    for name, value in list(vars(module).items()):
        if isinstance(value, type) or not callable(value) or getattr(value, "__module__", None) != module.__name__:
            continue
        if name in names:
            setattr(module, name, around(value, lambda _made, name=name: note(path, "made", name)))
        elif "rebuild" in name:
            setattr(module, name, around(value, lambda made: note(path, "rebuilt", type(made).__name__)))


def count_class(kind, classes, path):
    before = kind.__init__

    def __init__(self, *args, **kwargs):
        if next(base for base in type(self).__mro__ if base in classes) is kind:
            note(path, "made", kind.__name__)
        before(self, *args, **kwargs)

    __init__.__wrapped__ = before
    kind.__init__ = __init__


def around(function, note_it):
    """A function that passes for `function`, also where `pickle` looks it up by name."""

    def counted(*args, **kwargs):
        made = function(*args, **kwargs)
        note_it(made)
        return made

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(counted, name, getattr(function, name))
    counted.__wrapped__ = function
    return counted


def note(path, what, name):
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return  # a test that leaves no descriptors: what is counted is a lower bound
    try:
        os.write(file, f"{what} {name}\n".encode())
    finally:
        os.close(file)


def counts(path, since=0):
    """What was noted after the byte `since`, and where the file ends now."""
    try:
        with open(path, "rb") as file:
            file.seek(since)
            text = file.read()
    except FileNotFoundError:
        return Counter(), 0
    return Counter(text.decode().splitlines()), since + len(text)
