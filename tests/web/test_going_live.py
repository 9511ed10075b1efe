"""What a real installation needs before it holds live consultations, and what it may do without."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pages
import pytest
from visiting import ROUTES, Service, Visitor

from consult.accounts import single_sign_on
from consult.approving import approve_all, note_served
from consult.documents.words import uk_date
from consult.exchange.casefile import import_cases
from consult.exchange.intake import Import
from consult.instance import open_instance
from consult.record import settings

EXAMPLES = Path(__file__).parents[1] / "data" / "example-cases.csv"


@pytest.fixture
def real(service: Service) -> Service:
    """The same service, not a demonstration."""
    instance = service.instance
    with instance.db.write() as conn:
        settings.change_setting(conn, "demonstration", False, "test", instance.store.at())
    note_served(instance)
    return service


def approve(service: Service) -> None:
    approve_all(service.instance, service.instance.in_use(), "Dr A. Prover", "consultant", "test")


def routes(service: Service, blank: str = "") -> None:
    with service.instance.db.write() as conn:
        site = settings.Site("A", "Site A", {**ROUTES, blank: ""} if blank else ROUTES)
        settings.put_site(conn, site, "test", service.instance.store.at())


def start(service: Service) -> tuple[int, str]:
    """Try to start; the status and what the page says."""
    nurse = service.visitor("nurse")
    response = nurse.post("/consultations/start", {"employee": service.employee(), "attendance": "in_person"})
    return response.status_code, pages.text(pages.parse(response.text)) if response.status_code != 302 else ""


def consultations(service: Service) -> int:
    return int(service.instance.db.read().execute("SELECT count(*) FROM consultation").fetchone()[0])


def test_unapproved_content_stops_a_live_start(real: Service) -> None:
    _, said = start(real)
    assert "Not approved for clinical use yet: proforma back-pain" in said
    assert consultations(real) == 0
    shown = pages.text(real.visitor("nurse").get("/"))
    assert "No live consultation can be started" in shown
    assert "Draft content, not approved for clinical use" in shown


def test_approved_content_and_routes_let_one_start(real: Service) -> None:
    approve(real)
    assert start(real)[0] == 302
    assert "Draft content" not in pages.text(real.visitor("nurse").get("/"))


def test_an_approval_recorded_elsewhere_counts_at_once_and_one_for_each_part(real: Service) -> None:
    """What is unapproved is remembered between pages, by the last step about any approval."""
    instance = real.instance
    other = open_instance(instance.folder)
    for what, digest in instance.in_use().items():
        assert what in instance.unapproved()
        approve_all(other, {what: digest}, "Dr A. Prover", "consultant", "test")
        assert what not in instance.unapproved()
    assert instance.unapproved() == []
    other.close()


@pytest.mark.parametrize("route", settings.NEEDED_ROUTES)
def test_a_blank_urgent_route_stops_a_live_start(real: Service, route: str) -> None:
    approve(real)
    routes(real, blank=route)
    _, said = start(real)
    assert settings.ROUTE_LABELS[route][1:] in said
    assert consultations(real) == 0
    routes(real)
    assert start(real)[0] == 302


@pytest.mark.parametrize("route", sorted(set(settings.ROUTE_LABELS) - set(settings.NEEDED_ROUTES)))
def test_another_blank_route_stops_nothing(real: Service, route: str) -> None:
    approve(real)
    routes(real, blank=route)
    assert start(real)[0] == 302


def test_past_cases_are_imported_all_the_same(real: Service) -> None:
    instance = real.instance
    routes(real, blank="crisis")
    how = Import(instance.provider, instance.today(), "cli:test", instance.store.at())
    report = import_cases(instance.db, instance.library.current.dataset, EXAMPLES.read_text("utf-8"), how)
    assert report.added > 0
    assert "eligible" in pages.text(real.visitor("audit_lead").get("/results?provider=*"))


def test_an_administrator_fills_in_a_route_and_it_stands_in_the_letter(service: Service) -> None:
    administrator = service.visitor("administrator")
    sent = {**ROUTES, "emergency_department": "01632 960 999", "name": "Site A"}
    assert administrator.post("/settings/sites/A", sent).status_code == 302
    assert pages.value_of(administrator.get("/settings"), "emergency_department") == "01632 960 999"
    letter = service.visitor("nurse").get(f"/consultations/{service.begin()}/letter")
    assert "01632 960 999" in pages.text(letter)


def test_nobody_signed_in_since_yesterday_stays_so(service: Service, nurse: Visitor) -> None:
    assert nurse.ask("/").status_code == 200
    service.clock.ahead = timedelta(hours=12, minutes=1)
    assert nurse.ask("/").headers["Location"] == "/sign-in?next=/"


def test_a_dated_check_of_the_numbers_is_asked_for_every_three_months_and_after_each_change(service: Service) -> None:
    administrator, conn = service.visitor("administrator"), service.instance.db.read()
    said = lambda: pages.text(administrator.get("/settings"))  # noqa: E731 - asked again and again
    assert "Nobody has said yet" in said()
    sent = {**ROUTES, "name": "Site A"}
    administrator.post("/settings/sites/A", {**sent, "checked": "yes"})
    assert f"These numbers were checked on {uk_date(service.instance.today())}" in said()
    administrator.post("/settings/sites/A", {**sent, "name": "Site A, another name"})
    assert settings.unchecked_routes(conn, service.instance.today()) == {}, "the numbers are the same"
    today = service.instance.today()
    assert settings.unchecked_routes(conn, today + timedelta(days=92)) == {}
    assert settings.unchecked_routes(conn, today + timedelta(days=93)) == {"A": today}
    assert settings.unchecked_routes(conn, today - timedelta(days=1)) == {"A": today}, "the clock was ahead then"
    administrator.post("/settings/sites/A", {**sent, "crisis": "01632 960 111"})
    assert "Nobody has said yet" in said()
    administrator.post("/settings/sites/A", {**sent, "crisis": "01632 960 222", "checked": "yes"})
    assert "These numbers were checked on" in said()


def test_what_was_saved_says_so_where_it_stands_and_nowhere_else(service: Service) -> None:
    administrator = service.visitor("administrator")
    administrator.post("/settings/sites", {"site": "EAST", "name": "East clinic (invented)"})
    for sent, place in (
        (("/settings/sites/A", {**ROUTES, "name": "Site A"}), "site-A"),
        (("/settings/sign-on", {}), ""),
    ):
        page = administrator.get(administrator.post(*sent).headers["Location"].partition("#")[0])
        said = [e for e in page.iter("p") if e.get("role") == "status"]
        assert [pages.text(e) for e in said] == ["Saved."]
        (form,) = [f for f in page.iter("form") if said[0] in f.iter()]
        assert (form.get("id") or "") == place
    assert not [e for e in administrator.get("/settings").iter("p") if e.get("role") == "status"]
    refused = administrator.post("/settings/sites/A?saved=site-A", {"crisis": "", "checked": "yes"})
    assert "Saved." not in pages.text(pages.parse(refused.text))


def test_a_number_that_is_blank_is_never_recorded_as_checked(service: Service) -> None:
    administrator, today = service.visitor("administrator"), service.instance.today()
    sent = {**ROUTES, "name": "Typed name", "crisis": " ", "emergency_department": "01632 960 777", "checked": "yes"}
    response = administrator.post("/settings/sites/A", sent)
    assert response.status_code == 422
    page = pages.parse(response.text)
    assert "A blank can't have been checked: mental health crisis line; fill in the number" in pages.text(page)
    (form,) = [f for f in page.iter("form") if f.get("id") == "site-A"]
    assert pages.value_of(form, "emergency_department") == "01632 960 777"
    assert settings.unchecked_routes(service.instance.db.read(), today) == {"A": None}


def test_an_administrator_adds_a_site_and_no_live_consultation_starts_there_before_its_routes_are_filled_in(
    real: Service,
) -> None:
    administrator = real.visitor("administrator")
    added = administrator.post("/settings/sites", {"site": "EAST", "name": "East clinic (invented)"})
    assert added.headers["Location"] == "/settings?saved=site-EAST#site-EAST"
    assert settings.sites(real.instance.db.read())["EAST"].blank_routes == list(settings.NEEDED_ROUTES)
    assert "Site EAST: no live consultation starts here" in pages.text(administrator.get("/settings"))
    assert "East clinic (invented)" in pages.text(administrator.get("/settings/people"))
    administrator.post("/settings/sites/EAST", {**ROUTES, "name": "East clinic (invented)"})
    assert settings.sites(real.instance.db.read())["EAST"].blank_routes == []


@pytest.mark.parametrize("code", ["A", "a", "", "No blanks", "../A", "x" * 33])
def test_a_site_whose_code_is_taken_or_no_code_is_refused_and_what_was_typed_stays(service: Service, code: str) -> None:
    administrator, before = service.visitor("administrator"), settings.sites(service.instance.db.read())
    response = administrator.post("/settings/sites", {"site": code, "name": "Typed name"})
    assert response.status_code == 422
    page = pages.parse(response.text)
    assert "Nothing was changed" in pages.text(page)
    (form,) = [f for f in page.iter("form") if f.get("id") == "add-site"]
    assert [pages.value_of(form, name) for name in ("site", "name")] == [code, "Typed name"]
    assert settings.sites(service.instance.db.read()) == before


def test_single_sign_on_that_is_refused_keeps_what_was_typed(service: Service) -> None:
    administrator = service.visitor("administrator")
    sent = {"issuer": "https://id.example.org", "client_id": "", "label": "The hospital", "leeway": "60"}
    response = administrator.post("/settings/sign-on", {**sent, "require": "acr=AAL2", "no_password_for": "nurse"})
    assert response.status_code == 422
    page = pages.parse(response.text)
    for name, value in {**sent, "require": "acr=AAL2"}.items():
        assert pages.value_of(page, name) == value
    ticked = [e.get("value") for e in page.iter("input") if e.get("checked") is not None]
    assert ticked == ["nurse"]


@pytest.mark.parametrize("leeway", ["0000300", "1234567", "301", "9" * 5000])
def test_a_number_of_seconds_that_is_too_large_is_refused_and_never_cut(service: Service, leeway: str) -> None:
    sent = {"issuer": "https://id.example.org", "client_id": "c", "label": "The hospital", "leeway": leeway}
    response = service.visitor("administrator").post("/settings/sign-on", sent)
    assert response.status_code == 422
    assert single_sign_on.provider(service.instance.db.read()) is None
    assert pages.value_of(pages.parse(response.text), "leeway") == leeway
    assert "0 to 300 seconds" in response.text
