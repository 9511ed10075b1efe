"""How a consultation ends: signed (the note and the case are written), corrected by addendum, or entered in error."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from msgspec.structs import asdict

from consult.audit import cases, gesture
from consult.audit.case import case_after, case_fields
from consult.documents.called import called
from consult.documents.note import Called, note
from consult.documents.report import digest
from consult.proforma.answer import Answer
from consult.proforma.path import differing
from consult.record.consultation import SIGNED, Consultation, Gate, answers_to_audit, facts, gate, not_recorded
from consult.record.database import Connection
from consult.record.ledger import Draft, append, steps
from consult.record.projection import project_end
from consult.record.store import Refused, Store, Who, check_answer

CASE: Final = "case"
NOTE: Final = "note"
"""What the case and the note of a state are kept under, among what was worked out from it."""

SHOWN: Final = 16
"""Characters of a note's digest that a page bears: 64 bits tell any two notes of a consultation apart."""


def as_shown(text: str) -> str:
    """The begin of the digest of a note, by which a page says which note was read."""
    return digest(text)[:SHOWN]


class GateHolds(Refused):
    """Signing is held; the page shows by what."""


class NoteChanged(GateHolds):
    """Signing is held, as the note is no longer the one that was read."""


NO_QUESTION_FILLS: Final = (
    *("case_ref", "provider", "site", "consultation_date", "capture_mode", "clinician_role", "clinician_ref"),
    *("age_band", "attendance_mode"),
)
"""The fields of a case that the program fills itself, from how the consultation began and who held it."""


def identity_fields(consultation: Consultation) -> dict[str, str]:
    """The fields of the case that no question fills."""
    begun = consultation.started
    where = (begun["provider"], begun["site"], begun["held_on"], begun["capture_mode"])
    held = (consultation.id, *where, consultation.role, consultation.owner, begun["age_band"], begun["attendance"])
    return dict(zip(NO_QUESTION_FILLS, held, strict=True))


def case_of(store: Store, consultation: Consultation) -> dict[str, str]:
    """The case of a consultation as it stands, with what addenda correct in the audit record."""
    path = store.path_of(consultation)
    done = facts(consultation, path)
    definition = store.definition_of(consultation)
    answers = answers_to_audit(consultation, definition.proforma)
    same = path if not consultation.addenda else None
    return case_fields(definition, answers, done, identity_fields(consultation), same)


def case_so_far(store: Store, consultation: Consultation) -> dict[str, str]:
    """The same as `case_of`, worked out once for a state of an open consultation, and from the state before it."""

    def work() -> dict[str, str]:
        earlier = consultation.earlier
        before = earlier.derived.get(CASE) if earlier is not None and not consultation.addenda else None
        if earlier is None or before is None:
            return case_of(store, consultation)
        return _case_after(store, consultation, earlier, before)

    return consultation.worked_out(CASE, work)


def _case_after(
    store: Store, consultation: Consultation, earlier: Consultation, before: dict[str, str]
) -> dict[str, str]:
    definition, path = store.definition_of(consultation), store.path_of(consultation)
    moved = definition.proforma.moved_by(differing(store.path_of(earlier).answers, path.answers))
    done = facts(consultation, path)
    return case_after(definition, before, moved, done, identity_fields(consultation), path)


def note_so_far(store: Store, conn: Connection, consultation: Consultation) -> str:
    """The note as it is signed, made once for a state of the consultation and what its site and leaflets are called.

    A clinician reads it through, signs, and the transaction looks whether it is still what was read: one text.
    """
    names = called(conn, consultation)

    def work() -> tuple[Called, str]:
        return names, note(consultation, store.path_of(consultation), names)

    known, text = consultation.worked_out(NOTE, work)
    return text if known == names else work()[1]


