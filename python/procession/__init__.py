"""Parallel work in processes: `multiprocessing` on an engine written in Rust.

    import procession as mp

has every name of `multiprocessing`, with the same meaning. Queues, locks, pools, values and arrays are the
engine's: faster, and they survive the death of any process that uses them.

Further names:

    install(), uninstall()     put procession in the place of `multiprocessing`, or take it out
    ProcessPoolExecutor        the `concurrent.futures` interface
    WorkerLost                 what a task raises whose worker died
"""

import multiprocessing as _stock

from ._install import install, uninstall
from .context import _front

_LAZY = {
    "ProcessPoolExecutor": "futures",
    "WorkerLost": "pool",
    "RustProcess": "rust",
}

SUBDEBUG = _stock.SUBDEBUG
SUBWARNING = _stock.SUBWARNING

globals().update((name, getattr(_front, name)) for name in _stock.__all__)

__all__ = [*_stock.__all__, "install", "uninstall", *_LAZY]


def __getattr__(name):
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
