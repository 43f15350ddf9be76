"""One process serves, and others work for it. The tutorial's `07_manager_master.py` and `07_manager_worker.py`."""

import queue
import random
from typing import TYPE_CHECKING, Any

import procession as mp
from procession.managers import BaseManager

from .say import say

#: How long a worker waits for one more task, in seconds. The tutorial's has 2.
PATIENCE = 0.5
WORKERS = 2

task_queue: "queue.Queue[int]" = queue.Queue()
result_queue: "queue.Queue[str]" = queue.Queue()


def give_task_queue() -> "queue.Queue[int]":
    return task_queue


def give_result_queue() -> "queue.Queue[str]":
    return result_queue


class QueueManager(BaseManager):
    if TYPE_CHECKING:
        # What `register` makes.
        def get_task_queue(self, /, *args: Any, **kwds: Any) -> "queue.Queue[int]": ...
        def get_result_queue(self, /, *args: Any, **kwds: Any) -> "queue.Queue[str]": ...


QueueManager.register("get_task_queue", callable=give_task_queue)
QueueManager.register("get_result_queue", callable=give_result_queue)


def work(address: Any, authkey: bytes) -> None:
    # The tutorial's other machine; here it is another process, which comes over the network, too.
    manager = QueueManager(address=address, authkey=authkey)
    manager.connect()
    task = manager.get_task_queue()
    result = manager.get_result_queue()
    while True:
        try:
            n = task.get(timeout=PATIENCE)
        except queue.Empty:
            break
        result.put(f"{n} * {n} = {n * n}")
    say("worker exit")


def run() -> None:
    # The tutorial's port is 8888, which may be taken.
    manager = QueueManager(address=("127.0.0.1", 0), authkey=b"abc")
    manager.start()
    task = manager.get_task_queue()
    result = manager.get_result_queue()
    workers = [mp.Process(target=work, args=(manager.address, b"abc")) for _ in range(WORKERS)]
    for _ in range(10):
        n = random.randint(0, 100000)
        say(f"Put task {n}...")
        task.put(n)
    for worker in workers:
        worker.start()
    say("Try get result...")
    for _ in range(10):
        r = result.get(timeout=10)
        say(f"Redult,{r}:")
    for worker in workers:
        worker.join()
    manager.shutdown()
    say("master exit")
