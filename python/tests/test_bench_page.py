"""The page that `cargo xtask bench python` writes."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench" / "python"))

from speed import page, reasons
from speed.clock import Sample
from speed.figure import PER_SECOND, SECONDS
from speed.rounds import Measured, Side
from speed.rows import ROWS
from speed.sides import STOCK

INTS = next(row for row in ROWS if row.name == "queue-int")
CALL = next(row for row in ROWS if row.name == "pool-call")


def side(name, *values):
    return Side(name, samples=[Sample(value, 1.0, 2.0) for value in values])


def cells(row, ours, peer, texts=None):
    line = page.line(row, side("procession", *ours), side(peer, *peer_values(row)), texts or {})
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def peer_values(row):
    return (1e5,) if row is INTS else (100e-6,)


def test_a_target_that_is_reached_needs_no_reason():
    texts = {"queue-int": {"*": "because"}}
    line = cells(INTS, (2e6, 2.1e6, 1.9e6), STOCK, texts)
    assert line[1] == "2.00 M/s (1.90–2.10 M/s)"
    assert line[4:] == ["20.0×", "1.00, 2.00", "1.00, 2.00", "20×", "yes", ""]


def test_a_target_that_is_missed_has_the_reason_of_its_peer():
    texts = {"queue-int": {STOCK: "because", "*": "otherwise"}}
    assert cells(INTS, (1e6,), STOCK, texts)[7:] == ["20×", "**no**", "because"]
    assert cells(INTS, (1e5,), "billiard", texts)[7:] == ["10×", "**no**", "otherwise"]
    assert cells(INTS, (1e5,), "billiard")[9] == "not known yet"


def test_less_is_better_where_seconds_are_measured():
    assert cells(CALL, (10e-6,), STOCK)[4:9] == ["10.0×", "1.00, 2.00", "1.00, 2.00", "0.1× its time", "yes"]
    assert cells(CALL, (11e-6,), STOCK)[8] == "**no**"


def test_a_peer_that_does_not_run_is_said_so():
    lost = Side("billiard", error="not installed")
    assert "| not installed |" in page.line(INTS, side("procession", 1e6), lost, {})


def test_writing_the_section_again_leaves_the_rest_of_the_page(tmp_path):
    path = tmp_path / "benchmarks.md"
    path.write_text("# Benchmarks\n\nRust\n")
    measured = [Measured("queue-int", side("procession", 1e6), [side(STOCK, 1e5)])]
    for figure in ("first", "second"):
        page.put(path, page.section(measured, {"CPU": figure}, {}, None))
    text = path.read_text()
    assert text.startswith("# Benchmarks\n\nRust\n")
    assert (text.count("| CPU | "), text.count("## Python\n")) == (1, 1)
    assert "second" in text and text.endswith(page.END + "\n")


def test_the_reasons_name_rows_and_peers_that_exist(tmp_path, monkeypatch):
    reasons.read()
    wrong = tmp_path / "reasons.toml"
    wrong.write_text('[queue-int]\nnobody = "because"\n')
    monkeypatch.setattr(reasons, "PLACE", wrong)
    with pytest.raises(ValueError, match="no row 'queue-int' with the peer 'nobody'"):
        reasons.read()


def test_a_figure_has_three_digits_and_the_unit_that_fits():
    assert [PER_SECOND.show(value) for value in (37.12e6, 912, 0.5)] == ["37.1 M/s", "912 /s", "0.50 /s"]
    assert [SECONDS.show(value) for value in (7.25e-9, 0.0361)] == ["7.25 ns", "36.1 ms"]
