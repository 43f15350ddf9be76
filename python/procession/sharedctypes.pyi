import ctypes
from _ctypes import _CData
from collections.abc import Iterable, Sequence
from ctypes import _SimpleCData, c_char
from multiprocessing import sharedctypes as _stock
from multiprocessing.context import BaseContext
from multiprocessing.synchronize import _LockLike
from typing import Any, Generic, Literal, TypeVar, overload

from . import _core

__all__ = ["RawValue", "RawArray", "Value", "Array", "copy", "synchronized"]

_T = TypeVar("_T")
_CT = TypeVar("_CT", bound=_CData)

typecode_to_type: dict[str, type[_CData]]
template: str
prop_cache: dict[str, property]
class_cache: Any

def make_property(name: str) -> property: ...
def rebuild_ctype(type_: type[_CData], wrapper: Block, length: int | None) -> _CData: ...
def reduce_ctype(obj: _CData) -> tuple[Any, ...]: ...

class Block(_core.Block):
    lock: Any
    def create_memoryview(self) -> memoryview: ...

@overload
def RawValue(typecode_or_type: type[_CT], *args: Any) -> _CT: ...
@overload
def RawValue(typecode_or_type: str, *args: Any) -> Any: ...
@overload
def RawArray(
    typecode_or_type: type[_CT], size_or_initializer: int | Sequence[Any], *, shape: None = None
) -> ctypes.Array[_CT]: ...
@overload
def RawArray(
    typecode_or_type: str | type[_CData],
    size_or_initializer: int | Sequence[Any] | None = None,
    *,
    shape: Sequence[int] | None = None,
) -> Any: ...
@overload
def Value(typecode_or_type: type[_CT], *args: Any, lock: Literal[False], ctx: BaseContext | None = None) -> _CT: ...
@overload
def Value(
    typecode_or_type: type[_SimpleCData[_T]], *args: Any, lock: Literal[True] | _LockLike = True, ctx: BaseContext | None = None
) -> Synchronized[_T]: ...
@overload
def Value(
    typecode_or_type: type[_CT], *args: Any, lock: Literal[True] | _LockLike = True, ctx: BaseContext | None = None
) -> SynchronizedBase[_CT]: ...
@overload
def Value(
    typecode_or_type: str, *args: Any, lock: Literal[True] | _LockLike = True, ctx: BaseContext | None = None
) -> Synchronized[Any]: ...
@overload
def Value(
    typecode_or_type: str | type[_CData], *args: Any, lock: bool | _LockLike = True, ctx: BaseContext | None = None
) -> Any: ...
@overload
def Array(
    typecode_or_type: type[_CT],
    size_or_initializer: int | Sequence[Any],
    *,
    lock: Literal[False],
    ctx: BaseContext | None = None,
    shape: None = None,
) -> ctypes.Array[_CT]: ...
@overload
def Array(
    typecode_or_type: type[c_char],
    size_or_initializer: int | Sequence[Any],
    *,
    lock: Literal[True] | _LockLike = True,
    ctx: BaseContext | None = None,
    shape: None = None,
) -> SynchronizedString: ...
@overload
def Array(
    typecode_or_type: type[_SimpleCData[_T]],
    size_or_initializer: int | Sequence[Any] | None = None,
    *,
    lock: Literal[True] | _LockLike = True,
    ctx: BaseContext | None = None,
    shape: Sequence[int] | None = None,
) -> SynchronizedArray[_T]: ...
@overload
def Array(
    typecode_or_type: str,
    size_or_initializer: int | Sequence[Any] | None = None,
    *,
    lock: Literal[True] | _LockLike = True,
    ctx: BaseContext | None = None,
    shape: Sequence[int] | None = None,
) -> SynchronizedArray[Any]: ...
@overload
def Array(
    typecode_or_type: str | type[_CData],
    size_or_initializer: int | Sequence[Any] | None = None,
    *,
    lock: bool | _LockLike = True,
    ctx: BaseContext | None = None,
    shape: Sequence[int] | None = None,
) -> Any: ...
def copy(obj: _CT) -> _CT: ...
@overload
def synchronized(obj: _SimpleCData[_T], lock: _LockLike | None = None, ctx: Any | None = None) -> Synchronized[_T]: ...
@overload
def synchronized(obj: ctypes.Array[c_char], lock: _LockLike | None = None, ctx: Any | None = None) -> SynchronizedString: ...
@overload
def synchronized(
    obj: ctypes.Array[_SimpleCData[_T]], lock: _LockLike | None = None, ctx: Any | None = None
) -> SynchronizedArray[_T]: ...
@overload
def synchronized(obj: _CT, lock: _LockLike | None = None, ctx: Any | None = None) -> SynchronizedBase[_CT]: ...

class SynchronizedBase(_stock.SynchronizedBase[_CT]):
    def __init__(self, obj: Any, lock: _LockLike | None = None, ctx: Any | None = None) -> None: ...

class Synchronized(_core.SynchronizedValue, SynchronizedBase[_SimpleCData[_T]], _stock.Synchronized[_T], Generic[_T]):
    def __init__(self, obj: Any, lock: _LockLike | None = None, ctx: Any | None = None) -> None: ...

class SynchronizedArray(_core.SynchronizedArray, SynchronizedBase[ctypes.Array[_SimpleCData[_T]]], _stock.SynchronizedArray[_T], Generic[_T]):
    def __init__(self, obj: Any, lock: _LockLike | None = None, ctx: Any | None = None) -> None: ...

class SynchronizedString(SynchronizedArray[bytes], _stock.SynchronizedString): ...
