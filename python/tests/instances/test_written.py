"""Instances of classes are pickled as `pickle` pickles them, whoever does it."""

import abc
import contextlib
import copy
import copyreg
import gc
import pickle
import pickletools
import random
import sys
from multiprocessing.reduction import ForkingPickler

import odd_classes
import pytest
from odd_classes import (
    Appended, Asked, Base, Both, Broken, Colour, Concrete, Derived, Dict, FailingReduce, List, ORDINARY, OTHER, Point, TOLD,
    Told, UnderRegistered, Uniterable, Unpaired, WithReduce, made, shape, slotted,
)  # fmt: skip

from procession import _core

#: What the first and the later opcodes of an instance are, where it was written without `pickle`.
NATIVE = b"\x80\x04X"


def everywhere(value):
    """The value alone, and in other things."""
    return [value, [value], (1, value), {"key": value}, [[], {"a": [value]}, "after"], [value, [], (1,), {}, (2, 3)]]


ALL = ORDINARY | TOLD | OTHER
NATIVES = ORDINARY | TOLD


@pytest.mark.parametrize("value", ALL.values(), ids=ALL.keys())
def test_what_was_pickled_is_what_pickle_would_have_given(value):
    for whole in everywhere(value):
        expected = shape(pickle.loads(pickle.dumps(whole)))
        data = _core.dumps(whole)
        pickletools.dis(data, out=open("/dev/null", "w"))
        for loads in (_core.loads, pickle.loads, pickle._loads):
            assert shape(loads(data)) == expected
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            assert shape(_core.loads(pickle.dumps(whole, protocol))) == expected


@pytest.mark.parametrize("value", NATIVES.values(), ids=NATIVES.keys())
def test_most_objects_are_written_without_pickle(value):
    # A pickler would begin with a frame, of protocol 5.
    assert _core.dumps(value)[2:3] in b"X](\x8f"


@pytest.mark.parametrize("value", OTHER.values(), ids=OTHER.keys())
def test_others_are_left_to_pickle(value):
    assert _core.dumps(value)[2:3] in (b"\x95", b"c"), _core.dumps(value)


#: What nothing is written for: `pickle` has to write all of it.
LEFT = 1j


@pytest.mark.parametrize("beside", [[], [LEFT]], ids=["without pickle", "with pickle"])
def test_an_object_is_asked_once_how_it_is_made(beside):
    its = [Asked(), Asked(Asked(), [Asked()]), Asked({"a": Point()})]
    back = _core.loads(_core.dumps([its, *beside]))
    assert back == [[Told(1), Told(1, Told(1), [Told(1)]), Told(1, {"a": Point()})], *beside]
    assert [it.times for it in its] == [1, 1, 1]
    it = Asked()
    first, second, *_ = _core.loads(_core.dumps([it, it, *beside]))
    assert first is second and it.times == 1
    failing = FailingReduce()
    # `match` would look at the notes too, which pickle adds from 3.14 on.
    with pytest.raises(ZeroDivisionError) as raised:
        _core.dumps([Asked(), failing, *beside])
    assert str(raised.value) == "1"
    assert failing.times == 1


@pytest.mark.parametrize("beside", [[], [LEFT]], ids=["without pickle", "with pickle"])
@pytest.mark.parametrize("cls", [Broken, Unpaired, Uniterable])
def test_what_an_object_gives_wrongly_is_an_error_of_pickles(cls, beside):
    raised = []
    for dumps in (lambda it: pickle.dumps(it, 5), _core.dumps):
        with pytest.raises((ZeroDivisionError, TypeError, pickle.PicklingError)) as error:
            dumps([Point(), cls(), *beside])
        raised.append((error.type, str(error.value)))
    assert raised[0] == raised[1]


def test_what_an_object_gave_once_goes_to_pickle_too():
    value = [Appended([1, Asked()]), Both([2], a=3), LEFT]
    expected = shape(pickle.loads(pickle.dumps(value)))
    value = [Appended([1, Asked()]), Both([2], a=3), LEFT]
    assert shape(_core.loads(_core.dumps(value))) == expected
    assert value[0].items[1].times == 1


