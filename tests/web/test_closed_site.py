"""A closed site: nothing new begins there, what was recorded there stays, and its numbers are asked for no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pages
import pytest
from visiting import CASE, PASSWORD, ROUTES, Service, Visitor

from consult import checking, doctor
from consult.accounts import people
from consult.documents.words import uk_date
from consult.proforma.answer import Answer
from consult.record import settings
from consult.record.ledger import steps
from consult.record.reference import new_reference

NEW = {"name": "Nell New", "username": "", "role": "nurse"}


@pytest.fixture
def admin(service: Service) -> Visitor:
    """An administrator of a service with two sites."""
    with service.instance.db.write() as conn:
        settings.put_site(conn, settings.Site("B", "Site B (invented)", ROUTES), "test", service.instance.store.at())
    return service.visitor("administrator")


@pytest.fixture
def talks(service: Service) -> dict[str, str]:
    """What was recorded at the site before it was closed: an open consultation and a signed one."""
    return {"open": service.begin(), "signed": service.signed(back_pain_reason=Answer("answered", "main"))}


def close(admin: Visitor, code: str = "A") -> None:
    assert admin.post(f"/settings/sites/{code}/standing", {"open": "no"}).status_code == 302


def on_paper(service: Service, days: int) -> dict[str, str]:
    held = service.instance.today() + timedelta(days=days)
    paper = new_reference(service.instance.library.current.digest)
    when = {"date": held.isoformat(), "time": "00:01", "paper": paper}
    return {"employee": service.employee(), "attendance": "in_person", "key": "paper-key-of-this-test", **when}


def enter(service: Service, sites: str) -> int:
    nurse = service.visitor("nurse")
    sitting = nurse.post("/entry", {"wanted": "40"}).headers["Location"].split("/")[2]
    draft = f"/entry/{sitting}/cases/22222222-2222-4222-8222-222222222222"
    return nurse.post(draft, {**CASE, "f.site": sites, "f.case_ref": "R-1", "act": "last"}).status_code


def started(service: Service) -> int:
    sent = {"employee": service.employee(), "attendance": "in_person", "key": "start-key-of-this-test"}
    return service.visitor("nurse").post("/consultations/start", sent).status_code


def on_paper_after(service: Service) -> int:
    service.clock.ahead = timedelta(days=2)
    return service.visitor("nurse").post("/consultations/start-on-paper", on_paper(service, 0)).status_code


def put(service: Service, path: str, sent: dict[str, str], role: str = "administrator") -> int:
    return service.visitor(role).post(path, sent).status_code


NOT_POSSIBLE: dict[str, Callable[[Service, dict[str, str]], int]] = {
    "a live consultation": lambda service, _: started(service),
    "a paper one that was held after it closed": lambda service, _: on_paper_after(service),
    "a new person": lambda service, _: put(service, "/settings/people", {**NEW, "site": "A"}),
    "somebody placed there": lambda service, _: put(
        service, f"/settings/people/{placed_at_b(service)}", {"name": "Bea", "role": "nurse", "site": "A"}
    ),
    "a case from notes": lambda service, _: enter(service, "A"),
    "a change of its numbers": lambda service, _: put(service, "/settings/sites/A", {**ROUTES, "name": "Changed"}),
    "closing it twice": lambda service, _: put(service, "/settings/sites/A/standing", {"open": "no"}),
    "closing the last one": lambda service, _: put(service, "/settings/sites/B/standing", {"open": "no"}),
    "another site of its code": lambda service, _: put(service, "/settings/sites", {"site": "a", "name": "Again"}),
}
POSSIBLE: dict[str, Callable[[Service, dict[str, str]], int]] = {
    "a paper one that was held before": lambda service, _: put(
        service, "/consultations/start-on-paper", on_paper(service, 0), "nurse"
    ),
    "an open consultation goes on": lambda service, talks: (
        service.visitor("nurse")
        .save(talks["open"], {"a.back_pain_reason": "main", "key": "answer-key-of-this-test"})
        .status_code
    ),
    "an open consultation is ended": lambda service, talks: put(
        service, f"/consultations/{talks['open']}/abandon", {"reason": "employee_left"}, "nurse"
    ),
    "an addendum to a signed one": lambda service, talks: put(
        service, f"/consultations/{talks['signed']}/addendum", {"text": "Rang", "why": "Asked", "act": "add"}, "nurse"
    ),
    "another name of a person there": lambda service, _: put(
        service,
        f"/settings/people/{service.who['nurse'].actor}",
        {"name": "Nora Newname", "role": "nurse", "site": "A"},
    ),
    "a person of it placed elsewhere": lambda service, _: put(
        service, f"/settings/people/{service.who['nurse'].actor}", {"name": "Nora", "role": "nurse", "site": "B"}
    ),
    "a case from notes elsewhere": lambda service, _: enter(service, "B"),
    "opening it again": lambda service, _: put(service, "/settings/sites/A/standing", {"open": "yes"}),
}


def placed_at_b(service: Service) -> str:
    instance = service.instance
    with instance.db.write() as conn:
        new = people.NewPerson("Bea Beta", "nurse", "B", PASSWORD)
        return people.add_person(conn, new, "test", instance.store.at()).id


@pytest.mark.parametrize("what", NOT_POSSIBLE)
def test_what_is_not_possible_at_a_closed_site(
    service: Service, admin: Visitor, talks: dict[str, str], what: str
) -> None:
    close(admin)
    assert NOT_POSSIBLE[what](service, talks) == 422


@pytest.mark.parametrize("what", POSSIBLE)
def test_what_is_possible_all_the_same(service: Service, admin: Visitor, talks: dict[str, str], what: str) -> None:
    close(admin)
    assert POSSIBLE[what](service, talks) in (200, 302)


def test_people_of_a_closed_site_are_told_in_one_sentence_what_to_do(service: Service, admin: Visitor) -> None:
    close(admin)
    day, nurse = uk_date(service.instance.today()), service.visitor("nurse")
    said = f"Site A was closed on {day}; ask an administrator to place you at an open site."
    assert said in pages.text(nurse.get("/"))
    page = nurse.get(f"/employees/{service.employee()}")
    assert said in pages.text(page)
    assert not [f for f in page.iter("form") if f.get("action") == "/consultations/start"]
    about = pages.text(admin.get(f"/settings/people/{service.who['nurse'].actor}"))
    assert "This site is closed: choose an open one" in about


def test_a_closed_site_is_offered_nowhere(service: Service, admin: Visitor) -> None:
    close(admin)
    nurse = service.visitor("nurse")
    nurse.post("/entry", {"wanted": "40"})
    (sitting,) = nurse.get("/entry").findall(".//main//ul//a")
    (case,) = nurse.get(sitting.get("href", "")).findall(".//a[@class='nhsuk-button']")
    for visitor, path, name in ((admin, "/settings/people", "site"), (nurse, case.get("href", ""), "f.site")):
        (offered,) = [e for e in visitor.get(path).iter("select") if e.get("name") == name]
        assert {o.get("value") for o in offered.iter("option")} - {""} == {"B"}
    lead = service.visitor("audit_lead")
    after = service.instance.today().year + 1
    assert lead.ask(f"/organisation/A/{after}").status_code == 404
    assert lead.ask(f"/organisation/A/{after - 1}").status_code == 200


def test_its_results_stay(service: Service, admin: Visitor, talks: dict[str, str]) -> None:
    lead = service.visitor("audit_lead")
    before = lead.ask("/results/results.json?capture=live&site=A").json
    assert before["eligible"] + sum(before["excluded"].values()) == 1
    close(admin)
    assert lead.ask("/results/results.json?capture=live&site=A").json == before
    assert pages.text(service.visitor("nurse").get(f"/consultations/{talks['signed']}")).count("Signed and locked")


def test_check_and_doctor_ask_for_its_numbers_no_more(service: Service, admin: Visitor) -> None:
    admin.post("/settings/sites/B", {**ROUTES, "name": "Site B", "crisis": ""})
    instance = service.instance

    def asked() -> list[str]:
        conn = instance.db.read()
        found = [finding.sentence for finding in doctor.examine(instance.folder)]
        return [
            said
            for said in [*found, *checking.open_points(conn, instance.content)]
            if "Site B" in said or "site B" in said
        ]

    assert len(asked()) >= 2
    close(admin, "B")
    assert asked() == []
    admin.post("/settings/sites/B/standing", {"open": "yes"})
    assert len(asked()) >= 2


def test_that_it_was_closed_and_opened_stands_in_the_history_with_who_and_when(
    service: Service, admin: Visitor
) -> None:
    admin.post("/settings/sites/A", {**ROUTES, "name": "Site A", "checked": "yes"})
    close(admin)
    page = pages.text(admin.get("/settings"))
    assert f"Closed on {uk_date(service.instance.today())} by Adi Admin. Nothing new begins there" in page
    assert "6 people who sign in are still placed there" in page
    admin.post("/settings/sites/A/standing", {"open": "yes"})
    conn, who = service.instance.db.read(), service.who["administrator"].actor
    told = [s for s in steps(conn, kind="setting_changed") if (s.content or {}).get("name") == settings.SITES_CLOSED]
    day = service.instance.today().isoformat()
    assert [(s.actor, (s.content or {})["value"]) for s in told] == [(who, {"A": {"on": day, "by": who}}), (who, {})]
    assert settings.unchecked_routes(conn, service.instance.today())["A"] is None, "its numbers are to be checked anew"
    assert started(service) == 302


def test_the_last_open_site_keeps_its_numbers_on_the_page_that_refuses_to_close_it(
    service: Service, admin: Visitor
) -> None:
    close(admin, "B")
    refused = admin.post("/settings/sites/A/standing", {"open": "no"})
    page = pages.parse(refused.text)
    assert "Site A is the only one that is open; add another one first." in pages.text(page)
    (form,) = [f for f in page.iter("form") if f.get("id") == "site-A"]
    assert {route: pages.value_of(form, route) for route in ROUTES} == ROUTES
    assert not [b for b in admin.get("/settings").iter("button") if b.get("value") == "no"]
