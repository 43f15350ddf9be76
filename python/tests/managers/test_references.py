"""How long an object lives, and who may use its proxies."""

import gc
import multiprocessing
import os
import pickle
import threading

import pytest
from managed import OurManager, in_thread

import procession


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
