"""What importing a package takes, in an interpreter that has just begun."""

import subprocess
import sys

from ..clock import Stopwatch

PROGRAM = """
import sys, time
begun = time.perf_counter()
import {}
print(time.perf_counter() - begun)
"""


def first(side, count):
    """The middle of `count` interpreters; a first one, which compiles, is not counted."""
    command = [sys.executable, "-c", PROGRAM.format(side)]

    def once():
        return float(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)

    once()
    watch = Stopwatch()
    return watch.middle([once() for _ in range(count)])
