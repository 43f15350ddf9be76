import os
from collections.abc import Iterable, Mapping
from multiprocessing import ProcessError
from typing import Any

__all__ = ["RustError", "RustPanic", "RustProcess"]

class RustError(ProcessError):
    exitcode: int
    def __init__(self, message: str, exitcode: int) -> None: ...

class RustPanic(RustError):
    message: str
    location: str | None
    backtrace: str | None
    def __init__(
        self, message: str, exitcode: int, location: str | None = None, backtrace: str | None = None
    ) -> None: ...

class RustProcess:
    name: str
    daemon: bool
    def __init__(
        self,
        path: str | os.PathLike[str],
        task: str,
        args: Iterable[Any] = (),
        *,
        argv: Iterable[str | os.PathLike[str]] = (),
        name: str | None = None,
        daemon: bool = False,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None: ...
    @property
    def pid(self) -> int | None: ...
    @property
    def ident(self) -> int | None: ...
    @property
    def exitcode(self) -> int | None: ...
    @property
    def sentinel(self) -> int: ...
    def start(self) -> None: ...
    def is_alive(self) -> bool: ...
    def join(self, timeout: float | None = None) -> None: ...
    def result(self, timeout: float | None = None) -> Any: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...
