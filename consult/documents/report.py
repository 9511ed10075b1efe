"""The report to the manager: function, adjustments and dates only; no finding, flag or diagnosis ever enters it."""

from __future__ import annotations

import hashlib

from consult.documents.words import arrangement_in_words, uk_date
from consult.proforma.path import Path
from consult.record.consultation import Consultation, adjustments


def report(consultation: Consultation, path: Path, employee_name: str) -> str:
    """The text of the report as it would leave now: an allow-list of facts, in plain sentences."""
    lines = [
        "Occupational health report to the manager",
        "",
        f"Employee: {employee_name}",
        f"Date of the consultation: {uk_date(consultation.started['held_on'])}",
        "",
        "Temporary adjustments advised:",
        *adjustment_lines(path),
        "",
        "These adjustments are temporary. Please agree with the employee how they will work, and look at them",
        "again on the review dates. Whether they can be made is for you as the manager to decide.",
        "This report holds no clinical details. It was made with the employee's consent.",
    ]
    return "\n".join(lines) + "\n"


def adjustment_lines(path: Path) -> list[str]:
    """One line for each adjustment: its kind, what, start, end and review, blanks said to be blank."""
    lines = []
    for question, value in adjustments(path):
        if isinstance(value, dict):
            missing = [w for p, w in (("end", "end date"), ("review", "review date")) if not value.get(p)]
            said = arrangement_in_words(value) or "details to be agreed"
            later = f" ({' and '.join(missing)} not given)" if missing and not value.get("no_end_reason") else ""
            lines.append(f"- {question.ask.rstrip('?')}: {said}{later}")
        else:
            lines.append(f"- {question.ask.rstrip('?')}: details, start, end and review to be agreed")
    return lines or ["- None"]


def digest(text: str) -> str:
    """The SHA-256 by which a finalised report is known."""
    return hashlib.sha256(text.encode()).hexdigest()
