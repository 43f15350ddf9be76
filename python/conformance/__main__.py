"""CPython's own tests of `multiprocessing`, with procession in its place.

Every CPython from 3.11 on that is found and came with its tests; see README.md.
"""

import argparse
import sys
from pathlib import Path

import interpreters
import report
from cell import GROUPS, STARTS, Cell
from ledger import Ledger, judge

TARGET = Path(__file__).parents[2] / "target" / "conformance"


def arguments():
    parser = argparse.ArgumentParser(prog="cargo xtask conformance", description=__doc__)
    parser.add_argument("--python", action="append", default=[], help="a command, a path or a version; all that are found")
    parser.add_argument("--where-possible", metavar="COMMAND", help="another if this one came without tests; none if all did")
    parser.add_argument("--start", action="append", default=[], choices=STARTS, help="a start method; all three")
    parser.add_argument("--group", action="append", default=[], choices=GROUPS, help="a group of tests; all six")
    parser.add_argument("--only", action="append", default=[], help="only these tests: Class.test, Class or test")
    parser.add_argument("--output", type=Path, default=TARGET, help="the directory for the report, logs and environments")
    tested = parser.add_mutually_exclusive_group(required=True)
    tested.add_argument("--wheel", type=Path, help="procession's wheel, or the directory with it")
    tested.add_argument("--stock", action="store_true", help="stock is tested, to know what it does")
    return parser.parse_args()


def cells(options, chosen, found):
    for interpreter in chosen:
        python = interpreters.environment(interpreter, options.wheel, options.output)
        borrowed = None if interpreter.futures else interpreters.lent_to(interpreter, found)
        for start in options.start or STARTS:
            for group in options.group or GROUPS:
                name = f"{interpreter.name}-{start}-{group}{'-stock' if options.stock else ''}"
                yield Cell(
                    python, interpreter.version, start, group, install=not options.stock,
                    borrowed=borrowed, directory=options.output / name,
                )  # fmt: skip


def main():
    options = arguments()
    options.output = options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    if options.wheel and options.wheel.is_dir():
        options.wheel = max(options.wheel.glob("procession-*.whl"), key=lambda wheel: wheel.stat().st_mtime)
    found, refused = interpreters.find(interpreters.candidates())
    if options.where_possible:
        chosen = interpreters.where_possible(options.where_possible, found)
    else:
        chosen = interpreters.choose(options.python, found) if options.python else [found[it] for it in sorted(found)]
        for why in refused:
            print(f"not tested: {why}")
    if not chosen and options.where_possible:
        print("skipped: no CPython here came with its tests (Debian: apt-get install libpython3-testsuite)")
        return 0
    if not chosen:
        sys.exit("no CPython with its tests was found")
    ledger = Ledger()
    judged = []
    for cell in cells(options, chosen, found):
        cell.left_to_stock, cell.bounds = ledger.left_to_stock(cell), ledger.bounds(cell)
        cell.run(options.only)
        verdict = judge(cell, ledger, whole=not options.only)
        print(report.line(cell, verdict), *report.reds(cell, verdict), sep="\n", flush=True)
        judged.append((cell, verdict))
    report.write(options.output / "report.json", judged, install=not options.stock)
    print()
    for cell, verdict in judged:
        print(report.line(cell, verdict))
    if not options.stock:
        print(report.census([verdict for _, verdict in judged]))
    red = sum(verdict.counts["red"] for _, verdict in judged)
    print(f"{sum(verdict.counts.total() - verdict.counts['red'] for _, verdict in judged)} as expected, {red} red,"
          f" {sum(cell.seconds for cell, _ in judged):.0f} s; report: {options.output / 'report.json'}")  # fmt: skip
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
