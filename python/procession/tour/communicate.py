"""`Popen` with three pipes, and `communicate`. The tutorial's `05_subprocess_communicate.py`."""

import subprocess
from subprocess import PIPE

from .nslookup import PATIENCE, with_either
from .say import say


def run() -> None:
    p = with_either(["nslookup"], ["sort"], lambda command: subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE))
    try:
        output, _ = p.communicate(b"set q=mx\npython.org\nexit\n", timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        say(f"({error})")
        p.kill()
        output, _ = p.communicate()
    say(output.decode("utf-8"))
    say(f"Exit code: {p.returncode}")
