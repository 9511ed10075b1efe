"""Whether a value is one that a question can have, by its kind: what may be recorded at all."""

from __future__ import annotations

from consult.proforma.days import day_in
from consult.proforma.model import ARRANGEMENT_PARTS, Question

DATES_OF_ARRANGEMENT = ("start", "end", "review")


def fits(question: Question, value: object) -> bool:
    """Whether this value can be the answer to this question."""
    if question.kind == "choice":
        return isinstance(value, str) and question.option(value) is not None
    if question.kind == "choices":
        return isinstance(value, list) and _chosen_fit(question, value)
    if question.kind == "number":
        return type(value) is int and (question.min or 0) <= value <= (question.max or 0)
    if question.kind == "arrangement":
        return isinstance(value, dict) and _arrangement_fits(value)
    return isinstance(value, str) and (question.kind == "text" or day_in(value) is not None)


def _chosen_fit(question: Question, codes: list[object]) -> bool:
    options = [question.option(code) if isinstance(code, str) else None for code in codes]
    known = [option for option in options if option is not None]
    distinct = len(known) == len(options) == len({option.code for option in known})
    return distinct and (len(known) == 1 or not any(option.alone for option in known))


def _arrangement_fits(value: dict[object, object]) -> bool:
    parts_known = all(part in ARRANGEMENT_PARTS and isinstance(said, str) for part, said in value.items())
    return parts_known and all(day_in(str(value[part])) for part in DATES_OF_ARRANGEMENT if value.get(part))
