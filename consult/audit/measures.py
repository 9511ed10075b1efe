"""Measures as data, and what each comes out as for one case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Final, Literal

from msgspec.structs import replace

from consult.audit.case import Case, value_of
from consult.audit.eligibility import EligibilityExample, Reason, excluded
from consult.proforma.dataset import Dataset
from consult.proforma.path import differing
from consult.proforma.rules import Lookup, Rule, holds
from consult.proforma.strict import Strict

Outcome = Literal["met", "not_met", "not_applicable", "missing"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("met", "not_met", "not_applicable", "missing")
Among = Literal["eligible", "applicable", "met", "not_met", "not_applicable", "missing"]


class Example(Strict, frozen=True, kw_only=True):
    """A worked case: its fields, on top of the named case it is `like` (else all others blank), and its outcome."""

    case: dict[str, str] = {}
    like: str = ""
    outcome: Outcome


class Beside(Strict, frozen=True, kw_only=True):
    """A line to print beside a result: `text` with {n} cases counted among, each named count, and {rest} = n - {k}."""

    text: str
    among: Among
    counts: dict[str, Rule] = {}


class Measure(Strict, frozen=True, kw_only=True):
    """A numerator over a denominator.

    A case is `missing` where the rule of that name holds, else `not_applicable` where `applies` does not hold, else
    `met` or `not_met`. A measure with `all_of` instead looks at the outcomes of those measures: not met if any is
    not met, else missing if any is missing, else met.
    """

    id: str
    title: str
    short: str
    numerator: str
    denominator: str
    label: str
    national: bool
    met: Rule | None = None
    applies: Rule | None = None
    missing: Rule | None = None
    all_of: Literal["national"] | tuple[str, ...] | None = None
    note: str = ""
    shown_with: tuple[str, ...] = ()
    beside: tuple[Beside, ...] = ()
    examples: tuple[Example, ...]

    @cached_property
    def reads(self) -> frozenset[str]:
        """The fields of a case that its own rules name."""
        return frozenset(leaf.field for rule in self.rules.values() for leaf in rule.leaves() if leaf.field)

    @property
    def rules(self) -> dict[str, Rule]:
        """Its rules by name."""
        rules = {"missing": self.missing, "applies": self.applies, "met": self.met}
        return {name: rule for name, rule in rules.items() if rule is not None}


class SetAside(Strict, frozen=True, kw_only=True):
    """Cases that count as they are; each result also says how many of the not met they are, and its rate without."""

    text: str
    when: Rule


class Breakdown(Strict, frozen=True, kw_only=True):
    """A field by which the page of a measure breaks down its result; `personal`: it says something about a person.

    `clinicians`: its groups are of clinicians, so it is not shown where one of them has one or two.
    Sites and ways of capture need none: they always stand apart.
    """

    field: str
    personal: bool = False
    clinicians: bool = False


class MeasureSet(Strict, frozen=True, kw_only=True):
    """The measures of an audit as one version, with who is eligible; `cases` are what examples may be like."""

    proforma: str
    version: str
    author: str
    checked_by: str
    dated: date
    set_aside: SetAside
    breakdowns: tuple[Breakdown, ...] = ()
    cases: dict[str, dict[str, str]] = {}
    eligibility: tuple[Reason, ...]
    measures: tuple[Measure, ...]

    @cached_property
    def by_id(self) -> dict[str, Measure]:
        """The measures by id."""
        return {measure.id: measure for measure in self.measures}

    @cached_property
    def national(self) -> tuple[str, ...]:
        """The ids of the national measures, in order."""
        return tuple(measure.id for measure in self.measures if measure.national)

    def headings(self) -> list[tuple[Measure, bool]]:
        """The national measures, each followed by the local ones that must stand beside it (True: stands beside)."""
        return [one for measure in self.measures if measure.national for one in self._with_beside(measure)]

    def others(self) -> list[tuple[Measure, bool]]:
        """The local measures that stand beside no national one, each followed by those that stand beside it."""
        shown = {measure.id for measure, _ in self.headings()}
        return [one for measure in self.measures if measure.id not in shown for one in self._with_beside(measure)]

    def _with_beside(self, measure: Measure) -> list[tuple[Measure, bool]]:
        beside = [self.by_id[other] for other in measure.shown_with]
        return [(measure, False), *((other, True) for other in beside if not other.national)]

    def only(self, measure: Measure) -> MeasureSet:
        """The same set with one measure and those it is made of."""
        needed = {measure.id, *self.parts(measure)}
        kept = tuple(m for m in self.measures if m.id in needed)
        return replace(self, measures=kept)

    def case_of(self, example: Example | EligibilityExample) -> dict[str, str]:
        """The whole case of an example."""
        return {**self.cases.get(example.like, {}), **example.case}

    def parts(self, measure: Measure) -> list[str]:
        """The ids of the measures that one with `all_of` is made of; empty for the others."""
        return list(self.national) if measure.all_of == "national" else list(measure.all_of or ())


def outcome_of(measures: MeasureSet, measure: Measure, look_up: Lookup) -> Outcome:
    """The outcome of one measure for one case."""
    if measure.met is None:
        parts = {outcome_of(measures, measures.by_id[part], look_up) for part in measures.parts(measure)}
        return "not_met" if "not_met" in parts else "missing" if "missing" in parts else "met"
    if measure.missing is not None and holds(measure.missing, look_up):
        return "missing"
    if measure.applies is not None and not holds(measure.applies, look_up):
        return "not_applicable"
    return "met" if holds(measure.met, look_up) else "not_met"


def looker(dataset: Dataset, case: Case) -> Lookup:
    """How rules read a case."""
    return lambda name: value_of(dataset, case, name)


def outcomes(measures: MeasureSet, dataset: Dataset, case: Case) -> dict[str, Outcome]:
    """The outcome of every measure for one case, whether or not it is eligible."""
    look_up = looker(dataset, case)
    return {measure.id: outcome_of(measures, measure, look_up) for measure in measures.measures}


def headings_met(
    measures: MeasureSet, dataset: Dataset, case: Case, before: tuple[Case, Mapping[str, Outcome]] | None = None
) -> dict[str, Outcome]:
    """The outcome of every national measure for one case.

    Of a case `before` it, with its outcomes, those are taken over whose fields hold the same.
    """
    look_up = looker(dataset, case)
    earlier, known = before or ({}, {})
    moved = differing(earlier, case)
    same = {id_ for id_ in known if moved.isdisjoint(measures.by_id[id_].reads)}
    national = measures.national
    return {i: known[i] if i in same else outcome_of(measures, measures.by_id[i], look_up) for i in national}


def why_excluded(measures: MeasureSet, dataset: Dataset, case: Case) -> str:
    """The reason a case is not eligible; "" if it is."""
    return excluded(measures.eligibility, looker(dataset, case))
