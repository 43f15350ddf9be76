"""Programs in a terminal of their own, as a person starts them, and the processes that they leave.

A terminal makes `print` write line by line, so that what several processes print stays whole; and it is what
turns Ctrl-C into a signal for all of them.
"""

import fcntl
import os
import pty
import subprocess
import tempfile
import termios
import time

from waiting import PATIENCE

import session


class Program:
    """A running program; `with` ends it and all that it started."""

    def __init__(self, command, *, env=None, cwd="/"):
        self.output = b""
        self.errors = tempfile.TemporaryFile()
        self.terminal, child = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=child, stdout=child, stderr=self.errors, env={**os.environ, **(env or {})}, cwd=cwd,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(child)
        os.set_blocking(self.terminal, False)
        # Somebody has it open, and may print.
        self.is_open = True

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.kill()
        os.close(self.terminal)
        self.errors.close()

    def kill(self):
        session.kill(self.process.pid)
        self.process.wait()

    def until(self, holds, patience=PATIENCE):
        """Whether `holds()` came true in time. It is asked when something is printed, and when a process of the
        program ends: about these it has to be."""
        deadline = time.monotonic() + patience
        while not holds():
            if time.monotonic() > deadline:
                return False
            self.wait_for_news(deadline - time.monotonic())
            self.read()
        self.read()
        return True

    def wait_for_news(self, seconds):
        leader = [self.process.pid] if self.process.poll() is None else []
        with session.ends({*leader, *self.members()}) as ends:
            session.readable([*ends, self.terminal] if self.is_open else ends, seconds)

    def read(self):
        try:
            while more := os.read(self.terminal, 65536):
                self.output += more
        except BlockingIOError:
            pass  # nothing more for now
        except OSError:
            self.is_open = False

    def until_printed(self, text, patience=PATIENCE):
        found = self.until(lambda: text.encode() in self.output or self.process.poll() is not None, patience)
        assert found and text.encode() in self.output, f"no {text!r}\n{self.said()}"

    def until_ended(self, patience=PATIENCE):
        """Whether the program itself came to its end in time."""
        return self.until(lambda: self.process.poll() is not None, patience)

    def until_all_ended(self, patience=PATIENCE):
        """Whether no process of the program is left, in time."""
        return self.until(lambda: self.process.poll() is not None and not self.members(), patience)

    def members(self):
        return session.members(self.process.pid)

    def press_ctrl_c(self):
        os.write(self.terminal, b"\x03")

    def lines(self):
        return self.output.decode().replace("\r\n", "\n").splitlines()

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def said(self):
        """All that is known, for the message of a failed assertion."""
        output, processes = "\n".join(self.lines()), session.picture(self.process.pid)
        return f"-- stdout\n{output}\n-- stderr\n{self.stderr()}\n-- processes\n{processes}"
