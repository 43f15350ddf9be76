"""Queues: what stock's have, and what they have not."""

import asyncio
import gc
import multiprocessing.connection
import multiprocessing.pool
import multiprocessing.queues
import os
import pickle
import queue
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import pytest

import procession as mp
from procession.queues import ItemsLost, JoinableQueue, Queue, ShutDown, SimpleQueue

PATIENCE = 60

VALUES = [
    None, 7, 1.5, "text", b"bytes", [1, (2,), {"three": 3}], "x" * 100_000, b"y" * 3_000_000,
    bytearray(b"z" * 200_000), {"large": b"q" * 70_000, "list": list(range(5000))}, {1, 2}, 1j,
]  # fmt: skip


@pytest.fixture
def context(method):
    return mp.get_context(method)


@pytest.fixture
def fork():
    return mp.get_context("fork")


@pytest.fixture
def started():
    """Starts processes, and sees to it that none is left."""
    running = []

    def start(context, target, *arguments):
        process = context.Process(target=target, args=arguments, daemon=True)
        process.start()
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.join(PATIENCE)


def ended(process):
    process.join(PATIENCE)
    return process.exitcode


def copy(source, target):
    """Passes on what comes, until None."""
    while (item := source.get()) is not None:
        target.put(item)


def put_all(target, items):
    for item in items:
        target.put(item)


def test_what_is_put_arrives_in_another_process_and_comes_back(context, started):
    there, back = context.Queue(), context.JoinableQueue()
    process = started(context, copy, there, back)
    values = [value for value in VALUES if value is not None]
    for value in values:
        there.put(value)
    for value in values:
        got = back.get(timeout=PATIENCE)
        assert got == value and type(got) is type(value)
    there.put(None)
    assert ended(process) == 0


def test_the_classes_are_stock_and_ours(fork):
    assert type(fork.Queue()) is Queue and isinstance(fork.Queue(), multiprocessing.queues.Queue)
    assert type(fork.JoinableQueue()) is JoinableQueue
    assert isinstance(fork.JoinableQueue(), multiprocessing.queues.JoinableQueue)
    assert type(fork.SimpleQueue()) is SimpleQueue
    assert isinstance(fork.SimpleQueue(), multiprocessing.queues.SimpleQueue)


@pytest.mark.parametrize("kind", ["Queue", "JoinableQueue", "SimpleQueue"])
def test_a_queue_is_pickled_only_for_a_process_that_is_started(fork, kind):
    with pytest.raises(RuntimeError, match=f"{kind} objects should only be shared between processes"):
        pickle.dumps(getattr(fork, kind)())


class TestBounds:
    def test_by_items(self, fork):
        bounded = fork.Queue(2)
        bounded.put(1)
        assert not bounded.full() and bounded.qsize() == 1
        bounded.put(2)
        assert bounded.full()
        for put in (lambda: bounded.put(3, False), lambda: bounded.put(3, True, 0.01),
                    lambda: bounded.put_nowait(3), lambda: bounded.put(3, timeout=-1)):  # fmt: skip
            with pytest.raises(queue.Full):
                put()
        assert [bounded.get(), bounded.get(False)] == [1, 2]

    def test_by_bytes(self, fork):
        bounded = fork.Queue(maxbytes=1000)
        bounded.put(b"x" * 5000)  # Goes alone.
        with pytest.raises(queue.Full):
            bounded.put(1, False)
        assert len(bounded.get()) == 5000
        count = 0
        with pytest.raises(queue.Full):
            while count < 1000:
                bounded.put(b"x" * 90, False)
                count += 1
        assert 9 <= count <= 11

    def test_a_putter_waits_for_room(self, context, started):
        bounded = context.Queue(3)
        process = started(context, put_all, bounded, list(range(100)))
        assert [bounded.get(timeout=PATIENCE) for _ in range(100)] == list(range(100))
        assert ended(process) == 0

    def test_nothing_in_it(self, fork):
        unbounded = fork.Queue()
        for get in (unbounded.get_nowait, lambda: unbounded.get(False), lambda: unbounded.get(True, 0.01),
                    lambda: unbounded.get(timeout=-1)):  # fmt: skip
            with pytest.raises(queue.Empty):
                get()
        assert unbounded.empty() and not unbounded.full() and unbounded.qsize() == 0
        assert unbounded._maxsize == 2**31 - 1

    def test_a_timeout_must_be_a_number(self, fork):
        with pytest.raises(TypeError):
            fork.Queue().get(True, "soon")
        with pytest.raises(TypeError):
            fork.Queue(1).put(1, True, "soon")


