"""What nobody who does the same can be faster than: the copies alone, in one process, without a queue or a lock.

Memory is written that is in use already; the system has no page to find.
"""

from array import array as plain_array
from itertools import repeat

from ..clock import Stopwatch
from .queues import MIB
from .shared import LENGTH


def mib(_side, count):
    return copy(count, MIB)


def array(_side, count):
    return copy(count, 100_000_000)


def copy(count, size):
    import numpy

    source, target = numpy.ones(size, numpy.uint8), numpy.ones(size, numpy.uint8)
    watch = Stopwatch()
    for _ in repeat(None, count):
        target[:] = source
    return watch.rate(count)


def items(_side, count):
    """A list of the numbers in an array that is not shared."""
    it = plain_array("i", range(LENGTH))
    watch = Stopwatch()
    for _ in repeat(None, count):
        it.tolist()
    return watch.each(count)
