"""The section of the page: what was measured, as Markdown, between two markers."""

from .figure import digits
from .reasons import reason
from .rows import ROWS
from .sides import PEERS

BEGIN = "<!-- written by `cargo xtask bench python` from here -->"
END = "<!-- to here -->"

METHOD = """\
Every measurement is a process of its own, which does one kind of work with one side once. The sides of a
row run in turn, and in every round another one begins; a figure is the median of the rounds, with the least and
the greatest beside it. Each side does as much as takes it about the same time, so the counts
differ and the seconds do not. All processes are forked; workers, consumers and executors run and have done some of the
work before the clock starts, and live until it has stopped, when the receiver has said, through a pipe of
the kernel's, that it has the last message. Nobody polls. A queue has the same bound on every side: 1024
items, 16 of 1 MiB, 2 of 100 MB; for faster-fifo, whose bound is in bytes, room for as many. Pools have
two workers. CPU is what all processes of a run used together. Where `multiprocessing` has no batches it puts and gets
one by one, or, in a row of its own, lists. The received array is read at one number of every page. Beside some rows stands
what nobody can be faster than: the copy alone, or the list of numbers alone, in one process without any sharing.
"""

HEAD = """\
| work | procession | peer | its figure | times as fast | seconds, and of CPU: ours | the peer's | to reach | reached | why not |
|---|---|---|---|---|---|---|---|---|---|
"""


def section(measured, machine, reasons, picture):
    """The text between the markers."""
    parts = ["## Python\n\n", "Written by `cargo xtask bench python`. Ratios travel to other machines, figures do not.\n\n"]
    parts.append("| machine | |\n|---|---|\n")
    parts += [f"| {name} | {fact} |\n" for name, fact in machine.items()]
    parts.append(f"\n![how many times as fast as each peer]({picture})\n\n" if picture else "\n")
    parts.append(HEAD)
    rows = {row.name: row for row in ROWS}
    for one in measured:
        parts += [line(rows[one.name], one.ours, peer, reasons) for peer in one.peers]
    parts.append("\nWho has what:\n\n| peer | measured with its | has no |\n|---|---|---|\n")
    parts += [f"| [{peer.name}](https://pypi.org/project/{peer.name}/) | {peer.has} | {peer.lacks} |\n" for peer in PEERS]
    parts.append(f"\n### Method\n\n{METHOD}")
    return "".join(parts)


def line(row, ours, peer, reasons):
    """One line: our side beside one peer."""
    mine, its = ours.middle(), peer.middle()
    speed = row.unit.speed(mine.value, its.value) if mine and its else None
    cells = [
        row.work, figure(row.unit, ours), peer.name, figure(row.unit, peer),
        f"{digits(speed)}×" if speed else "", seconds(mine), seconds(its),
        *verdict(row, speed, peer, reasons),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def figure(unit, side):
    """The median with its spread."""
    middle = side.middle()
    if middle is None:
        return side.error or "not run"
    note = f", {middle.note}" if middle.note else ""
    if len(side.samples) == 1:
        return unit.show(middle.value) + note
    least, most = map(unit.show, side.span())
    if least.split()[1] == most.split()[1]:
        least = least.split()[0]
    return f"{unit.show(middle.value)} ({least}–{most}){note}"


def seconds(sample):
    return f"{sample.wall:.2f}, {sample.cpu:.2f}" if sample else ""


def verdict(row, speed, peer, reasons):
    """The last three cells: to reach, reached, why not."""
    target = row.peers[peer.name]
    if target is None:
        return "no target", "", ""
    said = target.said or f"{target.factor:g}×"
    if speed is None:
        return said, "", ""
    if speed >= target.factor:
        return said, "yes", ""
    return said, "**no**", reason(reasons, row.name, peer.name)


def put(path, text):
    """Puts the section between the markers of the page, or at its end."""
    page = path.read_text() if path.exists() else "# Benchmarks\n"
    before, found, rest = page.partition(BEGIN)
    after = rest.partition(END)[2] if found else ""
    path.write_text(f"{before.rstrip()}\n\n{BEGIN}\n\n{text}\n{END}\n{after.lstrip()}")
