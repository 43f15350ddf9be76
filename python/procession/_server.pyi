from collections.abc import Mapping
from multiprocessing import managers as _stock
from typing import Any

class Server(_stock.Server):
    def __new__(cls, registry: Mapping[str, Any], address: Any, authkey: bytes, serializer: str) -> Server: ...

def hosted(registry: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]: ...
