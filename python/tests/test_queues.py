"""Queues: what stock's have, and what they have not."""

import gc
import multiprocessing.connection
import multiprocessing.pool
import multiprocessing.queues
import os
import pickle
import queue
import signal
import time
from concurrent.futures import ProcessPoolExecutor

import pytest
from children import copy, ended, put_all
from waiting import PATIENCE

from procession.queues import JoinableQueue, Queue, SimpleQueue

VALUES = [
    None, 7, 1.5, "text", b"bytes", [1, (2,), {"three": 3}], "x" * 100_000, b"y" * 3_000_000,
    bytearray(b"z" * 200_000), {"large": b"q" * 70_000, "list": list(range(5000))}, {1, 2}, 1j,
]  # fmt: skip


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

    @pytest.mark.parametrize("make", [iter, list, tuple])
    def test_large_and_small_ones_mixed(self, fork, make):
        there = fork.Queue()
        values = [value for value in [*VALUES, "\ud800", 1 << 70, -1, 1.5, "x" * 2000] for _ in range(3)]
        there.put_many(make(values))
        got = []
        while len(got) < len(values):
            got += there.get_many(100)
        assert got == values

    def test_a_list_that_is_emptied_meanwhile_ends(self, fork):
        there = fork.Queue()
        values = [1, Emptying(), 2, 3]
        values[1].target = values
        there.put_many(values)
        assert there.get_many(10) == [1, "emptied"] and values == []

    def test_full_says_how_many_were_put(self, fork):
        bounded = fork.Queue(5)
        with pytest.raises(queue.Full) as full:
            bounded.put_many(range(8), timeout=0)
        assert full.value.args == (5,)
        assert bounded.get_many(10) == [0, 1, 2, 3, 4]


def put_batches(target):
    target.put_many(range(5000))
    target.put_many([*range(5000, 10_000)])


class Emptying:
    """Empties a list when it is pickled."""

    def __reduce__(self):
        self.target.clear()
        return str, ("emptied",)


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
