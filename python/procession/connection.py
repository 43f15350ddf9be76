"""Pipes: `multiprocessing.connection`, with messages read and written natively.

A `Connection` of ours has a real descriptor and stock's messages in it, so that it can be polled, inherited, sent
to another process, and its other end be stock's. `Listener`, `Client` and `wait` are stock's own.

If a process dies: when nobody is left who has the other end, `recv` gives what is still in the pipe and then
raises `EOFError`, and `send` raises `BrokenPipeError`.
"""

import os
import socket
from multiprocessing import connection as _stock
from multiprocessing import reduction

from . import _core

__all__ = ["Client", "Listener", "Pipe", "wait"]

Client = _stock.Client
Listener = _stock.Listener
wait = _stock.wait


class Connection(_core.Connection, _stock.Connection):
    """One end of a pipe, over a descriptor."""

    def __reduce__(self):
        return reduce_connection(self)


def reduce_connection(connection):
    descriptor = reduction.DupFd(connection.fileno())
    return rebuild_connection, (descriptor, connection.readable, connection.writable)


def rebuild_connection(descriptor, readable, writable):
    return Connection(descriptor.detach(), readable, writable)


reduction.register(Connection, reduce_connection)


def Pipe(duplex=True):
    """The two ends of a pipe; if not `duplex`, the first only receives and the second only sends."""
    if duplex:
        ends = socket.socketpair()
        for end in ends:
            end.setblocking(True)
        return tuple(Connection(end.detach()) for end in ends)
    reader, writer = os.pipe()
    return Connection(reader, writable=False), Connection(writer, readable=False)


def __getattr__(name):
    return getattr(_stock, name)
