"""A Python program that has Rust work for it: `rust_worker.py PROGRAM` counts the primes below a million.

PROGRAM is the Rust program `examples/rust/rust_worker.rs`, which two processes run. They share a queue, a value and
an array with this one, as a Python process would.
"""

import sys

import procession as mp
from procession.queues import Queue
from procession.rust import RustProcess

END = 1_000_000
STEP = 50_000
WORKERS = 2


def main(program: str) -> None:
    ranges: Queue[dict[str, int] | None] = mp.Queue()
    total = mp.Value("l", 0)
    found = mp.Array("L", WORKERS)
    workers = [
        RustProcess(program, "count", (number, ranges, total, found)) for number in range(WORKERS)
    ]
    for worker in workers:
        worker.start()

    for first in range(0, END, STEP):
        ranges.put({"first": first, "end": first + STEP})
    for _ in workers:
        ranges.put(None)

    for worker in workers:
        match worker.result():
            case {"Ok": done}:
                print(f"{worker.name} has counted in {done} ranges")
            case {"Err": why}:
                sys.exit(f"{worker.name}: {why}")
    print(f"{total.value} primes below {END}")
    assert total.value == sum(found[:]) == 78498


if __name__ == "__main__":
    main(sys.argv[1])
