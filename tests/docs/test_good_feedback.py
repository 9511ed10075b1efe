"""The fifteen suggestions for good feedback: each is answered once, and every test named as proof exists."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from test_audit_leads import TEXT, WORDS
from test_expectations import STATES, known, named
from test_expectations import rows as expectations

HEADING = "## Held against what is known of good feedback"
SUGGESTIONS = 15
HELD = ("done", "in part", "not done")


def rows() -> list[list[str]]:
    section = TEXT.partition(f"\n{HEADING}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "| B" in line[:3]]


def told() -> str:
    """How many are in each state, as the page says it."""
    count = Counter(row[2] for row in rows())
    return f"{count['done']} of the {SUGGESTIONS} are done, {count['in part']} in part, {count['not done']} not done"


def test_all_fifteen_stand_once_and_in_order() -> None:
    assert [row[0] for row in rows()] == [f"B{n}" for n in range(1, SUGGESTIONS + 1)]
    assert {len(row) for row in rows()} == {5}
    assert {row[2] for row in rows()} <= set(HELD)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_each_names_tests_that_exist_and_says_what_is_left(row: list[str]) -> None:
    _, suggestion, state, what, proof = row
    assert suggestion
    assert len(what.split()) >= 5
    assert [name for name in named(proof) if name not in known()] == []
    assert bool(named(proof)) == (state != "not done")
    assert re.sub(r"`test_\w+`|[, ]", "", proof) == "", "nothing but tests"


def test_the_sums_are_those_of_the_table_here_and_in_the_expectations() -> None:
    assert f"{told()}." in WORDS
    (found,) = [row for row in expectations() if row[0] == "U37"]
    assert found[2] in STATES
    assert told() in found[3]
    assert "(audit-leads.md#held-against-what-is-known-of-good-feedback)" in found[3]
    assert "no score is claimed" in found[3]


def test_the_source_is_named_and_nothing_is_said_to_be_proved() -> None:
    assert "https://doi.org/10.7326/M15-2248" in TEXT
    assert "Whether feedback by this tool changes care was not measured." in WORDS
