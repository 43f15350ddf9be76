import sys
from collections.abc import Callable
from multiprocessing import context as _stock
from multiprocessing import popen_fork, popen_forkserver, popen_spawn_posix
from multiprocessing.process import BaseProcess as BaseProcess
from multiprocessing.process import active_children as active_children
from multiprocessing.process import current_process as current_process
from multiprocessing.process import parent_process as parent_process
from typing import Any, TypeVar

from typing_extensions import disjoint_base

__all__ = ["BaseProcess", "active_children", "current_process", "parent_process"]

_R = TypeVar("_R")
_Popen = TypeVar("_Popen", bound=popen_fork.Popen)

if sys.version_info >= (3, 12):
    class AuthenticationString(bytes): ...

else:
    @disjoint_base
    class AuthenticationString(bytes): ...

class Ticket:
    def __init__(self, family: int, own: bool) -> None: ...
    def keep(self, obj: object) -> None: ...

def ticket(family: int) -> Ticket: ...
def reduce_held(obj: object, family: int, rebuild: Callable[..., _R], *state: Any) -> tuple[Callable[..., _R], tuple[Any, ...]]: ...
def start(popen: Callable[[BaseProcess], _Popen], process_obj: BaseProcess) -> _Popen: ...

class Member(BaseProcess):
    async def join_async(self, timeout: float | None = None) -> None: ...

class ForkProcess(Member, _stock.ForkProcess): ...

class SpawnProcess(Member, _stock.SpawnProcess):
    @staticmethod
    def _Popen(process_obj: BaseProcess) -> popen_spawn_posix.Popen: ...

class ForkServerProcess(Member, _stock.ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: BaseProcess) -> popen_forkserver.Popen: ...
