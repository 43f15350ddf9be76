"""Figures with their units, short enough for a table."""

from dataclasses import dataclass


def digits(value):
    """Three digits that count."""
    size = abs(value)
    return "0" if size == 0 else f"{value:.2f}" if size < 10 else f"{value:.1f}" if size < 100 else f"{value:.0f}"


@dataclass(frozen=True)
class Unit:
    """In what a row is measured, and therefore which way is better."""

    more_is_better: bool
    steps: tuple

    def show(self, value):
        for step, name in self.steps:
            if value >= step:
                break
        return f"{digits(value / step)} {name}"

    def speed(self, ours, theirs):
        """How many times as fast we are."""
        return ours / theirs if self.more_is_better else theirs / ours


PER_SECOND = Unit(True, ((1e6, "M/s"), (1e3, "k/s"), (1, "/s")))
SECONDS = Unit(False, ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")))
