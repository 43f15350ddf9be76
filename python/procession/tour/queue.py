"""One process writes, one reads. The tutorial's `06_queue.py`."""

import os
import random
import time
from typing import TYPE_CHECKING

import procession as mp

from .say import say

if TYPE_CHECKING:
    from procession.queues import JoinableQueue

#: The tutorial has 1 second.
PAUSE = 0.4


def write(q: "JoinableQueue[str]") -> None:
    say(f"Process to write: {os.getpid()}")
    for value in ["A", "B", "C"]:
        say(f"Put {value} to queue...")
        q.put(value)
        # The sleep is the work here; nothing is waited for.
        time.sleep(random.random() * PAUSE)


def read(q: "JoinableQueue[str]") -> None:
    say(f"Process to read: {os.getpid()}")
    while True:
        value = q.get(True)
        say(f"Get {value} from queue.")
        q.task_done()


def run() -> None:
    q: JoinableQueue[str] = mp.JoinableQueue(report_lost=True)
    pw = mp.Process(target=write, args=(q,))
    pr = mp.Process(target=read, args=(q,))
    pw.start()
    pr.start()
    pw.join()
    # The tutorial's `Queue` may lose the last line here; a `JoinableQueue` knows when all is read, and
    # `report_lost` that somebody was killed who read.
    q.join()
    # The reader's loop has no end, so it cannot be waited for: it is terminated.
    pr.terminate()
    pr.join()
