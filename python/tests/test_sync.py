"""Locks, conditions, events and barriers: stock's meaning, and what a death does."""

import multiprocessing
import pickle
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
from waiting import until

import procession

BOTH = [multiprocessing.get_context("fork"), procession.get_context("fork")]


@pytest.fixture(params=BOTH, ids=["stock", "ours"])
def either(request):
    """Stock and ours, which must do the same."""
    return request.param


@pytest.fixture
def ours():
    return procession.get_context("fork")


def raised(call, *arguments, **named):
    with pytest.raises(Exception) as caught:
        call(*arguments, **named)
    return type(caught.value), str(caught.value)


def in_thread(call):
    results = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    thread.join()
    return results[0]


def test_errors_are_those_of_stock(either):
    too_often = (ValueError, "semaphore or lock released too many times")
    assert raised(either.Lock().release) == too_often
    assert raised(either.BoundedSemaphore(2).release) == too_often
    not_owned = (AssertionError, "attempt to release recursive lock not owned by thread")
    assert raised(either.RLock().release) == not_owned
    assert raised(either.Lock().acquire, True, "1") == (TypeError, "must be real number, not str")
    assert raised(either.Semaphore, -1)[0] is OSError
    assert raised(either.Lock().acquire, blocking=False)[0] is TypeError
    condition = either.Condition()
    assert raised(condition.wait) == (AssertionError, "must acquire() condition before using wait()")
    assert raised(condition.notify) == (AssertionError, "lock is not owned")
    assert raised(condition.notify_all) == (AssertionError, "lock is not owned")
    strange = either.Condition(threading.Lock())
    kind, text = raised(strange.wait)
    assert kind is AttributeError and "_semlock" in text


def test_locks_are_taken_and_given_back_as_in_stock(either):
    lock = either.Lock()
    assert lock.acquire() is True
    assert lock.acquire(False) is False
    assert lock.acquire(block=True, timeout=0) is False
    assert lock.acquire(True, -1) is False
    assert lock.release() is None
    assert lock.__enter__() is True
    assert lock.__exit__(None, None, None) is None
    recursive = either.RLock()
    with recursive, recursive:
        assert recursive._semlock._count() == 2
        assert in_thread(lambda: recursive.acquire(False)) is False
    assert in_thread(lambda: recursive.acquire(False)) is True
    bounded = either.BoundedSemaphore(2)
    assert [bounded.acquire(False) for _ in range(3)] == [True, True, False]
    assert bounded.get_value() == 0


def test_reprs_are_those_of_stock(either):
    lock, recursive = either.Lock(), either.RLock()
    assert repr(lock) == "<Lock(owner=None)>"
    assert repr(recursive) == "<RLock(None, 0)>"
    assert repr(either.Condition()) == "<Condition(<RLock(None, 0)>, 0)>"
    with lock, recursive, recursive:
        assert repr(lock) == "<Lock(owner=MainProcess)>"
        assert repr(recursive) == "<RLock(MainProcess, 2)>"
        assert in_thread(lambda: repr(lock)) == "<Lock(owner=SomeOtherThread)>"
        assert in_thread(lambda: repr(recursive)) == "<RLock(SomeOtherThread, nonzero)>"
    assert repr(either.Semaphore(2)) == "<Semaphore(value=2)>"
    assert repr(either.BoundedSemaphore(2)) == "<BoundedSemaphore(value=2, maxvalue=2)>"
    event = either.Event()
    assert repr(event) == f"<Event at {id(event):#x} unset>"
    event.set()
    assert repr(event) == f"<Event at {id(event):#x} set>"


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_a_condition_gives_its_lock_back_while_it_waits(either, kind):
    condition = either.Condition(getattr(either, kind)())
    depth = 3 if kind == "RLock" else 1
    got = []

    def waiter():
        for _ in range(depth):
            condition.acquire()
        got.append(condition.wait(60))
        got.append(condition._lock._semlock._count())
        for _ in range(depth):
            condition.release()

    thread = threading.Thread(target=waiter)
    thread.start()
    until(lambda: condition._sleeping_count.get_value() > 0)
    with condition:
        condition.notify()
    thread.join()
    assert got == [True, depth]
    assert condition._sleeping_count.get_value() - condition._woken_count.get_value() == 0
    assert condition._wait_semaphore.get_value() == 0


