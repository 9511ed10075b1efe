"""What holds for every route: who may use it, its token, its headers, and what it says of strangers and of nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pages
import pytest
from addresses import address, methods, rules, values_of
from visiting import PASSWORD, PEOPLE, Service, Visitor, look_over
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from consult.accounts.policy import allowed

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
OPEN_TO_ALL = (
    "sign_in",
    "sign_in_code",
    "passkeys.ask",
    "passkeys.sign_in",
    "sign_on.start",
    "sign_on.back",
    "sign_on.code",
    "static",
    "health",
    "session_state",
    "unlock",
    "leaflets.read",
)


@pytest.fixture(scope="module")
def values(shared: Service) -> dict[str, str]:
    """Something that is there for each part of an address."""
    return values_of(shared)


Reply = tuple[Rule, str, str, TestResponse]
"""The route, how it was asked, at which address, and what came."""


@pytest.fixture(scope="module")
def replies(shared: Service, values: dict[str, str]) -> Callable[[str | None], list[Reply]]:
    """What a role gets of every route: each is asked once, whatever is then looked at."""
    return lru_cache(lambda role: list(asked(shared, values, role)))


def asked(service: Service, values: dict[str, str], role: str | None) -> Iterator[Reply]:
    visitor = service.visitor(role or "")
    for rule in rules(service):
        for method in methods(rule):
            if (rule.endpoint, method) in (("sign_out", "POST"), ("lock", "POST"), ("consultations.abandon", "POST")):
                continue  # ends what the next line needs; the abandoning has its own tests
            path = address(service, rule, values)
            response = visitor.post(path) if method == "POST" else visitor.ask(path)
            yield rule, method, path, response
            if response.headers.getlist("Set-Cookie"):  # it may have ended the sign-in, or locked it
                visitor = service.visitor(role or "")


@pytest.mark.parametrize("role", [*PEOPLE, None])
def test_a_route_is_for_the_roles_of_the_policy_and_for_nobody_else(
    replies: Callable[[str | None], list[Reply]], role: str | None
) -> None:
    for rule, method, path, response in replies(role):
        refused = response.status_code == 403 or "/sign-in" in response.headers.get("Location", "")
        assert refused != allowed(role, rule.endpoint), (role, method, path, response.status_code)
        assert response.status_code < 500


def test_without_a_sign_in_every_route_but_the_open_ones_leads_to_it(shared: Service, values: dict[str, str]) -> None:
    nobody = shared.visitor()
    for rule in rules(shared):
        if rule.endpoint not in OPEN_TO_ALL and "GET" in methods(rule):
            path = address(shared, rule, values)
            response = nobody.ask(path)
            assert response.headers["Location"] == f"/sign-in?next={path}"


def test_htmx_is_told_to_sign_in_again_and_keeps_what_was_entered(shared: Service, values: dict[str, str]) -> None:
    path = f"/consultations/{values['consultation_id']}/answers"
    assert shared.visitor().post(path, {}, htmx=True).status_code == 401


@pytest.mark.parametrize("token", ["", "wrong"])
def test_every_unsafe_route_refuses_a_missing_or_wrong_token(
    shared: Service, values: dict[str, str], token: str
) -> None:
    before = shared.instance.db.read().execute("SELECT max(seq) FROM step").fetchone()[0]
    for role in [*PEOPLE, None]:
        visitor = shared.visitor(role or "")
        for rule in rules(shared):
            for method in methods(rule):
                if method in UNSAFE and allowed(role, rule.endpoint):
                    path = address(shared, rule, values)
                    response = visitor.client.open(path, method=method, data={"csrf_token": token})
                    look_over(response)
                    assert response.status_code == 400, (role, path)
                    assert "reload it and try again" in response.text
    assert shared.instance.db.read().execute("SELECT max(seq) FROM step").fetchone()[0] == before


def test_every_route_sends_the_headers(shared: Service, replies: Callable[[str | None], list[Reply]]) -> None:
    for role in PEOPLE:
        known = replies(role)
        assert {rule.endpoint for rule, *_ in known} >= {
            rule.endpoint for rule in rules(shared) if "GET" in methods(rule)
        }
        for *_, response in known:
            look_over(response)


def test_another_clinicians_consultation_is_not_there(shared: Service, values: dict[str, str]) -> None:
    doctor = shared.visitor("doctor")
    for rule in rules(shared):
        if "consultation_id" in rule.arguments and rule.endpoint != "consultations.take_over":
            for method in methods(rule):
                path = address(shared, rule, values)
                response = doctor.post(path) if method == "POST" else doctor.ask(path)
                assert response.status_code == 404, (method, path)
    assert values["consultation_id"] not in doctor.ask("/").text


@pytest.mark.parametrize(
    "part",
    [
        "consultation_id",
        "employee_id",
        "block_id",
        "leaflet_id",
        "done",
        "measure_id",
        "round_id",
        "sitting_id",
        "action_id",
        "person_id",
    ],
)
def test_an_unknown_id_is_not_found(shared: Service, values: dict[str, str], part: str) -> None:
    visitors = {role: shared.visitor(role) for role in ("nurse", "audit_lead", "administrator")}
    for unknown in ("nothing", "0", "%27%3B--", "..", "00000000-0000-0000-0000-000000000000"):
        for rule in rules(shared):
            if part in rule.arguments:
                for method in methods(rule):
                    path = address(shared, rule, {**values, part: unknown})
                    who = next(visitor for role, visitor in visitors.items() if allowed(role, rule.endpoint))
                    response = who.post(path) if method == "POST" else who.ask(path)
                    assert response.status_code == 404, (method, path)


@pytest.mark.parametrize(
    "path", ["/nothing", "/consultations/", "/settings/sites/", "/.git/config", "/static/../app.py"]
)
def test_an_address_that_leads_nowhere_says_so(service: Service, nurse: Visitor, path: str) -> None:
    response = nurse.ask(path)
    assert response.status_code == 404
    assert "Check the address" in response.text


def test_a_page_sent_the_wrong_way_says_so(nurse: Visitor) -> None:
    assert "can't be used that way" in pages.text(nurse.get("/sign-out", 405))


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "///evil.example",
        "/%0d%0aLocation:%20https://evil.example",
        "/results\r\nLocation: https://evil.example",
        "/results\n",
        " //evil.example",
        "evil.example",
    ],
)
def test_signing_in_leads_only_to_this_service(service: Service, target: str) -> None:
    nobody = service.visitor()
    data = {"username": "nora.nurse", "password": PASSWORD, "next": target}
    response = nobody.post("/sign-in", data)
    assert response.status_code == 302
    location = response.headers["Location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert not any(ord(c) < 33 for c in location)
    nurse = service.visitor("nurse")
    assert nurse.ask("/sign-in", query_string={"next": target}).headers["Location"] == location


def test_signing_in_leads_back_to_the_page_asked_for(service: Service) -> None:
    nobody = service.visitor()
    page = nobody.ask("/results?from=2026-01-01")
    assert page.headers["Location"] == "/sign-in?next=/results?from%3D2026-01-01"
    data = {"username": "nora.nurse", "password": PASSWORD, "next": "/results?from=2026-01-01"}
    assert nobody.post("/sign-in", data).headers["Location"] == "/results?from=2026-01-01"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.1"])
def test_another_host_name_is_refused(service: Service, host: str) -> None:
    for path in ("/sign-in", "/health", "/static/consult.css"):
        assert service.visitor().ask(path, base_url=f"http://{host}").status_code == 400


def test_a_wrong_password_says_nothing_of_which_was_wrong(service: Service) -> None:
    said = set()
    for name, password in (("nora.nurse", "not this one at all"), ("nobody.here", PASSWORD)):
        response = service.visitor().post("/sign-in", {"username": name, "password": password})
        assert response.status_code == 422
        said.add(pages.text(pages.parse(response.text)).replace(name, ""))
    assert len(said) == 1


def test_signing_out_ends_the_session_everywhere(service: Service, nurse: Visitor) -> None:
    cookie = nurse.client.get_cookie("consult_session")
    assert cookie is not None
    nurse.post("/sign-out")
    again = service.visitor()
    again.client.set_cookie("consult_session", cookie.value)
    assert again.client.get("/").status_code == 302


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(service: Service) -> None:
    response = service.visitor().post("/sign-in", {"username": "nora.nurse", "password": PASSWORD})
    (cookie,) = [c for c in response.headers.getlist("Set-Cookie") if c.startswith("consult_session=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_the_answer_about_health_is_to_the_letter_what_the_guide_has(shared: Service) -> None:
    said = shared.visitor().ask("/health")
    assert (said.status_code, said.mimetype) == (200, "application/json")
    guide = (Path(__file__).parents[2] / "docs" / "administrators.md").read_text("utf-8")
    assert f"/health` | `{said.text.strip()}` with 200" in guide
