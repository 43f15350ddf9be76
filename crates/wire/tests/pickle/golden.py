"""Writes golden.txt: plain values pickled by CPython in every protocol, run once by hand.

A line each: the value's name, the protocol, what a reader must find, the pickle.
"""

import collections
import datetime
import decimal
import pickle
import struct

shared = ["shared", b"shared"]
recursive = []
recursive.append(recursive)

VALUES = {
    "none": None,
    "bools": [True, False],
    "ints": [0, 1, 255, 256, 65535, 65536, -1, -128, -129, 2**31 - 1, -(2**31), 2**31, 2**63 - 1],
    "longs": [2**63, -(2**63), -(2**63) - 1, 2**64 - 1, 2**64, 2**127 - 1, -(2**127), 2**127],
    "longest": [2**128 - 1],
    "floats": [0.0, -0.0, 1.5, -2.25e300, 5e-324, float("inf"), float("-inf"), 0.1],
    "str": ["", "a", "line\nbreak\r\x00\x1a", "back\\slash \\u0041", "é ü ß", "日本", "😀", "x" * 300],
    "bytes": [b"", b"a", bytes(range(256)), b"x" * 300],
    "bytearray": [bytearray(), bytearray(b"ab\xff\n"), bytearray(b"y" * 300)],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((((),),),)],
    "lists": [[], [1], [[1], [2, [3]]], list(range(1001))],
    "dicts": [{}, {"a": 1}, {1: "x", "y": [None]}, {("t", 1): 2.5}],
    "sets": [set(), {1}, {"a", "b"}, frozenset(), frozenset({1, 2})],
    "shared": [shared, shared, {"k": shared}, "word", "word", b"word", b"word"],
    "unmapped": [1, 2, 3, {"name": datetime.datetime(2020, 1, 2)}],
    "unmapped_state": {"a": (decimal.Decimal("1.5"),)},
    "unmapped_ordered": [collections.OrderedDict(a=1)],
    "unmapped_class": [datetime.date],
    "recursive": recursive,
}


def find(value):
    if value is None:
        return "N"
    if value is True or value is False:
        return "T" if value else "F"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "f" + struct.pack(">d", value).hex()
    if isinstance(value, str):
        return "s" + value.encode().hex()
    if isinstance(value, (bytes, bytearray)):
        return "b" + value.hex()
    if isinstance(value, tuple):
        return "(" + ",".join(map(find, value)) + ")"
    if isinstance(value, dict):
        return "{" + ",".join(find(k) + ":" + find(v) for k, v in value.items()) + "}"
    return "[" + ",".join(map(find, value)) + "]"


if __name__ == "__main__":
    for name, value in VALUES.items():
        for protocol in range(6):
            found = "-" if name.startswith(("unmapped", "recursive")) else find(value)
            print(name, protocol, found, pickle.dumps(value, protocol).hex())
