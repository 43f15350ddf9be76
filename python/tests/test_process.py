"""What our processes have beyond stock's."""

import asyncio
import os
import time

import procession
import pytest


def until_told(semaphore):
    semaphore.acquire()


@pytest.fixture
def process(method):
    context = procession.get_context(method)
    told = context.Semaphore(0)
    process = context.Process(target=until_told, args=(told,))
    process.told = told.release
    process.start()
    yield process
    process.kill()
    process.join()


def test_several_coroutines_wait_for_one_process(process):
    async def main():
        waiters = [asyncio.create_task(process.join_async()) for _ in range(3)]
        await asyncio.sleep(0)
        assert not any(waiter.done() for waiter in waiters)
        process.told()
        await asyncio.gather(*waiters)

    asyncio.run(main())
    assert process.exitcode == 0


def test_a_wait_ends_when_its_time_is_up_and_the_process_goes_on(process):
    async def main():
        before = time.monotonic()
        await process.join_async(0.05)
        assert time.monotonic() - before >= 0.05
        assert process.exitcode is None

    asyncio.run(main())
    assert process.is_alive()


def test_a_cancelled_wait_leaves_no_descriptor_and_no_reader(process):
    async def main():
        before = len(os.listdir("/proc/self/fd"))
        waiter = asyncio.create_task(process.join_async())
        await asyncio.sleep(0)
        assert len(os.listdir("/proc/self/fd")) == before + 1
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert len(os.listdir("/proc/self/fd")) == before

    asyncio.run(main())
    assert process.is_alive()
