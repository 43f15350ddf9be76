"""`procession.Pool`: what it does as stock, what it does where stock hangs, and what it has beyond."""

import asyncio
import gc
import itertools
import multiprocessing
import multiprocessing.pool
import os
import pickle
import random
import signal
import sys
import threading
import warnings
import weakref
from concurrent.futures import CancelledError

import pytest
from waiting import PATIENCE, Word, all_end, until

import procession
from procession.pool import Pool, PoolBroken, TaskTimeout

@pytest.fixture
def pool(context):
    with context.Pool(2) as pool:
        yield pool


@pytest.fixture
def runs(tmp_path):
    with Word(tmp_path / "runs") as runs:
        yield runs


@pytest.fixture
def forked():
    """A pool of forked workers, for what does not depend on how they are started."""
    with procession.get_context("fork").Pool(2) as pool:
        yield pool


def forked_pool(*arguments, **options):
    return procession.get_context("fork").Pool(*arguments, **options)


def square(n):
    return n * n


def add(a, b=0, *, c=0):
    return a + b + c


def fail(text):
    raise ValueError(text)


def exits(code):
    os._exit(code)


def leaves(code):
    sys.exit(code)


def kills_itself(number):
    os.kill(os.getpid(), number)


def waits(begun):
    """Says that it runs, and runs until it is ended."""
    begun.say()
    threading.Event().wait()


def pid(_=None):
    return os.getpid()


class Unpicklable:
    def __reduce__(self):
        raise TypeError("not this one")


class NotUnpicklable:
    def __reduce__(self):
        return fail, ("not here",)


class PickyError(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def makes(kind, *arguments):
    return kind(*arguments)


def raises(kind, *arguments):
    raise kind(*arguments)


# As stock.


def test_map_has_the_results_in_order_for_every_chunksize(pool):
    expected = [n * n for n in range(200)]
    for chunksize in (None, 1, 7, 200, 999):
        assert pool.map(square, range(200), chunksize) == expected
        assert pool.map_async(square, range(200), chunksize).get() == expected
    assert list(pool.imap(square, range(200))) == expected
    assert list(pool.imap(square, iter(range(200)), 7)) == expected
    assert sorted(pool.imap_unordered(square, range(200), 7)) == expected
    assert pool.map(square, []) == []
    assert list(pool.imap(square, [])) == []


def test_arguments_come_as_they_were_given(pool):
    assert pool.apply(add, (1, 2), {"c": 3}) == 6
    assert pool.apply(add, [1]) == 1
    assert pool.apply_async(add, (1,), {"b": 5}).get() == 6
    assert pool.starmap(add, [(1, 2), [3, 4]], chunksize=1) == [3, 7]
    assert pool.starmap_async(add, zip(range(9), range(9))).get() == [2 * n for n in range(9)]


def test_an_exception_comes_with_its_traceback(forked):
    with pytest.raises(ValueError, match="on purpose") as raised:
        forked.apply(fail, ("on purpose",))
    cause = raised.value.__cause__
    assert type(cause) is multiprocessing.pool.RemoteTraceback
    assert "in fail" in str(cause)
    with pytest.raises(ValueError, match="0"):
        forked.map(fail, range(10))


def test_a_method_and_its_argument_share_what_they_shared(forked):
    shared = [1]
    assert forked.apply(Twin(shared).is_same, (shared,))


class Twin:
    def __init__(self, one):
        self.one = one

    def is_same(self, other):
        return self.one is other


def test_what_cannot_be_pickled_fails_its_call_and_no_other(forked):
    with pytest.raises(TypeError, match="not this one"):
        forked.apply_async(square, (Unpicklable(),)).get()
    with pytest.raises((pickle.PicklingError, AttributeError)):
        forked.apply_async(lambda: 1).get()
    with pytest.raises(multiprocessing.pool.MaybeEncodingError, match="not this one"):
        forked.apply(makes, (Unpicklable,))
    assert forked.apply(square, (3,)) == 9


def test_what_cannot_be_unpickled_fails_its_call_and_no_other(forked):
    with pytest.raises(ValueError, match="not here"):
        forked.apply(makes, (NotUnpicklable,))
    with pytest.raises(TypeError):
        forked.apply(raises, (PickyError, 1, 2))
    with pytest.raises(ValueError, match="not here"):
        forked.apply(square, (NotUnpicklable(),))
    errors = []
    result = forked.apply_async(makes, (NotUnpicklable,), error_callback=errors.append)
    with pytest.raises(ValueError, match="not here"):
        result.get()
    assert [str(error) for error in errors] == ["not here"]
    assert forked.apply(square, (3,)) == 9


def test_callbacks_are_called_before_the_result_is_ready(forked):
    seen = []
    assert forked.apply_async(square, (3,), callback=seen.append).get() == 9
    assert seen == [9]
    result = forked.map_async(fail, "ab", error_callback=seen.append)
    result.wait()
    assert not result.successful()
    assert len(seen) == 2 and isinstance(seen[1], ValueError)
    forked.apply_async(square, (4,), callback=seen.append)
    forked.close()
    forked.join()
    assert seen[2:] == [16]


def test_a_callback_that_raises_stops_nothing(forked, monkeypatch):
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: reported.append(str(told.exc_value)))
    assert forked.apply_async(square, (3,), callback=fail).get() == 9
    assert forked.apply_async(square, (4,), callback=reported.append).get() == 16
    assert reported == ["9", 16]


