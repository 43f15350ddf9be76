"""Queues from process to process."""

import time
from itertools import repeat

from ..clock import Stopwatch
from ..sides import context, queue
from .told import Told

#: The most items in a queue, for every side.
BOUND = 1024
#: The same where items are large.
BOUND_OF_LARGE = 16
#: Before the clock runs.
WARM = 256
BATCH = 100
#: From so many processes to as many.
MANY = 4
MIB = 1 << 20
PAGE = 4096


class Point:
    """An ordinary class."""

    def __init__(self, x, y, name):
        self.x, self.y, self.name = x, y, name

    def __eq__(self, other):
        return vars(self) == vars(other)


class SlotPoint:
    """The same with slots."""

    __slots__ = ("x", "y", "name")

    def __init__(self, x, y, name):
        self.x, self.y, self.name = x, y, name

    def __eq__(self, other):
        return (self.x, self.y, self.name) == (other.x, other.y, other.name)


def ints(side, count):
    return stream(side, count, 7, 8)


def ints_without_bound(side, count):
    return stream(side, count, 7, 8, bound=0)


def kib(side, count):
    return stream(side, count, b"7" * 1024, 1024)


def dicts(side, count):
    return stream(side, count, {"id": 17, "name": "seven", "size": 3.5, "done": False, "next": None}, 128)


def objects(side, count):
    return stream(side, count, Point(1, 2.5, "here"), 128)


def slots(side, count):
    return stream(side, count, SlotPoint(1, 2.5, "here"), 128)


def pickled(side, count):
    # Complex numbers have a registered reducer.
    return stream(side, count, 1 + 2.5j, 128)


def mib(side, count):
    return stream(side, count, b"7" * MIB, MIB, bound=BOUND_OF_LARGE, warm=2 * BOUND_OF_LARGE)


def array(side, count):
    """100 MB each; the receiver reads one number of each page."""
    import numpy

    value = numpy.arange(100_000_000 // 8, dtype=numpy.int64)
    total = int(value[:: PAGE // 8].sum())

    def look(got):
        return int(got[:: PAGE // 8].sum()) == total

    return stream(side, count, value, value.nbytes, bound=2, warm=6, look=look)


def stream(side, count, value, size, bound=BOUND, warm=WARM, look=None):
    """Items a second, from this process to another, until that one has the last."""
    it, told = queue(side, bound, size), Told()

    def take():
        get = it.get
        for _ in repeat(None, warm):
            got = get()
        told.tell()
        if look is None:
            for _ in repeat(None, count):
                got = get()
            good = got == value
        else:
            good = True
            for _ in repeat(None, count):
                got = get()
                good = look(got) and good
        (told.tell if good else told.fail)()
        told_to_end.hear()

    told_to_end = Told()
    process = start(side, take)
    put = it.put
    for _ in repeat(None, warm):
        put(value)
    told.hear()
    watch = Stopwatch()
    for _ in repeat(None, count):
        put(value)
    told.hear()
    sample = watch.rate(count)
    told_to_end.tell()
    process.join()
    return sample


def batches(side, count):
    """Small ints, a hundred put and got at once."""
    it, told, told_to_end = queue(side, BOUND, 8), Told(), Told()
    batch = list(range(BATCH))
    rounds = max(1, count // BATCH)

    def take():
        most = {"max_messages_to_get": BATCH} if side == "faster-fifo" else {"max": BATCH}
        get_many = it.get_many
        for left in (BATCH * 10, BATCH * rounds):
            while left:
                got = get_many(**most)
                left -= len(got)
            (told.tell if got[-1] == batch[-1] else told.fail)()
        told_to_end.hear()

    process = start(side, take)
    put_many = it.put_many
    for _ in repeat(None, 10):
        put_many(batch)
    told.hear()
    watch = Stopwatch()
    for _ in repeat(None, rounds):
        put_many(batch)
    told.hear()
    sample = watch.rate(rounds * BATCH)
    told_to_end.tell()
    process.join()
    return sample


def lists(side, count):
    """What one does without batches: a list of a hundred small ints is one item."""
    sample = stream(side, max(1, count // BATCH), list(range(BATCH)), 512)
    return type(sample)(sample.value * BATCH, sample.wall, sample.cpu)


def many_to_many(side, count):
    """Small ints; four processes put a quarter each, and four get a quarter each."""
    it, ready, go, done, end = queue(side, BOUND, 8), Told(), Told(), Told(), Told()
    each = max(1, count // MANY)

    def put():
        put = it.put
        for number in range(WARM):
            put(number)
        ready.tell()
        go.hear()
        for _ in repeat(None, each):
            put(7)
        end.hear()

    def take():
        get = it.get
        for _ in range(WARM):
            get()
        ready.tell()
        go.hear()
        for _ in repeat(None, each):
            got = get()
        (done.tell if got == 7 else done.fail)()
        end.hear()

    processes = [start(side, life) for life in (take, put) for _ in range(MANY)]
    ready.hear(2 * MANY)
    watch = Stopwatch()
    go.tell(2 * MANY)
    done.hear(MANY)
    sample = watch.rate(each * MANY)
    end.tell(2 * MANY)
    for process in processes:
        process.join()
    return sample


def ping_pong(side, count):
    """The time of a small int there and back, through two queues."""
    there, back = queue(side, BOUND, 8), queue(side, BOUND, 8)

    def echo():
        get, put = there.get, back.put
        for _ in repeat(None, WARM + count):
            put(get())
        end.hear()

    end = Told()
    process = start(side, echo)
    put, get, now = there.put, back.get, time.perf_counter
    for number in range(WARM):
        put(number)
        if get() != number:
            raise AssertionError("another number came back")
    trips = []
    watch = Stopwatch()
    for _ in repeat(None, count):
        begun = now()
        put(7)
        get()
        trips.append(now() - begun)
    sample = watch.middle(trips)
    end.tell()
    process.join()
    return sample


def start(side, target):
    process = context(side).Process(target=target)
    process.start()
    return process
