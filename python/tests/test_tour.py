"""Each chapter prints what the tutorial prints, line by line; a `#` is a number."""

import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

PATIENCE = 120


class Ran:
    def __init__(self, *arguments, path=None):
        environment = {**os.environ, **({"PATH": str(path)} if path else {})}
        ended = subprocess.run(
            [sys.executable, "-m", "procession", "tour", *arguments],
            capture_output=True, text=True, timeout=PATIENCE, env=environment,
        )  # fmt: skip
        self.status, self.errors = ended.returncode, ended.stderr
        self.lines = ended.stdout.splitlines()

    def chapter(self):
        """The lines below the heading of a chapter that went well."""
        assert (self.status, self.errors) == (0, "")
        assert self.lines[0].startswith("### ")
        return self.lines[1:]


def numbers(pattern, line):
    """The numbers that stand at each `#` of the pattern, if the rest of the line is the same."""
    found = re.fullmatch(re.escape(pattern).replace(r"\#", r"(\d+(?:\.\d+)?)"), line)
    return found and [float(number) for number in found.groups()]


def at(lines, pattern):
    found = [place for place, line in enumerate(lines) if numbers(pattern, line) is not None]
    assert found, f"no line {pattern!r} in {lines}"
    return found[0]


def expect(lines, pattern):
    return numbers(pattern, lines[at(lines, pattern)])


def test_fork_prints_a_line_in_each_of_the_two_processes():
    lines = Ran("fork").chapter()
    start = numbers("Process (#) start...", lines[0])
    parent, created = expect(lines, "I (#) just created a child process (#)")
    assert expect(lines, "I am child process (#) and my parent is #") == [created, parent]
    assert start == [os.getpid()] and len(lines) == 3


def test_process_prints_the_childs_line_between_the_parents():
    lines = Ran("process").chapter()
    patterns = ["Parent process #", "Child process will start.", "Run child process test (#)...", "Child process end"]
    assert [numbers(*it) is not None for it in zip(patterns, lines, strict=True)] == [True] * 4, lines
    assert numbers(patterns[0], lines[0]) != numbers(patterns[2], lines[2])


def test_pool_runs_five_tasks_in_no_more_than_four_other_processes():
    lines = Ran("pool").chapter()
    assert len(lines) == 13, lines
    parent = numbers("Parent process #.", lines[0])
    at(lines, "Waiting for subprocessing done...")
    workers = set()
    for task in range(5):
        begun = at(lines, f"Run child process {task} (#)")
        assert begun < at(lines, f"Task {task} runs # seconds."), lines
        workers.add(numbers(f"Run child process {task} (#)", lines[begun])[0])
    assert lines[-1] == "All subprocessing done"
    assert parent[0] not in workers and len(workers) <= 4


def test_queue_gives_what_was_put_in_that_order_to_another_process():
    lines = Ran("queue").chapter()
    assert len(lines) == 8, lines
    assert expect(lines, "Process to write: #") != expect(lines, "Process to read: #")
    put = [at(lines, f"Put {value} to queue...") for value in "ABC"]
    got = [at(lines, f"Get {value} from queue.") for value in "ABC"]
    assert put == sorted(put) and got == sorted(got)
    assert all(before < after for before, after in zip(put, got)), lines


def test_distributed_has_each_task_done_by_one_of_the_workers():
    lines = Ran("distributed").chapter()
    assert len(lines) == 24, lines
    tasks = [int(numbers("Put task #...", line)[0]) for line in lines[:10]]
    assert at(lines, "Try get result...") == 10
    results = [numbers("Redult,# * # = #:", line) for line in lines]
    squares = sorted(result for result in results if result)
    assert squares == sorted([task, task, task * task] for task in tasks)
    assert sorted(lines[-3:]) == ["master exit", "worker exit", "worker exit"] and lines[-1] == "master exit"


