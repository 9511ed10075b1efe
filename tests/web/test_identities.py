"""An administrator puts right that an employee was entered twice: by who they are alone, and never themselves."""

from __future__ import annotations

from datetime import date

import pages
import pytest
from visiting import Service, Visitor

from consult.proforma.answer import Answer
from consult.record import lists, looks, merging, own

BORN = date(1971, 4, 5)


@pytest.fixture
def twice(service: Service) -> tuple[str, str]:
    return service.employee("Wanda Wombat", BORN, "77"), service.employee("Wanda M Wombat", date(1971, 5, 4), "")


@pytest.fixture
def admin(service: Service) -> Visitor:
    return service.visitor("administrator")


def test_two_entries_are_found_compared_and_merged_and_a_clinician_finds_both_under_one(
    service: Service, admin: Visitor, twice: tuple[str, str]
) -> None:
    first, second = twice
    assert "Wombat" not in admin.ask("/settings/entered-twice").text, "nobody is listed by themselves"
    listed = admin.post("/settings/entered-twice/find", {"words": "wombat"})
    assert [e.get("value") for e in pages.parse(listed.text).iter("input") if e.get("name") == "entry"] == [
        second,
        first,
    ]
    both = admin.post("/settings/entered-twice/compare", {"entry": [first, second]})
    assert "Are these the same person?" in both.text
    done = admin.post("/settings/entered-twice/merge", {"entry": [first, second], "keep": first})
    assert "One entry is kept" in done.text
    conn = service.instance.db.read()
    assert merging.kept(conn, second) == first
    step = conn.execute("SELECT actor, role FROM step WHERE kind = ? ORDER BY seq DESC", (merging.SAME_AS,)).fetchone()
    assert tuple(step) == (service.who["administrator"].actor, "administrator")


def test_nothing_that_was_recorded_is_shown_and_that_they_looked_is_recorded(
    service: Service, admin: Visitor, twice: tuple[str, str]
) -> None:
    consultation = service.begin()
    held = lists.summary(service.instance.db.read(), consultation).employee
    service.visitor("nurse").save(
        consultation, {"a.employee_concern": "a word of the talk", "a.harm_belief": "present", "key": "k" * 20}
    )
    assert service.answer(consultation, "harm_belief") == Answer("present")
    reply = admin.post("/settings/entered-twice/compare", {"entry": [held, twice[0]]})
    main = next(e for e in pages.parse(reply.text).iter("main"))
    shown = pages.text(main).lower()
    words = ("a word of the talk", consultation, "nora", "in person", "consultation", "signed", "site a")
    assert [word for word in words if word in shown] == []
    assert "reference" in shown
    looked = looks.of_employee(service.instance.db.read(), held)
    assert [(one.actor, one.kind) for one in looked if one.actor == service.who["administrator"].actor] == [
        (service.who["administrator"].actor, "employee_viewed")
    ]


@pytest.mark.parametrize("chosen", [0, 1, 3])
def test_without_two_entries_and_one_to_keep_nothing_is_done(
    service: Service, admin: Visitor, twice: tuple[str, str], chosen: int
) -> None:
    entries = [*twice, service.employee("Third Person", BORN, "9")][:chosen]
    for path, sent in (("compare", {}), ("merge", {"keep": twice[0]})):
        reply = admin.post(f"/settings/entered-twice/{path}", {"entry": entries, "words": "wombat", **sent})
        assert reply.status_code == 422
        assert "Choose two entries" in reply.text
    assert admin.post("/settings/entered-twice/merge", {"entry": list(twice), "keep": "nobody"}).status_code == 422
    assert merging.same_as(service.instance.db.read()) == {}


def test_one_that_was_merged_already_is_not_merged_again(
    service: Service, admin: Visitor, twice: tuple[str, str]
) -> None:
    sent = {"entry": list(twice), "keep": twice[0]}
    assert admin.post("/settings/entered-twice/merge", sent).status_code == 200
    assert admin.post("/settings/entered-twice/merge", sent).status_code == 422


def test_who_is_an_employee_here_too_neither_sees_nor_merges_their_own_entry(
    service: Service, admin: Visitor, twice: tuple[str, str]
) -> None:
    with service.instance.db.write() as conn:
        at, who = service.instance.store.at(), service.who["nurse"]
        own.say(conn, service.who["administrator"].actor, twice[0], who.actor, who.role, at)
    listed = admin.post("/settings/entered-twice/find", {"words": "wombat"}).text
    assert (twice[0] in listed, twice[1] in listed) == (False, True)
    for path in ("compare", "merge"):
        reply = admin.post(f"/settings/entered-twice/{path}", {"entry": list(twice), "keep": twice[1]})
        assert reply.status_code == 422
    assert merging.same_as(service.instance.db.read()) == {}
