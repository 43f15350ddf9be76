"""Large buffers through pools: written once into shared memory, of which the receiver has a view, and given back."""

import gc
import os
import signal
import threading
from concurrent.futures import CancelledError

import pytest
from waiting import Word, until

import procession
from procession import _core
from procession.lost import TaskTimeout, WorkerLost

numpy = pytest.importorskip("numpy")

#: Elements of an array that is large, and its bytes.
MANY = 100_000
LARGE = MANY * 8


def is_view(array):
    """Whether the array's memory lies in the arena, and is neither its own nor that of some other object."""
    if array.flags.owndata:
        return False
    address = array.ctypes.data
    with open("/proc/self/maps") as maps:
        for line in maps:
            start, end = (int(it, 16) for it in line.split()[0].split("-"))
            if start <= address < end:
                return "memfd:procession" in line
    return False


def ask_view(array):
    """What the worker got, and what it sends: an array that holds whether that was a view, and its sum."""
    answer = numpy.zeros(MANY)
    answer[:2] = is_view(array), array.sum()
    return answer


def ask_views(first, second):
    return ask_view(first) + ask_view(second)


def is_right(answer, total, views=1):
    return is_view(answer) and answer[0] == views and answer[1] == total


class Memory:
    """How much shared memory was in use before, to a few pages of the books."""

    def __init__(self):
        gc.collect()
        self.before = _core.memory_in_use()

    def is_back(self):
        return _core.memory_in_use() < self.before + LARGE // 2

    def comes_back(self):
        """Waits for that: another process gives memory back when it comes to it, or is buried, and nothing tells."""
        gc.collect()
        until(self.is_back, "the memory is not back")


@pytest.fixture
def begun(tmp_path):
    with Word(tmp_path / "begun") as begun:
        yield begun


@pytest.fixture
def pool(method):
    with procession.get_context(method).Pool(2) as pool:
        pool.map(abs, range(10))
        yield pool


@pytest.fixture
def forked():
    with procession.get_context("fork").Pool(2) as pool:
        pool.map(abs, range(10))
        yield pool


@pytest.fixture
def executor(method):
    with procession.ProcessPoolExecutor(2, procession.get_context(method)) as executor:
        executor.submit(abs, 1).result()
        yield executor


#: Every way in: what it returns is a list of answers, of one array of ones each.
POOL_WAYS = {
    "apply": lambda pool, array: [pool.apply(ask_view, (array,))],
    "apply by name": lambda pool, array: [pool.apply(ask_view, (), {"array": array})],
    "apply_async": lambda pool, array: [pool.apply_async(ask_view, (array,)).get()],
    "map": lambda pool, array: pool.map(ask_view, [array] * 5, 1),
    "map in chunks": lambda pool, array: pool.map(ask_view, [array] * 5, 3),
    "map_async": lambda pool, array: pool.map_async(ask_view, [array] * 5, 2).get(),
    "imap": lambda pool, array: list(pool.imap(ask_view, iter([array] * 5))),
    "imap_unordered": lambda pool, array: list(pool.imap_unordered(ask_view, [array] * 5, 2)),
}


@pytest.mark.parametrize("way", POOL_WAYS)
def test_arguments_and_results_of_a_pool_are_views(pool, way):
    memory = Memory()
    answers = POOL_WAYS[way](pool, numpy.ones(MANY))
    assert answers and all(is_right(answer, MANY) for answer in answers)
    del answers
    memory.comes_back()


def test_each_of_several_arguments_is_a_view(pool):
    memory = Memory()
    pair = numpy.ones(MANY), numpy.full(MANY, 2.0)
    assert all(is_right(it, 3 * MANY, views=2) for it in pool.starmap(ask_views, [pair] * 3, 2))
    memory.comes_back()


def test_arguments_and_results_of_an_executor_are_views(executor):
    memory = Memory()
    array = numpy.ones(MANY)
    assert is_right(executor.submit(ask_view, array).result(), MANY)
    assert all(is_right(it, MANY) for it in executor.map(ask_view, [array] * 5, chunksize=2))
    memory.comes_back()


def test_the_function_itself_may_be_large(forked):
    memory = Memory()
    array = numpy.full(MANY, 3.0)
    assert forked.map(array.__contains__, [3.0, 4.0], 1) == [True, False]
    memory.comes_back()


def change(array):
    array[:] = 7
    return array


def test_what_a_worker_writes_is_its_own_until_it_sends_it(forked):
    array = numpy.ones(MANY)
    assert (forked.apply(change, (array,)) == 7).all()
    assert (array == 1).all()


def is_writable(buffer):
    return not memoryview(buffer).readonly


def test_what_was_read_only_stays_so(forked):
    array = numpy.ones(MANY)
    assert forked.apply(is_writable, (array,))
    array.flags.writeable = False
    assert not forked.apply(is_writable, (array,))


def repeat(kind, count):
    return kind(count)


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_large_bytes_are_what_they_were(forked, kind):
    memory = Memory()
    data = kind(os.urandom(1 << 20))
    assert forked.apply(echo, (data,)) == data
    assert forked.map(echo, [data, data], 1) == [data, data]
    assert type(forked.apply(repeat, (kind, 1 << 20))) is kind
    memory.comes_back()


