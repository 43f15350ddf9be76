"""The table: what is measured, with whom, and what is to be reached.

A target says how many times as fast as the peer procession has to be; `said` is how it was set where that
is another word for the same.
"""

from dataclasses import dataclass, field

from .figure import PER_SECOND, SECONDS
from .sides import FUTURES, OURS, STOCK


@dataclass(frozen=True)
class Target:
    """So many times as fast as the peer."""

    factor: float
    said: str = ""


@dataclass(frozen=True)
class Row:
    """One kind of work. `peers` has everybody else who does it, with the target or None."""

    name: str
    work: str
    unit: object
    run: str
    count: int
    peers: dict = field(default_factory=dict)
    #: Where a peer has no such thing: what one does there instead, or what nobody can be faster than.
    instead: dict = field(default_factory=dict)


def queue_peers(stock, others=10):
    names = ("faster-fifo", "billiard", "multiprocess")
    return {STOCK: Target(stock), **{name: others and Target(others) for name in names}}


def relatives(stock):
    """Those that have everything that stock has."""
    return {STOCK: Target(stock), "billiard": None, "multiprocess": None}


AHEAD = Target(1, "ahead")
TENTH = Target(10, "0.1× its time")
LISTS = f"{STOCK}, lists of 100"
ONE_COPY = "a copy, one process"
TOLIST = "array.array, one process"

ROWS = (
    Row("queue-int", "Queue, small ints", PER_SECOND, "queues.ints", 2000, queue_peers(20)),
    Row("queue-kib", "Queue, 1 KiB of bytes", PER_SECOND, "queues.kib", 2000, queue_peers(15)),
    Row("queue-dict", "Queue, a dict of 5", PER_SECOND, "queues.dicts", 2000, queue_peers(8)),
    Row("queue-object", "Queue, an object of an ordinary class", PER_SECOND, "queues.objects", 2000,
        queue_peers(5, None)),
    Row("queue-slots", "Queue, an object with slots", PER_SECOND, "queues.slots", 2000, queue_peers(5, None)),
    Row("queue-pickled", "Queue, an object that only pickle knows", PER_SECOND, "queues.pickled", 2000,
        queue_peers(5, None)),
    Row("queue-unbounded", "Queue without bound, small ints", PER_SECOND, "queues.ints_without_bound", 2000,
        {STOCK: None, "billiard": None, "multiprocess": None}),
    Row("queue-batch", "Queue, small ints in batches of 100", PER_SECOND, "queues.batches", 20_000,
        {STOCK: Target(150), LISTS: None, "faster-fifo": Target(80)},
        {STOCK: "queues.ints", LISTS: "queues.lists"}),
    Row("queue-4-4", "Queue, small ints, 4 producers, 4 consumers", PER_SECOND, "queues.many_to_many", 2000,
        queue_peers(20, None)),
    Row("queue-mib", "Queue, 1 MiB of bytes", PER_SECOND, "queues.mib", 16,
        {**queue_peers(12, None), ONE_COPY: None}, {ONE_COPY: "copies.mib"}),
    Row("queue-array", "Queue, numpy array of 100 MB, received and looked at", PER_SECOND, "queues.array", 1,
        {**queue_peers(15, None), ONE_COPY: None}, {ONE_COPY: "copies.array"}),
    Row("queue-ping-pong", "ping-pong through two queues, p50", SECONDS, "queues.ping_pong", 500,
        {STOCK: TENTH, "faster-fifo": None, "billiard": None, "multiprocess": None}),
    Row("pool-one", "Pool.map, no-op, chunksize=1", PER_SECOND, "pools.one_by_one", 500,
        {STOCK: Target(8), FUTURES: AHEAD, "billiard": AHEAD, "multiprocess": AHEAD, "loky": AHEAD,
         "joblib": AHEAD, "mpire": AHEAD, "pebble": AHEAD}),
    Row("pool-auto", "Pool.map, no-op, chunks chosen by the pool", PER_SECOND, "pools.chunks", 5000,
        {STOCK: Target(1.2), "billiard": AHEAD, "multiprocess": AHEAD, "joblib": AHEAD, "mpire": AHEAD}),
    Row("pool-call", "Pool.apply, there and back, p50", SECONDS, "pools.call", 200,
        {STOCK: TENTH, FUTURES: None, "billiard": None, "multiprocess": None, "loky": None, "mpire": None,
         "pebble": None}),
    Row("value-add", "with v.get_lock(): v.value += 1", SECONDS, "shared.add", 5000, relatives(3.5)),
    Row("array-item", "array[5]", SECONDS, "shared.item", 5000, relatives(8)),
    Row("array-items", "array[:] of 1000", SECONDS, "shared.items", 500,
        {**relatives(3), TOLIST: None}, {TOLIST: "copies.items"}),
    Row("lock", "with lock: pass", SECONDS, "shared.lock", 5000, relatives(2)),
    Row("pipe-int", "Pipe, small ints", PER_SECOND, "pipes.ints", 2000, relatives(2.5)),
    Row("manager-near", "Manager().Queue(), put and get in turn, on the manager's host, p50", SECONDS, "managers.near", 500,
        {STOCK: Target(50)}),
    Row("manager-turns", "the same over TCP", SECONDS, "managers.turns", 500,
        {STOCK: Target(1 / 0.7, "0.7× its time")}),
    Row("manager-stock-client", "the same on the manager's host with a stock client", SECONDS, "managers.stock_turns", 500,
        {STOCK: Target(1, "not slower")}),
    Row("manager-many", "Manager().Queue(), put and get, 16 clients at once, calls", PER_SECOND, "managers.many", 3200,
        {STOCK: Target(8)}),
    Row("manager-making", "a Manager's object and its proxy, made and dropped, p50", SECONDS, "managers.making", 100,
        {STOCK: Target(1 / 0.3, "0.3× its time")}),
    Row("manager-cpu-near", "CPU time of the manager's process for one call on its host", SECONDS, "managers.cpu_near", 500,
        {STOCK: TENTH}),
    Row("manager-cpu", "the same over TCP", SECONDS, "managers.cpu", 500,
        {STOCK: TENTH}),
    Row("import", "import, in a new interpreter, p50", SECONDS, "imports.first", 5,
        {STOCK: Target(1 / 1.2, "1.2× its time")}),
)  # fmt: skip


def function(row, peer):
    """What a peer runs, and as which side; `peer` None is ours."""
    if peer in row.instead:
        return row.instead[peer], STOCK
    return row.run, OURS if peer is None else peer
