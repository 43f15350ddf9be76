"""Values and arrays: stock's meaning, the buffer protocol, and who keeps the memory."""

import ctypes
import multiprocessing
import os
import threading

import procession
import pytest
from multiprocessing import sharedctypes as stock
from procession import sharedctypes

BOTH = [multiprocessing.get_context("fork"), procession.get_context("fork")]


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double)]


@pytest.fixture(params=BOTH, ids=["stock", "ours"])
def either(request):
    """Stock and ours, which must do the same."""
    return request.param


def raised(call, *arguments, **named):
    with pytest.raises(Exception) as caught:
        call(*arguments, **named)
    return type(caught.value), str(caught.value)


INTEGERS = "bBhHiIlLqQ"


@pytest.mark.parametrize("code", INTEGERS)
def test_integers_are_cut_off_as_ctypes_does(either, code):
    plain = stock.typecode_to_type[code]
    value, array = either.Value(code), either.Array(code, 3)
    assert (value.value, array[:]) == (0, [0, 0, 0])
    for number in (0, 1, -1, 127, 128, 1 << 31, (1 << 63) + 5, -(1 << 70), True):
        value.value = number
        array[1] = number
        assert value.value == array[1] == plain(number).value
        assert type(value.value) is int


def test_floats_are_those_of_ctypes(either):
    for code in "fd":
        value, array = either.Value(code), either.Array(code, [1, 2.5])
        assert array[:] == [1.0, 2.5]
        for number in (1.1, 3, float("inf"), True):
            value.value = number
            array[0] = number
            assert value.value == array[0] == stock.typecode_to_type[code](number).value
        assert raised(setattr, value, "value", "1")[0] is TypeError
    narrow = either.Value("f")
    try:
        expected = ctypes.c_float(1e300).value
    except OverflowError:
        assert raised(setattr, narrow, "value", 1e300)[0] is OverflowError
    else:
        narrow.value = 1e300
        assert narrow.value == expected


def test_errors_are_those_of_stock(either):
    assert raised(setattr, either.Value("i"), "value", 1.5)[0] is TypeError
    array = either.Array("i", 3)
    assert raised(lambda: array[3]) == (IndexError, "invalid index")
    assert raised(lambda: array[-4]) == (IndexError, "invalid index")
    assert raised(array.__setitem__, 3, 1) == (IndexError, "invalid index")
    assert raised(lambda: array["x"])[0] is TypeError
    assert raised(array.__setitem__, slice(0, 2), [1])[0] is ValueError
    assert raised(either.Value, "i", lock=5) == (AttributeError, "5 has no method 'acquire'")
    assert raised(either.Array, "i", -1)[0] is ValueError
    assert raised(either.Value, "no type")[0] is TypeError


def test_arrays_are_lists_of_numbers(either):
    array = either.Array("i", range(10))
    assert (len(array), list(array), array[-1], array[9]) == (10, list(range(10)), 9, 9)
    for part in (slice(None), slice(2, 5), slice(None, None, -1), slice(8, 1, -3), slice(5, 5), slice(-3, 100)):
        assert array[part] == list(range(10))[part]
    array[2:5] = [20, 30, 40]
    assert array[:6] == [0, 1, 20, 30, 40, 5]
    assert repr(array).startswith("<SynchronizedArray wrapper for <")
    assert either.Array("i", 0)[:] == []


def test_characters_and_structures(either):
    text = either.Array("c", b"hello")
    assert (text.value, text.raw, text[0], text[:], len(text)) == (b"hello", b"hello", b"h", b"hello", 5)
    text.value = b"x"
    assert text.raw == b"x\0llo"
    assert type(text).__name__ == "SynchronizedString"
    assert either.Array("u", "häß")[:] == "häß"
    assert either.Value("c", b"z").value == b"z"
    assert either.Value(ctypes.c_bool, True).value is True
    point = either.Value(Point, 1, 2.5)
    point.x += 1
    with point.get_lock():
        point.y *= 2
    assert (point.x, point.y, type(point).__name__) == (2, 5.0, "SynchronizedPoint")
    points = either.Array(Point, [(1, 2.0), (3, 4.0)])
    points[1].x = 7
    assert [(it.x, it.y) for it in points] == [(1, 2.0), (7, 4.0)]
    copied = stock.copy(point.get_obj()) if either is BOTH[0] else sharedctypes.copy(point.get_obj())
    point.x = 0
    assert (copied.x, copied.y) == (2, 5.0)


