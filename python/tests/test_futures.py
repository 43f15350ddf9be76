"""`procession.ProcessPoolExecutor`: the interface of `concurrent.futures`, and what a death costs."""

import functools
import gc
import itertools
import os
import signal
import threading
import weakref
from concurrent import futures

import pytest
from waiting import PATIENCE, Word, until

import procession
from procession import ProcessPoolExecutor
from procession.lost import PoolBroken

@pytest.fixture
def executor(method):
    with ProcessPoolExecutor(2, procession.get_context(method)) as executor:
        yield executor


@pytest.fixture
def words(tmp_path):
    """That a call runs, that it may go on, and that one runs that must not."""
    with Word(tmp_path / "runs") as runs, Word(tmp_path / "goes_on") as goes_on, Word(tmp_path / "never") as never:
        yield runs, goes_on, never


@pytest.fixture
def forked():
    with ProcessPoolExecutor(2, procession.get_context("fork")) as executor:
        yield executor


def square(n):
    return n * n


def add(a, b=0):
    return a + b


def fail(text):
    raise ValueError(text)


def leave(code):
    raise SystemExit(code)


def exits(code):
    os._exit(code)


def kill_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def waits(runs, goes_on):
    """Says that it runs, and does until it is told to go on."""
    runs.say()
    goes_on.hear()
    return "went on"


class Unpicklable:
    def __reduce__(self):
        raise TypeError("not this one")


def test_a_future_has_what_the_call_returned_or_raised(executor):
    assert executor.submit(add, 1, b=2).result() == 3
    failed = executor.submit(fail, "on purpose")
    assert isinstance(failed.exception(), ValueError)
    assert "in fail" in str(failed.exception().__cause__)
    with pytest.raises(ValueError, match="on purpose"):
        failed.result()
    assert not failed.cancelled() and failed.done() and not failed.cancel()


def test_whatever_is_raised_travels(forked):
    assert isinstance(forked.submit(leave, 3).exception(), SystemExit)
    assert isinstance(forked.submit(Unpicklable).exception(), TypeError)
    assert isinstance(forked.submit(square, Unpicklable()).exception(), TypeError)


def test_map_has_the_results_in_order(executor):
    for chunksize in (1, 3, 100):
        assert list(executor.map(add, range(50), range(50), chunksize=chunksize)) == [
            2 * n for n in range(50)
        ]
    assert list(executor.map(square, [])) == []
    with pytest.raises(ValueError, match="chunksize must be >= 1"):
        executor.map(square, [1], chunksize=0)


def test_map_raises_where_the_call_did_and_gives_up_in_time(forked, words):
    results = forked.map(fail_at_three, range(5))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    runs, goes_on, _ = words
    with pytest.raises(TimeoutError):
        list(forked.map(waits, [runs], [goes_on], timeout=0.05))
    goes_on.say()


def fail_at_three(n):
    if n == 3:
        raise ValueError("three")
    return n


def test_a_map_with_a_buffer_takes_items_as_its_results_are_taken(forked):
    numbers = iter(range(20))
    results = forked.map(square, numbers, chunksize=2, buffersize=3)
    assert next(numbers) == 6
    assert list(results) == [n * n for n in range(20) if n != 6]
    endless = forked.map(add, itertools.count(), itertools.count(1), buffersize=1)
    assert [next(endless) for _ in range(5)] == [1, 3, 5, 7, 9]
    results = forked.map(fail_at_three, range(10), buffersize=2)
    assert list(itertools.islice(results, 3)) == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert list(forked.map(square, [], buffersize=2)) == []


def test_a_map_with_a_buffer_gives_up_in_time_and_takes_back_what_is_submitted(words):
    runs, goes_on, never = words
    with ProcessPoolExecutor(1, procession.get_context("fork")) as executor:
        calls = [functools.partial(waits, runs, goes_on), never.say]
        results = executor.map(call, calls, timeout=0.05, buffersize=2)
        runs.hear()
        with pytest.raises(TimeoutError):
            next(results)
        goes_on.say()
    assert not never.is_said()


def call(function):
    return function()


def test_wait_and_as_completed_take_its_futures(forked):
    all_futures = [forked.submit(square, n) for n in range(20)]
    assert {future.result() for future in futures.as_completed(all_futures)} == {
        n * n for n in range(20)
    }
    done, pending = futures.wait(all_futures)
    assert len(done) == 20 and not pending


