"""What is expected of the tests besides passing, out of `ledger.toml`, and the judgement of a run by it."""

import tomllib
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

PATH = Path(__file__).with_name("ledger.toml")
KINDS = ("expected", "skip", "flaky", "either", "left_to_stock")
#: A test that is listed as flaky has so many further tries, each alone.
TRIES = 3


@dataclass
class Entry:
    """A line of the ledger. `test` may contain `*`; what is left out holds for all."""

    kind: str
    test: str
    reason: str
    group: list
    start: list
    python: list
    evidence: str = ""
    stock: bool = False
    #: Seconds after which it counts as failed; 0 for those that every test has.
    bound: int = 0

    def is_about(self, cell):
        return (
            (cell.install or self.stock or self.kind != "expected")
            and (not self.group or cell.group in self.group)
            and (not self.start or cell.start in self.start)
            and (not self.python or any(holds(condition, cell.version) for condition in self.python))
        )

    def names(self, test):
        return fnmatchcase(test, self.test)


def holds(condition, version):
    """Whether a version is `3.11`, `>=3.12`, `<3.13` or exactly `3.12.1`; a list of conditions is an "or"."""
    number = condition.lstrip("<>=")
    parts = tuple(map(int, number.split(".")))
    here = version[: len(parts)]
    return {"": here == parts, "=": here == parts, ">=": here >= parts, "<": here < parts}[condition[: -len(number)]]


class Ledger:
    def __init__(self, path=PATH):
        with open(path, "rb") as file:
            content = tomllib.load(file)
        self.minimum = content.pop("minimum", {})
        self.entries = [self.entry(kind, **entry) for kind in KINDS for entry in content.pop(kind, [])]
        if content:
            raise SystemExit(f"{path}: what is {', '.join(content)}?")

    @staticmethod
    def entry(kind, test, reason="", group=(), start=(), python=(), evidence="", stock=False, bound=0):
        if kind == "flaky" and not evidence:
            raise SystemExit(f"ledger: `{test}` is called flaky without evidence")
        if not (reason or evidence):
            raise SystemExit(f"ledger: no reason for `{test}`")
        return Entry(kind, test, reason, list(group), list(start), list(python), evidence, stock, bound)

    def find(self, kind, cell, test):
        for entry in self.entries:
            if entry.kind == kind and entry.is_about(cell) and entry.names(test):
                return entry
        return None

    def bounds(self, cell):
        """The seconds after which tests count as failed that fail by waiting for ever, by their names."""
        return {entry.test: entry.bound for entry in self.entries if entry.bound and entry.is_about(cell)}

    def left_to_stock(self, cell):
        """The names of the tests whose interpreters are left to stock."""
        return [entry.test for entry in self.entries if entry.kind == "left_to_stock" and entry.is_about(cell)]


@dataclass
class Verdict:
    """A run in numbers, and what is red in it: pairs of a test and what is wrong."""

    counts: Counter
    red: list
    census: Counter
    exercised: int


def judge(cell, ledger, whole):
    """Judges a cell that has run. `whole`: all of its tests were to run, so that minimums and entries count."""
    counts, red = Counter(), []
    for test in list(cell.records):
        colour, why = judge_test(cell, ledger, test)
        counts[colour] += 1
        if colour == "red":
            red.append((test, why))
    red += [("leftover", line) for line in cell.leftovers]
    red += [("dangling", text) for test, text in cell.warnings if is_unexpected(cell, ledger, test, text)]
    census = sum((Counter(record.census) for record in cell.records.values()), Counter())
    exercised = sum(bool(record.census) for record in cell.records.values())
    if whole and cell.install and cell.planned:
        red += missing(ledger.minimum.get(cell.group, {}), cell.start, census, exercised)
        red += stale(cell, ledger)
    counts["red"] = len(red)
    return Verdict(counts, red, census, exercised)


def is_unexpected(cell, ledger, test, text):
    """Whether something dangles that is not what a test leaves that fails, as expected, before it tidies up."""
    return text.startswith("Dangling") and not (test and ledger.find("expected", cell, test))


def judge_test(cell, ledger, test):
    record = cell.records[test]
    expected = ledger.find("expected", cell, test)
    if record.outcome in ("ok", "xfail"):
        return ("red", f"passes, which is not expected: {expected.reason}") if expected else ("ok", "")
    if record.outcome == "skip":
        listed = ledger.find("skip", cell, test)
        return ("skip", "") if listed else ("red", f"skipped, which is not in the ledger: {record.why}")
    if record.outcome == "fail":
        expected = expected or ledger.find("either", cell, test)
    if expected:
        return "expected", expected.reason
    if ledger.find("flaky", cell, test):
        for _ in range(TRIES):
            if cell.again(test).outcome == "ok":
                return "flaky", record.why
    return "red", f"{record.outcome} after {record.seconds:.1f} s\n{record.why}"


def missing(minimum, start, census, exercised):
    """What was made less often than it must have been, had it been replaced."""
    wanted = {name: number for name, number in minimum.items() if not isinstance(number, dict)}
    wanted |= minimum.get(start, {})
    for name, number in wanted.items():
        seen = exercised if name == "tests" else count(census, name)
        if seen < number:
            what = "tests that made an object of ours" if name == "tests" else f"{name} made by us"
            yield ("census", f"{what}: {seen}, and there must be {number}")


def count(census, name):
    """`Lock` is what was made; `rebuilt` is all that was rebuilt in other processes."""
    if name == "rebuilt":
        return sum(number for what, number in census.items() if what.startswith("rebuilt "))
    return census[f"made {name}"]


def stale(cell, ledger):
    """Entries for this cell that name no test of it."""
    for entry in ledger.entries:
        if cell.group in entry.group and entry.is_about(cell) and not any(map(entry.names, cell.planned)):
            yield ("ledger", f"`{entry.test}` ({entry.kind}) names no test of {cell}")
