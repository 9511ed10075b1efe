"""The table of expectations: every line is there, and every test it names exists."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "in-the-room.md"
STATES = ("met", "in part", "not met")
LINES = 42


def rows() -> list[list[str]]:
    table = PAGE.read_text("utf-8").partition("## What was expected")[2]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| U")
    ]


@cache
def known() -> frozenset[str]:
    """The name of every test there is."""
    files = (ROOT / "tests").rglob("test_*.py")
    return frozenset(
        name for file in files for name in re.findall(r"^\s*def (test_\w+)", file.read_text("utf-8"), re.M)
    )


def named(proof: str) -> list[str]:
    return re.findall(r"`(test_\w+)`", proof)


def test_the_whole_table_stands_in_order() -> None:
    assert [row[0] for row in rows()] == [f"U{n}" for n in range(1, LINES + 1)]
    assert {row[2] for row in rows()} <= set(STATES)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_each_line_names_tests_that_exist_or_says_why_not(row: list[str]) -> None:
    _, expected, state, proof = row
    assert expected
    assert [name for name in named(proof) if name not in known()] == []
    if state == "met":
        assert named(proof)
    else:
        assert len(re.sub(r"`\w+`", "", proof).split()) >= 5, "what is left, in words"
