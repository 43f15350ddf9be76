"""Stock CPython calls the objects of a manager and says what comes of each call: the same program against its own server and
against ours must say the same.

    oracle.py stock              against a manager of its own
    oracle.py HOST PORT KEY      against that one
"""

import re
import sys
import threading
from multiprocessing import current_process
from multiprocessing.managers import SyncManager

LIST = """
x[0]; x[-1]; x[10]; x[-11]; x[1:3]; x[::-1]; x[5:1:-2]; x[1:100]; x['a']; len(x); x[:]; x[::0]
x.append(4); x.extend((5, 6)); x.extend('ab'); x.extend(7); x.extend(); x.insert(0, 'first'); x.insert(-1, 'last but one'); x.insert(99, 9)
x.pop(); x.pop(0); x.pop(-2); x.pop(99); x.pop('a'); x.index(2); x.index(99); x.index(2, 1, 3); x.count(2); x.count('none'); x.remove(5); x.remove(99)
2 in x; 2.0 in x; True in x; 'zz' in x; x + [1]; x + (1,); x + 'a'; x * 2; 2 * x; x * 'a'; x.reverse(1); x.reverse(); x[:]; list(reversed(x))
x.__setitem__(0, 'zero'); x.__setitem__(99, 1); x.__setitem__(slice(0, 2), [10, 11, 12]); x.__setitem__(slice(None, None, 2), [1]); x[:]
x.__delitem__(0); x.__delitem__(99); x.__delitem__(slice(0, 2)); x[:]; x.sort(); x.__setitem__(slice(None), [3, 1, 2.5, True]); x.sort(); x[:]
x.sort(reverse=True); x[:]; x.sort(1); str(x); x.__imul__(2); x[:]; x.nothing(); x.append(1, 2); x.append(); [i for i in x]
x.__setitem__(slice(None), [(1, 'a'), (1, 'B'), (0,)]); x.sort(); x[:]; x.append(None); x.sort(); x[:]; x.append({1: [2]}); str(x); x.append(b'\\0'); str(x)
"""

DICT = """
x['a']; x['z']; x.get('a'); x.get('z'); x.get('z', 5); x.get(); len(x); 'a' in x; 1 in x; 1.0 in x; True in x; [] in x
x.__setitem__('b', 2); x.__setitem__((1, 'k'), 3); x.__setitem__([], 3); x.__setitem__(1, 'one'); x.__setitem__(1.0, 'float'); x.copy()
x.keys(); x.values(); x.items(); x.pop('b'); x.pop('b'); x.pop('b', 'none'); x.setdefault('s'); x.setdefault('s', 1); x.setdefault('t', 1)
x.update({'u': 1}, v=2); x.update([('w', 3), ('y', 4)]); x.update([1]); x.update([(1, 2, 3)]); x.update(1); x.update(1, 2); x.copy(); x.popitem(); sorted(map(str, x))
x.__delitem__('a'); x.__delitem__('a'); x.__delitem__({}); str(x); [k for k in x]; x.clear(); len(x); x.popitem(); str(x); x.nothing()
"""

QUEUE = """
x.put(1); x.put(item=2); x.put(3, False); x.put(3, True, 0.01); x.put(3, timeout=-1); x.put(3, False, -1); x.full(); x.empty(); x.qsize(); x.put_nowait(4); x.get(); x.get(False)
x.get(False); x.get(True, 0.01); x.get(timeout=-1); x.get(timeout='a'); x.get_nowait(); x.get(1, 2, 3); x.get(nothing=1); x.put()
x.task_done(); x.task_done(); x.task_done(); x.join(); x.qsize(1)
"""

LOCK = """
x.acquire(); x.acquire(False); x.acquire(True, 0.01); x.acquire(False, 1); x.acquire(True, -2); x.release(); x.release(); x.acquire(timeout=0.01); x.release(); x.acquire(1, 2, 3); x.__enter__(); x.__exit__(None, None, None)
"""

RLOCK = """
x.acquire(); x.acquire(False); x.acquire(True, 0.01); x.release(); x.release(); x.release(); x.release(); x.acquire(False, 1)
"""

SEMAPHORE = """
x.acquire(); x.acquire(); x.acquire(False); x.acquire(True, 0.01); x.acquire(False, 1); x.release(); x.release(); x.release(); x.acquire(False); x.acquire(False); x.acquire(False)
"""

CONDITION = """
x.wait(0.01); x.notify(); x.notify_all(); x.release(); x.acquire(); x.wait(0.01); x.wait(0); x.notify(); x.notify(3); x.notify_all(); x.release(); x.release()
x.acquire(); x.acquire(); x.wait(0.01); x.release(); x.release(); x.release(); x.wait_for(lambda: True)
"""