class TestMany:
    def test_they_come_in_order(self, context, started):
        there = context.Queue()
        process = started(context, put_batches, there)
        got = []
        while len(got) < 10_000:
            got += there.get_many(333, PATIENCE)
        assert got == list(range(10_000))
        assert ended(process) == 0

    def test_at_most_so_many(self, fork):
        there = fork.Queue()
        there.put_many(range(10))
        assert there.get_many(4) == [0, 1, 2, 3]
        assert there.get_many(100) == [4, 5, 6, 7, 8, 9]
        with pytest.raises(queue.Empty):
            there.get_many(1, timeout=0)
        with pytest.raises(ValueError):
            there.get_many(0)

    def test_large_and_small_ones_mixed(self, fork):
        there = fork.Queue()
        values = [value for value in VALUES for _ in range(3)]
        there.put_many(iter(values))
        got = []
        while len(got) < len(values):
            got += there.get_many(100)
        assert got == values

    def test_full_says_how_many_were_put(self, fork):
        bounded = fork.Queue(5)
        with pytest.raises(queue.Full) as full:
            bounded.put_many(range(8), timeout=0)
        assert full.value.args == (5,)
        assert bounded.get_many(10) == [0, 1, 2, 3, 4]


def put_batches(target):
    target.put_many(range(5000))
    target.put_many([*range(5000, 10_000)])


class Unpicklable:
    def __reduce__(self):
        raise NotImplementedError("never")


class Reporting(Queue):
    """Keeps what its hook is told."""

    def _on_queue_feeder_error(self, e, obj):
        self.told = e, obj


class TestWhatCannotBePickled:
    def test_it_goes_to_the_hook_and_not_into_the_queue(self, fork):
        there = Reporting(1, ctx=fork)
        item = Unpicklable()
        there.put(item)
        assert type(there.told[0]) is NotImplementedError and there.told[1] is item
        there.put(True, timeout=0)
        assert there.get() is True

    def test_the_hook_prints_the_error_if_it_is_nobodys(self, fork, capsys):
        fork.Queue().put(Unpicklable())
        assert "NotImplementedError: never" in capsys.readouterr().err

    def test_among_many(self, fork):
        there = Reporting(ctx=fork)
        there.put_many([1, Unpicklable(), 2])
        assert there.get_many(3) == [1, 2] and type(there.told[0]) is NotImplementedError

    def test_a_simple_queue_raises(self, fork):
        with pytest.raises(NotImplementedError):
            fork.SimpleQueue().put(Unpicklable())

    def test_interrupting_is_no_error_of_the_object(self, fork):
        class Interrupting:
            def __reduce__(self):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fork.Queue().put(Interrupting())


class Unloadable:
    def __reduce__(self):
        return int, ("not a number",)


def test_what_cannot_be_unpickled_is_raised_and_the_queue_goes_on(fork):
    there = fork.Queue()
    put_all(there, [Unloadable(), 1])
    with pytest.raises(ValueError):
        there.get()
    assert there.get() == 1
    put_all(there, [1, Unloadable(), 2, 3])
    with pytest.raises(ValueError) as failed:
        there.get_many(10)
    assert failed.value.others == [1, 2, 3]


