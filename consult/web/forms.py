"""What a page sends for a question, made into an answer: WTForms validates, our own macros draw."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from flask import request
from msgspec import Struct, field
from werkzeug.datastructures import MultiDict
from wtforms import Form, IntegerField, RadioField, SelectMultipleField, StringField
from wtforms.fields import DateField
from wtforms.validators import Length, NumberRange, Optional, ValidationError

from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.days import to_correct
from consult.proforma.fits import DATES_OF_ARRANGEMENT
from consult.proforma.model import ARRANGEMENT_PARTS, Proforma, Question
from consult.proforma.path import Path
from consult.record.store import Refused

MAX_TEXT: Final = 10_000
LONGEST_NUMBER: Final = 15
MOST_FORMS: Final = 5000
DECIDES: Final = "decide-"
BETWEEN: Final = "~"
"""Stands between the mark of an act and the name of a field that is typed for it."""
_LINE_END: Final = re.compile(r"\r\n|[\r\v\f]")
NOT_A_DATE: Final = "Enter the date as day, month and year, or leave it blank."


class Sent(Struct, frozen=True):
    """What a page sent for one question: the answer (None: blank), what it knew, or a sentence why it can't be."""

    question: Question
    answer: Answer | None
    seen: int
    error: str = ""


class _AnswerForm(Form):
    """The fields of one question; built for each kind below."""


def _field(question: Question) -> Any:
    options = {o.code: o.label for o in question.options}
    states = {s: question.state_label(s) for s in question.offered_states() if s != "not_asked"}
    thing = question.topic
    if question.kind in ("finding", "choice"):
        return RadioField(choices=states | options, validators=[Optional()])
    if question.kind == "choices":
        return SelectMultipleField(choices=states | options)
    if question.kind == "number":
        limits = NumberRange(question.min, question.max, f"{thing}: enter a number from %(min)s to %(max)s.")
        return IntegerField(validators=[Optional(), limits])
    if question.kind == "date":
        return BritishDate(NOT_A_DATE, validators=[Optional()])
    return StringField(
        validators=[Length(max=MAX_TEXT, message=f"{thing}: shorten the text to {MAX_TEXT:,} characters.")]
    )


class _Reader(Struct):
    """The form of a question, and what single choices it was found to say: a button says the same each time."""

    question: Question
    form: type[_AnswerForm]
    chosen: dict[str, Answer | None] = field(default_factory=dict[str, Answer | None])


_readers: dict[int, _Reader] = {}
"""The forms made so far, by question, as making one costs more than filling it in."""


def _reader(question: Question) -> _Reader:
    known = _readers.get(id(question))
    if known is None or known.question is not question:
        if len(_readers) >= MOST_FORMS:
            _readers.clear()
        known = _readers[id(question)] = _Reader(question, _made(question))
    return known


def _made(question: Question) -> type[_AnswerForm]:
    fields: dict[str, Any] = {"value": _field(question)}
    if question.kind == "arrangement":
        fields = {part: _part(part) for part in ARRANGEMENT_PARTS}
    return type("AnswerForm", (_AnswerForm,), fields)


def _part(part: str) -> Any:
    if part in DATES_OF_ARRANGEMENT:
        return BritishDate(NOT_A_DATE, validators=[Optional()])
    return StringField(validators=[Length(max=MAX_TEXT)])


