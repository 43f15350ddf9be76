"""Shared objects and plain data, to and from processes of another language.

A shared object is a persistent id in the pickle: the number by which the family knows it. What it is here
follows from the object.
"""

import io
import os
import pickle

from . import _core

#: How deep data may be nested, in either language.
DEPTH = 128


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


def dump(value):
    """The pickle of `value` for a process of another language, and the families and handles of the objects in it.

    Raises TypeError with the place of what cannot be mapped.
    """
    objects = []
    _check(value, "", 0, objects)
    file = io.BytesIO()
    _Pickler(file, 5).dump(value)
    return file.getvalue(), objects


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        named = _name(obj)
        return named and named[1]


def _name(obj):
    """The family and the handle of a shared object that both languages have, else None."""
    if isinstance(obj, _DATA):
        return None
    if isinstance(obj, _core.Queue):
        return obj._family, obj._handle
    if isinstance(obj, _core.Event):
        return obj._family, obj.handle
    if isinstance(obj, _core.SemLock):
        return (obj._family, obj.handle) if obj._inside is None else None
    if isinstance(obj, (_core.SynchronizedValue, _core.SynchronizedArray)):
        block = getattr(obj.get_obj(), "_wrapper", None)
        # With a lock of its own it would not be guarded there.
        if getattr(obj.get_lock(), "_inside", None) is block is not None:
            return block._family, block.handle
    return None


_ATOMS = (type(None), bool, float, str, bytes, bytearray)
_LISTS = (list, tuple, set, frozenset)
_DATA = (*_ATOMS, *_LISTS, int, dict)


def _check(value, place, depth, objects):
    cls = type(value)
    if cls in _ATOMS:
        return
    if cls is int:
        if value.bit_length() > 128 or value < -(1 << 127):
            raise _unmapped("an int beyond 128 bits", place)
    elif cls in _LISTS or cls is dict:
        if depth == DEPTH:
            raise _unmapped(f"what is nested deeper than {DEPTH}, or contains itself,", place)
        if cls is dict:
            for key, item in value.items():
                named = isinstance(key, str) and key.isidentifier()
                here = f"{place}.{key}" if named else f"{place}[{key!r}]"
                _check(key, here, depth + 1, objects)
                _check(item, here, depth + 1, objects)
        else:
            for number, item in enumerate(value):
                _check(item, f"{place}[{number}]", depth + 1, objects)
    else:
        named = _name(value)
        if named is None:
            raise _unmapped(f"{cls.__module__}.{cls.__qualname__}", place)
        objects.append(named)


def _unmapped(what, place):
    return TypeError(f"{place and place + ': '}{what} cannot be mapped to Rust data")
