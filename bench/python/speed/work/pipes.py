"""Connections."""

from itertools import repeat

from ..clock import Stopwatch
from ..sides import context
from .queues import WARM, start
from .told import Told


def ints(side, count):
    """Small ints a second, through a `Pipe()` from this process to another."""
    here, there = context(side).Pipe()
    told, end = Told(), Told()

    def take():
        recv = there.recv
        for _ in repeat(None, WARM):
            recv()
        told.tell()
        for _ in repeat(None, count):
            got = recv()
        (told.tell if got == 7 else told.fail)()
        end.hear()

    process = start(side, take)
    send = here.send
    for number in range(WARM):
        send(number)
    told.hear()
    watch = Stopwatch()
    for _ in repeat(None, count):
        send(7)
    told.hear()
    sample = watch.rate(count)
    end.tell()
    process.join()
    return sample
