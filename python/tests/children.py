"""What several tests have other processes do, and how these ended."""

from waiting import PATIENCE


def ended(process):
    process.join(PATIENCE)
    return process.exitcode


def copy(source, target):
    """Passes on what comes, until None."""
    while (item := source.get()) is not None:
        target.put(item)


def put_all(target, items):
    for item in items:
        target.put(item)
