"""Every program on the page about Python runs."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
PROGRAMS = re.findall(r"^### (.*?)$.*?^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_page_has_programs():
    assert len(PROGRAMS) >= 5


@pytest.mark.parametrize(("name", "program"), PROGRAMS, ids=[name for name, _ in PROGRAMS])
def test_the_program_runs(run, name, program):
    run(program)
