"""Rust programs as processes. PROCESSION_TEST_TASKS is the program of `python/tests/tasks`."""

import datetime
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from waiting import PATIENCE, all_end

import procession as mp
from procession.rust import RustError, RustPanic

PROGRAM = os.environ.get("PROCESSION_TEST_TASKS")

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="PROCESSION_TEST_TASKS is not set")


def started(task, *args, **options):
    process = mp.RustProcess(PROGRAM, task, args, **options)
    process.start()
    return process


def call(task, *args):
    return started(task, *args).result(PATIENCE)


def test_plain_data_goes_and_comes_back():
    data = (None, True, 1 << 100, 0.5, "ü", [1, 2], [[-1], []], {-5: (1, 2), 7: (3, 4)})
    assert call("data", *data) == data
    assert call("data", 3, False, -1, 2, "", b"\x01\x02", [], {})[:6] == (3, False, -1, 2.0, "", [1, 2])
    assert call("nothing") is None
    assert call("add", 40, 2) == 42


@pytest.mark.parametrize("kind", ["Plain", {"Sized": (1, 2)}, {"Named": {"name": "x"}}])
def test_dicts_are_structs_and_variants(kind):
    order = {"number": 1, "word": None, "kind": kind}
    assert call("one", order) == order


def test_an_argument_that_cannot_be_mapped_is_named_with_its_place():
    process = mp.RustProcess(PROGRAM, "data", (1, [{"when": datetime.date(2020, 1, 2)}]))
    with pytest.raises(TypeError, match=r"arguments\[1\]\[0\]\.when: datetime\.date cannot be mapped"):
        process.start()
    assert process.pid is None
    recursive = []
    recursive.append(recursive)
    for args in [(mp.Lock, 1), (1 << 128, 1), (mp.Condition(), 1), (mp.Value("i", lock=mp.Lock()),)]:
        with pytest.raises(TypeError, match=r"\.arguments.*cannot be mapped to Rust data"):
            mp.RustProcess(PROGRAM, "data", args).start()
    with pytest.raises(TypeError, match="contains itself"):
        mp.RustProcess(PROGRAM, "data", (recursive,)).start()


def test_an_argument_of_another_type_is_the_tasks_error_with_its_place():
    process = started("one", {"number": "no", "word": None, "kind": "Plain"})
    with pytest.raises(RustError, match=r"\.arguments\.number: invalid type: string .no., expected i64"):
        process.result(PATIENCE)
    assert process.exitcode == 102
    with pytest.raises(RustError, match=r"\.arguments: missing field `kind`"):
        call("one", {"number": 1})
    with pytest.raises(RustError, match=r"Returned\[1\]: Some\(None\) would arrive as None"):
        call("lost_option")


def test_a_panic_is_an_exception():
    process = started("panics", "boom")
    with pytest.raises(RustPanic, match="boom") as caught:
        process.result(PATIENCE)
    assert caught.value.message == "boom"
    assert "main.rs:" in caught.value.location
    assert "main.rs" in caught.value.backtrace
    assert caught.value.exitcode == process.exitcode == 101


def test_ends_without_a_result_are_told():
    with pytest.raises(RustError, match="exited with 7 without a result"):
        call("exits", 7)
    with pytest.raises(RustError, match="was killed by SIGABRT"):
        call("aborts")
    with pytest.raises(RustError, match="no task `missing`; it has: nothing, data,"):
        call("missing")


def test_what_cannot_be_started_is_an_oserror():
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        mp.RustProcess("/no-such-program", "x").start()
    with pytest.raises(OSError, match="ended before procession::init"):
        mp.RustProcess("/bin/true", "x").start()


def test_a_queue_is_one_in_both():
    orders, results = mp.Queue(), mp.Queue()
    process = started("serve", orders, results)
    for number in range(100):
        orders.put({"number": number, "word": "w", "kind": "Plain"})
    orders.put(None)
    for number in range(100):
        expected = {"number": number * 2, "word": "w", "kind": "Plain"}
        assert results.get(timeout=PATIENCE) == expected
    assert process.result(PATIENCE) == 100