def echo(value):
    return value


def test_a_result_outlives_its_pool():
    memory = Memory()
    with procession.get_context("fork").Pool(1) as pool:
        result = pool.apply(echo, (numpy.arange(MANY),))
        part = result[5:10]
    del pool, result
    assert part.tolist() == [5, 6, 7, 8, 9] and not memory.is_back()
    del part
    memory.comes_back()


def dies(array, flag=None):
    """Writes to its argument and is killed, the first time."""
    array[:] = -1
    if flag is None or not os.path.exists(flag):
        if flag is not None:
            open(flag, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return is_view(array)


def sums(array, flag):
    """As `dies`, but returns what it got, if it was let."""
    total = array.sum()
    dies(array, flag)
    return total


def test_what_a_killed_worker_had_goes_back(pool):
    memory = Memory()
    with pytest.raises(WorkerLost):
        pool.apply(dies, (numpy.ones(MANY),))
    memory.comes_back()
    assert is_right(pool.apply(ask_view, (numpy.ones(MANY),)), MANY)


def test_a_task_that_is_tried_again_gets_what_was_sent(method, tmp_path):
    with procession.get_context(method).Pool(1, retries=1) as pool:
        pool.apply(abs, (1,))
        memory = Memory()
        assert pool.apply(sums, (numpy.ones(MANY), str(tmp_path / "flag"))) == MANY
        memory.comes_back()
        with pytest.raises(WorkerLost):
            pool.apply(dies, (numpy.ones(MANY),))
        memory.comes_back()


def test_a_future_that_is_tried_again_gets_what_was_sent(tmp_path):
    context = procession.get_context("fork")
    with procession.ProcessPoolExecutor(1, context, retries=1) as executor:
        executor.submit(abs, 1).result()
        memory = Memory()
        assert executor.submit(sums, numpy.ones(MANY), str(tmp_path / "flag")).result() == MANY
        memory.comes_back()


def holds(array, begun):
    """Says that it has its argument, and keeps it until it is ended."""
    begun.say()
    threading.Event().wait()


def test_what_is_cancelled_goes_back(begun):
    """Of the call that runs, and of the one behind it that no worker has taken."""
    with procession.get_context("fork").Pool(1) as pool:
        pool.apply(abs, (1,))
        memory = Memory()
        runs = pool.apply_async(holds, (numpy.ones(MANY), begun))
        behind = pool.apply_async(holds, (numpy.ones(MANY), begun))
        begun.hear()
        assert not memory.is_back()
        assert behind.cancel() and runs.cancel()
        for result in (runs, behind):
            with pytest.raises(CancelledError):
                result.get()
        assert pool.apply(abs, (-1,)) == 1
        memory.comes_back()


def test_what_runs_out_of_time_goes_back(begun):
    with procession.get_context("fork").Pool(1, task_timeout=1) as pool:
        pool.apply(abs, (1,))
        memory = Memory()
        with pytest.raises(TaskTimeout):
            pool.apply(holds, (numpy.ones(MANY), begun))
        memory.comes_back()


@pytest.mark.parametrize("taken_in", [True, False])
def test_results_that_nobody_fetches_go_with_the_pool(method, begun, taken_in):
    memory = Memory()
    pool = procession.get_context(method).Pool(1)
    results = [pool.apply_async(echo, (numpy.ones(MANY),)) for _ in range(3)]
    pool.apply_async(begun.say)
    begun.hear()
    if taken_in:
        results[1].wait()
    assert not memory.is_back()
    pool.terminate()
    pool.join()
    del pool, results
    memory.comes_back()


def test_tasks_that_no_worker_takes_go_with_the_pool(begun):
    memory = Memory()
    pool = procession.get_context("fork").Pool(1)
    results = [pool.apply_async(holds, (numpy.ones(MANY), begun)) for _ in range(5)]
    begun.hear()
    pool.terminate()
    pool.join()
    del pool, results
    memory.comes_back()


def test_a_forked_child_gives_nothing_of_its_parent_back():
    context = procession.get_context("fork")
    with context.Pool(1) as pool:
        pool.apply(abs, (1,))
        results = [pool.apply_async(echo, (numpy.full(MANY, 5),))]
        results[0].wait()
        in_use = _core.memory_in_use()

        def child():
            # What it inherited goes, as far as it can, while the parent's is there.
            results.clear()
            gc.collect()

        process = context.Process(target=child)
        process.start()
        process.join()
        assert process.exitcode == 0
        assert _core.memory_in_use() > in_use - LARGE // 2
        others = [pool.apply(echo, (numpy.zeros(MANY),)) for _ in range(5)]
        assert (results[0].get() == 5).all()
        assert not any(other.any() for other in others)


def test_a_serializer_of_ones_own_sends_copies():
    pytest.importorskip("cloudpickle")
    memory = Memory()
    with procession.get_context("fork").Pool(1, serializer="cloudpickle") as pool:
        assert (pool.apply(lambda array: array + 1, (numpy.ones(MANY),)) == 2).all()
    del pool
    memory.comes_back()


def test_small_arrays_are_copied_as_ever(forked):
    got = forked.apply(echo, (numpy.arange(10),))
    assert got.tolist() == list(range(10)) and not is_view(got)
