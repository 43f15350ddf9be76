"""Signals, forks among threads, and descriptors: what happens around the objects while they are used.

Programs run in a terminal, where Ctrl-C goes to all of their processes.
"""

import os
import signal

import pytest
from programs import start, write
from waiting import asleep, until

METHODS = ("fork", "spawn", "forkserver")

#: A pool whose workers are at work: an interpreter that is still starting has nobody to say no traceback.
POOL = "all_here = mp.Barrier(3); it = mp.Pool(2, all_here.wait); all_here.wait()"

#: What makes each object, and the call on it that would wait for ever.
CALLS = {
    "lock.acquire": ("it = mp.Lock(); it.acquire()", "it.acquire()"),
    "lock.acquire with a timeout": ("it = mp.Lock(); it.acquire()", "it.acquire(timeout=3600)"),
    "semaphore.acquire": ("it = mp.Semaphore(0)", "it.acquire()"),
    "condition.wait": ("it = mp.Condition(); it.acquire()", "it.wait()"),
    "condition.wait_for": ("it = mp.Condition(); it.acquire()", "it.wait_for(lambda: False, timeout=3600)"),
    "event.wait": ("it = mp.Event()", "it.wait()"),
    "barrier.wait": ("it = mp.Barrier(2)", "it.wait()"),
    "queue.get": ("it = mp.Queue()", "it.get()"),
    "queue.get with a timeout": ("it = mp.Queue()", "it.get(timeout=3600)"),
    "queue.put": ("it = mp.Queue(1); it.put(1)", "it.put(2)"),
    "simplequeue.get": ("it = mp.SimpleQueue()", "it.get()"),
    "joinablequeue.join": ("it = mp.JoinableQueue(); it.put(1)", "it.join()"),
    "connection.recv": ("it, other = mp.Pipe()", "it.recv()"),
    "connection.poll": ("it, other = mp.Pipe()", "it.poll(3600)"),
    "pool.map": (POOL, "it.map(time.sleep, [3600] * 2)"),
    "pool.apply": (POOL, "it.apply(time.sleep, [3600])"),
    "pool.imap": (POOL, "list(it.imap(time.sleep, [3600] * 2))"),
    "pool.join": (POOL + "; it.apply_async(time.sleep, [3600]); it.close()", "it.join()"),
    "process.join": (
        "is_deaf = mp.Event(); it = mp.Process(target=deaf, args=(is_deaf,), daemon=True); it.start(); is_deaf.wait()",
        "it.join()",
    ),
}

BLOCKING = """
def deaf(is_deaf):
    # What a child of the user's prints when it is interrupted is not the matter here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    is_deaf.set()
    time.sleep(3600)

def handle(number, frame):
    os.write(1, b"handled\\n")

def main():
    signal.signal(signal.SIGUSR1, handle)
    {make}
    ready()
    {call}
"""


def blocking(directory, name):
    make, call = CALLS[name]
    return write(directory, "blocking", BLOCKING.format(make=make, call=call))


def until_it_waits(program):
    """Until the program sleeps, and has for a while."""
    program.until_printed("ready")
    until(asleep(program.process.pid), program.said)


@pytest.mark.parametrize("name", CALLS)
def test_ctrl_c_ends_the_program_in(name, tmp_path):
    with start(blocking(tmp_path, name), "procession", "fork") as program:
        until_it_waits(program)
        program.press_ctrl_c()
        assert program.until_all_ended(), program.said()
        assert program.process.returncode in (130, -signal.SIGINT)
        assert program.stderr().count("Traceback (most recent call last)") == 1, program.said()
        assert program.stderr().splitlines()[-1] == "KeyboardInterrupt", program.said()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("name", ["pool.map", "pool.join", "queue.get"])
def test_ctrl_c_ends_the_program_whose_workers_were_started_anew_in(name, method, tmp_path):
    with start(blocking(tmp_path, name), "procession", method) as program:
        until_it_waits(program)
        program.press_ctrl_c()
        assert program.until_all_ended(), program.said()
        assert program.stderr().count("Traceback (most recent call last)") == 1, program.said()


