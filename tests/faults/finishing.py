"""What holds the signing of a consultation, and how a clinician lets it go."""

from __future__ import annotations

from consult.record.consultation import Gate, gate
from consult.record.store import Store, Who


def gate_of(store: Store, id_: str) -> Gate:
    consultation = store.consultation(id_)
    assert consultation
    return gate(consultation, store.path_of(consultation))


def release(store: Store, id_: str, who: Who) -> None:
    """Decide and explain what holds signing now."""
    consultation = store.consultation(id_)
    assert consultation
    path, holds = store.path_of(consultation), gate_of(store, id_)
    if holds.undecided:
        content = {
            "questions": [q.id for q in holds.undecided],
            "states": [a.state if (a := path.answer(q.id)) else "" for q in holds.undecided],
            "levels": [path.level(q.id) for q in holds.undecided],
            "decision": "discussed_senior",
            "reason": "Talked over",
            "told": "",
        }
        store.note(id_, "decision_recorded", content, f"{id_}:decided:{consultation.last_seq}", who)
    if blank := gate_of(store, id_).blank:
        content = {"reason": "out_of_time", "text": "", "questions": [q.id for q in blank]}
        store.note(id_, "blank_emergencies_explained", content, f"{id_}:explained:{consultation.last_seq}", who)
