import threading
from multiprocessing import managers as _stock
from multiprocessing.managers import Namespace as Namespace
from multiprocessing.managers import RemoteError as RemoteError
from multiprocessing.managers import SharedMemoryManager as SharedMemoryManager
from multiprocessing.managers import SharedMemoryServer as SharedMemoryServer
from multiprocessing.managers import Token as Token
from typing import Any, Never

from ._proxies import AcquirerProxy as AcquirerProxy
from ._proxies import ArrayProxy as ArrayProxy
from ._proxies import AutoProxy as AutoProxy
from ._proxies import BarrierProxy as BarrierProxy
from ._proxies import BaseListProxy as BaseListProxy
from ._proxies import BasePoolProxy as BasePoolProxy
from ._proxies import BaseProxy as BaseProxy
from ._proxies import ConditionProxy as ConditionProxy
from ._proxies import DictProxy as DictProxy
from ._proxies import EventProxy as EventProxy
from ._proxies import IteratorProxy as IteratorProxy
from ._proxies import ListProxy as ListProxy
from ._proxies import MakeProxyType as MakeProxyType
from ._proxies import NamespaceProxy as NamespaceProxy
from ._proxies import PoolProxy as PoolProxy
from ._proxies import RebuildProxy as RebuildProxy
from ._proxies import ValueProxy as ValueProxy
from ._server import Server as Server

__all__ = ["BaseManager", "SyncManager", "BaseProxy", "Token", "SharedMemoryManager"]

class BaseManager(_stock.BaseManager): ...
class SyncManager(BaseManager, _stock.SyncManager):
    def Event(self, /, *args: Never, **kwds: Never) -> threading.Event: ...
    def Lock(self, /, *args: Never, **kwds: Never) -> threading.Lock: ...
    def RLock(self, /, *args: Never, **kwds: Never) -> threading.RLock: ...
    def Namespace(self, /, *args: Any, **kwds: Any) -> _stock.Namespace: ...
