"""Measures as data: read from measures.toml, checked with their own examples, and evaluated for one case."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from consult.audit.case import Case, codes, value_of
from consult.audit.eligibility import ELIGIBLE, EligibilityExample, Reason, excluded
from consult.proforma.checks import Finding
from consult.proforma.dataset import Dataset
from consult.proforma.load import parse, read_text, refuse_any
from consult.proforma.path import differing
from consult.proforma.rules import Lookup, Rule, holds
from consult.proforma.strict import Strict

FILE: Final = "measures.toml"
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


def load_measures(folder: Path, dataset: Dataset) -> MeasureSet:
    """Read measures.toml of a proforma's folder; ContentError lists every problem."""
    return parse_measures(read_text(folder / FILE), dataset)


@lru_cache(maxsize=8)
def parse_measures(text: str, dataset: Dataset) -> MeasureSet:
    """The measures in a text; ContentError lists every problem, the examples that do not come out included.

    The same object for the same text and data set, as running the examples takes a while.
    """
    measures = parse(MeasureSet, text, FILE, "measures", "eligibility")
    refuse_any(FILE, check(measures, dataset))
    return measures


def check(measures: MeasureSet, dataset: Dataset) -> Iterator[Finding]:
    """Everything that does not hold in a set of measures, as (id, sentence); the examples are run last."""
    found = list(_check_all(measures, dataset))
    yield from found
    if not found:
        yield from failed_examples(measures, dataset)


def _check_all(measures: MeasureSet, dataset: Dataset) -> Iterator[Finding]:
    yield from _check_ids([m.id for m in measures.measures] + [r.id for r in measures.eligibility])
    yield from (("set_aside", s) for s in check_rule(measures.set_aside.when, dataset))
    yield from (("set_aside", s) for s in _check_text(measures.set_aside.text, {"k", "n"}))
    for breakdown in measures.breakdowns:
        yield from (("breakdowns", s) for s in _check_breakdown(breakdown, dataset))
    for name, case in measures.cases.items():
        yield from ((f"cases.{name}", s) for s in _check_case(case, dataset))
    for reason in measures.eligibility:
        yield from ((reason.id, s) for s in check_rule(reason.when, dataset))
        yield from ((reason.id, s) for s in _check_examples(reason.examples, measures, dataset))
        if not {reason.id, ELIGIBLE} <= {e.outcome for e in reason.examples}:
            yield reason.id, "a reason needs an example it excludes and one that is eligible"
    for measure in measures.measures:
        yield from ((measure.id, s) for s in _check_measure(measure, measures, dataset))


def _check_breakdown(breakdown: Breakdown, dataset: Dataset) -> Iterator[str]:
    field = dataset.by_name.get(breakdown.field)
    if field is None:
        yield f"field {breakdown.field} is not in dataset.toml; correct the name"
    elif field.type != "choice" or field.never_leaves or field.section == "identity":
        yield f"field {breakdown.field} can't be broken down by; name one with options that tells neither who nor where"


def _check_ids(ids: Iterable[str]) -> Iterator[Finding]:
    for id_, n in Counter(ids).items():
        if n > 1:
            yield id_, f"{n} entries have this id; give each its own"
        if not (id_.isidentifier() and id_ == id_.lower()):
            yield id_, "an id is snake_case: small letters, digits and underscores"


def _check_measure(measure: Measure, measures: MeasureSet, dataset: Dataset) -> Iterator[str]:
    if (measure.met is None) == (measure.all_of is None):
        yield "a measure has either a rule `met` or `all_of`; write one of them"
    if measure.all_of is not None and (measure.applies or measure.missing or measure.national):
        yield "a measure with all_of is local and always applies; remove applies, missing and national"
    for rule in measure.rules.values():
        yield from check_rule(rule, dataset)
    for other in measure.shown_with:
        if other not in measures.by_id:
            yield f"shown_with names measure {other}, which is not known; correct the id"
    for part in measures.parts(measure):
        if part not in measures.by_id or measures.by_id[part].met is None:
            yield f"all_of names {part}; name measures that have rules of their own"
    yield from _check_beside(measure, dataset)
    yield from _check_examples(measure.examples, measures, dataset)
    yield from _check_enough(measure)


