"""`procession.Pool` where stock hangs: workers that end, initializers that fail, parents that are killed."""

import multiprocessing
import multiprocessing.pool
import os
import random
import signal

import pytest
from pooled import exits, fail, forked_pool, kills_itself, leaves, square, waits
from waiting import all_end, until

import procession
from procession.pool import PoolBroken


@pytest.mark.parametrize(
    ("call", "exitcode"),
    [((exits, (7,)), 7), ((leaves, (5,)), 5), ((leaves, ()), 0), ((kills_itself, (9,)), -9)],
)
def test_a_worker_that_ends_fails_exactly_its_task(context, call, exitcode):
    function, arguments = call
    arguments = arguments or (None,)
    with context.Pool(2) as pool:
        before = [pool.apply_async(square, (n,)) for n in range(50)]
        lost = pool.apply_async(function, arguments)
        behind = [pool.apply_async(square, (n,)) for n in range(50)]
        with pytest.raises(procession.WorkerLost) as raised:
            lost.get()
        assert raised.value.exitcode == exitcode
        assert isinstance(raised.value, multiprocessing.ProcessError)
        assert [result.get() for result in before + behind] == [n * n for n in range(50)] * 2
        until(lambda: len(pool._pool) == 2)


def test_workers_killed_at_random_cost_their_tasks_and_nothing_else():
    random.seed(3)
    with forked_pool(3) as pool:
        results = [pool.apply_async(spins, (n,)) for n in range(1500)]
        kills = 0
        while kills == 0 or not all(result.ready() for result in results):
            kills += kill_one(pool)
            next((result for result in results if not result.ready()), results[-1]).wait(0.02)
        lost = 0
        for n, result in enumerate(results):
            try:
                assert result.get() == n * n
            except procession.WorkerLost as error:
                assert error.exitcode == -signal.SIGKILL
                lost += 1
        assert kills > 0
        assert lost <= kills
        assert pool.map(square, range(100)) == [n * n for n in range(100)]


def kill_one(pool):
    """Kills a worker, if there is one; how many."""
    workers = [worker for worker in pool._pool[:] if worker.is_alive()]
    for worker in random.sample(workers, min(1, len(workers))):
        worker.kill()
        return 1
    return 0


def spins(n):
    for _ in range(3000):
        pass
    return n * n


def test_tasks_of_workers_killed_at_random_are_tried_again():
    random.seed(5)
    with forked_pool(3, retries=1000) as pool:
        result = pool.map_async(spins, range(1500), chunksize=1)
        while not result.ready():
            kill_one(pool)
            result.wait(0.02)
        assert result.get() == [n * n for n in range(1500)]


def test_an_initializer_that_raises_ends_the_pool_with_its_text(context):
    pool = context.Pool(2, initializer=fail, initargs=("cannot begin",))
    with pytest.raises(PoolBroken, match="cannot begin"):
        pool.apply_async(square, (1,)).get()
    with pytest.raises(PoolBroken, match="cannot begin"):
        pool.apply(square, (1,))
    pool.terminate()
    pool.join()


def test_an_initializer_that_ends_its_workers_ends_the_pool():
    pool = forked_pool(2, initializer=exits, initargs=(3,))
    with pytest.raises(PoolBroken, match="exit code 3"):
        pool.apply_async(square, (1,)).get()
    pool.close()
    pool.join()


def test_terminate_ends_what_runs_and_says_so(forked, runs):
    result = forked.apply_async(waits, (runs,))
    runs.hear()
    workers = list(forked._pool)
    forked.terminate()
    with pytest.raises(PoolBroken, match="terminated"):
        result.get()
    forked.join()
    assert not any(worker.is_alive() for worker in workers)


def test_workers_end_with_a_parent_that_is_killed(run, method):
    pids = run(
        """
        import os, signal
        import procession
        if __name__ == "__main__":
            pool = procession.get_context(os.environ["METHOD"]).Pool(3)
            pool.map(abs, range(10))
            print(*[worker.pid for worker in pool._pool], flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        method=method,
        status=-signal.SIGKILL,
    ).split()
    assert len(pids) == 3
    assert all_end(map(int, pids))


def test_a_fork_of_the_pools_process_leaves_the_pool_alone(forked):
    child = os.fork()
    if child == 0:
        try:
            forked.apply(square, (3,))
        except ValueError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert forked.map(square, range(5)) == [0, 1, 4, 9, 16]


def test_a_worker_may_not_have_children_that_are_daemons_but_a_pool_of_threads(forked):
    assert forked.apply(with_threads, (5,)) == [0, 1, 4, 9, 16]


def with_threads(n):
    with multiprocessing.pool.ThreadPool(2) as threads:
        return threads.map(square, range(n))


def test_nothing_is_left_of_a_pool(run, method):
    assert run(
        """
        import multiprocessing, os
        import procession
        if __name__ == "__main__":
            context = procession.get_context(os.environ["METHOD"])
            def cycle():
                with context.Pool(2) as pool:
                    pool.map(abs, range(100))
                pool.join()
            cycle()
            before = len(os.listdir("/proc/self/fd"))
            for _ in range(5):
                cycle()
            print(len(os.listdir("/proc/self/fd")) - before, multiprocessing.active_children())
        """,
        method=method,
    ) == "0 []\n"