def test_a_wait_without_a_notice_ends_and_has_the_lock(either):
    condition = either.Condition()
    with condition:
        assert condition.wait(0) is False
        assert condition.wait(0.001) is False
        assert condition.wait_for(lambda: False, 0.001) is False
        assert condition.wait_for(lambda: 7) == 7
        assert condition._lock._semlock._is_mine()


def test_a_condition_over_a_lock_of_stock_works(ours):
    condition = ours.Condition(BOTH[0].RLock())
    assert isinstance(condition, multiprocessing.synchronize.Condition)
    with condition:
        assert condition.wait(0.001) is False
        condition.notify_all()


def test_stock_classes_work_over_our_locks(ours):
    condition = multiprocessing.synchronize.Condition(ours.RLock(), ctx=ours)
    with condition:
        assert condition.wait(0.001) is False
        condition.notify_all()
    event = multiprocessing.synchronize.Event(ctx=ours)
    event.set()
    assert event.wait(0) is True


def test_our_classes_are_stocks_too(ours):
    stock = multiprocessing.synchronize
    for name in ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event"):
        made = getattr(ours, name)()
        assert isinstance(made, getattr(stock, name))
        assert type(made).__module__ == "procession.synchronize"
    assert isinstance(ours.Barrier(1), stock.Barrier)
    assert isinstance(ours.Barrier(1), threading.Barrier)


def test_an_event_is_what_was_set_last(either):
    event = either.Event()
    assert (event.is_set(), event.wait(0), event.wait(0.001)) == (False, False, False)
    event.set()
    event.set()
    assert (event.is_set(), event.wait(), event.wait(0)) == (True, True, True)
    event.clear()
    assert event.is_set() is False


def test_who_waits_when_an_event_is_set_and_cleared_at_once_returns(ours):
    event, waiting = ours.Event(), threading.Event()
    got = []

    def waiter():
        waiting.set()
        got.append(event.wait(60))

    thread = threading.Thread(target=waiter)
    thread.start()
    waiting.wait()
    while thread.is_alive():
        event.set()
        event.clear()
    assert got == [True]