def test_shared_memory_that_is_used_up_is_an_error_that_says_what_to_do(run):
    run(
        """
        import procession as mp

        queue = mp.Queue()
        count = 0
        try:
            while True:
                queue.put(b"x" * 1_000_000)
                count += 1
        except OSError as error:
            assert "PROCESSION_ARENA" in str(error), error
        assert 20 < count < 70
        for _ in range(count):
            assert len(queue.get()) == 1_000_000
        for _ in range(3 * count):
            queue.put(b"y" * 1_000_000)
            assert len(queue.get()) == 1_000_000
        """,
        env={"PROCESSION_ARENA": "64M"},
    )


class TestClosing:
    @pytest.mark.parametrize("kind", ["Queue", "JoinableQueue"])
    def test_as_stock(self, fork, kind):
        there = getattr(fork, kind)()
        with pytest.raises(AssertionError, match="not closed"):
            there.join_thread()
        there.close()
        there.close()
        there.join_thread()
        there.cancel_join_thread()
        assert there.empty()
        for use in (there.get, there.get_nowait, lambda: there.put(1), lambda: there.put_nowait(1),
                    lambda: there.put_many([1]), lambda: there.get_many(1)):  # fmt: skip
            with pytest.raises(ValueError, match=r"Queue <.*> is closed"):
                use()
        used = getattr(fork, kind)()
        used.put(1)
        used.close()
        used.join_thread()
        with pytest.raises(OSError, match="is closed"):
            used.empty()
        assert used._reader.closed and used._writer.closed

    def test_what_was_put_is_there_when_its_putter_has_ended(self, context, started):
        there = context.Queue()
        assert ended(started(context, put_and_exit, there)) == 0
        assert there.get(timeout=0) == "last words"

    def test_others_go_on(self, fork, started):
        there, back = fork.Queue(), fork.Queue()
        process = started(fork, copy, there, back)
        put_all(there, [1, None])
        there.close()
        assert ended(process) == 0
        assert back.get(timeout=PATIENCE) == 1


def put_and_exit(target):
    target.put("last words")
    os._exit(0)


class TestShutdown:
    def test_gets_the_rest_and_then_the_end(self, fork):
        there = fork.Queue()
        there.put_many([1, 2])
        there.shutdown()
        with pytest.raises(ShutDown):
            there.put(3)
        assert [there.get(), there.get()] == [1, 2]
        with pytest.raises(ShutDown):
            there.get()
        assert there.is_shutdown

    def test_at_once(self, fork):
        there = fork.Queue()
        there.put(1)
        there.shutdown(immediate=True)
        with pytest.raises(ShutDown):
            there.get(False)
        tasks = fork.JoinableQueue()
        tasks.put(1)
        tasks.shutdown(immediate=True)
        tasks.join()

    def test_wakes_who_waits(self, context, started):
        there, back = context.Queue(), context.Queue()
        process = started(context, get_to_the_end, there, back)
        there.put("before")
        assert back.get(timeout=PATIENCE) == "before"
        there.shutdown()
        assert back.get(timeout=PATIENCE) == "over"
        assert ended(process) == 0

    def test_is_the_exception_of_the_standard_library_where_there_is_one(self):
        assert ShutDown is getattr(queue, "ShutDown", ShutDown)


def get_to_the_end(source, target):
    try:
        while True:
            target.put(source.get())
    except ShutDown:
        target.put("over")


