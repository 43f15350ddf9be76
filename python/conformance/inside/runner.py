"""Runs one group of CPython's tests under one start method, in the interpreter that is tested.

    runner.py NAME...           only the tests with these names: `Class.test`, `Class` or `test`; without any, all

Settings come by the environment (see `hook.py`). Each event is a line of JSON, written to the named pipe `events`:

    {"event": "plan", "tests": [...]}
    {"event": "start", "test": "Class.test"}
    {"event": "end", "test": ..., "outcome": "ok|skip|fail|error|xfail", "why": ..., "seconds": ..., "census": {...}}
    {"event": "warning", "text": ...}       what the tests' own supervision complains of
    {"event": "done"}

Children of `multiprocessing` import this file as their main module; it does nothing there.
"""

import gc
import json
import os
import sys
import time
import unittest
from fnmatch import fnmatchcase


class Recorder(unittest.TextTestResult):
    def __init__(self, *args, settings, **kwargs):
        super().__init__(*args, **kwargs)
        self.settings = settings
        self.noted = 0

    def tell(self, event, **what):
        tell(self.settings["events"], event, **what)

    def census(self):
        if not self.settings["census"]:
            return {}
        import census

        counts, self.noted = census.counts(self.settings["census"], self.noted)
        return dict(counts)

    def startTest(self, test):
        super().startTest(test)
        self.census()
        self.outcome, self.why, self.begun = "ok", "", time.monotonic()
        if any(fnmatchcase(name(test), left) for left in self.settings["left_to_stock"]):
            os.environ["PROCESSION_DISABLE"] = "1"
        print(f"@@ {name(test)}", file=sys.stderr, flush=True)
        self.tell("start", test=name(test))

    def stopTest(self, test):
        os.environ.pop("PROCESSION_DISABLE", None)
        seconds = round(time.monotonic() - self.begun, 3)
        self.tell("end", test=name(test), outcome=self.outcome, why=self.why, seconds=seconds, census=self.census())
        super().stopTest(test)
        if self.outcome in ("fail", "error"):
            # What it could not tidy up is kept by its traceback, which is garbage by now.
            gc.collect()

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.judge(test, "skip", reason)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.judge(test, "fail", self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.judge(test, "error", self.errors[-1][1])

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.judge(test, "xfail", "")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.judge(test, "fail", "unexpected success")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.judge(test, "fail", f"{subtest}: {err[1]!r}")

    def judge(self, test, outcome, why):
        if not isinstance(test, unittest.TestCase):  # a class or the module could not be set up or torn down
            self.tell("end", test=test.id(), outcome=outcome, why=why, seconds=0.0, census={})
        elif self.outcome in ("ok", "skip"):
            self.outcome, self.why = outcome, why


def name(test):
    return f"{type(test).__name__}.{test._testMethodName}"


def tell(events, event, **what):
    """No descriptor stays open that tests could see or children inherit."""
    with open(events, "wb", buffering=0, opener=lambda path, flags: os.open(path, os.O_WRONLY | os.O_CLOEXEC)) as pipe:
        line = (json.dumps({"event": event, **what}) + "\n").encode()
        while line:
            line = line[pipe.write(line) :]


def put_in_place(group):
    import concurrent.futures
    import multiprocessing

    import procession

    procession.install()
    if type(multiprocessing.get_context("fork")).__module__ != "procession.context":
        sys.exit("procession.install() did not replace the contexts")
    is_ours = concurrent.futures.ProcessPoolExecutor is procession.ProcessPoolExecutor
    if is_ours != (group == "executor"):
        sys.exit(f"the executor is {'procession' if is_ours else 'stock'}'s")


def main(only):
    import faulthandler

    settings = json.loads(os.environ["PROCESSION_CONFORMANCE"])
    # Killed with SIGABRT, a test that hangs says where; a watchdog would be a thread, and forks would warn of it.
    faulthandler.enable()
    if settings["install"]:
        put_in_place(settings["group"])
    import suites
    from test import support

    support.verbose = 0
    say = support.print_warning

    def print_warning(text):
        tell(settings["events"], "warning", text=text)
        say(text)

    vars(print_warning).update(vars(say))  # the original reads its stream from its own name
    support.print_warning = print_warning
    tests = [
        (test_id, test)
        for test_id, test in suites.tests(settings["group"], settings["start"])
        if not only or only & {test_id, *test_id.split(".", 1)}
    ]
    tell(settings["events"], "plan", tests=[test_id for test_id, _ in tests])

    def recorder(*args, **kwargs):
        return Recorder(*args, settings=settings, **kwargs)

    suite = unittest.TestSuite(test for _, test in tests)
    unittest.TextTestRunner(resultclass=recorder, verbosity=0).run(suite)
    tell(settings["events"], "done")


if __name__ == "__main__":
    main(set(sys.argv[1:]))
