"""What is kept from those who may still read a case a second time: until that is done the first entry is not shown."""

from __future__ import annotations

from consult.accounts.people import CLINICIANS
from consult.audit import reliability
from consult.audit.cases import Key
from consult.exchange import entry
from consult.web.context import inst, person

WAITS = "This case was drawn for a second, blind reading; what was entered is shown here once that is done."


def waiting() -> frozenset[Key]:
    """The cases whose entries a list does not show to the clinician signed in."""
    return reliability.waiting(inst().db.read()) if person().role in CLINICIANS else frozenset()


def hidden(case: Key) -> bool:
    """Whether one case is not shown to the person signed in: who wrote it knows it anyway."""
    return case in waiting() and person().id not in entry.entered_by(inst().db.read(), case)
