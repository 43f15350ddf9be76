"""Stock and ours together: either client with either server."""

import gc
import multiprocessing
import pickle
import queue
import subprocess
from multiprocessing.managers import RemoteError
from pathlib import Path

import pytest
from managed import KEY, OURS, STOCK, OurManager, raised

import procession


def test_either_client_works_with_either_server(pair):
    started, connected = pair
    tasks = connected.Queue()
    tasks.put({"a": [1]})
    assert tasks.get() == {"a": [1]}
    assert raised(tasks.get, True, 0.01)[0] is queue.Empty
    counter = connected.Counter(1)
    assert counter.add() == 2
    numbers = connected.list([1, 2])
    assert numbers[1] == 2
    assert started._number_of_objects() == connected._number_of_objects() == 3
    del tasks, counter, numbers
    gc.collect()
    assert started._number_of_objects() == 0


def test_a_numpy_array_arrives_as_it_was_with_either_client_and_either_server(pair):
    numpy = pytest.importorskip("numpy")
    _, connected = pair
    tasks = connected.Queue()
    for array in (numpy.arange(1000.0).reshape(10, 100), numpy.array([{1}, None], dtype=object)):
        tasks.put([array, "beside"])
        got, beside = tasks.get()
        assert got.dtype == array.dtype and (got == array).all() and beside == "beside"


OTHER_VERSION = """
import datetime, queue, sys
from multiprocessing.managers import BaseManager
class Remote(BaseManager): pass
for name in ("Counter", "Queue", "get_tasks"): Remote.register(name)
remote = Remote(("127.0.0.1", int(sys.argv[1])), b"secret")
remote.connect()
day = {1: datetime.date(2020, 1, 2)}
for tasks in remote.get_tasks(), remote.Queue():
    tasks.put(day)
    assert tasks.get(timeout=30) == day
    try:
        tasks.get(timeout=0.01)
    except queue.Empty:
        pass
counter = remote.Counter(1)
assert counter.add(more=2) == 3
try:
    counter.fail()
except LookupError as error:
    print(error.args[1])
"""


def other_versions():
    """Every CPython from 3.8 on that this machine has, once a version."""
    monkey = pytest.MonkeyPatch()
    monkey.syspath_prepend(str(Path(__file__).parents[2] / "conformance"))
    try:
        import interpreters
    finally:
        monkey.undo()
    found = {}
    for command in interpreters.candidates():
        told = interpreters.ask(command)
        if told and told["implementation"] == "cpython" and told["version"] >= [3, 8]:
            found.setdefault(tuple(told["version"][:2]), told["path"])
    return found


def test_stock_clients_of_every_version_use_our_server():
    with OurManager(("127.0.0.1", 0), KEY, ctx=multiprocessing.get_context("fork")) as served:
        for version, python in sorted(other_versions().items()):
            ended = subprocess.run(
                [python, "-I", "-c", OTHER_VERSION, str(served.address[1])],
                capture_output=True, text=True, timeout=60,
            )  # fmt: skip
            assert (version, ended.stdout, ended.stderr) == (version, "7\n", "")
        assert served._number_of_objects() == 0


def test_a_wrong_key_is_refused(pair):
    started, connected = pair
    stranger = type(connected)(started.address, b"wrong")
    with pytest.raises(multiprocessing.AuthenticationError):
        stranger.connect()
    assert connected.Queue().empty()


def test_what_is_not_registered_is_refused(pair):
    started, connected = pair
    type(connected).register("nothing")
    with pytest.raises(RemoteError, match="KeyError: 'nothing'"):
        connected.nothing()
    assert connected.Queue().empty()


def test_in_messages_proxies_are_stocks_and_for_new_processes_ours(ours):
    numbers = ours.list()
    text = pickle.dumps(numbers)
    assert b"multiprocessing.managers" in text and b"procession" not in text
    assert b"procession" not in pickle.dumps(ours.Queue())
    assert type(pickle.loads(text)) is STOCK.ListProxy
    assert type(numbers) is OURS.ListProxy and isinstance(numbers, STOCK.ListProxy)


def type_in_a_child(proxy, answers):
    answers.put(f"{type(proxy).__module__}.{type(proxy).__name__}")
    proxy.append(1)


def test_a_child_gets_proxies_of_ours(ours, method):
    context = procession.get_context(method)
    numbers, answers = ours.list(), context.SimpleQueue()
    child = context.Process(target=type_in_a_child, args=(numbers, answers))
    child.start()
    assert answers.get() == f"{OURS.ListProxy.__module__}.ListProxy"
    child.join()
    assert numbers[:] == [1]


def test_the_context_makes_our_manager(method):
    with procession.get_context(method).Manager() as manager:
        assert type(manager) is OURS.SyncManager and type(manager.list()) is OURS.ListProxy


def test_another_serializer_is_left_to_stock():
    with OurManager(("127.0.0.1", 0), KEY, "xmlrpclib", ctx=multiprocessing.get_context("fork")) as manager:
        assert manager.get_tasks().empty() is True
    assert type(OurManager(None, KEY, "xmlrpclib").get_server()) is STOCK.Server


def test_every_name_of_stock_is_there():
    names = [name for name in vars(STOCK) if not name.startswith("__")]
    assert [name for name in names if not hasattr(OURS, name)] == []
    assert OURS.__all__ == STOCK.__all__
