"""The processes of a run: all that are in the session of the interpreter that runs the tests."""

import os
import select
import signal
import time
from contextlib import contextmanager
from pathlib import Path

#: Seconds in which what the tests started must have ended, once the interpreter that ran them has.
BOUND = 10
#: Seconds for answers to SIGABRT.
ANSWER = 5


def members(session):
    """The process ids, without zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(stat[3]) == session and stat[0] != "Z":
                found.append(int(entry.name))
    return sorted(found)


def picture(session):
    """A line for each process: its id, its parent, what it sleeps on, and what was called."""
    lines = []
    for pid in members(session):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            waits = Path(f"/proc/{pid}/wchan").read_text()
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        lines.append(f"{pid} of {stat[1]}: {stat[0]} {waits} {words[:120]}")
    return "\n".join(lines)


def ask(session):
    """Has each process say where it is, if its faulthandler is on, and gives it a while for that."""
    signal_all(session, signal.SIGABRT)
    wait_until_empty(session, ANSWER)


def end(leader):
    """Waits until the session is empty; the picture of what was still there after a while, which is killed."""
    left = []
    if not wait_until_empty(leader.pid, BOUND if leader.poll() is not None else 0):
        left = picture(leader.pid).splitlines()
        kill(leader.pid)
    leader.wait()
    return left


def kill(session):
    """Ends all processes of the session, also those that they start meanwhile."""
    while there := members(session):
        signal_all(session, signal.SIGKILL)
        wait_until_ended(there, ANSWER)


def wait_until_empty(session, seconds):
    """Whether the session has no process any more within that time."""
    deadline = time.monotonic() + seconds
    while there := members(session):
        if not wait_until_ended(there, deadline - time.monotonic()):
            return False
    return True


def wait_until_ended(pids, seconds):
    """Whether these processes, which need not be children, end within that time."""
    deadline = time.monotonic() + seconds
    for pid in pids:
        with ends([pid]) as ended:
            if ended and not readable(ended, deadline - time.monotonic()):
                return False
    return True


@contextmanager
def ends(pids):
    """Descriptors that can be read when the processes end; none of those that are not there."""
    opened = []
    try:
        for pid in pids:
            try:
                opened.append(os.pidfd_open(pid))
            except ProcessLookupError:
                pass
        yield opened
    finally:
        for descriptor in opened:
            os.close(descriptor)


def readable(descriptors, seconds):
    """Those of the descriptors that can be read, or are at their end, as soon as there is one, within that time."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [ready for ready, _ in poll.poll(max(0, seconds) * 1000)]


def signal_all(session, number):
    for pid in members(session):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
