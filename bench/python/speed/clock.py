"""Wall time, and the CPU time of this process and all below it."""

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """What one run of one side took: the figure in the unit of its row, wall and CPU time in seconds."""

    value: float
    wall: float
    cpu: float
    note: str = ""


def family():
    """This process and all that descend from it."""
    found, left = [], [os.getpid()]
    while left:
        found.append(left.pop())
        for children in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            left += map(int, children.read_text().split())
    return found


def cpu_of(pid):
    """CPU seconds that a process has used."""
    # The clock of another process, as clock_getcpuclockid(3) computes its number.
    return time.clock_gettime(~pid << 3 | 2)


def family_cpu():
    """CPU seconds that the family's processes have used, with the children of this one that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    living = sum(map(cpu_of, family()))
    return living + ended.ru_utime + ended.ru_stime


class Stopwatch:
    """Measures from its creation to the call that makes a sample.

    The processes that do the work live from the one to the other, or are waited for by this one.
    """

    def __init__(self):
        self._cpu = family_cpu()
        self._start = time.perf_counter()

    def _stop(self):
        wall = time.perf_counter() - self._start
        return wall, family_cpu() - self._cpu

    def rate(self, count):
        """The work is done: `count` pieces, as pieces a second."""
        wall, cpu = self._stop()
        return Sample(count / wall, wall, cpu)

    def each(self, count):
        """The work is done: `count` pieces, as seconds a piece."""
        wall, cpu = self._stop()
        return Sample(wall / count, wall, cpu)

    def middle(self, pieces):
        """The work is done, and each piece was timed: the middle one, with the 99th percentile of many."""
        from .figure import SECONDS

        wall, cpu = self._stop()
        pieces = sorted(pieces)
        late = f"p99 {SECONDS.show(pieces[len(pieces) * 99 // 100])}" if len(pieces) > 100 else ""
        return Sample(pieces[len(pieces) // 2], wall, cpu, late)
