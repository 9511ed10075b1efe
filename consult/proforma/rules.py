"""Rules: conditions over answers or case fields, as data; one meaning for branching, panels, groups, measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Final

from msgspec.structs import replace

from consult.proforma.strict import Strict

Value = str | int | list[str] | None
"""What a rule sees: a finding's state, an option's code, a list of codes, a number, or None for a blank."""

Lookup = Callable[[str], Value]


class OffPath(str):
    """The value of a question that does not apply: a blank for every rule, and never a "might be"."""


OFF_PATH: Final = OffPath("")

NOT_ESTABLISHED: Final = frozenset({"unsure", "declined", "not_asked"})
BLANKS: Final = frozenset({"", "not_recorded"})


class Rule(Strict, frozen=True, kw_only=True):
    """One condition: a leaf over one question or field, or a joint of other rules.

    A leaf names `question` (in a proforma), `field` (in measures) or `tagged` (any question bearing that tag)
    and has exactly one test: is, in, includes, at_least or answered. A joint is all, any, not, or count with at_least.
    """

    question: str | None = None
    field: str | None = None
    tagged: str | None = None
    is_: str | None = None
    in_: tuple[str, ...] | None = None
    includes: str | None = None
    at_least: int | None = None
    answered: bool | None = None
    all_: tuple[Rule, ...] | None = None
    any_: tuple[Rule, ...] | None = None
    not_: Rule | None = None
    count: tuple[Rule, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that has not exactly one form."""
        subjects = [s for s in (self.question, self.field, self.tagged) if s is not None]
        joints = [j for j in (self.all_, self.any_, self.not_, self.count) if j is not None]
        tests = [t for t in (self.is_, self.in_, self.includes, self.answered) if t is not None]
        if len(subjects) + len(joints) != 1:
            raise ValueError("a rule names one of question, field, tagged, all, any, not or count")
        if self.count is not None:
            if self.at_least is None or tests or self.at_least > len(self.count) or self.at_least < 1:
                raise ValueError("count needs at_least, from 1 to the number of its rules, and nothing else")
        elif joints:
            if tests or self.at_least is not None:
                raise ValueError("all, any and not take no test of their own")
            if self.all_ == () or self.any_ == ():
                raise ValueError("all and any need at least one rule")
        elif len(tests) + (self.at_least is not None) != 1:
            raise ValueError("a rule over a question needs exactly one of is, in, includes, at_least or answered")

    @property
    def subject(self) -> str | None:
        """The question or field of a leaf; None for a joint."""
        return self.question or self.field

    @property
    def parts(self) -> tuple[Rule, ...]:
        """The rules a joint is made of; empty for a leaf."""
        return self.all_ or self.any_ or self.count or ((self.not_,) if self.not_ else ())

    @property
    def needed(self) -> int:
        """How many of its parts must hold for a joint to hold; of a `not` it says nothing."""
        return len(self.parts) if self.all_ is not None else 1 if self.any_ is not None else self.at_least or 0

    def leaves(self) -> tuple[Rule, ...]:
        """Every leaf, in order of writing."""
        return self._leaves

    @cached_property
    def _leaves(self) -> tuple[Rule, ...]:
        return tuple(leaf for part in self.parts for leaf in part.leaves()) if self.parts else (self,)

    @cached_property
    def test(self) -> Callable[[Lookup], bool]:
        """The rule as a function, made once: an answer asks some hundred rules."""
        return _leaf_as_function(self) if self.subject is not None else _joint_as_function(self)

    @property
    def values(self) -> tuple[str, ...]:
        """The codes or states a leaf compares with."""
        return self.in_ or tuple(v for v in (self.is_, self.includes) if v is not None)


_TESTS: Final = ("is_", "in_", "includes", "at_least", "answered")


def expand_tags(rule: Rule, tagged: Callable[[str], list[str]]) -> Rule:
    """The same rule with each `tagged` leaf written out as `any` over the questions that bear the tag."""
    if rule.tagged is not None:
        leaves = tuple(replace(rule, tagged=None, question=q) for q in tagged(rule.tagged))
        if not leaves:
            raise ValueError(f"no question bears the tag {rule.tagged}")
        return replace(rule, tagged=None, any_=leaves, **dict.fromkeys(_TESTS))
    changes: dict[str, object] = {}
    for name in ("all_", "any_", "count"):
        if (parts := getattr(rule, name)) is not None:
            changes[name] = tuple(expand_tags(part, tagged) for part in parts)
    if rule.not_ is not None:
        changes["not_"] = expand_tags(rule.not_, tagged)
    return replace(rule, **changes) if changes else rule


