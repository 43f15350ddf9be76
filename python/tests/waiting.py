"""How tests wait: for facts, each within a time. Nothing here sleeps, but for `until`."""

import os
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "conformance"))

from session import readable, wait_until_ended

#: Seconds far above what anything takes; only a hang comes this far.
PATIENCE = 60


class Word:
    """What one process tells another: a pipe that has a name, so that it can be sent to any process.

    Whoever speaks does not wait. One that is killed while it listens leaves nothing but the name.
    """

    def __init__(self, path):
        self.path = str(path)
        os.mkfifo(self.path)
        # Open for both, so that it has no end.
        self.pipe = os.open(self.path, os.O_RDWR)

    def __reduce__(self):
        return _Word, (self.path,)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        os.close(self.pipe)

    def say(self):
        os.write(self.pipe, b"!")

    def is_said(self, patience=0):
        """Whether it is said and was not heard, or is within that time."""
        return bool(readable([self.pipe], patience))

    def hear(self, patience=PATIENCE):
        """Waits until it is said; once for each time."""
        assert self.is_said(patience), "nobody has said it"
        os.read(self.pipe, 1)


class _Word(Word):
    """The same in another process."""

    def __init__(self, path):
        self.pipe = os.open(path, os.O_RDWR)

    def __del__(self):
        os.close(self.pipe)


def all_end(pids):
    """Whether these processes, which need not be children, have ended or do in time."""
    return wait_until_ended(pids, PATIENCE)


def until(fact, what="it did not come"):
    """Waits for a fact about another process or thread that nothing announces: that it sleeps in the kernel, that it
    has given memory back, that it was reaped, that a further one is there. Nothing else may be asked for again and
    again.
    """
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end, what() if callable(what) else what
        time.sleep(0.002)


def asleep(pid, thread=None):
    """A function that says whether the process, or that thread of it, has slept for a while: it is in a call that waits,
    if that is what it does next. Between two looks it has taken no processor time.
    """
    of = f"/proc/{pid}/stat" if thread is None else f"/proc/{pid}/task/{thread}/stat"
    seen, same = None, 0

    def has_slept():
        nonlocal seen, same
        with open(of) as file:
            fields = file.read().rpartition(")")[2].split()
        now = fields[0], fields[11], fields[12]
        same = same + 1 if now == seen and fields[0] == "S" else 0
        seen = now
        return same >= 20

    return has_slept


def when_it_waits(act, times=1):
    """Starts a thread that acts when the calling one waits for something; so often, each time when it waits again."""
    waiter = threading.get_native_id()

    def watch():
        for _ in range(times):
            until(asleep(os.getpid(), waiter), "it does not wait")
            act()

    threading.Thread(target=watch, daemon=True).start()
