"""Numbers, arrays and structures that processes share: ctypes objects over the engine's memory.

What `Value` and `Array` make of a typecode is the engine's own `Value` or `Array`, which a Rust process of the
family can use too; its lock is the one inside. Memory is zeroed, and freed when no process has it any more.

If a process dies: a value or an array keeps what the dead one wrote. The default lock goes to the next who
wants it, and its `owner_died()` tells that one; a lock that was given stays locked, unless it recovers.
"""

import ctypes
import math
import weakref
from multiprocessing import context as _context
from multiprocessing import sharedctypes as _stock

from . import _core
from .process import reduce_held
from .synchronize import lock_inside

__all__ = ["RawValue", "RawArray", "Value", "Array", "copy", "synchronized"]

typecode_to_type = _stock.typecode_to_type
make_property = _stock.make_property
template = _stock.template
prop_cache = _stock.prop_cache
class_cache = weakref.WeakKeyDictionary()
_ForkingPickler = _stock._ForkingPickler

#: The types that the engine knows by a typecode; of exactly these types.
_CODES = {type_: code for code, type_ in typecode_to_type.items()} | {ctypes.c_bool: "?"}


class Block(_core.Block):
    """The memory of one object, as `multiprocessing.heap.BufferWrapper`."""

    lock = None

    def create_memoryview(self):
        return memoryview(self)

    def __reduce__(self):
        return reduce_held(
            self, self._family, _rebuild_block, self.handle, self.code, self.is_array
        )  # fmt: skip


def _rebuild_block(family, handle, code, is_array):
    block = Block()
    block._attach(family, handle, code, is_array)
    return block


def attach(family, handle, code, is_array):
    """The synchronized value or array that somebody of the family made."""
    block = _rebuild_block(family, handle, code, is_array)
    type_ = typecode_to_type[code]
    for length in reversed(block.shape):
        type_ = type_ * length
    return synchronized(_lay(type_, block))


def _new_value(type_):
    block = Block()
    if type_ in _CODES:
        block._make_value(_CODES[type_])
    else:
        element, lengths = _dimensions(type_)
        if lengths and element in _CODES and len(lengths) <= 8:
            block._make_array(_CODES[element], lengths)
        else:
            block._make_array("", [ctypes.sizeof(type_)])
    return _lay(type_, block)


def _dimensions(type_):
    """The type of the elements of an array type, and how long it is in each dimension."""
    lengths = []
    while issubclass(type_, ctypes.Array):
        lengths.append(type_._length_)
        type_ = type_._type_
    return type_, lengths


def _lay(type_, wrapper):
    _ForkingPickler.register(type_, reduce_ctype)
    obj = type_.from_buffer(wrapper.create_memoryview())
    obj._wrapper = wrapper
    return obj


def RawValue(typecode_or_type, *args):
    """A ctypes object in shared memory, without a lock."""
    obj = _new_value(typecode_to_type.get(typecode_or_type, typecode_or_type))
    obj.__init__(*args)
    return obj


def RawArray(typecode_or_type, size_or_initializer=None, *, shape=None):
    """A ctypes array in shared memory, without a lock.

    With `shape` it is an array of arrays, for (2, 3) two of three elements; an initializer gives its rows. A
    size says the same again, and is a ValueError if it does not.
    """
    type_ = typecode_to_type.get(typecode_or_type, typecode_or_type)
    if shape is not None:
        if isinstance(size_or_initializer, int):
            if size_or_initializer != math.prod(shape):
                raise ValueError(
                    f"an array of shape {tuple(shape)} has {math.prod(shape)} elements, not {size_or_initializer}"
                )
            size_or_initializer = None
        for length in reversed(shape):
            type_ = type_ * length
        obj = _new_value(type_)
        if size_or_initializer is not None:
            obj.__init__(*map(_nest, size_or_initializer))
        return obj
    if isinstance(size_or_initializer, int):
        return _new_value(type_ * size_or_initializer)
    obj = _new_value(type_ * len(size_or_initializer))
    obj.__init__(*size_or_initializer)
    return obj


def _nest(rows):
    return tuple(map(_nest, rows)) if hasattr(rows, "__len__") else rows


def Value(typecode_or_type, *args, lock=True, ctx=None):
    """A ctypes object in shared memory with its lock; `lock` may be one, or False for none."""
    return _guarded(RawValue(typecode_or_type, *args), lock, ctx)


