"""What CPython says and reads, for `cpython.rs`: one process for one version.

It writes requests as clients of managers do, in frames: which arguments are meant, and the message. It is answered with the number
of these arguments, each as a pickle of its own, a reply that has all of them in a list, and a reply that has the first alone. They
must make what was sent, down to what is the same object as what. At the end it says how many cases there were, and how many were
wrong.
"""

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import io
import itertools
import pickle
import struct
import sys
import uuid
from multiprocessing.managers import Token
from multiprocessing.reduction import ForkingPickler

IDENT = "7f00deadbeef"


class Custom:
    def __init__(self, a, b):
        self.a = a
        self.b = b


class Slots:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


class Reduced:
    def __init__(self, n):
        self.n = n

    def __reduce__(self):
        return Reduced, (self.n,), {"n": self.n}, iter(()), iter(())


class Listed(list):
    pass


class Color(enum.Enum):
    RED = 1


Pair = collections.namedtuple("Pair", "put get")


def function():
    pass


def values():
    shared = [1, 2]
    recursive = [1]
    recursive.append(recursive)
    in_tuple = ([],)
    in_tuple[0].append(in_tuple)
    in_dict = {}
    in_dict["self"] = in_dict
    circle = Custom(1, 2)
    circle.b = [circle]
    parent = Custom("parent", [])
    parent.b.extend(Custom(parent, n) for n in range(300))
    listed = Listed([1])
    listed.append(listed)
    listed.extra = listed
    ordered = collections.OrderedDict(a=1)
    ordered["self"] = ordered
    token = Token("Queue", ("127.0.0.1", 8888), IDENT)
    begun = iter([1, "two", IDENT])
    next(begun)
    return {
        "none": None, "true": True, "zero": 0, "byte": 255, "word": 65536, "negative": -5, "large": 1 << 70, "huge": 1 << 5000,
        "minus": -(1 << 5000), "float": 3.25, "complex": 1 + 2j, "text": "x" * 300, "long text": "y" * 70000, "empty": b"",
        "bytes": b"q" * 70000, "bytearray": bytearray(b"zz" * 50000), "surrogate": "\ud800x", "method": "put", "ident": IDENT,
        "names": ("put", IDENT, "item", "get"), "keys": {"put": "put", IDENT: IDENT}, "shared": [shared, shared, (shared,)],
        "recursive list": recursive, "recursive tuple": in_tuple, "recursive dict": in_dict, "recursive object": circle,
        "recursive subclass": listed, "recursive ordered": ordered, "parent": parent, "custom": Custom(1, "z"),
        "slots": Slots("put", b"q"), "reduced": Reduced(4), "named tuple": Pair(1, 2), "enum": Color.RED,
        "datetime": datetime.datetime(2026, 11, 28), "fraction": fractions.Fraction(1, 3), "decimal": decimal.Decimal("1.5"),
        "uuid": uuid.UUID(int=5), "default": collections.defaultdict(list, {"a": [1]}), "deque": collections.deque([1, 2], 5),
        "set": {1, 2}, "frozenset": frozenset([1, 2]), "array": array.array("d", [1.5] * 20000), "function": function,
        "class": Custom, "exception": ValueError("put", 3), "many": [Custom(i, str(i)) for i in range(1000)],
        "numbers": list(range(20000)), "deep": functools.reduce(lambda inner, _: [inner], range(200), "put"),
        "slice": slice(1, 2), "range": range(5), "ellipsis": ..., "frames": [b"a" * 66000, "c" * 66000, Custom("put", IDENT)],
        "token": token, "tokens": [token, token, {"k": token}], "iterator": begun,
    }


def graphs():
    """Lists of which each element is to be taken by itself, though they share parts."""
    x = [1]
    one, other = Custom(1, None), Custom(2, None)
    one.b, other.b = other, one
    in_tuple = ([],)
    in_tuple[0].append(in_tuple)
    whole = [1]
    whole.extend([whole, (whole, x), {"whole": whole}])
    chain = [[]]
    for _ in range(40):
        chain.append([chain[-1]])
    return {
        "twice": [x, x, "text", "text"],
        "classes": [Custom(i, "b") for i in range(500)],
        "circle": [one, other, [one, other]],
        "tuples": [in_tuple, in_tuple, in_tuple[0]],
        "itself": whole,
        "chain": chain,
        "back": chain[::-1],
        "states": [Custom(None, [chain[5]]), chain[5], Slots(chain[3], chain[4])],
    }