def sign(
    store: Store,
    consultation_id: str,
    who: Who,
    changed_on_purpose: bool | Collection[str],
    key: str,
    shown: str = "",
) -> None:
    """Sign and lock: one transaction writes the step, the case and the state.

    GateHolds is raised, and nothing written, while an urgent answer has no decision, a U0 question is blank without
    a reason, or a red-flag answer was changed and the tick that it was on purpose is missing. `shown` tells the
    note that was read, as `as_shown` makes it ("": none was); NoteChanged is raised where it reads otherwise now.
    """
    with store.writing(consultation_id, who) as (conn, consultation):
        text = note_so_far(store, conn, consultation)
        if shown and shown != as_shown(text):
            raise NoteChanged("The note changed since it was read; read it again, then sign.")
        path = store.path_of(consultation)
        holds = gate(consultation, path)
        if not holds.open or not _all_on_purpose(holds, changed_on_purpose):
            raise GateHolds("Signing is held: record what the page lists, then sign.")
        content = {
            "case": case_of(store, consultation),
            "note_digest": digest(text),
            "changed_on_purpose": [q.id for q in holds.no_longer],
            "not_recorded": [q.id for q in not_recorded(path)],
        }
        at = store.at()
        draft = Draft("consultation_signed", content, who.actor, at, consultation_id, "", who.role, key)
        project(store, conn, append(conn, draft))
        gesture.put(conn, consultation, path)
        project_end(conn, consultation_id, SIGNED, at)


def _all_on_purpose(holds: Gate, said: bool | Collection[str]) -> bool:
    """Whether each change listed was said to be on purpose; a list of ids covers only what the page had listed."""
    if isinstance(said, bool):
        return said or not holds.no_longer
    return {q.id for q in holds.no_longer} <= set(said)


def project(store: Store, conn: Connection, seq: int) -> None:
    """Bring the case rows up to date with a step just written."""
    (written,) = steps(conn, seq=seq)
    cases.apply(conn, store.library.current.dataset, written)


def enter_in_error(store: Store, consultation_id: str, reason: str, text: str, key: str, who: Who) -> None:
    """Mark a consultation as entered in error (wrong person): kept, and out of the audit from now on."""
    with store.db.write() as conn:
        consultation = _of(store, conn, consultation_id, who)
        if consultation.state == "entered_in_error":
            return
        at = store.at()
        content = {"reason": reason, "text": text}
        draft = Draft("entered_in_error", content, who.actor, at, consultation_id, "", who.role, key)
        project(store, conn, append(conn, draft))
        project_end(conn, consultation_id, "entered_in_error", at)


def add_addendum(
    store: Store, consultation_id: str, text: str, why: str, corrected: Mapping[str, Answer | None], key: str, who: Who
) -> None:
    """Add to a signed consultation; what is in `corrected` (None: not recorded) corrects the audit record too."""
    with store.db.write() as conn:
        consultation = _of(store, conn, consultation_id, who)
        if consultation.state != SIGNED:
            raise Refused("Only a signed consultation takes an addendum; change the answer itself instead.")
        proforma = store.definition_of(consultation).proforma
        for question, answer in corrected.items():
            if question not in proforma.by_id:
                raise Refused(f"There is no question {question} in this consultation; choose one that is shown.")
            check_answer(proforma.by_id[question], answer)
        answers = {q: asdict(a) if a is not None else None for q, a in corrected.items()}
        content: dict[str, Any] = {"text": text, "why": why, "corrects": bool(corrected), "answers": answers}
        draft = Draft("addendum_added", content, who.actor, store.at(), consultation_id, "", who.role, key)
        seq = append(conn, draft)
        if corrected and seq > consultation.last_seq:  # else a retry: the case was corrected then
            _correct_case(store, conn, consultation_id, seq, who)


def _correct_case(store: Store, conn: Connection, consultation_id: str, addendum: int, who: Who) -> None:
    consultation = store.consultation(consultation_id, conn)
    if consultation is not None:
        content = {"case": case_of(store, consultation), "addendum": addendum}
        draft = Draft("case_corrected", content, who.actor, store.at(), consultation_id, "", who.role)
        project(store, conn, append(conn, draft))


def _of(store: Store, conn: Connection, consultation_id: str, who: Who) -> Consultation:
    consultation = store.consultation(consultation_id, conn)
    if consultation is None:
        raise Refused("There is no such consultation; go back to the list.")
    if consultation.owner != who.actor:
        raise Refused("Only the clinician who held this consultation can do that.")
    return consultation
