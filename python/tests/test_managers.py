"""Managers: stock's meaning with every server and every client, and what a death does."""

import gc
import multiprocessing
import multiprocessing.managers
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import types
from multiprocessing.managers import RemoteError
from pathlib import Path

import procession.managers
import pytest
from waiting import until

STOCK, OURS = multiprocessing.managers, procession.managers
KEY = b"secret"

_tasks = queue.Queue()


class Counter:
    """A type of a user."""

    def __init__(self, start=0):
        self.value = start

    def add(self, more=1):
        self.value += more
        return self.value

    def fail(self):
        raise LookupError("no such thing", 7)

    def unpicklable(self):
        return lambda: 1

    def leave(self):
        raise SystemExit(3)

    def thread(self):
        return threading.get_ident()

    def child(self):
        return Counter(self.value)

    def ask(self, other):
        return other.add(10)

    def keep(self, *others):
        self.others = others

    def kept(self):
        return [str(other) for other in self.others]

    def _hidden(self):
        return "hidden"

    def __repr__(self):
        return f"Counter of {self.value}"


class CounterProxy(STOCK.BaseProxy):
    """A proxy type of a user who knows stock only."""

    _exposed_ = ("add", "thread")

    def add(self, *args):
        return self._callmethod("add", args)


class SlowCounter(Counter):
    """Its making sends a signal to the process that asked for it, which waits for the answer."""

    def __init__(self, pid):
        super().__init__()
        os.kill(pid, signal.SIGUSR1)


def numbers():
    yield from range(4)


def get_tasks():
    return _tasks


def register(manager):
    manager.register("Counter", Counter)
    manager.register("SlowCounter", SlowCounter)
    manager.register("Bare", Counter, exposed=("add", "_hidden"))
    manager.register("Own", Counter, CounterProxy)
    manager.register("Parent", Counter, exposed=("add", "child"), method_to_typeid={"child": "Child"})
    manager.register("Child", exposed=("add",), create_method=False)
    manager.register("numbers", numbers, STOCK.IteratorProxy)
    manager.register("get_tasks", callable=get_tasks)
    return manager


@register
class StockManager(STOCK.SyncManager):
    pass


@register
class OurManager(OURS.SyncManager):
    pass


def remote(base):
    class Remote(base):
        pass

    for name in ("Queue", "Counter", "get_tasks", "list", "dict"):
        Remote.register(name)
    return Remote


PAIRS = {
    "stock's client, our server": (OurManager, STOCK.BaseManager),
    "our client, our server": (OurManager, OURS.BaseManager),
    "our client, stock's server": (StockManager, OURS.BaseManager),
    "stock's client, stock's server": (StockManager, STOCK.BaseManager),
}


@pytest.fixture(params=[StockManager, OurManager], ids=["stock", "ours"])
def manager(request):
    """A manager that was started, stock's and ours, which must do the same."""
    with request.param(ctx=multiprocessing.get_context("fork")) as manager:
        yield manager


@pytest.fixture(params=PAIRS, ids=lambda name: name.replace(" ", "_"))
def pair(request):
    """A manager that was started, and one that is connected to it, of each of the two."""
    server, client = PAIRS[request.param]
    with server(("127.0.0.1", 0), KEY, ctx=multiprocessing.get_context("fork")) as started:
        connected = remote(client)(started.address, KEY)
        connected.connect()
        yield started, connected


@pytest.fixture
def ours():
    with OurManager(ctx=multiprocessing.get_context("fork")) as manager:
        yield manager


def raised(call, *arguments):
    with pytest.raises(Exception) as caught:
        call(*arguments)
    return type(caught.value), caught.value.args


def in_thread(call):
    results = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    thread.join()
    return results[0]


# --- The types that the engine hosts ----------------------------------------------------------------------------


