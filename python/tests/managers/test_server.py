"""The server, as an object and in its process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from managed import KEY, OURS, STOCK, OurManager

import procession


def test_the_server_is_stocks_to_look_at():
    manager = OurManager(("127.0.0.1", 0), KEY)
    server = manager.get_server()
    assert isinstance(server, STOCK.Server) and type(server) is OURS.Server
    assert server.address[0] == "127.0.0.1" and server.address[1] > 0
    assert server.registry is OurManager._registry and "0" in server.id_to_obj
    server.listener.close()
    with pytest.raises(TypeError, match="not bytes"):
        OURS.Server({}, None, "text", "pickle")


SERVE = """
import sys, threading
from multiprocessing.managers import SyncManager as Stock
from procession.managers import SyncManager
server = SyncManager(None, b"secret").get_server()
print(server.address, flush=True)
if sys.argv[1] == "stop":
    threading.Thread(target=lambda: (sys.stdin.read(), server.stop_event.set())).start()
try:
    server.serve_forever()
except SystemExit as end:
    print("ended", end.code, flush=True)
"""


@pytest.mark.parametrize("how", ["shutdown", "stop", "signal"])
def test_a_server_in_ones_own_process_ends_when_it_is_told(how):
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as served:
        address = served.stdout.readline().strip()
        client = OURS.SyncManager(address, KEY)
        client.connect()
        assert client.list([1])[0] == 1
        if how == "shutdown":
            client._link.ask("shutdown")
        elif how == "signal":
            served.send_signal(signal.SIGINT)
        rest, _ = served.communicate(timeout=60)
        assert (rest, served.returncode) == ("ended 0\n", 0)
    assert not Path(address).exists()


def note(path):
    Path(path).write_text(str(os.getpid()))


def test_the_initializer_runs_in_the_managers_process(tmp_path, method):
    manager = OURS.SyncManager(ctx=procession.get_context(method))
    manager.start(note, (str(tmp_path / "pid"),))
    assert (tmp_path / "pid").read_text() == str(manager._process.pid)
    assert manager._process.name.startswith("SyncManager-")
    manager.shutdown()
    assert manager._process.exitcode == 0