def test_ctrl_c_ends_the_program_whose_workers_are_new_interpreters_that_still_start(tmp_path):
    source = BLOCKING.format(make="it = mp.Pool(2)", call="it.map(time.sleep, [3600] * 2)")
    with start(write(tmp_path, "starting", source), "procession", "spawn") as program:
        program.until_printed("ready")
        # It, the two workers, and the resource tracker that CPython starts with the first.
        until(lambda: len(program.members()) == 4, program.said)
        program.press_ctrl_c()
        assert program.until_all_ended(), program.said()
        assert program.stderr().count("Traceback (most recent call last)") == 1, program.said()


@pytest.mark.parametrize("name", CALLS)
def test_the_handler_of_another_signal_runs_in(name, tmp_path):
    """And the call goes on waiting."""
    with start(blocking(tmp_path, name), "procession", "fork") as program:
        for times in (1, 2):
            until_it_waits(program)
            os.kill(program.process.pid, signal.SIGUSR1)
            assert program.until(lambda: program.output.count(b"handled") == times), program.said()
        until_it_waits(program)
        assert program.process.poll() is None, program.said()


FIRST_USE = """
import os, signal, threading
import procession
from procession import _core

def first_use(go):
    go.release()
    # Makes two queues without the interpreter, and starts no worker.
    _core.PoolEngine(0, None, False, 0, None, None)

def fork_meanwhile(steps):
    go = threading.Lock()
    go.acquire()
    user = threading.Thread(target=first_use, args=(go,))
    user.start()
    go.acquire()
    for _ in range(steps):
        pass
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        with procession.Lock():
            os._exit(0)
    user.join()
    return os.waitpid(child, 0)[1]

def main():
    # Each in a process that has loaded procession, and not used it.
    for number in range(200):
        fresh = os.fork()
        if fresh == 0:
            os._exit(fork_meanwhile(number % 4) != 0)
        assert os.waitpid(fresh, 0)[1] == 0, number

main()
"""


def test_a_fork_while_another_thread_first_uses_procession_leaves_a_child_that_can_use_it(run):
    run(FIRST_USE)


RAISING = """
class Alarm(Exception):
    pass

def ring(number, frame):
    raise Alarm

def main():
    signal.signal(signal.SIGUSR1, ring)
    {make}
    ready()
    try:
        {call}
    except Alarm:
        print("Alarm", flush=True)
    os._exit(0)
"""


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"process.join"}))
def test_what_a_handler_raises_comes_out_of(name, tmp_path):
    make, call = CALLS[name]
    with start(write(tmp_path, "raising", RAISING.format(make=make, call=call)), "procession", "fork") as program:
        until_it_waits(program)
        os.kill(program.process.pid, signal.SIGUSR1)
        assert program.until_ended(), program.said()
        assert program.lines() == ["ready", "Alarm"], program.said()


FORKING = """
BOUND = 60

class Objects:
    def __init__(self):
        self.lock, self.rlock, self.semaphore = mp.Lock(), mp.RLock(), mp.BoundedSemaphore(2)
        self.condition, self.event, self.barrier = mp.Condition(), mp.Event(), mp.Barrier(1)
        self.queue, self.joinable, self.simple = mp.Queue(), mp.JoinableQueue(), mp.SimpleQueue()
        self.value, self.array = mp.Value("i", 0), mp.Array("i", 8)

    def uses(self):
        return [
            self.use_locks, self.use_condition, self.use_event, self.use_barrier, self.use_queue, self.use_joinable,
            self.use_simple, self.use_memory,
        ]

    def use_locks(self):
        for lock in (self.lock, self.rlock, self.semaphore):
            assert lock.acquire(timeout=BOUND), lock
            lock.release()

    def use_condition(self):
        assert self.condition.acquire(timeout=BOUND)
        self.condition.notify_all()
        self.condition.wait(0.001)
        self.condition.release()

    def use_event(self):
        self.event.set()
        self.event.wait(0.001)  # another may have cleared it
        self.event.clear()

    def use_barrier(self):
        self.barrier.wait(BOUND)

    def use_queue(self):
        self.queue.put("item")
        assert self.queue.get(timeout=BOUND) == "item"

    def use_joinable(self):
        self.joinable.put("item")
        assert self.joinable.get(timeout=BOUND) == "item"
        self.joinable.task_done()

    def use_simple(self):
        self.simple.put("item")
        assert self.simple.get() == "item"

    def use_memory(self):
        with self.value.get_lock():
            self.value.value += 1
        self.array[3] += 1

def child(objects):
    for use in objects.uses():
        use()

def main():
    objects = Objects()
    stop = threading.Event()

    def keep_using(use):
        while not stop.is_set():
            use()

    threads = [threading.Thread(target=keep_using, args=(use,)) for use in objects.uses()]
    assert len(threads) == 8
    for thread in threads:
        thread.start()
    ready()
    for _ in range(20):
        process = mp.Process(target=child, args=(objects,))
        process.start()
        process.join()
        print(process.exitcode)
    stop.set()
    for thread in threads:
        thread.join()
"""


