"""What the tests share: programs run in processes of their own, each within a time."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import waiting

import procession

#: Far above what any program here takes; only a hang comes this far.
PATIENCE = 120


def pytest_configure():
    # Whoever starts the tests in the background has Ctrl-C ignored, and every program here would inherit that.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Programs are run without settings of Python from outside: they change what is printed, and unbuffered it would write
    # a line in two parts, between which those of other processes come.
    for name in [name for name in os.environ if name.startswith("PYTHON")]:
        del os.environ[name]


@pytest.fixture
def run(tmp_path):
    """Runs a program, given as text, as a script; its standard output. It must end with status 0.

    It can import `waiting`.
    """

    def run(source, *arguments, method=None, module=(), status=0, env=None):
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(source))
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), **(env or {})}
        if method is not None:
            environment["METHOD"] = method
        ended = subprocess.run(
            [sys.executable, *module, str(script), *arguments],
            capture_output=True, text=True, timeout=PATIENCE, env=environment, cwd=tmp_path,
        )  # fmt: skip
        assert ended.returncode == status, ended.stderr
        run.stderr = ended.stderr
        return ended.stdout

    return run


@pytest.fixture(params=["fork", "spawn", "forkserver"])
def method(request):
    """Each start method."""
    return request.param


@pytest.fixture
def context(method):
    """The context of each start method."""
    return procession.get_context(method)


@pytest.fixture
def fork():
    """The context for what does not depend on how processes are started."""
    return procession.get_context("fork")


@pytest.fixture
def started():
    """Starts processes, and sees to it that none is left."""
    running = []

    def start(context, target, *arguments):
        process = context.Process(target=target, args=arguments, daemon=True)
        process.start()
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.join(waiting.PATIENCE)
