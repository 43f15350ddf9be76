"""Shared memory and locks, by one process, while nobody else wants them."""

from itertools import repeat

from ..clock import Stopwatch
from ..sides import context

LENGTH = 1000


def add(side, count):
    value = context(side).Value("i", 0)
    with value.get_lock():
        value.value += 1
    watch = Stopwatch()
    for _ in repeat(None, count):
        with value.get_lock():
            value.value += 1
    sample = watch.each(count)
    if value.value != count + 1:
        raise AssertionError("a step is missing")
    return sample


def item(side, count):
    array = context(side).Array("i", range(LENGTH))
    array[5]
    watch = Stopwatch()
    for _ in repeat(None, count):
        got = array[5]
    sample = watch.each(count)
    if got != 5:
        raise AssertionError("another item")
    return sample


def items(side, count):
    array = context(side).Array("i", range(LENGTH))
    array[:]
    watch = Stopwatch()
    for _ in repeat(None, count):
        got = array[:]
    sample = watch.each(count)
    if got != list(range(LENGTH)):
        raise AssertionError("other items")
    return sample


def lock(side, count):
    it = context(side).Lock()
    with it:
        pass
    watch = Stopwatch()
    for _ in repeat(None, count):
        with it:
            pass
    return watch.each(count)
