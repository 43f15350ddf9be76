"""Running the rows: the sides of a row in turn, several rounds."""

import sys
from dataclasses import dataclass, field

from . import sides
from .cell import measure
from .rows import function


@dataclass
class Side:
    """All runs of one side of a row, or why there are none."""

    name: str
    count: int = 0
    samples: list = field(default_factory=list)
    error: str = ""

    def middle(self):
        """The sample with the middle figure, or None."""
        samples = sorted(self.samples, key=lambda sample: sample.value)
        return samples[len(samples) // 2] if samples and not self.error else None

    def span(self):
        values = [sample.value for sample in self.samples]
        return min(values), max(values)


@dataclass
class Measured:
    """A row, run: our side and the peers in the order of the row."""

    name: str
    ours: Side
    peers: list


def run(row, rounds, seconds, only=None):
    """Runs one row.

    With `seconds`, each side does as much as takes it about so long, as two runs before the first round
    tell; with 0, what the row says.
    """
    names = [None, *(peer for peer in row.peers if only is None or function(row, peer)[1] in only)]
    sides_ = [Side(name or sides.OURS) for name in names]
    for name, side in zip(names, sides_):
        if not sides.is_there(function(row, name)[1]):
            side.error = "not installed"
        else:
            _try(row, name, side, lambda run, of: _count(row, run, of, seconds))
    for turn in range(rounds):
        print(f"{row.work}: {turn + 1} of {rounds}", file=sys.stderr, flush=True)
        # Another one begins each time.
        order = [(turn + at) % len(names) for at in range(len(names))]
        for at in order:
            side = sides_[at]
            if not side.error:
                _try(row, names[at], side, lambda run, of: side.samples.append(measure(run, of, side.count)))
    return Measured(row.name, sides_[0], sides_[1:])


def _try(row, name, side, work):
    run, of = function(row, name)
    try:
        count = work(run, of)
    except RuntimeError as error:
        side.error = f"failed: {error}"
        print(f"  {side.name} {side.error}", file=sys.stderr, flush=True)
    else:
        side.count = count or side.count


def _count(row, run, side, seconds):
    count = row.count
    if seconds:
        for _ in range(2):
            wall = measure(run, side, count).wall
            count = max(row.count // 10, 1, int(count * min(seconds / wall, 1000)))
    return count
