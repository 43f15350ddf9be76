"""The functions that the tests have Python call."""

import datetime
import os
import signal
import sys
import time


def nothing():
    return None


def same(value):
    return value


def add(a, b):
    return a + b


def types(*arguments):
    return [type(argument).__name__ for argument in arguments]


def boom():
    raise ValueError("boom")


def date():
    return [1, {"when": datetime.date(2020, 1, 2)}]


def unpicklable():
    return lambda: None


def leave(code):
    sys.exit(code)


def kill_self():
    os.kill(os.getpid(), signal.SIGKILL)


def name_and_variable(variable):
    import multiprocessing

    return multiprocessing.current_process().name, os.environ.get(variable), os.getcwd()


def serve(orders, results):
    """Doubles what comes until None does; how many that was."""
    count = 0
    while (order := orders.get()) is not None:
        results.put({"number": order["number"] * 2, "word": order["word"].upper()})
        count += 1
    return count


def touch(lock, value, array, event, semaphore):
    with lock:
        for _ in range(1000):
            with value.get_lock():
                value.value += 1
    array[1] = 2.5
    semaphore.release()
    event.set()
    return array[:]


def hold(lock, ready):
    lock.acquire()
    ready.set()
    signal.pause()


def declare_done(queue):
    for _ in range(3):
        queue.get()
        queue.task_done()


def child_of_mine(queue):
    """A process that Python starts is in the family, too."""
    import procession

    process = procession.get_context("spawn").Process(target=queue.put, args=("from a child",))
    process.start()
    process.join()
    return process.exitcode


def sleep_for_ever(queue):
    queue.put(os.getpid())
    while True:
        time.sleep(60)
