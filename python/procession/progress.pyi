from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias, type_check_only

__all__ = ()

_Progress: TypeAlias = bool | Literal["tqdm"] | Callable[[int, int | None], object]

@type_check_only
class _File(Protocol):
    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...

class Bar:
    def __init__(self, total: int | None, file: _File | None = None) -> None: ...
    def __call__(self, ended: int) -> None: ...

def progress(option: _Progress | None, total: int | None) -> Callable[[int], object] | None: ...
