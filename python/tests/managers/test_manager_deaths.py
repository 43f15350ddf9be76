"""What the death of a client or of the manager does."""

import os
import signal
import threading
from pathlib import Path

import pytest
from managed import raised
from waiting import asleep, until


@pytest.mark.parametrize("kind", ["Queue", "get_tasks"])
def test_a_client_that_is_killed_in_get_takes_no_item(ours, kind):
    jobs = getattr(ours, kind)()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            jobs.qsize()
            os.write(writer, b"x")
            jobs.get()
        finally:
            os._exit(1)
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    until(asleep(child))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    jobs.put("first")
    jobs.put("second")
    assert (jobs.get(timeout=30), jobs.get(timeout=30)) == ("first", "second")


@pytest.mark.parametrize("name", ["Lock", "RLock", "Condition"])
def test_what_a_killed_client_had_locked_is_released(ours, name):
    lock = getattr(ours, name)()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        lock.acquire()
        os.write(writer, b"x")
        signal.pause()
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    assert lock.acquire(False) is False
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert lock.acquire() is True
    lock.release()


def test_references_of_a_killed_client_go(ours):
    outer = ours.Queue()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        mine = [ours.list(), ours.Counter()]
        os.write(writer, b"x")
        signal.pause()
        del mine
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    assert ours._number_of_objects() == 3
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    until(lambda: ours._number_of_objects() == 1)
    assert outer.empty()


def test_a_killed_manager_is_an_error_for_who_waits_and_for_who_comes(manager):
    tasks = manager.Queue()
    caught = []

    def wait():
        try:
            tasks.get()
        except Exception as error:
            caught.append(type(error))

    tasks.qsize()
    waiting = threading.Thread(target=wait)
    waiting.start()
    os.kill(manager._process.pid, signal.SIGKILL)
    waiting.join(60)
    assert not waiting.is_alive() and issubclass(caught[0], (EOFError, OSError))
    assert issubclass(raised(tasks.put, 1)[0], (EOFError, OSError))
    assert issubclass(raised(manager.list)[0], (EOFError, OSError))


def test_a_clear_word_of_a_manager_that_ended(ours):
    items = ours.list([1])
    os.kill(ours._process.pid, signal.SIGKILL)
    ours._process.join()
    kind, (text, *_) = raised(items.pop)
    assert issubclass(kind, (EOFError, OSError))
    if kind is EOFError:
        assert text.startswith("the manager at ") and "'pop'" in text


def test_who_waits_in_shared_memory_is_told_that_the_manager_was_killed(ours):
    jobs, lock = ours.Queue(), ours.Lock()
    jobs.put("there")
    lock.acquire()
    os.kill(ours._process.pid, signal.SIGKILL)
    assert jobs.get() == "there"
    assert raised(jobs.get)[0] is EOFError
    assert raised(jobs.put, 1)[0] is EOFError
    assert raised(lock.acquire)[0] is EOFError


LEAVE = """
import os, signal, sys
from multiprocessing import util
import procession
if __name__ == "__main__":
    manager = procession.get_context(sys.argv[1]).Manager()
    proxy = manager.list([1])
    print(manager._process.pid, manager.address, flush=True)
    if sys.argv[2] == "kill":
        os.kill(manager._process.pid, signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["end", "kill"])
def test_nothing_is_left_of_a_manager(run, method, how):
    pid, address = run(LEAVE, method, how).split()
    assert not Path(address).exists() and not Path(address).parent.exists()
    until(lambda: not Path(f"/proc/{pid}").exists())
