"""Draws the Mandelbrot set: `mandelbrot.py [WIDTH HEIGHT FILE.png]`.

The workers of a pool compute bands of rows, each into its place in one shared array of two dimensions (rows,
and the colours of a row), and the picture is written from there. The same picture is computed once more by
this process alone, for the comparison.
"""

import struct
import sys
import time
import zlib
from collections.abc import Iterator
from math import log, log2, sin

import procession as mp
from procession.sharedctypes import SynchronizedArray

#: Rows that are computed as one task: few, because those in the middle take long.
BAND = 4
#: A point that stays near zero for so many steps is in the set.
STEPS = 300
#: The part of the plane that is shown: its middle and its width.
MIDDLE = (-0.65, 0.0)
SPAN = 3.3

#: What every worker is given when it begins: the picture.
shared: memoryview


def main(arguments: list[str]) -> int:
    try:
        width, height, file = parse(arguments)
    except ValueError as error:
        print(f"mandelbrot: {error}", file=sys.stderr)
        return 2
    workers = mp.cpu_count()
    start = time.perf_counter()
    picture = draw_in_pool(workers, width, height)
    by_pool = time.perf_counter() - start
    start = time.perf_counter()
    alone = rows(width, height, 0, height)
    by_one = time.perf_counter() - start
    if picture != alone:
        print("mandelbrot: the pool has drawn another picture than one process", file=sys.stderr)
        return 1
    write_png(file, width, height, picture)
    print(f"{file}: {width} x {height}")
    print(
        f"one process {by_one:.3f} s, pool of {workers} {by_pool:.3f} s (with its start): "
        f"{by_one / by_pool:.2f} times as fast"
    )
    return 0


def parse(arguments: list[str]) -> tuple[int, int, str]:
    if not arguments:
        return 600, 400, "mandelbrot.png"
    if len(arguments) != 3:
        raise ValueError("usage: mandelbrot.py [WIDTH HEIGHT FILE.png]")
    width, height = int(arguments[0]), int(arguments[1])
    if not (0 < width <= 32_768 and 0 < height <= 32_768):
        raise ValueError("write a width and a height from 1 to 32768")
    return width, height, arguments[2]


def draw_in_pool(workers: int, width: int, height: int) -> bytes:
    picture = mp.Array("B", shape=(height, width * 3))
    bands = [(width, height, first, min(first + BAND, height)) for first in range(0, height, BAND)]
    with mp.Pool(workers, initializer=begin, initargs=(picture,)) as pool:
        pool.starmap(draw, bands, chunksize=1)
    return bytes(memoryview(picture))


def begin(picture: "SynchronizedArray[int]") -> None:
    """The first thing that a worker does."""
    global shared
    shared = memoryview(picture).cast("B")


def draw(width: int, height: int, first: int, end: int) -> None:
    """A task: computes a band. No lock is needed, because nobody else writes these rows."""
    shared[first * width * 3 : end * width * 3] = rows(width, height, first, end)


def rows(width: int, height: int, first: int, end: int) -> bytes:
    """The colours of a band, row by row."""
    return bytes(part for row in range(first, end) for part in colours(width, height, row))


def colours(width: int, height: int, row: int) -> Iterator[int]:
    scale = SPAN / width
    left = MIDDLE[0] - scale * (width - 1) / 2
    top = MIDDLE[1] + scale * (height - 1) / 2
    for column in range(width):
        yield from colour(escape(complex(left + scale * column, top - scale * row)))


def escape(point: complex) -> float | None:
    """After how many steps the point leaves the circle around zero, with a fraction so that colours have no
    edges; None if it does not."""
    z = 0j
    for step in range(STEPS):
        if abs(z) > 16:
            return step + 1 - log2(log2(abs(z) ** 2))
        z = z * z + point
    return None


def colour(escaped: float | None) -> tuple[int, int, int]:
    """Black inside; outside from white at the edge over gold into the dark."""
    if escaped is None:
        return 0, 0, 0
    turn = log(max(escaped, 0) + 1) * 1.6
    red, green, blue = (int(127.5 + 127.5 * sin(turn + phase)) for phase in (4.2, 3.9, 3.4))
    return red, green, blue


def write_png(file: str, width: int, height: int, rgb: bytes) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    # Each row begins with the number of its filter; 0 is none.
    lines = b"".join(b"\0" + rgb[at : at + width * 3] for at in range(0, len(rgb), width * 3))
    with open(file, "wb") as png:
        png.write(b"\x89PNG\r\n\x1a\n")
        png.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        png.write(chunk(b"IDAT", zlib.compress(lines)))
        png.write(chunk(b"IEND", b""))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