EVENT = "x.is_set(); x.wait(0.01); x.wait(0); x.set(); x.wait(); x.is_set(); x.clear(); x.is_set(); x.set(1)"

BARRIER = """
x.parties; x.n_waiting; x.broken; x.wait(0.01); x.broken; x.wait(); x.reset(); x.broken; x.abort(); x.broken; x.wait(5); x.reset()
x.__getattribute__('nothing')
"""

NAMESPACE = """
x.a; x.b; x.__setattr__('b', [1]); x.b; x.__delattr__('b'); x.b; x.__delattr__('b'); str(x); setattr(x, 'b', {'k': (1,)}); x.b; str(x)
"""

VALUE = "x.get(); x.set(5); x.value; setattr(x, 'value', 'other'); x.get(); str(x); x.set(); x.set(1, 2)"

ARRAY = """
x[0]; x[-1]; x[9]; len(x); x[:]; x[1:]; x.__setitem__(0, 7); x.__setitem__(0, 'a'); x.__setitem__(0, 1.5); x.__setitem__(9, 1); x[:]; str(x); x.__setitem__(0, 1 << 40); [i for i in x]
"""

SINCE_3_14 = [
    ("list of 3.14", "m.list([1, 2])", """
x.copy(); x.clear(1); x.clear(); len(x); x.copy(); x.copy(1)
"""),
    ("dict of 3.14", "m.dict({'a': 1, 'b': 2})", """
x | {'a': 3, 'c': 4}; {'a': 3, 'c': 4} | x; x | m.dict(d=5); x | [('a', 3)]; x | 1; list(reversed(x)); x.fromkeys('ab'); x.fromkeys([1], 2); x.fromkeys(1)
x.__ior__({'a': 5}).copy(); x.__ior__([('e', 6)]).copy(); x.__ior__(1); x.__ior__([1]); x.copy(); x.__or__({'a': 1}, {}); x.__or__()
"""),
    ("set", "m.set([1, 2, 3])", """
len(x); 1 in x; 1.0 in x; 'a' in x; [] in x; sorted(x); sorted(x.copy()); x.add(4); x.add(4); x.add([]); x.add(); x.discard(4); x.discard(4); x.discard([]); x.remove(3); x.remove(3); x.remove({})
sorted(x | {2, 5}); sorted({2, 5} | x); sorted(x & {2, 5}); sorted({2, 5} & x); sorted(x - {2, 5}); sorted({2, 5} - x); sorted(x ^ {2, 5}); sorted({2, 5} ^ x)
x | [1]; [1] | x; x & 'a'; x - (1,); x ^ [1]; x | 1; x | frozenset('a') == {1, 2, 'a'}; x | m.set([7]); sorted((x | m.set([7])).copy())
x <= {1, 2}; x < {1, 2}; x >= {1}; x > {1}; x <= [1, 2]; {1} < x; {1} >= x; x.issubset([1, 2, 3]); x.issuperset('a'); x.isdisjoint([4]); x.isdisjoint(1); x.issubset()
sorted(x.union([7], (8,))); sorted(x.union()); x.union(1); sorted(x.intersection([1], [1, 2])); sorted(x.difference([1], [5])); sorted(x.symmetric_difference([1, 9])); x.symmetric_difference()
x.symmetric_difference([1], [2]); x.update([3], (4,)); x.update(1); x.update([[]]); sorted(x); x.intersection_update([1, 2, 3]); sorted(x); x.difference_update([1], [5]); sorted(x)
x.symmetric_difference_update([3, 9]); sorted(x); sorted(x.__ior__({1})); sorted(x.__iand__({1, 2})); sorted(x.__ixor__({2, 3})); sorted(x.__isub__({3})); sorted(x); x.__ior__([1]); x.__iand__([1]); x.__or__({1}, {2}); x.__or__(); x.copy(1); x.clear(1); x.pop(1)
x.pop(); x.pop(); x.clear(); len(x); str(x); x.add('a'); str(x); x.nothing(); m.set(); sorted(m.set('ba')); m.set(1); m.set([[]]); m.set(1, 2)
"""),
    ("lock of 3.14", "m.Lock()", "x.locked(); x.acquire(); x.locked(); x.release(); x.locked(1)"),
    ("rlock of 3.14", "m.RLock()", "x.locked(); x.acquire(); x.acquire(); x.release(); x.locked(); x.release(); x.locked()"),
    ("condition of 3.14", "m.Condition()", "x.locked(); x.acquire(); x.locked(); x.release(); x.locked()"),
]