def test_shared_memory_shows_the_parent_what_a_child_has_changed():
    assert Ran("shared-memory").chapter() == [
        "value1: Value('i') = 0",
        "value2: Value('d') = 3.14",
        "array: Array('i') [4] = [1, 2, 3, 4]",
        "table: Array('d') [2, 3] = [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]",
        "After a child has changed them:",
        "value1: Value('i') = 1",
        "value2: Value('d') = 2.72",
        "array: Array('i') [4] = [10, 20, 30, 40]",
        "table: Array('d') [2, 3] = [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]",
    ]


def test_lock_keeps_the_steps_of_two_processes_apart():
    def counted(first, second):
        begun = [step * first for step in range(1, 11)]
        ended = [10 * first + step * second for step in range(1, 11)]
        return [*map(str, begun + ended), "End"]

    # The tutorial's processes race for the lock, too: mostly the first one started has it first.
    assert Ran("lock").chapter() in (counted(1, 3), counted(3, 1))


def test_the_command_alone_runs_all_chapters_in_the_order_of_the_tutorial():
    ran = Ran()
    ran.chapter()
    names = [line.removeprefix("### ").partition(":")[0] for line in ran.lines if line.startswith("### ")]
    assert names == [
        "Fork", "Process", "Pool", "Subprocess", "Communicate", "Queue", "Shared memory", "Lock", "Distributed",
    ]  # fmt: skip


def test_a_chapter_that_does_not_exist_is_an_error_that_names_those_that_do():
    ran = Ran("threads")
    assert ran.status == 2 and ran.lines == []
    assert "shared-memory" in ran.errors


def test_a_reader_that_leaves_ends_the_tour_quietly():
    command = [sys.executable, "-m", "procession", "tour", "process"]
    tour = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    tour.stdout.readline()
    tour.stdout.close()
    errors = tour.stderr.read()
    assert (tour.wait(PATIENCE), errors) == (0, "")


@pytest.fixture
def programs(tmp_path):
    """A directory of programs: the real ones of these names, and an `nslookup` that is this script."""

    def programs(*real, nslookup=None):
        for program in real:
            (tmp_path / program).symlink_to(which(program))
        if nslookup is not None:
            script = Path(tmp_path / "nslookup")
            script.write_text(f"#!/bin/sh\n{nslookup}\n")
            script.chmod(0o755)
        return tmp_path

    return programs


def test_call_prints_the_exit_code_of_nslookup_as_it_is(programs):
    path = programs(nslookup="echo asked for $1; exit 3")
    assert Ran("subprocess", path=path).chapter() == [
        "$ nslookup www.python.org",
        "asked for www.python.org",
        "Exit code: 3",
    ]


def test_call_without_nslookup_says_so_and_calls_another_program(programs):
    lines = Ran("subprocess", path=programs("getent")).chapter()
    assert lines[:3] == [
        "$ nslookup www.python.org",
        "(nslookup is not installed here; the same with getent)",
        "$ getent hosts localhost",
    ]
    assert lines[-1] == "Exit code: 0"


def test_call_gives_an_nslookup_without_an_answer_up(programs):
    lines = Ran("subprocess", path=programs("sleep", nslookup="exec sleep 1000")).chapter()
    assert len(lines) == 2 and "timed out after 5 seconds" in lines[1]


def test_communicate_sends_the_input_and_prints_the_output(programs):
    lines = Ran("communicate", path=programs("cat", nslookup="cat; exit 2")).chapter()
    assert lines == ["$ nslookup", "set q=mx", "python.org", "exit", "", "Exit code: 2"]


def test_communicate_without_nslookup_says_so_and_talks_to_another_program(programs):
    lines = Ran("communicate", path=programs("sort")).chapter()
    said = "(nslookup is not installed here; the same with sort)"
    assert lines == ["$ nslookup", said, "$ sort", "exit", "python.org", "set q=mx", "", "Exit code: 0"]
