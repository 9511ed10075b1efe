"""What is held about one employee, gathered at one moment and put together for the employee who asks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec.structs import asdict

from consult.accounts import people
from consult.audit import cases
from consult.content import content_folders
from consult.documents import needs
from consult.documents.called import called
from consult.documents.everything import Everything, Held, Named, Told, told
from consult.documents.given import readable_leaflet
from consult.documents.note import after_signing, below_mark, mark_of, note, whole_parts
from consult.documents.report import with_names
from consult.documents.words import ROLES, uk_date, when
from consult.instance import Instance
from consult.record import about, identity, ledger
from consult.record.consultation import Consultation, fold, path_of
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, Step, append

FORM: Final = "consult everything 1"
STATES: Final = {"open": "Open", "signed": "Signed and locked", "abandoned": "Ended without signing"}
SHORTEST_REASON: Final = 5


def everything(instance: Instance, employee_id: str, reason: str, form: str, actor: str, role: str = "") -> Everything:
    """All that is held about an employee, with a step that says that it was put together, by whom and why.

    Refused for somebody who is not registered (or was erased), or without a reason.
    """
    if len(reason.strip()) < SHORTEST_REASON:
        raise Refused("Say who asked for it and when; the reason is kept with the step.")
    with instance.db.write() as conn:
        _registered(conn, employee_id)
        content = {"employee": employee_id, "form": form, "reason": " ".join(reason.split())[:500]}
        question = f"handed-out:{employee_id}"
        append(conn, Draft("record_handed_out", content, actor, instance.store.at(), question=question, role=role))
    with instance.db.snapshot() as conn:
        return gather(instance, conn, employee_id)


def gather(instance: Instance, conn: Connection, employee_id: str) -> Everything:
    """All that is held about an employee at one moment."""
    known = _registered(conn, employee_id)
    steps = about.steps_about(conn, employee_id)
    names = _named(instance, conn, steps)
    by_consultation: dict[str, list[Step]] = {}
    for step in steps:
        by_consultation.setdefault(step.consultation, []).append(step)
    other = by_consultation.pop("", [])
    held = tuple(_held(instance, conn, id_, of, names, known) for id_, of in by_consultation.items())
    head, made = ledger.head(conn), when(instance.store.at())
    return Everything(
        known.name,
        _facts(known, len(held)),
        made,
        *head,
        bool(instance.unapproved()),
        held,
        tuple(told(step, names, None) for step in other),
        _data(known, made, head, steps, names, held),
    )


def _registered(conn: Connection, employee_id: str) -> identity.Employee:
    known = identity.employee(conn, employee_id)
    if known is None:
        raise Refused("No such employee is registered; look the employee up, and take the id from the address.")
    return known


def _facts(known: identity.Employee, consultations: int) -> tuple[tuple[str, str], ...]:
    return (
        ("Date of birth", uk_date(known.date_of_birth)),
        ("Local number", known.local_number or "none"),
        ("Consultations", str(consultations)),
    )


def _named(instance: Instance, conn: Connection, steps: list[Step]) -> Named:
    """What the codes of these steps stand for; a leaflet as it was given is called what its own text calls it."""
    given = {step.content["digest"] for step in steps if step.content and {"leaflet", "digest"} <= step.content.keys()}
    kept = {digest: leaflet for digest in given if (leaflet := readable_leaflet(conn, digest))}
    every = [*instance.leaflets.values(), *kept.values()]
    words = needs.load(content_folders("leaflets", instance.folder))
    titles = {leaflet.id: leaflet.title for leaflet in every} | {digest: one.title for digest, one in kept.items()}
    languages = words.languages | {one.language: one.language_name for one in every if one.language_name}
    sites = {code: site.name for code, site in instance.sites.items()}
    return Named(people.names(conn), sites, titles, languages, words)


def _held(
    instance: Instance, conn: Connection, id_: str, steps: list[Step], names: Named, known: identity.Employee
) -> Held:
    consultation = fold(id_, steps)
    definition = instance.library.definition(conn, consultation.started["definition"])
    path = path_of(consultation, definition)
    row = cases.of_consultation(conn, id_)
    clinician = names.people.get(consultation.owner, consultation.owner)
    calls = called(conn, consultation)
    text, later = note(consultation, path, calls), after_signing(consultation, path, calls)
    mark, parts = mark_of(consultation, definition.proforma), whole_parts(consultation, path, calls)
    return Held(
        id_,
        f"{uk_date(consultation.started['held_on'])}, with {clinician}, {ROLES.get(consultation.role, '').lower()}",
        STATES.get(consultation.state, "Marked as entered in error"),
        below_mark(mark, f"{text}\n{later}" if later else text),
        mark,
        tuple((title, tuple(lines)) for title, lines in parts),
        tuple(_reports(consultation, known.name, names.people)),
        tuple((name.replace("_", " "), value) for name, value in row.fields.items() if value) if row else (),
        tuple(_counted(row.fields, instance)) if row else (),
        tuple(told(step, names, definition.proforma) for step in steps),
    )


def _counted(case: Mapping[str, str], instance: Instance) -> Iterator[tuple[str, str]]:
    """What a case holds, in the words of the data set."""
    for field in instance.library.current.dataset.fields:
        if text := case.get(field.name, ""):
            site = instance.sites.get(text) if field.name == "site" else None
            yield field.title, site.name if site else uk_date(text) if field.type == "date" else field.said(text)


def _reports(consultation: Consultation, employee: str, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for step in consultation.documents:
        if step.kind == "report_made" and step.content:
            yield when(step.at), with_names(step.content["text"], employee, names.get(step.actor, step.actor))


def _data(
    known: identity.Employee,
    made: str,
    head: tuple[int, str],
    steps: list[Step],
    names: Named,
    held: tuple[Held, ...],
) -> dict[str, Any]:
    told_of = {one.seq: one for of in held for one in of.steps}
    return {
        "form": FORM,
        "made": made,
        "head": {"step": head[0], "hash": head[1]},
        "employee": {
            "id": known.id,
            "name": known.name,
            "date_of_birth": known.date_of_birth.isoformat(),
            "local_number": known.local_number,
        },
        "consultations": [_consultation(of) for of in held],
        "steps": [_step(step, told_of.get(step.seq) or told(step, names, None), names) for step in steps],
    }


def _consultation(of: Held) -> dict[str, Any]:
    return {
        "id": of.id,
        "heading": of.heading,
        "state": of.state,
        "note": of.note,
        "reports": [{"at": at, "text": text} for at, text in of.reports],
        "case": dict(of.case),
    }


def _step(step: Step, said: Told, names: Named) -> dict[str, Any]:
    return {**asdict(step), "by": names.people.get(step.actor, step.actor), "in_words": said.what}


def as_json(all_of_it: Everything) -> str:
    """The data of it, as text."""
    return json.dumps(all_of_it.data, ensure_ascii=False, indent=1) + "\n"
