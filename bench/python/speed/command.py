"""The command line.

    python bench/python              every row, into docs/benchmarks.md and docs/benchmarks-python.png
    python bench/python --short      stock and ours once with small counts; nothing is written
    python bench/python --only TEXT  rows with TEXT in their name; nothing is written
    python bench/python --page       the page again from the last full run, with the reasons of now
"""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from . import cell, machine, page, plot, reasons, rounds, sides
from .clock import Sample
from .rows import ROWS

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "benchmarks-python.png"
#: What a full run has measured, for `--page`.
FIGURES = ROOT / "target" / "python" / "bench.json"

ROUNDS = 7
#: What a run of a side is to take.
SECONDS = 0.6


def main(arguments):
    if arguments[:1] == ["--cell"]:
        cell.main(*arguments[1:])
        return 0
    options = parse(arguments)
    if options.page:
        facts, measured = load()
        write(facts, measured)
        return 0
    rows = [row for row in ROWS if not options.only or options.only in row.name]
    if not rows:
        print(f"no row {options.only!r}; there are: {', '.join(row.name for row in ROWS)}", file=sys.stderr)
        return 2
    if not options.short:
        install()
    why = reasons.read()
    count, seconds = (1, 0) if options.short else (options.rounds, options.seconds)
    facts = machine.facts(count)
    only = (sides.STOCK,) if options.short else None
    measured = [rounds.run(row, count, seconds, only) for row in rows]
    if options.short:
        print("A short run: it shows that everything runs, and its figures mean nothing.\n")
    print(page.section(measured, facts, why, None))
    if not options.short and not options.only:
        keep(facts, measured)
        write(facts, measured)
    return failed(measured)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="cargo xtask bench python")
    parser.add_argument("--short", action="store_true", help="stock and ours once with small counts; nothing is written")
    parser.add_argument("--only", metavar="TEXT", help="rows with TEXT in their name; nothing is written")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each side")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="what a run of a side is to take")
    parser.add_argument("--page", action="store_true", help="write the page again from the last full run")
    return parser.parse_args(arguments)


def install():
    """Installs the peers and what draws, each by itself: one that does not install is said to be missing."""
    for name in (*(peer.name for peer in sides.PEERS), "numpy", "matplotlib"):
        if sides.version(name) is None:
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
            if subprocess.run([*pip, name]).returncode:
                print(f"{name} does not install here", file=sys.stderr)


def keep(facts, measured):
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"facts": facts, "rows": [asdict(one) for one in measured]}, indent=1)
    FIGURES.write_text(text)


def load():
    def side(kept):
        samples = [Sample(**sample) for sample in kept.pop("samples")]
        return rounds.Side(samples=samples, **kept)

    kept = json.loads(FIGURES.read_text())
    rows = kept["rows"]
    return kept["facts"], [
        rounds.Measured(row["name"], side(row["ours"]), [side(peer) for peer in row["peers"]]) for row in rows
    ]


def write(facts, measured):
    has_picture = sides.version("matplotlib") is not None
    if has_picture:
        plot.draw(measured, PICTURE)
    else:
        print("no picture without matplotlib; `--page` draws it later", file=sys.stderr)
    page.put(PAGE, page.section(measured, facts, reasons.read(), PICTURE.name if has_picture else None))
    print(f"written: {PAGE.relative_to(ROOT)}", file=sys.stderr)


def failed(measured):
    """1 if our side or stock's did not run; what a peer cannot do stands in the table."""
    lost = [
        f"{one.name}, {side.name}: {side.error}"
        for one in measured
        for side in (one.ours, *one.peers)
        if side.error and side.name in (sides.OURS, sides.STOCK)
    ]
    if lost:
        print("did not run:", *lost, sep="\n  ", file=sys.stderr)
    return int(bool(lost))