def rules_in(content: object) -> Iterator[Rule]:
    """Every rule that stands anywhere in a part of a content file, whatever its key is called."""
    if isinstance(content, Rule):
        yield content
    elif isinstance(content, Strict):
        yield from (rule for name in content.__struct_fields__ for rule in rules_in(getattr(content, name)))
    elif isinstance(content, dict):
        yield from (rule for part in content.values() for rule in rules_in(part))
    elif isinstance(content, tuple):
        yield from (rule for part in content for rule in rules_in(part))


def holds(rule: Rule, look_up: Lookup) -> bool:
    """Whether the rule is true, two-valued: a leaf over a blank is false (so `not` over a blank is true)."""
    return rule.test(look_up)


def _joint_as_function(rule: Rule) -> Callable[[Lookup], bool]:
    tests = tuple(part.test for part in rule.parts)
    if rule.not_ is not None:
        (inner,) = tests
        return lambda look_up: not inner(look_up)
    needed = rule.needed
    if needed == 1 and len({_compared(part) for part in rule.parts}) == 1 and _compared(rule.parts[0]):
        return _any_of(tuple(part.subject or "" for part in rule.parts), _compared(rule.parts[0]))
    if needed == len(tests):
        return lambda look_up: all([test(look_up) for test in tests])  # noqa: C419 - a list is quicker for so few
    if needed == 1:
        return lambda look_up: any([test(look_up) for test in tests])  # noqa: C419 - a list is quicker for so few
    return lambda look_up: sum(test(look_up) for test in tests) >= needed


def _leaf_as_function(rule: Rule) -> Callable[[Lookup], bool]:
    subject = rule.subject or ""
    if values := _compared(rule):
        return lambda look_up: (value := look_up(subject)).__class__ is not list and value in values
    return lambda look_up: _leaf(rule, look_up(subject))


def _compared(rule: Rule) -> frozenset[str]:
    """The codes or states that a leaf compares a single value with; none for any other rule."""
    plain = rule.subject is not None and (rule.in_ is not None or rule.is_ is not None)
    return frozenset(rule.values) - {""} if plain else frozenset()


def _any_of(subjects: tuple[str, ...], values: frozenset[str]) -> Callable[[Lookup], bool]:
    """The rule that one of many is alike, such as that any red flag is present, without a call for each."""
    return lambda look_up: any(
        [(value := look_up(one)).__class__ is not list and value in values for one in subjects]  # noqa: C419 - a list is quicker for so few
    )


def might_hold(rule: Rule, look_up: Lookup) -> bool:
    """Whether the rule is true, or could still become true once blank and not established answers are known.

    Used for the level of a kept text: one that depends on a second answer which is blank, unsure or declined
    shows the higher text (ARCHITECTURE, "Levels are three-valued").
    """
    return _three(rule, look_up) is not False


def _three(rule: Rule, look_up: Lookup) -> bool | None:
    """Kleene's three values: None where a blank or an answer that was not established decides."""
    if rule.subject is not None:
        value = look_up(rule.subject)
        return None if is_open(value) and rule.answered is None else _leaf(rule, value)
    if rule.not_ is not None:
        inner = _three(rule.not_, look_up)
        return None if inner is None else not inner
    outcomes = [_three(part, look_up) for part in rule.parts]
    if outcomes.count(True) >= rule.needed:
        return True
    return None if outcomes.count(True) + outcomes.count(None) >= rule.needed else False


def _leaf(rule: Rule, value: Value) -> bool:
    if rule.answered is not None:
        return is_answered(value) == rule.answered
    if rule.at_least is not None:
        return isinstance(value, int) and value >= rule.at_least
    if rule.includes is not None:
        return isinstance(value, list) and rule.includes in value
    return isinstance(value, str) and value in rule.values and value != ""


def is_open(value: Value) -> bool:
    """Whether nothing is known by it yet: a blank, or not established. What is off the path is not open."""
    return value is None or (isinstance(value, str) and value in NOT_ESTABLISHED)


def is_answered(value: Value) -> bool:
    """Whether something was asked and recorded: neither blank nor "not asked" nor "not recorded"."""
    if isinstance(value, str):
        return value not in BLANKS and value != "not_asked"
    return value is not None and value != []
