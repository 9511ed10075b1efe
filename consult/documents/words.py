"""Answers, dates and times in words: one wording for the screen, the note, the report and the notices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.days import MONTHS
from consult.proforma.model import Proforma, Question
from consult.proforma.path import Disagreement, Path

ROLES = {
    "nurse": "Occupational health nurse",
    "doctor": "Occupational health doctor",
    "physiotherapist": "Occupational health physiotherapist",
    "audit_lead": "Audit lead",
    "coordinator": "National coordinator",
    "administrator": "Administrator",
}
DRAFT: Final = "Draft content, not approved for clinical use"
INVENTED = (
    "Demonstration: every person, site, telephone number and case here is invented; the figures are constructed, not "
    "the national data."
)
INVENTED_SHORT = "Demonstration: everything in this document is invented."
HOUR = 3600
_OWN_STOP: Final = re.compile(r"(?<!\.)(?<!\.\w)\.$")
GIVEN_AS: Final = {
    "link": " as a link",
    "manager_link": " as a link, for the manager",
    "manager_printed": " for the manager",
}
"""How a leaflet was given, in words; what is given for the manager is no information that the employee was given."""
ATTENDANCE = {"in_person": "In person", "video": "By video", "telephone": "By telephone"}


def uk_date(value: date | str) -> str:
    """A date with its month in letters: 2 March 1980; of a step's time the day it was here."""
    if isinstance(value, str):
        value = local_time(value).date() if "T" in value else date.fromisoformat(value)
    day = value
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def uk_month(value: date | str) -> str:
    """The month of a date in letters: March 1980."""
    return uk_date(value).partition(" ")[2]


def local_time(at: str) -> datetime:
    """A step's time in the zone of this machine."""
    return datetime.fromisoformat(at).astimezone()


def clock_time(at: str) -> str:
    """The hour and minute of a step: 10:42; with the zone in the hour that a night of autumn has twice."""
    moment = datetime.fromisoformat(at).timestamp()
    local = _on_the_wall(moment)
    twice = local in (_on_the_wall(moment - HOUR), _on_the_wall(moment + HOUR))
    return f"{local.hour:02}:{local.minute:02}{f' {local_time(at):%Z}' if twice else ''}"


def _on_the_wall(moment: float) -> datetime:
    return datetime.fromtimestamp(moment)  # noqa: DTZ006 - a clock on the wall shows no zone


def lasted(start: str, end: str) -> str:
    """How long something took, from the times of two steps; "not known" where that would be negative."""
    if not start or not end or end < start:
        return "not known"
    minutes = int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()) // 60
    if minutes < 1:
        return "less than a minute"
    hours, rest = divmod(minutes, 60)
    parts = [_counted(hours, "hour"), _counted(rest, "minute")]
    return " ".join(part for part in parts if part)


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}" if n else ""


def when(at: str) -> str:
    """The date and time of a step: 2 March 1980 at 10:42."""
    return f"{uk_date(at)} at {clock_time(at)}"


def told_at(at: str, begun: str) -> str:
    """The time of a step: 10:42 on the day on which its consultation began, 2 March 1980 at 10:42 on any other."""
    return clock_time(at) if uk_date(at) == uk_date(begun) else when(at)


def at_or_on(at: str, begun: str) -> str:
    """The same in a sentence: "at 10:42", "on 2 March 1980 at 10:42"."""
    told = told_at(at, begun)
    return f"{'at' if told == clock_time(at) else 'on'} {told}"


def held(started: dict[str, Any], started_at: str) -> str:
    """When a consultation was held and began, in words; for a paper with its reference and when it was entered."""
    if started.get("capture_mode") != "paper":
        return f"{uk_date(started['held_on'])}, begun {clock_time(started_at)}"
    return f"{when(started['held_at'])} on paper {started['paper']}, entered {when(started_at)}"


def describe(question: Question, answer: Answer | None, proforma: Proforma) -> str:
    """An answer in words, as the screen, the note and the conflict notice say it."""
    if answer is None:
        return "Not recorded"
    if answer.state == "not_asked":
        known = question.reasons or proforma.not_asked_reasons
        return f"{question.state_label('not_asked')} ({known.get(answer.reason, answer.reason).lower()})"
    if answer.state != ANSWERED:
        return question.state_label(answer.state)
    return describe_value(question, answer)


def contradiction_in_words(one: Disagreement, path: Path) -> str:
    """What does not agree, with each of the answers and decisions as it stands."""
    asks = {id_: path.proforma.by_id[id_].topic for id_ in one.questions}
    questions = [path.proforma.by_id[id_] for id_ in one.contradiction.questions]
    said = [closed(f"{asks[q.id]}: {describe(q, path.answer(q.id), path.proforma)}") for q in questions]
    made = [f"Decision on {asks[id_]}: {closed(path.proforma.decisions[code])}" for id_, code in one.decisions.items()]
    return " ".join([one.contradiction.text, *said, *made])


def listed(parts: Sequence[str]) -> str:
    """Several things in a sentence: "start, end and review"."""
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last


def closed(text: str) -> str:
    """A sentence with its full stop, where whoever typed it has set none."""
    text = text.rstrip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def describe_value(question: Question, answer: Answer) -> str:
    """The value of an answer in words."""
    labels = {o.code: o.label for o in question.options}
    value = answer.value
    if isinstance(value, list):
        return "; ".join(labels.get(v, v) for v in value)
    if isinstance(value, dict):
        return arrangement_in_words(value)
    if question.kind == "date" and isinstance(value, str):
        return uk_date(value)
    unit = f" {question.unit}" if question.unit else ""
    return f"{labels.get(str(value), str(value))}{unit}"


def arrangement_in_words(value: dict[str, str]) -> str:
    """A temporary adjustment in words, with its dates."""
    parts = [_within(value["what"])] if value.get("what") else []
    for name, words in (("start", "from"), ("end", "until"), ("review", "review on")):
        if value.get(name):
            parts.append(f"{words} {uk_date(value[name])}")
    if value.get("no_end_reason"):
        parts.append(f"no end date: {_within(value['no_end_reason'])}")
    return ", ".join(parts)


def _within(text: str) -> str:
    """Typed words as they stand within a sentence: without a full stop of their own, except of "a.m." or "..."."""
    return _OWN_STOP.sub("", text.rstrip())
