"""Objects that only Python can host, and objects inside of objects."""

import gc
import queue
import sys
import types
from multiprocessing.managers import RemoteError

import pytest
from managed import STOCK, CounterProxy, in_thread, raised


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
