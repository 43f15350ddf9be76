"""Objects that the manager's clients on this machine use in shared memory."""

import multiprocessing
import pickle
import subprocess
import sys

from managed import KEY, OurManager

import procession


def test_objects_of_a_manager_here_are_used_in_shared_memory(ours):
    near = [ours.Queue(), ours.JoinableQueue(), ours.Lock(), ours.Value("i", 1), ours.Array("i", [1])]
    far = [ours.RLock(), ours.Semaphore(), ours.list(), ours.dict(), ours.Event(), ours.Counter()]
    assert [proxy._is_near for proxy in near + far] == [True] * len(near) + [False] * len(far)
    jobs = near[0]
    jobs.put(jobs)
    assert jobs.get()._is_near
    with near[2]:
        assert near[2].acquire(False) is False
        assert near[2].acquire(True, 0.01) is False
    near[3].value += 1
    near[4][0] += 1
    assert (near[3].value, near[4][0], len(near[4])) == (2, 2, 1)


def work(jobs, results, lock, total):
    while (job := jobs.get()) is not None:
        with lock:
            total.value += job
        results.put(job)


STOCK_WORKER = """
import pickle, sys
from multiprocessing import current_process
current_process().authkey = b"secret"
jobs, results, lock, total = pickle.load(sys.stdin.buffer)
while (job := jobs.get()) is not None:
    with lock:
        total.value += job
    results.put(job)
"""


def test_stock_and_sharing_clients_use_the_same_objects(method):
    context = procession.get_context(method)
    with OurManager(authkey=KEY, ctx=multiprocessing.get_context("fork")) as manager:
        jobs, results, lock = manager.Queue(), manager.Queue(), manager.Lock()
        total = manager.Value("i", 0)
        ours = [context.Process(target=work, args=(jobs, results, lock, total)) for _ in range(2)]
        for worker in ours:
            worker.start()
        stock = subprocess.Popen([sys.executable, "-c", STOCK_WORKER], stdin=subprocess.PIPE)
        stock.stdin.write(pickle.dumps((jobs, results, lock, total)))
        stock.stdin.close()
        for job in range(300):
            jobs.put(job)
        for _ in range(3):
            jobs.put(None)
        assert stock.wait(60) == 0
        for worker in ours:
            worker.join(60)
        assert sorted(results.get(timeout=30) for _ in range(300)) == list(range(300))
        assert (total.value, results.empty(), jobs.empty()) == (sum(range(300)), True, True)
