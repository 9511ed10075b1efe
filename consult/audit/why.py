"""Why a case has its outcome on a measure: the rule that decided, in words, and the fields that it read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field

from consult.audit.case import Case
from consult.audit.eligibility import Reason
from consult.audit.measures import Measure, MeasureSet, looker, outcome_of
from consult.proforma.dataset import Dataset
from consult.proforma.rules import Lookup, Rule, holds
from consult.proforma.wording import inside

DECIDED_BY: Final = {"missing": "missing", "not_applicable": "applies", "met": "met", "not_met": "met"}
SAID: Final = {
    "missing": "Missing: whether this applies was not recorded ({}).",
    "not_applicable": "Not applicable: this does not hold: {}.",
    "met": "Met: {}.",
    "not_met": "Not met: this does not hold: {}.",
}


class Why(Struct, frozen=True):
    """What decided: outcome (or reason of exclusion), a sentence, the fields read, and the parts of a joint measure."""

    outcome: str
    sentence: str
    read: dict[str, str]
    parts: dict[str, str] = field(default_factory=dict)

    def answers(self, dataset: Dataset) -> dict[str, list[str]]:
        """What was read, in words: the names of the fields by what they hold."""
        found: dict[str, list[str]] = {}
        for name, text in self.read.items():
            found.setdefault(dataset.by_name[name].said(text), []).append(dataset.by_name[name].title)
        return found


def why(measures: MeasureSet, dataset: Dataset, case: Case, measure: str) -> Why:
    """Why one case has its outcome on one measure, or why it is not an audit case at all."""
    look_up = looker(dataset, case)
    for reason in measures.eligibility:
        if holds(reason.when, look_up):
            return _excluded(reason, dataset, case)
    chosen = measures.by_id[measure]
    if chosen.met is None:
        return _joint(measures, chosen, look_up)
    outcome = outcome_of(measures, chosen, look_up)
    rule = chosen.rules[DECIDED_BY[outcome]]
    return Why(outcome, SAID[outcome].format(words(rule, dataset)), _read(rule, case))


def _excluded(reason: Reason, dataset: Dataset, case: Case) -> Why:
    said = f"Not an audit case: {reason.label} ({words(reason.when, dataset)})."
    return Why(reason.id, said, _read(reason.when, case))


def _joint(measures: MeasureSet, measure: Measure, look_up: Lookup) -> Why:
    outcome = outcome_of(measures, measure, look_up)
    parts = {part: str(outcome_of(measures, measures.by_id[part], look_up)) for part in measures.parts(measure)}
    deciding = [measures.by_id[part].short for part, found in parts.items() if found == outcome and outcome != "met"]
    applicable = [part for part, found in parts.items() if found != "not_applicable"]
    said = {
        "not_met": f"Not met, because these are not: {', '.join(deciding)}.",
        "missing": f"Missing, because of these it is not known whether they apply: {', '.join(deciding)}.",
        "met": f"Met, because all {len(applicable)} that apply are.",
    }
    return Why(outcome, said[outcome], {}, parts)


def _read(rule: Rule, case: Case) -> dict[str, str]:
    return {leaf.field: case.get(leaf.field, "") for leaf in rule.leaves() if leaf.field is not None}


def words(rule: Rule, dataset: Dataset) -> str:
    """A rule in words; rules of a joint that test the same thing of several fields are said together."""
    if rule.field is not None:
        return f"{_title(rule, dataset)} {_test(rule, dataset)}"
    if rule.not_ is not None:
        return f"not ({words(rule.not_, dataset)})"
    parts = _together(rule.parts, "or" if rule.all_ is None else "and", dataset)
    if rule.count is not None:
        return f"{rule.at_least} or more of these: {'; '.join(_together(rule.parts, 'or', dataset))}"
    return (" and " if rule.all_ else ", or ").join(parts)


def _title(rule: Rule, dataset: Dataset) -> str:
    return f"“{dataset.by_name[rule.field or ''].title}”"


def _test(rule: Rule, dataset: Dataset) -> str:
    if rule.answered is not None:
        return "is recorded" if rule.answered else "is not recorded"
    codes = [_code(rule, code, dataset) for code in rule.values]
    return f"includes {codes[0]}" if rule.includes is not None else f"is {_listed(codes, 'or')}"


def _code(rule: Rule, code: str, dataset: Dataset) -> str:
    """A code in words, as it stands inside a sentence."""
    return inside(dataset.by_name[rule.field or ""].words(code))


def _listed(names: Sequence[str], last: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def _of_each(test: str) -> str:
    """What is tested of one field, as it is said of several."""
    return f"are each {test.removeprefix('is ')}"


def _together(parts: Sequence[Rule], joining: str, dataset: Dataset) -> list[str]:
    grouped: dict[tuple[str, str], list[str]] = {}
    for number, part in enumerate(parts):
        if part.field is None:
            grouped[("joint", str(number))] = [words(part, dataset)]
            continue
        title = _title(part, dataset)
        if part.includes is not None:
            grouped.setdefault(("list", title), []).append(_code(part, part.includes, dataset))
        else:
            grouped.setdefault(("test", _test(part, dataset)), []).append(title)
    said = []
    for (kind, key), names in grouped.items():
        if kind == "list":
            said.append(f"{key} includes {_listed(names, joining)}")
        else:
            tested = _of_each(key) if joining == "and" and len(names) > 1 else key
            said.append(names[0] if kind == "joint" else f"{_listed(names, joining)} {tested}")
    return said