def dumps(value, protocol, plain):
    if plain:
        out = io.BytesIO()
        pickle._Pickler(out, protocol).dump(value)
        return out.getvalue()
    return bytes(ForkingPickler.dumps(value, protocol))


ATOMS = (type(None), bool, int, float, complex, str, bytes, type, type(function), enum.Enum, type(...))


def attributes(it):
    """Names, and what is under them."""
    names = [*getattr(it, "__dict__", ()), *getattr(it, "__slots__", ())]
    return names, [getattr(it, name) for name in names]


def same(one, other, seen):
    """Whether two objects are alike, and alike in which of their parts are the same object."""
    if type(one) is not type(other):
        return False
    if isinstance(one, ATOMS):
        return one == other
    if id(one) in seen:
        return seen[id(one)] is other
    seen[id(one)] = other
    if isinstance(one, type(iter([]))):
        # What is left of the list, and where it stands, are in its own pickle.
        return same(one.__reduce__(), other.__reduce__(), seen)
    if isinstance(one, BaseException):
        return one.args == other.args
    mine, theirs = [], []
    for it, parts in (one, mine), (other, theirs):
        if isinstance(it, dict):
            parts.extend([*it, *it.values()])
        elif isinstance(it, (list, tuple, collections.deque)):
            parts.extend(it)
        elif not isinstance(it, (Custom, Slots, Reduced, Token)):
            return one == other
    if isinstance(one, (Custom, Slots, Reduced, Token, Listed)):
        (names, here), (found, there) = attributes(one), attributes(other)
        if names != found:
            return False
        mine += here
        theirs += there
    return len(mine) == len(theirs) and all(same(a, b, seen) for a, b in zip(mine, theirs))


def say(message):
    sys.stdout.buffer.write(struct.pack("!i", len(message)) + message)
    sys.stdout.buffer.flush()


def heard():
    (length,) = struct.unpack("!i", sys.stdin.buffer.read(4))
    return sys.stdin.buffer.read(length)


def check(name, meant, message, sent):
    say(meant.encode())
    say(message)
    pickles = [heard() for _ in range(int(heard()))]
    everything, first = pickle.loads(heard()), pickle.loads(heard())
    if len(pickles) != len(sent):
        return f"{len(pickles)} for {len(sent)}"
    for value, payload in zip(sent, pickles):
        if not same(value, pickle.loads(payload), {}):
            return f"not the same by itself: {payload[:200].hex()}"
        if not same(value, pickle._loads(payload), {}):
            return "not the same for Python's own unpickler"
    if everything[0] != "#RETURN" or len(everything[1]) != len(sent):
        return f"no list: {everything!r:.200}"
    for value, found in zip(sent, everything[1]):
        if not same(value, found, {}):
            return "not the same in a list"
    if first[0] != "#RETURN" or not same(sent[0], first[1], {}):
        return "not the same alone in a reply"
    return "ok"


def cases():
    protocols = range(3, pickle.HIGHEST_PROTOCOL + 1)
    for protocol, plain in itertools.product(protocols, (False, True)):
        few = plain or protocol < 4
        for name, value in values().items():
            large = name in ("many", "numbers", "parent", "frames", "deep")
            if few and large:
                continue
            calls = [((value,), {}), ((value, True, 5), {}), ((), {"item": value, "timeout": 5}), ((1, value, value), {})]
            for args, kwds in calls[: 1 if few or large else None]:
                sent = [*args, *kwds.values()]
                yield name, "all", dumps((IDENT, "put", args, kwds), protocol, plain), sent
        for name, value in graphs().items():
            yield name, "elements", dumps((IDENT, "extend", (value,), {}), protocol, plain), value
            keyed = dict(enumerate(value))
            yield name, "values", dumps((IDENT, "update", (keyed,), {}), protocol, plain), value
            yield name, "all", dumps((IDENT, "put", tuple(value), {}), protocol, plain), value


sys.setrecursionlimit(10000)
wrong = 0
count = 0
for name, meant, message, sent in cases():
    said = check(name, meant, message, sent)
    count += 1
    if said != "ok":
        wrong += 1
        print(f"! {name} {meant}: {said}", file=sys.stderr, flush=True)
say(b"done")
say(f"{count} {wrong}".encode())
