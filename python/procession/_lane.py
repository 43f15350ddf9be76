"""A worker of `procession worker`: what its Python process runs.

Tasks come as pickles, which the manager has from whoever put them, and outcomes go as pickles.
"""

import pickle
import signal
import traceback
from multiprocessing.reduction import ForkingPickler

from ._worker import _find

#: What every CPython that can be a master reads.
PROTOCOL = 4


def run(name, tasks, outcomes):
    """Calls a function with each task from one queue, and puts outcomes into the other; the first says that it is there."""
    # Ctrl-C is heard by the command, which ends its processes when the tasks are done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    function = _find(name)
    outcomes.put((True, b"", ""))
    while True:
        outcomes.put(_outcome(function, tasks.get()))


def _outcome(function, task):
    try:
        return True, _dumps(function(pickle.loads(task))), ""
    except Exception as error:
        # Without the frame of this function.
        inside = error.__traceback__ and error.__traceback__.tb_next
        text = "".join(traceback.format_exception(type(error), error, inside))
        try:
            exception = _dumps(error)
        except Exception:
            exception = _dumps(RuntimeError(f"{type(error).__qualname__}: {error}"))
        return False, exception, text


def _dumps(value):
    return bytes(ForkingPickler.dumps(value, PROTOCOL))
