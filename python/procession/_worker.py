"""A Python process that a Rust program started to call one function: what runs as its main module.

    python3 -m procession._worker SEAT ARENA LIFELINE OUTLIVE

The last thing that it does is to leave the outcome: what the function returned, the exception that it raised,
or why it was not called.
"""

import functools
import importlib
import multiprocessing
import os
import sys
import traceback

from . import _core
from ._foreign import load


def _find(target):
    module, colon, path = target.partition(":")
    if not colon:
        raise ValueError(f"{target!r} is no function: write module:function")
    return functools.reduce(getattr, path.split("."), importlib.import_module(module))


def _raised(error):
    cls = type(error)
    module = "" if cls.__module__ == "builtins" else cls.__module__ + "."
    return {
        "class": module + cls.__qualname__,
        "message": str(error),
        "traceback": "".join(traceback.format_exception(error)),
    }


def _outcome(post):
    """The outcome as a pickle, and the exit code; None if there is nothing to do."""
    try:
        sent = post.arguments(load)
        if sent is None:
            return None
        multiprocessing.current_process().name = sent["name"]
        function, arguments = _find(sent["function"]), sent["arguments"]
        if arguments is None:
            result = function()
        elif type(arguments) is tuple:
            result = function(*arguments)
        else:
            result = function(arguments)
    except SystemExit:
        raise
    except BaseException as error:
        return _core.dumps({"Raised": _raised(error)}), 1
    try:
        return _core.dumps({"Returned": result}), 0
    except Exception as error:
        return _core.dumps({"Failed": f"its result cannot be sent: {error}"}), 102


def main(arguments):
    seat, arena, lifeline, outlive = map(int, arguments)
    # A program that this process starts has no part in it.
    os.set_inheritable(arena, False)
    post = _core.Post.take(seat, arena, lifeline, bool(outlive))
    # Without a parent nobody asks for anything.
    outcome = post and _outcome(post)
    if outcome is None:
        return 125
    pickle, code = outcome
    post.leave(pickle)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