@pytest.mark.parametrize("name", ["Value", "Array"])
def test_the_lock_is_the_one_that_was_asked_for(either, name):
    make = getattr(either, name)
    recursive = make("i", 3)
    assert isinstance(recursive.get_lock(), multiprocessing.synchronize.RLock)
    assert repr(recursive.get_lock()) == "<RLock(None, 0)>"
    with recursive, recursive.get_lock(), recursive:
        assert repr(recursive.get_lock()) == "<RLock(MainProcess, 3)>"
        seen = []
        thread = threading.Thread(target=lambda: seen.append(recursive.acquire(False)))
        thread.start()
        thread.join()
        assert seen == [False]
    for lock in (either.Lock(), either.RLock(), threading.RLock()):
        given = make("i", 3, lock=lock)
        assert given.get_lock() is lock
        assert len(given[:]) == 3 if name == "Array" else given.value == 3
    assert not hasattr(make("i", 3, lock=False), "get_lock")
    assert raised(recursive.release)[0] is AssertionError


def test_who_reads_waits_for_who_has_the_lock(either):
    value, array = either.Value("i"), either.Array("i", 3)
    for it, read in ((value, lambda: value.value), (array, lambda: array[1])):
        got = []
        it.acquire()
        thread = threading.Thread(target=lambda read=read, got=got: got.append(read()))
        thread.start()
        for _ in range(1000):
            os.sched_yield()
        assert got == []
        value.get_obj().value = array.get_obj()[1] = 5
        it.release()
        thread.join()
        assert got == [5]


def test_our_classes_are_stocks_too():
    value, array = procession.Value("i"), procession.Array("c", 2)
    assert isinstance(value, stock.Synchronized)
    assert isinstance(array, stock.SynchronizedArray) and isinstance(array, stock.SynchronizedString)
    assert isinstance(procession.Value(Point), stock.SynchronizedBase)
    assert isinstance(value.get_obj(), ctypes.c_int)
    assert isinstance(array.get_obj(), ctypes.Array)
    assert raised(procession.sharedctypes.synchronized, value)[0] is AssertionError
    assert stock.synchronized(procession.RawValue("i", 3), ctx=BOTH[1]).value == 3
    assert sharedctypes.synchronized(BOTH[0].RawValue("i", 3)).value == 3
    assert sharedctypes.synchronized(ctypes.c_int(4)).value == 4


def test_two_wrappers_of_one_object_have_one_lock():
    raw = procession.RawValue("i")
    one, two = sharedctypes.synchronized(raw), sharedctypes.synchronized(raw)
    assert one.get_lock() is two.get_lock()
    with one, two:
        one.value += 1
        assert two.value == 1


@pytest.mark.parametrize("code, item", [("i", 4), ("d", 8), ("B", 1), ("c", 1)])
def test_the_buffer_is_the_memory(code, item):
    array = procession.Array(code, 6)
    view = memoryview(array)
    assert (view.format, view.itemsize, view.shape, view.readonly) == (code, item, (6,), False)
    view[2] = b"a" if code == "c" else 97
    assert array[2] == (b"a" if code == "c" else 97)
    del array
    assert view[2] == (b"a" if code == "c" else 97)


def test_arrays_of_more_dimensions():
    array = procession.Array("i", [(1, 2, 3), (4, 5, 6)], shape=(2, 3))
    assert (array.shape, len(array), array[1, 2], array[-1, 0]) == ((2, 3), 2, 6, 4)
    array[0, 1] = 20
    assert array[0][:] == [1, 20, 3]
    assert raised(lambda: array[2, 0]) == (IndexError, "invalid index")
    view = memoryview(array)
    assert (view.shape, view.strides, view.format, view.tolist()) == ((2, 3), (12, 4), "i", [[1, 20, 3], [4, 5, 6]])
    raw = procession.Array("d", shape=(2, 2, 2), lock=False)
    raw[1][0][1] = 5.0
    assert memoryview(raw).shape == (2, 2, 2)


def test_a_size_beside_a_shape_has_to_agree_with_it():
    assert procession.Array("i", 6, shape=(2, 3)).shape == (2, 3)
    said = "an array of shape (2, 3) has 6 elements, not 7"
    assert raised(lambda: procession.Array("i", 7, shape=(2, 3))) == (ValueError, said)


