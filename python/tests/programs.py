"""Scripts for tests: written into a directory and started in a terminal, with stock or with procession.

The script's `mp` is the context of its start method, of `procession` or of `multiprocessing`. It defines `main`.
"""

import sys
import textwrap
from pathlib import Path

from terminal import Program

HEAD = f"""
import importlib, os, signal, sys, threading, time
sys.path.append({str(Path(__file__).parent)!r})
from waiting import asleep, until
mp = importlib.import_module(sys.argv[1]).get_context(sys.argv[2])

def ready(*what):
    print("ready", *what, flush=True)
"""
FOOT = """
if __name__ == "__main__":
    main()
"""


def write(directory, name, source):
    script = directory / f"{name}.py"
    script.write_text(HEAD + textwrap.dedent(source) + FOOT)
    return script


def start(script, package, method, *, options=()):
    """Starts a script that `write` wrote. Use the program in a `with` statement."""
    return Program([sys.executable, *options, str(script), package, method])
