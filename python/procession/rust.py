"""Rust programs as processes: one task of one program, with the queues, locks, values and arrays of this one.

    process = RustProcess("target/release/counter", "count", (queue, value))
    process.start()
    total = process.result()

The program's `main` begins with `procession::init_with(tasks)`, which takes over where a task was asked for.

Arguments and result are plain data (None, bool, int of at most 128 bits, float, str, bytes, list, tuple, dict, set),
and arguments may hold a Queue, JoinableQueue, Lock, RLock, Semaphore, Event, or a Value or Array of numbers with its
own lock. The task gets no arguments as `()`, one as it is, several as a tuple; dicts as structs or maps; `{"Name":
value}` and `"Name"` as variants. What cannot be mapped is a TypeError here, or the task's error, with its place.

If the program dies: what it held goes back, and `result` says how it ended. It is killed when this process is.
"""

import itertools
import os
import signal
from multiprocessing import ProcessError
from multiprocessing.connection import wait

from . import _core
from ._foreign import dump

__all__ = ["RustError", "RustPanic", "RustProcess"]


class RustError(ProcessError):
    """The task gave no result.

    exitcode    of the process; minus the signal if one killed it
    """

    def __init__(self, message, exitcode):
        super().__init__(message, exitcode)
        self.exitcode = exitcode

    def __str__(self):
        return self.args[0]


class RustPanic(RustError):
    """The task panicked.

    message     what the panic said
    location    file, line and column, or None
    backtrace   the call stack, or None
    """

    def __init__(self, message, exitcode, location=None, backtrace=None):
        super().__init__(message, exitcode)
        self.message = message
        self.location = location
        self.backtrace = backtrace

    def __str__(self):
        return f"panicked at {self.location}: {self.message}" if self.location else self.message


class RustProcess:
    """One task of a Rust program, in a process of its own.

    path    the program
    task    the name of the task
    args    its arguments
    argv    further arguments on the program's command line
    name    the name of the process
    daemon  whether it is terminated when this process ends, instead of waited for
    env     its environment, otherwise this one's
    cwd     its directory, otherwise this one's
    """

    _numbers = itertools.count(1)

    def __init__(
        self, path, task, args=(), *, argv=(), name=None, daemon=False, env=None, cwd=None
    ):
        self._argv = [os.fspath(path), *map(os.fspath, argv)]
        self._task = task
        self._args = tuple(args)
        self._env = env
        self._cwd = cwd
        self._program = None
        self._outcome = None
        self.name = name or f"RustProcess-{next(self._numbers)}"
        self.daemon = daemon

    def __repr__(self):
        state = "initial" if self._program is None else f"pid={self.pid} exitcode={self.exitcode}"
        return f"<{type(self).__name__} name={self.name!r} task={self._task!r} {state}>"

    def start(self):
        """Starts the process. Raises TypeError with the place of an argument that cannot be mapped."""
        if self._program is not None:
            raise AssertionError("cannot start a process twice")
        args = self._args
        sent = None if not args else args[0] if len(args) == 1 else args
        order, objects = dump({"name": self.name, "function": self._task, "arguments": sent})
        env = None if self._env is None else list(self._env.items())
        _forget_after_fork()
        self._program = _core.RustProgram.start(
            self._argv, order, objects, self.name, self.daemon, env, self._cwd
        )

    def _started(self):
        if self._program is None:
            raise AssertionError("the process was not started")
        return self._program

    @property
    def pid(self):
        """Its number; None before the start."""
        return self._program and self._program.pid

    ident = pid

    @property
    def exitcode(self):
        """None before the start and while it runs; minus the signal if one ended it."""
        return self._program and self._program.exitcode

    @property
    def sentinel(self):
        """A descriptor that is readable when it has ended, for `multiprocessing.connection.wait`."""
        return self._started().sentinel

    def is_alive(self):
        """Whether it runs."""
        return self._program is not None and self._program.exitcode is None

    def join(self, timeout=None):
        """Waits until it has ended, at most for `timeout` seconds."""
        wait([self._started().sentinel], timeout)

    def result(self, timeout=None):
        """What the task returned.

        Raises `RustPanic` if it panicked, `RustError` if it gave no result for another reason, and TimeoutError if
        the process runs on after `timeout` seconds.
        """
        self.join(timeout)
        code = self.exitcode
        if code is None:
            raise TimeoutError(f"process {self.name} (pid {self.pid}) still runs")
        if self._outcome is None:
            pickle = self._program.take_outcome()
            self._outcome = {} if pickle is None else _core.loads(bytes(pickle))
        match self._outcome:
            case {"Returned": result}:
                return result
            case {"Panicked": panic}:
                raise RustPanic(panic["message"], code, panic["location"], panic["backtrace"])
            case {"Failed": reason}:
                raise RustError(f"process {self.name} (pid {self.pid}) failed: {reason}", code)
        raise RustError(f"process {self.name} (pid {self.pid}) {_end(code)} without a result", code)

    def terminate(self):
        """Asks it to end, by SIGTERM."""
        self._started().signal(signal.SIGTERM)

    def kill(self):
        """Ends it, by SIGKILL."""
        self._started().signal(signal.SIGKILL)


def _end(code):
    if code >= 0:
        return f"exited with {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


_is_forgetting = False


def _forget_after_fork():
    global _is_forgetting
    if not _is_forgetting:
        os.register_at_fork(after_in_child=_core.forget_programs)
        _is_forgetting = True
