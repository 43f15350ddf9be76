"""The tutorial, chapter by chapter, on real processes: `python -m procession tour [chapter]`.

Each room is the mirror of one of the tutorial's programs, with the same names, and prints what that one
prints. The tour of the Rust command has the same chapters.

| room | chapter |
|---|---|
| `fork` | one process becomes two |
| `process` | a function runs in a process of its own |
| `pool` | many tasks, few processes |
| `call` | another program, and its exit code |
| `communicate` | another program, its input and output |
| `queue` | processes tell each other |
| `shared` | processes see the same memory |
| `lock` | and take turns with it |
| `distributed` | one process serves, and others work for it, on any machine |
| `nslookup` | the program of two chapters, or another one |
| `say` | printing, also to a reader that has gone |
"""

import sys
from importlib import import_module

from .say import say

#: The chapters in their order: name, room, title.
CHAPTERS = (
    ("fork", "fork", "Fork: one process becomes two"),
    ("process", "process", "Process: a function runs in a process of its own"),
    ("pool", "pool", "Pool: many tasks, few processes"),
    ("subprocess", "call", "Subprocess: another program, and its exit code"),
    ("communicate", "communicate", "Communicate: another program, its input and its output"),
    ("queue", "queue", "Queue: processes tell each other"),
    ("shared-memory", "shared", "Shared memory: Value and Array"),
    ("lock", "lock", "Lock: processes take turns"),
    ("distributed", "distributed", "Distributed: one process serves, others work for it"),
)


def main(arguments: list[str]) -> int:
    """Runs the chapter of that name, or all; the exit status."""
    names = [name for name, _, _ in CHAPTERS]
    if len(arguments) > 1 or not set(arguments) <= set(names):
        print(f"usage: python -m procession tour [{' | '.join(names)}]", file=sys.stderr)
        return 2
    for index, (name, room, title) in enumerate(CHAPTERS):
        if arguments and name != arguments[0]:
            continue
        if index and not arguments:
            say("")
        say(f"### {title}")
        import_module(f"{__name__}.{room}").run()
    return 0