CASES = [
    ("list", "m.list([1, 2, 3, 'four'])", LIST),
    ("dict", "m.dict({'a': 1, 1: 2})", DICT),
    ("dict of pairs", "m.dict([('a', 1)], b=2)", "x.copy()"),
    ("queue", "m.Queue(2)", QUEUE),
    ("joinable queue", "m.JoinableQueue()", "x.put(1); x.get(); x.task_done(); x.join(); x.task_done()"),
    ("lock", "m.Lock()", LOCK),
    ("rlock", "m.RLock()", RLOCK),
    ("semaphore", "m.Semaphore(2)", SEMAPHORE),
    ("bounded semaphore", "m.BoundedSemaphore(2)", SEMAPHORE),
    ("condition", "m.Condition()", CONDITION),
    ("event", "m.Event()", EVENT),
    ("barrier", "m.Barrier(2)", BARRIER),
    ("namespace", "m.Namespace(a=1, _hidden=2)", NAMESPACE),
    ("value", "m.Value('i', 3)", VALUE),
    ("array", "m.Array('i', [1, 2, 3])", ARRAY),
    ("array of floats", "m.Array('d', [1.5])", "x[:]; x.__setitem__(0, 2); x[:]; x.__setitem__(0, 'a')"),
    ("bad list", "m.list(5)", ""),
    ("bad dict", "m.dict(5)", ""),
    ("bad barrier", "m.Barrier(0)", ""),
    ("bad semaphore", "m.Semaphore(-1)", ""),
    ("bad array", "m.Array('q', ['a'])", ""),
    ("no such type", "m._create('nothing')", ""),
]


def shown(value):
    """As text, without what differs from run to run."""
    text = repr(list(value) if type(value).__name__ in ("dict_keys", "dict_values", "dict_items") else value)
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def raised(error):
    name = type(error).__name__
    if name == "RemoteError":
        # Only the last line of a traceback is promised, and of that the kind.
        last = [line for line in str(error).splitlines() if line.strip(" -")][-1]
        return "RemoteError " + last.split(":")[0]
    if name in ("TypeError", "OverflowError"):
        # Their texts differ from version to version, and name functions of Python's.
        return name
    return "%s%s" % (name, shown(error.args))


def calls(manager):
    for name, made, text in CASES + (SINCE_3_14 if sys.version_info >= (3, 14) else []):
        try:
            x = eval(made, {"m": manager})
        except Exception as error:
            print(name, made, raised(error))
            continue
        for call in filter(None, (call.strip() for call in text.replace("\n", ";").split(";"))):
            try:
                came = shown(eval(call, {"x": x, "m": manager}))
            except Exception as error:
                came = raised(error)
            print("%s: %s -> %s" % (name, call, came))


def together(manager):
    """Threads that wait for each other."""
    got = []

    def run(*functions):
        threads = [threading.Thread(target=lambda f=f: got.append(f())) for f in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("together", sorted(map(str, got)))
        got.clear()

    barrier = manager.Barrier(3)
    run(*[barrier.wait] * 3)
    condition = manager.Condition()
    asleep = manager.Semaphore(0)

    def sleeper():
        with condition:
            asleep.release()
            return condition.wait(60)

    def waker():
        asleep.acquire()
        asleep.acquire()
        # Both have let go of the condition only by waiting for it.
        with condition:
            return condition.notify_all()

    run(sleeper, sleeper, waker)
    queue = manager.JoinableQueue(1)

    def putter():
        for number in range(20):
            queue.put(number)
        return queue.join()

    def getter():
        numbers = []
        for _ in range(20):
            numbers.append(queue.get())
            queue.task_done()
        return numbers

    run(putter, getter)
    lock = manager.Lock()
    shared = manager.Condition(lock)
    lock.acquire()
    print("shared lock", shared.acquire(False), lock.release(), shared.acquire(False), lock.acquire(False), shared.release())
    outer, inner = manager.list(), manager.dict()
    outer.append(inner)
    outer[0]["k"] = 1
    print("nested", inner.copy(), outer[0].copy())


def main():
    if sys.argv[1] == "stock":
        with SyncManager() as manager:
            calls(manager)
            together(manager)
    else:
        host, port, key = sys.argv[1:]
        current_process().authkey = key.encode()
        manager = SyncManager((host, int(port)), key.encode())
        manager.connect()
        calls(manager)
        together(manager)


if __name__ == "__main__":
    main()
