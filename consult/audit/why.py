"""Why a case has its outcome on a measure: the rule that decided, in words, and the fields that it read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from consult.audit.case import Case
from consult.audit.eligibility import Reason
from consult.audit.measures import Measure, MeasureSet, looker, outcome_of
from consult.proforma.dataset import Dataset
from consult.proforma.rules import Lookup, Rule, holds

DECIDED_BY: Final = {"missing": "missing", "not_applicable": "applies", "met": "met", "not_met": "met"}
SAID: Final = {
    "missing": "Missing: whether this applies was not recorded ({}).",
    "not_applicable": "Not applicable: this does not hold: {}.",
    "met": "Met: {}.",
    "not_met": "Not met: this does not hold: {}.",
}


@dataclass(frozen=True)
class Why:
    """What decided: outcome (or reason of exclusion), a sentence, the fields read, and the parts of a joint measure."""

    outcome: str
    sentence: str
    read: dict[str, str]
    parts: dict[str, str] = field(default_factory=dict)


def why(measures: MeasureSet, dataset: Dataset, case: Case, measure: str) -> Why:
    """Why one case has its outcome on one measure, or why it is not an audit case at all."""
    look_up = looker(dataset, case)
    for reason in measures.eligibility:
        if holds(reason.when, look_up):
            return _excluded(reason, case)
    chosen = measures.by_id[measure]
    if chosen.met is None:
        return _joint(measures, chosen, look_up)
    outcome = outcome_of(measures, chosen, look_up)
    rule = chosen.rules[DECIDED_BY[outcome]]
    return Why(outcome, SAID[outcome].format(words(rule)), _read(rule, case))


def _excluded(reason: Reason, case: Case) -> Why:
    return Why(reason.id, f"Not an audit case: {reason.label} ({words(reason.when)}).", _read(reason.when, case))


def _joint(measures: MeasureSet, measure: Measure, look_up: Lookup) -> Why:
    outcome = outcome_of(measures, measure, look_up)
    parts = {part: str(outcome_of(measures, measures.by_id[part], look_up)) for part in measures.parts(measure)}
    deciding = [part for part, found in parts.items() if found == outcome and outcome != "met"]
    applicable = [part for part, found in parts.items() if found != "not_applicable"]
    said = {
        "not_met": f"Not met, because these are not: {', '.join(deciding)}.",
        "missing": f"Missing, because of these it is not known whether they apply: {', '.join(deciding)}.",
        "met": f"Met, because all {len(applicable)} that apply are.",
    }
    return Why(outcome, said[outcome], {}, parts)


def _read(rule: Rule, case: Case) -> dict[str, str]:
    return {leaf.field: case.get(leaf.field, "") for leaf in rule.leaves() if leaf.field is not None}


def words(rule: Rule) -> str:
    """A rule in words; rules of a joint that test the same thing of several fields are said together."""
    if rule.field is not None:
        return f"{rule.field} {_test(rule)}"
    if rule.not_ is not None:
        return f"not ({words(rule.not_)})"
    parts = _together(rule.parts, "or" if rule.all_ is None else "and")
    if rule.count is not None:
        return f"{rule.at_least} or more of these: {'; '.join(_together(rule.parts, 'or'))}"
    return (" and " if rule.all_ else ", or ").join(parts)


def _test(rule: Rule) -> str:
    if rule.answered is not None:
        return "is recorded" if rule.answered else "is not recorded"
    if rule.includes is not None:
        return f"includes {rule.includes}"
    return f"is {_listed(rule.values, 'or')}"


def _listed(names: Sequence[str], last: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def _together(parts: Sequence[Rule], joining: str) -> list[str]:
    grouped: dict[tuple[str, str], list[str]] = {}
    for number, part in enumerate(parts):
        if part.includes is not None and part.field is not None:
            grouped.setdefault(("list", part.field), []).append(part.includes)
        elif part.field is not None:
            grouped.setdefault(("test", _test(part)), []).append(part.field)
        else:
            grouped[("joint", str(number))] = [words(part)]
    said = []
    for (kind, key), names in grouped.items():
        if kind == "list":
            said.append(f"{key} includes {_listed(names, joining)}")
        else:
            said.append(names[0] if kind == "joint" else f"{_listed(names, joining)} {key}")
    return said