def test_queues_do_what_those_of_stock_do(manager):
    tasks = manager.Queue(2)
    assert (tasks.empty(), tasks.full(), tasks.qsize()) == (True, False, 0)
    tasks.put(1)
    tasks.put([{"a": (1, None)}], timeout=1)
    assert raised(tasks.put, 3, False)[0] is queue.Full
    assert raised(tasks.put_nowait, 3)[0] is queue.Full
    assert (tasks.get(), tasks.get()) == (1, [{"a": (1, None)}])
    assert raised(tasks.get, False)[0] is queue.Empty
    assert raised(tasks.get, True, 0.01)[0] is queue.Empty
    assert raised(tasks.get, True, -1) == (ValueError, ("'timeout' must be a non-negative number",))
    tasks.task_done()
    tasks.task_done()
    tasks.join()
    assert raised(tasks.task_done) == (ValueError, ("task_done() called too many times",))
    assert hasattr(tasks, "shutdown") is hasattr(queue.Queue, "shutdown")


def test_what_a_queue_carries_arrives_as_it_was(manager):
    tasks = manager.Queue()
    shared = [1]
    loop = []
    loop.append(loop)
    for value in (shared, [shared, shared], b"x" * 2_000_000, "é\udc80", Counter, 1 << 500, {1, 2}, "put", tasks._id):
        tasks.put(value)
        assert tasks.get() == value
    tasks.put([shared, shared])
    first, second = tasks.get()
    assert first is second
    tasks.put(loop)
    got = tasks.get()
    assert got[0] is got
    tasks.put(Counter(5))
    assert tasks.get().value == 5


def test_lists_do_what_those_of_stock_do(manager):
    numbers = manager.list(range(5))
    numbers.append(9)
    numbers += [7]
    assert numbers[:] == [0, 1, 2, 3, 4, 9, 7] and numbers[-1] == 7 and len(numbers) == 7
    numbers.sort(reverse=True)
    assert list(numbers) == [9, 7, 4, 3, 2, 1, 0]
    numbers[1:3] = ["a"]
    del numbers[-1]
    assert str(numbers) == "[9, 'a', 3, 2, 1]"
    assert ("a" in numbers, numbers.index(2), numbers.count(3), numbers.pop()) == (True, 3, 1, 1)
    assert raised(lambda: numbers[99]) == (IndexError, ("list index out of range",))
    assert raised(numbers.remove, 99)[0] is ValueError
    assert numbers + [5] == [9, "a", 3, 2, 5] and numbers * 2 == [9, "a", 3, 2] * 2
    assert list(reversed(numbers)) == [2, 3, "a", 9]
    numbers *= 2
    assert len(numbers) == 8 and numbers._getvalue() == [9, "a", 3, 2] * 2


def test_dicts_do_what_those_of_stock_do(manager):
    ages = manager.dict({"a": 1}, b=[2])
    ages["c"] = Counter(3)
    assert ages.keys() == ["a", "b", "c"] and ages.get("z", 9) == 9 and ages["c"].value == 3
    assert (list(ages), len(ages), "a" in ages, 7 in ages) == (["a", "b", "c"], 3, True, False)
    assert raised(lambda: ages["z"]) == (KeyError, ("z",))
    assert ages.setdefault("a", 5) == 1 and ages.pop("a") == 1 and ages.pop("a", None) is None
    del ages["c"]
    ages.update(x=1)
    assert ages.copy() == {"b": [2], "x": 1} and ages.items() == [("b", [2]), ("x", 1)]
    assert ages.values() == [[2], 1] and str(ages) == "{'b': [2], 'x': 1}"
    keys = iter(ages)
    ages.clear()
    assert raised(next, keys) == (RuntimeError, ("dictionary changed size during iteration",))
    assert raised(ages.popitem)[0] is KeyError


