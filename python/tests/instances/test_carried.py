"""Instances travel through queues, pipes, pools and managers, and to programs without procession."""

import datetime
import pickle
import subprocess
import sys
import textwrap

import odd_classes
from odd_classes import Colour, Concrete, Data, Empty, Frozen, Point, WithNew, WithSetState, made, shape

import procession
from procession import _core


def echo(source, target):
    while (value := source.get()) is not None:
        target.put(value)


def reflect(connection):
    while (value := connection.recv()) is not None:
        connection.send(value)


MESSAGES = [
    Point(),
    [Point(n) for n in range(100)],
    {f"key {n}": Point({"n": [n]}) for n in range(100)},
    (Data(1, [Point()]), Frozen(2), made(WithSetState, a=1), made(WithNew), made(Concrete, a=Empty())),
    [Point("x" * 200_000), Point(b"y" * 200_000)],
    [Point(1j), datetime.date(2001, 2, 3), Colour.RED, Point()],
]


def test_queues_and_pipes_carry_instances_to_another_process(context):
    there, back = context.Queue(), context.SimpleQueue()
    near, far = context.Pipe()
    processes = [context.Process(target=echo, args=(there, back)), context.Process(target=reflect, args=(far,))]
    for process in processes:
        process.start()
    far.close()
    for value in MESSAGES:
        there.put(value)
        near.send(value)
        expected = shape(pickle.loads(pickle.dumps(value)))
        assert shape(back.get()) == expected == shape(near.recv())
    there.put_many(MESSAGES)
    assert [shape(back.get()) for _ in MESSAGES] == shape(pickle.loads(pickle.dumps(MESSAGES)))[1:]
    there.put(None)
    near.send(None)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]


def same(value):
    return value


def moved(point, by):
    return Point(point.x + by, point.y, point.name)


def test_pools_carry_instances(fork):
    with fork.Pool(2) as pool:
        assert pool.map(same, [Point(n) for n in range(50)]) == [Point(n) for n in range(50)]
        assert pool.starmap(moved, [(Point(n), 1) for n in range(50)]) == [Point(n + 1) for n in range(50)]
        for value in MESSAGES:
            assert shape(pool.apply(same, (value,))) == shape(pickle.loads(pickle.dumps(value)))


def test_managers_carry_instances():
    with procession.Manager() as manager:
        queue, items, book = manager.Queue(), manager.list(), manager.dict()
        for number, value in enumerate(MESSAGES):
            expected = shape(pickle.loads(pickle.dumps(value)))
            queue.put(value)
            items.append(value)
            book[number] = value
            assert shape(queue.get()) == expected == shape(items[number]) == shape(book[number])
        assert [shape(value) for value in items[:]] == [shape(pickle.loads(pickle.dumps(it))) for it in MESSAGES]
        items.extend([Point(1), 1j, Point(2), Point(3)])
        assert items[-4:] == [Point(1), 1j, Point(2), Point(3)]
        assert list(book.items())[0] == (0, Point())


PLAIN_READER = """
import pickle, sys
class Point:
    def __init__(self, x=1, y=2.5, name="here"):
        self.x, self.y, self.name = x, y, name
read = pickle.load(sys.stdin.buffer)
print([(type(it).__name__, vars(it)) for it in read])
"""


def test_another_program_reads_them_with_its_own_pickle():
    data = _core.dumps([Point(n) for n in range(3)]).replace(
        b"X" + len(odd_classes.__name__).to_bytes(4, "little") + odd_classes.__name__.encode(), b"X\x08\0\0\0__main__"
    )
    told = subprocess.run(
        [sys.executable, "-I", "-c", textwrap.dedent(PLAIN_READER)], input=data, capture_output=True, check=True
    )
    assert eval(told.stdout) == [("Point", {"x": n, "y": 2.5, "name": "here"}) for n in range(3)]