def test_locks_values_and_arrays_are_the_same_in_both():
    lock, again, event = mp.Lock(), mp.RLock(), mp.Event()
    semaphore, value, array = mp.Semaphore(0), mp.Value("l", 5), mp.Array("d", [1, 2, 3])
    with value.get_lock():
        process = started("touch", lock, again, semaphore, event, value, array)
        assert value.value == 5
        assert not event.is_set()
    assert semaphore.acquire(timeout=PATIENCE)
    assert event.wait(PATIENCE)
    assert process.result(PATIENCE) == [1.0, 2.5, 3.0]
    assert value.value == 1005
    assert array[:] == [1.0, 2.5, 3.0]
    assert lock.acquire(False) and again.acquire(False)


def test_a_joinable_queue_is_joined_here():
    queue = mp.JoinableQueue()
    process = started("done", queue)
    for number in range(3):
        queue.put(number)
    queue.join()
    process.result(PATIENCE)


def test_a_killed_program_ends_nobody_else_and_gives_back_what_it_held():
    lock, ready, other_ready = mp.Lock(recover=True), mp.Event(), mp.Event()
    process, other = started("hold", lock, ready), started("sleep", other_ready)
    assert ready.wait(PATIENCE) and other_ready.wait(PATIENCE)
    assert not lock.acquire(False)
    process.kill()
    with pytest.raises(RustError, match="was killed by SIGKILL"):
        process.result(PATIENCE)
    assert lock.acquire(timeout=PATIENCE)
    assert lock.owner_died()
    lock.release()
    assert other.is_alive()
    other.terminate()
    other.join(PATIENCE)
    assert other.exitcode == -signal.SIGTERM


def test_a_timeout_leaves_it_running():
    ready = mp.Event()
    process = started("sleep", ready)
    assert ready.wait(PATIENCE)
    with pytest.raises(TimeoutError):
        process.result(0)
    process.kill()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL


def test_a_child_of_the_program_is_in_the_family():
    queue = mp.Queue()
    assert call("child", queue) is True
    assert queue.get(timeout=PATIENCE) == "from a child"


def test_name_environment_and_directory_reach_it():
    options = {"name": "settled", "env": {"COLOUR": "red"}, "cwd": "/"}
    assert started("surroundings", "COLOUR", **options).result(PATIENCE) == ("settled", "red", "/")


def test_it_ends_with_a_killed_parent_also_if_that_has_forked(tmp_path):
    """A forked child of the parent lives on, and does not keep the program alive."""
    source = """
        import os, sys, time
        import procession as mp

        ready = mp.Event()
        process = mp.RustProcess(sys.argv[1], "sleep", (ready,))
        process.start()
        ready.wait()
        child = os.fork()
        if child == 0:
            time.sleep(600)
        print(process.pid, child, flush=True)
        time.sleep(600)
    """
    arguments = [sys.executable, "-c", textwrap.dedent(source), PROGRAM]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as parent:
        pid, child = map(int, parent.stdout.readline().split())
        parent.kill()
        try:
            assert all_end([pid])
            assert is_running(child)
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_daemon_ends_with_this_program_and_others_are_waited_for(run):
    source = """
        import sys
        import procession as mp

        ready, queue = mp.Event(), mp.Queue()
        daemon = mp.RustProcess(sys.argv[1], "sleep", (ready,), daemon=True)
        daemon.start()
        ready.wait()
        other = mp.RustProcess(sys.argv[1], "child", (queue,))
        other.start()
        print(daemon.pid, other.pid)
    """
    pids = map(int, run(source, PROGRAM).split())
    assert not any(map(is_running, pids))


def test_a_large_item_crosses_in_both_directions():
    orders, results = mp.Queue(), mp.Queue()
    process = started("serve", orders, results)
    order = {"number": 1, "word": "w" * 300_000, "kind": {"Sized": (1, 2)}}
    orders.put(order)
    orders.put(None)
    assert results.get(timeout=PATIENCE) == {**order, "number": 2}
    assert process.result(PATIENCE) == 1


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return ") Z " not in stat.read()
    except FileNotFoundError:
        return False
