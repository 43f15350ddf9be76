"""The seed's programs, as they are, print with procession what they print with stock.

Both are run in a terminal, under each start method. Process ids and times are normalised; where processes
race, so is the order of their lines. `sitecustomize`, in the environment of both, sets the start method, which
these programs leave as it is, and seeds `random`, so that both take the same short naps and numbers.

The programs about `nslookup` find a stand-in on PATH: what the real one prints depends on the network, and many
machines have none.
"""

import contextlib
import re
import socket
import sys
from pathlib import Path

import pytest
from terminal import Program

PROGRAMS = Path(__file__).parents[2] / "examples" / "seed"
METHODS = ("fork", "spawn", "forkserver")

#: With this seed the first numbers of `random.random()` are between 0.1 and 0.2.
CUSTOMIZE = """
import os, random
random.seed(2217)
if method := os.environ.get("SEED_METHOD"):
    import multiprocessing
    multiprocessing.set_start_method(method)
"""
NSLOOKUP = """#!/bin/sh
[ $# -eq 0 ] && cat
echo "Server: stand-in, asked for: $*"
exit 3
"""


@pytest.fixture
def environment(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(CUSTOMIZE)
    stand_in = tmp_path / "bin" / "nslookup"
    stand_in.parent.mkdir()
    stand_in.write_text(NSLOOKUP)
    stand_in.chmod(0o755)

    def environment(method):
        path = f"{stand_in.parent}:/usr/local/bin:/usr/bin:/bin"
        return {"PYTHONPATH": str(tmp_path), "SEED_METHOD": method or "", "PATH": path}

    return environment


def both(name, env):
    """The program with stock and with procession, at the same time."""
    script = str(PROGRAMS / name)
    with Program([sys.executable, script], env=env) as stock:
        with Program([sys.executable, "-m", "procession", script], env=env) as ours:
            for program in (stock, ours):
                assert program.until_all_ended(), program.said()
            return result(stock), result(ours)


def result(program):
    """What is compared: the status, the last line of a traceback if there is one, and the lines."""
    complaint = program.stderr().strip().splitlines()
    # From 3.14 on, pickle says behind it of which classes it was at what, and those are procession's.
    complaint = [line for line in complaint if not line.startswith("when serializing ")][-1:]
    return program.process.returncode, normal(complaint), normal(program.lines())


def normal(lines):
    lines = [re.sub(r"\d+\.\d+ seconds", "S seconds", line) for line in lines]
    lines = [re.sub(r"(?<=\()\d+(?=\))|(?<=is )\d+|(?<=[Pp]rocess )\d+|(?<=: )\d+$", "PID", line) for line in lines]
    return [re.sub(r"0x[0-9a-f]+", "0x", line) for line in lines]


def test_a_fork_of_the_program_itself_prints_the_same(environment):
    stock, ours = both("01_fork.py", environment(None))
    assert in_any_order(ours) == in_any_order(stock)
    assert len(ours[2]) == 3


@pytest.mark.parametrize("name", ["04_subprocess_call.py", "05_subprocess_communicate.py"])
def test_other_programs_are_called_the_same(environment, name):
    stock, ours = both(name, environment(None))
    assert ours == stock
    assert "Exit code: PID" in ours[2]


@pytest.mark.parametrize("method", METHODS)
def test_a_process_prints_the_same(environment, method):
    stock, ours = both("02_process.py", environment(method))
    assert ours == stock
    assert ours[2][-1] == "Child process end"


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_prints_the_same(environment, method):
    stock, ours = both("03_pool.py", environment(method))
    assert in_any_order(ours) == in_any_order(stock)
    assert ours[2][-1] == "All subprocessing done " and len(ours[2]) == 13


@pytest.mark.parametrize("method", METHODS)
def test_a_queue_between_two_processes_prints_the_same(environment, method):
    stock, ours = both("06_queue.py", environment(method))
    assert in_any_order(ours) == in_any_order(stock)
    assert [line for line in ours[2] if line.startswith("Get")] == [f"Get {it} from queue." for it in "ABC"]


@pytest.mark.parametrize("method", METHODS)
def test_values_and_arrays_are_made_without_a_word(environment, method):
    stock, ours = both("08_value_array.py", environment(method))
    assert ours == stock == (0, [], [])


@pytest.mark.parametrize("method", METHODS)
def test_a_lock_prints_the_same(environment, method):
    stock, ours = both("09_lock.py", environment(method))
    if method == "fork":
        assert steps(ours[2]) == steps(stock[2])
    # Started anew, each process imports the program and makes a lock of its own, so that the two race.
    assert len(ours[2]) == len(stock[2]) == 21
    assert ours[:2] == (0, [])
    # Stock's tracker of semaphores now and then complains at the end that they leaked.
    assert stock[0] == 0
    assert ours[2][-1] == "End"


def steps(lines):
    """By how much each number is above the one before: ten times 1 and ten times 3, whoever was first."""
    numbers = [0, *map(int, lines[:-1])]
    steps = [after - before for before, after in zip(numbers, numbers[1:])]
    assert steps in ([1] * 10 + [3] * 10, [3] * 10 + [1] * 10)
    return sorted(steps)


@pytest.mark.parametrize("method", METHODS)
def test_a_manager_and_a_worker_that_connects_print_the_same(environment, method):
    """They use one port, so that one pair runs after the other."""
    env = environment(method)
    with free_port(8888):
        stock, ours = manager_and_worker([], env), manager_and_worker(["-m", "procession"], env)
    assert ours == stock
    if method == "fork":
        assert ours[2][-1] == "master exit" and len(ours[2]) == 22


def manager_and_worker(way, env):
    with Program([sys.executable, *way, str(PROGRAMS / "07_manager_master.py")], env=env) as master:
        assert master.until(lambda: b"Try get" in master.output or master.process.poll() is not None), master.said()
        with Program([sys.executable, *way, str(PROGRAMS / "07_manager_worker.py")], env=env) as worker:
            assert master.until_all_ended(), master.said()
            assert worker.until_all_ended(), worker.said()
        return result(master)


#: How a program is run: with stock, with procession installed, and with its managers imported from procession.
WAYS = {"stock": [], "installed": ["-m", "procession"], "imported": []}


@pytest.mark.parametrize(
    ("master", "workers"),
    [("imported", "stock"), ("stock", "imported"), ("imported", "imported"), ("imported", "installed"),
     ("installed", "imported"), ("installed", "stock")],
)  # fmt: skip
def test_a_manager_and_two_workers_work_together_whoever_is_ours(environment, tmp_path, master, workers):
    def program(role, way):
        text = (PROGRAMS / f"07_manager_{role}.py").read_text()
        if way == "imported":
            text = text.replace("from multiprocessing.managers import", "from procession.managers import")
        script = tmp_path / f"{role}-{way}.py"
        script.write_text(text)
        return [sys.executable, *WAYS[way], str(script)]

    env = environment("fork")
    with free_port(8888), Program(program("master", master), env=env) as served:
        assert served.until(lambda: b"Try get" in served.output or served.process.poll() is not None), served.said()
        with Program(program("worker", workers), env=env) as one, Program(program("worker", workers), env=env) as other:
            for each in (served, one, other):
                assert each.until_all_ended(), each.said()
        status, complaint, lines = result(served)
    assert (status, complaint, lines[-1], len(lines)) == (0, [], "master exit", 22)
    put = [int(line.split()[2].rstrip(".")) for line in served.lines()[:10]]
    assert sorted(served.lines()[11:21]) == sorted(f"Redult,{n} * {n} = {n * n}:" for n in put)


@contextlib.contextmanager
def free_port(number):
    """The seed's programs have their port written in them."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", number))
        except OSError:
            pytest.skip(f"another program uses port {number}, which is written in the seed's programs")
    yield


def in_any_order(result):
    status, complaint, lines = result
    return status, complaint, sorted(lines)
