"""Libraries that are built on multiprocessing do the same with procession in its place.

Each program is run with stock and with `python -m procession`, under each start method; a library that keeps
start methods or classes of its own keeps them.
"""

import pytest

SETUP = """
import multiprocessing, os, sys

if __name__ == "__main__":
    multiprocessing.set_start_method(os.environ["METHOD"])


def square(n):
    return n * n


def fail(n):
    raise ValueError(n)


def caught(call):
    try:
        call()
    except ValueError as error:
        return repr(error)


"""

PROGRAMS = {
    "joblib": """
from joblib import Parallel, delayed

if __name__ == "__main__":
    for backend in ("multiprocessing", "loky"):
        parallel = Parallel(2, backend=backend)
        print(parallel(delayed(square)(n) for n in range(20)))
        print(caught(lambda: parallel(delayed(fail)(n) for n in range(1))))
""",
    "tqdm": """
from tqdm.contrib.concurrent import process_map

if __name__ == "__main__":
    print(process_map(square, range(20), max_workers=2, chunksize=3, disable=True))
    print(caught(lambda: process_map(fail, range(1), max_workers=2, disable=True)))
""",
    "pebble": """
import time
from concurrent.futures import TimeoutError
from pebble import ProcessPool

if __name__ == "__main__":
    with ProcessPool(2) as pool:
        print(list(pool.map(square, range(20)).result()))
        print(caught(pool.schedule(fail, args=(1,)).result))
        try:
            pool.schedule(time.sleep, args=(600,), timeout=0.1).result()
        except TimeoutError:
            print("too late")
        print(pool.schedule(square, args=(7,)).result())
""",
    "mpire": """
from mpire import WorkerPool

if __name__ == "__main__":
    with WorkerPool(2, start_method=os.environ["METHOD"]) as pool:
        print(pool.map(square, range(20)))
        print(caught(lambda: pool.map(fail, range(1))) is not None)
""",
    "logging": """
import logging
from logging.handlers import QueueHandler, QueueListener


def work(queue, n):
    logger = logging.getLogger()
    logger.addHandler(QueueHandler(queue))
    logger.warning("task %d", n)


class Printer(logging.Handler):
    def emit(self, record):
        print(record.getMessage(), flush=True)


if __name__ == "__main__":
    queue = multiprocessing.Queue()
    listener = QueueListener(queue, Printer())
    listener.start()
    for n in range(3):
        process = multiprocessing.Process(target=work, args=(queue, n))
        process.start()
        process.join()
    listener.stop()
""",
}

#: What waits in a buffer when a library forks would be printed by the child, too.
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}

WHOSE = """

if __name__ == "__main__":
    print(type(multiprocessing.Lock()).__module__, file=sys.stderr)
"""


@pytest.mark.parametrize("library", PROGRAMS)
def test_a_library_does_the_same_on_procession(run, method, library):
    if (library, method) == ("pebble", "fork"):
        pytest.skip("it forks beside its own threads, which can hang whosever the locks are")
    program = SETUP + PROGRAMS[library] + WHOSE
    stock = run(program, method=method, env=UNBUFFERED)
    assert "multiprocessing.synchronize" in run.stderr.splitlines()
    assert stock
    ours = run(program, method=method, module=("-m", "procession"), env=UNBUFFERED)
    assert "procession.synchronize" in run.stderr.splitlines()
    assert ours == stock