def test_a_barrier_runs_its_action_once_a_round(either):
    calls = []
    barrier = either.Barrier(3, action=lambda: calls.append(threading.current_thread().name))
    indices = []
    threads = [
        threading.Thread(target=lambda: [indices.append(barrier.wait()) for _ in range(5)])
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 5
    assert sorted(indices) == sorted([0, 1, 2] * 5)
    assert (barrier.parties, barrier.n_waiting, barrier.broken) == (3, 0, False)


def test_a_barrier_whose_action_raises_is_broken(either):
    barrier = either.Barrier(1, action=lambda: 1 // 0)
    assert raised(barrier.wait)[0] is ZeroDivisionError
    assert barrier.broken
    assert raised(barrier.wait)[0] is threading.BrokenBarrierError
    barrier.reset()
    assert not barrier.broken


def test_a_barrier_is_broken_by_time_by_abort_and_by_reset(either):
    barrier = either.Barrier(2, timeout=0.001)
    assert raised(barrier.wait)[0] is threading.BrokenBarrierError
    assert barrier.broken
    barrier.reset()
    barrier.abort()
    assert raised(barrier.wait, 60)[0] is threading.BrokenBarrierError
    barrier.reset()
    caught = []
    thread = threading.Thread(target=lambda: caught.append(raised(barrier.wait, 60)[0]))
    thread.start()
    until(lambda: barrier.n_waiting > 0)
    barrier.reset()
    thread.join()
    assert caught == [threading.BrokenBarrierError]
    assert not barrier.broken


WAITS = {
    "lock": "lock = mp.Lock(); lock.acquire(); wait = lock.acquire",
    "rlock": "l = mp.RLock(); t = threading.Thread(target=l.acquire); t.start(); t.join(); wait = l.acquire",
    "semaphore": "wait = mp.Semaphore(0).acquire",
    "condition": "c = mp.Condition(); c.acquire(); wait = c.wait",
    "event": "wait = mp.Event().wait",
    "barrier": "wait = mp.Barrier(2).wait",
    "poll": "ends = mp.Pipe(); wait = lambda: ends[0].poll(None)",
    "recv": "ends = mp.Pipe(); wait = lambda: ends[0].recv()",
    "recv_bytes": "ends = mp.Pipe(); wait = lambda: ends[0].recv_bytes()",
    "send": "ends = mp.Pipe(); wait = lambda: ends[0].send_bytes(bytes(1 << 24))",
    "value": "v = mp.Value('i'); t = threading.Thread(target=v.acquire); t.start(); t.join(); wait = lambda: v.value",
}


@pytest.mark.parametrize("what", WAITS)
def test_a_signal_is_handled_while_it_waits_and_the_handler_ends_the_wait(run, what):
    out = run(f"""
        import os, signal, threading, procession as mp
        from waiting import when_it_waits
        {WAITS[what]}
        came = []

        def handler(number, frame):
            came.append(number)
            if len(came) == 3:
                raise KeyboardInterrupt

        signal.signal(signal.SIGUSR1, handler)

        try:
            when_it_waits(lambda: os.kill(os.getpid(), signal.SIGUSR1), times=3)
            wait()
        except KeyboardInterrupt:
            print("interrupted", len(came))
    """)
    assert out == "interrupted 3\n"


def test_an_interrupted_wait_at_a_condition_has_the_lock_again(run):
    out = run("""
        import os, signal, threading, procession as mp
        condition = mp.Condition()
        main = threading.get_ident()

        def disturb():
            while not condition._n_waiting():
                os.sched_yield()
            signal.pthread_kill(main, signal.SIGINT)

        threading.Thread(target=disturb, daemon=True).start()
        with condition, condition:
            try:
                condition.wait()
            except KeyboardInterrupt:
                print(condition)
        print(condition)
    """)
    assert out.split("\n")[:2] == [
        "<Condition(<RLock(MainProcess, 2)>, 0)>", "<Condition(<RLock(None, 0)>, 0)>",
    ]  # fmt: skip


def test_a_child_uses_what_it_was_given(run, method):
    out = run(
        """
        import os, threading, procession as mp

        def child(lock, condition, event, barrier, state):
            assert condition._lock is lock
            with condition:
                condition.wait_for(lambda: state.value == 1)
                state.value = 2
                condition.notify_all()
            event.wait()
            print(barrier.wait() in (0, 1), flush=True)
            try:
                barrier.wait()
            except threading.BrokenBarrierError:
                print("broken", flush=True)

        if __name__ == "__main__":
            context = mp.get_context(os.environ["METHOD"])
            lock = context.RLock()
            condition, event, barrier = context.Condition(lock), context.Event(), context.Barrier(2)
            state = context.Value("i", lock=lock)
            process = context.Process(target=child, args=(lock, condition, event, barrier, state))
            process.start()
            with condition:
                state.value = 1
                condition.notify_all()
                print(condition.wait_for(lambda: state.value == 2, 60))
            event.set()
            barrier.wait(60)
            while not barrier.n_waiting:
                os.sched_yield()
            barrier.abort()
            process.join()
            print(process.exitcode, barrier.broken)
        """,
        method=method,
    )
    assert sorted(out.split()) == sorted(["True", "True", "broken", "0", "True"])


# A child that is killed while it has or waits for something; `ready` says that it is there.
KILLED = """
    import os, signal, sys, threading, procession, multiprocessing
    mp = multiprocessing if "stock" in sys.argv else procession

    def child(ready, work):
        ready.send_bytes(b"")
        work()
        signal.pause()

    def killed(context, work, is_there=lambda: True):
        receiver, sender = context.Pipe(False)
        process = context.Process(target=child, args=(sender, work))
        process.start()
        receiver.recv_bytes()
        while not is_there():
            os.sched_yield()
        os.kill(process.pid, signal.SIGKILL)
        process.join()
"""


def test_an_event_is_set_although_a_waiter_was_killed(run, method):
    out = run(
        KILLED + """
    if __name__ == "__main__":
        context = mp.get_context(os.environ["METHOD"])
        event = context.Event()
        killed(context, event.wait)
        event.set()
        print(event.is_set(), event.wait(0))
    """,
        method=method,
    )
    assert out.split() == ["True", "True"]


def test_stock_hangs_when_a_waiter_of_an_event_was_killed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(KILLED + """
    if __name__ == "__main__":
        context = mp.get_context("fork")
        event = context.Event()
        killed(context, event.wait, lambda: event._cond._sleeping_count.get_value())
        print("killed", flush=True)
        event.set()
        print("set", flush=True)
    """))
    process = subprocess.Popen([sys.executable, str(program), "stock"], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "killed\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(3)
    process.kill()
    assert process.stdout.read() == ""
    process.stdout.close()
    process.wait()


def test_a_notice_is_not_lost_on_a_waiter_that_was_killed(run, method):
    out = run(
        KILLED + """
    def wait(condition):
        with condition:
            condition.wait()

    if __name__ == "__main__":
        import functools
        context = mp.get_context(os.environ["METHOD"])
        condition = context.Condition()
        killed(context, functools.partial(wait, condition), lambda: condition._n_waiting() == 1)
        woken = []

        def waiter():
            with condition:
                woken.append(condition.wait(60))

        thread = threading.Thread(target=waiter)
        thread.start()
        while not woken:
            with condition:
                condition.notify()
        thread.join()
        print(woken, condition)
    """,
        method=method,
    )
    assert out == "[True] <Condition(<RLock(None, 0)>, 0)>\n"


def test_a_barrier_is_broken_when_a_waiter_was_killed(run, method):
    out = run(
        KILLED + """
    if __name__ == "__main__":
        context = mp.get_context(os.environ["METHOD"])
        barrier = context.Barrier(3)
        killed(context, barrier.wait, lambda: barrier.n_waiting == 1)
        try:
            barrier.wait(60)
        except threading.BrokenBarrierError:
            print("broken", barrier.broken)
    """,
        method=method,
    )
    assert out == "broken True\n"


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_a_lock_whose_holder_was_killed_stays_locked_unless_it_recovers(run, method, kind):
    out = run(
        KILLED + f"""
    if __name__ == "__main__":
        context = mp.get_context(os.environ["METHOD"])
        lock = context.{kind}()
        killed(context, lock.acquire, lambda: not lock._semlock._get_value())
        print(lock.acquire(timeout=2), lock)
        lock = context.{kind}(recover=True)
        killed(context, lock.acquire, lambda: not lock._semlock._get_value())
        print(lock.acquire(timeout=60), lock.owner_died())
        lock.release()
        with lock:
            print(lock.owner_died())
    """,
        method=method,
    )
    stays = "<Lock(owner=SomeOtherProcess)>" if kind == "Lock" else "<RLock(SomeOtherProcess, nonzero)>"
    assert out.splitlines() == [f"False {stays}", "True True", "False"]


def test_a_child_that_is_forked_while_threads_use_the_objects_can_use_them_all(run):
    out = run("""
        import os, threading, procession as mp
        context = mp.get_context("fork")
        lock, recursive, condition, event = context.Lock(), context.RLock(), context.Condition(), context.Event()
        value, array, ends = context.Value("i"), context.Array("d", 10), context.Pipe()
        stop = threading.Event()

        def use():
            while not stop.is_set():
                with lock:
                    pass
                with recursive, recursive:
                    pass
                with condition:
                    condition.notify_all()
                    condition.wait(0.0001)
                event.set()
                event.clear()
                value.value += 1
                array[3] += 1

        def child():
            # What a thread of the parent held when it forked, it gives back.
            for it in (lock, recursive, condition, value, array):
                with it:
                    pass
            event.set()
            ends[1].send(value.value >= 0 and array[3] >= 0)

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            process = context.Process(target=child)
            process.start()
            assert ends[0].recv()
            process.join()
        stop.set()
        for thread in threads:
            thread.join()
        print("done")
    """)
    assert out == "done\n"


def test_they_do_not_pickle_outside_of_a_start(ours):
    for made in (ours.Condition(), ours.Event(), ours.Barrier(2), ours.Value("i"), ours.Array("i", 2)):
        kind, text = raised(pickle.dumps, made)
        assert kind is RuntimeError
        assert "should only be shared between processes through inheritance" in text


def test_locked_says_whether_it_is(ours):
    lock, recursive = ours.Lock(), ours.RLock()
    assert (lock.locked(), recursive.locked()) == (False, False)
    with lock, recursive:
        assert (lock.locked(), recursive.locked()) == (True, True)


def test_ctrl_c_at_any_wait_leaves_one_traceback(tmp_path):
    program = "import procession as mp; e = mp.Event(); print('here', flush=True); e.wait()"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")