def test_namespaces_values_and_arrays_do_what_those_of_stock_do(manager):
    space = manager.Namespace(x=1)
    space.y = [2]
    assert (space.x, space.y, str(space)) == (1, [2], "Namespace(x=1, y=[2])")
    del space.x
    assert raised(lambda: space.x)[0] is AttributeError
    value = manager.Value("i", 4)
    value.value += 1
    assert (value.value, value.get(), str(value)) == (5, 5, "Value('i', 5)")
    array = manager.Array("d", [1, 2, 3])
    array[1] = 0.5
    assert (list(array), array[0:2].tolist(), len(array)) == ([1.0, 0.5, 3.0], [1.0, 0.5], 3)
    assert str(array) == "array('d', [1.0, 0.5, 3.0])"
    assert raised(lambda: array.__setitem__(0, "x"))[0] is TypeError


def test_locks_and_events_do_what_those_of_stock_do(manager):
    lock = manager.Lock()
    with lock:
        assert lock.acquire(False) is False and lock.acquire(True, 0.01) is False
    assert raised(lock.release) == (RuntimeError, ("release unlocked lock",))
    rlock = manager.RLock()
    with rlock, rlock:
        assert in_thread(lambda: rlock.acquire(False)) is False
    assert raised(rlock.release) == (RuntimeError, ("cannot release un-acquired lock",))
    bounded = manager.BoundedSemaphore(2)
    assert bounded.acquire() is True
    bounded.release()
    assert raised(bounded.release) == (ValueError, ("Semaphore released too many times",))
    event = manager.Event()
    assert (event.is_set(), event.wait(0.01)) == (False, False)
    waiting = threading.Thread(target=event.wait)
    waiting.start()
    event.set()
    waiting.join()
    assert event.wait() is True


def test_conditions_and_barriers_do_what_those_of_stock_do(manager):
    condition = manager.Condition(manager.Lock())
    assert raised(condition.notify) == (RuntimeError, ("cannot notify on un-acquired lock",))
    with condition:
        assert condition.wait(0.01) is False
    barrier = manager.Barrier(2)
    assert (barrier.parties, barrier.n_waiting, barrier.broken) == (2, 0, False)
    other = threading.Thread(target=barrier.wait)
    other.start()
    assert barrier.wait() in (0, 1)
    other.join()
    barrier.abort()
    assert raised(barrier.wait)[0] is threading.BrokenBarrierError


# --- Objects that only Python can host -------------------------------------------------------------------------


def test_a_type_of_the_users_is_hosted(manager):
    counter = manager.Counter(start=5)
    assert counter.add() == 6 and counter.add(more=4) == 10
    assert raised(counter.fail) == (LookupError, ("no such thing", 7))
    assert (str(counter), counter._getvalue().value) == ("Counter of 10", 10)
    assert not hasattr(counter, "_hidden")
    with pytest.raises(RemoteError, match="method '_hidden' of .* object is not in exposed"):
        counter._callmethod("_hidden")
    with pytest.raises(RemoteError, match="(?s)Unserializable message: Traceback.*lambda"):
        counter.unpicklable()
    assert counter.add() == 11


def test_an_object_that_would_end_its_thread_fails_that_call_only(ours):
    counter = ours.Counter()
    with pytest.raises(RemoteError, match="SystemExit: 3"):
        counter.leave()
    assert counter.add() == 1


def test_exposed_says_which_methods_there_are(manager):
    bare = manager.Bare()
    assert bare.add() == 1 and bare._hidden() == "hidden" and not hasattr(bare, "fail")


def test_proxy_types_of_users_who_know_stock_only_work(manager):
    own = manager.Own(3)
    assert type(own) is CounterProxy and own.add(2) == 5 and own._callmethod("add") == 6
    assert repr(own).startswith("<CounterProxy object, typeid 'Own' at 0x")


def test_what_a_method_returns_may_be_another_object(manager):
    parent = manager.Parent(2)
    child = parent.child()
    assert (child.add(), parent.add(), parent.child().add()) == (3, 3, 4)


def test_generators_are_iterated(manager):
    assert list(manager.numbers()) == [0, 1, 2, 3]