class BritishDate(DateField):
    """A date whose error says what to do."""

    def __init__(self, message: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._message = message

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(to_correct(valuelist[0]) or self._message) from error


def reasons(question: Question, proforma: Proforma) -> dict[str, str]:
    """The reasons this question offers for not having been asked."""
    return question.reasons or proforma.not_asked_reasons


def instead(question: Question, proforma: Proforma) -> dict[str, str]:
    """What may be said instead of a value: not asked and why; for kinds without buttons also the states."""
    buttons = question.kind in ("finding", "choice")
    states = {s: question.state_label(s) for s in question.offered_states() if s != "not_asked" and not buttons}
    if "not_asked" not in question.offered_states():
        return states
    label = question.state_label("not_asked")
    return states | {code: f"{label}: {words.lower()}" for code, words in reasons(question, proforma).items()}


def said_instead(question: Question, answer: Answer | None) -> str:
    """What of that list an answer is; "" if it is a value, a button or blank."""
    if answer is None:
        return ""
    if answer.reason:
        return answer.reason
    return answer.state if answer.state in ("unsure", "declined") and question.kind not in ("finding", "choice") else ""


def read(question: Question, path: Path, sent: Mapping[str, Any], shown: Answer | None) -> Sent:
    """The answer that was sent for a question.

    `shown` is the answer the page held: a reason for not asking counts only where it is new, so that an answer
    chosen after it wins.
    """
    values = sent if isinstance(sent, MultiDict) else MultiDict(sent)
    seen = known(question, values).seq
    reason = values.get(f"reason.{question.id}", "")
    try:
        answer = _answer(question, path.proforma, values, reason, shown)
    except ValidationError as error:
        return Sent(question, shown, seen, str(error))
    return Sent(question, answer, seen)


def _answer(
    question: Question, proforma: Proforma, values: MultiDict[str, str], reason: str, shown: Answer | None
) -> Answer | None:
    given = _value(question, values)
    if reason and reason not in instead(question, proforma):
        raise ValidationError("Choose one of the reasons shown.")
    if reason and (reason != said_instead(question, shown) or given is None):
        return _for_reason(question, reason)
    return given


def _for_reason(question: Question, reason: str) -> Answer:
    return Answer(reason) if reason in question.offered_states() else Answer("not_asked", None, reason)


def with_options_kept(
    question: Question, answer: Answer | None, before: Answer | None, shown: Answer | None
) -> Answer | None:
    """A list as it is saved: with what was ticked before and the page did not show, which is only kept aside."""
    if question.kind != "choices" or before is None or not isinstance(before.value, list):
        return answer
    hidden = set(before.value) - set(shown.value if shown and isinstance(shown.value, list) else [])
    if not hidden or (answer is not None and not isinstance(answer.value, list)):
        return answer
    ticked = hidden | set(answer.value if answer and isinstance(answer.value, list) else [])
    return Answer(ANSWERED, [o.code for o in question.options if o.code in ticked])


def _value(question: Question, values: MultiDict[str, str]) -> Answer | None:
    reader, sent = _reader(question), values.getlist(f"a.{question.id}")
    if question.kind not in ("finding", "choice") or len(sent) != 1:
        return _validated(reader, values)
    (code,) = sent
    if code in reader.chosen:
        return reader.chosen[code]
    answer = _validated(reader, values)
    if code in question.offered_states() or question.option(code):
        reader.chosen[code] = answer
    return answer


def _validated(reader: _Reader, values: MultiDict[str, str]) -> Answer | None:
    question, form = reader.question, reader.form(_named(reader.question, values))
    if not form.validate():
        raise ValidationError(next(str(messages[0]) for messages in form.errors.values() if isinstance(messages, list)))
    if question.kind == "arrangement":
        return _arrangement(form)
    data = form.data["value"]
    if question.kind == "choices":
        return _list(question, data)
    if data in (None, ""):
        return None
    if isinstance(data, str) and data in question.offered_states():
        return Answer(data)
    return Answer(ANSWERED, data.isoformat() if hasattr(data, "isoformat") else _clean(data))


def _named(question: Question, values: MultiDict[str, str]) -> MultiDict[str, str]:
    prefix = f"a.{question.id}"
    if question.kind == "arrangement":
        return MultiDict({part: values.get(f"{prefix}.{part}", "") for part in ARRANGEMENT_PARTS})
    return MultiDict([("value", value) for value in values.getlist(prefix)])


def clean(text: str) -> str:
    """A text as typed, with line ends of one kind and without the characters that no page and no file can show."""
    lines = _LINE_END.sub("\n", text)
    return "".join(c for c in lines if c in "\n\t" or not (unicodedata.category(c) == "Cc" or _noncharacter(c))).strip()


def _noncharacter(character: str) -> bool:
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def typed(name: str) -> str:
    """A text field of the form that was sent; Refused if it is longer than a record should hold."""
    text = clean(request.form.get(name, ""))
    if len(text) > MAX_TEXT:
        raise Refused(f"The text is longer than {MAX_TEXT:,} characters; go back and shorten it.")
    return text


def _clean(data: Any) -> Any:
    return clean(data) or None if isinstance(data, str) else data


def _arrangement(form: _AnswerForm) -> Answer | None:
    parts = {}
    for part in ARRANGEMENT_PARTS:
        value = form.data[part]
        text = value.isoformat() if hasattr(value, "isoformat") else clean(str(value or ""))
        if text:
            parts[part] = text
    if "start" in parts and any(parts.get(p, parts["start"]) < parts["start"] for p in ("end", "review")):
        raise ValidationError("The end and the review can't be before the start; correct one of the dates.")
    return Answer(ANSWERED, dict(parts)) if parts else None


def as_sent(question: Question, sent: Mapping[str, Any]) -> Answer | None:
    """What was entered for a question though it can't be saved, so that the page can show it again to be corrected."""
    values = _named(question, sent if isinstance(sent, MultiDict) else MultiDict(sent))
    if question.kind == "arrangement":
        value: Any = dict(values)
    else:
        value = values.getlist("value") if question.kind == "choices" else clean(values.get("value", ""))
    return Answer(ANSWERED, value) if value else None


def said_at_once(question: Question, sent: Mapping[str, Any]) -> int:
    """How many of two things were entered for a question: a value, and a reason for not having asked it.

    A page that shows an answer sends the new one beside it, so that two may stand there for one; a page that shows none
    does not, and two contradict each other.
    """
    return bool(_entered(question, sent)) + bool(sent.get(f"reason.{question.id}", ""))


def all_as_sent(question: Question, sent: Mapping[str, Any], proforma: Proforma) -> Answer | None:
    """All that was entered for a question, to be shown again: a value with the reason for not asking beside it.

    No answer of the record holds both.
    """
    value, reason = _entered(question, sent), sent.get(f"reason.{question.id}", "")
    known = reason if reason in instead(question, proforma) else ""
    if value:
        whole = question.kind == "number" and isinstance(value, str) and number(value) >= 0
        return Answer(ANSWERED, number(str(value)) if whole else value, known)
    return _for_reason(question, known) if known else None


def _entered(question: Question, sent: Mapping[str, Any]) -> str | list[str] | dict[str, str]:
    """What a page sent as the value of a question, as it was typed; what is empty says that there is none."""
    values = _named(question, sent if isinstance(sent, MultiDict) else MultiDict(sent))
    if question.kind == "arrangement":
        return {part: text for part, text in values.items() if clean(text)}
    return values.getlist("value") if question.kind == "choices" else clean(values.get("value", ""))


def _list(question: Question, data: list[str]) -> Answer | None:
    states = [d for d in data if d in question.offered_states()]
    codes = [o.code for o in question.options if o.code in data]
    if states:
        return Answer(states[0])
    alone = [c for c in codes if (o := question.option(c)) and o.alone]
    if alone and len(codes) > 1:
        label = next(o.label for o in question.options if o.code == alone[0])
        raise ValidationError(f'"{label}" stands alone; untick it or the others.')
    return Answer(ANSWERED, codes) if codes else None


class Known(Struct, frozen=True):
    """What a page knew of a question: its last step, and the options it showed where that step has more."""

    seq: int
    shown: list[str] | None = None


def known(question: Question, sent: Mapping[str, Any]) -> Known:
    """What came back as `Screen.known` wrote it; 0 where nothing came."""
    seq, colon, codes = sent.get(f"seen.{question.id}", "0").partition(":")
    shown = set(codes.split(","))
    return Known(number(seq), [o.code for o in question.options if o.code in shown] if colon else None)


def deciding(question: str) -> str:
    """The mark of the fields in which something is decided about a question."""
    return f"{DECIDES}{question}"


def decisions_begun(sent: Mapping[str, Any]) -> list[str]:
    """The questions at which something of a decision was typed on the page that was sent, in its order."""
    typed_in = [name for name, text in sent.items() if name.startswith(DECIDES) and text.strip()]
    parts = [name.removeprefix(DECIDES).split(BETWEEN) for name in typed_in]
    return list(dict.fromkeys(question for question, field in parts if field in ("decision", "reason", "told")))


def number(text: str) -> int:
    """A sequence number from a form; -1 for what is none, which no step has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else -1


def questions_sent(proforma: Proforma, sent: Mapping[str, Any]) -> list[Question]:
    """The questions a page sent, in order: those whose `seen` came with it."""
    return proforma.in_order({name.removeprefix("seen.") for name in sent if name.startswith("seen.")})


def as_entered(question: Question, sent: MultiDict[str, str]) -> list[tuple[str, str]]:
    """The fields of a question's control as they came, name and value, to fill it with once more."""
    name = f"a.{question.id}"
    mine = (name, f"reason.{question.id}")
    return [
        (key, value) for key, value in sent.items(multi=True) if key in mine or key.startswith((f"{name}.", f"{name}-"))
    ]
