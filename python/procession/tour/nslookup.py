"""`nslookup`, the program that two chapters run, where it exists; else another that does."""

from collections.abc import Callable
from typing import TypeVar

from .say import say

#: How long the program may take, in seconds: without a network `nslookup` tries for a long time.
PATIENCE = 5

R = TypeVar("R")


def with_either(wanted: list[str], instead: list[str], run: Callable[[list[str]], R]) -> R:
    """Calls `run` with `wanted`, or with `instead` if the program does not exist, and shows the command."""
    say(f"$ {' '.join(wanted)}")
    try:
        return run(wanted)
    except FileNotFoundError:
        say(f"({wanted[0]} is not installed here; the same with {instead[0]})")
        say(f"$ {' '.join(instead)}")
        return run(instead)
