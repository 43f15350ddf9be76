"""Two processes count with one value, one after the other. The tutorial's `09_lock.py`."""

import time
from typing import Any

import procession as mp

from .say import say


def job(l: Any, v: Any, num: int) -> None:
    with l:
        for _ in range(10):
            # The sleep is the work here; nothing is waited for.
            time.sleep(0.1)
            v.value += num
            say(v.value)


def run() -> None:
    l = mp.Lock()
    v = mp.Value("i", 0)
    p1 = mp.Process(target=job, args=(l, v, 1))
    p2 = mp.Process(target=job, args=(l, v, 3))
    p1.start()
    p2.start()
    p1.join()
    p2.join()
    say("End")