def test_a_result_knows_whether_it_is_there(forked):
    gate = procession.get_context("fork").Event()
    with forked_pool(1, initializer=keep, initargs=(gate,)) as pool:
        result = pool.apply_async(passes)
        assert not result.ready()
        with pytest.raises(ValueError, match="not ready"):
            result.successful()
        with pytest.raises(multiprocessing.TimeoutError):
            result.get(timeout=0.01)
        assert len(pool._cache) == 1
        gate.set()
        assert result.get() is True
        assert result.ready() and result.successful()
        assert result.get() is result.get()
        assert not pool._cache


def keep(gate):
    global GATE
    GATE = gate


def passes(_=None):
    return GATE.wait()


def test_it_refuses_what_stock_refuses(forked):
    with pytest.raises(ValueError, match="Number of processes must be at least 1"):
        Pool(0)
    with pytest.raises(ValueError, match="maxtasksperchild must be a positive int or None"):
        Pool(1, maxtasksperchild=0)
    with pytest.raises(TypeError, match="initializer must be a callable"):
        Pool(1, initializer=1)
    for wrong in ({"retries": -1}, {"task_timeout": 0}, {"max_memory_per_child": "1G"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Pool(1, **wrong)
    with pytest.raises(TypeError, match="serializer"):
        Pool(1, serializer=1)
    with pytest.raises(ValueError, match="Chunksize must be 1"):
        forked.imap(square, [1], 0)
    with pytest.raises(NotImplementedError, match="pool objects cannot be passed"):
        pickle.dumps(forked)
    with pytest.raises(ValueError, match="Pool is still running"):
        forked.join()
    forked.close()
    with pytest.raises(ValueError, match="Pool not running"):
        forked.apply(square, (1,))
    with pytest.raises(ValueError, match="Pool not running"), forked:
        pass


def test_it_is_a_pool_of_stock(forked):
    assert isinstance(forked, multiprocessing.pool.Pool)
    assert isinstance(forked.apply_async(square, (1,)), multiprocessing.pool.AsyncResult)
    assert isinstance(forked.map_async(square, (1,)), multiprocessing.pool.MapResult)
    assert isinstance(forked.imap(square, (1,)), multiprocessing.pool.IMapIterator)
    assert repr(forked) == "<procession.pool.Pool state=RUN pool_size=2>"
    assert [worker.is_alive() for worker in forked._pool] == [True, True]
    assert [worker.daemon for worker in forked._pool] == [True, True]
    assert all("PoolWorker" in worker.name for worker in forked._pool)


def test_a_pool_that_is_forgotten_says_so_and_ends():
    pool = forked_pool(1)
    workers, gone = list(pool._pool), weakref.ref(pool)
    with pytest.warns(ResourceWarning, match="unclosed running multiprocessing pool"):
        del pool
        gc.collect()
    assert gone() is None
    assert not any(worker.is_alive() for worker in workers)


def test_workers_are_replaced_after_their_number_of_tasks(context):
    with context.Pool(1, maxtasksperchild=2) as pool:
        pids = [pool.apply(pid) for _ in range(6)]
    assert [len(list(group)) for _, group in itertools.groupby(pids)] == [2, 2, 2]


def test_an_iterable_that_raises_fails_behind_what_it_gave(forked):
    def items():
        yield from range(3)
        raise KeyError("over")

    results = forked.imap(square, items())
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    with pytest.raises(KeyError, match="over"):
        next(results)
    with pytest.raises(StopIteration):
        next(results)
    with pytest.raises(KeyError, match="over"):
        forked.map(square, items())


def test_an_imap_waits_for_its_items_without_holding_anybody_up(forked):
    given = []
    more = threading.Semaphore(1)

    def items():
        for n in itertools.count():
            more.acquire()
            given.append(n)
            yield n

    results = forked.imap(square, items())
    for n in range(20):
        assert next(results) == n * n
        assert forked.apply(square, (n,)) == n * n
        more.release()
    forked.terminate()


def test_an_imap_without_end_is_taken_a_bounded_number_ahead():
    taken, feeding = itertools.count(), threading.Event()

    def items():
        feeding.set()
        yield from (next(taken) for _ in itertools.count())

    gate = procession.get_context("fork").Event()
    with forked_pool(1, initializer=keep, initargs=(gate,)) as pool:
        results = pool.imap(passes, items())
        assert feeding.wait(PATIENCE)
        gate.set()
        assert [next(results) for _ in range(100)] == [True] * 100
        pool.terminate()
        assert next(taken) < 1_000_000


def test_what_was_submitted_is_done_when_the_pool_is_closed(forked):
    results = forked.imap(square, iter(range(10_000)))
    forked.close()
    forked.join()
    assert list(results) == [n * n for n in range(10_000)]


def test_many_threads_use_one_pool(forked):
    found = []

    def use(start):
        numbers = range(start, start + 200)
        found.append([forked.apply(square, (n,)) for n in numbers] == [n * n for n in numbers])
        found.append(forked.map(square, numbers, 3) == [n * n for n in numbers])

    threads = [threading.Thread(target=use, args=(n * 1000,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 16


def test_large_arguments_and_results_come_whole(forked):
    large = [bytes([n]) * (1 << 20) for n in range(40)]
    assert forked.map(bytes, large, chunksize=1) == large
    assert forked.apply(list, (range(200_000),)) == list(range(200_000))


def test_neither_arguments_nor_results_are_kept(forked):
    results = forked.map(makes, [Counted], chunksize=1)
    assert isinstance(results[0], Counted)
    del results
    gc.collect()
    assert not Counted.alive


class Counted:
    alive = weakref.WeakSet()

    def __init__(self):
        self.alive.add(self)

    def __setstate__(self, state):
        self.alive.add(self)


# Where stock hangs.


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


# Beyond stock.


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
