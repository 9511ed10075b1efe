"""The same page sent twice is one step and no fault; a page that is out of date overwrites nothing."""

from __future__ import annotations

import pages
import pytest
from visiting import Service, Visitor

from consult.record.ledger import steps
from consult.web.screen import Screen

FLAG = "saddle_feeling_change"
KEY = "one-key-of-one-page"
DECISION = {"question": FLAG, "decision": "same_day_emergency", "reason": "Sent by ambulance", "told": "", "key": KEY}


@pytest.fixture
def urgent(service: Service, nurse: Visitor) -> str:
    consultation = service.begin()
    nurse.save(consultation, {f"a.{FLAG}": "present"})
    return consultation


def kinds(service: Service, consultation: str) -> list[str]:
    found = steps(service.instance.db.read(), consultation=consultation)
    return [s.kind for s in found if s.kind != "consultation_viewed"]


def shown(service: Service, consultation: str) -> dict[str, str]:
    screen = Screen.of(service.instance.store, service.consultation(consultation))
    return {f"shown.{FLAG}": screen.as_shown(screen.proforma.by_id[FLAG])}


def twice(service: Service, nurse: Visitor, consultation: str, act: str, sent: dict[str, str]) -> int:
    """Send a form two times; returns how many steps that made."""
    before = len(kinds(service, consultation))
    first, second = (nurse.post(f"/consultations/{consultation}/{act}", sent) for _ in range(2))
    assert (first.status_code, second.status_code) == (302, 302), act
    assert first.headers["Location"] == second.headers["Location"]
    return len(kinds(service, consultation)) - before


def test_a_decision(service: Service, nurse: Visitor, urgent: str) -> None:
    assert twice(service, nurse, urgent, "decisions", {**shown(service, urgent), **DECISION}) == 1


def test_a_reason_for_blanks_a_signature_and_an_addendum(service: Service, nurse: Visitor) -> None:
    consultation = service.begin()
    assert twice(service, nurse, consultation, "blank-reason", {"reason": "out_of_time", "key": KEY}) == 1
    assert twice(service, nurse, consultation, "sign", {"key": f"{KEY}-2"}) == 1
    added = {"act": "add", "text": "More", "why": "Forgotten", "key": f"{KEY}-3"}
    assert twice(service, nurse, consultation, "addendum", added) == 1
    corrected = {"chosen": FLAG, "question": FLAG, f"a.{FLAG}": "absent", f"seen.{FLAG}": "0"}
    assert twice(service, nurse, consultation, "addendum", {**added, **corrected, "key": f"{KEY}-4"}) == 2


@pytest.mark.parametrize("done", ["printed", "given", "discussed"])
def test_a_leaflet(service: Service, nurse: Visitor, urgent: str, done: str) -> None:
    assert twice(service, nurse, urgent, f"leaflets/back-pain-core/{done}", {"format": "a4", "key": KEY}) == 1


@pytest.mark.parametrize(("act", "reason"), [("abandon", "interrupted"), ("in-error", "wrong_person")])
def test_another_end(service: Service, nurse: Visitor, urgent: str, act: str, reason: str) -> None:
    assert twice(service, nurse, urgent, act, {"reason": reason, "key": KEY}) == 1


def test_a_stale_page_sees_both_decisions_and_chooses(service: Service, nurse: Visitor, urgent: str) -> None:
    old = shown(service, urgent)
    nurse.post(f"/consultations/{urgent}/decisions", {**old, **DECISION})
    other = {**DECISION, "decision": "gp_letter", "reason": "Asked to call back", "key": f"{KEY}-2"}
    for page_of in ({}, {"from": "sign"}):
        reply = nurse.post(f"/consultations/{urgent}/decisions", {**old, **other, **page_of})
        assert reply.status_code == 422
        said = pages.text(pages.parse(reply.text))
        assert "Sent to emergency care now; Sent by ambulance. Yours was: Letter to the GP; Asked to call back." in said
    assert service.consultation(urgent).decisions[FLAG].decision == "same_day_emergency"
    chosen = nurse.post(f"/consultations/{urgent}/decisions", {**shown(service, urgent), **other})
    assert chosen.status_code == 302
    assert service.consultation(urgent).decisions[FLAG].decision == "gp_letter"


def test_what_a_tab_enters_after_another_has_signed_is_shown_and_not_taken(service: Service, nurse: Visitor) -> None:
    signed = service.signed()
    sent = {"seen.employee_concern": "0", "a.employee_concern": "Will it last?", "key": KEY}
    reply = nurse.post(f"/consultations/{signed}/answers", sent)
    assert reply.status_code == 409
    assert "Will it last?" in reply.text
