"""Queues that come to an end: closed, shut down, done, or in use by a process that is killed."""

import os
import queue
import signal
import time

import pytest
from children import copy, ended, put_all
from waiting import PATIENCE

from procession.queues import ItemsLost, ShutDown


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
