"""Printing a line at once, in one piece: several processes print."""

import os
import sys


def say(line: object) -> None:
    """Prints a line; once nobody reads any more, nothing."""
    try:
        print(f"{line}\n", end="", flush=True)
    except BrokenPipeError:
        # What is still in the buffer goes nowhere when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
