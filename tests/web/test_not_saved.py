"""What was sent while the record could not be written is carried in the page that says so, and sent again from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from xml.etree.ElementTree import Element

import pages
import pytest
from addresses import address, methods, rules, values_of
from every_form import forms_of
from visiting import PASSWORD, PEOPLE, Service, Visitor, look_over
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from consult.accounts.policy import allowed
from consult.proforma.answer import Answer
from consult.record.database import sqlite3
from consult.record.ledger import steps
from consult.web.dates import WithDates

TEXT = "First line\nsecond, with “quotes”, 'these' & <b>signs</b>"
SECRET = ("password", "current", "new", "again", "code", "credential", "unlock_password", "unlock_credential")
LEFT_OUT = ("/sign-out", "/lock", "/look", "/account/sessions")


@contextmanager
def held_by_another(service: Service) -> Iterator[None]:
    """Another program holds the record, as a virus scanner or a copy of it does."""
    writer, file = service.instance.db._writer, service.instance.folder / "consult.db"
    other = sqlite3.connect(file, isolation_level=None)
    writer.execute("PRAGMA busy_timeout = 1")
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()
        writer.execute("PRAGMA busy_timeout = 5000")


def carried(reply: TestResponse) -> tuple[str, MultiDict[str, str]] | None:
    """Where the page would send again, and what; None if it offers no such thing."""
    for form in pages.parse(reply.text).iter("form"):
        if any("Send again" in "".join(button.itertext()) for button in form.iter("button")):
            fields = [(i.get("name") or "", i.get("value") or "") for i in form.iter("input")]
            return form.get("action") or "", MultiDict(fields)
    return None


def send_again(visitor: Visitor, reply: TestResponse) -> TestResponse:
    """Press the button of the page, with the token that came with it."""
    found = carried(reply)
    assert found is not None
    again = visitor.client.post(found[0], data=found[1])
    look_over(again)
    return again


def comes_back(service: Service, visitor: Visitor, send: Callable[[], TestResponse]) -> None:
    """What is sent while nothing can be written is taken when the button of the page is pressed afterwards."""
    with held_by_another(service):
        reply = send()
    assert reply.status_code == 503
    assert send_again(visitor, reply).status_code == 302


def test_what_was_sent_comes_with_the_page_and_is_recorded_once_when_sent_again(
    service: Service, nurse: Visitor
) -> None:
    consultation = service.signed()
    sent = {"text": TEXT, "why": "asked", "act": "add", "chosen": "", "key": "one-key-of-the-page-0001"}
    with held_by_another(service):
        first = nurse.post(f"/consultations/{consultation}/addendum", sent)
        assert first.status_code == 503
        assert "kept in this page" in first.text
        second = send_again(nurse, first)
        assert second.status_code == 503, "it may fail again, and still nothing is lost"
    assert service.consultation(consultation).addenda == []
    for _ in range(2):
        assert send_again(nurse, second).status_code == 302
    (one,) = service.consultation(consultation).addenda
    assert one.content is not None
    assert one.content["text"] == TEXT


def test_it_is_carried_too_where_the_record_is_damaged(service: Service, nurse: Visitor) -> None:
    consultation = service.signed()
    broken = "CREATE TRIGGER broken BEFORE INSERT ON step BEGIN SELECT RAISE(ABORT, 'broken'); END"
    with service.instance.db.write() as conn:
        conn.execute(broken)
    reply = nurse.post(f"/consultations/{consultation}/addendum", {"text": TEXT, "why": "asked", "act": "add"})
    assert reply.status_code == 500
    assert "record is damaged" in reply.text
    with service.instance.db.write() as conn:
        conn.execute("DROP TRIGGER broken")
    assert send_again(nurse, reply).status_code == 302
    assert len(service.consultation(consultation).addenda) == 1


def test_a_whole_page_of_answers_comes_back(service: Service, nurse: Visitor) -> None:
    consultation = service.begin()
    sent = {
        "a.employee_concern": TEXT,
        "a.adjustment_types": ["altered_hours", "amended_duties"],
        "a.cord_signs": "absent",
    }
    comes_back(service, nurse, lambda: nurse.save(consultation, sent))
    assert service.answer(consultation, "employee_concern") == Answer("answered", TEXT)
    assert service.answer(consultation, "adjustment_types") == Answer("answered", ["altered_hours", "amended_duties"])


def test_a_case_from_notes_comes_back_whole(service: Service, nurse: Visitor) -> None:
    sitting = nurse.post("/entry", {"wanted": "40"}).headers["Location"]
    case = {
        "f.case_ref": "N-77",
        "f.site": "A",
        "f.consultation_date-day": "1",
        "f.consultation_date-month": "3",
        "f.consultation_date-year": "2026",
        "f.clinician_role": "nurse",
        "f.back_pain_reason": "main",
        "f.first_consultation": "yes",
        "f.episode_gap": "none_ever",
        "f.yf_action": ["explained", "early_review"],
        "act": "last",
    }
    comes_back(service, nurse, lambda: nurse.post(sitting, case))
    (step,) = steps(service.instance.db.read(), kind="case_imported")
    assert step.content is not None
    assert (step.content["case_ref"], step.content["consultation_date"]) == ("N-77", "2026-03-01")
    assert step.content["yf_action"] == "explained;early_review"


def test_with_htmx_it_stays_in_the_page_it_was_typed_in(service: Service, nurse: Visitor) -> None:
    consultation = service.begin()
    with held_by_another(service):
        reply = nurse.save(consultation, {"a.employee_concern": TEXT}, htmx=True)
    assert reply.status_code == 503
    assert reply.text.endswith("What you entered stays in the page: leave it open.")


def test_a_password_is_never_in_the_page_and_the_page_says_so(service: Service, nurse: Visitor) -> None:
    typed = {"current": PASSWORD, "new": "quite other words of mine", "again": "quite other words of mine"}
    with held_by_another(service):
        reply = nurse.post("/account/password", typed)
    assert reply.status_code == 503
    assert [text for text in typed.values() if text in reply.text] == []
    assert carried(reply) is None
    assert "password or a code" in reply.text
    assert 'href="/account' in reply.text


def test_a_file_is_not_carried_and_the_page_says_so(service: Service, nurse: Visitor) -> None:
    consultation = service.signed()
    sent = {"text": TEXT, "why": "asked", "act": "add", "chosen": "", "file": (BytesIO(b"x"), "x.csv")}
    with held_by_another(service):
        reply = nurse.post(f"/consultations/{consultation}/addendum", sent)
    assert reply.status_code == 503
    assert carried(reply) is None
    assert "A file can" in reply.text


def test_what_waited_behind_a_sign_in_still_waits_when_the_sign_in_fails(service: Service) -> None:
    visitor = service.visitor()
    page = visitor.get("/sign-in")
    hidden = {i.get("name") or "": i.get("value") or "" for i in page.iter("input") if i.get("type") == "hidden"}
    held = {"held_to": "/incidents", "held.what": TEXT, "held.effect": "Nothing"}
    with held_by_another(service):
        reply = visitor.client.post("/sign-in", data={**hidden, **held, "username": "nora.nurse", "password": PASSWORD})
    look_over(reply)
    assert reply.status_code == 503
    shown = pages.parse(reply.text)
    assert {name: pages.value_of(shown, name) for name in held} == held
    assert pages.value_of(shown, "password") is None


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_sent_is_not_carried(service: Service, nurse: Visitor, site: str) -> None:
    """Not even where the record fails before it is known who sent it."""
    consultation = service.signed()
    service.clock.ahead += timedelta(hours=1)  # so that the session is to be locked first
    with held_by_another(service):
        reply = nurse.client.post(
            f"/consultations/{consultation}/addendum", data={"text": TEXT}, headers={"Sec-Fetch-Site": site}
        )
    assert reply.status_code == 503
    assert carried(reply) is None
    assert "First line" not in reply.text


@pytest.fixture(scope="module")
def values(shared: Service) -> dict[str, str]:
    return values_of(shared)


def token_of(page: Element) -> str:
    return next(m.get("content") or "" for m in page.iter("meta") if m.get("name") == "csrf-token")


@pytest.mark.parametrize("role", PEOPLE)
def test_every_form_of_every_page_is_carried_whole_but_for_secrets(
    shared: Service, values: dict[str, str], role: str
) -> None:
    visitor = shared.visitor(role)
    open_ = [r for r in rules(shared) if "GET" in methods(r) and allowed(role, r.endpoint) and r.endpoint != "static"]
    forms = forms_of(visitor, [address(shared, rule, values) for rule in open_])
    failed = 0
    for (to, _), fields in forms.items():
        if to.startswith(LEFT_OUT):
            continue
        with held_by_another(shared):
            reply = visitor.post(to, MultiDict(fields))
        if reply.status_code < 500 or "Print all the same" in reply.text:
            continue
        failed += 1
        assert reply.status_code == 503, to
        found, secret = carried(reply), any(name in SECRET and text for name, text in fields)
        assert (found is None) == secret, to
        assert PASSWORD not in reply.text, to
        if found is None:
            continue
        again = dict(found[1])
        assert again.pop("csrf_token") == token_of(pages.parse(reply.text)), to
        assert found[0].split("#")[0] == to, to
        assert again == dict(WithDates(MultiDict(fields))), to
    assert failed >= {"coordinator": 2, "administrator": 4}.get(role, 5)


# --- what is refused for good: its texts can be copied from the page that says so ------------------------------------


def texts(reply: TestResponse) -> list[str]:
    """What the page shows to copy from."""
    return [(area.text or "").removeprefix("\n") for area in pages.parse(reply.text).iter("textarea")]


def test_a_text_that_is_too_long_stays_in_its_form(service: Service, nurse: Visitor) -> None:
    long = f"{TEXT} " + "many words " * 1000
    sent = {"text": long, "why": "asked", "act": "add", "chosen": "", "key": "one-key-of-the-page-0001"}
    reply = nurse.post(f"/consultations/{service.signed()}/addendum", sent)
    assert reply.status_code == 422
    page = pages.parse(reply.text)
    assert (pages.value_of(page, "text"), pages.value_of(page, "why")) == (long, "asked")


@pytest.mark.parametrize(
    ("site", "more", "shown"),
    [
        ("same-origin", {}, [TEXT]),
        ("cross-site", {}, []),
        ("same-site", {}, []),
        ("same-origin", {"password": "plainly invented words"}, []),
    ],
)
def test_what_came_with_a_token_of_another_sign_in_is_shown_if_a_page_of_ours_sent_it_and_holds_no_secret(
    service: Service, nurse: Visitor, site: str, more: dict[str, str], shown: list[str]
) -> None:
    sent = {"text": TEXT, "why": "asked", "act": "add", "csrf_token": "of-another-sign-in", **more}
    path, says = f"/consultations/{service.signed()}/addendum", {"Sec-Fetch-Site": site}
    reply = nurse.client.post(path, data=sent, headers=says, environ_overrides={"HTTP_ORIGIN": "http://localhost"})
    look_over(reply)
    assert reply.status_code in (400, 403)
    assert texts(reply) == shown
    assert "plainly invented words" not in reply.text
