"""The three ways in: the package itself, `install`, and `python -m procession`."""

import multiprocessing
import os
import subprocess
import sys
import types

import procession
import pytest

RUN = ("-m", "procession")


def test_the_package_has_every_name_of_multiprocessing():
    missing = [name for name in multiprocessing.__all__ if not hasattr(procession, name)]
    assert missing == []
    assert set(multiprocessing.__all__) <= set(procession.__all__)


#: What stock's submodules import from elsewhere, or have for themselves.
LEFT = {
    "pool": {"ExceptionWithTraceback", "job_counter", "mapstar", "rebuild_exc", "starmapstar", "wait", "worker"},
    "process": {"WeakSet"},
    "queues": {"Finalize", "debug", "info", "is_exiting", "register_after_fork"},
    "sharedctypes": {"assert_spawning", "get_context"},
}


@pytest.mark.parametrize(
    "name",
    [
        "connection", "context", "dummy", "forkserver", "heap", "managers", "pool", "process", "queues",
        "reduction", "resource_sharer", "resource_tracker", "shared_memory", "sharedctypes", "spawn",
        "synchronize", "util",
    ],
)  # fmt: skip
def test_the_submodules_have_the_public_names_of_stock(name):
    from importlib import import_module

    ours = import_module(f"procession.{name}")
    stock = import_module(f"multiprocessing.{name}")
    public = {it for it, value in vars(stock).items() if it[0] != "_" and not isinstance(value, types.ModuleType)}
    assert {it for it in public if not hasattr(ours, it)} == LEFT.get(name, set())


def test_the_start_method_is_the_one_of_multiprocessing(run):
    out = run("""
        import multiprocessing, procession
        procession.set_start_method("spawn")
        print(multiprocessing.get_start_method(), procession.get_start_method())
        print(type(procession.get_context()).__name__)
        try:
            procession.set_start_method("fork")
        except RuntimeError as error:
            print(error)
        procession.set_start_method("fork", force=True)
        print(procession.get_context() is procession.get_context("fork"))
        try:
            procession.get_context("bogus")
        except ValueError as error:
            print(error)
        try:
            procession.get_context("fork").set_start_method("spawn")
        except ValueError as error:
            print(error)
    """)
    assert out.splitlines() == [
        "spawn spawn",
        "SpawnContext",
        "context has already been set",
        "True",
        "cannot find context for 'bogus'",
        "cannot set start method of concrete context",
    ]


PROGRAM = """
    import os, multiprocessing as mp

    def child(lock, event_like):
        import multiprocessing.synchronize
        assert isinstance(lock, multiprocessing.synchronize.Lock)
        with lock:
            print(type(lock).__module__, type(mp.Semaphore()).__module__, flush=True)
        event_like.release()

    if __name__ == "__main__":
        mp.set_start_method(os.environ["METHOD"])
        lock, done = mp.Lock(), mp.Semaphore(0)
        process = mp.Process(target=child, args=(lock, done))
        process.start()
        print(done.acquire(timeout=60), flush=True)
        process.join()
        print(process.exitcode, type(lock).__module__)
"""


def test_an_unmodified_program_and_its_children_use_procession(run, method):
    out = run(PROGRAM, module=RUN, method=method)
    assert sorted(out.splitlines()) == sorted([
        "procession.synchronize procession.synchronize",
        "True",
        "0 procession.synchronize",
    ])  # fmt: skip


@pytest.mark.parametrize("module", [RUN, ()])
def test_disabled_it_is_stock(run, method, module):
    out = run(PROGRAM, module=module, method=method, env={"PROCESSION_DISABLE": "1"})
    assert set(out.splitlines()) == {
        "multiprocessing.synchronize multiprocessing.synchronize",
        "True",
        "0 multiprocessing.synchronize",
    }