def test_each_thread_of_a_client_is_one_thread_to_an_object(manager):
    counter, other = manager.Counter(), manager.Counter()
    assert counter.thread() == counter.thread() == other.thread() != in_thread(counter.thread)


def test_a_callable_that_gives_one_object_gives_it_to_all(pair):
    started, connected = pair
    started.get_tasks().put("task")
    tasks = connected.get_tasks()
    assert tasks.get(timeout=10) == "task"
    assert raised(tasks.get_nowait)[0] is queue.Empty
    assert (str(tasks).startswith("<queue.Queue object"), tasks._id) == (True, started.get_tasks()._id)


def test_a_pool_in_the_manager_works(manager):
    with manager.Pool(2) as pool:
        assert pool.map(abs, [-1, 2]) == [1, 2]
        assert pool.apply_async(divmod, (7, 2)).get() == (3, 1)
        assert sorted(pool.imap_unordered(abs, [-3, 3])) == [3, 3]


# --- Objects inside of objects ----------------------------------------------------------------------------------


def test_proxies_lie_in_each_other(manager):
    outer = manager.list()
    outer.append(manager.dict(a=1))
    outer.append([manager.list([1, 2])])
    gc.collect()
    assert outer[0]["a"] == 1
    inner = outer[0]
    inner["b"] = 2
    assert outer[0].copy() == {"a": 1, "b": 2} and outer[1][0][:] == [1, 2]
    assert isinstance(inner, STOCK.DictProxy)


def test_a_queue_carries_itself(manager):
    tasks = manager.Queue()
    tasks.put(tasks)
    again = tasks.get()
    again.put(5)
    assert tasks.get() == 5


def test_an_object_calls_another_one(manager):
    one, other = manager.Counter(1), manager.Counter(2)
    assert one.ask(other) == 12 == other.add(0)


def test_an_object_keeps_others_that_the_engine_hosts(manager):
    keeper = manager.Counter()
    keeper.keep(manager.list([1, 2]), manager.Counter(7))
    gc.collect()
    assert keeper.kept() == ["[1, 2]", "Counter of 7"]


def double(number):
    return 2 * number


def test_what_needs_values_works_for_objects_too(manager):
    numbers = manager.list([3, -5, 1])
    numbers.sort(key=abs)
    assert numbers[:] == [1, 3, -5]
    numbers.append(double)
    assert double in numbers and numbers.index(double) == 3
    ages = manager.dict()
    ages[double] = 1
    ages[frozenset([1])] = 2
    assert ages[double] == 1 and list(ages) == [double, frozenset([1])] and ages.pop(frozenset([1])) == 2


def test_what_the_server_cannot_understand_stays_as_it_was(ours, monkeypatch):
    module = types.ModuleType("only_here")
    module.Thing = type("Thing", (), {"__module__": "only_here"})
    monkeypatch.setitem(sys.modules, "only_here", module)
    things = ours.list([1, module.Thing()])
    for _ in range(2):
        with pytest.raises(RemoteError, match="No module named 'only_here'"):
            things.count(5)
        assert len(things) == 2 and type(things[1]) is module.Thing
    things.pop()
    assert things.count(1) == 1


# --- References -----------------------------------------------------------------------------------------------


def test_objects_go_with_their_last_proxy(manager):
    assert manager._number_of_objects() == 0
    one, other = manager.list([1]), manager.Counter(2)
    assert manager._number_of_objects() == 2
    info = manager._debug_info()
    assert f"  {one._id}:       refcount=1\n    [1]" in info and "Counter of 2" in info
    again = pickle.loads(pickle.dumps(one))
    del one
    gc.collect()
    assert manager._number_of_objects() == 2 and again[0] == 1
    del again, other
    gc.collect()
    assert manager._number_of_objects() == 0


