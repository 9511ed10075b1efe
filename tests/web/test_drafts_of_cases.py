"""A case from notes that was entered or given up takes nothing more: that is said, and nothing typed is called kept."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from xml.etree.ElementTree import Element

import pages
import pytest
from visiting import CASE, Service, Visitor

from consult.record.ledger import steps

FIRST = {**CASE, "f.case_ref": "R-1"}
OTHER = {**CASE, "f.case_ref": "R-2", "f.sex": "male"}
ACTS: dict[str, tuple[dict[str, str], int]] = {
    "kept by the script": ({**OTHER, "act": "draft", "quiet": "yes"}, 200),
    "kept by hand": ({**OTHER, "act": "draft"}, 302),
    "blank, kept by hand": ({"act": "draft"}, 302),
    "entered": ({**OTHER, "act": "next"}, 302),
    "entered last": ({**OTHER, "act": "last"}, 302),
    "entered with a mistake": ({**OTHER, "f.consultation_date": "2099-01-01", "act": "next"}, 422),
}
"""What a page sends, and the status of the reply while the case is open."""
KEPT_BEFORE: dict[str, Callable[[Visitor, str], object]] = {
    "never seen": lambda nurse, at: nurse.get(at),
    "unfinished": lambda nurse, at: nurse.post(at, {**FIRST, "act": "draft"}),
    "entered": lambda nurse, at: nurse.post(at, {**FIRST, "act": "next", "key": "one-key-of-the-page-0001"}),
    "given up": lambda nurse, at: [
        nurse.post(at, {**FIRST, "act": "draft"}),
        nurse.post(f"{at}/drop", {"reason": "Not about back pain"}),
    ],
}
SAID = {"entered": "was entered already", "given up": "was given up"}


@pytest.fixture
def at(nurse: Visitor) -> str:
    """The address of a case in a sitting."""
    sitting = nurse.post("/entry", {"wanted": "40"}).headers["Location"].partition("/cases/")[0]
    return f"{sitting}/cases/{uuid.uuid4()}"


def written(service: Service) -> list[int]:
    kinds = ("case_draft_kept", "case_draft_dropped", "case_imported", "case_entered")
    return [step.seq for kind in kinds for step in steps(service.instance.db.read(), kind=kind)]


def goes_to(page: Element) -> str:
    return next(f.get("action") or "" for f in page.iter("form") if f.get("id") == "entry")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("before", KEPT_BEFORE)
def test_every_way_of_sending_a_case_in_each_state(
    service: Service, nurse: Visitor, at: str, before: str, act: str
) -> None:
    KEPT_BEFORE[before](nurse, at)
    then, (sent, open_status) = written(service), ACTS[act]
    reply = nurse.post(at, sent)
    if before not in SAID:
        assert reply.status_code == open_status
        return
    assert reply.status_code == 409
    assert written(service) == then
    assert SAID[before] in reply.text
    assert "Kept" not in reply.text
    if "quiet" in sent:
        assert reply.mimetype == "text/plain"
        assert "as another case, press “Keep as a draft”" in reply.text
        return
    page = pages.parse(reply.text)
    assert {name: pages.value_of(page, name) or "" for name in OTHER} == {name: sent.get(name, "") for name in OTHER}
    assert goes_to(page).partition("/cases/")[0] == at.partition("/cases/")[0]
    assert goes_to(page) != at
    assert nurse.post(goes_to(page), {**OTHER, "act": "draft"}).status_code == 302
    assert "R-2" in pages.text(nurse.get(at.partition("/cases/")[0]))


def test_the_same_page_sent_again_is_the_same_case(service: Service, nurse: Visitor, at: str) -> None:
    for _ in range(2):
        assert nurse.post(at, {**FIRST, "act": "next", "key": "one-key-of-the-page-0001"}).status_code == 302
    assert len(list(steps(service.instance.db.read(), kind="case_entered"))) == 1


def test_the_address_of_a_case_that_was_given_up_says_so(nurse: Visitor, at: str) -> None:
    KEPT_BEFORE["given up"](nurse, at)
    page = nurse.get(at, 409)
    assert "was given up" in pages.text(page)
    assert at.partition("/cases/")[0] in [a.get("href") for a in page.iter("a")]


def test_the_address_of_a_case_that_was_entered_leads_to_its_sitting(nurse: Visitor, at: str) -> None:
    KEPT_BEFORE["entered"](nurse, at)
    reply = nurse.ask(at)
    assert (reply.status_code, reply.headers["Location"]) == (302, at.partition("/cases/")[0])