def test_install_reaches_what_was_captured_before_and_uninstall_puts_it_back(run):
    out = run("""
        import multiprocessing
        from multiprocessing import Lock, get_context
        fork, default = get_context("fork"), get_context()
        stock_lock = multiprocessing.Lock
        import procession
        procession.install()
        procession.install()
        for made in (Lock(), fork.Lock(), default.Lock(), multiprocessing.Lock()):
            print(type(made).__module__)
        print(multiprocessing.get_context("fork") is fork, fork.get_context("fork") is fork)
        print(type(fork).__name__, multiprocessing.__all__ == sorted(multiprocessing.__all__))
        procession.uninstall()
        procession.uninstall()
        for made in (Lock(), fork.Lock(), default.Lock(), multiprocessing.Lock()):
            print(type(made).__module__)
        print(multiprocessing.Lock == stock_lock)
    """)
    assert out.split() == (
        ["procession.synchronize"] * 4 + ["True", "True", "ForkContext", "True"]
        + ["multiprocessing.synchronize"] * 4 + ["True"]
    )  # fmt: skip


def test_a_context_of_somebody_else_stays_as_it_is(run):
    out = run("""
        import multiprocessing.context as context
        class Theirs(context.BaseContext):
            _name = "fork"
            def get_context(self, method=None):
                return self
        import procession
        procession.install()
        print(type(Theirs().Lock()).__module__)
    """)
    assert out.split() == ["multiprocessing.synchronize"]


def test_contexts_that_a_library_has_registered_stay_as_they_are(run):
    out = run("""
        import multiprocessing
        import multiprocessing.context as context
        class Theirs(context.BaseContext):
            _name = "theirs"
        theirs = context._concrete_contexts["theirs"] = Theirs()
        import procession
        def made():
            for method in ("theirs", "fork"):
                print(type(multiprocessing.get_context(method).Lock()).__module__)
        procession.install()
        made()
        procession.uninstall()
        made()
        print(type(theirs) is Theirs)
    """)
    assert out.split() == [
        "multiprocessing.synchronize", "procession.synchronize",
        "multiprocessing.synchronize", "multiprocessing.synchronize", "True",
    ]  # fmt: skip


def test_a_class_that_was_captured_before_is_warned_of(run):
    run("""
        import sys, types
        from multiprocessing.queues import Queue
        library = types.ModuleType("library")
        library.Channel = Queue
        sys.modules["library"] = library
        import procession
        procession.install()
    """)
    assert "library.Channel" in run.stderr


def test_a_class_that_the_fork_server_has_captured_is_not_warned_of(run, tmp_path):
    (tmp_path / "library.py").write_text("from multiprocessing.queues import Queue\n")
    out = run(
        """
        import multiprocessing, sys

        def child():
            import multiprocessing.queues
            print(sys.modules["library"].Queue is multiprocessing.queues.Queue, type(multiprocessing.Lock()).__module__)

        if __name__ == "__main__":
            multiprocessing.set_forkserver_preload(["library"])
            process = multiprocessing.get_context("forkserver").Process(target=child)
            process.start()
            process.join()
        """,
        module=RUN,
    )
    assert out.split() == ["True", "procession.synchronize"]
    assert not run.stderr


