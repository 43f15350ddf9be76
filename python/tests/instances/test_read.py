"""Instances are made as `pickle` makes them, once and in the same order."""

import abc
import datetime
import gc
import itertools
import multiprocessing
import pickle
import pickletools
import random
import sys
import types
import typing

import odd_classes
import pytest
from odd_classes import (
    Abstract, Colour, Derived, Dict, Error, FailingNew, FailingSetState, Int, List, NoWeakReferences, Point, Property, Reentering,
    Slots, SlotsAndDict, Steps, WithGetattr, WithNew, WithSetState, made, shape, slotted,
)  # fmt: skip

from procession import _core


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


def outcome(loads, data):
    try:
        value = loads(data)
    except Exception:
        return "refused"
    try:
        return shape(value)
    except RecursionError:
        return "in itself"


def read_damaged_messages(seed):
    rng = random.Random(seed)
    value = [
        Point(), [], (1,), {}, slotted(Slots), made, Colour.RED, {"a": (made(Derived, a=[1]), Point, "text")},
        List([1, 2]), Dict(a=1), {1, 2}, frozenset(),
    ]  # fmt: skip
    whole = _core.dumps(value)
    starts = [at for _, _, at in pickletools.genops(whole)] + [len(whole)]
    head, *steps = [whole[start:end] for start, end in itertools.pairwise(starts)]
    others = [b"(", b"t", b"u", b"e", b"b", b"R", b"\x81", b"\x94", b"]", b"}", b")", b"N", b"h\0", b"h\1", b"0", b"\x8f",
              b"\x90", b"\x91"]  # fmt: skip
    read = 0
    for _ in range(2000):
        damaged = steps.copy()
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(damaged))
            match rng.randrange(3):
                case 0:
                    damaged[at] = rng.choice(steps + others)
                case 1:
                    damaged.insert(at, rng.choice(steps + others))
                case _:
                    del damaged[at]
        data = head + b"".join(damaged)
        expected = outcome(pickle.loads, data)
        assert outcome(_core.loads, data) == expected, data
        read += expected != "refused"
    assert 0 < read < 2000


@pytest.mark.parametrize("seed", range(3))
def test_a_message_that_was_damaged_is_read_as_by_pickle_or_refused_by_both(seed):
    # In a process of its own, since it does to the classes whatever the messages say.
    process = multiprocessing.get_context("fork").Process(target=read_damaged_messages, args=(seed,))
    process.start()
    process.join()
    assert process.exitcode == 0


def test_messages_that_are_put_together_of_ours_and_pickles_are_read_once():
    # As a manager does it: two pickles without their beginnings and ends, in a list.
    ours = _core.dumps([made(Steps, a=1)])[2:-1]
    stocks = pickle.dumps(datetime.date(2001, 2, 3), 3)[2:-1]
    whole = b"\x80\x04](" + ours + stocks + b"e."
    Steps.steps.clear()
    back = _core.loads(whole)
    assert back[1] == datetime.date(2001, 2, 3) and Steps.steps == ["new", ("setstate", "1")]


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
    data = _core.dumps([Point(), made(Derived, a=1)])

    def outcomes():
        for loads in (pickle.loads, _core.loads):
            with pytest.raises(Exception) as error:
                loads(data)
            yield error.type, str(error.value)

    for other in (len, 7, None, typing.Generic, types.FunctionType, abc.ABC):
        monkeypatch.setattr(odd_classes, "Derived", other)
        assert len(set(outcomes())) == 1, other
    monkeypatch.delattr(odd_classes, "Derived")
    assert len(set(outcomes())) == 1
    data = data.replace(b"odd_classes", b"no_module_x")
    assert len(set(outcomes())) == 1


def test_the_readers_class_decides_how_it_is_read(monkeypatch):
    data = _core.dumps([made(Derived, a=1), made(Derived, a=2)])
    for other in (WithSetState, WithNew, SlotsAndDict, Error, WithGetattr, Property, Abstract, List, Int, NoWeakReferences):
        monkeypatch.setattr(odd_classes, "Derived", other)
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
