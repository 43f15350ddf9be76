"""`subprocess.call(['nslookup', 'www.python.org'])`. The tutorial's `04_subprocess_call.py`."""

import subprocess

from .nslookup import PATIENCE, with_either
from .say import say


def run() -> None:
    try:
        r = with_either(
            ["nslookup", "www.python.org"],
            ["getent", "hosts", "localhost"],
            lambda command: subprocess.call(command, timeout=PATIENCE),
        )
    except subprocess.TimeoutExpired as error:
        say(f"({error})")
    else:
        say(f"Exit code: {r}")
