"""`Value('i', 0)`, `Value('d', 3.14)`, `Array('i', [1, 2, 3, 4])`. The tutorial's `08_value_array.py`."""

from typing import Any

import procession as mp

from .say import say


def change(value1: Any, value2: Any, array: Any, table: Any) -> None:
    """Beyond the tutorial: what a child changes, the parent sees."""
    with value1.get_lock():
        value1.value += 1
    value2.value = 2.72
    with array.get_lock():
        array[:] = [number * 10 for number in array]
    with table.get_lock():
        for column in range(3):
            table[1, column] = 0.5


def show(value1: Any, value2: Any, array: Any, table: Any) -> None:
    say(f"value1: Value('i') = {value1.value}")
    say(f"value2: Value('d') = {value2.value}")
    say(f"array: Array('i') [{len(array)}] = {array[:]}")
    view: Any = memoryview(table)
    say(f"table: Array('d') {list(view.shape)} = {view.tolist()}")


def run() -> None:
    value1 = mp.Value("i", 0)
    value2 = mp.Value("d", 3.14)
    array = mp.Array("i", [1, 2, 3, 4])
    # The tutorial's array "can only be one-dimensional".
    table = mp.Array("d", shape=(2, 3))
    show(value1, value2, array, table)

    p = mp.Process(target=change, args=(value1, value2, array, table))
    p.start()
    p.join()
    say("After a child has changed them:")
    show(value1, value2, array, table)
