"""What consultations that made no case say of themselves so far: the part of the ascertainment that no case tells."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from consult.audit import cases
from consult.audit.ascertainment import UNKNOWN, Table, Unfinished, table
from consult.audit.eligibility import excluded
from consult.audit.in_error import taken_out
from consult.audit.measures import MeasureSet, looker
from consult.audit.rounds import Round
from consult.audit.sampling import Sample
from consult.documents.signing import case_of
from consult.record.begun import Begun, not_signed
from consult.record.store import Store


def unfinished(store: Store, measures: MeasureSet, of: Round) -> list[Unfinished]:
    """The consultations of a round's period that made no case, each with its eligibility by what was recorded."""
    found = partial(so_far, store, measures)
    begun = not_signed(store.db.read(), of.capture, of.start, of.end)
    held = [Unfinished(one, found(one)) for one in begun if of.provider in ("", one.provider)]
    return held + list(_in_error(store, measures, of))


def _in_error(store: Store, measures: MeasureSet, of: Round) -> Iterator[Unfinished]:
    """The cases of a round's period that were taken out as entered in error, and what they would have been."""
    dataset = store.library.current.dataset
    for one in taken_out(store.db.read()):
        case = cases.fitted(dataset, one.fields)
        day = case["consultation_date"]
        if case["capture_mode"] == of.capture and of.start <= day <= of.end and of.provider in ("", case["provider"]):
            place = (case["case_ref"], case["provider"], case["site"], case["clinician_role"], day)
            why = excluded(measures.eligibility, looker(dataset, case))
            yield Unfinished(Begun(*place, "entered_in_error", one.reason), why)


def so_far(store: Store, measures: MeasureSet, begun: Begun) -> str:
    """What excludes a consultation by its answers so far: "" if they say eligible, UNKNOWN while they don't say."""
    consultation = store.consultation(begun.id)
    if consultation is None:
        return UNKNOWN
    dataset = store.library.current.dataset
    reason = excluded(measures.eligibility, looker(dataset, case_of(store, consultation)))
    return UNKNOWN if reason.endswith("_unknown") else reason


def ascertainment(store: Store, measures: MeasureSet, sample: Sample) -> Table:
    """The ascertainment of a round: its sample, and every consultation of its period that made no case."""
    return table(sample, unfinished(store, measures, sample.round))
