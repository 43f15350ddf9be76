"""Waiting for a queue: by its descriptor, in a coroutine, through signals, in many threads."""

import asyncio
import multiprocessing.connection
import os
import pickle
import queue
import signal
import threading

import pytest
from children import copy, ended, put_all
from waiting import PATIENCE, when_it_waits


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


def alarm():
    os.kill(os.getpid(), signal.SIGALRM)


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
                with pytest.raises(Alarm):
                    when_it_waits(alarm)
                    call()
        finally:
            signal.signal(signal.SIGALRM, before)

    def test_one_that_does_not_raise_lets_it_go_on(self, fork):
        there = fork.Queue()
        before = signal.signal(signal.SIGALRM, lambda *_: there.put("from the handler"))
        try:
            when_it_waits(alarm)
            assert there.get(timeout=PATIENCE) == "from the handler"
        finally:
            signal.signal(signal.SIGALRM, before)


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
