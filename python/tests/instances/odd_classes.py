"""Classes, ordinary and odd, and instances of them."""

import abc
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import types
import typing
import uuid

from procession import _core


class Point:
    def __init__(self, x=1, y=2.5, name="here"):
        self.x, self.y, self.name = x, y, name

    def __eq__(self, other):
        return type(other) is type(self) and vars(self) == vars(other)

    __hash__ = None


class Base:
    kind = "of the base"

    def __eq__(self, other):
        return type(other) is type(self) and vars(self) == vars(other)

    def __hash__(self):
        return hash(tuple(sorted(map(str, vars(self)))))


def made(cls, **attributes):
    """An instance with these attributes, however it is made."""
    it = object.__new__(cls)
    it.__dict__.update(attributes)
    return it


class Derived(Base):
    pass


class Mixed(Derived, Point):
    __hash__ = Base.__hash__


class Abstract(abc.ABC, Base):
    @abc.abstractmethod
    def act(self): ...


class Concrete(Abstract):
    def act(self):
        return 1


T = typing.TypeVar("T")


class Generic(Base, typing.Generic[T]):
    pass


@dataclasses.dataclass
class Data:
    one: int
    two: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Frozen:
    one: int


class Property(Base):
    """Its state is not set through its attributes."""

    @property
    def x(self):
        return self.__dict__["x"] + 1

    @x.setter
    def x(self, value):
        raise AssertionError("the setter was called")


class RefusingSetattr(Base):
    def __setattr__(self, name, value):
        raise AssertionError("an attribute was set")


class WithInit(Base):
    def __init__(self, needed):
        raise AssertionError("the constructor was called")


class WithNew(Base):
    def __new__(cls):
        it = super().__new__(cls)
        it.__dict__["made"] = "by __new__"
        return it


class WithSetState(Base):
    def __setstate__(self, state):
        self.__dict__.update(state, told="by __setstate__")


class Empty(Base):
    pass


class EmptyWithSetState(WithSetState):
    pass


class Meta(type):
    pass


class OfMeta(Base, metaclass=Meta):
    pass


class WithGetattr(Base):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return "made up"


class WithGetattribute(Base):
    def __getattribute__(self, name):
        return super().__getattribute__(name)


class WithReduce(Base):
    def __reduce__(self):
        return made, (WithReduce,), {"by": "__reduce__"}


class WithReduceEx(Base):
    def __reduce_ex__(self, protocol):
        return made, (WithReduceEx,), {"by": "__reduce_ex__"}


class WithGetState(Base):
    def __getstate__(self):
        return {"by": "__getstate__"}


class WithNewArgs(Base):
    def __new__(cls, given):
        it = super().__new__(cls)
        it.__dict__["given"] = given
        return it

    def __getnewargs__(self):
        return ("by __getnewargs__",)


class WithNewArgsEx(Base):
    def __new__(cls, *, given):
        it = super().__new__(cls)
        it.__dict__["given"] = given
        return it

    def __getnewargs_ex__(self):
        return (), {"given": "by __getnewargs_ex__"}


class Slots:
    __slots__ = ("a", "b")

    def __eq__(self, other):
        return type(other) is type(self) and self.a == other.a


class SlotsAndDict(Slots):
    pass


class NoDict:
    __slots__ = ()

    def __eq__(self, other):
        return type(other) is type(self)


class NoWeakReferences:
    __slots__ = ("__dict__",)
    __eq__ = Base.__eq__


class LateSlots(Base):
    pass


LateSlots.__slots__ = ("late", "never")


@dataclasses.dataclass(slots=True)
class DataWithSlots:
    one: int


@dataclasses.dataclass(slots=True, frozen=True)
class FrozenWithSlots:
    one: int


class Colour(enum.Enum):
    RED = 1


class Flags(enum.Flag):
    ONE = 1
    TWO = 2


ZONE = datetime.timezone(datetime.timedelta(hours=1), "a zone")


class Named(typing.NamedTuple):
    one: int


class List(list):
    __eq__ = lambda self, other: vars(self) == vars(other) and list(self) == list(other)  # noqa: E731


class Dict(dict):
    pass


class Set(set):
    pass


class Items(Base):
    """An object that is given its items when it is there."""

    def __init__(self, items=(), **pairs):
        self.items, self.pairs = list(items), pairs

    def __setitem__(self, key, value):
        self.pairs[key] = value


class Both(Items):
    def extend(self, items):
        self.items.append(list(items))

    def __reduce__(self):
        return Both, (), {"last": True}, iter(self.items), iter(self.pairs.items())