def test_a_child_forked_while_eight_threads_use_the_objects_can_use_all(tmp_path):
    with start(write(tmp_path, "forking", FORKING), "procession", "fork") as program:
        assert program.until_all_ended(patience=120), program.said()
        assert program.lines() == ["ready", *["0"] * 20], program.said()


THREADS = """
def number():
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith("Threads:")).split()[1])

def say(what):
    # One that was joined may be at its last steps in the kernel.
    until(lambda: number() <= threading.active_count(), "there are threads that Python does not know")
    print(what, number())

def main():
    say("start")
    lock, event, condition = mp.Lock(), mp.Event(), mp.Condition()
    with lock: event.set()
    with condition: condition.wait(0.001)
    say("locks")
    value, array = mp.Value("i"), mp.Array("i", 3)
    array[:] = [1, 2, 3]
    say("memory")
    queue, simple, joinable = mp.Queue(), mp.SimpleQueue(), mp.JoinableQueue()
    queue.put(1); simple.put(1); joinable.put(1)
    queue.get(); simple.get(); joinable.get()
    say("queues")
    one, other = mp.Pipe()
    one.send(1); other.recv()
    say("pipe")
    pool = mp.Pool(2)
    pool.map(abs, range(100))
    say("pool")
    pool.close()
    pool.join()
    say("closed pool")
    process = mp.Process(target=abs, args=(1,))
    process.start()
    process.join()
    say("end")
"""


def threads(package, script, method):
    with start(script, package, method, options=["-W", "error::DeprecationWarning"]) as program:
        assert program.until_all_ended(), program.said()
        return {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in program.lines()}, program.stderr()


@pytest.mark.parametrize("method", METHODS)
def test_no_thread_is_there_that_stock_has_not(method, tmp_path):
    """From 3.12 on a fork warns of every thread, whoever made it."""
    script = write(tmp_path, "threads", THREADS)
    ours, complaint = threads("procession", script, method)
    stock, stock_complaint = threads("multiprocessing", script, method)
    assert list(ours) == ["start", "locks", "memory", "queues", "pipe", "pool", "closed pool", "end"], complaint
    assert {what: number for what, number in ours.items() if number > stock.get(what, number)} == {}
    assert complaint == "" or complaint == stock_complaint


MANY = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

def child(locks, values, queues, answer):
    for lock in locks:
        lock.release()
    for value in values:
        value.value += 1
    for number, queue in enumerate(queues):
        assert queue.get(timeout=60) == number
        queue.put(-number)
    answer.put("done")

def main():
    locks, values = [mp.Lock() for _ in range(300)], [mp.Value("i", number) for number in range(300)]
    queues, answer = [mp.Queue() for _ in range(100)], mp.Queue()
    for lock in locks:
        lock.acquire()
    for number, queue in enumerate(queues):
        queue.put(number)
    process = mp.Process(target=child, args=(locks, values, queues, answer))
    process.start()
    print(answer.get(timeout=60))
    process.join()
    print(process.exitcode)
    print(all(lock.acquire(False) for lock in locks))
    print([value.value for value in values] == list(range(1, 301)))
    print([queue.get(timeout=60) for queue in queues] == [-number for number in range(100)])
"""


@pytest.mark.parametrize("method", METHODS)
def test_seven_hundred_objects_reach_a_child_under_256_descriptors(method, tmp_path):
    with start(write(tmp_path, "many", MANY), "procession", method) as program:
        assert program.until_all_ended(), program.said()
        assert program.lines() == ["done", "0", "True", "True", "True"], program.said()