def test_callbacks_are_called_with_the_future(forked):
    seen, called = [], threading.Event()
    future = forked.submit(square, 3)
    future.add_done_callback(lambda future: (seen.append(future.result()), called.set()))
    assert called.wait(PATIENCE)
    assert seen == [9]


def test_a_call_that_has_not_begun_can_be_cancelled(words):
    runs, goes_on, never = words
    with ProcessPoolExecutor(1, procession.get_context("fork")) as executor:
        running = executor.submit(waits, runs, goes_on)
        runs.hear()
        queued = executor.submit(waits, never, goes_on)
        assert running.running() and not queued.running()
        assert not running.cancel()
        assert queued.cancel() and queued.cancelled()
        done, _ = futures.wait([queued])
        assert done == {queued}
        with pytest.raises(futures.CancelledError):
            queued.result()
        goes_on.say()
        assert running.result() == "went on"
    assert not never.is_said()


def test_shutdown_does_what_was_submitted_or_cancels_it(words):
    context = procession.get_context("fork")
    executor = ProcessPoolExecutor(1, context)
    all_futures = [executor.submit(square, n) for n in range(100)]
    executor.shutdown()
    assert [future.result() for future in all_futures] == [n * n for n in range(100)]
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(square, 1)

    runs, goes_on, _ = words
    executor = ProcessPoolExecutor(1, context)
    running = executor.submit(waits, runs, goes_on)
    runs.hear()
    queued = [executor.submit(square, n) for n in range(10)]
    executor.shutdown(wait=False, cancel_futures=True)
    assert all(future.cancelled() for future in queued)
    goes_on.say()
    assert running.result() == "went on"


@pytest.mark.parametrize("end", ["terminate_workers", "kill_workers"])
def test_workers_end_at_once_with_the_calls_that_they_have(words, end):
    runs, goes_on, never = words
    # A call that was ended is not tried again.
    executor = ProcessPoolExecutor(1, procession.get_context("fork"), retries=1)
    running, queued = executor.submit(waits, runs, goes_on), executor.submit(never.say)
    runs.hear()
    (pid,) = executor._processes
    getattr(executor, end)()
    with pytest.raises(futures.process.BrokenProcessPool):
        running.result()
    assert queued.cancelled()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(square, 1)
    executor.shutdown()
    assert not is_there(pid) and not never.is_said()


def test_workers_that_are_not_there_can_be_ended():
    executor = ProcessPoolExecutor(1, procession.get_context("fork"))
    executor.terminate_workers()
    assert not executor._processes
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(square, 1)


def test_a_forked_copy_of_an_executor_ends_no_workers(forked, started):
    pids = {forked.submit(os.getpid).result() for _ in range(10)}
    copy = started(procession.get_context("fork"), forked.kill_workers)
    copy.join()
    assert copy.exitcode == 0
    assert {forked.submit(os.getpid).result() for _ in range(10)} <= set(forked._processes)
    assert pids <= set(forked._processes)


def test_a_worker_that_dies_fails_exactly_its_calls(executor):
    before = [executor.submit(square, n) for n in range(50)]
    lost = [executor.submit(exits, 7), executor.submit(kill_itself)]
    behind = [executor.submit(square, n) for n in range(50)]
    assert [future.exception().exitcode for future in lost] == [7, -signal.SIGKILL]
    for future in lost:
        assert isinstance(future.exception(), procession.WorkerLost)
        assert isinstance(future.exception(), futures.process.BrokenProcessPool)
    assert [future.result() for future in before + behind] == [n * n for n in range(50)] * 2


def test_an_initializer_that_raises_breaks_the_executor():
    executor = ProcessPoolExecutor(
        1, procession.get_context("fork"), initializer=fail, initargs=("cannot begin",)
    )
    with pytest.raises(futures.process.BrokenProcessPool, match="cannot begin") as raised:
        executor.submit(square, 1).result()
    assert isinstance(raised.value, PoolBroken)
    with pytest.raises(futures.process.BrokenProcessPool):
        executor.submit(square, 1)
    executor.shutdown()


def test_it_refuses_what_stock_refuses():
    with pytest.raises(ValueError, match="max_workers must be greater than 0"):
        ProcessPoolExecutor(0)
    with pytest.raises(TypeError, match="initializer must be a callable"):
        ProcessPoolExecutor(initializer=1)
    with pytest.raises(ValueError, match="max_tasks_per_child must be >= 1"):
        ProcessPoolExecutor(max_tasks_per_child=0)
    assert isinstance(ProcessPoolExecutor(), futures.Executor)


