"""Who is measured, and how their objects are made. Every side starts its processes by fork."""

from dataclasses import dataclass
from importlib import import_module, metadata, util

OURS = "procession"
STOCK = "multiprocessing"
FUTURES = "concurrent.futures"


@dataclass(frozen=True)
class Peer:
    """A package from PyPI."""

    name: str
    module: str
    has: str
    lacks: str


PEERS = (
    Peer("faster-fifo", "faster_fifo", "queues", "pools, locks, values, pipes"),
    Peer("billiard", "billiard", "everything of `multiprocessing`", "batches"),
    Peer("multiprocess", "multiprocess", "everything of `multiprocessing`", "batches"),
    Peer("loky", "loky", "an executor", "queues for users, locks, values, pipes, chunks that it chooses itself"),
    Peer("joblib", "joblib", "maps", "queues, single calls, locks, values, pipes"),
    Peer("mpire", "mpire", "pools", "queues, locks, values, pipes"),
    Peer("pebble", "pebble", "pools", "queues, locks, values, pipes, chunks that it chooses itself"),
)


def version(name):
    """The installed version of a peer, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def is_there(side):
    """Whether the side can be imported here."""
    modules = {peer.name: peer.module for peer in PEERS}
    return util.find_spec(modules.get(side, side)) is not None


def context(side):
    """What makes the side's objects, with the interface of a context of `multiprocessing`."""
    home = STOCK if side == "faster-fifo" else side
    return import_module(home).get_context("fork")


def queue(side, bound, size):
    """A queue of at most `bound` items (0: none), of about `size` bytes each.

    A queue of faster-fifo always has a bound in bytes; it is given room for all the items.
    """
    if side == "faster-fifo":
        from faster_fifo import Queue

        return Queue(max_size_bytes=(bound + 1) * (size + 64), maxsize=bound)
    return context(side).Queue(bound)
