"""No text of the audit that is shown to every role, or handed on, takes the name of an employee: reasons no less."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pages
import pytest
from visiting import EMPLOYEE, Service, Visitor

from consult.accounts.policy import TEXTS
from consult.audit import rounds
from consult.record.ledger import steps
from consult.security_log import newest

NAMING = f"{EMPLOYEE[0]} asked for it"


def keyed(**sent: str) -> dict[str, str]:
    return {**sent, "key": str(uuid.uuid4())}


def incident(service: Service, lead: Visitor, reason: str) -> int:
    sent = {"happened_on": service.instance.today().isoformat(), "what": "It was away", "effect": "None", "done": ""}
    if not list(steps(service.instance.db.read(), kind="incident_noted")):
        lead.post("/incidents", keyed(**sent))
    (noted, *_) = steps(service.instance.db.read(), kind="incident_noted")
    address = f"/incidents/{(noted.content or {})['incident']}"
    seen = pages.value_of(lead.get(address), "seen") or ""
    return lead.post(address, keyed(**sent, reason=reason, seen=seen)).status_code


def round_of(service: Service, lead: Visitor, name: str = "One") -> int:
    today = service.instance.today().isoformat()
    sent = {"name": name, "capture": "live", "start": "2026-01-01", "end": today, "rule": "first", "n": "40"}
    return lead.post("/rounds/new", keyed(**sent)).status_code


def withdrawn(service: Service, lead: Visitor, reason: str) -> int:
    round_of(service, lead)
    id_ = next(iter(rounds.rounds(service.instance.db.read())))
    return lead.post(f"/rounds/{id_}/withdraw", keyed(reason=reason)).status_code


def target(service: Service, lead: Visitor, reason: str) -> int:
    sent = {"measure": "barriers_asked", "percent": "80", "reason": reason}
    return lead.post("/rounds/targets", keyed(**sent)).status_code


@pytest.mark.parametrize("write", [incident, round_of, withdrawn, target])
def test_a_text_that_names_an_employee_is_refused(
    service: Service, write: Callable[[Service, Visitor, str], int]
) -> None:
    lead = service.visitor("audit_lead")
    service.employee()
    assert write(service, lead, NAMING) == 422
    told = next(newest(service.instance.folder, 1))
    assert (told.event, told.person) == ("refused_name", service.who["audit_lead"].actor)
    assert write(service, lead, "It was agreed") == 302


@pytest.mark.parametrize("naming", [True, False])
def test_whoever_tries_many_names_in_a_minute_is_told_of_no_further_one_and_keeps_what_was_typed(
    service: Service, naming: bool
) -> None:
    """Whoever may not look for employees could try a list of names as fast as a program sends them."""
    service.employee()
    lead, other = service.visitor("audit_lead"), service.visitor("nurse")
    service.braked, moment = True, service.clock()
    service.instance.store.clock = lambda: moment
    text = NAMING if naming else "Nobody by name"
    for _ in range(TEXTS):
        probe = lead.post("/incidents", keyed(happened_on="", what=text, effect="-"))
        assert probe.status_code == 422
        assert ("holds the name" in probe.text) == naming
    braked = lead.post("/incidents", keyed(happened_on="2026-01-02", what=text, effect="None"))
    assert braked.status_code == 422
    assert "holds the name" not in braked.text
    assert "wait a moment, then send it again" in braked.text
    assert text in braked.text
    assert next(newest(service.instance.folder, 1)).event == "braked"
    sent = {"happened_on": "2026-01-02", "what": "It was away", "effect": "None"}
    assert other.post("/incidents", keyed(**sent)).status_code == 302, "a colleague goes on"
    moment += timedelta(seconds=61)
    assert lead.post("/incidents", keyed(**sent)).status_code == 302
