"""Which tests of CPython are which group."""

import importlib
import unittest

MAIN_HANDLING = "test.test_multiprocessing_main_handling"
FUTURES = "test.test_concurrent_futures"
FUTURES_MODULES = ("process_pool", "wait", "as_completed", "shutdown", "init", "deadlock")

#: How the names of classes begin whose tests use one start method.
MAIN_CLASSES = {"fork": "ForkCmd", "spawn": "SpawnCmd", "forkserver": "ForkServerCmd"}
POOL_CLASSES = {"fork": "ProcessPoolFork", "spawn": "ProcessPoolSpawn", "forkserver": "ProcessPoolForkserver"}


def classes(group, start):
    """The test classes of a group, by name."""
    if group == "main_handling":
        return of_module(importlib.import_module(MAIN_HANDLING), lambda name: name.startswith(MAIN_CLASSES[start]))
    if group in ("futures", "executor"):
        return futures(start)
    return of_module(importlib.import_module("cpython_tests"), lambda name: True)


def futures(start):
    def wanted(name):
        method = max((method for method in POOL_CLASSES if name.startswith(POOL_CLASSES[method])), key=len, default=None)
        return method == start

    package = importlib.import_module(FUTURES)
    if not hasattr(package, "__path__"):  # one module, before CPython made a package of it
        return of_module(package, wanted)
    found = {}
    for name in FUTURES_MODULES:
        found.update(of_module(importlib.import_module(f"{FUTURES}.test_{name}"), wanted))
    return found


def of_module(module, wanted):
    def is_test(value):
        return isinstance(value, type) and issubclass(value, unittest.TestCase) and value.__module__ == module.__name__

    return {name: value for name, value in sorted(vars(module).items()) if is_test(value) and wanted(name)}


def tests(group, start):
    """Pairs of `Class.test` and the test."""
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    return [
        (f"{name}.{test._testMethodName}", test)
        for name, kind in classes(group, start).items()
        for test in load(kind)
    ]
