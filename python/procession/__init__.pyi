from multiprocessing import reduction as reducer
from multiprocessing.spawn import freeze_support as freeze_support
from typing import Final

from . import context
from ._install import install as install
from ._install import uninstall as uninstall
from .context import AuthenticationError as AuthenticationError
from .context import BufferTooShort as BufferTooShort
from .context import Process as Process
from .context import ProcessError as ProcessError
from .context import TimeoutError as TimeoutError
from .futures import ProcessPoolExecutor as ProcessPoolExecutor
from .lost import WorkerLost as WorkerLost
from .process import active_children as active_children
from .process import current_process as current_process
from .process import parent_process as parent_process
from .rust import RustProcess as RustProcess

__all__ = [
    "Array",
    "AuthenticationError",
    "Barrier",
    "BoundedSemaphore",
    "BufferTooShort",
    "Condition",
    "Event",
    "JoinableQueue",
    "Lock",
    "Manager",
    "Pipe",
    "Pool",
    "Process",
    "ProcessError",
    "Queue",
    "RLock",
    "RawArray",
    "RawValue",
    "Semaphore",
    "SimpleQueue",
    "TimeoutError",
    "Value",
    "active_children",
    "allow_connection_pickling",
    "cpu_count",
    "current_process",
    "freeze_support",
    "get_all_start_methods",
    "get_context",
    "get_logger",
    "get_start_method",
    "log_to_stderr",
    "parent_process",
    "reducer",
    "set_executable",
    "set_forkserver_preload",
    "set_start_method",
    "install",
    "uninstall",
    "ProcessPoolExecutor",
    "WorkerLost",
    "RustProcess",
]

SUBDEBUG: Final = 5
SUBWARNING: Final = 25

# These are functions, as in `multiprocessing`. As annotations serve the classes of `procession.queues`,
# `procession.synchronize`, `procession.sharedctypes` and `procession.pool`.
Array = context._front.Array
Barrier = context._front.Barrier
BoundedSemaphore = context._front.BoundedSemaphore
Condition = context._front.Condition
Event = context._front.Event
JoinableQueue = context._front.JoinableQueue
Lock = context._front.Lock
Manager = context._front.Manager
Pipe = context._front.Pipe
Pool = context._front.Pool
Queue = context._front.Queue
RLock = context._front.RLock
RawArray = context._front.RawArray
RawValue = context._front.RawValue
Semaphore = context._front.Semaphore
SimpleQueue = context._front.SimpleQueue
Value = context._front.Value
allow_connection_pickling = context._front.allow_connection_pickling
cpu_count = context._front.cpu_count
get_all_start_methods = context._front.get_all_start_methods
get_context = context._front.get_context
get_logger = context._front.get_logger
get_start_method = context._front.get_start_method
log_to_stderr = context._front.log_to_stderr
set_executable = context._front.set_executable
set_forkserver_preload = context._front.set_forkserver_preload
set_start_method = context._front.set_start_method