class Appended(Items):
    def append(self, item):
        self.items.append([item])

    def __reduce__(self):
        return Appended, (), None, (item for item in self.items)


class Broken(Items):
    """Gives one item, and then raises."""

    def given(self):
        yield 1
        raise ZeroDivisionError("between two items")

    def __reduce__(self):
        return Both, (), None, self.given()


class Unpaired(Items):
    def __reduce__(self):
        return Both, (), None, None, iter([(1, 2), [3, 4]])


class Uniterable(Items):
    def __reduce__(self):
        return Both, (), None, [1, 2]


class Int(int):
    pass


class Tuple(tuple):
    pass


class Error(Exception):
    def __eq__(self, other):
        return type(other) is type(self) and (self.args, vars(self)) == (other.args, vars(other))


class SaysOtherwise(Base):
    """As a mock does."""

    @property
    def __class__(self):
        return Point


class OddAttributes(Base):
    pass


class Outer:
    class Inner(Base):
        pass

    class Kind(enum.Enum):
        ONE = 1

    @staticmethod
    def make(): ...


class Book(collections.UserDict):
    pass


def with_attributes(it, **attributes):
    it.__dict__.update(attributes)
    return it


def slotted(cls):
    it = cls()
    it.a, it.b = [1], [1]
    return it


def numbered():
    it = made(OddAttributes)
    it.__dict__[1] = "a number"
    return it


def with_ordered_dict():
    it = made(OddAttributes)
    it.__dict__ = collections.OrderedDict(a=1)
    return it


#: What is written without `pickle`.
ORDINARY = {
    "point": Point(),
    "derived": made(Derived, a=[1], b={"c": (2,)}),
    "mixed": made(Mixed, a=1),
    "concrete": made(Concrete, a=None),
    "generic": made(Generic, a=b"1"),
    "data": Data(1, [2, 3]),
    "frozen": Frozen(1),
    "property": made(Property, x=1),
    "refusing setattr": made(RefusingSetattr, a=1),
    "init": made(WithInit, a=1),
    "new": made(WithNew, a=1),
    "setstate": made(WithSetState, a=1),
    "empty": Empty(),
    "empty, setstate": made(EmptyWithSetState),
    "long names": made(Base, **{"a" * length: length for length in (1, 8, 23, 24, 25, 300, 2000)}),
    "large": made(Base, text="x" * 100_000, data=b"y" * 100_000, array=bytearray(70_000)),
    "user dict": Book(a=1),
    "many attributes": made(Base, **{f"a{n}": n for n in range(1000)}),
    "class attribute": made(Derived, kind="of the instance"),
    "nested": made(Base, a=Point(made(Derived, p=Point())), b=[Point(), Empty(), Empty(), {"c": Point()}]),
}

#: What says itself how it is made, and is written without `pickle` too.
TOLD = {
    "metaclass": made(OfMeta, a=1),
    "getattr": made(WithGetattr, a=1),
    "getattribute": made(WithGetattribute, a=1),
    "reduce": made(WithReduce, a=1),
    "reduce_ex": made(WithReduceEx, a=1),
    "getstate": made(WithGetState, a=1),
    "getnewargs": with_attributes(WithNewArgs(1), a=1),
    "slots": slotted(Slots),
    "slots and dict": with_attributes(slotted(SlotsAndDict), c=1),
    "no dict": NoDict(),
    "slots that came later": made(LateSlots, late=1),
    "data with slots": DataWithSlots(1),
    "frozen data with slots": FrozenWithSlots(1),
    "enum": Colour.RED,
    "flags": Flags.ONE | Flags.TWO,
    "named tuple": Named(1),
    "datetime": datetime.datetime(2001, 2, 3),
    "datetime with a zone": datetime.datetime(2001, 2, 3, tzinfo=ZONE),
    "decimal": decimal.Decimal("1.5"),
    "fraction": fractions.Fraction(1, 3),
    "uuid": uuid.UUID(int=1 << 127),
    "path": pathlib.PurePosixPath("a/b"),
    "int": with_attributes(Int(1), a=1),
    "tuple": with_attributes(Tuple((1, 2)), a=1),
    "exception": with_attributes(Error(1), a=1),
    "exception with an object": Error(Point()),
    "namespace": types.SimpleNamespace(a=1),
    "counter": collections.Counter("abba"),
    "range": range(3),
    "inner class": [made(Outer.Inner, a=1), Outer.Inner, Outer.Kind.ONE, Outer.make],
    "list": with_attributes(List([1, 2]), a=1),
    "dict": with_attributes(Dict(a=1), a=1),
    "ordered dict": collections.OrderedDict(a=[1], b=made(Base, a=1)),
    "default dict": collections.defaultdict(list, a=[1]),
    "deque": collections.deque([1, [2]], maxlen=3),
    "many items": List(range(2001)),
    "many pairs": collections.OrderedDict((str(n), n) for n in range(2001)),
    "both": Both([1], a=2),
    "one that only appends": Appended([1, 2]),
    "set": {1, "two", (3, 4.0), frozenset((5,))},
    "frozenset": frozenset((1, 2)),
    "empty sets": [set(), frozenset(), (1,)],
    "set of a class": with_attributes(Set((1, 2)), a=1),
    "class": Point,
    "class of a metaclass": OfMeta,
    "abstract class": Abstract,
    "function": made,
    "function in C": len,
    "method in C": [].append,
    "generic that knows its argument": with_attributes(Generic[int](), a=1),
    "all of a class": [Point, Point(), Point, made, Slots, slotted(Slots), made],
}

