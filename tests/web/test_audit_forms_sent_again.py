"""A form of the audit whose answer never came is sent again: it is done once, and leads where the first did."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pages
import pytest
from test_audit_lead_pages import enter, make_round, sitting
from visiting import CASE, Service, Visitor

from consult.audit.reliability import draws
from consult.exchange import entry
from consult.record.ledger import steps

OTHER = {"key": "another-key-of-a-page"}
REF = "R-1"


@pytest.fixture
def lead(service: Service) -> Visitor:
    return service.visitor("audit_lead")


def last_step(service: Service) -> int:
    return int(service.instance.db.read().execute("SELECT max(seq) FROM step").fetchone()[0])


def again(service: Service, visitor: Visitor, path: str, sent: dict[str, str]) -> int:
    """Send a form two times; how many steps the first one made. The second makes none."""
    before, keyed = last_step(service), {**sent, "key": str(uuid.uuid4())}
    first = visitor.post(path, keyed)
    between = last_step(service)
    second = visitor.post(path, keyed)
    assert (first.status_code, second.status_code) == (302, 302), pages.text(pages.parse(second.text))
    assert first.headers["Location"] == second.headers["Location"]
    assert last_step(service) == between
    return between - before


def of_notes(service: Service, lead: Visitor) -> str:
    """A round with one case from notes, entered by the nurse."""
    nurse = service.visitor("nurse")
    enter(nurse, sitting(nurse), REF, sex="female")
    return make_round(service, lead, capture="retrospective", start="2026-01-01", end="2026-12-31")


def test_a_round_withdrawn(service: Service, lead: Visitor) -> None:
    path = f"/rounds/{make_round(service, lead)}/withdraw"
    assert again(service, lead, path, {"reason": "Made twice"}) == 1
    later = lead.post(path, {"reason": "Made twice", **OTHER})
    assert later.status_code == 422
    assert [e.get("href") for e in pages.parse(later.text).iter("a") if e.get("href") == "/rounds"]


def test_a_draw_a_second_reading_and_what_stands(service: Service, lead: Visitor) -> None:
    id_ = of_notes(service, lead)
    assert again(service, lead, f"/rounds/{id_}/readings/draw", {}) == 1
    seed = draws(service.instance.db.read())[id_].seed
    assert lead.post(f"/rounds/{id_}/readings/draw", OTHER).status_code == 422
    assert draws(service.instance.db.read())[id_].seed == seed
    doctor, nurse = service.visitor("doctor"), service.visitor("nurse")
    path = f"/rounds/{id_}/readings/DEMO/retrospective/{REF}"
    read = {name: text for name, text in {**CASE, "f.sex": "male"}.items() if name != "f.case_ref"}
    assert again(service, doctor, path, read) == 1
    assert doctor.post(path, {**read, **OTHER}).status_code == 422
    stands = {"value": "male", "text": "Looked again"}
    assert nurse.post(f"{path}/sex", {**stands, **OTHER}).status_code == 302
    assert again(service, doctor, f"{path}/sex", stands) == 3, "what is said, the case as both say it, and why"
    assert doctor.post(f"{path}/sex", {**stands, "key": "a-third-key-of-a-page"}).status_code == 422


def test_a_case_given_up(service: Service) -> None:
    nurse = service.visitor("nurse")
    at, draft = sitting(nurse), "11111111-1111-4111-8111-111111111111"
    nurse.post(f"{at}/cases/{draft}", {"f.case_ref": REF, "act": "draft"})
    page = nurse.get(at)
    assert pages.value_of(page, "key"), "the form has a key"
    assert again(service, nurse, f"{at}/cases/{draft}/drop", {"reason": "Not about back pain"}) == 1
    assert len(list(steps(service.instance.db.read(), kind=entry.DROPPED))) == 1


def test_an_action_moved_on(service: Service, lead: Visitor) -> None:
    day = service.instance.today() + timedelta(days=30)
    texts = {"cause": "No leaflet", "what": "A stock", "evidence": "Two spot checks", "post": "Lead nurse"}
    gap = {"measure": "red_flags_screened", "round": make_round(service, lead), "site": "", "owner": ""}
    made = lead.post("/actions/new", {**gap, **texts, "due": day.isoformat()}).headers["Location"]
    assert again(service, lead, f"{made}/move", {"state": "under_way", "text": ""}) == 1
    assert lead.post(f"{made}/move", {"state": "under_way", **OTHER}).status_code == 422
