"""`python -m procession`: runs a program with procession in the place of `multiprocessing`.

    python -m procession script.py arguments...
    python -m procession -m module arguments...
    python -m procession tour [chapter]
"""

import runpy
import sys

from ._install import install

USAGE = __doc__.split("\n\n", 1)[1]


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    if arguments[0] == "tour":
        from .tour import main as tour

        return tour(arguments[1:])
    if arguments[0] == "-m":
        if len(arguments) < 2:
            print("argument expected for the -m option", file=sys.stderr)
            return 2
        return _run_module(arguments[1], arguments[2:])
    return _run_script(arguments[0], arguments[1:])


def _run_module(name, arguments):
    install()
    sys.argv = [name, *arguments]
    sys.path[0] = ""
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    return 0


def _run_script(path, arguments):
    """Runs the script as the module `__main__`, where a started process finds its functions."""
    import os
    import types
    from importlib.machinery import SourceFileLoader

    install()
    sys.argv = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=path, __loader__=SourceFileLoader("__main__", path))
    sys.modules["__main__"] = sys.modules["__mp_main__"] = module
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    exec(code, module.__dict__)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
