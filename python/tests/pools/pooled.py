"""What the pools are given to do."""

import os
import sys
import threading

import procession


def forked_pool(*arguments, **options):
    return procession.get_context("fork").Pool(*arguments, **options)


def square(n):
    return n * n


def add(a, b=0, *, c=0):
    return a + b + c


def fail(text):
    raise ValueError(text)


def exits(code):
    os._exit(code)


def leaves(code):
    sys.exit(code)


def kills_itself(number):
    os.kill(os.getpid(), number)


def waits(begun):
    """Says that it runs, and runs until it is ended."""
    begun.say()
    threading.Event().wait()


def pid(_=None):
    return os.getpid()


class Unpicklable:
    def __reduce__(self):
        raise TypeError("not this one")


class NotUnpicklable:
    def __reduce__(self):
        return fail, ("not here",)


class PickyError(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def makes(kind, *arguments):
    return kind(*arguments)


def raises(kind, *arguments):
    raise kind(*arguments)