def Array(typecode_or_type, size_or_initializer=None, *, lock=True, ctx=None, shape=None):
    """A ctypes array in shared memory with its lock; `lock` may be one, or False for none.

    `memoryview(array)` and `numpy.asarray(array)` show the elements without copying them, also in more
    dimensions with `shape`: see `RawArray`. They take no lock.

        array = Array("d", shape=(2, 3))
        array[1, 2] = 1.5
        assert memoryview(array).shape == (2, 3)
    """
    return _guarded(RawArray(typecode_or_type, size_or_initializer, shape=shape), lock, ctx)


def _guarded(obj, lock, ctx):
    if lock is False:
        return obj
    if lock is True:
        lock = None
    if lock is not None and not hasattr(lock, "acquire"):
        raise AttributeError("%r has no method 'acquire'" % lock)
    return synchronized(obj, lock, ctx=ctx)


def copy(obj):
    """A copy of a ctypes object, in shared memory."""
    made = _new_value(type(obj))
    ctypes.pointer(made)[0] = obj
    return made


def synchronized(obj, lock=None, ctx=None):
    """A wrapper of a ctypes object that reads and writes it under a lock.

    The default lock is the one inside the object's own memory; for an object elsewhere, a new one.
    """
    assert not isinstance(obj, _stock.SynchronizedBase), "object already synchronized"
    if isinstance(obj, ctypes._SimpleCData):
        return Synchronized(obj, lock, ctx)
    if isinstance(obj, ctypes.Array):
        wrapper = SynchronizedString if obj._type_ is ctypes.c_char else SynchronizedArray
        return wrapper(obj, lock, ctx)
    cls = type(obj)
    if cls not in class_cache:
        fields = {field[0]: make_property(field[0]) for field in cls._fields_}
        class_cache[cls] = type("Synchronized" + cls.__name__, (SynchronizedBase,), fields)
    return class_cache[cls](obj, lock, ctx)


def reduce_ctype(obj):
    _context.assert_spawning(obj)
    type_, lengths = _dimensions(type(obj))
    return _rebuild_ctype, (type_, lengths, obj._wrapper)


def _rebuild_ctype(type_, lengths, wrapper):
    for length in reversed(lengths):
        type_ = type_ * length
    return _lay(type_, wrapper)


def rebuild_ctype(type_, wrapper, length):
    """A ctypes object over `wrapper`; an array of `length` elements unless that is None."""
    return _lay(type_ if length is None else type_ * length, wrapper)


def _block_of(obj):
    block = getattr(obj, "_wrapper", None)
    return block if isinstance(block, Block) else None


def _lock_of(obj, lock, ctx):
    if lock:
        return lock
    block = _block_of(obj)
    if block is not None:
        return lock_inside(block)
    if ctx is None:
        from .context import _front as ctx
    return ctx.RLock()


class SynchronizedBase(_stock.SynchronizedBase):
    """A ctypes object with its lock: `get_obj()`, `get_lock()`; `with` takes the lock."""

    def __init__(self, obj, lock=None, ctx=None):
        super().__init__(obj, _lock_of(obj, lock, ctx), ctx)

    def __reduce__(self):
        _context.assert_spawning(self)
        return synchronized, (self._obj, self._lock)


class Synchronized(_core.SynchronizedValue, SynchronizedBase, _stock.Synchronized):
    """One number, as `value`; each reading and each writing is under the lock."""

    def __init__(self, obj, lock=None, ctx=None):
        lock = _lock_of(obj, lock, ctx)
        known = type(obj) in _CODES
        self._fill(obj, lock, _block_of(obj) if known else None)
        self.acquire = lock.acquire
        self.release = lock.release


class SynchronizedArray(_core.SynchronizedArray, SynchronizedBase, _stock.SynchronizedArray):
    """An array; each reading and each writing of an element or a slice is under the lock."""

    def __init__(self, obj, lock=None, ctx=None):
        lock = _lock_of(obj, lock, ctx)
        element, lengths = _dimensions(type(obj))
        block = _block_of(obj)
        known = element in _CODES and block is not None and block.shape == lengths
        self._fill(obj, lock, block if known else None, lengths)
        self.acquire = lock.acquire
        self.release = lock.release


class SynchronizedString(SynchronizedArray, _stock.SynchronizedString):
    """An array of bytes, also as `value`, up to the first zero, and `raw`."""
