"""Signals that come in the middle of a call."""

import os
import signal


def test_a_lock_that_went_with_its_connection_is_not_released_from_under_the_next(run):
    out = run("""
        import os, signal, threading
        import procession.managers
        from waiting import when_it_waits
        has_it, may_end = threading.Event(), threading.Event()

        def be_next(lock):
            lock.acquire()
            has_it.set()
            may_end.wait()

        if __name__ == "__main__":
            with procession.managers.SyncManager() as manager:
                # Neither of these is used in shared memory.
                lock, event = manager.RLock(), manager.Event()
                other = threading.Thread(target=be_next, args=(lock,))
                try:
                    with lock:
                        try:
                            when_it_waits(lambda: os.kill(os.getpid(), signal.SIGINT))
                            event.wait()
                        finally:
                            other.start()
                            has_it.wait()
                except KeyboardInterrupt:
                    print("interrupted", lock.acquire(False))
                may_end.set()
                other.join()
                print("released", lock.acquire(True, 60))
    """)
    assert out.splitlines() == ["interrupted False", "released True"]


def test_a_signal_handler_that_asks_the_manager_in_the_middle_of_a_question_is_told_so(ours):
    asked = []

    def ask(_number, _frame):
        try:
            ours._number_of_objects()
        except RuntimeError as error:
            asked.append(str(error))

    before = signal.signal(signal.SIGUSR1, ask)
    try:
        kept = ours.SlowCounter(os.getpid())
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert kept.add() == 1
    assert len(asked) == 1 and "use a thread" in asked[0]


def test_ctrl_c_ends_a_wait_and_the_next_call_works(run):
    out = run("""
        import os, signal
        import procession.managers
        from waiting import when_it_waits
        if __name__ == "__main__":
            with procession.managers.SyncManager() as manager:
                tasks = manager.Queue()
                tasks.qsize()
                try:
                    when_it_waits(lambda: os.kill(os.getpid(), signal.SIGINT))
                    tasks.get()
                except KeyboardInterrupt:
                    print("interrupted")
                tasks.put(1)
                print(tasks.get(timeout=30))
    """)
    assert out.split() == ["interrupted", "1"]
