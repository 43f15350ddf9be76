"""Instances of classes are pickled as `pickle` pickles them, whoever does it."""

import abc
import collections
import contextlib
import copyreg
import dataclasses
import datetime
import enum
import gc
import pickle
import pickletools
import subprocess
import sys
import textwrap
import types
import typing
from multiprocessing.reduction import ForkingPickler

import pytest

import procession
from procession import _core

#: What the first and the later opcodes of an instance are, where it was written without `pickle`.
NATIVE = b"\x80\x04X"


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


class Colour(enum.Enum):
    RED = 1


class Named(typing.NamedTuple):
    one: int


class List(list):
    __eq__ = lambda self, other: vars(self) == vars(other) and list(self) == list(other)  # noqa: E731


class Dict(dict):
    pass


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


class Book(collections.UserDict):
    pass


def with_attributes(it, **attributes):
    it.__dict__.update(attributes)
    return it


def slotted(cls):
    it = cls()
    it.a = it.b = [1]
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

#: What is `pickle`'s.
OTHER = {
    "metaclass": made(OfMeta, a=1),
    "getattr": made(WithGetattr, a=1),
    "getattribute": made(WithGetattribute, a=1),
    "reduce": made(WithReduce, a=1),
    "reduce_ex": made(WithReduceEx, a=1),
    "getstate": made(WithGetState, a=1),
    "getnewargs": with_attributes(WithNewArgs(1), a=1),
    "getnewargs_ex": with_attributes(WithNewArgsEx(given=1), a=1),
    "slots": slotted(Slots),
    "slots and dict": with_attributes(slotted(SlotsAndDict), c=1),
    "no dict": NoDict(),
    "slots that came later": made(LateSlots, late=1),
    "data with slots": DataWithSlots(1),
    "enum": Colour.RED,
    "named tuple": Named(1),
    "datetime": datetime.datetime(2001, 2, 3),
    "list": with_attributes(List([1, 2]), a=1),
    "dict": with_attributes(Dict(a=1), a=1),
    "int": with_attributes(Int(1), a=1),
    "tuple": with_attributes(Tuple((1, 2)), a=1),
    "exception": with_attributes(Error(1), a=1),
    "attribute that is no string": numbered(),
    "dict that is another": with_ordered_dict(),
    "inner class": made(Outer.Inner, a=1),
    "generic that knows its argument": with_attributes(Generic[int](), a=1),
    "namespace": types.SimpleNamespace(a=1),
    "bound method": Point().__eq__,
    "key": {made(Base, a=1): 2},
    "in a key": {(made(Base, a=1), 2): 3},
    "something else beside": [Point(), 1j],
}


def shape(value):
    """The value as plain data, types included, so that values can be compared which do not compare themselves."""
    if isinstance(value, (list, tuple, set)):
        return [type(value).__name__, *map(shape, value), *([shape(vars(value))] if hasattr(value, "__dict__") else [])]
    if isinstance(value, dict):
        return [type(value).__name__, *([shape(key), shape(item)] for key, item in value.items())]
    if isinstance(value, (Slots, NoDict, DataWithSlots)):
        return [type(value).__name__, getattr(value, "a", None), getattr(value, "one", None)]
    if hasattr(value, "__dict__") and not isinstance(value, (enum.Enum, types.MethodType)):
        return [object.__repr__(value).split(" object")[0], shape(dict(value.__dict__))]
    return [type(value).__name__, repr(value).split(" at 0x")[0]]


def everywhere(value):
    """The value alone, and in other things."""
    return [value, [value], (1, value), {"key": value}, [[], {"a": [value]}, "after"]]


@pytest.mark.parametrize("value", (ORDINARY | OTHER).values(), ids=(ORDINARY | OTHER).keys())
def test_what_was_pickled_is_what_pickle_would_have_given(value):
    for whole in everywhere(value):
        expected = shape(pickle.loads(pickle.dumps(whole)))
        data = _core.dumps(whole)
        pickletools.dis(data, out=open("/dev/null", "w"))
        for loads in (_core.loads, pickle.loads, pickle._loads):
            assert shape(loads(data)) == expected
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            assert shape(_core.loads(pickle.dumps(whole, protocol))) == expected


