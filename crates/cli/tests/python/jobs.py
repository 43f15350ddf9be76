"""The functions that the tests have workers run."""

import os
import pathlib
import signal


class Point:
    def __init__(self, x):
        self.x = x


def square(n):
    return "%d * %d = %d" % (n, n, n * n)


def moved(point):
    point.x += 1
    return point


def boom(n):
    raise ValueError("boom %r" % (n,))


def unpicklable(n):
    class Local(Exception):
        pass

    raise Local("local")


def die(n):
    os.kill(os.getpid(), signal.SIGKILL)


def wait_for(path):
    """Says that it has begun, and waits until somebody says that it may end: opens the path to write, and closes it."""
    os.mkfifo(path)
    pathlib.Path(path + ".begun").touch()
    with open(path) as word:
        word.read()
    return "ended"