#: What is `pickle`'s.
OTHER = {
    "getnewargs_ex": with_attributes(WithNewArgsEx(given=1), a=1),
    "attribute that is no string": numbered(),
    "dict that is another": with_ordered_dict(),
    "bound method": Point().__eq__,
    "class without a name": type(None),
    "key": {made(Base, a=1): 2},
    "in a key": {(made(Base, a=1), 2): 3},
    "enum in a key": {Colour.RED: 1},
    "told beside": [slotted(Slots), Colour.RED, made(WithReduce, a=1), Named(1), 1j],
    "told around": with_attributes(Error(1), a=[made(WithReduce, a=1), List([1]), Dict(a=1), 1j]),
    "object in a set": {made(Base, a=1)},
}


def shape(value):
    """The value as plain data, types included, so that values can be compared which do not compare themselves."""
    if isinstance(value, (list, tuple, collections.deque)):
        return [type(value).__name__, *map(shape, value), *([shape(vars(value))] if hasattr(value, "__dict__") else [])]
    if isinstance(value, (set, frozenset)):
        return [type(value).__name__, *sorted(map(repr, map(shape, value))), shape(getattr(value, "__dict__", None))]
    if isinstance(value, dict):
        return [
            type(value).__name__,
            *([shape(key), shape(item)] for key, item in value.items()),
            *([shape(vars(value))] if hasattr(value, "__dict__") else []),
        ]
    if isinstance(value, (Slots, NoDict, DataWithSlots, FrozenWithSlots)):
        return [type(value).__name__, getattr(value, "a", None), getattr(value, "one", None)]
    if isinstance(value, BaseException):
        return [type(value).__name__, shape(value.args), shape(vars(value))]
    if hasattr(value, "__dict__") and not isinstance(value, (enum.Enum, type, types.FunctionType, types.MethodType)):
        return [object.__repr__(value).split(" object")[0], shape(dict(value.__dict__))]
    return [type(value).__name__, repr(value).split(" at 0x")[0]]


class Registered(abc.ABC):
    __slots__ = ()


class UnderRegistered(Registered, Base):
    pass


class Steps(Base):
    """Says what is done with it."""

    steps: typing.ClassVar = []

    def __new__(cls):
        cls.steps.append("new")
        return super().__new__(cls)

    def __setstate__(self, state):
        self.steps.append(("setstate", repr(state.get("a"))[:9]))
        self.__dict__.update(state)

    def __del__(self):
        self.steps.append(("del", repr(self.__dict__.get("a"))[:9]))


class Asked(Base):
    """Counts how often it is asked."""

    def __init__(self, *inner):
        self.times, self.inner = 0, inner

    def __reduce__(self):
        self.times += 1
        return Told, (self.times, *self.inner)


class Told(Base):
    def __init__(self, times, *inner):
        self.times, self.inner = times, inner


class FailingReduce(Asked):
    def __reduce__(self):
        self.times += 1
        raise ZeroDivisionError(self.times)


class FailingNew(Base):
    def __new__(cls, needed):
        return super().__new__(cls)


class FailingSetState(Base):
    def __setstate__(self, state):
        raise ZeroDivisionError("in __setstate__")


class Reentering(Base):
    """Uses the codec while it is read."""

    def __setstate__(self, state):
        assert _core.loads(_core.dumps({"key": [Point(), {"a": 1}]})) == {"key": [Point(), {"a": 1}]}
        self.__dict__.update(state)