def test_an_object_that_asks_for_itself_is_refused_as_by_pickle():
    it = Asked()
    it.inner = (it,)
    for dumps in (pickle.dumps, _core.dumps):
        with pytest.raises(RecursionError):
            dumps(it)


@pytest.mark.parametrize("seed", range(3))
def test_objects_of_many_kinds_and_nested_as_it_happens(seed):
    leaves = [1, -7, 1 << 40, -1 << 100, 2.5, "text", "", b"bytes", None, True, [], {}, (), "x" * 300, bytearray(b"1"),
              set(), {1, "2"}, frozenset((3,))]  # fmt: skip
    rng = random.Random(seed)

    def value(depth):
        kind = rng.randrange(14 if depth else 5)
        if kind < 3:
            return copy.deepcopy(rng.choice(leaves))
        if kind < 5:
            return rng.choice([Point, made, Colour.RED, Concrete])
        inner = [value(depth - 1) for _ in range(rng.randrange(4))]
        match kind:
            case 5 | 6:
                return inner
            case 7:
                return tuple(inner)
            case 8:
                return {f"key {n}": it for n, it in enumerate(inner)}
            case 9:
                return made(rng.choice([Base, Derived, WithReduce]), **{f"a{n}": it for n, it in enumerate(inner)})
            case 10:
                return Told(*(inner or [1]))
            case 11:
                return List(inner)
            case 12:
                return Dict((n, it) for n, it in enumerate(inner))
            case _:
                it = slotted(odd_classes.Slots)
                it.a, it.b = inner, value(depth - 1)
                return it

    for _ in range(500):
        whole = value(4)
        expected, data = shape(pickle.loads(pickle.dumps(whole))), _core.dumps(whole)
        assert shape(_core.loads(data)) == expected == shape(pickle.loads(data)), data


def test_a_class_is_named_once_in_a_message():
    points = [Point(n) for n in range(500)]
    data = _core.dumps(points)
    assert data.count(b"Point") == 1
    assert _core.loads(data) == points == pickle.loads(data)


def test_many_classes_and_many_empty_instances_in_one_message():
    classes = [type(f"Many{n}", (Base,), {"__module__": odd_classes.__name__}) for n in range(400)]
    for cls in classes:
        setattr(odd_classes, cls.__name__, cls)
    try:
        value = [made(cls, **attributes) for attributes in ({}, {"a": 1}, {}) for cls in classes]
        data = _core.dumps(value)
        assert data[:2] == b"\x80\x04"
        for loads in (_core.loads, pickle.loads, pickle._loads):
            assert loads(data) == value
    finally:
        for cls in classes:
            delattr(odd_classes, cls.__name__)


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
    for _ in range(100 * sys.getrecursionlimit()):
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
    monkeypatch.setattr(odd_classes, "Derived", type("Derived", (Base,), {"__module__": odd_classes.__name__}))
    for odd in (Local(), it):
        messages = []
        for dumps in (lambda it: pickle.dumps(it, 5), _core.dumps):
            with pytest.raises((pickle.PicklingError, AttributeError)) as refused:
                dumps(odd)
            messages.append((refused.type, str(refused.value)))
        assert messages[0] == messages[1]
    other = made(odd_classes.Derived, a=1)
    assert type(other) is not type(it) and _core.dumps(other)[:3] == NATIVE
    monkeypatch.delattr(odd_classes, "Derived")
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
    copyreg.add_extension(odd_classes.__name__, "Derived", 77)
    try:
        assert _core.dumps(it) == ForkingPickler.dumps(it, 5).tobytes()
    finally:
        copyreg.remove_extension(odd_classes.__name__, "Derived", 77)


def test_empty_slots_of_a_base_are_no_slots():
    it = made(UnderRegistered, a=1)
    for _ in range(2):
        data = _core.dumps(it)
        assert data[:3] == NATIVE and pickle.loads(data) == it
        pickle.dumps(it)


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
            # The last one has no UTF-8, and nobody but the list has it.
            items = [inner, 1 << 100, Point(), 2 << 100, "\ud800".join("ab")]
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
