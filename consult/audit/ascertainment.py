"""Ascertainment: what became of every consultation of a round's period, by site and by role; it always adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct, field

from consult.audit.sampling import Sample
from consult.record.begun import Begun

UNKNOWN: Final = "not_known_yet"
PLACES: Final = {
    "in_sample": "Captured: in the sample",
    "taken_out": "Taken out of the sample, with a reason",
    "before_the_sample": "Before the sample begins",
    "after_the_sample": "After the sample was full",
}
ELIGIBLE_SO_FAR: Final = {
    "": "eligible by what was recorded",
    UNKNOWN: "eligibility not recorded yet",
}


class Unfinished(Struct, frozen=True):
    """A consultation that made no case: how it stands, and what its answers so far say of its eligibility.

    `excluded` is "" where they say eligible, a reason where they exclude it, UNKNOWN where they don't say yet.
    """

    begun: Begun
    excluded: str


class Row(Struct):
    """One line of the table: counts of one site, of one role, or of all."""

    name: tuple[str, ...]
    places: Counter[str] = field(default_factory=Counter)
    taken_out: Counter[str] = field(default_factory=Counter)
    not_eligible: Counter[str] = field(default_factory=Counter)
    unfinished: Counter[tuple[str, str]] = field(default_factory=Counter)
    abandoned_why: Counter[str] = field(default_factory=Counter)
    in_error: int = 0

    @property
    def cases(self) -> int:
        """The consultations that made a case: eligible or not."""
        return self.eligible_cases + sum(self.not_eligible.values())

    @property
    def eligible_cases(self) -> int:
        """The cases that are eligible, wherever they stand."""
        return sum(self.places.values())

    @property
    def captured(self) -> int:
        """The cases in the sample."""
        return self.places["in_sample"]

    def of_state(self, state: str) -> int:
        """The consultations that are open, or were abandoned, whatever their answers so far say."""
        return sum(n for (found, _), n in self.unfinished.items() if found == state)

    @property
    def eligible_unfinished(self) -> int:
        """The consultations that made no case though what was recorded says eligible."""
        return sum(n for (_, excluded), n in self.unfinished.items() if excluded == "")

    @property
    def eligible(self) -> int:
        """Every consultation known to be eligible: captured, beyond the sample, taken out, abandoned, not finished."""
        return self.eligible_cases + self.eligible_unfinished

    @property
    def begun(self) -> int:
        """Every consultation of the period: cases, open, abandoned, and entered in error."""
        return self.cases + sum(self.unfinished.values()) + self.in_error


class Table(Struct, frozen=True):
    """The ascertainment of a round: all of it, by (provider, site), and by role."""

    all: Row
    sites: tuple[Row, ...]
    roles: tuple[Row, ...]


def table(sample: Sample, unfinished: Iterable[Unfinished]) -> Table:
    """Count a sample and what made no case; every line, and the lines of each part, add up to `all`."""
    every, sites, roles = Row(()), dict[tuple[str, ...], Row](), dict[tuple[str, ...], Row]()

    def rows(provider: str, site: str, role: str) -> Sequence[Row]:
        place, post = (provider, site), (role,)
        return every, sites.setdefault(place, Row(place)), roles.setdefault(post, Row(post))

    for case in sample.cases:
        for row in rows(case.key[0], case.site, case.role):
            if case.place == "not_eligible":
                row.not_eligible[case.reason] += 1
            else:
                row.places[case.place] += 1
            if case.place == "taken_out":
                row.taken_out[case.reason] += 1
    for one in unfinished:
        for row in rows(one.begun.provider, one.begun.site, one.begun.role):
            _count_unfinished(row, one)
    return Table(every, tuple(sites[name] for name in sorted(sites)), tuple(roles[name] for name in sorted(roles)))


def _count_unfinished(row: Row, one: Unfinished) -> None:
    if one.begun.state == "entered_in_error":
        row.in_error += 1
        return
    row.unfinished[one.begun.state, one.excluded] += 1
    if one.begun.state == "abandoned":
        row.abandoned_why[one.begun.reason] += 1


def as_json(found: Table) -> dict[str, object]:
    """The table as data, internal and raw."""

    def row(one: Row) -> dict[str, object]:
        return {
            "begun": one.begun,
            "cases": one.cases,
            "eligible": one.eligible,
            "captured": one.captured,
            "before_the_sample": one.places["before_the_sample"],
            "after_the_sample": one.places["after_the_sample"],
            "taken_out": dict(one.taken_out),
            "excluded": dict(one.not_eligible),
            "abandoned": one.of_state("abandoned"),
            "abandoned_why": dict(one.abandoned_why),
            "not_finished": one.of_state("open"),
            "eligible_not_signed": one.eligible_unfinished,
            "entered_in_error": one.in_error,
        }

    return {
        "all": row(found.all),
        "sites": [{"provider": one.name[0], "site": one.name[1], **row(one)} for one in found.sites],
        "roles": [{"role": one.name[0], **row(one)} for one in found.roles],
    }