def test_a_proxy_outlives_the_thread_that_made_it(manager):
    made = in_thread(lambda: [manager.list([1]), manager.Counter(1), iter(manager.dict(a=1))])
    gc.collect()
    assert made[0][0] == 1 and made[1].add() == 2 and next(made[2]) == "a"


def test_giving_one_object_and_dropping_it_at_once_leaves_it_whole(ours):
    kept = ours.get_tasks()
    problems = []

    def give_and_drop():
        try:
            for _ in range(50):
                ours.get_tasks().qsize()
        except Exception as error:
            problems.append(error)

    del kept
    threads = [threading.Thread(target=give_and_drop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == [] and ours.get_tasks().qsize() == 0


def call_from_a_child(proxy, times):
    for _ in range(times):
        proxy.add()


@pytest.mark.parametrize("package", [multiprocessing, procession], ids=["stock", "ours"])
def test_parent_and_child_call_one_proxy_at_once(package, method):
    context = package.get_context(method)
    with OurManager(ctx=context) as manager:
        counter = manager.Counter()
        counter.add()
        children = [context.Process(target=call_from_a_child, args=(counter, 200)) for _ in range(2)]
        for child in children:
            child.start()
        call_from_a_child(counter, 200)
        for child in children:
            child.join()
        assert [child.exitcode for child in children] == [0, 0]
        assert counter.add(0) == 601


def test_a_child_of_a_plain_fork_has_connections_of_its_own(ours):
    numbers = ours.list()
    numbers.append(0)
    children = []
    for _ in range(3):
        if (child := os.fork()) == 0:
            try:
                for number in range(100):
                    numbers.append(number)
                os._exit(0)
            except BaseException:
                os._exit(1)
        children.append(child)
    for number in range(100):
        numbers.append(number)
        assert len(numbers) > 0
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
    assert len(numbers) == 401 and sum(numbers) == 4 * sum(range(100))


# --- Stock and ours together -------------------------------------------------------------------------------------


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
    monkey.syspath_prepend(str(Path(__file__).parents[1] / "conformance"))
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


# --- The server, as an object -----------------------------------------------------------------------------------


def test_the_server_is_stocks_to_look_at():
    manager = OurManager(("127.0.0.1", 0), KEY)
    server = manager.get_server()
    assert isinstance(server, STOCK.Server) and type(server) is OURS.Server
    assert server.address[0] == "127.0.0.1" and server.address[1] > 0
    assert server.registry is OurManager._registry and "0" in server.id_to_obj
    server.listener.close()
    with pytest.raises(TypeError, match="not bytes"):
        OURS.Server({}, None, "text", "pickle")


SERVE = """
import sys, threading
from multiprocessing.managers import SyncManager as Stock
from procession.managers import SyncManager
server = SyncManager(None, b"secret").get_server()
print(server.address, flush=True)
if sys.argv[1] == "stop":
    threading.Thread(target=lambda: (sys.stdin.read(), server.stop_event.set())).start()
try:
    server.serve_forever()
except SystemExit as end:
    print("ended", end.code, flush=True)
"""


@pytest.mark.parametrize("how", ["shutdown", "stop", "signal"])
def test_a_server_in_ones_own_process_ends_when_it_is_told(how):
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as served:
        address = served.stdout.readline().strip()
        client = OURS.SyncManager(address, KEY)
        client.connect()
        assert client.list([1])[0] == 1
        if how == "shutdown":
            client._link.ask("shutdown")
        elif how == "signal":
            served.send_signal(signal.SIGINT)
        rest, _ = served.communicate(timeout=60)
        assert (rest, served.returncode) == ("ended 0\n", 0)
    assert not Path(address).exists()


def note(path):
    Path(path).write_text(str(os.getpid()))


def test_the_initializer_runs_in_the_managers_process(tmp_path, method):
    manager = OURS.SyncManager(ctx=procession.get_context(method))
    manager.start(note, (str(tmp_path / "pid"),))
    assert (tmp_path / "pid").read_text() == str(manager._process.pid)
    assert manager._process.name.startswith("SyncManager-")
    manager.shutdown()
    assert manager._process.exitcode == 0


# --- Deaths -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Queue", "get_tasks"])
def test_a_client_that_is_killed_in_get_takes_no_item(ours, kind):
    jobs = getattr(ours, kind)()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            jobs.qsize()
            os.write(writer, b"x")
            jobs.get()
        finally:
            os._exit(1)
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    until(lambda: waits_in_a_call(child))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    jobs.put("first")
    jobs.put("second")
    assert (jobs.get(timeout=30), jobs.get(timeout=30)) == ("first", "second")


def waits_in_a_call(pid):
    """Whether a process sleeps in reading from a socket, or in shared memory."""
    try:
        call = Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        return False
    reads = ("unix_stream_read_generic", "unix_stream_data_wait", "sk_wait_data", "wait_woken")
    return call.startswith("futex") or call in reads


@pytest.mark.parametrize("name", ["Lock", "RLock", "Condition"])
def test_what_a_killed_client_had_locked_is_released(ours, name):
    lock = getattr(ours, name)()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        lock.acquire()
        os.write(writer, b"x")
        signal.pause()
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    assert lock.acquire(False) is False
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert lock.acquire() is True
    lock.release()


def test_references_of_a_killed_client_go(ours):
    outer = ours.Queue()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        mine = [ours.list(), ours.Counter()]
        os.write(writer, b"x")
        signal.pause()
        del mine
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    assert ours._number_of_objects() == 3
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    until(lambda: ours._number_of_objects() == 1)
    assert outer.empty()


def test_a_killed_manager_is_an_error_for_who_waits_and_for_who_comes(manager):
    tasks = manager.Queue()
    caught = []

    def wait():
        try:
            tasks.get()
        except Exception as error:
            caught.append(error)

    tasks.qsize()
    waiting = threading.Thread(target=wait)
    waiting.start()
    os.kill(manager._process.pid, signal.SIGKILL)
    waiting.join(60)
    assert not waiting.is_alive() and isinstance(caught[0], (EOFError, OSError))
    assert issubclass(raised(tasks.put, 1)[0], (EOFError, OSError))
    assert issubclass(raised(manager.list)[0], (EOFError, OSError))


def test_a_clear_word_of_a_manager_that_ended(ours):
    items = ours.list([1])
    os.kill(ours._process.pid, signal.SIGKILL)
    ours._process.join()
    kind, (text, *_) = raised(items.pop)
    assert issubclass(kind, (EOFError, OSError))
    if kind is EOFError:
        assert text.startswith("the manager at ") and "'pop'" in text


def test_who_waits_in_shared_memory_is_told_that_the_manager_was_killed(ours):
    jobs, lock = ours.Queue(), ours.Lock()
    jobs.put("there")
    lock.acquire()
    os.kill(ours._process.pid, signal.SIGKILL)
    assert jobs.get() == "there"
    assert raised(jobs.get)[0] is EOFError
    assert raised(jobs.put, 1)[0] is EOFError
    assert raised(lock.acquire)[0] is EOFError


LEAVE = """
import os, signal, sys
from multiprocessing import util
import procession
if __name__ == "__main__":
    manager = procession.get_context(sys.argv[1]).Manager()
    proxy = manager.list([1])
    print(manager._process.pid, manager.address, flush=True)
    if sys.argv[2] == "kill":
        os.kill(manager._process.pid, signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["end", "kill"])
def test_nothing_is_left_of_a_manager(run, method, how):
    pid, address = run(LEAVE, method, how).split()
    assert not Path(address).exists() and not Path(address).parent.exists()
    until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_lock_that_went_with_its_connection_is_not_released_from_under_the_next(run):
    out = run("""
        import os, signal, threading
        import procession.managers
        has_it, may_end = threading.Event(), threading.Event()

        def be_next(lock):
            lock.acquire()
            has_it.set()
            may_end.wait()

        if __name__ == "__main__":
            with procession.managers.SyncManager() as manager:
                # Neither of these is used in shared memory.
                lock, event = manager.RLock(), manager.Event()
                threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
                other = threading.Thread(target=be_next, args=(lock,))
                try:
                    with lock:
                        try:
                            event.wait()
                        finally:
                            other.start()
                            has_it.wait()
                except KeyboardInterrupt:
                    print("interrupted", lock.acquire(False))
                may_end.set()
                other.join()
                print("released", lock.acquire(True, 60))
    """)
    assert out.splitlines() == ["interrupted False", "released True"]


def test_a_signal_handler_that_asks_the_manager_in_the_middle_of_a_question_is_told_so(ours):
    asked = []

    def ask(_number, _frame):
        try:
            ours._number_of_objects()
        except RuntimeError as error:
            asked.append(str(error))

    before = signal.signal(signal.SIGUSR1, ask)
    try:
        kept = ours.SlowCounter(os.getpid())
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert kept.add() == 1
    assert len(asked) == 1 and "use a thread" in asked[0]


def test_ctrl_c_ends_a_wait_and_the_next_call_works(run):
    out = run("""
        import os, queue, signal, sys, threading
        import procession.managers
        if __name__ == "__main__":
            with procession.managers.SyncManager() as manager:
                tasks = manager.Queue()
                tasks.qsize()
                threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
                try:
                    tasks.get()
                except KeyboardInterrupt:
                    print("interrupted")
                tasks.put(1)
                print(tasks.get(timeout=30))
    """)
    assert out.split() == ["interrupted", "1"]


def test_objects_of_a_manager_here_are_used_in_shared_memory(ours):
    near = [ours.Queue(), ours.JoinableQueue(), ours.Lock(), ours.Value("i", 1), ours.Array("i", [1])]
    far = [ours.RLock(), ours.Semaphore(), ours.list(), ours.dict(), ours.Event(), ours.Counter()]
    assert [proxy._is_near for proxy in near + far] == [True] * len(near) + [False] * len(far)
    jobs = near[0]
    jobs.put(jobs)
    assert jobs.get()._is_near
    with near[2]:
        assert near[2].acquire(False) is False
        assert near[2].acquire(True, 0.01) is False
    near[3].value += 1
    near[4][0] += 1
    assert (near[3].value, near[4][0], len(near[4])) == (2, 2, 1)


def work(jobs, results, lock, total):
    while (job := jobs.get()) is not None:
        with lock:
            total.value += job
        results.put(job)


STOCK_WORKER = """
import pickle, sys
from multiprocessing import current_process
current_process().authkey = b"secret"
jobs, results, lock, total = pickle.load(sys.stdin.buffer)
while (job := jobs.get()) is not None:
    with lock:
        total.value += job
    results.put(job)
"""


def test_stock_and_sharing_clients_use_the_same_objects(method):
    context = procession.get_context(method)
    with OurManager(authkey=KEY, ctx=multiprocessing.get_context("fork")) as manager:
        jobs, results, lock = manager.Queue(), manager.Queue(), manager.Lock()
        total = manager.Value("i", 0)
        ours = [context.Process(target=work, args=(jobs, results, lock, total)) for _ in range(2)]
        for worker in ours:
            worker.start()
        stock = subprocess.Popen([sys.executable, "-c", STOCK_WORKER], stdin=subprocess.PIPE)
        stock.stdin.write(pickle.dumps((jobs, results, lock, total)))
        stock.stdin.close()
        for job in range(300):
            jobs.put(job)
        for _ in range(3):
            jobs.put(None)
        assert stock.wait(60) == 0
        for worker in ours:
            worker.join(60)
        assert sorted(results.get(timeout=30) for _ in range(300)) == list(range(300))
        assert (total.value, results.empty(), jobs.empty()) == (sum(range(300)), True, True)
