"""What a task of a pool raises that gave no result.

Each is caught as an error of `multiprocessing` and as one of `concurrent.futures`.
"""

import signal
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import ProcessError
from multiprocessing import TimeoutError as _NotReady

__all__ = ["PoolBroken", "TaskTimeout", "WorkerLost"]


class WorkerLost(ProcessError, BrokenProcessPool):
    """The worker ended while it ran the task; the pool goes on with a new one.

    pid         the worker's process
    exitcode    its exit code, minus the signal if one killed it
    task        the number of the task, counted over the pool's life from 1
    """

    def __init__(self, pid, exitcode, task):
        super().__init__(pid, exitcode, task)
        self.pid = pid
        self.exitcode = exitcode
        self.task = task

    def __str__(self):
        if self.exitcode >= 0:
            return f"worker {self.pid} exited with {self.exitcode} in task {self.task}"
        try:
            name = signal.Signals(-self.exitcode).name
        except ValueError:
            name = f"signal {-self.exitcode}"
        return f"worker {self.pid} was killed by {name} with task {self.task}"


class TaskTimeout(_NotReady, TimeoutError):
    """The task ran longer than the pool's `task_timeout`; its worker was killed, and replaced.

    limit       the time limit, in seconds
    """

    def __init__(self, limit):
        super().__init__(limit)
        self.limit = limit

    def __str__(self):
        return f"the task ran longer than {self.limit:g} s and was killed"


class PoolBroken(ProcessError, BrokenProcessPool):
    """The pool is at an end: it was terminated, its initializer failed, or it cannot start workers."""
