"""The items of a measure: the parts of its own rule that help it to be met."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from consult.audit.measures import Measure
from consult.proforma.dataset import Dataset
from consult.proforma.rules import Rule

ASKED_ONLY: Final = "unable"
"""The code of a finding that was asked about and could not be established."""


class Item(Struct, frozen=True):
    """One part of a measure's own rule: a finding asked about, a point told, an action."""

    label: str
    rule: Rule
    notes_only: bool = False
    """Whether a live case never holds it, so that a 0 of it would say nothing."""

    @property
    def unable(self) -> Rule | None:
        """The rule that it was asked about and could not be established; None for what is no finding."""
        if ASKED_ONLY not in self.rule.values:
            return None
        return replace(self.rule, in_=None, is_=ASKED_ONLY)


def items(measure: Measure, dataset: Dataset) -> tuple[Item, ...]:
    """The items of a measure, from the leaves of its rule `met`; none for a rule that is one leaf, or of measures."""
    if measure.met is None or not measure.met.parts:
        return ()
    found = {(leaf.field, leaf.values): leaf for leaf in _positive(measure.met)}
    return tuple(
        Item(_label(leaf, dataset), leaf, dataset.by_name[leaf.field or ""].never_live) for leaf in found.values()
    )


def _positive(rule: Rule) -> Iterator[Rule]:
    """The leaves of a rule that help it to hold: not those under a `not`."""
    if rule.field is not None:
        yield rule
    elif rule.not_ is None:
        for part in rule.parts:
            yield from _positive(part)


def _label(leaf: Rule, dataset: Dataset) -> str:
    field = dataset.by_name[leaf.field or ""]
    return field.words(leaf.includes) if leaf.includes is not None else field.title
