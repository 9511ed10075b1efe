"""The clinical safety folder: every hazard has controls that a test proves, and nothing claims an approval."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from proofs import is_there

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "clinical-safety"
TEMPLATES = ROOT / "consult" / "templates"
SEVERITIES = ("minor", "significant", "considerable", "major", "catastrophic")
LIKELIHOODS = ("very low", "low", "medium", "high", "very high")
SCTID = re.compile(r"(?<![\w.+-])\d{8,18}(?![\w.-])")
TABLE = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


safety_case = tool("safety_case")
LOG: dict[str, Any] = safety_case.hazards()
HAZARDS: list[dict[str, Any]] = LOG["hazards"]


def faults(log: dict[str, Any]) -> list[str]:
    """What is wrong with a hazard log: ids, scores, missing controls, and tests that do not exist."""
    found = []
    if [hazard["id"] for hazard in log["hazards"]] != [f"H{n:02}" for n in range(1, len(log["hazards"]) + 1)]:
        found.append("the ids are not H01, H02 and so on, each once")
    for hazard in log["hazards"]:
        controls = hazard.get("controls", [])
        if not controls and not hazard.get("open"):
            found.append(f"{hazard['id']} has no control and is not said to be open")
        named = [proof for control in controls for proof in control["proof"]]
        found += [f"{hazard['id']}: a control without a proof" for control in controls if not control["proof"]]
        found += [f"{hazard['id']}: there is no {proof}" for proof in named if not is_there(proof)]
        if hazard["severity"] not in SEVERITIES or hazard["likelihood"] not in LIKELIHOODS:
            found.append(f"{hazard['id']} is not scored in the terms of the standard")
    return found


def test_every_hazard_has_controls_that_a_test_proves_or_is_open() -> None:
    assert faults(LOG) == []
    assert len(HAZARDS) == 35


@pytest.mark.parametrize("wrong", ["no such test", "no such file", "no control", "an id twice", "a gap", "no proof"])
def test_what_is_wrong_in_a_hazard_log_is_found(wrong: str) -> None:
    log = tomllib.loads((FOLDER / "hazards.toml").read_text("utf-8"))
    first = log["hazards"][5]
    assert not first.get("open")
    match wrong:
        case "no such test":
            first["controls"][0]["proof"] = ["tests/record/test_store.py::test_that_was_never_written"]
        case "no such file":
            first["controls"][0]["proof"] = ["tests/record/store.py::test_the_same_save_again_is_one_step"]
        case "no control":
            first["controls"] = []
        case "an id twice":
            first["id"] = "H05"
        case "a gap":
            del log["hazards"][5]
        case "no proof":
            first["controls"][0]["proof"] = []
    assert len(faults(log)) == 1


def test_the_same_severity_and_likelihood_always_give_the_same_risk() -> None:
    scored = {(hazard["severity"], hazard["likelihood"], hazard["initial"]) for hazard in HAZARDS}
    assert len({pair[:2] for pair in scored}) == len(scored)
    assert {hazard["initial"] for hazard in HAZARDS} <= {1, 2, 3, 4, 5}


def test_what_is_left_after_the_controls_is_scored_by_nobody_yet() -> None:
    assert LOG["residual"] == "to be set by a Clinical Safety Officer"
    assert not [hazard["id"] for hazard in HAZARDS if "residual" in hazard]
    assert LOG["status"] == "draft"


def test_the_safety_case_is_current() -> None:
    assert (FOLDER / "safety-case.md").read_text("utf-8") == safety_case.report(LOG), "run python tools/safety_case.py"


def test_the_safety_case_says_that_nobody_has_approved_a_release() -> None:
    text = (FOLDER / "safety-case.md").read_text("utf-8")
    assert text.count(safety_case.NOT_APPROVED) == 2
    assert [line for line in text.splitlines() if line.startswith("| Clinical Safety Officer")] == [
        "| Clinical Safety Officer of the maker | not appointed | | |"
    ]
    for part in (
        "The system",
        "Clinical risk analysis",
        "Clinical risk evaluation",
        "Clinical risk control",
        "Approval",
    ):
        assert re.search(rf"^## \d+\. {part}", text, re.MULTILINE)
    assert all(f"### {hazard['id']} " in text for hazard in HAZARDS)


# ---------------------------------------------------------------- controls that no other test names


def test_every_page_of_a_consultation_says_whom_it_is_about() -> None:
    """Each template of the consultation has the banner, or is a piece of a page that has it, or is a paper."""
    banner = (TEMPLATES / "consultations" / "banner.html").read_text("utf-8")
    assert all(word in banner for word in ("employee.name", "employee.date_of_birth", "employee.local_number"))
    without = {
        path.name
        for path in (TEMPLATES / "consultations").glob("*.html")
        if "{% extends" in path.read_text("utf-8") and "banner.html" not in path.read_text("utf-8")
    }
    assert without == WITHOUT_BANNER.keys(), without


WITHOUT_BANNER = {
    "leaflet_shown.html": "the screen is turned to the employee",
    "letter.html": "the letter names the employee itself",
    "not_taken.html": "names nobody: it is no longer theirs",
    "why.html": "about a question, not a person",
}


def test_no_field_of_an_answer_is_filled_in_by_the_browser() -> None:
    text = (TEMPLATES / "macros" / "question.html").read_text("utf-8")
    fields = re.findall(r"<(?:input|select|textarea)\b[^>]*>", re.sub(r"\{%.*?%\}", "", text))
    assert len(fields) > 10
    typed = [field for field in fields if not re.search('type="(hidden|radio|checkbox)"', field)]
    assert [field for field in typed if 'autocomplete="off"' not in field] == []
    ticked = [field for field in fields if re.search('type="(radio|checkbox)"', field)]
    assert len(ticked) == 3
    assert [field for field in ticked if 'form="{{ form }}"' not in field] == []  # for these the form says it
    page = (TEMPLATES / "consultations" / "show.html").read_text("utf-8")
    assert '<form id="answers" autocomplete="off"' in page


def test_who_is_present_is_asked_and_stands_at_the_top() -> None:
    proforma = tomllib.loads((ROOT / "proformas" / "back-pain" / "proforma.toml").read_text("utf-8"))
    asked = {question["id"]: question for question in proforma["questions"]}
    assert "banner" in asked["who_is_present"]["tags"]
    assert "asked_alone" in asked


def is_sctid(number: str) -> bool:
    """Whether a number has the check digit and the partition of a SNOMED CT identifier."""
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = _together(check, int(TABLE[place % 8][int(digit)]))
    return check == 0 and number[-3:-1] in ("00", "01", "02", "10", "11", "12")


def _together(a: int, b: int) -> int:
    """Two digits in the dihedral group of ten, as the check digit of Verhoeff has it."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b - 5) % 5
    return 5 + (a - 5 - b) % 5 if b < 5 else (a - b) % 5


def test_no_code_of_a_clinical_terminology_is_in_the_content() -> None:
    assert is_sctid("22298006")  # the control: an identifier with a right check digit
    assert not is_sctid("22298007")
    files = [*(ROOT / "proformas").rglob("*.toml"), *(ROOT / "leaflets").rglob("*.md")]
    assert len(files) > 8
    found = {f"{f.name}: {n}" for f in files for n in SCTID.findall(f.read_text("utf-8")) if is_sctid(n)}
    assert found == set()
