"""The managers that are tested, stock's and ours, with the types that both have, and what tests ask of them."""

import multiprocessing
import multiprocessing.managers
import os
import queue
import signal
import threading

import pytest

import procession.managers

STOCK, OURS = multiprocessing.managers, procession.managers
KEY = b"secret"

_tasks = queue.Queue()


class Counter:
    """A type of a user."""

    def __init__(self, start=0):
        self.value = start

    def add(self, more=1):
        self.value += more
        return self.value

    def fail(self):
        raise LookupError("no such thing", 7)

    def unpicklable(self):
        return lambda: 1

    def leave(self):
        raise SystemExit(3)

    def thread(self):
        return threading.get_ident()

    def child(self):
        return Counter(self.value)

    def ask(self, other):
        return other.add(10)

    def keep(self, *others):
        self.others = others

    def kept(self):
        return [str(other) for other in self.others]

    def _hidden(self):
        return "hidden"

    def __repr__(self):
        return f"Counter of {self.value}"


class CounterProxy(STOCK.BaseProxy):
    """A proxy type of a user who knows stock only."""

    _exposed_ = ("add", "thread")

    def add(self, *args):
        return self._callmethod("add", args)


class SlowCounter(Counter):
    """Its making sends a signal to the process that asked for it, which waits for the answer."""

    def __init__(self, pid):
        super().__init__()
        os.kill(pid, signal.SIGUSR1)


def numbers():
    yield from range(4)


def get_tasks():
    return _tasks


def register(manager):
    manager.register("Counter", Counter)
    manager.register("SlowCounter", SlowCounter)
    manager.register("Bare", Counter, exposed=("add", "_hidden"))
    manager.register("Own", Counter, CounterProxy)
    manager.register("Parent", Counter, exposed=("add", "child"), method_to_typeid={"child": "Child"})
    manager.register("Child", exposed=("add",), create_method=False)
    manager.register("numbers", numbers, STOCK.IteratorProxy)
    manager.register("get_tasks", callable=get_tasks)
    return manager


@register
class StockManager(STOCK.SyncManager):
    pass


@register
class OurManager(OURS.SyncManager):
    pass


def remote(base):
    class Remote(base):
        pass

    for name in ("Queue", "Counter", "get_tasks", "list", "dict"):
        Remote.register(name)
    return Remote


PAIRS = {
    "stock's client, our server": (OurManager, STOCK.BaseManager),
    "our client, our server": (OurManager, OURS.BaseManager),
    "our client, stock's server": (StockManager, OURS.BaseManager),
    "stock's client, stock's server": (StockManager, STOCK.BaseManager),
}


def raised(call, *arguments):
    """What the call raises. The exception itself is not kept: its traceback would keep what stock was about to send, and
    Python complains when it collects that.
    """
    try:
        call(*arguments)
    except Exception as error:
        return type(error), error.args
    pytest.fail("nothing was raised")


def in_thread(call):
    results = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    thread.join()
    return results[0]