def test_workers_are_replaced_when_they_have_done_so_many_calls():
    context = procession.get_context("fork")
    with ProcessPoolExecutor(1, context, max_tasks_per_child=2) as executor:
        first, second, third, fourth = [executor.submit(os.getpid).result() for _ in range(4)]
    assert first == second != third == fourth
    # Where nobody says otherwise, as in stock.
    assert ProcessPoolExecutor(max_tasks_per_child=2)._mp_context.get_start_method() == "spawn"


def test_workers_are_started_with_the_first_call_and_end_with_the_executor():
    executor = ProcessPoolExecutor(2, procession.get_context("fork"))
    assert not executor._processes
    assert executor.submit(square, 2).result() == 4
    pids, gone = list(executor._processes), weakref.ref(executor)
    assert len(pids) == 2
    del executor
    gc.collect()
    assert gone() is None
    until(lambda: not any(is_there(pid) for pid in pids))


class FailsHere:
    """Comes back as something that cannot be unpickled."""

    def __reduce__(self):
        return fail, ("on arrival",)


def test_an_executor_goes_although_somebody_has_seen_a_call_fail():
    def see():
        executor = ProcessPoolExecutor(1, procession.get_context("fork"))
        with pytest.raises(ValueError, match="on arrival"):
            executor.submit(FailsHere).result()
        return weakref.ref(executor)

    gone = see()
    # The supervisor has told the future, and comes to forget it.
    until(lambda: gc.collect() is not None and gone() is None)


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_was_submitted_is_done_before_the_program_ends(run, method):
    assert run(
        """
        import os, time
        import procession
        def slow(n):
            time.sleep(0.1)
            print(n, flush=True)
        if __name__ == "__main__":
            executor = procession.ProcessPoolExecutor(1, procession.get_context(os.environ["METHOD"]))
            for n in range(3):
                executor.submit(slow, n)
        """,
        method=method,
    ) == "0\n1\n2\n"


def test_a_program_may_await_its_futures(run):
    assert run(
        """
        import asyncio
        import procession
        async def main():
            loop = asyncio.get_running_loop()
            with procession.ProcessPoolExecutor(2) as executor:
                print(await asyncio.gather(*(loop.run_in_executor(executor, abs, -n) for n in range(5))))
        if __name__ == "__main__":
            asyncio.run(main())
        """,
    ) == "[0, 1, 2, 3, 4]\n"


def test_lambdas_travel_by_cloudpickle():
    pytest.importorskip("cloudpickle")
    with ProcessPoolExecutor(
        1, procession.get_context("fork"), serializer="cloudpickle"
    ) as executor:
        assert list(executor.map(lambda n: n + 1, range(3))) == [1, 2, 3]


def test_what_a_map_has_left_is_cancelled_with_the_executor(words):
    runs, goes_on, never = words
    executor = ProcessPoolExecutor(1, procession.get_context("fork"))
    results = executor.map(waits, [runs, never], [goes_on] * 2)
    runs.hear()
    executor.shutdown(wait=False, cancel_futures=True)
    goes_on.say()
    assert next(results) == "went on"
    with pytest.raises(futures.CancelledError):
        next(results)
    assert not never.is_said()


def test_a_map_is_done_when_the_executor_is_left():
    with ProcessPoolExecutor(2, procession.get_context("fork")) as executor:
        results = executor.map(square, range(20_000))
    assert list(results) == [n * n for n in range(20_000)]


def test_the_process_ends_after_the_thread_of_an_executor_that_was_collected(run, method):
    assert run(
        """
        import os
        import procession
        if __name__ == "__main__":
            context = procession.get_context(os.environ["METHOD"])
            procession.ProcessPoolExecutor(2, context).map(abs, range(100))
            print("over")
        """,
        method=method,
    ) == "over\n"


def test_a_map_of_which_nobody_wants_results_keeps_nothing_up(run, method):
    assert run(
        """
        import os
        import procession
        if __name__ == "__main__":
            context = procession.get_context(os.environ["METHOD"])
            procession.ProcessPoolExecutor(2, context).map(abs, range(100))
            executor = procession.ProcessPoolExecutor(2, context)
            executor.map(abs, range(100))
            executor.shutdown(wait=False)
            left = procession.ProcessPoolExecutor(2, context)
            left.map(abs, range(100))
            print("over")
        """,
        method=method,
    ) == "over\n"
