"""Objects that a manager's process has: a server of the side's, over a Unix socket if nothing else is said."""

import multiprocessing.managers
import time
from importlib import import_module
from itertools import repeat

from ..clock import Sample, Stopwatch, cpu_of
from ..sides import context
from .told import Told

#: Before the clock runs.
WARM = 256
CLIENTS = 16


class StockClient(multiprocessing.managers.BaseManager):
    """A client without anything of procession's."""


StockClient.register("Queue")


def over_tcp(side):
    """A manager that could be anywhere, so that nobody shares its memory."""
    managers = import_module(f"{side}.managers")
    return managers.SyncManager(("127.0.0.1", 0), ctx=context(side))


def near(side, count):
    """One client puts and gets in turn: the time of the two calls."""
    with context(side).Manager() as manager:
        return in_turn(manager.Queue(), count)


def turns(side, count):
    """The same over TCP."""
    with over_tcp(side) as manager:
        return in_turn(manager.Queue(), count)


def stock_turns(side, count):
    """As `near`, with a stock client."""
    with context(side).Manager() as manager:
        client = StockClient(manager.address, manager._authkey)
        client.connect()
        return in_turn(client.Queue(), count)


def in_turn(it, count):
    put, get, now = it.put, it.get, time.perf_counter
    for number in range(WARM):
        put(number)
        if get() != number:
            raise AssertionError("another number came back")
    turns = []
    watch = Stopwatch()
    for _ in repeat(None, count):
        begun = now()
        put(7)
        get()
        turns.append(now() - begun)
    return watch.middle(turns)


def many(side, count):
    """Calls a second of so many clients at once, each a process with a queue of its own."""
    each = max(1, count // CLIENTS)
    ready, go, done, end = Told(), Told(), Told(), Told()

    def call(it):
        put, get = it.put, it.get
        put(7)
        get()
        ready.tell()
        go.hear()
        for _ in repeat(None, each):
            put(7)
            got = get()
        (done.tell if got == 7 else done.fail)()
        end.hear()

    with context(side).Manager() as manager:
        queues = [manager.Queue() for _ in range(CLIENTS)]
        clients = [context(side).Process(target=call, args=(it,)) for it in queues]
        for client in clients:
            client.start()
        ready.hear(CLIENTS)
        watch = Stopwatch()
        go.tell(CLIENTS)
        done.hear(CLIENTS)
        sample = watch.rate(2 * each * CLIENTS)
        end.tell(CLIENTS)
        for client in clients:
            client.join()
        return sample


def making(side, count):
    """The time of making an object and its proxy; of dropping it, too."""
    with context(side).Manager() as manager:
        make, now = manager.Event, time.perf_counter
        kept = make()
        made = []
        watch = Stopwatch()
        for _ in repeat(None, count):
            begun = now()
            make()
            made.append(now() - begun)
        if kept.is_set():
            raise AssertionError("nobody has set it")
        return watch.middle(made)


def cpu(side, count):
    """The CPU time of the server for one call over TCP; its client is the side's."""
    with over_tcp(side) as manager:
        return cpu_of_calls(manager, count)


def cpu_near(side, count):
    """The same on the manager's host."""
    with context(side).Manager() as manager:
        return cpu_of_calls(manager, count)


def cpu_of_calls(manager, count):
    """The server's CPU time for each call to a queue, with what it takes to make the queue."""
    server = manager._process.pid
    # The first object brings the connection, and on the same host the memory.
    call(manager.Queue(), WARM)
    begun, watch = cpu_of(server), Stopwatch()
    call(manager.Queue(), count)
    used = cpu_of(server) - begun
    whole = watch.each(count)
    return Sample(used / (2 * count), whole.wall, whole.cpu)


def call(it, count):
    put, get = it.put, it.get
    for _ in repeat(None, count):
        put(7)
        get()
