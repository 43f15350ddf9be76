"""`os.fork()`: both processes go on from here. The tutorial's `01_fork.py`."""

import os

from .say import say


def run() -> None:
    say(f"Process ({os.getppid()}) start...")
    pid = os.fork()
    if pid == 0:
        say(f"I am child process ({os.getpid()}) and my parent is {os.getppid()}")
        os._exit(0)
    say(f"I ({os.getpid()}) just created a child process ({pid})")
    # Beyond the tutorial: nobody else takes the child's status.
    os.waitpid(pid, 0)
