"""One measurement, in a process of its own: `python bench/python --cell RUN SIDE COUNT`.

The last line of its standard output is the sample as JSON.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from .clock import Sample

#: Far above what any cell takes, in seconds; only a hang comes this far.
PATIENCE = 180


def main(run, side, count):
    room, name = run.split(".")
    sample = getattr(import_module(f"speed.work.{room}"), name)(side, int(count))
    print(json.dumps(asdict(sample)))


def measure(run, side, count):
    """Runs a cell; the sample.

    Raises RuntimeError with the last thing that it said if it fails, or takes longer than PATIENCE.
    """
    command = [sys.executable, str(Path(__file__).parents[1]), "--cell", run, side, str(count)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as cell:
        try:
            out, errors = cell.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"did not end within {PATIENCE} s") from None
        finally:
            # Whatever the side has left, too.
            try:
                os.killpg(cell.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    if cell.returncode:
        raise RuntimeError((errors.strip() or f"ended with {cell.returncode}").splitlines()[-1])
    return Sample(**json.loads(out.splitlines()[-1]))
