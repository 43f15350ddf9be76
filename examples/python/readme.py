"""What the README shows."""

import os

import procession as mp


def square(n: int) -> int:
    return n * n


if __name__ == "__main__":
    queue = mp.Queue()
    child = mp.Process(target=queue.put, args=("hello",))
    child.start()
    print(queue.get())  # hello
    child.join()

    with mp.Pool(4) as pool:
        print(pool.map(square, range(5)))  # [0, 1, 4, 9, 16]
        try:
            pool.apply(os.abort)
        except mp.WorkerLost as lost:
            print(lost)  # worker 4711 was killed by SIGABRT with task 6
        print(pool.apply(square, (7,)))  # 49
