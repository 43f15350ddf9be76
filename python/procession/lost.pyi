from concurrent.futures.process import BrokenProcessPool
from multiprocessing import ProcessError
from multiprocessing import TimeoutError as _NotReady

__all__ = ["PoolBroken", "TaskTimeout", "WorkerLost"]

class WorkerLost(ProcessError, BrokenProcessPool):
    pid: int
    exitcode: int
    task: int
    def __init__(self, pid: int, exitcode: int, task: int) -> None: ...

class TaskTimeout(_NotReady, TimeoutError):
    limit: float
    def __init__(self, limit: float) -> None: ...

class PoolBroken(ProcessError, BrokenProcessPool): ...
