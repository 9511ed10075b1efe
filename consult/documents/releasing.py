"""How a report leaves: its text is made final, shown to the employee, and released; each a step, on no other path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Final

from msgspec import Struct

from consult.documents.report import Chosen, digest, report, telephone_in, tickable, with_names
from consult.proforma.load import Definition
from consult.proforma.path import Path
from consult.record import settings
from consult.record.consultation import OPEN, SIGNED, Consultation, path_of, report_allowed, report_answers
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, append
from consult.record.release import (
    CONSENTS,
    WISHES,
    WITHOUT_CONSENT,
    Event,
    NotPossible,
    Release,
    Stage,
    after,
    as_of,
    release_of,
    step_of,
)
from consult.record.store import NotOpen, NotYours, Store, Who

_COPY: Final = {
    Stage.READY_BEFORE: "before",
    Stage.READY_SAME_TIME: "same_time",
    Stage.READY_NO_COPY: "none",
}


class Names(Struct, frozen=True):
    """Whom a report names; they are put in where it is shown, and stand in no step."""

    employee: str
    clinician: str


def now(consultation: Consultation, definition: Definition, today: date) -> Release:
    """Where the report stands today, with the day that passed and the answers that changed taken into account."""
    path = path_of(consultation, definition)
    release = release_of(consultation, definition.proforma)
    return as_of(release, today, stands=says_the_same(release, consultation, definition, path))


def says_the_same(release: Release, consultation: Consultation, definition: Definition, path: Path) -> bool:
    """Whether the final text is still what would be made now."""
    content = release.made.content if release.made else None
    chosen = chosen_again(release, definition)
    if content is None or chosen is None:
        return release.made is None
    made = report(consultation, path, chosen, telephone_in(content["text"]), consents(release, path))
    return bool(content["text"] == made)


def consents(release: Release, path: Path) -> bool:
    """Whether the employee's consent stands: by the answers, or by what was recorded of it after signing."""
    if release.stage in WITHOUT_CONSENT:
        return False
    last = next((happened for happened in reversed(release.log) if happened.event in CONSENTS), None)
    return report_allowed(path) or (last is not None and last.step is not None)


def chosen_again(release: Release, definition: Definition) -> Chosen | None:
    """What was chosen for the final text; None if there is none, or it was redacted."""
    content = release.made.content if release.made else None
    kind = definition.reports.by_id(content.get("type", "")) if content else None
    if content is None or kind is None:
        return None
    return Chosen(kind, content.get("ticked", ()), content.get("written", {}))


def make_final(
    store: Store, consultation_id: str, chosen: Chosen, names: Names, shown: str, key: str, who: Who
) -> None:
    """Make the text final; `shown` is the digest of what the page showed ("": no preview was shown).

    Refused while consent does not stand, if the text is not what was shown, or if what may never enter was ticked.
    """
    with _writing(store, consultation_id, who, key) as (conn, consultation):
        if consultation is None:
            return
        definition = store.definition_of(consultation)
        path = path_of(consultation, definition)
        release = now(consultation, definition, _today(store))
        after(release.stage, Event.TEXT_FINAL)
        if not consents(release, path):
            raise NotPossible("The report can't be made final: the employee's consent is not recorded as given.")
        _check_chosen(chosen, path)
        text = report(consultation, path, chosen, _telephone(conn, consultation), consents=True)
        leaves = digest(with_names(text, names.employee, names.clinician))
        if shown and shown != leaves:
            raise Refused("What would leave changed since this page was made; read it again, then make it final.")
        content = {
            "digest": leaves,
            "text": text,
            "adjustments": report_answers(path),
            "type": chosen.kind.id,
            "ticked": list(chosen.ticked),
            "written": {name: said for name, said in chosen.written.items() if said},
        }
        _append(store, conn, "report_made", content, consultation_id, key, who)


def _telephone(conn: Connection, consultation: Consultation) -> str:
    site = settings.sites(conn).get(consultation.started["site"])
    return site.telephone if site else ""


def _check_chosen(chosen: Chosen, path: Path) -> None:
    may = {q.id for q in tickable(path)}
    if wrong := [q for q in chosen.ticked if q not in may]:
        known = path.proforma.by_id.get(wrong[0])
        name = known.topic if known else wrong[0]
        raise Refused(f"This may not enter the report: {name}. Untick it.")
    if set(chosen.written) - {line.id for line in chosen.kind.lines}:
        raise Refused("A line was sent that this kind of report does not have; open the page again.")


def record(
    store: Store, consultation_id: str, event: Event, content: dict[str, Any], names: Names, key: str, who: Who
) -> None:
    """Record an event of the report; NotPossible or Refused, and nothing written, on any way that is not there."""
    with _writing(store, consultation_id, who, key) as (conn, consultation):
        if consultation is None:
            return
        definition, today = store.definition_of(consultation), _today(store)
        by_steps = release_of(consultation, definition.proforma)
        stands = now(consultation, definition, today)
        after(stands.stage, event)
        _check_event(event, consultation, stands, content, names)
        if stands.stage == Stage.READY_BEFORE and by_steps.stage == Stage.WITH_EMPLOYEE:
            ended = {"window_ends": by_steps.window_ends}
            _append(store, conn, "report_window_ended", ended, consultation_id, f"{key}:window", who)
        copy = {"copy": _COPY[stands.stage]} if event == Event.RELEASED else {}
        kind, full = step_of(event, content | copy)
        _append(store, conn, kind, full, consultation_id, key, who)


def _check_event(
    event: Event, consultation: Consultation, release: Release, content: dict[str, Any], names: Names
) -> None:
    if event in CONSENTS | WISHES and consultation.state == OPEN:
        raise Refused("While the consultation is open, consent and copy are answers; change the answer itself.")
    if event == Event.RELEASED and consultation.state != SIGNED:
        raise Refused("A report is released from a signed consultation; sign it first.")
    if "digest" in content:
        text = final_text(release, names)
        if text is None or digest(text) != content["digest"]:
            raise Refused("What would leave is not the final text that was made; make it final again.")
    if event == Event.COPY_GIVEN and not content["window_ends"]:
        raise Refused("Give the day until which the employee may answer.")


def final_text(release: Release, names: Names) -> str | None:
    """The final text byte for byte as it leaves; None if there is none, or names changed since it was made."""
    content = release.made.content if release.made else None
    if content is None:
        return None
    text = with_names(content["text"], names.employee, names.clinician)
    return text if digest(text) == content["digest"] else None


@contextmanager
def _writing(
    store: Store, consultation_id: str, who: Who, key: str
) -> Iterator[tuple[Connection, Consultation | None]]:
    """A transaction on a consultation that is open or signed; None for a retry whose step is there already."""
    with store.db.write() as conn:
        consultation = store.consultation(consultation_id, conn)
        if consultation is None:
            raise Refused("There is no such consultation; go back to the list.")
        if consultation.owner != who.actor:
            raise NotYours("Another clinician holds this consultation; only that clinician can do that.")
        if consultation.state not in (OPEN, SIGNED):
            raise NotOpen("This consultation was ended without signing or in error; nothing more is given from it.")
        yield conn, (None if any(step.key == key for step in consultation.documents) else consultation)


def _append(
    store: Store, conn: Connection, kind: str, content: dict[str, Any], consultation_id: str, key: str, who: Who
) -> None:
    append(conn, Draft(kind, content, who.actor, store.at(), consultation_id, "", who.role, key))


def _today(store: Store) -> date:
    return store.clock().astimezone().date()
