"""Processes, which CPython starts, and how one comes to the memory of those that made its arguments.

A process that is forked inherits it. One that is started anew is sent a `Ticket`: the descriptor of the
arena and a seat in its family, once a process, with the preparation data, before its main module is
imported. Every object of procession that is pickled for that process refers to the ticket.
"""

import os
import sys
from contextlib import contextmanager
from multiprocessing import context as _stock
from multiprocessing import process as _process
from multiprocessing import reduction

active_children = _process.active_children
current_process = _process.current_process
parent_process = _process.parent_process
BaseProcess = _process.BaseProcess
AuthenticationString = _process.AuthenticationString
ORIGINAL_DIR = _process.ORIGINAL_DIR

__all__ = ["BaseProcess", "active_children", "current_process", "parent_process"]


class Ticket:
    """The way of one new process into one family."""

    def __init__(self, family, own):
        from . import _core

        self._family = family
        self._own = own
        self._seat = _core.Seat(family)
        # Once: a descriptor that is listed twice is refused when the process is started.
        self._descriptor = reduction.DupFd(_core.arena_descriptor(family))
        # What was pickled for the process stays in being until the process has it, that is, while
        # this side keeps the process.
        self._kept = []

    def keep(self, obj):
        self._kept.append(obj)

    def __reduce__(self):
        return _arrive, (self._family, self._descriptor, self._seat.number, self._own)


def _arrive(family, descriptor, seat, own):
    from . import _core

    # It comes twice: with the preparation data, and with the process object.
    if not _core.has_joined(family):
        _core.join(descriptor.detach(), seat, own)
    return family


def ticket(family):
    """The ticket for the process that this thread is starting.

    It is unpickled as the number of the family, in which objects are found by their handles.
    """
    from . import _core

    tickets = _stock.get_spawning_popen().__dict__.setdefault("_procession_tickets", {})
    if family not in tickets:
        tickets[family] = Ticket(family, own=family == _core.family_number())
    return tickets[family]


def reduce_held(obj, family, rebuild, *state):
    """What `__reduce__` of a shared object returns: refuses unless a process is being started.

    The new process calls `rebuild(family, *state)`.
    """
    _stock.assert_spawning(obj)
    here = ticket(family)
    here.keep(obj)
    return rebuild, (here, *state)


class _Name(str):
    """The name of a process, which brings along its ticket, and whether procession is installed."""

    def __reduce__(self):
        from . import _core, _install

        family = _core.family_number_if_any()
        here = None if family is None else ticket(family)
        return _greet, (str(self), here, _install.is_installed())


def _greet(name, _family, installed):
    if installed:
        from ._install import install_as_in_parent

        install_as_in_parent()
    return name


@contextmanager
def _with_ticket(process_obj):
    name = process_obj._name
    process_obj._name = _Name(name)
    try:
        yield
    finally:
        process_obj._name = name


def start(popen, process_obj):
    """Has `popen` start the process, with a ticket."""
    with _with_ticket(process_obj):
        return popen(process_obj)


def _give_back(pid):
    # Without our module, or before its first object, there is nothing to give back.
    core = sys.modules.get("procession._core")
    if core is not None:
        core.bury(pid)


class Member:
    """What our processes have beyond stock's."""

    def join(self, timeout=None):
        """Waits until the process has ended, at most for `timeout` seconds.

        What it held of procession's objects is given back then; without a join, within about a second
        of any wait of another process.
        """
        pid = self.pid
        super().join(timeout)
        if self.exitcode is not None:
            _give_back(pid)

    async def join_async(self, timeout=None):
        """As `join`, for a coroutine: waits in the running loop, without a thread.

        `timeout` is in seconds; as with `join`, `exitcode` is None afterwards if the time was up.
        Cancelling it leaves the process alone.
        """
        import asyncio

        if self.exitcode is None:
            loop = asyncio.get_running_loop()
            ended = loop.create_future()
            # A descriptor of its own: several coroutines may wait for one process.
            descriptor = os.dup(self.sentinel)
            loop.add_reader(descriptor, lambda: ended.done() or ended.set_result(None))
            try:
                await asyncio.wait_for(ended, timeout)
            except TimeoutError:
                return
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
        self.join()


class ForkProcess(Member, _stock.ForkProcess):
    """A process that is a copy of this one."""


class SpawnProcess(Member, _stock.SpawnProcess):
    """A process that is a new interpreter."""

    @staticmethod
    def _Popen(process_obj):
        from multiprocessing.popen_spawn_posix import Popen

        return start(Popen, process_obj)


class ForkServerProcess(Member, _stock.ForkServerProcess):
    """A process that is forked by a server without threads."""

    @staticmethod
    def _Popen(process_obj):
        from multiprocessing.popen_forkserver import Popen

        return start(Popen, process_obj)
