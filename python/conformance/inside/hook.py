"""What every interpreter of a run does first, by a `.pth` file of the run's virtual environment.

It acts only where the environment variable `PROCESSION_CONFORMANCE` holds a run's settings (JSON; see `cell.py`), in the
process that runs the tests, in their children, and in the interpreters that tests start themselves.

| setting | what is done, once the module in question is imported |
|---|---|
| `install` | `procession.install()` after `multiprocessing`, in interpreters that a *test* started. Children of `multiprocessing` are left alone: how the replacement reaches them is what is tested |
| `group` | if it is `executor`, `procession.ProcessPoolExecutor` stands in `concurrent.futures` after that, in the interpreter of the tests and in those that a test started |
| `census` | each object of ours that is made or rebuilt adds a line to this file |
| `borrowed` | `test.test_concurrent_futures` is taken from this directory, another version's, where the interpreter came without it |
"""

import importlib.util
import json
import os
import sys

BORROWED = "test.test_concurrent_futures"


def leave(*_args, **_kwargs):
    """A decorator that does nothing: no build without the GIL and none under a sanitizer borrows tests."""
    return lambda test: test


#: What the borrowed tests ask of `test.support`, and older versions do not have or have with fewer arguments.
LACKING = {
    "Py_GIL_DISABLED": False,
    "requires_gil_enabled": leave,
    "check_sanitizer": lambda **_kinds: False,
    "skip_if_sanitizer": leave,
}


def started_by_multiprocessing():
    """Whether this interpreter is a child, a fork server or a resource tracker of `multiprocessing`."""
    return any(word == "--multiprocessing-fork" or word.startswith("from multiprocessing.") for word in sys.orig_argv)


class AfterImport:
    """Finds modules by the other finders, and calls `then[name](module)` when one has been executed."""

    def __init__(self, then, borrowed):
        self.then = then
        self.borrowed = borrowed

    def find_spec(self, name, path=None, target=None):
        if name == BORROWED and self.borrowed:
            init = os.path.join(self.borrowed, "__init__.py")
            return importlib.util.spec_from_file_location(name, init, submodule_search_locations=[self.borrowed])
        if name not in self.then:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                self.call_after(spec, self.then[name])
                return spec
        return None

    def call_after(self, spec, then):
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            then(module)

        spec.loader.exec_module = exec_module


def install(_module):
    import procession

    procession.install()


def replace_executor(futures):
    import multiprocessing  # first, since procession cannot be installed while it is being imported

    from procession import ProcessPoolExecutor

    futures.ProcessPoolExecutor = ProcessPoolExecutor


def complete(support):
    vars(support).update(LACKING)


def main(settings):
    then = {"test.support": complete} if settings["borrowed"] else {}
    if settings["census"]:
        import census

        then.update(census.by_module(settings["census"]))
    if settings["install"] and not started_by_multiprocessing():
        then["multiprocessing"] = install
        if settings["group"] == "executor":
            then["concurrent.futures"] = replace_executor
    sys.meta_path.insert(0, AfterImport(then, settings["borrowed"]))


main(json.loads(os.environ["PROCESSION_CONFORMANCE"]))
