"""The report to the manager: fitness, function, adjustments and dates; no finding, flag or diagnosis ever enters it."""

from __future__ import annotations

import hashlib

from consult.documents.words import arrangement_in_words, describe, uk_date
from consult.proforma.path import Path
from consult.record.consultation import Consultation, adjustments, report_allowed


def report(consultation: Consultation, path: Path, employee_name: str) -> str:
    """The text of the report as it would leave now: an allow-list of facts, in plain sentences."""
    dated = any(isinstance(value, dict) and value.get("review") for _, value in adjustments(path))
    again = " and look at them again on the review dates" if dated else " and when to look at them again"
    closing = f"These adjustments are temporary. Please agree with the employee how they will work,{again}. "
    consent = (
        " It was made with the employee's consent."
        if report_allowed(path)
        else " CONSENT IS NOT RECORDED: do not send."
    )
    lines = [
        "Occupational health report to the manager",
        "",
        f"Employee: {employee_name}",
        f"Date of the consultation: {uk_date(consultation.started['held_on'])}",
        "",
        *said_lines(path),
        "Temporary adjustments advised:",
        *adjustment_lines(path),
        "",
        closing + "Whether they can be made is for you as the manager to decide." if adjustments(path) else "",
        "This report holds no clinical details." + consent,
    ]
    return "\n".join(lines) + "\n"


def said_lines(path: Path) -> list[str]:
    """What the clinician wrote for the report itself: the answers the proforma marks as always in it."""
    lines = []
    for question in path.questions():
        if question.report == "always" and (answer := path.answer(question.id)) is not None:
            lines += [f"{question.report_as or question.ask}: {describe(question, answer, path.proforma)}", ""]
    return lines


def adjustment_lines(path: Path) -> list[str]:
    """One line for each adjustment: its kind, what, start, end and review, blanks said to be blank."""
    lines = []
    for question, value in adjustments(path):
        name = question.report_as or question.ask.rstrip("?")
        if isinstance(value, dict):
            missing = [w for p, w in (("end", "end date"), ("review", "review date")) if not value.get(p)]
            said = arrangement_in_words(value) or "details to be agreed"
            later = f" ({' and '.join(missing)} not given)" if missing and not value.get("no_end_reason") else ""
            lines.append(f"- {name}: {said}{later}")
        else:
            lines.append(f"- {name}: details, start, end and review to be agreed")
    return lines or ["- None"]


def digest(text: str) -> str:
    """The SHA-256 by which a finalised report is known."""
    return hashlib.sha256(text.encode()).hexdigest()
