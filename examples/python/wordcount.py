"""Counts the words of all text files in a directory tree: `wordcount.py [DIR]`.

A process of its own walks the tree and puts what it finds into a queue. The files are then shared out among
the workers of a pool, with a progress bar, and what they counted is added up here. The same work is done once
more by this process alone, for the comparison.
"""

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from queue import Empty

import procession as mp
from procession.queues import Queue

#: Tasks for each worker: enough that none is left with the last large one.
SHARE = 8
#: How many of the most frequent words are shown.
TOP = 10

WORD = re.compile(r"[^\W_]+")


@dataclass
class Tally:
    """What was counted in some files."""

    words: Counter[str] = field(default_factory=Counter)
    files: int = 0
    #: Files that are no text, or could not be read.
    skipped: int = 0
    bytes: int = 0


def main(arguments: list[str]) -> int:
    root = arguments[0] if arguments else "."
    if not os.path.isdir(root):
        print(f"wordcount: {root} is no directory; usage: wordcount.py [DIR]", file=sys.stderr)
        return 2
    workers = mp.cpu_count()
    batches = split(find(root), SHARE * workers)
    # Both measurements find the files in the page cache.
    for batch in batches:
        for path in batch:
            read(path)
    start = time.perf_counter()
    together = count_in_pool(workers, batches)
    by_pool = time.perf_counter() - start
    start = time.perf_counter()
    alone = add_up(map(count, batches))
    by_one = time.perf_counter() - start
    if together != alone:
        print("wordcount: the pool has counted other words than one process", file=sys.stderr)
        return 1
    show(together)
    print(
        f"one process {by_one:.3f} s, pool of {workers} {by_pool:.3f} s (with its start): "
        f"{by_one / by_pool:.2f} times as fast"
    )
    return 0


def find(root: str) -> list[tuple[str, int]]:
    """The files of the tree, with their lengths."""
    found: Queue[tuple[str, int]] = mp.Queue()
    walker = mp.Process(target=walk, args=(root, found))
    walker.start()
    files: list[tuple[str, int]] = []
    while True:
        # What it has put is in the queue when it ends, however it ends.
        is_over = not walker.is_alive()
        try:
            files += found.get_many(1000, timeout=0 if is_over else 0.1)
        except Empty:
            if is_over:
                break
    if walker.exitcode != 0:
        raise RuntimeError(f"the walk ended with {walker.exitcode}")
    return files


def walk(root: str, found: "Queue[tuple[str, int]]") -> None:
    """Puts every file of the tree into the queue, with its length."""
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found.put((path, os.path.getsize(path)))


def split(files: list[tuple[str, int]], count: int) -> list[list[str]]:
    """The files in about so many batches of about the same length."""
    total = sum(length for _, length in files)
    batches: list[list[str]] = [[]]
    full = 0
    for path, length in files:
        if full > total / count:
            batches.append([])
            full = 0
        full += length
        batches[-1].append(path)
    return batches


def count_in_pool(workers: int, batches: list[list[str]]) -> Tally:
    with mp.Pool(workers, progress=True) as pool:
        return add_up(pool.map(count, batches, chunksize=1))


def count(paths: list[str]) -> Tally:
    """A task: counts the words of a batch."""
    tally = Tally()
    for path in paths:
        text = read(path)
        if text is None:
            tally.skipped += 1
        else:
            tally.files += 1
            tally.bytes += len(text.encode())
            tally.words.update(WORD.findall(text.lower()))
    return tally


def read(path: str) -> str | None:
    """The text of a file, or None if it has none."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return None
    return None if "\0" in text else text


def add_up(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.words.update(tally.words)
        total.files += tally.files
        total.skipped += tally.skipped
        total.bytes += tally.bytes
    return total


def show(tally: Tally) -> None:
    for word, times in sorted(tally.words.items(), key=lambda item: (-item[1], item[0]))[:TOP]:
        print(f"{times:10}  {word}")
    print(
        f"{tally.words.total():10}  words, {len(tally.words)} of them different, in {tally.files} files of "
        f"{tally.bytes / 1e6:.1f} MB; {tally.skipped} files are no text"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
