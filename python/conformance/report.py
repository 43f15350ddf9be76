"""What a run has come to: a table to read, and JSON."""

import json

COLUMNS = ("ok", "skip", "expected", "flaky", "red")


def line(cell, verdict):
    """`3.13.0 fork processes  148 ok  3 skip  …`"""
    numbers = "".join(f"{verdict.counts[name]:>5} {name:<9}" for name in COLUMNS)
    ours = f"{verdict.exercised:>5} with ours" if cell.install else ""
    return f"{cell!s:<34}{numbers}{cell.seconds:>7.1f} s{ours}"


def reds(cell, verdict):
    """Each red in full, with the place of the log."""
    for test, why in verdict.red:
        yield f"RED {cell}: {test}\n{indented(why)}"
    if verdict.red:
        yield f"    log: {cell.log}"


def indented(text):
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())


def census(verdicts):
    """How many of our objects were made and rebuilt in all."""
    total = sum((verdict.census for verdict in verdicts), start=type(verdicts[0].census)())
    made = {name.removeprefix("made "): number for name, number in sorted(total.items()) if name.startswith("made ")}
    rebuilt = sum(number for name, number in total.items() if name.startswith("rebuilt "))
    return f"made: {', '.join(f'{name} {number}' for name, number in made.items())}; rebuilt in other processes: {rebuilt}"


def write(path, judged, install):
    """All of it, for other programs."""
    cells = [
        {
            "python": ".".join(map(str, cell.version)),
            "start": cell.start,
            "group": cell.group,
            "seconds": round(cell.seconds, 2),
            "counts": {name: verdict.counts[name] for name in COLUMNS},
            "census": dict(verdict.census),
            "exercised": verdict.exercised,
            "red": [{"test": test, "why": why} for test, why in verdict.red],
            "warnings": cell.warnings,
            "tests": [vars(record) for record in cell.records.values()],
        }
        for cell, verdict in judged
    ]
    path.write_text(json.dumps({"implementation": "procession" if install else "stock", "cells": cells}, indent=1) + "\n")
