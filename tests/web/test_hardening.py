"""What the web application refuses and never says, beside the rights and the tokens of test_every_route.py."""

from __future__ import annotations

import logging
import re

import pages
import pytest
from visiting import PASSWORD, Service, Visitor
from werkzeug.test import TestResponse

from consult.accounts import people
from consult.record import lists
from consult.web.app import create_app


@pytest.fixture(scope="module")
def clerk(shared: Service) -> Visitor:
    return shared.visitor("nurse")


TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
PATHS = ("/", "/sign-in", "/health", "/session", "/static/consult.css", "/static/icon.svg", "/nothing", "/leaflets")


@pytest.fixture(scope="module")
def replies(shared: Service, clerk: Visitor) -> list[TestResponse]:
    consultation = shared.begin()
    more = [f"/consultations/{consultation}", f"/consultations/{consultation}/nothing", "/results/files/results.csv"]
    return [clerk.ask(path, headers={"Origin": "https://evil.example"}) for path in (*PATHS, *more)]


def test_no_reply_may_be_read_by_another_site(replies: list[TestResponse]) -> None:
    for reply in replies:
        assert not [name for name, _ in reply.headers if name.lower().startswith("access-control-")], reply.request.path


def test_every_reply_says_its_kind_and_its_letters(replies: list[TestResponse]) -> None:
    for reply in replies:
        kind = reply.headers["Content-Type"]
        assert kind == "image/svg+xml; charset=utf-8" or "charset=utf-8" in kind or reply.is_json, (kind, reply.request)


def test_behind_a_tls_proxy_browsers_are_told_to_stay_with_tls(shared: Service, replies: list[TestResponse]) -> None:
    name = "Strict-Transport-Security"
    assert not [reply.request.path for reply in replies if name in reply.headers]  # plain HTTP on loopback
    instance = shared.instance
    instance.behind_tls = True
    try:
        app = create_app(instance)
        for path in PATHS:
            seconds, _, rest = app.test_client().get(path, buffered=True).headers[name].partition("; ")
            assert int(seconds.removeprefix("max-age=")) >= 365 * 24 * 3600
            assert rest == "includeSubDomains"
    finally:
        instance.behind_tls = False


def test_behind_a_tls_proxy_every_cookie_is_of_this_host_alone_and_no_other_is_taken(shared: Service) -> None:
    """One that another host of the same domain has set, without the prefix, opens nothing."""
    instance, base = shared.instance, "https://localhost"
    instance.behind_tls = True
    try:
        client = create_app(instance).test_client()
        page = client.get("/sign-in", base_url=base).text
        nurse = next(one.username for one in people.people(instance.db.read()) if one.role == "nurse")
        form = {"username": nurse, "password": PASSWORD, "csrf_token": TOKEN.findall(page)[0]}
        sent = {"Origin": base, "Referer": f"{base}/sign-in"}
        reply = client.post("/sign-in", data=form, base_url=base, headers=sent)
        assert reply.status_code == 302
        given = client.get("/sign-in", base_url=base).headers.getlist("Set-Cookie") + reply.headers.getlist(
            "Set-Cookie"
        )
        assert {one.partition("=")[0] for one in given} >= {"__Host-consult_session", "__Host-consult_form"}
        for one in given:
            assert one.startswith("__Host-")
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(one.split("; "))
            assert "Domain" not in one
        held = {cookie.key: cookie.value for cookie in client._cookies.values()}  # werkzeug has no public list of them
        other = create_app(instance).test_client()
        for name, value in held.items():
            other.set_cookie(name.removeprefix("__Host-"), value, domain="localhost")
        assert other.get("/", base_url=base).location.startswith("/sign-in")
        assert client.get("/", base_url=base).status_code == 200
    finally:
        instance.behind_tls = False


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PATCH", "DELETE", "PROPFIND"])
def test_methods_that_are_not_offered_are_refused(clerk: Visitor, method: str) -> None:
    for path in ("/", "/employees", "/leaflets", "/static/consult.css"):
        assert clerk.client.open(path, method=method).status_code in (400, 405), path


