"""measures.toml: read, and checked, also by the examples that stand in it."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from consult.audit.case import codes
from consult.audit.eligibility import ELIGIBLE, EligibilityExample
from consult.audit.measures import Breakdown, Example, Measure, MeasureSet, looker, outcome_of, why_excluded
from consult.proforma.checks import Finding
from consult.proforma.dataset import Dataset
from consult.proforma.load import parse, read_text, refuse_any
from consult.proforma.rules import Rule

FILE: Final = "measures.toml"


def load_measures(folder: Path, dataset: Dataset) -> MeasureSet:
    """Read measures.toml of a proforma's folder; ContentError lists every problem."""
    return parse_measures(read_text(folder / FILE), dataset)


@lru_cache(maxsize=8)
def parse_measures(text: str, dataset: Dataset) -> MeasureSet:
    """The measures in a text; ContentError lists every problem, the examples that do not come out included.

    The same object for the same text and data set, as running the examples takes a while.
    """
    measures = parse(MeasureSet, text, FILE, "measures", "eligibility")
    refuse_any(FILE, text, check(measures, dataset))
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
