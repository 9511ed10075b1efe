"""Two people change one incident: the second is shown what the first wrote beside their own, and nothing is lost."""

from __future__ import annotations

from itertools import product
from xml.etree.ElementTree import Element

import pages
import pytest
from visiting import Service, Visitor

from consult.record import incidents
from consult.record.incidents import Incident

FIRST = {"happened_on": "2026-01-02", "what": "It was away", "effect": "Two on paper", "done": ""}
FIELDS = tuple(FIRST)
BY_A = {"happened_on": "2026-01-03", "what": "It was away by A", "effect": "Three by A", "done": "A cable by A"}
BY_B = {"happened_on": "2026-01-04", "what": "It was away by B", "effect": "Four by B", "done": "A call by B"}
IN_WORDS = {"2026-01-03": "3 January 2026"}


@pytest.fixture
def lead(service: Service) -> Visitor:
    return service.visitor("audit_lead")


@pytest.fixture
def administrator(service: Service) -> Visitor:
    return service.visitor("administrator")


@pytest.fixture
def address(service: Service, lead: Visitor) -> str:
    lead.post("/incidents", FIRST)
    return f"/incidents/{next(iter(incidents.incidents(service.instance.db.read())))}"


def now(service: Service) -> Incident:
    (one,) = incidents.incidents(service.instance.db.read()).values()
    return one


def as_it_stands(service: Service) -> dict[str, str]:
    return {name: getattr(now(service), name) for name in FIELDS}


def sent_by(page: Element) -> dict[str, str]:
    """What the form of a page would send as it stands."""
    names = (*FIELDS, "seen", "key", "reason")
    return {name: pages.value_of(page, name) or "" for name in names}


@pytest.mark.parametrize(("of_a", "of_b"), list(product(FIELDS, repeat=2)))
def test_a_form_that_is_out_of_date_is_refused_with_both_texts(
    service: Service, lead: Visitor, administrator: Visitor, address: str, of_a: str, of_b: str
) -> None:
    stale = {**sent_by(administrator.get(address)), of_b: BY_B[of_b], "reason": "B knows more"}
    done = {**sent_by(lead.get(address)), of_a: BY_A[of_a], "reason": "A was first"}
    assert lead.post(address, done).status_code == 302
    reply = administrator.post(address, stale)
    assert reply.status_code == 409
    assert as_it_stands(service) == {**FIRST, of_a: BY_A[of_a]}
    page = pages.parse(reply.text)
    assert {name: pages.value_of(page, name) for name in (*FIELDS, "reason")} == {
        name: stale[name] for name in (*FIELDS, "reason")
    }
    (beside,) = [e for e in page.iter("dl") if e.get("id") == "as-it-stands"]
    assert IN_WORDS.get(BY_A[of_a], BY_A[of_a]) in pages.text(beside)
    assert administrator.post(address, sent_by(page)).status_code == 302
    assert as_it_stands(service) == {name: stale[name] for name in FIELDS}, "now it was seen"


@pytest.mark.parametrize("seen", [None, "", "0", "-1", "x", "9" * 30])
def test_a_form_that_does_not_say_what_it_showed_changes_nothing(
    service: Service, lead: Visitor, address: str, seen: str | None
) -> None:
    sent = {**sent_by(lead.get(address)), "done": "A cable", "reason": "done", "seen": seen}
    assert lead.post(address, {n: v for n, v in sent.items() if v is not None}).status_code == 409
    assert as_it_stands(service) == FIRST


def test_the_same_change_sent_again_is_one_change_even_after_another(
    service: Service, lead: Visitor, administrator: Visitor, address: str
) -> None:
    sent = {**sent_by(lead.get(address)), "done": "A cable by A", "reason": "done"}
    for _ in range(2):
        assert lead.post(address, sent).status_code == 302
    later = {**sent_by(administrator.get(address)), "done": "A call by B", "reason": "more"}
    assert administrator.post(address, later).status_code == 302
    assert lead.post(address, sent).status_code == 302
    assert now(service).done == "A call by B"
    assert len(now(service).history) == 3