def test_a_module_is_run_as_python_runs_it(tmp_path):
    package = tmp_path / "tool"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(
        "import sys, multiprocessing\n"
        "print(__name__, sys.argv[1:], type(multiprocessing.Lock()).__module__)\n"
    )
    command = [sys.executable, "-m", "procession", "-m", "tool", "a", "-b"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert ended.stdout == "__main__ ['a', '-b'] procession.synchronize\n", ended.stderr


def test_without_a_program_it_says_how(tmp_path):
    command = [sys.executable, "-m", "procession"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert ended.returncode == 2
    assert "python -m procession script.py" in ended.stdout


def test_without_the_native_module_stock_stays_and_says_why(run):
    out = run("""
        import sys, warnings
        sys.modules["procession._core"] = None
        import multiprocessing, procession
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            procession.install()
        print(len(caught), caught[0].category.__name__)
        print(type(multiprocessing.Lock()).__module__)
        try:
            procession.Lock()
        except ImportError as error:
            print(type(error).__name__)
    """)
    assert out.splitlines() == [
        "1 RuntimeWarning",
        "multiprocessing.synchronize",
        "ModuleNotFoundError",
    ]


def test_a_lock_made_while_main_is_imported_is_in_the_parents_family(run, method):
    out = run(
        """
        import os, procession as mp
        mine = mp.Lock()

        def child(lock):
            print(lock._family == mine._family, lock.acquire(timeout=60))

        if __name__ == "__main__":
            context = mp.get_context(os.environ["METHOD"])
            # From 3.14 on the fork server would import it, before it has anything from a parent.
            context.set_forkserver_preload([])
            process = context.Process(target=child, args=(mp.Lock(),))
            process.start()
            process.join()
            print(process.exitcode)
        """,
        method=method,
    )
    assert out.split() == ["True", "True", "0"]


@pytest.mark.parametrize("grandchild", ["fork", "spawn", "forkserver"])
def test_what_a_fork_server_has_made_is_shared_by_its_children_and_theirs(run, tmp_path, grandchild):
    (tmp_path / "made_once.py").write_text("import procession\ncount = procession.Value('i', 0)\n")
    out = run(
        """
        import os, sys
        import procession as mp

        def count(lock, of_server):
            with lock, of_server.get_lock():
                of_server.value += 1
                print(of_server.value, flush=True)

        def child(lock):
            import made_once
            count(lock, made_once.count)
            process = mp.get_context(os.environ["METHOD"]).Process(target=count, args=(lock, made_once.count))
            process.start()
            process.join()
            sys.exit(process.exitcode)

        if __name__ == "__main__":
            context = mp.get_context("forkserver")
            context.set_forkserver_preload(["made_once"])
            lock = context.Lock()
            for _ in range(2):
                process = context.Process(target=child, args=(lock,))
                process.start()
                process.join()
                print(process.exitcode)
        """,
        method=grandchild,
    )
    assert out.split() == ["1", "2", "0", "3", "4", "0"]


def test_the_child_has_what_its_parent_no_longer_keeps(run, method):
    out = run(
        """
        import os, procession as mp

        def child(lock):
            print(lock.acquire(timeout=60))

        if __name__ == "__main__":
            context = mp.get_context(os.environ["METHOD"])
            process = context.Process(target=child, args=(context.Lock(),))
            process.start()
            process.join()
            print(process.exitcode)
        """,
        method=method,
    )
    assert out.split() == ["True", "0"]


def test_the_seats_of_processes_that_ended_are_free_again(run, method):
    out = run(
        """
        import os, procession as mp, procession._core as core

        def child(lock):
            lock.acquire()

        if __name__ == "__main__":
            context = mp.get_context(os.environ["METHOD"])
            lock = context.Semaphore(100)
            seats = []
            for _ in range(12):
                process = context.Process(target=child, args=(lock,))
                process.start()
                process.join()
                process.close()
                seat = core.Seat(core.family_number())
                seats.append(seat.number & 0xffff)
                del seat
            print(lock.get_value(), max(seats) < 8, seats)
        """,
        method=method,
    )
    value, is_low, *seats = out.split()
    assert (value, is_low) == ("88", "True"), seats


def test_shared_objects_travel_only_to_a_process_that_is_being_started():
    import pickle

    for make in (procession.Lock, procession.RLock, procession.Semaphore):
        with pytest.raises(RuntimeError, match="should only be shared between processes through"):
            pickle.dumps(make())


def test_importing_it_starts_and_opens_nothing(run):
    out = run("""
        import os, threading
        before = len(os.listdir("/proc/self/fd"))
        import procession
        print(len(os.listdir("/proc/self/fd")) - before, threading.active_count())
        print(len(os.listdir("/proc/self/task")))
    """)
    assert out.split() == ["0", "1", "1"]


def test_the_parent_of_the_tests_is_not_installed():
    assert type(multiprocessing.get_context("fork")).__module__ == "multiprocessing.context"
    assert os.environ.get("PROCESSION_DISABLE") is None


def test_in_a_sub_interpreter_stock_stays(run):
    out = run("""
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        inner = interpreters.create()
        error = interpreters.run_string(inner, '''if True:
            import warnings, multiprocessing.context
            import procession
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                procession.install()
            context = multiprocessing.get_context("fork")
            print(caught[0].category.__name__, type(context).__module__, flush=True)
            try:
                procession.Lock()
            except ImportError as error:
                print("subinterpreters" in str(error), flush=True)
        ''')
        assert error is None, error
    """)
    assert out.splitlines() == ["RuntimeWarning multiprocessing.context", "True"]
