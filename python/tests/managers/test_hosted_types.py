"""The types that the engine hosts."""

import queue
import threading

from managed import Counter, in_thread, raised


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
