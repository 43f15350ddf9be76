"""Pools of two, and a word that says that a task runs."""

import pytest
from waiting import Word

import procession


@pytest.fixture
def pool(context):
    with context.Pool(2) as pool:
        yield pool


@pytest.fixture
def runs(tmp_path):
    with Word(tmp_path / "runs") as runs:
        yield runs


@pytest.fixture
def forked():
    """A pool of forked workers, for what does not depend on how they are started."""
    with procession.get_context("fork").Pool(2) as pool:
        yield pool
