"""CPython's own manager over a Unix socket, and its clients. Prints one figure.

turns COUNT             seconds for a put and a get, the middle one
calls COUNT CLIENTS     calls a second of all clients, each a process with a queue of its own
connection COUNT        bytes that the manager's process has for an idle connection
"""

import multiprocessing
import statistics
import sys
import threading
import time
from itertools import repeat

fork = multiprocessing.get_context("fork")

#: Seconds after which whoever is waited for is taken for dead.
PATIENCE = 120


def turns(manager, count):
    it, now = manager.Queue(), time.perf_counter
    it.put(7)
    it.get()
    times = []
    for _ in repeat(None, count):
        begun = now()
        it.put(7)
        it.get()
        times.append(now() - begun)
    return statistics.median(times)


def calls(manager, count, clients):
    each = max(1, count // (2 * clients))
    ready = fork.Barrier(clients + 1)

    def call(it):
        it.put(7)
        it.get()
        ready.wait(PATIENCE)
        for _ in repeat(None, each):
            it.put(7)
            it.get()
        ready.wait(PATIENCE)

    # Kept here, since a forked client counts its reference only some time later.
    queues = [manager.Queue() for _ in repeat(None, clients)]
    processes = [fork.Process(target=call, args=(it,)) for it in queues]
    for process in processes:
        process.start()
    ready.wait(PATIENCE)
    begun = time.perf_counter()
    ready.wait(PATIENCE)
    taken = time.perf_counter() - begun
    for process in processes:
        process.join()
    return 2 * each * clients / taken


def resident(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("Pss:"))


def connection(manager, count):
    it, pid = manager.Queue(), manager._process.pid
    it.qsize()
    before = resident(pid)
    there, end = threading.Barrier(count + 1), threading.Event()

    def idle():
        it.qsize()
        there.wait()
        end.wait()

    threads = [threading.Thread(target=idle) for _ in repeat(None, count)]
    for thread in threads:
        thread.start()
    there.wait()
    taken = resident(pid) - before
    end.set()
    for thread in threads:
        thread.join()
    return taken / count


if __name__ == "__main__":
    work = {"turns": turns, "calls": calls, "connection": connection}[sys.argv[1]]
    with fork.Manager() as manager:
        print(work(manager, *map(int, sys.argv[2:])))
