"""Who is an audit case: the first reason that excludes a case, in the order written in measures.toml."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from consult.proforma.rules import Lookup, Rule, holds
from consult.proforma.strict import Strict

ELIGIBLE: Final = "eligible"


class EligibilityExample(Strict, frozen=True, kw_only=True):
    """A worked case: the reason it is excluded for, or "eligible"."""

    case: dict[str, str] = {}
    like: str = ""
    outcome: str


class Reason(Strict, frozen=True, kw_only=True):
    """One reason to leave a case out, with the rule that finds it; a reason before it has already spoken."""

    id: str
    label: str
    when: Rule
    examples: tuple[EligibilityExample, ...] = ()


def excluded(reasons: Iterable[Reason], look_up: Lookup) -> str:
    """The id of the first reason that applies; "" for an eligible case."""
    return next((reason.id for reason in reasons if holds(reason.when, look_up)), "")
