"""The case: what the audit sees of one consultation, projected from its answers as the proforma's data says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.dataset import Dataset, Field
from consult.proforma.load import Definition
from consult.proforma.model import Adds, Done, Question, Sets
from consult.proforma.path import Answers, Path, group_state
from consult.proforma.rules import BLANKS, Value, holds

Case = Mapping[str, str]
"""The fields of a case by name, as text; "" is a blank, lists are codes joined by semicolons."""

BANDS: Final = ((16, "16-24"), (25, "25-34"), (35, "35-44"), (45, "45-54"), (55, "55-64"), (65, "65+"))


def codes(text: str) -> list[str]:
    """The codes of a list field, in order of writing."""
    return [code for part in text.split(";") if (code := part.strip())]


def value_of(dataset: Dataset, case: Case, name: str) -> Value:
    """What a rule sees of one field of a case: a list of codes, or the text."""
    text = case.get(name, "")
    return codes(text) if dataset.by_name[name].type == "choices" else text


def age_band(date_of_birth: date | None, on: date) -> str:
    """The age band of a person on a day; not_recorded without a date of birth, or under 16."""
    if date_of_birth is None:
        return "not_recorded"
    age = on.year - date_of_birth.year - ((on.month, on.day) < (date_of_birth.month, date_of_birth.day))
    return next((band for start, band in reversed(BANDS) if age >= start), "not_recorded")


def case_fields(
    definition: Definition,
    answers: Answers,
    facts: Collection[str],
    identity: Mapping[str, str],
    path: Path | None = None,
) -> dict[str, str]:
    """The case of a signed consultation: every field of the data set, in its order, "" where nothing is recorded.

    `answers` are all answers of the consultation (those off the path are left out here); `facts` are what was done,
    as [[done]] names it; `identity` gives the fields no question fills (case_ref, provider, site,
    consultation_date, capture_mode, clinician_role, clinician_ref, age_band, attendance_mode), and where it is not
    blank it goes before an answer. `path` is that of these very answers, where it has been worked out already.
    """
    path = path or Path(definition.proforma, answers)
    return _filled(definition, path, facts, identity, definition.dataset.by_name)


def case_after(
    definition: Definition,
    before: Case,
    moved: Collection[str],
    facts: Collection[str],
    identity: Mapping[str, str],
    path: Path,
) -> dict[str, str]:
    """The same case as `case_fields` makes, from the one `before` it: only what may be otherwise is filled anew.

    `moved` are the questions about which anything may be otherwise since; what was done and who it was are always
    filled anew.
    """
    proforma = definition.proforma
    again = frozenset(proforma.filled_by_done | identity.keys()).union(*(proforma.by_id[q].fills for q in moved))
    return {**before, **_filled(definition, path, facts, identity, again)}


def _filled(
    definition: Definition, path: Path, facts: Collection[str], identity: Mapping[str, str], names: Collection[str]
) -> dict[str, str]:
    """The fields of these names, from everything that may fill one of them."""
    filled, filling, on = _Filled(definition.dataset), definition.proforma.filling, path.on
    asked = frozenset[str]().union(*(filling[name] for name in names if name in filling))
    for question in definition.proforma.in_order(asked & on):
        if (answer := path.answer(question.id)) is not None:
            _fill_from_answer(filled, question, answer)
    for done in definition.proforma.done:
        _fill_from_fact(filled, done, done.fact in facts, path)
    for group in definition.proforma.groups:
        if group in names and any(q.id in on for q, _ in definition.proforma.counting_for[group]):
            filled.set(group, group_state(path, group))
    return filled.finished(identity, names)


class _Filled:
    """The fields as they fill up; a yes wins over a no, and anything recorded over not_recorded."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.texts: dict[str, str] = {}
        self.lists: dict[str, set[str]] = {}

    def set(self, name: str, value: str) -> None:
        if value == "yes" or self.texts.get(name, "") in BLANKS:
            self.texts[name] = value or self.texts.get(name, "")

    def take(self, sets: Sets, adds: Adds) -> None:
        for name, value in sets.items():
            self.set(name, value)
        for name, added in adds.items():
            self.lists.setdefault(name, set()).update(added)

    def finished(self, identity: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
        live, fields = identity.get("capture_mode") == "live", self.dataset.by_name
        return {
            name: "" if live and fields[name].never_live else (identity.get(name, "") or self._text(fields[name]))
            for name in names
            if name in fields
        }

    def _text(self, field: Field) -> str:
        if field.type == "choices":
            return joined(field, self.lists.get(field.name, set()))
        return self.texts.get(field.name, "") or field.blank_as


def joined(field: Field, chosen: Collection[str]) -> str:
    """The text of a list field, in the order of its options; `none` stands only where nothing else does."""
    kept = set(chosen) - {"none"} or set(chosen)
    return ";".join(option for option in field.options if option in kept)


def _fill_from_answer(filled: _Filled, question: Question, answer: Answer) -> None:
    for name in question.asked:
        filled.set(name, "no" if answer.state == "not_asked" else "yes")
    if answer.state != ANSWERED:
        filled.take(question.sets.get(answer.state, {}), question.adds.get(answer.state, {}))
        return
    chosen = answer.value if isinstance(answer.value, list) else [answer.value]
    for option in question.options:
        if option.code in chosen:
            filled.take(option.sets, option.adds)
    if question.copies and isinstance(answer.value, str):
        filled.set(question.copies, answer.value)


def _fill_from_fact(filled: _Filled, done: Done, is_done: bool, path: Path) -> None:
    if is_done:
        filled.take(done.sets, done.adds)
    elif done.when is None or holds(done.when, path.look_up):
        filled.take(done.else_sets, {})
