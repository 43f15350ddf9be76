from multiprocessing import connection as _stock
from multiprocessing.connection import Client as Client
from multiprocessing.connection import Listener as Listener
from multiprocessing.connection import answer_challenge as answer_challenge
from multiprocessing.connection import deliver_challenge as deliver_challenge
from multiprocessing.connection import wait as wait
from typing import Any

from . import _core

__all__ = ["Client", "Listener", "Pipe", "wait"]

class Connection(_core.Connection, _stock.Connection[_stock._SendT_contra, _stock._RecvT_co]): ...

def Pipe(duplex: bool = True) -> tuple[Connection[Any, Any], Connection[Any, Any]]: ...
def reduce_connection(connection: Connection[Any, Any]) -> tuple[Any, ...]: ...
def rebuild_connection(descriptor: Any, readable: bool, writable: bool) -> Connection[Any, Any]: ...
