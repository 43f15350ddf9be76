"""How tests wait: for facts, each within a time. Nothing here sleeps, but for `until`."""

import os
import select
import time

#: Seconds far above what anything takes; only a hang comes this far.
PATIENCE = 60


class Word:
    """What one process tells another, once for each time: a pipe that has a name. It may be pickled.

    A process that is killed while it listens, or before it has spoken, leaves nothing but the name.
    """

    def __init__(self, path):
        self.path = str(path)
        os.mkfifo(self.path)
        # Open already, so that nobody waits to speak.
        self._ear = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)

    def __reduce__(self):
        return _Mouth, (self.path,)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        os.close(self._ear)

    def say(self, text="!"):
        """Says something; whoever waits for it hears it, or the next who does."""
        os.write(self._ear, text.encode() + b"\n")

    def is_said(self, patience=0):
        """Whether something is said that nobody has heard, within that time."""
        return bool(readable([self._ear], patience))

    def hear(self, patience=PATIENCE):
        """What was said; waits for it."""
        assert self.is_said(patience), "nobody has said a word"
        return os.read(self._ear, 4096).decode().split()


class _Mouth:
    """A word in another process."""

    def __init__(self, path):
        self.path = path

    def say(self, text="!"):
        with open(self.path, "w") as pipe:
            print(text, file=pipe)

    def hear(self):
        with open(self.path) as pipe:
            return pipe.readline().split()


def readable(descriptors, patience=PATIENCE):
    """Those of the descriptors that can be read, or are at their end, waited for so long; None is for ever."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [ready for ready, _ in poll.poll(None if patience is None else max(0, patience) * 1000)]


def gone(pids, patience=PATIENCE):
    """Whether these processes, which need not be children, have ended, or do within that time."""
    end = time.monotonic() + patience
    for pid in pids:
        try:
            ended = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not readable([ended], end - time.monotonic()):
                return False
        finally:
            os.close(ended)
    return True


def until(fact, what="it did not come", patience=PATIENCE):
    """Waits for a fact about another process that nothing announces: how much memory it has given back, whether it
    sleeps in the kernel, that it has started a further process. Only such may be asked for again and again.
    """
    end = time.monotonic() + patience
    while not fact():
        assert time.monotonic() < end, what() if callable(what) else what
        time.sleep(0.002)


def asleep(pid):
    """A function that says whether the process has slept for a while: it is in a call that waits, if that is what it
    does next. Between two looks it has taken no processor time.
    """
    seen, same = None, 0

    def has_slept():
        nonlocal seen, same
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        now = fields[0], fields[11], fields[12]
        same = same + 1 if now == seen and fields[0] == "S" else 0
        seen = now
        return same >= 20

    return has_slept
