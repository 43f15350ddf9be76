"""One group of tests under one start method on one interpreter: run, bounded, and read.

A test that lasts too long is a `hang`; one in which the interpreter ends is a `crash`. The processes of the session are
asked where they are (SIGABRT, which faulthandler answers into the log), and killed; the rest of the tests go on in a
new interpreter.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import session
from interpreters import INSIDE

GROUPS = ("processes", "manager", "misc", "main_handling", "futures", "executor")
STARTS = ("fork", "spawn", "forkserver")

#: Seconds that one test may take. The longest takes 30 with stock on a busy machine of two cores.
TEST_BOUND = 180
#: Seconds for what comes before the first test, between two, and after the last.
EDGE_BOUND = 120
#: How often a group goes on after a hang or a crash.
RESTARTS = 12
#: So many bytes of the log are shown where nothing else tells what happened.
TAIL = 4000


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
    python: Path
    version: tuple
    start: str
    group: str
    #: Whether procession is put in place; else stock is tested.
    install: bool
    #: Where the interpreter takes the tests of `concurrent.futures` from, if it came without them.
    borrowed: str | None
    directory: Path

    #: Names of tests, with `*` for anything: interpreters that these start get stock.
    left_to_stock: list = field(default_factory=list)
    #: Seconds that tests may take which are known to wait for ever; names as above.
    bounds: dict = field(default_factory=dict)
    planned: list = field(default_factory=list)
    records: dict = field(default_factory=dict)
    #: What the tests' own supervision complained of: pairs of the test that ran, or None, and the text.
    warnings: list = field(default_factory=list)
    leftovers: list = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self):
        return f"{'.'.join(map(str, self.version))} {self.start} {self.group}"

    @property
    def log(self):
        return self.directory / "log"

    def run(self, only=()):
        """Runs the group, or of it the tests that `only` names (`Class.test`, `Class` or `test`)."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        begun = time.monotonic()
        names, restarts = list(only), 0
        while not self.attempt(names) and self.planned and restarts < RESTARTS:
            restarts += 1
            names = [test for test in self.planned if test not in self.records]
            if not names:
                break
        for test in self.planned:
            if test not in self.records:
                self.records[test] = Record(test, "unrun", f"after {restarts} restarts\n{self.tail()}")
        self.seconds = time.monotonic() - begun

    def again(self, test):
        """Runs one test once more, alone, and returns its record."""
        self.records.pop(test)
        self.attempt([test])
        return self.records.setdefault(test, Record(test, "unrun", self.tail()))

    def attempt(self, names):
        """One interpreter. Whether it came to the end of what it had to run."""
        events = Events(self.directory / "events")
        work = self.directory / "work"
        work.mkdir()
        with open(self.log, "ab") as log:
            runner = subprocess.Popen(
                [self.python, "-bb", INSIDE / "runner.py", *names],
                cwd=work, env=self.environment(events.path), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=begin,
            )  # fmt: skip
        try:
            return self.follow(runner, events)
        finally:
            events.close()
            self.leftovers += session.end(runner)
            shutil.rmtree(work, ignore_errors=True)

    def environment(self, events):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PROCESSION"))}
        settings = {
            "install": self.install,
            "census": str(self.directory / "census") if self.install else None,
            "borrowed": self.borrowed if self.group in ("futures", "executor") else None,
            "group": self.group,
            "start": self.start,
            "events": str(events),
            "left_to_stock": self.left_to_stock,
        }
        return kept | {"PROCESSION_CONFORMANCE": json.dumps(settings), "PYTHONDONTWRITEBYTECODE": "1"}

    def follow(self, runner, events):
        with session.ends([runner.pid]) as ends:
            return self.follow_until(runner, events, ends)

    def follow_until(self, runner, events, ends):
        running, done, since = None, False, time.monotonic()
        while True:
            bound = self.bound(running) if running else EDGE_BOUND
            news = session.readable([events.pipe, *ends], since + bound - time.monotonic())
            for event in events.new():
                since = time.monotonic()
                match event.pop("event"):
                    case "plan":
                        self.planned = self.planned or event["tests"]
                    case "start":
                        running = event["test"]
                    case "end":
                        running = None
                        self.note(Record(**event))
                    case "warning":
                        self.warnings.append((running, event["text"]))
                    case "done":
                        done = True
            if set(ends) & set(news):
                return self.judge_end(runner.wait(), running, done)
            if not news:
                picture = session.picture(runner.pid)
                session.ask(runner.pid)
                what = running or "between tests"
                self.note(Record(what, "hang", f"{picture}\n{self.tail()}", time.monotonic() - since))
                return False

    def bound(self, test):
        return next((bound for name, bound in self.bounds.items() if fnmatchcase(test, name)), TEST_BOUND)

    def judge_end(self, code, running, done):
        if running:
            self.note(Record(running, "crash", f"ended with {code}\n{self.tail()}"))
            return False
        if not done or code:
            self.note(Record("between tests", "crash", f"ended with {code}\n{self.tail()}"))
        return done

    def note(self, record):
        """A class that cannot be set up or torn down may fail more than once under one name."""
        self.records[record.test] = record

    def tail(self):
        with open(self.log, "rb") as log:
            log.seek(max(0, os.path.getsize(self.log) - TAIL))
            return log.read().decode(errors="replace")


class Events:
    """What the runner tells, as it tells it: lines, in a pipe that has a name."""

    def __init__(self, path):
        self.path = path
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        # Open for both, so that it has no end between two words of the runner's.
        self.pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.begun = b""

    def close(self):
        os.close(self.pipe)

    def new(self):
        try:
            while more := os.read(self.pipe, 65536):
                self.begun += more
        except BlockingIOError:
            pass
        *lines, self.begun = self.begun.split(b"\n")
        yield from map(json.loads, lines)


def begin():
    # Whoever starts this in the background has Ctrl-C ignored; the tests send it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
