"""The bytes of messages are pickles, whoever writes them."""

import copyreg
import math
import pickle
import pickletools
import random
import sys

import pytest
from multiprocessing.reduction import ForkingPickler

from procession import _core

ATOMS = [
    None, True, False, 0, 1, -1, 255, 256, 65535, 65536, -128, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1,
    2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**100, -(10**100), 1 << 2040, 1 << 9000,
    0.0, -0.0, 1.5, math.inf, -math.inf, "", "a", "é", "日本" * 200, "\x00", "x" * 70_000, "\ud800",
    b"", b"\x00\xff", b"y" * 300, b"z" * 70_000, bytearray(b""), bytearray(b"ab" * 40_000),
]  # fmt: skip

COMPOUND = [
    (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1], [[]], [[], {}, ()], {}, {"a": 1}, {1: {2: [3]}},
    {"k": (None, True, [1.5, "s", b"b"])}, list(range(1000)), {str(n): n for n in range(300)},
    {(1, 2): "tuple key"}, [[[[[[["deep"]]]]]]], tuple(range(300)), [bytearray(b"q")] * 1,
    [{}, (1,)], [{}, (1, 2)], [[], (1, 2)], ({}, [], ()), {"a": {}, "b": (1, 2), "c": []}, {"a": {}, (): ()},
]  # fmt: skip



def name(value):
    """The value's type, and its beginning where that is short."""
    size = value.bit_length() if isinstance(value, int) else 0
    return type(value).__name__ + (f"-{size}" if size else "")


class Thing:
    def __init__(self, *values):
        self.values = values

    def __eq__(self, other):
        return type(other) is Thing and self.values == other.values


class Number(int):
    pass


class Text(str):
    pass