class TestJoinable:
    def test_join_waits_for_all(self, context, started):
        there = context.JoinableQueue()
        workers = [started(context, do_tasks, there) for _ in range(3)]
        for number in range(30):
            there.put(number)
        there.join()
        assert there.qsize() == 0 and there._unfinished_tasks._semlock._is_zero()
        for _ in workers:
            there.put(None)
        assert [ended(worker) for worker in workers] == [0, 0, 0]

    def test_too_many_are_refused(self, fork):
        there = fork.JoinableQueue()
        there.join()
        there.put(1)
        there.task_done()
        with pytest.raises(ValueError, match=r"task_done\(\) called too many times"):
            there.task_done()


    def test_items_that_died_with_their_getter_are_reported_if_asked_for(self, context, started):
        there, back = context.JoinableQueue(report_lost=True), context.Queue()
        put_all(there, ["first", "second"])
        holder = started(context, get_and_hold, there, back)
        assert back.get(timeout=PATIENCE) == "first"
        assert there.get() == "second"
        there.task_done()
        holder.kill()
        assert ended(holder) == -signal.SIGKILL
        with pytest.raises(ItemsLost) as lost:
            there.join()
        assert lost.value.count == 1
        there.join()


def get_and_hold(source, target):
    target.put(source.get())
    time.sleep(PATIENCE)


def do_tasks(tasks):
    while tasks.get() is not None:
        tasks.task_done()


class TestSimple:
    def test_as_stock(self, context, started):
        there, back = context.SimpleQueue(), context.SimpleQueue()
        process = started(context, copy, there, back)
        assert back.empty()
        for value in VALUES[1:]:
            there.put(value)
            assert back.get() == value
        there.put(None)
        assert ended(process) == 0
        there.close()
        assert there._reader.closed and there._writer.closed
        for use in (there.get, there.empty, lambda: there.put(1), there._poll):
            with pytest.raises(OSError, match="handle is closed"):
                use()

    def test_put_waits_while_it_is_full(self, fork, started):
        there = fork.SimpleQueue()
        process = started(fork, put_all, there, [b"x" * 1000] * 300)
        assert multiprocessing.connection.wait([there._reader], PATIENCE)
        assert there._writer.fileno() >= 0
        assert process.is_alive()
        assert sum(len(there.get()) for _ in range(300)) == 300_000
        assert ended(process) == 0

    def test_the_reader_sees_the_end_when_the_last_writer_is_killed(self, context, started):
        there, ready = context.SimpleQueue(), context.Queue()
        process = started(context, put_and_sleep, there, ready)
        assert ready.get(timeout=PATIENCE) == "put"
        there._writer.close()
        process.kill()
        assert ended(process) == -signal.SIGKILL
        assert there.get() == "one"
        if context.get_start_method() == "fork":
            with pytest.raises(EOFError):
                there.get()
            assert there._poll()

    def test_the_writer_sees_that_no_reader_is_left(self, fork):
        there = fork.SimpleQueue()
        there._reader.close()
        with pytest.raises(BrokenPipeError):
            there.put(1)


def put_and_sleep(target, ready):
    target.put("one")
    ready.put("put")
    time.sleep(PATIENCE)


class TestStockOnTop:
    def test_pool(self, context):
        with multiprocessing.pool.Pool(2, context=context) as pool:
            assert pool.map(abs, range(-300, 0)) == list(range(300, 0, -1))
            assert len(pool.apply(bytes, (300_000,))) == 300_000

    def test_executor(self, context):
        with ProcessPoolExecutor(2, mp_context=context) as executor:
            assert list(executor.map(abs, range(-100, 0), chunksize=3)) == list(range(100, 0, -1))
            assert executor.submit(os._exit, 3).exception(PATIENCE) is not None

    def test_workers_of_a_killed_parent_end(self, run, method):
        # The workers have the pipe to the test, so that it is over when the last of them is.
        run(
            """
            import multiprocessing.pool, os, signal
            import procession as mp

            if __name__ == "__main__":
                pool = multiprocessing.pool.Pool(2, context=mp.get_context(os.environ["METHOD"]))
                pool.map(abs, range(10))
                os.kill(os.getpid(), signal.SIGKILL)
            """,
            method=method, status=-signal.SIGKILL,
        )  # fmt: skip