def test_numpy_sees_the_memory_itself():
    numpy = pytest.importorskip("numpy")
    array = procession.Array("d", shape=(3, 4))
    matrix = numpy.asarray(array)
    assert (matrix.shape, matrix.dtype) == ((3, 4), numpy.float64)
    matrix[1, 2] = 5
    assert array[1, 2] == 5
    flat = procession.Array("i", 10)
    numpy.frombuffer(flat.get_obj(), dtype="i")[3] = 4
    assert flat[3] == 4
    assert numpy.shares_memory(numpy.asarray(flat), numpy.asarray(flat))


def test_a_child_has_them_and_keeps_them(run, method):
    out = run(
        """
        import ctypes, os, procession as mp

        class Point(ctypes.Structure):
            _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double)]

        def child(value, array, text, point, matrix, raw, rows, lock, given):
            for _ in range(1000):
                with value.get_lock():
                    value.value += 1
            array[:] = [it * 2 for it in array]
            text.value = b"seen"
            with point:
                point.x, point.y = 3, 4.5
            matrix[1, 2] = 9
            raw.value += 1
            rows[1][1] = 5
            assert given.get_lock() is lock
            given.value = 8

        if __name__ == "__main__":
            context = mp.get_context(os.environ["METHOD"])
            lock = context.Lock()
            given = [
                context.Value("i"), context.Array("d", range(5)), context.Array("c", 10), context.Value(Point),
                context.Array("h", shape=(2, 3)), context.RawValue("q", 41),
                context.Array("i", shape=(2, 2), lock=False), lock, context.Value("i", lock=lock),
            ]
            process = context.Process(target=child, args=given)
            process.start()
            for _ in range(1000):
                with given[0].get_lock():
                    given[0].value += 1
            process.join()
            print(given[0].value, given[1][:], given[2].value, given[3].x, given[3].y, given[4][1, 2])
            print(given[5].value, given[6][1][1], given[8].value, process.exitcode)
            process = context.Process(target=print, args=(context.RawArray("i", 3)[:], "kept"))
            process.start()
            process.join()
        """,
        method=method,
    )
    assert out.splitlines() == [
        "2000 [0.0, 2.0, 4.0, 6.0, 8.0] b'seen' 3 4.5 9", "42 5 8 0", "[0, 0, 0] kept",
    ]  # fmt: skip


def test_the_lock_of_a_value_whose_holder_was_killed_goes_to_the_next(run, method):
    out = run(
        """
        import os, signal, procession as mp

        def child(value, ready):
            value.acquire()
            value.value = 7
            ready.send_bytes(b"")
            signal.pause()

        if __name__ == "__main__":
            context = mp.get_context(os.environ["METHOD"])
            value = context.Value("i")
            receiver, sender = context.Pipe(False)
            process = context.Process(target=child, args=(value, sender))
            process.start()
            receiver.recv_bytes()
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            with value:
                print(value.value, value.get_lock().owner_died())
            with value:
                print(value.get_lock().owner_died())
        """,
        method=method,
    )
    assert out.split() == ["7", "True", "False"]


def test_three_hundred_of_each_cost_no_descriptors(run, method):
    out = run(
        """
        import os, resource, procession as mp

        def child(values, arrays, locks):
            for value, array in zip(values, arrays):
                value.value += 1
                array[9] = 1.5
            for lock in locks:
                lock.release()

        if __name__ == "__main__":
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
            context = mp.get_context(os.environ["METHOD"])
            values = [context.Value("i") for _ in range(300)]
            arrays = [context.Array("d", 10) for _ in range(300)]
            locks = [context.Lock() for _ in range(300)]
            for lock in locks:
                lock.acquire()
            before = len(os.listdir("/proc/self/fd"))
            process = context.Process(target=child, args=(values, arrays, locks))
            process.start()
            process.join()
            print(process.exitcode, {it.value for it in values}, {it[9] for it in arrays}, all(it.acquire(False) for it in locks))
            print(before < 20)
        """,
        method=method,
    )
    assert out.splitlines() == ["0 {1} {1.5} True", "True"]


def test_memory_is_given_back(run):
    out = run("""
        import gc, procession as mp
        for _ in range(200):
            array = mp.Array("d", 1_000_000)
            array[5] = 1
            value = mp.Value("i")
            with value:
                value.value += 1
        del array, value
        print(gc.collect() < 1000)
    """)
    assert out == "True\n"
