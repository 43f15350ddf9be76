"""What hangs with stock, or loses data, and does not here.

Each program runs with both. It says `ready` before the call in question; from then on stock has a bound in which
it does *not* come to its end, which shows that the program still asks what it was written to ask.
"""

import signal

import pytest
from programs import start, write

#: Seconds that stock has to come to an end, which it does not.
STOCK_BOUND = 3
METHODS = ("fork", "spawn", "forkserver")

#: The program, and what it prints with procession, after `ready`.
PROGRAMS = {
    "a_worker_ends_itself": (
        """
        def main():
            with mp.Pool(2) as pool:
                lost = pool.apply_async(os._exit, (7,))
                ready()
                try:
                    lost.get()
                except Exception as error:
                    print(type(error).__name__)
                print(pool.map(abs, range(-3, 0)))
        """,
        ["WorkerLost", "[3, 2, 1]"],
    ),
    "a_worker_raises_SystemExit": (
        """
        def main():
            with mp.Pool(2) as pool:
                lost = pool.apply_async(sys.exit, (7,))
                ready()
                try:
                    lost.get()
                except BaseException as error:
                    print(type(error).__name__)
                print(pool.map(abs, range(-3, 0)))
        """,
        ["WorkerLost", "[3, 2, 1]"],
    ),
    "an_exception_does_not_unpickle": (
        """
        class Picky(Exception):
            def __init__(self, one, two):
                super().__init__(f"{one} {two}")

        def task():
            raise Picky(1, 2)

        def main():
            with mp.Pool(2) as pool:
                lost = pool.apply_async(task)
                ready()
                try:
                    lost.get()
                except Exception as error:
                    print("raised")
                print(pool.map(abs, range(-3, 0)))
        """,
        ["raised", "[3, 2, 1]"],
    ),
    "a_result_does_not_unpickle": (
        """
        class Picky:
            def __init__(self):
                self.one = 1
            def __setstate__(self, state):
                raise ValueError("picky")

        def main():
            with mp.Pool(2) as pool:
                lost = pool.apply_async(Picky)
                ready()
                try:
                    lost.get()
                except Exception as error:
                    print("raised")
                print(pool.map(abs, range(-3, 0)))
        """,
        ["raised", "[3, 2, 1]"],
    ),
    "a_process_is_killed_in_get": (
        """
        def take(queue, answer):
            answer.send(queue.get())

        def main():
            queue = mp.Queue()
            ours, theirs = mp.Pipe(duplex=False)
            first = mp.Process(target=take, args=(queue, theirs))
            first.start()
            until(asleep(first.pid))
            first.kill()
            first.join()
            second = mp.Process(target=take, args=(queue, theirs), daemon=True)
            second.start()
            queue.put("item")
            ready()
            print(ours.recv())
            second.join()
        """,
        ["item"],
    ),
    "a_process_is_killed_that_waits_for_an_event": (
        """
        def main():
            event = mp.Event()
            waiter = mp.Process(target=event.wait)
            waiter.start()
            until(asleep(waiter.pid))
            waiter.kill()
            waiter.join()
            ready()
            event.set()
            print(event.wait())
        """,
        ["True"],
    ),
}

@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    directory = tmp_path_factory.mktemp("hangs")
    return {
        name: write(directory, name, source) for name, (source, _) in PROGRAMS.items()
    }


@pytest.fixture(scope="module")
def stock(scripts):
    """All programs with stock, side by side, after the bound."""
    programs = {name: start(script, "multiprocessing", "fork") for name, script in scripts.items()}
    for program in programs.values():
        program.until_printed("ready")
    for program in programs.values():
        program.until_ended(patience=STOCK_BOUND / len(programs))
    yield programs
    for program in programs.values():
        program.__exit__()


@pytest.mark.parametrize("name", PROGRAMS)
def test_stock_hangs_when(name, stock):
    assert not stock[name].until_ended(patience=0), stock[name].said()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_hangs_when(name, method, scripts):
    with start(scripts[name], "procession", method) as program:
        program.until_printed("ready")
        assert program.until_all_ended(), program.said()
        assert program.lines() == ["ready", *PROGRAMS[name][1]], program.said()
        assert program.process.returncode == 0


IDLE_POOL = """
def main():
    pool = mp.Pool(3)
    pool.map(abs, range(100))
    ready()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("method", METHODS)
def test_an_idle_pool_ends_when_its_parent_was_killed(method, tmp_path):
    """So does stock's, whose workers read a pipe that ends; ours wait for memory, in which nothing ends by itself."""
    with start(write(tmp_path, "idle_pool", IDLE_POOL), "procession", method) as program:
        program.until_printed("ready")
        assert program.until_all_ended(), program.said()
        assert program.process.returncode == -signal.SIGKILL


EXECUTOR = """
import procession
from concurrent.futures import ProcessPoolExecutor

def main():
    procession.install()
    with ProcessPoolExecutor(3, mp_context=mp) as executor:
        for _ in range(5000):
            assert [call.result() for call in [executor.submit(abs, -it) for it in range(3)]] == [0, 1, 2]
    print("done")
"""


def test_the_executor_of_stock_is_never_told_of_a_result_that_is_gone(tmp_path):
    """It takes what a descriptor announces without looking, and would wait for it as long as nothing else comes."""
    with start(write(tmp_path, "executor", EXECUTOR), "procession", "fork") as program:
        assert program.until_all_ended(), program.said()
        assert program.lines() == ["done"], program.said()
