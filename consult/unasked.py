"""What of a proforma can come about no more: a rule over a retired question, and a counted field that nothing fills."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from consult.audit.measures import MeasureSet
from consult.documents.signing import NO_QUESTION_FILLS
from consult.proforma.load import Definition
from consult.proforma.model import Proforma


def left_over(definition: Definition, measures: MeasureSet) -> Iterator[str]:
    """Each of them, in a sentence that says what to do; an author who retires a question seldom means them."""
    yield from _rules_over_retired(definition.proforma)
    yield from _fields_never_filled(definition, measures)


def _rules_over_retired(proforma: Proforma) -> Iterator[str]:
    named: list[tuple[str, Collection[str]]] = [
        (f"The question {q.id}", q.reads) for q in proforma.questions if not q.retired
    ]
    named += [(f"The contradiction {c.id}", c.questions) for c in proforma.contradictions]
    for what, ids in named:
        for id_ in (one.id for one in proforma.questions if one.retired and one.id in ids):
            yield f"{what} has a rule over {id_}, which is retired and stays blank; take it out of the rule."


def _fields_never_filled(definition: Definition, measures: MeasureSet) -> Iterator[str]:
    proforma, fields = definition.proforma, definition.dataset.by_name
    live = frozenset[str]().union(*(q.fills for q in proforma.questions if not q.retired))
    filled = live | proforma.filled_by_done | {*NO_QUESTION_FILLS}
    for measure in measures.measures:
        counted = dict.fromkeys(leaf.field for rule in measure.rules.values() for leaf in rule.leaves() if leaf.field)
        for name in (one for one in counted if one not in filled and not fields[one].never_live):
            yield (
                f"The measure {measure.id} counts the field {name}, which no question fills; in each live case it is "
                "blank, so let a question fill it, or take it out of the measure."
            )
