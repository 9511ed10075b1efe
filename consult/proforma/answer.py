"""An answer: what the steps say about one question now."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from consult.proforma.rules import Value

FINDING_STATES: Final = ("present", "absent", "unsure", "declined", "not_asked")
ANSWERED: Final = "answered"
HELD: Final = ("present", "unsure", "declined")
"""The states of a finding that must not slip away; a kept text is for them unless it says otherwise."""
HELD_STATES: Final = frozenset(HELD)

AnswerValue = str | int | list[str] | dict[str, str] | None


class Answer(Struct, frozen=True):
    """One answer: its state, the value of questions that have one, and the reason when it was not asked.

    state is present, absent, unsure, declined or not_asked for findings, and "answered" where `value` holds it.
    """

    state: str
    value: AnswerValue = None
    reason: str = ""

    def as_value(self) -> Value:
        """What a rule sees of this answer."""
        if self.state != ANSWERED:
            return self.state
        if isinstance(self.value, dict):
            return ANSWERED
        return self.value
