"""No text of the audit that is shown to every role, or handed on, takes the name of an employee: reasons no less."""

import uuid
from collections.abc import Callable

import pages
import pytest
from visiting import EMPLOYEE, Service, Visitor

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
