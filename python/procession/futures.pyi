from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from multiprocessing.context import BaseContext
from typing import Any, Literal

from .queues import _Serializer

__all__ = ["ProcessPoolExecutor"]

class ProcessPoolExecutor(Executor):
    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: BaseContext | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        *,
        max_tasks_per_child: int | None = None,
        retries: int = 0,
        task_timeout: float | None = None,
        max_memory_per_child: int | None = None,
        serializer: Literal["cloudpickle"] | _Serializer | None = None,
    ) -> None: ...
    def terminate_workers(self) -> None: ...
    def kill_workers(self) -> None: ...