@pytest.mark.parametrize(
    "path", ["/static", "/static/", "/static/vendor/", "/static/vendor", "/templates/", "/instance/"]
)
def test_no_folder_is_listed(clerk: Visitor, path: str) -> None:
    assert clerk.ask(path).status_code == 404


def test_what_nobody_foresaw_gives_a_page_without_its_details(
    shared: Service, clerk: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "a-detail-of-the-inside"

    def broken(*_: object) -> None:
        raise RuntimeError(secret)

    monkeypatch.setattr(lists, "open_of", broken)
    with caplog.at_level(logging.ERROR):
        reply = clerk.ask("/")
    assert reply.status_code == 500
    assert secret not in reply.text
    assert "Traceback" not in reply.text
    assert "Something went wrong" in pages.text(pages.parse(reply.text))
    assert secret in caplog.text  # the one who looks after the server is told
    assert not shared.app.debug


def test_a_password_is_masked_and_may_be_pasted(shared: Service) -> None:
    page = shared.visitor().get("/sign-in")
    (field,) = (e for e in page.iter("input") if e.get("name") == "password")
    assert field.get("type") == "password"
    assert field.get("autocomplete") == "current-password"
    assert not [name for name in field.keys() if name.startswith("on")]  # noqa: SIM118 - an Element


EXTRA = {
    "id": "chosen-by-me",
    "actor": "p-somebody-else",
    "role": "administrator",
    "person": "p-somebody-else",
    "owner": "p-somebody-else",
    "clinician": "p-somebody-else",
    "site": "SITE-Z",
    "provider": "ELSEWHERE",
    "state": "signed",
    "capture_mode": "retrospective",
    "definition": "0" * 64,
    "held_on": "1999-01-01",
    "started_at": "1999-01-01T00:00:00Z",
    "age_band": "under_16",
    "seq": "1",
    "at": "1999-01-01T00:00:00Z",
    "active": "1",
    "folded_name": "nobody",
    "registered_at": "1999-01-01T00:00:00Z",
}
"""The names of columns and of keys of steps, which no form asks for."""


def test_fields_that_a_form_does_not_ask_for_are_not_taken(shared: Service, clerk: Visitor) -> None:
    conn, nurse = shared.instance.db.read(), shared.who["nurse"]
    before = conn.execute("SELECT max(seq) FROM step").fetchone()[0]
    form = {"name": "Wanda Wombat", "date_of_birth": "1971-01-02", "local_number": "5", "go": "yes"}
    employee = clerk.post("/employees/new", {**EXTRA, **form}).headers["Location"].rpartition("/")[2]
    started = clerk.post(
        "/consultations/start", {**EXTRA, "employee": employee, "attendance": "video", "key": "k" * 20}
    )
    consultation = started.headers["Location"].rpartition("/")[2]
    clerk.save(consultation, {**EXTRA, "a.cord_signs": "absent"})
    assert shared.answer(consultation, "cord_signs") is not None
    for path in ("blank-reason", "abandon"):
        clerk.post(f"/consultations/{consultation}/{path}", {**EXTRA, "reason": "other", "text": "as typed"})
    rows = conn.execute(
        "SELECT s.actor, s.role, s.at, coalesce(c.content, '') AS content FROM step s "
        "LEFT JOIN step_content c USING (seq) WHERE seq > ?",
        (before,),
    ).fetchall()
    assert len(rows) > 4
    taken = set(EXTRA.values()) - {"1", "signed", "administrator"}
    for row in rows:
        assert (row["actor"], row["role"]) == (nurse.actor, "nurse")
        assert not row["at"].startswith("1999")
        assert not [value for value in taken if value in row["content"]], row["content"]
    held = conn.execute("SELECT * FROM consultation WHERE id = ?", (consultation,)).fetchone()
    assert (held["clinician"], held["site"], held["state"], held["capture_mode"]) == (
        nurse.actor,
        "A",
        "abandoned",
        "live",
    )