def _check_beside(measure: Measure, dataset: Dataset) -> Iterator[str]:
    for line in measure.beside:
        for rule in line.counts.values():
            yield from check_rule(rule, dataset)
        yield from _check_text(line.text, {"n", *line.counts} | ({"rest"} if "k" in line.counts else set()))


def _check_examples(
    examples: Iterable[Example | EligibilityExample], measures: MeasureSet, dataset: Dataset
) -> Iterator[str]:
    for example in examples:
        yield from _check_case(example.case, dataset)
        if example.like and example.like not in measures.cases:
            yield f"an example is like {example.like}, which is not in [cases]; correct the name"


def _check_enough(measure: Measure) -> Iterator[str]:
    needed = {"met", "not_met"}
    needed |= {"not_applicable"} if measure.applies else set()
    needed |= {"missing"} if measure.missing or measure.all_of else set()
    for outcome in sorted(needed - {e.outcome for e in measure.examples}):
        yield f"no example has the outcome {outcome}; add one"


def check_rule(rule: Rule, dataset: Dataset) -> Iterator[str]:
    """What does not hold in a rule over the fields of a case."""
    for leaf in rule.leaves():
        field = dataset.by_name.get(leaf.field or "")
        if leaf.field is None:
            yield "a rule of a measure names a field of the data set, not a question or a tag"
        elif field is None:
            yield f"field {leaf.field} is not in dataset.toml; correct the name"
        elif leaf.at_least is not None:
            yield f"field {leaf.field} is not a number; at_least on its own goes with count"
        elif leaf.answered is None and (field.type == "choices") != (leaf.includes is not None):
            right = "includes or answered" if field.type == "choices" else "is, in or answered"
            yield f"field {leaf.field} is of type {field.type}: use {right}"
        else:
            yield from _check_values(leaf.field, leaf.values, dataset)


def _check_values(name: str, values: Iterable[str], dataset: Dataset) -> Iterator[str]:
    options = dataset.by_name[name].options
    for value in values:
        if options and value not in options:
            yield f"field {name} knows no {value}; use one of {', '.join(options)}"


def _check_case(case: Mapping[str, str], dataset: Dataset) -> Iterator[str]:
    for name, text in case.items():
        if name not in dataset.by_name:
            yield f"an example names field {name}, which is not in dataset.toml; correct the name"
        elif dataset.by_name[name].type == "choices":
            yield from _check_values(name, codes(text), dataset)
        elif text:
            yield from _check_values(name, [text], dataset)


def _check_text(text: str, known: set[str]) -> Iterator[str]:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        yield f"the braces of its text do not match ({error}); write a name in each pair"
        return
    for name in sorted(names - known):
        yield f"its text has {{{name}}}, which is not counted; use {', '.join(sorted(known))}"


def failed_examples(measures: MeasureSet, dataset: Dataset) -> Iterator[Finding]:
    """The examples that do not come out as they say, as (id, sentence)."""
    for reason in measures.eligibility:
        yield from ((reason.id, s) for s in _failed_reasons(measures, dataset, reason.examples))
    for measure in measures.measures:
        yield from ((measure.id, s) for s in failed(measures, dataset, measure))


def _failed_reasons(measures: MeasureSet, dataset: Dataset, examples: Iterable[EligibilityExample]) -> Iterator[str]:
    for number, example in enumerate(examples, 1):
        found = why_excluded(measures, dataset, measures.case_of(example)) or ELIGIBLE
        if found != example.outcome:
            yield _differs(number, found, example.outcome)


def failed(measures: MeasureSet, dataset: Dataset, measure: Measure) -> Iterator[str]:
    """The sentences about the examples of one measure that do not come out as they say."""
    for number, example in enumerate(measure.examples, 1):
        found = outcome_of(measures, measure, looker(dataset, measures.case_of(example)))
        if found != example.outcome:
            yield _differs(number, found, example.outcome)


def _differs(number: int, found: str, expected: str) -> str:
    return f"example {number} comes out as {found}, not {expected}; correct the rule or the example"
