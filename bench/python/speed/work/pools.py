"""Pools of two workers, which have run tasks before the clock runs."""

import time
from contextlib import contextmanager

from ..clock import Stopwatch
from ..sides import FUTURES, context

WORKERS = 2
#: Tasks before the clock runs.
WARM = 200


def nothing(number):
    return number


@contextmanager
def executor(side):
    """A pool of the side, as its documents show it."""
    if side == "mpire":
        from mpire import WorkerPool

        with WorkerPool(n_jobs=WORKERS, keep_alive=True) as pool:
            yield pool
    elif side == "pebble":
        import multiprocessing
        from pebble import ProcessPool

        with ProcessPool(max_workers=WORKERS, context=multiprocessing.get_context("fork")) as pool:
            yield pool
    elif side == "loky":
        from loky import ProcessPoolExecutor

        with ProcessPoolExecutor(WORKERS) as pool:
            yield pool
    elif side == FUTURES:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("fork")) as pool:
            yield pool
    else:
        with context(side).Pool(WORKERS) as pool:
            yield pool


def one_by_one(side, count):
    """No-op tasks a second, each sent by itself."""
    return many(side, count, 1)


def chunks(side, count):
    """The same in chunks as the pool chooses them."""
    return many(side, count, None)


def many(side, count, chunk):
    if side == "joblib":
        return with_joblib(count, 1 if chunk else "auto")
    with executor(side) as pool:
        do = mapper(side, pool, chunk)
        do(range(WARM))
        watch = Stopwatch()
        done = do(range(count))
        sample = watch.rate(count)
    if done != list(range(count)):
        raise AssertionError("not every number came back at its place")
    return sample


def mapper(side, pool, chunk):
    """The side's `map`, as a function of the numbers that answers with a list."""
    if side == "mpire":
        return lambda numbers: pool.map(nothing, numbers, chunk_size=chunk)
    if side == "pebble":
        return lambda numbers: list(pool.map(nothing, numbers, chunksize=chunk).result())
    if side in ("loky", FUTURES):
        return lambda numbers: list(pool.map(nothing, numbers, chunksize=chunk))
    return lambda numbers: pool.map(nothing, numbers, chunksize=chunk)


def with_joblib(count, size):
    from joblib import Parallel, delayed

    with Parallel(n_jobs=WORKERS, batch_size=size) as parallel:
        parallel(delayed(nothing)(number) for number in range(WARM))
        watch = Stopwatch()
        done = parallel(delayed(nothing)(number) for number in range(count))
        sample = watch.rate(count)
    if done != list(range(count)):
        raise AssertionError("not every number came back at its place")
    return sample


def call(side, count):
    """The time of one call, there and back."""
    with executor(side) as pool:
        do = caller(side, pool)
        for number in range(WARM):
            if do(number) != number:
                raise AssertionError("another number came back")
        trips, now = [], time.perf_counter
        watch = Stopwatch()
        for number in range(count):
            begun = now()
            do(number)
            trips.append(now() - begun)
        return watch.middle(trips)


def caller(side, pool):
    if side in ("loky", FUTURES):
        return lambda number: pool.submit(nothing, number).result()
    if side == "pebble":
        return lambda number: pool.schedule(nothing, args=(number,)).result()
    return lambda number: pool.apply(nothing, (number,))
