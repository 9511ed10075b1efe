"""A case from notes that should not be here is taken out with a reason; it leaves every result and stays counted."""

from __future__ import annotations

import pages
import pytest
from test_audit_lead_pages import CASE, ELIGIBLE, enter, make_round, sitting
from visiting import PEOPLE, Service, Visitor

from consult.audit import cases
from consult.audit.in_error import KIND
from consult.record.ledger import steps
from consult.verifying import _by_key

EDIT, OUT = "/entry/edit/DEMO/retrospective/R-1", "/entry/in-error/DEMO/retrospective/R-1"
THERE = "/results/cases/DEMO/retrospective/R-1"
WHY = "Entered twice, see R-2"


@pytest.fixture
def lead(service: Service) -> Visitor:
    return service.visitor("audit_lead")


def take_out(visitor: Visitor, reason: str = WHY) -> int:
    seen = pages.value_of(visitor.get(EDIT), "seen")
    assert seen is not None
    return int(visitor.post(OUT, {"seen": seen, "reason": reason}).status_code)


def test_it_leaves_results_and_sitting_and_the_round_counts_it(service: Service, lead: Visitor) -> None:
    nurse = service.visitor("nurse")
    at = sitting(nurse)
    for ref in ("R-1", "R-2"):
        enter(nurse, at, ref)
    id_ = make_round(service, lead, capture="retrospective", start="2026-01-01", end="2026-12-31")
    assert take_out(nurse) == 302
    gone = nurse.ask(THERE)
    assert gone.status_code == 410
    assert WHY in gone.text
    assert "1 eligible case," in pages.text(nurse.get("/results"))
    assert pages.text(nurse.get(at)).count("R-1") == 0
    assert "1 of 40 cases entered" in pages.text(nurse.get(at))
    table = pages.text(lead.get(f"/rounds/{id_}"))
    assert f"Entered in error: {WHY}" in table
    assert "Eligible by what was recorded" in table
    rows = [[pages.text(cell) for cell in row] for row in lead.get(f"/rounds/{id_}").iter("tr")]
    (all_,) = [row for row in rows if row[0] == "All"]
    assert (all_[1], all_[-1]) == ("2", "1"), "begun, and in error"
    conn, dataset = service.instance.db.read(), service.instance.library.current.dataset
    before = _by_key(conn)
    with service.instance.db.write() as writing:
        assert cases.rebuild(writing, dataset) == 1
    assert _by_key(service.instance.db.read()) == before


def test_it_needs_a_reason_and_the_case_as_it_was_seen_and_is_done_once(service: Service) -> None:
    nurse = service.visitor("nurse")
    enter(nurse, sitting(nurse), "R-1", sex="female")
    assert take_out(nurse, " ") == 422
    refused = nurse.post(OUT, {"seen": pages.value_of(nurse.get(EDIT), "seen") or "", "reason": ""})
    assert 'href="#error-reason"' in refused.text
    old = pages.value_of(nurse.get(EDIT), "seen") or ""
    assert nurse.post(EDIT, {**CASE, "f.sex": "male", "seen": old, "reason": "Misread"}).status_code == 302
    assert nurse.post(OUT, {"seen": old, "reason": WHY}).status_code == 422
    assert nurse.ask(THERE).status_code == 200
    assert take_out(nurse) == 302
    assert nurse.post(OUT, {"seen": old, "reason": WHY}).status_code == 302
    assert nurse.ask(EDIT).status_code == 404
    assert len(list(steps(service.instance.db.read(), kind=KIND))) == 1


def test_its_reference_is_free_again_and_only_the_new_case_counts(service: Service, lead: Visitor) -> None:
    nurse = service.visitor("nurse")
    at = sitting(nurse)
    enter(nurse, at, "R-1", sex="female")
    id_ = make_round(service, lead, capture="retrospective", start="2026-01-01", end="2026-12-31")
    assert take_out(nurse) == 302
    again = sitting(nurse)
    enter(nurse, again, "R-1", sex="male")
    assert nurse.ask(THERE).status_code == 200
    assert "1 of 40 cases entered" in pages.text(nurse.get(again))
    assert "0 of 40 cases entered" in pages.text(nurse.get(at))
    assert "Entered in error" not in pages.text(lead.get(f"/rounds/{id_}"))


def test_a_case_that_waits_for_a_second_reader_is_taken_out_and_the_draw_says_so(
    service: Service, lead: Visitor
) -> None:
    nurse, doctor = service.visitor("nurse"), service.visitor("doctor")
    for ref in ("R-1", "R-2"):
        enter(nurse, sitting(nurse), ref)
    id_ = make_round(service, lead, capture="retrospective", start="2026-01-01", end="2026-12-31")
    drawn, reading = f"/rounds/{id_}/readings", f"/rounds/{id_}/readings/DEMO/retrospective/R-1"
    lead.post(f"{drawn}/draw")
    form = doctor.get(reading)
    assert take_out(nurse) == 302
    for visitor in (nurse, doctor, lead):
        said = pages.text(visitor.get(drawn))
        assert f"None: taken out as entered in error by {PEOPLE['nurse']}" in said
        assert WHY in said
        assert "1 of 2 cases drawn was taken out as entered in error before a second reading" in said
    assert "1 of the cases drawn" in pages.text(lead.get(f"/evidence/rounds/{id_}/report"))
    late = doctor.post(reading, {"f.sex": "male", "key": pages.value_of(form, "key") or ""})
    assert late.status_code == doctor.ask(reading).status_code == 422
    assert "taken out as entered in error, so it is not read again" in late.text


def test_a_case_entered_again_after_it_was_taken_out_waits_again(service: Service, lead: Visitor) -> None:
    nurse, doctor = service.visitor("nurse"), service.visitor("doctor")
    enter(nurse, sitting(nurse), "R-1", sex="female")
    id_ = make_round(service, lead, capture="retrospective", start="2026-01-01", end="2026-12-31")
    lead.post(f"/rounds/{id_}/readings/draw")
    assert take_out(nurse) == 302
    enter(nurse, sitting(nurse), "R-1", sex="male")
    assert "taken out" not in pages.text(lead.get(f"/rounds/{id_}/readings"))
    assert doctor.ask(THERE).status_code == 409, "what was entered is kept from the second reader again"
    assert doctor.ask(f"/rounds/{id_}/readings/DEMO/retrospective/R-1").status_code == 200


def test_a_signed_case_stays(service: Service) -> None:
    nurse = service.visitor("nurse")
    enter(nurse, sitting(nurse), "R-1")
    live = service.signed(**ELIGIBLE)
    said = nurse.post(f"/entry/in-error/DEMO/live/{live}", {"seen": "1", "reason": WHY})
    assert said.status_code == 422
    assert nurse.ask(f"/results/cases/DEMO/live/{live}").status_code == 200


def test_nobody_outside_takes_anything_out(service: Service) -> None:
    nurse = service.visitor("nurse")
    enter(nurse, sitting(nurse), "R-1")
    for role in ("coordinator", "administrator"):
        assert service.visitor(role).post(OUT, {"seen": "1", "reason": WHY}).status_code == 403
    assert service.visitor("coordinator").ask(THERE).status_code == 403
    assert nurse.ask(THERE).status_code == 200
