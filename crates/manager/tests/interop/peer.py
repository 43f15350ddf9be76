"""Stock CPython, with nothing of ours, as one of two that talk.

    peer.py client HOST PORT KEY    each case against a server: a line `ok CASE`, or a traceback
    peer.py refused HOST PORT       shows a wrong key: `ok` if it is refused
    peer.py server KEY              prints its port and serves; a line on stdin is a command, the end of stdin is the end
    peer.py worker HOST PORT KEY    takes numbers from one queue and puts products into the other, until it is told to end

Runs on every CPython from 3.8.
"""

import datetime
import enum
import queue
import sys
import threading
import time
from multiprocessing import AuthenticationError, current_process
from multiprocessing.managers import SyncManager

try:
    import numpy
except ImportError:
    numpy = None

PATIENCE = 60


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return type(other) is Point and (self.x, self.y) == (other.x, other.y)


class Colour(enum.Enum):
    RED = 1


def recursive():
    value = [1]
    value.append(value)
    return value


CASES = {
    "none": None,
    "int": -5,
    "large-int": 1 << 5000,
    "float": 1.5,
    "str": "put",
    "surrogate": "\udc80",
    "bytes": b"\0\xff",
    "list": [1, [2, "x"], {"k": (3,)}],
    "set": {1, 2},
    "class": Point(1, [2]),
    "shared": [Point(1, 2)] * 3,
    "enum": Colour.RED,
    "datetime": datetime.datetime(2026, 11, 24, 6, 55, tzinfo=datetime.timezone.utc),
    "recursive": recursive(),
    "mebibyte": bytes(range(256)) * (1 << 12),
    "five-mebibytes": b"\x2e" * (5 << 20),
    **({} if numpy is None else {"numpy": numpy.arange(1000.0).reshape(10, 100)}),
}


def same(case, value):
    if case == "recursive":
        return value[0] == 1 and value[1] is value
    if case == "shared":
        return value == CASES[case] and value[0] is value[1] is value[2]
    if case == "numpy":
        return value.dtype == CASES[case].dtype and (value == CASES[case]).all()
    return value == CASES[case]


class Manager(SyncManager):
    pass


def say(line):
    print(line, flush=True)


def check(case, holds):
    if not holds:
        raise AssertionError(case)
    say("ok " + case)


def connected(host, port, key):
    # A proxy that arrives in a message takes the key of the process, not of the manager.
    current_process().authkey = key
    for name in ("get_task_queue", "get_result_queue", "get_small_queue"):
        Manager.register(name)
    manager = Manager((host, int(port)), key)
    manager.connect()
    return manager


def raises(expected, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except expected:
        return True
    return False


def client(host, port, key):
    manager = connected(host, port, key)
    tasks, results = manager.get_task_queue(), manager.get_result_queue()
    for case, value in CASES.items():
        tasks.put(value)
        results.put(tasks.get(timeout=PATIENCE))
        check(case, same(case, results.get(timeout=PATIENCE)) and tasks.empty())
    tasks.put(item=Point(1, [2]), block=True, timeout=5)
    check("named-arguments", tasks.get(True, 5) == Point(1, [2]))
    start = time.monotonic()
    check("empty", raises(queue.Empty, tasks.get, timeout=0.05) and time.monotonic() - start >= 0.05)
    check("empty-at-once", raises(queue.Empty, tasks.get_nowait))
    small = manager.get_small_queue()
    small.put(1)
    check("full", raises(queue.Full, small.put, 2, timeout=0.05) and raises(queue.Full, small.put_nowait, 2))
    check("what-was-there-is-there", small.get() == 1 and small.qsize() == 0)
    # Before 3.9 stock cannot read an AutoProxy in a message.
    if sys.version_info >= (3, 9):
        tasks.put(tasks)
        again = tasks.get(timeout=PATIENCE)
        again.put("through itself")
        check("proxy-in-its-own-queue", tasks.get(timeout=PATIENCE) == "through itself")
    synchronized(manager)
    threads(tasks)
    say("done")


def synchronized(manager):
    names = manager.list(["a"])
    names.append(Point(3, 4))
    names += ["b"]
    check("list", len(names) == 3 and names[1] == Point(3, 4) and list(names)[2] == "b")
    counts = manager.dict(a=1)
    counts["p"] = Point(5, 6)
    check("dict", sorted(counts.keys()) == ["a", "p"] and counts.get("p") == Point(5, 6) and "z" not in counts)
    check("key-error", raises(KeyError, counts.__getitem__, "z"))
    space = manager.Namespace()
    space.x = Point(7, 8)
    check("namespace", space.x == Point(7, 8) and raises(AttributeError, getattr, space, "y"))
    value, array = manager.Value("i", 3), manager.Array("i", [1, 2])
    value.value += 1
    array[0] = 9
    check("value-and-array", value.value == 4 and list(array) == [9, 2])
    lock = manager.Lock()
    with lock:
        taken = []
        other = threading.Thread(target=lambda: taken.append(lock.acquire(False)))
        other.start()
        other.join(PATIENCE)
        check("lock", taken == [False])
    check("release-unlocked", raises(RuntimeError, lock.release))
    event = manager.Event()
    waited = []
    waiter = threading.Thread(target=lambda: waited.append(event.wait(PATIENCE)))
    waiter.start()
    event.set()
    waiter.join(PATIENCE)
    check("event", event.is_set() and waited == [True])


def threads(tasks):
    """Somebody who waits in one thread holds up nobody in another."""
    got = []
    waiter = threading.Thread(target=lambda: got.append(tasks.get(timeout=PATIENCE)))
    waiter.start()
    check("qsize-while-another-waits", tasks.qsize() == 0)
    tasks.put("woken")
    waiter.join(PATIENCE)
    check("threads", got == ["woken"])


def refused(host, port):
    start = time.monotonic()
    check("refused", raises(AuthenticationError, connected, host, port, b"another key"))
    check("in-time", time.monotonic() - start < PATIENCE)


def server(key):
    current_process().authkey = key
    queues = {"task": queue.Queue(), "result": queue.Queue(), "small": queue.Queue(1)}
    for name, shared in queues.items():
        Manager.register("get_%s_queue" % name, callable=lambda shared=shared: shared)
    manager = Manager(("127.0.0.1", 0), key)
    serving = manager.get_server()
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    say(serving.address[1])
    for command in sys.stdin:
        words = command.split()
        if words[0] == "fill":
            for case in CASES:
                queues["task"].put(CASES[case])
            say(len(CASES))
        elif words[0] == "check":
            for case in CASES:
                check(case, same(case, queues["result"].get(timeout=PATIENCE)))
            say("done")
        else:
            raise ValueError(command)


def worker(host, port, key):
    manager = connected(host, port, key)
    tasks, results = manager.get_task_queue(), manager.get_result_queue()
    while True:
        number = tasks.get(timeout=PATIENCE)
        if number is None:
            break
        results.put("%d * %d = %d" % (number, number, number * number))


if __name__ == "__main__":
    sides = {"client": client, "refused": refused, "server": server, "worker": worker}
    arguments = sys.argv[2:]
    if sys.argv[1] in ("client", "worker", "server"):
        arguments[-1] = arguments[-1].encode()
    sides[sys.argv[1]](*arguments)