@pytest.mark.parametrize("value", ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_instances_are_written_without_pickle(value):
    # A pickler would begin with a frame, of protocol 5.
    assert _core.dumps(value)[:3] in (NATIVE, b"\x80\x05X")


@pytest.mark.parametrize("value", OTHER.values(), ids=OTHER.keys())
def test_other_instances_are_left_to_pickle(value):
    assert _core.dumps(value)[2:3] == b"\x95"


def test_a_class_is_named_once_in_a_message():
    points = [Point(n) for n in range(500)]
    data = _core.dumps(points)
    assert data.count(b"Point") == 1
    assert _core.loads(data) == points == pickle.loads(data)


def test_many_classes_and_many_empty_instances_in_one_message():
    module = sys.modules[__name__]
    classes = [type(f"Many{n}", (Base,), {"__module__": __name__}) for n in range(400)]
    for cls in classes:
        setattr(module, cls.__name__, cls)
    try:
        value = [made(cls, **attributes) for attributes in ({}, {"a": 1}, {}) for cls in classes]
        data = _core.dumps(value)
        assert data[:2] == b"\x80\x04"
        for loads in (_core.loads, pickle.loads, pickle._loads):
            assert loads(data) == value
    finally:
        for cls in classes:
            delattr(module, cls.__name__)


def test_instances_that_are_shared_or_cyclic_stay_so():
    point = Point()
    first, second = _core.loads(_core.dumps([point, point]))
    assert first is second and first == point
    point.itself = point
    back = _core.loads(_core.dumps(point))
    assert back.itself is back
    point = Point()
    point.state = point.__dict__
    for loads in (_core.loads, pickle.loads):
        back = loads(_core.dumps(point))
        assert back.state is back.state["state"] is not back.__dict__
    point = Point()
    back, state = _core.loads(_core.dumps([point, point.__dict__]))
    assert back == point and state == point.__dict__


def test_deep_instances_are_written_or_refused_as_by_pickle():
    value = None
    for depth in range(600):
        value = Point(value)
        if depth in (100, 198, 199, 200, 250, 300):
            data = _core.dumps(value)
            seen, seen_by_pickle = _core.loads(data), pickle.loads(data)
            for _ in range(depth + 1):
                seen, seen_by_pickle = seen.x, seen_by_pickle.x
            assert seen is seen_by_pickle is None
    for _ in range(10 * sys.getrecursionlimit()):
        value = Point(value)
    with pytest.raises(RecursionError):
        _core.dumps(value)
    while value is not None:
        value = value.x


def test_the_attributes_keys_are_the_interpreters_one_string():
    back = _core.loads(_core.dumps(made(Base, some_attribute=1, another="some_attribute")))
    assert [name is sys.intern(name) for name in vars(back)] == [True, True]


def failing(*_):
    raise ZeroDivisionError("a hook was called")


def test_an_attribute_of_an_instance_has_its_say_as_with_pickle():
    for name in ("__reduce_ex__", "__reduce__", "__getstate__", "__getnewargs__", "__getnewargs_ex__"):
        for others in ([], [made(Base, a=1)]):
            it = made(Base, a=1)
            it.__dict__[name] = failing
            outcomes = []
            for dumps in (pickle.dumps, _core.dumps):
                try:
                    outcomes.append(shape(pickle.loads(dumps([*others, it]))))
                except ZeroDivisionError as error:
                    outcomes.append(str(error))
            assert outcomes[0] == outcomes[1], name


@contextlib.contextmanager
def changed(cls, name, value):
    """The class with another attribute, and without what `copyreg` remembers of it."""
    missing = object()
    before = getattr(cls, name) if name in ("__qualname__", "__module__") else vars(cls).get(name, missing)
    setattr(cls, name, value)
    forget_slots()
    try:
        yield
    finally:
        delattr(cls, name) if before is missing else setattr(cls, name, before)
        forget_slots()


def forget_slots():
    for cls in (Base, Derived):
        if "__slotnames__" in vars(cls):
            del cls.__slotnames__


@pytest.mark.parametrize("where", [Derived, Base])
@pytest.mark.parametrize(
    "name, value",
    [
        ("__reduce_ex__", lambda self, protocol: (str, ("changed",))),
        ("__reduce__", lambda self: (str, ("changed",))),
        ("__getstate__", lambda self: {"a": "changed"}),
        ("__getnewargs__", lambda self: ()),
        ("__getattr__", lambda self, name: {}[name]),
        ("__slots__", ("a",)),
        ("__qualname__", "Point"),
        ("__module__", "sys"),
    ],
)
def test_a_class_that_is_changed_is_seen_at_once(where, name, value):
    it = made(Derived, a=1)
    forget_slots()
    assert _core.dumps(it)[:3] == NATIVE
    with changed(where, name, value):
        outcomes = []
        for dumps in (pickle.dumps, _core.dumps):
            forget_slots()
            try:
                outcomes.append(shape(pickle.loads(dumps([it]))))
            except Exception as error:
                outcomes.append((type(error), str(error)))
        assert outcomes[0] == outcomes[1]
    assert _core.dumps(it)[:3] == NATIVE


def test_bases_that_are_changed_are_seen_at_once():
    class Other(Base):
        def __reduce__(self):
            return str, ("by the other base",)

    before, it = Derived.__bases__, made(Derived, a=1)
    assert _core.dumps(it)[:3] == NATIVE
    Derived.__bases__ = (Other,)
    try:
        assert _core.loads(_core.dumps(it)) == "by the other base"
    finally:
        Derived.__bases__ = before
    assert _core.dumps(it)[:3] == NATIVE


def test_a_class_that_is_not_found_under_its_name_is_an_error_of_pickles(monkeypatch):
    class Local:
        pass

    it = made(Derived, a=1)
    assert _core.dumps(it)[:3] == NATIVE
    monkeypatch.setattr(sys.modules[__name__], "Derived", type("Derived", (Base,), {"__module__": __name__}))
    for odd in (Local(), it):
        messages = []
        for dumps in (lambda it: pickle.dumps(it, 5), _core.dumps):
            with pytest.raises((pickle.PicklingError, AttributeError)) as refused:
                dumps(odd)
            messages.append((refused.type, str(refused.value)))
        assert messages[0] == messages[1]
    other = made(Derived, a=1)
    assert type(other) is not type(it) and _core.dumps(other)[:3] == NATIVE
    monkeypatch.delattr(sys.modules[__name__], "Derived")
    with pytest.raises((pickle.PicklingError, AttributeError)):
        _core.dumps(it)


def test_reducers_that_are_registered_later_are_asked():
    it = made(Derived, a=1)
    assert _core.dumps(it)[:3] == NATIVE
    copyreg.pickle(Derived, lambda it: (str, ("by copyreg",)))
    try:
        assert _core.loads(_core.dumps([it])) == ["by copyreg"]
        ForkingPickler.register(Derived, lambda it: (str, ("by ForkingPickler",)))
        assert _core.loads(_core.dumps([it])) == ["by ForkingPickler"]
    finally:
        del copyreg.dispatch_table[Derived]
        ForkingPickler._extra_reducers.pop(Derived, None)
    assert _core.dumps(it)[:3] == NATIVE
    copyreg.pickle(abc.ABCMeta, lambda cls: "Base")
    try:
        for whole in (made(Concrete, a=1), it):
            assert shape(_core.loads(_core.dumps(whole))) == shape(pickle.loads(pickle.dumps(whole)))
    except pickle.PicklingError:
        with pytest.raises(pickle.PicklingError):
            pickle.dumps(whole)
    finally:
        del copyreg.dispatch_table[abc.ABCMeta]
    copyreg.add_extension(__name__, "Derived", 77)
    try:
        assert _core.dumps(it) == ForkingPickler.dumps(it, 5).tobytes()
    finally:
        copyreg.remove_extension(__name__, "Derived", 77)


class Registered(abc.ABC):
    __slots__ = ()


class UnderRegistered(Registered, Base):
    pass


def test_empty_slots_of_a_base_are_no_slots():
    it = made(UnderRegistered, a=1)
    for _ in range(2):
        data = _core.dumps(it)
        assert data[:3] == NATIVE and pickle.loads(data) == it
        pickle.dumps(it)


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


@pytest.mark.parametrize("spoil", [lambda data: data, lambda data: data[:-8] + b"R" + data[-7:]], ids=["whole", "damaged"])
def test_everything_is_done_once_and_in_the_same_order(spoil):
    def steps_of(loads, data):
        Steps.steps.clear()
        try:
            whole = loads(data)
        except Exception as error:
            whole = type(error)
        steps = list(Steps.steps)
        del whole
        gc.collect()
        return steps

    value = [Point(), made(Steps, a=1), {"k": made(Steps, a=[made(Steps, a=2)])}, 1, 2, 3, 4]
    data = spoil(_core.dumps(value))
    assert data[:2] == b"\x80\x04"
    assert steps_of(_core.loads, data) == steps_of(pickle.loads, data)
    value.append(1j)
    data = _core.dumps(value)
    assert steps_of(_core.loads, data) == steps_of(pickle.loads, data)


def test_messages_that_are_put_together_of_ours_and_pickles_are_read_once():
    # As a manager does it: two pickles without their beginnings and ends, in a list.
    ours = _core.dumps([made(Steps, a=1)])[2:-1]
    stocks = pickle.dumps(datetime.date(2001, 2, 3), 3)[2:-1]
    whole = b"\x80\x04](" + ours + stocks + b"e."
    Steps.steps.clear()
    back = _core.loads(whole)
    assert back[1] == datetime.date(2001, 2, 3) and Steps.steps == ["new", ("setstate", "1")]


class FailingNew(Base):
    def __new__(cls, needed):
        return super().__new__(cls)


class FailingSetState(Base):
    def __setstate__(self, state):
        raise ZeroDivisionError("in __setstate__")


def test_what_a_class_raises_while_it_is_read_is_raised():
    for it in (made(FailingNew, a=1), made(FailingSetState, a=1)):
        raised = []
        for loads in (pickle.loads, _core.loads):
            with pytest.raises((TypeError, ZeroDivisionError)) as error:
                loads(_core.dumps([Point(), it]))
            raised.append((error.type, str(error.value)))
        assert raised[0] == raised[1]
    assert _core.loads(_core.dumps({"after": Point()})) == {"after": Point()}


def test_a_class_that_the_reader_does_not_have_is_an_error_of_pickles(monkeypatch):
    module = sys.modules[__name__]
    data = _core.dumps([Point(), made(Derived, a=1)])

    def outcomes():
        for loads in (pickle.loads, _core.loads):
            with pytest.raises(Exception) as error:
                loads(data)
            yield error.type, str(error.value)

    for other in (len, 7, None, typing.Generic, types.FunctionType, abc.ABC):
        monkeypatch.setattr(module, "Derived", other)
        assert len(set(outcomes())) == 1, other
    monkeypatch.delattr(module, "Derived")
    assert len(set(outcomes())) == 1
    data = data.replace(b"test_instances", b"not_a_module__")
    assert len(set(outcomes())) == 1


def test_the_readers_class_decides_how_it_is_read(monkeypatch):
    module = sys.modules[__name__]
    data = _core.dumps([made(Derived, a=1), made(Derived, a=2)])
    for other in (WithSetState, WithNew, SlotsAndDict, Error, WithGetattr, Property, Abstract, List, Int, NoWeakReferences):
        monkeypatch.setattr(module, "Derived", other)
        outcomes = []
        for loads in (pickle.loads, _core.loads):
            try:
                outcomes.append(shape(loads(data)))
            except Exception as error:
                outcomes.append((type(error), str(error)))
        assert outcomes[0] == outcomes[1], other


def test_a_module_is_imported_for_its_class(tmp_path, monkeypatch):
    (tmp_path / "imported_for_its_class.py").write_text("class It:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    import imported_for_its_class

    it = imported_for_its_class.It()
    it.a = 1
    data = _core.dumps([it])
    assert data[:2] == b"\x80\x04"
    monkeypatch.delitem(sys.modules, "imported_for_its_class")
    back = _core.loads(data)
    assert back[0].a == 1 and type(back[0]) is sys.modules["imported_for_its_class"].It is not type(it)


class Reentering(Base):
    """Uses the codec while it is read."""

    def __setstate__(self, state):
        assert _core.loads(_core.dumps({"key": [Point(), {"a": 1}]})) == {"key": [Point(), {"a": 1}]}
        self.__dict__.update(state)


def test_the_codec_may_be_used_by_what_it_calls():
    value = [{"key": made(Reentering, a=1)}, made(Reentering, b={"key": Point()})]
    assert _core.loads(_core.dumps(value)) == value


AUDITED = """
    import pickle, sys
    from procession import _core

    class Point:
        pass

    class Other(Point):
        pass

    def points(cls):
        it = cls()
        it.a = 1
        return it

    value = [points(Point), {"a": points(Point)}, points(Other)]
    data, seen, refuse = _core.dumps(value), [], []

    def hook(event, arguments):
        if event == "pickle.find_class":
            seen.append(arguments)
            if arguments[1] in refuse:
                raise PermissionError(arguments[1])

    sys.addaudithook(hook)
    outcomes = []
    for refused in ([], ["Point"], ["Other"]):
        refuse[:] = refused
        for loads in (pickle.loads, _core.loads):
            seen.clear()
            try:
                loads(data)
            except PermissionError as error:
                seen.append(str(error))
            outcomes.append(list(seen))
    print(outcomes)
"""


def test_audit_hooks_see_each_class_and_may_refuse_it(run):
    point, other = ("__main__", "Point"), ("__main__", "Other")
    assert eval(run(AUDITED)) == [[point, other]] * 2 + [[point, "Point"]] * 2 + [[point, other, "Other"]] * 2


def test_a_collection_of_garbage_may_change_what_is_being_written():
    class Trap:
        """In a cycle, so that a collection of garbage finds it."""

        def __init__(self, act):
            self.act, self.itself = act, self

        def __del__(self):
            self.act()

    before = gc.get_threshold()
    try:
        for _ in range(50):
            inner = {"a": [1 << 100, 2 << 100], "b": Point(), "c": 3 << 100}
            items = [inner, 1 << 100, Point(), 2 << 100]
            traps = [Trap(act) for act in (inner.clear, items.clear)]
            del traps
            gc.set_threshold(1)
            try:
                _core.loads(_core.dumps([items, {"inner": inner}]))
            except RuntimeError as error:
                assert "changed size" in str(error)
            finally:
                gc.set_threshold(*before)
    finally:
        gc.set_threshold(*before)


def echo(source, target):
    while (value := source.get()) is not None:
        target.put(value)


def reflect(connection):
    while (value := connection.recv()) is not None:
        connection.send(value)


MESSAGES = [
    Point(),
    [Point(n) for n in range(100)],
    {f"key {n}": Point({"n": [n]}) for n in range(100)},
    (Data(1, [Point()]), Frozen(2), made(WithSetState, a=1), made(WithNew), made(Concrete, a=Empty())),
    [Point("x" * 200_000), Point(b"y" * 200_000)],
    [Point(1j), datetime.date(2001, 2, 3), Colour.RED, Point()],
]


def test_queues_and_pipes_carry_instances_to_another_process(context):
    there, back = context.Queue(), context.SimpleQueue()
    near, far = context.Pipe()
    processes = [context.Process(target=echo, args=(there, back)), context.Process(target=reflect, args=(far,))]
    for process in processes:
        process.start()
    far.close()
    for value in MESSAGES:
        there.put(value)
        near.send(value)
        expected = shape(pickle.loads(pickle.dumps(value)))
        assert shape(back.get()) == expected == shape(near.recv())
    there.put_many(MESSAGES)
    assert [shape(back.get()) for _ in MESSAGES] == shape(pickle.loads(pickle.dumps(MESSAGES)))[1:]
    there.put(None)
    near.send(None)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]


def same(value):
    return value


def moved(point, by):
    return Point(point.x + by, point.y, point.name)


def test_pools_carry_instances(fork):
    with fork.Pool(2) as pool:
        assert pool.map(same, [Point(n) for n in range(50)]) == [Point(n) for n in range(50)]
        assert pool.starmap(moved, [(Point(n), 1) for n in range(50)]) == [Point(n + 1) for n in range(50)]
        for value in MESSAGES:
            assert shape(pool.apply(same, (value,))) == shape(pickle.loads(pickle.dumps(value)))


def test_managers_carry_instances():
    with procession.Manager() as manager:
        queue, items, book = manager.Queue(), manager.list(), manager.dict()
        for number, value in enumerate(MESSAGES):
            expected = shape(pickle.loads(pickle.dumps(value)))
            queue.put(value)
            items.append(value)
            book[number] = value
            assert shape(queue.get()) == expected == shape(items[number]) == shape(book[number])
        assert [shape(value) for value in items[:]] == [shape(pickle.loads(pickle.dumps(it))) for it in MESSAGES]
        items.extend([Point(1), 1j, Point(2), Point(3)])
        assert items[-4:] == [Point(1), 1j, Point(2), Point(3)]
        assert list(book.items())[0] == (0, Point())


PLAIN_READER = """
import pickle, sys
class Point:
    def __init__(self, x=1, y=2.5, name="here"):
        self.x, self.y, self.name = x, y, name
read = pickle.load(sys.stdin.buffer)
print([(type(it).__name__, vars(it)) for it in read])
"""


def test_another_program_reads_them_with_its_own_pickle():
    data = _core.dumps([Point(n) for n in range(3)]).replace(
        b"X" + len(__name__).to_bytes(4, "little") + __name__.encode(), b"X\x08\0\0\0__main__"
    )
    told = subprocess.run(
        [sys.executable, "-I", "-c", textwrap.dedent(PLAIN_READER)], input=data, capture_output=True, check=True
    )
    assert eval(told.stdout) == [("Point", {"x": n, "y": 2.5, "name": "here"}) for n in range(3)]