class TestPolling:
    def test_the_descriptor_is_readable_exactly_while_an_item_is_there(self, fork):
        there = fork.Queue()
        reader = there._reader
        wait = multiprocessing.connection.wait
        assert wait([reader], 0) == []
        put_all(there, [1, 2])
        assert wait([reader], 0) == [reader] and reader.poll()
        assert there.get() == 1
        assert wait([reader], 0) == [reader]
        assert reader.recv() == 2
        assert wait([reader], 0) == [] and not reader.poll()
        there.put(3)
        assert wait([reader], 0) == [reader]

    def test_of_what_another_process_puts(self, context, started):
        there = context.Queue()
        process = started(context, put_all, there, [1, 2, 3])
        got = []
        while len(got) < 3:
            assert multiprocessing.connection.wait([there._reader, ], PATIENCE)
            got.append(there.get(timeout=0))
        assert got == [1, 2, 3] and ended(process) == 0

    def test_poll_waits(self, fork, started):
        there = fork.Queue()
        assert not there._reader.poll(0.01)
        started(fork, put_all, there, [1])
        assert there._reader.poll(PATIENCE)

    def test_in_a_forked_child_it_is_the_childs_own(self, fork, started):
        there, back = fork.Queue(), fork.Queue()
        assert there._reader.fileno() >= 0
        process = started(fork, poll_and_get, there, back)
        there.put("for the child")
        assert back.get(timeout=PATIENCE) == "for the child"
        assert ended(process) == 0

    def test_bytes_of_the_pickle(self, fork):
        there = fork.Queue()
        there._writer.send_bytes(pickle.dumps({"by": "hand"}))
        assert there.get() == {"by": "hand"}
        there._writer.send([1, 2])
        assert pickle.loads(there._reader.recv_bytes()) == [1, 2]
        there.put("x" * 100_000)
        assert pickle.loads(there._reader.recv_bytes()) == "x" * 100_000
        there.put(b"abc")
        place = bytearray(100)
        size = there._reader.recv_bytes_into(place)
        assert pickle.loads(place[:size]) == b"abc"


def poll_and_get(source, target):
    while not multiprocessing.connection.wait([source._reader], PATIENCE):
        pass
    target.put(source.get())


