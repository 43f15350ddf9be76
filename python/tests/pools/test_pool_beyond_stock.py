"""`procession.Pool`: what it has beyond stock."""

import asyncio
import multiprocessing
import multiprocessing.connection
import os
import threading
import warnings
from concurrent.futures import CancelledError

import pytest
from pooled import exits, forked_pool, pid, square, waits
from waiting import PATIENCE, Word

import procession
from procession.pool import TaskTimeout


def test_a_task_is_tried_again_when_its_worker_died(tmp_path):
    mark = tmp_path / "tried"
    with forked_pool(2, retries=1) as pool:
        assert pool.apply(dies_once, (str(mark),)) == "second"
        with pytest.raises(procession.WorkerLost):
            pool.apply(exits, (1,))


def dies_once(path):
    if os.path.exists(path):
        return "second"
    open(path, "w").close()
    os._exit(1)


def test_a_task_that_runs_too_long_is_ended_and_no_other(runs):
    # Far more than the others take, also where they have to wait for a processor.
    with forked_pool(2, task_timeout=2) as pool:
        long = pool.apply_async(waits, (runs,))
        short = [pool.apply_async(square, (n,)) for n in range(500)]
        with pytest.raises(TaskTimeout, match="longer than 2 s") as raised:
            long.get()
        assert isinstance(raised.value, TimeoutError)
        assert [result.get() for result in short] == [n * n for n in range(500)]


def test_a_worker_that_has_grown_is_replaced():
    with forked_pool(1, max_memory_per_child=1) as pool:
        assert len({pool.apply(pid) for _ in range(3)}) == 3
    with forked_pool(1, max_memory_per_child=1 << 40) as pool:
        assert len({pool.apply(pid) for _ in range(3)}) == 1


def test_progress_is_told_up_to_the_total():
    told = []
    with forked_pool(2, progress=lambda ended, total: told.append((ended, total))) as pool:
        pool.map(square, range(100), chunksize=3)
        assert told[-1] == (100, 100)
        assert [ended for ended, _ in told] == sorted(ended for ended, _ in told)
        list(pool.imap(square, iter(range(10))))
        assert told[-1] == (10, None)


def test_progress_is_shown(capfd):
    with forked_pool(1, progress=True) as pool:
        pool.map(square, range(10))
    assert "10/10" in capfd.readouterr().err
    pytest.importorskip("tqdm")
    with forked_pool(1, progress="tqdm") as pool:
        pool.map(square, range(10))
    assert "10/10" in capfd.readouterr().err


def test_cloudpickle_sends_lambdas_and_closures(context):
    pytest.importorskip("cloudpickle")
    base = 10
    with context.Pool(2, serializer="cloudpickle") as pool:
        assert pool.map(lambda n: n + base, range(5), chunksize=1) == [10, 11, 12, 13, 14]
        assert pool.apply(lambda: (lambda n: 2 * n))(4) == 8


def test_a_task_can_be_taken_back(runs, tmp_path):
    with Word(tmp_path / "never") as never, forked_pool(1) as pool:
        running = pool.apply_async(waits, (runs,))
        queued = pool.apply_async(waits, (never,))
        behind = pool.apply_async(square, (3,))
        runs.hear()
        assert queued.cancel()
        assert running.cancel()
        for cancelled in (queued, running):
            assert not cancelled.cancel()
            with pytest.raises(CancelledError):
                cancelled.get()
        assert behind.get() == 9
        assert not behind.cancel()
        assert not never.is_said()


def test_results_can_be_awaited_without_a_thread_each(forked):
    async def work():
        before = set(threading.enumerate())
        results = [forked.apply_async(square, (n,)) for n in range(100)]
        squares = await asyncio.gather(*(wrapped(result) for result in results))
        assert set(threading.enumerate()) <= before
        with pytest.raises(procession.WorkerLost):
            await forked.apply_async(exits, (1,))
        return squares, await forked.map_async(square, range(5))

    async def wrapped(result):
        return await result

    assert asyncio.run(work()) == ([n * n for n in range(100)], [0, 1, 4, 9, 16])


def test_installed_it_is_what_multiprocessing_makes(run, method):
    assert run(
        """
        import os
        import procession
        procession.install()
        import multiprocessing
        if __name__ == "__main__":
            multiprocessing.set_start_method(os.environ["METHOD"])
            with multiprocessing.Pool(2) as pool:
                print(type(pool).__module__, pool.map(abs, [-1, 2]))
        """,
        method=method,
    ) == "procession.pool [1, 2]\n"


def test_no_warning_that_stock_would_not_give():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with forked_pool(2) as pool:
            assert pool.map(square, range(3)) == [0, 1, 4]
        pool.join()


def test_a_closed_pool_comes_to_its_end_without_anybody_waiting(context):
    pool = context.Pool(2)
    workers = list(pool._pool)
    results = [pool.apply_async(square, (n,)) for n in range(100)]
    pool.close()
    assert all(multiprocessing.connection.wait([worker.sentinel], PATIENCE) for worker in workers)
    assert [result.get() for result in results] == [n * n for n in range(100)]
