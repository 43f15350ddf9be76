"""Awaiting descriptors in an event loop."""

import asyncio
from collections import deque

# By loop and descriptor: an event loop has one reader for a descriptor, and many tasks may wait.
_waiting = {}


async def readable(descriptor):
    """Returns when the descriptor is readable, or was a moment ago: look, and come back if not."""
    loop = asyncio.get_running_loop()
    key = loop, descriptor
    if key not in _waiting:
        _waiting[key] = deque()
        loop.add_reader(descriptor, _wake_one, _waiting[key])
    waiting = _waiting[key]
    future = loop.create_future()
    waiting.append(future)
    try:
        await future
    finally:
        if future in waiting:
            waiting.remove(future)
        if not waiting and _waiting.get(key) is waiting:
            del _waiting[key]
            loop.remove_reader(descriptor)


def _wake_one(waiting):
    """Wakes the task that has waited longest. The loop calls again while the descriptor is readable."""
    while waiting:
        future = waiting.popleft()
        if not future.done():
            future.set_result(None)
            return