class TestAwaiting:
    def test_get_and_put(self, context, started):
        there, back = context.Queue(), context.Queue(1)

        async def main():
            results = await asyncio.gather(*(back.get_async(PATIENCE) for _ in range(20)), feed())
            return results[:-1]

        async def feed():
            for number in range(20):
                await there.put_async(number)
            await there.put_async(None)

        process = started(context, copy, there, back)
        assert sorted(asyncio.run(main())) == list(range(20))
        assert ended(process) == 0

    def test_put_waits_for_room(self, fork, started):
        bounded, back = fork.Queue(1), fork.Queue()
        bounded.put("first")

        async def main():
            with pytest.raises(queue.Full):
                await bounded.put_async("never", 0.01)
            process = started(fork, copy, bounded, back)
            for number in range(5):
                await bounded.put_async(number, PATIENCE)
            await bounded.put_async(None, PATIENCE)
            return process

        process = asyncio.run(main())
        assert [back.get(timeout=PATIENCE) for _ in range(6)] == ["first", 0, 1, 2, 3, 4]
        assert ended(process) == 0

    def test_a_timeout_is_empty(self, fork):
        with pytest.raises(queue.Empty):
            asyncio.run(fork.Queue().get_async(0.01))

    def test_a_cancelled_one_takes_nothing(self, fork):
        there = fork.Queue()

        async def main():
            first, second = (asyncio.ensure_future(there.get_async()) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            there.put("for the second")
            assert await asyncio.wait_for(second, PATIENCE) == "for the second"
            with pytest.raises(asyncio.CancelledError):
                await first

        asyncio.run(main())

    def test_no_thread_is_started(self, fork):
        there = fork.Queue()

        async def main():
            before = set(threading.enumerate())
            waiting = asyncio.ensure_future(there.get_async())
            await asyncio.sleep(0)
            assert set(threading.enumerate()) <= before
            there.put(1)
            return await waiting

        assert asyncio.run(main()) == 1


class TestSignals:
    def test_a_handler_that_raises_ends_the_wait(self, fork):
        class Alarm(Exception):
            pass

        def ring(*_):
            raise Alarm

        there, full = fork.Queue(), fork.Queue(1)
        full.put(1)
        before = signal.signal(signal.SIGALRM, ring)
        try:
            for call in (there.get, lambda: there.get(timeout=PATIENCE), lambda: full.put(2),
                         lambda: there.get_many(2)):  # fmt: skip
                signal.setitimer(signal.ITIMER_REAL, 0.02)
                with pytest.raises(Alarm):
                    call()
        finally:
            signal.signal(signal.SIGALRM, before)

    def test_one_that_does_not_raise_lets_it_go_on(self, fork):
        there = fork.Queue()
        before = signal.signal(signal.SIGALRM, lambda *_: there.put("from the handler"))
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            assert there.get(timeout=PATIENCE) == "from the handler"
        finally:
            signal.signal(signal.SIGALRM, before)


class TestBuffers:
    def test_a_large_array_is_received_as_a_view(self, context, started):
        numpy = pytest.importorskip("numpy")
        there, back = context.Queue(), context.Queue()
        process = started(context, copy, there, back)
        array = numpy.arange(300_000.0).reshape(300, 1000)
        there.put({"array": array, "small": numpy.arange(3), "fortran": numpy.asfortranarray(array)})
        got = back.get(timeout=PATIENCE)
        assert (got["array"] == array).all() and got["array"].shape == (300, 1000)
        assert (got["fortran"] == array).all() and got["fortran"].flags.f_contiguous
        assert (got["small"] == [0, 1, 2]).all()
        assert not got["array"].flags.owndata and got["array"].ctypes.data % 64 == 0
        got["array"][0, 0] = -1.0
        assert array[0, 0] == 0.0
        there.put(None)
        assert ended(process) == 0

    def test_what_was_read_only_stays_so(self, fork):
        there = fork.Queue()
        data = bytes(200_000)
        there.put(pickle.PickleBuffer(data))
        got = there.get()
        assert memoryview(got).readonly and bytes(got) == data
        there.put(pickle.PickleBuffer(bytearray(data)))
        assert not memoryview(there.get()).readonly

    def test_a_view_keeps_its_memory_and_the_last_one_gives_it_back(self, fork):
        numpy = pytest.importorskip("numpy")
        there = fork.Queue()
        addresses = set()
        kept = None
        for number in range(200):
            there.put(numpy.full(100_000, number))
            got = there.get()
            assert got[0] == number == got[-1]
            addresses.add(got.ctypes.data)
            if number == 5:
                kept = got[50:60]
            del got
        gc.collect()
        assert len(addresses) < 20
        assert (kept == 5).all()

    def test_a_forked_child_sees_what_its_parent_has_let_go(self, fork, started):
        numpy = pytest.importorskip("numpy")
        there, step, back = fork.Queue(), fork.Queue(), fork.Queue()
        there.put(numpy.full(100_000, 7))
        view = there.get()
        process = started(fork, sum_later, view, step, back)
        del view
        gc.collect()
        for _ in range(20):
            there.put(numpy.zeros(100_000))
            there.get()
        step.put(1)
        assert back.get(timeout=PATIENCE) == 700_000
        assert ended(process) == 0


def sum_later(view, step, back):
    step.get()
    back.put(int(view.sum()))


class TestSerializers:
    def test_cloudpickle_takes_lambdas(self, context, started):
        pytest.importorskip("cloudpickle")
        there, back = context.Queue(serializer="cloudpickle"), context.Queue()
        process = started(context, call_one, there, back)
        offset = 40
        there.put(lambda: 2 + offset)
        assert back.get(timeout=PATIENCE) == 42
        assert ended(process) == 0

    def test_any_object_with_dumps(self, fork):
        there = fork.Queue(serializer=pickle)
        put_all(there, [{1, 2}, "x" * 100_000])
        assert there.get() == {1, 2} and there.get() == "x" * 100_000

    def test_others_are_refused(self, fork):
        with pytest.raises(TypeError):
            fork.Queue(serializer=object())
        with pytest.raises(ImportError):
            fork.Queue(serializer="no_such_module")


def call_one(source, target):
    target.put(source.get()())


class TestThreads:
    def test_threads_of_one_process(self, fork):
        there, back = fork.Queue(5), fork.Queue(5)
        threads = [threading.Thread(target=copy, args=(there, back)) for _ in range(4)]
        for thread in threads:
            thread.start()
        feeder = threading.Thread(target=put_all, args=(there, [*range(1, 501), *[None] * 4]))
        feeder.start()
        assert sorted(back.get(timeout=PATIENCE) for _ in range(500)) == list(range(1, 501))
        for thread in [*threads, feeder]:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def test_fork_while_threads_use_it(self, fork, started):
        there, back = fork.Queue(), fork.Queue()
        stop = threading.Event()

        def use():
            while not stop.is_set():
                there.put([1, {2: 3}])
                there.get(timeout=PATIENCE)

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            for number in range(10):
                process = started(fork, put_all, back, [number])
                assert back.get(timeout=PATIENCE) == number
                assert ended(process) == 0
        finally:
            stop.set()
            for thread in threads:
                thread.join(PATIENCE)


ITEM = ["item", 1, {"k": b"v" * 100}]


def put_forever(target):
    while True:
        target.put(ITEM)
        target.put_many([ITEM] * 3)


def get_forever(source):
    while True:
        source.get()
        source.get_many(3)


class TestKilled:
    """A process that is killed while it uses a queue hangs nobody, and what is got is whole."""

    @pytest.mark.parametrize("bound", [0, 7])
    def test_while_it_puts(self, fork, started, bound):
        there = fork.Queue(bound)
        for _ in range(40):
            victim = started(fork, put_forever, there)
            assert there.get(timeout=PATIENCE) == ITEM
            victim.kill()
            while victim.exitcode is None:
                try:
                    assert there.get(timeout=0) == ITEM
                except queue.Empty:
                    pass
        while not there.empty():
            assert there.get(timeout=PATIENCE) == ITEM
        there.put("at last", timeout=PATIENCE)
        assert there.get(timeout=PATIENCE) == "at last"

    @pytest.mark.parametrize("bound", [0, 7])
    def test_while_it_gets(self, fork, started, bound):
        there = fork.Queue(bound)
        for _ in range(40):
            victim = started(fork, get_forever, there)
            for _ in range(20):
                there.put(ITEM, timeout=PATIENCE)
            victim.kill()
            assert ended(victim) == -signal.SIGKILL
            while there.qsize():
                assert there.get(timeout=PATIENCE) == ITEM


def test_a_hundred_queues_go_to_one_process(context, started):
    queues = [context.Queue() for _ in range(100)]
    back = context.Queue()
    process = started(context, get_each, queues, back)
    for number, there in enumerate(queues):
        there.put(number)
    assert back.get(timeout=PATIENCE) == list(range(100))
    assert ended(process) == 0


def get_each(queues, back):
    back.put([there.get() for there in queues])


def test_a_subclass_with_a_state_of_its_own_arrives(context, started):
    there, back = Labelled("name", ctx=context), context.Queue()
    process = started(context, tell_label, there, back)
    there.put("item")
    assert back.get(timeout=PATIENCE) == ("name", "item")
    assert ended(process) == 0


class Labelled(Queue):
    def __init__(self, label, *, ctx):
        super().__init__(ctx=ctx)
        self.label = label

    def __getstate__(self):
        return super().__getstate__(), self.label

    def __setstate__(self, state):
        queue_state, self.label = state
        super().__setstate__(queue_state)


def tell_label(there, back):
    back.put((there.label, there.get()))
