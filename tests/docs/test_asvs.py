"""The table of security requirements: every one is answered, and what shows it is there."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from proofs import is_there
from test_clinical_safety import tool

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = ROOT / "tests" / "data" / "asvs-5.0-levels-1-and-2.txt"
asvs = tool("asvs")
CHAPTERS: list[dict[str, Any]] = asvs.chapters()


def expected() -> list[tuple[str, int]]:
    """The number and level of every requirement of the standard at levels 1 and 2, in order."""
    lines = [line.split() for line in NUMBERS.read_text("utf-8").splitlines() if not line.startswith("#")]
    return [(number, int(level)) for number, level in lines]


def faults(chapters: list[dict[str, Any]]) -> list[str]:
    """What is wrong with a table: numbers that are missing, answers without a reason, proofs that do not exist."""
    every = [(id_, of) for chapter in chapters for id_, of in chapter["requirements"].items()]
    found = [] if [(id_, of["level"]) for id_, of in every] == expected() else ["not the requirements of the standard"]
    for id_, of in every:
        proofs = of.get("proof", [])
        found += [f"{id_}: there is no {proof}" for proof in proofs if not is_there(proof)]
        if of["state"] == "met" and not proofs:
            found.append(f"{id_} is met, and nothing shows it")
        if of["state"] != "met" and (proofs or not of.get("note")):
            found.append(f"{id_} is not met or not applicable, and does not say why")
        if of["state"] not in ("met", "not met", "not applicable"):
            found.append(f"{id_} has no state")
    return found


def test_every_requirement_is_answered_and_what_shows_it_is_there() -> None:
    assert faults(CHAPTERS) == []
    assert len(expected()) == 253


@pytest.mark.parametrize("wrong", ["a requirement left out", "no such test", "met by nothing", "not met without a why"])
def test_what_is_wrong_in_the_table_is_found(wrong: str) -> None:
    table = copy.deepcopy(CHAPTERS)
    first = table[0]["requirements"]
    match wrong:
        case "a requirement left out":
            del first["1.1.2"]
        case "no such test":
            first["1.1.2"]["proof"] = ["tests/web/test_answers.py::test_that_was_never_written"]
        case "met by nothing":
            first["1.1.2"]["proof"] = []
        case "not met without a why":
            first["1.1.2"] = {"level": 2, "asks": "x", "state": "not met"}
    assert len(faults(table)) == 1


def test_the_page_is_current() -> None:
    assert (ROOT / "docs" / "security" / "asvs.md").read_text("utf-8") == asvs.page(CHAPTERS), (
        "run python tools/asvs.py"
    )
