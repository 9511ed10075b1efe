"""The sample of a round: which cases are in it, which are beyond it or out of it, and its results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Final, Literal

from msgspec import Struct

from consult.audit import statistics
from consult.audit.cases import ORDER, TABLE, Key
from consult.audit.measures import MeasureSet
from consult.audit.results import Results, Selection, results
from consult.audit.rounds import Exclusion, Round
from consult.audit.sql import excluded
from consult.proforma.dataset import Dataset
from consult.record.database import Connection

Place = Literal["in_sample", "after_the_sample", "before_the_sample", "taken_out", "not_eligible"]
COLUMNS: Final = "provider, site, capture_mode, case_ref, consultation_date, clinician_role, consultation"


class Sampled(Struct, frozen=True):
    """One case of the period, with where it stands: in the sample, beyond it, or out of it and why."""

    row: int
    key: Key
    site: str
    date: str
    role: str
    consultation: str
    place: Place
    reason: str = ""
    exclusion: Exclusion | None = None


class Sample(Struct, frozen=True, dict=True):
    """Every case of a round's period in the order of the audit, each with its place."""

    round: Round
    cases: tuple[Sampled, ...]

    @cached_property
    def taken(self) -> tuple[Sampled, ...]:
        """The cases in the sample."""
        return tuple(case for case in self.cases if case.place == "in_sample")

    @property
    def span(self) -> tuple[str, str] | None:
        """The first and the last date of the sample; None while it is empty."""
        days = [case.date for case in self.taken]
        return (min(days), max(days)) if days else None

    def by_site(self) -> dict[tuple[str, str], tuple[int, tuple[str, str]]]:
        """The number of cases and the dates of the sample of each (provider, site)."""
        found: dict[tuple[str, str], list[str]] = {}
        for case in self.taken:
            found.setdefault((case.key[0], case.site), []).append(case.date)
        return {site: (len(days), (min(days), max(days))) for site, days in sorted(found.items())}

    @property
    def selection(self) -> Selection:
        """What selects exactly these cases, with the dates of the sample (of the period while it is empty)."""
        rows, (first, last) = (
            json.dumps([case.row for case in self.taken]),
            self.span or (self.round.start, self.round.end),
        )
        return Selection(self.round.provider, "", first, last, self.round.capture, rows, self.round.id)


def sample(conn: Connection, measures: MeasureSet, dataset: Dataset, of: Round) -> Sample:
    """The sample of a round as the case table stands now.

    Per (provider, site): the eligible cases in the order of the audit (by date, ties by order of signing, then
    case_ref) from the day the rule begins; `first` takes n of them, `all` takes every one. A case taken out leaves
    its place empty: no later case moves up, so taking cases out never pulls others in.
    """
    places = _Places(of)
    return Sample(of, tuple(places.place(*row) for row in _rows(conn, measures, dataset, of)))


def _rows(
    conn: Connection, measures: MeasureSet, dataset: Dataset, of: Round
) -> Iterator[tuple[int, Key, str, str, str, str, str]]:
    where, values = Selection(of.provider, "", of.start, of.end, of.capture).where()
    query = (
        f"SELECT rowid, {COLUMNS}, {excluded(measures.eligibility, dataset)} AS excluded "
        f"FROM {TABLE} WHERE {where} ORDER BY {ORDER}"
    )
    for row, provider, site, mode, ref, day, role, consultation, reason in conn.execute(query, values):
        yield row, (provider, mode, ref), site, day, role, consultation, reason


class _Places:
    """Gives each case its place, in the order of the audit."""

    def __init__(self, of: Round) -> None:
        self.round, self.out = of, of.out
        self.counted: Counter[tuple[str, str]] = Counter()

    def place(self, row: int, key: Key, site: str, day: str, role: str, consultation: str, reason: str) -> Sampled:
        exclusion = None if reason else self.out.get(key)
        place = self._of(key[0], site, day, reason, exclusion)
        said = reason or (exclusion.reason if exclusion and place == "taken_out" else "")
        return Sampled(row, key, site, day, role, consultation, place, said, exclusion)

    def _of(self, provider: str, site: str, day: str, reason: str, exclusion: Exclusion | None) -> Place:
        rule = self.round.of_site(site)
        if reason:
            return "not_eligible"
        if day < rule.start:
            return "before_the_sample"
        self.counted[provider, site] += 1
        if rule.rule == "first" and self.counted[provider, site] > rule.n:
            return "after_the_sample"
        return "taken_out" if exclusion else "in_sample"


def context(of: Round, site: str = "") -> Selection:
    """What a sample stands beside: every case of the period of its round, captured the same way, whatever the rule."""
    return Selection(of.provider, site, of.start, of.end, of.capture)


def round_results(conn: Connection, measures: MeasureSet, dataset: Dataset, of: Round) -> Results:
    """The results of the sample of a round."""
    return results(conn, measures, dataset, sample(conn, measures, dataset, of).selection)


class Change(Struct, frozen=True):
    """How one measure differs between two rounds of one capture mode: the counts, and later minus earlier.

    `difference`, `low` and `high` are shares (Newcombe's hybrid score interval, 95%); None where one of the
    denominators is 0.
    """

    earlier: tuple[int, int]
    later: tuple[int, int]
    difference: float | None
    low: float | None
    high: float | None


class NotComparable(Exception):
    """No change may be worked out between two rounds; the message says why and what to do."""


def change(conn: Connection, measures: MeasureSet, dataset: Dataset, earlier: Round, later: Round) -> dict[str, Change]:
    """The change of every measure from the sample of one round to that of another.

    NotComparable if their capture modes differ, or if the samples share a case: the interval is one for two samples
    that are independent.
    """
    if earlier.capture != later.capture:
        raise NotComparable(
            f"These rounds were captured in different ways ({earlier.capture} and {later.capture}), so a change "
            "between them would say nothing about care; choose two rounds of one capture mode."
        )
    before, after = (sample(conn, measures, dataset, one) for one in (earlier, later))
    if both := {case.key for case in before.taken} & {case.key for case in after.taken}:
        raise NotComparable(
            f"The two samples share {len(both)} {'case' if len(both) == 1 else 'cases'}, so no change is worked out; "
            "choose rounds whose periods do not overlap."
        )
    one, other = (results(conn, measures, dataset, found.selection) for found in (before, after))
    return {
        measure: _change((one.measures[measure].met, one.measures[measure].applicable), (now.met, now.applicable))
        for measure, now in other.measures.items()
    }


def _change(earlier: tuple[int, int], later: tuple[int, int]) -> Change:
    found = statistics.newcombe(*later, *earlier)
    return Change(earlier, later, *(found or (None, None, None)))


def counted_by_site(conn: Connection, selection: Selection) -> dict[str, int]:
    """How many cases a selection holds at each site."""
    where, values = selection.where()
    query = f"SELECT site, count(*) FROM {TABLE} WHERE {where} GROUP BY site ORDER BY site"
    return {row[0]: row[1] for row in conn.execute(query, values)}


def baseline_begun(conn: Connection, provider: str) -> bool:
    """Whether the service has any case from its notes, or has gone live: then nobody is asked to begin there."""
    query = f"SELECT 1 FROM {TABLE} WHERE provider = ? LIMIT 1"
    return conn.execute(query, (provider,)).fetchone() is not None
