"""What every case from outside is held to, whatever way it comes: by a case file, from case notes, or read again."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from msgspec import Struct

from consult.audit import cases
from consult.audit.case import codes
from consult.proforma.dataset import Dataset, Field
from consult.proforma.days import day_in
from consult.proforma.rules import BLANKS
from consult.record.database import Connection
from consult.record.ledger import Draft, append
from consult.record.store import Who

MAX_CODE: Final = 64
_NHS_NUMBER: Final = re.compile(r"\d{3}[ -]?\d{3}[ -]?\d{4}")
_NO_ADDRESS: Final = re.compile(r"[/\\]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
REPLACED: Final = "The case file was imported again with --replace; no other reason was given."


def _take_all(_provider: str) -> str:
    return ""


class Import(Struct, frozen=True):
    """How cases are taken in: own provider, today, who acts and when; `replace` lets a row supersede an imported case.

    `reason` is why it does, and is kept with each case that a row supersedes.
    `add_sites` has the sites of the own provider added that are not known yet.
    `why_not` says in a sentence why no case of a provider is taken here, "" if they are.
    """

    provider: str
    today: date
    actor: str
    at: str
    replace: bool = False
    reason: str = REPLACED
    why_not: Callable[[str], str] = _take_all
    add_sites: bool = False


def prepared(raw: Mapping[str, str], dataset: Dataset, settings: Import) -> dict[str, str]:
    """The fields of a case as they are held: without blanks around them, under the own provider if none is named."""
    fields = {f.name: cleaned(f, raw.get(f.name, "")) for f in dataset.fields}
    named, own = fields["provider"], settings.provider
    return fields | {"provider": own if named.casefold() in ("", own.casefold()) else named}


def wrong_with(fields: Mapping[str, str], dataset: Dataset, settings: Import) -> list[tuple[str, str]]:
    """What keeps a case from being taken, whatever way it came, as (field, sentence); empty if nothing does."""
    if sentence := settings.why_not(fields["provider"]):
        return [("provider", sentence)]
    return list(check_fields(fields, dataset, settings.today))


def differences(dataset: Dataset, one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The fields in which two cases differ; the order of the codes of a list does not matter."""

    def same(field: Field) -> bool:
        a, b = one[field.name], other[field.name]
        return a == b or (field.type == "choices" and set(codes(a)) == set(codes(b)))

    return [field.name for field in dataset.fields if not same(field)]


def cleaned(field: Field, text: str) -> str:
    """A cell without the blanks around it; free text stays as it is."""
    if field.type == "choices":
        return ";".join(codes(text))
    return text if field.type == "text" and not field.required else text.strip()


def check_fields(fields: Mapping[str, str], dataset: Dataset, today: date) -> Iterator[tuple[str, str]]:
    """What is wrong with the fields of one case, as (field, sentence)."""
    live = fields["capture_mode"] == "live"
    for entry in dataset.fields:
        text = fields[entry.name]
        if not text and entry.required:
            yield entry.name, f"{entry.name} is blank, and every case must have it; fill it in."
        elif text:
            yield from ((entry.name, sentence) for sentence in _check_text(entry, text, today))
        if live and entry.never_live and text not in BLANKS:
            yield entry.name, f"{entry.name} is for case notes; a live case must leave it blank."


def _check_text(field: Field, text: str, today: date) -> Iterator[str]:
    if field.type == "date":
        yield from _check_date(text, today)
    elif field.type in ("choice", "choices"):
        for code in codes(text) if field.type == "choices" else [text]:
            if code not in field.options:
                yield f"{shown(code)} is not a code of {field.name}; use one of {', '.join(field.options)}."
    elif field.type == "code" or field.required:
        yield from _check_code(text)
        if field.name in cases.KEY and (_NO_ADDRESS.search(text) or text in (".", "..")):
            yield f"{shown(text)} can't stand in a page's address; write it without / and \\, and not as dots alone."


def _check_date(text: str, today: date) -> Iterator[str]:
    day = day_in(text)
    if day is None:
        yield f"{shown(text)} is not a date; write year-month-day, such as {today.isoformat()}."
    elif day > today:
        yield f"{text} is in the future; correct the date."


def _check_code(text: str) -> Iterator[str]:
    if len(text) > MAX_CODE:
        yield f"{shown(text)} is longer than {MAX_CODE} characters; shorten it."
    if _CONTROL.search(text):
        yield f"{shown(text)} holds a line end or another control character; remove it."
    if _NHS_NUMBER.fullmatch(text):
        yield "This looks like an NHS number, which a case never holds; use a local reference that names nobody."


def shown(text: str) -> str:
    """A text as a sentence may quote it: short and on one line."""
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def supersede(conn: Connection, fields: dict[str, str], reason: str, who: Who, at: str, key: str = "") -> int:
    """Write the step that supersedes a case and the one that says why; returns the number of the first."""
    key = key or str(uuid.uuid4())
    step = append(conn, Draft("case_replaced", fields, who.actor, at, role=who.role, key=f"{key}:case"))
    cases.put(conn, fields, step=step)
    content: dict[str, Any] = {**cases.named(cases.key_of(fields)), "step": step, "reason": reason}
    append(conn, Draft("case_edited", content, who.actor, at, role=who.role, key=f"{key}:why"))
    return step
