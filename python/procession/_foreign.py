"""Shared objects and plain data, to and from processes of another language.

A shared object is a persistent id in the pickle: the number by which the family knows it. What it is here
follows from the object.
"""

import io
import os
import pickle

from . import _core


class _Unpickler(pickle.Unpickler):
    def __init__(self, family, data):
        super().__init__(io.BytesIO(data))
        self._family = family

    def persistent_load(self, pid):
        return _attach(self._family, pid)


def load(family, data):
    """What was pickled in `data`, with objects of that family."""
    return _Unpickler(family, data).load()


def _attach(family, handle):
    from . import queues, sharedctypes, synchronize

    name, code = _core.counterpart(family, handle)
    if name in ("Queue", "JoinableQueue"):
        cls = getattr(queues, name)
        made = cls.__new__(cls)
        made.__setstate__((family, handle, None, False, os.getpid()))
    elif name in ("Value", "Array"):
        made = sharedctypes.attach(family, handle, code, name == "Array")
    elif name == "Event":
        made = synchronize.Event.__new__(synchronize.Event)
        made._attach(family, handle)
    else:
        cls = getattr(synchronize, name)
        made = cls.__new__(cls)
        made._attach(family, handle, *_SEM_LOCKS[name])
    return made


#: What `_multiprocessing.SemLock` calls them: kind and greatest value.
_SEM_LOCKS = {"Lock": (1, 1), "RLock": (0, 1), "Semaphore": (1, 2**31 - 1)}