@pytest.mark.parametrize("value", ATOMS + COMPOUND, ids=name)
def test_plain_data_arrives_as_it_was(value):
    data = _core.dumps(value)
    for loads in (_core.loads, pickle.loads, pickle._loads):
        back = loads(data)
        assert back == value and type(back) is type(value)
    pickletools.dis(data, out=open("/dev/null", "w"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", ATOMS + COMPOUND, ids=name)
def test_what_pickle_writes_is_read(value, protocol):
    back = _core.loads(pickle.dumps(value, protocol))
    assert back == value and type(back) is type(value)


def test_keys_that_differ_in_one_byte_stay_apart():
    # Received keys are kept, those of up to 24 bytes.
    for length in range(40):
        for at in range(length):
            keys = [b"k" * at + last + b"k" * (length - at - 1) for last in (b"a", b"b", b"c", b"d")]
            value = {key.decode(): number for number, key in enumerate(keys)}
            for _ in range(2):
                assert _core.loads(_core.dumps(value)) == value
    assert _core.loads(_core.dumps({"": 0, "\0": 1, "\0\0": 2, "é": 3, "é\0": 4})) == {"": 0, "\0": 1, "\0\0": 2, "é": 3, "é\0": 4}
    for damaged in (b"\xff", b"k" * 30 + b"\xff"):
        data = b"\x80\x04}(\x8c" + bytes([len(damaged)]) + damaged + b"K\x01u."
        for _ in range(2):
            with pytest.raises(UnicodeDecodeError):
                _core.loads(data)


def test_plain_data_is_written_without_pickle():
    # A pickler would frame and memoize.
    assert _core.dumps(7) == b"\x80\x04K\x07."
    assert _core.dumps([1, "a"]) == b"\x80\x04](K\x01\x8c\x01ae."
    assert _core.dumps(bytearray(b"a"))[:3] == b"\x80\x05\x96"


def test_what_is_only_like_plain_data_keeps_its_type():
    for value in (Number(5), Text("five"), Thing(1), {1, 2}, frozenset("ab"), 1j):
        back = _core.loads(_core.dumps([value]))[0]
        assert back == value and type(back) is type(value)


def test_shared_and_recursive_containers_stay_so():
    inner = [1]
    first, second = _core.loads(_core.dumps([inner, inner]))
    assert first is second
    loop = []
    loop.append(loop)
    back = _core.loads(_core.dumps(loop))
    assert back[0] is back
    book = {}
    book["self"] = (book,)
    back = _core.loads(_core.dumps(book))
    assert back["self"][0] is back
    array = bytearray(b"shared")
    first, second = _core.loads(_core.dumps((array, array)))
    assert first is second


def test_containers_that_others_hold_too_are_not_taken_for_shared():
    parts = [{"number": n} for n in range(1000)]
    assert _core.dumps(parts)[:2] == b"\x80\x04"
    assert _core.loads(_core.dumps(parts)) == parts
    parts.append(parts[0])
    back = _core.loads(_core.dumps(parts))
    assert back == parts and back[-1] is back[0]


def test_a_value_that_is_nested_in_itself_many_times_stays_small():
    value = ()
    for _ in range(60):
        value = (value, value)
    assert len(_core.dumps(value)) < 2000
    text = "x" * 10_000
    assert len(_core.dumps([text] * 1000)) < 100_000


def test_deep_nesting_is_read_or_refused_as_by_pickle():
    value = None
    for _ in range(400):
        value = [value]
    assert _core.loads(_core.dumps(value)) == value
    # From 3.14 on it is the stack that sets the limit.
    for _ in range(100 * sys.getrecursionlimit()):
        value = [value]
    with pytest.raises(RecursionError):
        _core.dumps(value)


def test_random_nested_data_arrives():
    source = random.Random(7)

    def make(depth):
        kind = source.randrange(9 if depth else 6)
        match kind:
            case 0: return source.randrange(-(2**70), 2**70)
            case 1: return source.random()
            case 2: return "".join(chr(source.randrange(1, 0xD7FF)) for _ in range(source.randrange(9)))
            case 3: return source.randbytes(source.randrange(300))
            case 4: return source.choice([None, True, False])
            case 5: return source.randrange(-300, 300)
            case 6: return [make(depth - 1) for _ in range(source.randrange(6))]
            case 7: return tuple(make(depth - 1) for _ in range(source.randrange(6)))
            case _: return {source.randrange(1000): make(depth - 1) for _ in range(source.randrange(6))}

    for _ in range(500):
        value = make(5)
        data = _core.dumps(value)
        assert pickle.loads(data) == value == _core.loads(data)
        assert _core.loads(pickle.dumps(value)) == value


def test_damaged_messages_raise_and_nothing_else():
    source = random.Random(11)
    whole = [_core.dumps(value) for value in COMPOUND] + [pickle.dumps(value) for value in COMPOUND]
    for data in whole:
        for cut in range(min(len(data), 50)):
            with pytest.raises((pickle.UnpicklingError, EOFError)):
                _core.loads(data[:cut])
    for _ in range(2000):
        data = bytearray(source.choice(whole)[:200])
        data[source.randrange(len(data))] = source.choice(b"](.}teuas\x85\x86\x87\x94hq0KMJNCX\x8c")
        try:
            _core.loads(bytes(data))
        except Exception:
            pass


def test_reducers_of_multiprocessing_and_copyreg_are_asked():
    class Local:
        pass

    with pytest.raises((AttributeError, pickle.PicklingError)):
        _core.dumps(Local())
    ForkingPickler.register(Local, lambda obj: (str, ("by ForkingPickler",)))
    try:
        assert _core.loads(_core.dumps(Local())) == "by ForkingPickler"
    finally:
        del ForkingPickler._extra_reducers[Local]
    copyreg.pickle(Local, lambda obj: (str, ("by copyreg",)))
    try:
        assert _core.loads(_core.dumps(Local())) == "by copyreg"
        ForkingPickler.register(Local, lambda obj: (str, ("the first",)))
        assert _core.loads(_core.dumps(Local())) == "the first"
    finally:
        del copyreg.dispatch_table[Local]
        ForkingPickler._extra_reducers.pop(Local, None)


class Nesting:
    """Pickles something else while it is pickled."""

    def __reduce__(self):
        return bytes, (_core.dumps([Thing(1), 2]),)


def test_pickling_within_pickling():
    data = _core.loads(_core.dumps([Thing(0), Nesting(), Nesting()]))
    assert [_core.loads(inner) for inner in data[1:]] == [[Thing(1), 2]] * 2


class Failing:
    def __reduce__(self):
        raise ZeroDivisionError("in reduce")


def test_an_error_while_pickling_is_raised_and_leaves_nothing_behind():
    for _ in range(3):
        with pytest.raises(ZeroDivisionError, match="in reduce"):
            _core.dumps([Thing(1), Failing()])
        assert _core.loads(_core.dumps(Thing(2))) == Thing(2)


def test_what_was_pickled_is_not_kept():
    thing = Thing("kept?")
    before = sys.getrefcount(thing)
    _core.dumps(thing)
    _core.dumps([1, thing])
    assert sys.getrefcount(thing) == before


def test_references_are_counted_right():
    value = ["text " * 10, 12345678, (b"bytes", {"key": 1.5})]
    counts = [sys.getrefcount(part) for part in (value, *value, *value[2])]
    for _ in range(100):
        _core.loads(_core.dumps(value))
    assert [sys.getrefcount(part) for part in (value, *value, *value[2])] == counts


def test_numpy_arrays_are_in_the_bytes():
    numpy = pytest.importorskip("numpy")
    array = numpy.arange(100_000)
    assert (_core.loads(_core.dumps(array)) == array).all()
    assert (pickle.loads(_core.dumps({"a": array}))["a"] == array).all()
