"""Versions of the measures: every one ever used is kept, and cases of any time can be scored under any of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from consult.audit.measures import Measure, MeasureSet
from consult.audit.measures_file import parse_measures
from consult.audit.results import Selection, judged
from consult.audit.why import words
from consult.proforma.dataset import Dataset
from consult.proforma.load import ContentError
from consult.record.database import Connection, snapshot
from consult.record.kept import Kept, of_kind

KIND: Final = "measures"
SHORT: Final = 12
"""Digits of a digest that are shown; the first FEWEST of them are enough to name a version."""
FEWEST: Final = 8


class VersionRefused(Exception):
    """No version of the measures was found, or not one; the message says why and what to do."""


def kept(conn: Connection) -> list[Kept]:
    """Every version of the measures, the one that came into use last first."""
    return of_kind(conn, KIND)


def find(conn: Connection, wanted: str) -> Kept:
    """The version with this number, or whose digest begins so; VersionRefused unless there is exactly one."""
    every = kept(conn)
    found = [one for one in every if wanted == one.version]
    if not found and len(wanted) >= FEWEST:
        found = [one for one in every if one.digest.startswith(wanted.lower())]
    if len(found) == 1:
        return found[0]
    known = "; ".join(f"{one.version} ({one.digest[:SHORT]})" for one in (found or every))
    if found:
        raise VersionRefused(f"Several versions of the measures are called {wanted}; name one by its digest: {known}.")
    raise VersionRefused(f"No version {wanted!r} of the measures is kept; these are: {known}.")


def read(one: Kept, dataset: Dataset) -> MeasureSet:
    """The measures of a kept version; VersionRefused if they name fields that cases no longer have."""
    try:
        return parse_measures(one.text, dataset)
    except ContentError as error:
        raise VersionRefused(
            f"Measures {one.version} ({one.digest[:SHORT]}) can't score the cases of today ({error.problems[0]}); "
            "choose another version."
        ) from error


class Differing(Struct, frozen=True):
    """One case that two versions judge unlike on one measure: "not held" where a version has no such measure.

    An outcome begins with "excluded: " where the case is not eligible.
    """

    case: tuple[str, str, str, str]
    """Provider, site, capture mode and case_ref."""
    measure: str
    first: str
    second: str


NOT_HELD: Final = "not held"


def compare(
    conn: Connection, one: MeasureSet, other: MeasureSet, dataset: Dataset, selection: Selection
) -> Iterator[Differing]:
    """Every difference in outcome between two versions over the cases selected, in the order of the audit."""
    ids = list(dict.fromkeys(m.id for held in (one, other) for m in held.measures))
    with snapshot(conn):
        pairs = zip(judged(conn, one, dataset, selection), judged(conn, other, dataset, selection), strict=True)
        for a, b in pairs:
            fields = a.case.fields
            case = (fields["provider"], fields["site"], fields["capture_mode"], fields["case_ref"])
            for id_ in ids:
                first, second = _outcome(a.excluded, a.outcomes, id_, one), _outcome(b.excluded, b.outcomes, id_, other)
                if first != second:
                    yield Differing(case, id_, first, second)


def _outcome(excluded: str, outcomes: dict[str, str], id_: str, held: MeasureSet) -> str:
    if id_ not in held.by_id:
        return NOT_HELD
    return f"excluded: {excluded}" if excluded else outcomes[id_]


def rule_words(held: MeasureSet, id_: str, dataset: Dataset) -> str:
    """The rules of a measure in words: when it is met, applies and is missing."""
    measure = held.by_id.get(id_)
    return "; ".join(_rules(measure, dataset)) if measure else NOT_HELD


def _rules(measure: Measure, dataset: Dataset) -> Iterator[str]:
    if measure.met is None:
        yield "met when every measure it joins is met"
    else:
        yield f"met when {words(measure.met, dataset)}"
    if measure.applies is not None:
        yield f"applies when {words(measure.applies, dataset)}"
    if measure.missing is not None:
        yield f"missing when {words(measure.missing, dataset)}"
