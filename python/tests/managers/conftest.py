"""A manager, and one that is connected to it."""

import multiprocessing

import pytest
from managed import KEY, PAIRS, OurManager, StockManager, remote


@pytest.fixture(params=[StockManager, OurManager], ids=["stock", "ours"])
def manager(request):
    """A manager that was started, stock's and ours, which must do the same."""
    with request.param(ctx=multiprocessing.get_context("fork")) as manager:
        yield manager


@pytest.fixture(params=PAIRS, ids=lambda name: name.replace(" ", "_"))
def pair(request):
    """A manager that was started, and one that is connected to it, of each of the two."""
    server, client = PAIRS[request.param]
    with server(("127.0.0.1", 0), KEY, ctx=multiprocessing.get_context("fork")) as started:
        connected = remote(client)(started.address, KEY)
        connected.connect()
        yield started, connected


@pytest.fixture
def ours():
    with OurManager(ctx=multiprocessing.get_context("fork")) as manager:
        yield manager
