"""One group of tests under one start method on one interpreter: run, bounded, and read.

    running  --event "end" of each test-->  finished
       |  a test lasts longer than its bound, or the interpreter dies in it
       v
    the session's processes are asked where they are (SIGABRT, faulthandler), killed, and the rest of the tests
    go on in a new interpreter; the test's outcome is `hang` or `crash`
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from interpreters import INSIDE

GROUPS = ("processes", "manager", "misc", "main_handling", "futures")
STARTS = ("fork", "spawn", "forkserver")

#: Seconds that one test may take. The longest of stock takes 30 on a busy machine with two cores.
TEST_BOUND = 180
#: Seconds for what comes before the first test and after the last.
EDGE_BOUND = 120
#: Seconds in which what the tests started must have ended, when the interpreter that ran them has.
LEFTOVER_BOUND = 10
#: How often a group goes on after a hang or a crash.
RESTARTS = 12


@dataclass
class Record:
    """What became of one test: ok, skip, xfail, fail, error, hang, crash, or unrun."""

    test: str
    outcome: str
    why: str = ""
    seconds: float = 0.0
    census: dict = field(default_factory=dict)


@dataclass
class Cell:
    python: str
    version: tuple
    start: str
    group: str
    install: bool
    borrowed: str | None
    directory: Path

    planned: list = field(default_factory=list)
    records: dict = field(default_factory=dict)
    warnings: list = field(default_factory=list)
    leftovers: list = field(default_factory=list)
    seconds: float = 0.0

    @property
    def name(self):
        return f"{'.'.join(map(str, self.version))} {self.start} {self.group}"

    @property
    def log(self):
        return self.directory / "log"

    def run(self, only=()):
        """Runs the group, or of it the tests that `only` names (`Class`, `test` or `Class.test`)."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        begun = time.monotonic()
        chosen = self.choose(only) if only else None
        for _ in range(RESTARTS + 1):
            rest = [test for test in chosen or self.planned if test not in self.records]
            if (chosen is not None or self.planned) and not rest:
                break
            if self.attempt(rest):
                break
        for test in chosen or self.planned:
            self.records.setdefault(test, Record(test, "unrun", "the interpreter died too often"))
        if not self.planned and not self.records:
            self.records["the group"] = Record("the group", "error", self.tail())
        self.seconds = time.monotonic() - begun

    def again(self, test):
        """Runs one test once more, alone, and returns its record."""
        self.records.pop(test)
        self.attempt([test])
        return self.records.setdefault(test, Record(test, "unrun", self.tail()))

    def choose(self, only):
        self.attempt(["no such test"])
        planned, self.planned = self.planned_of_all(), []
        self.records.clear()
        return [test for test in planned if set(only) & {test, *test.split(".", 1)}]

    def planned_of_all(self):
        events = [json.loads(line) for line in (self.directory / "events").read_text().splitlines()]
        return next((event["known"] for event in events if event["event"] == "plan"), [])

    def attempt(self, tests):
        """One interpreter. Whether it came to the end of what it had to run."""
        events = self.directory / "events"
        events.unlink(missing_ok=True)
        work = self.directory / "work"
        work.mkdir(exist_ok=True)
        settings = {
            "install": self.install,
            "census": str(self.directory / "census") if self.install else None,
            "borrowed": self.borrowed,
            "group": self.group,
            "start": self.start,
            "events": str(events),
        }
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PROCESSION"))
        }
        environment["PROCESSION_CONFORMANCE"] = json.dumps(settings)
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        with open(self.log, "ab") as log:
            runner = subprocess.Popen(
                [str(self.python), "-bb", str(INSIDE / "runner.py"), *tests],
                cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=no_core,
            )  # fmt: skip
        try:
            done = self.watch(runner, events)
        finally:
            self.leftovers += end_session(runner.pid)
            runner.wait()
            shutil.rmtree(work, ignore_errors=True)
        return done

    def watch(self, runner, events):
        reader = Events(events)
        running, since = None, time.monotonic()
        done = False
        while True:
            ended = runner.poll() is not None
            for event in reader.read():
                since = time.monotonic()
                kind = event["event"]
                if kind == "plan":
                    self.planned = self.planned or event["tests"]
                elif kind == "start":
                    running = event["test"]
                elif kind == "end":
                    running = None
                    self.records[event.pop("test")] = self.record(event)
                elif kind == "warning":
                    self.warnings.append(event["text"])
                elif kind == "done":
                    done = True
            if ended:
                break
            if time.monotonic() - since > (TEST_BOUND if running else EDGE_BOUND):
                self.stop(runner, running, since)
                return False
            time.sleep(0.05)
        if running is not None:
            self.records[running] = Record(running, "crash", f"ended with {runner.returncode}\n{self.tail()}")
            return False
        if done and runner.returncode:
            self.records["the end"] = Record("the end", "error", f"ended with {runner.returncode}\n{self.tail()}")
        return done or not self.planned
