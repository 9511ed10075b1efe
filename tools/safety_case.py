"""Write the clinical safety case report from the hazard log: `python tools/safety_case.py`.

The report has the parts that DCB0129 asks for. It says which hazards have which controls, and which tests show them. It
gives no approval, and none can be put into the log: only a named Clinical Safety Officer can, outside this project.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "clinical-safety"
LOG, REPORT = FOLDER / "hazards.toml", FOLDER / "safety-case.md"
NOT_APPROVED = "No Clinical Safety Officer has approved a release of this tool."

BEFORE = """\
# Clinical safety case report

**{not_approved}**

This report is a draft, made by the project from its hazard log. Nobody has signed it, and the tool must not be used
with employees on the strength of it.

It has the parts that DCB0129 asks of a maker. It is written by `python tools/safety_case.py` from
[the hazard log](hazards.toml); a test fails if it is not current, or if a test named in it does not exist.

## 1. Introduction

The report covers version 0.1.0, which has not been released. It is for the Clinical Safety Officer of whoever takes the
role of maker, and for that of a service which makes its own case under DCB0160.

## 2. The system

What the tool is for, who uses it, and what it does not do: [Intended purpose](intended-purpose.md). How it is built:
[Architecture](../../ARCHITECTURE.md).

## 3. How clinical risk is managed

* Hazards are kept as data, each with its causes, its effect, its controls and what is open.
* A control is a property of the program, not an instruction to the user, and names the tests that prove it. They run on
  every change.
* What goes wrong in use is entered in the incident log of the tool, and belongs into this log.
* **People.** No Clinical Safety Officer has been appointed. No clinician has taken part in the scoring below.

## 4. Clinical risk analysis

{n} hazards were found in the project's research. They were scored before any control, in the terms of DCB0129, by the
project itself: severity (minor, significant, considerable, major, catastrophic), likelihood (very low, low, medium,
high, very high), and risk from 1 to 5, where 3 is undesirable and 4 and 5 are not acceptable. The matrix of the
standard was not at hand; a Clinical Safety Officer has to score them anew.

| Initial risk (draft) | Hazards |
|---|---|
{by_risk}

## 5. Clinical risk evaluation

What is left after the controls is **{residual}**, for every hazard.
Until that is done, none of them is accepted.

## 6. Clinical risk control, and its proof

{n_controls} controls, proved by {n_tests} tests. {n_open} of the {n} hazards have something open.

"""

AFTER = """\
## 7. What is open

{open}

## 8. Test issues

The tests named above are run by `python3 do.py test`; the long ones by `python3 do.py test -m soak`. A release may
not be made while one of them fails. What they do not show stands in [Reliability](../reliability.md) and in
[In the room](../in-the-room.md). No trial with clinicians or employees has been held.

## 9. Summary safety statement

None is made. {not_approved}

## 10. Approval

| Role | Name | Registration | Date |
|---|---|---|---|
| Clinical Safety Officer of the maker | not appointed | | |
| Maker | not appointed | | |

## 11. Configuration

The content in use is known by its fingerprint, and approved by a named clinician for one installation; see `consult
approve`. The components are listed in the lock files. The record of an installation names the version of everything it
used.
"""


def hazards(log: Path = LOG) -> dict[str, Any]:
    """The hazard log as it stands."""
    return tomllib.loads(log.read_text("utf-8"))


def report(log: dict[str, Any]) -> str:
    """The report of a hazard log, as Markdown."""
    known = log["hazards"]
    proofs = {proof for hazard in known for control in hazard["controls"] for proof in control["proof"]}
    words = {
        "not_approved": NOT_APPROVED,
        "residual": log["residual"],
        "n": len(known),
        "n_controls": sum(len(hazard["controls"]) for hazard in known),
        "n_tests": len(proofs),
        "n_open": sum(1 for hazard in known if hazard.get("open")),
        "by_risk": "\n".join(_by_risk(known)),
        "open": "\n".join(f"* **{h['id']}** {text}" for h in known for text in h.get("open", [])),
    }
    parts = [BEFORE.format(**words), *(_hazard(hazard, log["residual"]) for hazard in known), AFTER.format(**words)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _by_risk(known: list[dict[str, Any]]) -> Iterator[str]:
    for risk in sorted({hazard["initial"] for hazard in known}, reverse=True):
        yield f"| {risk} | {', '.join(hazard['id'] for hazard in known if hazard['initial'] == risk)} |"


def _hazard(hazard: dict[str, Any], residual: str) -> str:
    scored = f"{hazard['initial']}, severity {hazard['severity']}, likelihood {hazard['likelihood']}"
    lines = [
        f"### {hazard['id']} {hazard['title']}",
        "",
        f"* Causes: {'; '.join(hazard['causes'])}.",
        f"* Effect: {hazard['effect']}",
        f"* Initial risk (draft): {scored}. Residual risk: {hazard.get('residual', residual)}.",
        *(f"* Open: {text}" for text in hazard.get("open", [])),
        "",
        "| Control | Proved by |",
        "|---|---|",
    ]
    rows = [f"| {c['what']} | {'<br>'.join(f'`{_name(proof)}`' for proof in c['proof'])} |" for c in hazard["controls"]]
    return "\n".join([*lines, *rows, ""])


def _name(proof: str) -> str:
    return proof.removeprefix("tests/")


if __name__ == "__main__":
    REPORT.write_text(report(hazards()), "utf-8")
