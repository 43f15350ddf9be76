"""`Process(target=run_proc, args=('test',))`. The tutorial's `02_process.py`."""

import os

import procession as mp

from .say import say


def run_proc(name: str) -> None:
    say(f"Run child process {name} ({os.getpid()})...")


def run() -> None:
    say(f"Parent process {os.getpid()}")
    p = mp.Process(target=run_proc, args=("test",))
    say("Child process will start.")
    p.start()
    p.join()
    say("Child process end")
