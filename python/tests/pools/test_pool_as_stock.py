"""`procession.Pool`: what it does as stock."""

import gc
import itertools
import multiprocessing
import multiprocessing.pool
import pickle
import sys
import threading
import weakref

import pytest
from pooled import NotUnpicklable, PickyError, Unpicklable, add, fail, forked_pool, makes, pid, raises, square
from waiting import PATIENCE

import procession
from procession.pool import Pool


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
