"""`Pool(4)` and `apply_async`. The tutorial's `03_pool.py`."""

import os
import random
import time

import procession as mp

from .say import say

#: The tutorial has 3 seconds.
LONG_TIME = 1.5


def long_time_task(name: int) -> None:
    say(f"Run child process {name} ({os.getpid()})")
    start = time.time()
    # The sleep is the work here; nothing is waited for.
    time.sleep(random.random() * LONG_TIME)
    end = time.time()
    say(f"Task {name} runs {end - start:0.2f} seconds.")


def run() -> None:
    say(f"Parent process {os.getpid()}.")
    p = mp.Pool(4)
    tasks = [p.apply_async(long_time_task, args=(i,)) for i in range(5)]
    say("Waiting for subprocessing done...")
    p.close()
    p.join()
    # Beyond the tutorial: a task that failed says so, where it would be lost.
    for task in tasks:
        task.get()
    say("All subprocessing done")
