"""What pages say of how an employee needs to read, and what stands chosen because of it."""

from __future__ import annotations

from typing import Any

from consult.content import content_folders
from consult.documents import needs
from consult.documents.needs import Needs
from consult.record import reading
from consult.record.consultation import Consultation
from consult.record.reading import Need
from consult.web.context import inst


def context(consultation: Consultation) -> dict[str, Any]:
    """What the pages of a consultation say of it."""
    need = need_of(consultation)
    return {
        "need": need,
        "reading_words": words(),
        "need_answers": reading.ANSWERS,
        "needs_unmet": reading.still_unmet(consultation.documents),
        "needs_left": left_unmet(consultation, need),
        "needed_leaflets": needs.comes_first(need, inst().leaflets),
        "wanted_format": needs.wanted_format,
    }


def words() -> Needs:
    """The needs that can be chosen."""
    return needs.load(content_folders("leaflets", inst().folder))


def need_of(consultation: Consultation) -> Need | None:
    """What the employee of a consultation needs."""
    return reading.need(inst().db.read(), consultation.started["employee"])


def left_unmet(consultation: Consultation, need: Need | None) -> list[tuple[str, tuple[str, ...]]]:
    """The leaflets given here that do not meet a need for which no reason is recorded yet, with those needs."""
    if need is None:
        return []
    found_now: dict[str, tuple[str, ...]] = {}
    for step in consultation.documents:
        if step.content is None or step.seq in consultation.taken_back:
            continue
        name = step.content.get("leaflet", "")
        if step.kind == "leaflet_given":
            found_now[name] = needs.not_met(need, step.content, inst().leaflets)
        elif step.kind == reading.UNMET:
            found_now[name] = tuple(c for c in found_now.get(name, ()) if c not in step.content["needs"])
    return [(name, codes) for name, codes in found_now.items() if codes]
