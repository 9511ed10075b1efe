"""The administrator's pages of people: started, changed, stopped, helped, and their open consultations handed over."""

from __future__ import annotations

from typing import Any

import pages
import pytest
from visiting import PASSWORD, Service, Visitor

from consult.accounts import factors, people, sessions
from consult.accounts import told as people_told
from consult.proforma.answer import Answer
from consult.record import ledger, settings, told
from consult.record.projection import rebuild_consultations

NEW = {"name": "Ned Newman", "role": "nurse", "site": "A"}
PROVED = {"proved": "in_person_card"}
OWN_WORDS = "three invented words"


@pytest.fixture
def admin(service: Service) -> Visitor:
    return service.visitor("administrator")


def words_in(text: str) -> str:
    """The start password that a page shows."""
    page = pages.parse(text)
    return next("".join(e.itertext()) for e in page.iter("strong") if e.get("class") == "secret")


def sign_in(service: Service, username: str, password: str) -> tuple[Visitor, Any]:
    visitor = service.visitor()
    response = visitor.post("/sign-in", {"username": username, "password": password})
    visitor.token = ""
    return visitor, response


def steps(service: Service) -> list[tuple[str, Any]]:
    return [(s.kind, s.content) for s in ledger.steps(service.instance.db.read()) if s.kind.startswith("person_")]


def test_a_person_is_started_with_words_shown_once_and_chooses_a_password_before_anything_else(
    service: Service, admin: Visitor
) -> None:
    started = admin.post("/settings/people", NEW)
    words = words_in(started.text)
    assert len(words.split()) == 5
    assert words not in admin.ask("/settings/people").text
    assert "Has not started" in admin.ask("/settings/people").text
    ned, response = sign_in(service, "ned.newman", words)
    assert response.status_code == 302
    for path in ("/", "/employees", "/results"):
        assert ned.ask(path).headers["Location"] == "/account"
    assert ned.post("/employees", {"words": "any"}).status_code == 303
    sent = {"current": words, "new": OWN_WORDS, "again": OWN_WORDS}
    assert ned.post("/account/password", sent).headers["Location"].startswith("/account")
    assert ned.ask("/").status_code == 200
    assert sign_in(service, "ned.newman", words)[1].status_code == 422
    assert "Has not started" not in admin.ask("/settings/people").text


def test_a_start_password_runs_out_after_seven_days(service: Service, admin: Visitor) -> None:
    words = words_in(admin.post("/settings/people", NEW).text)
    service.clock.ahead = sessions.START
    assert sign_in(service, "ned.newman", words)[1].status_code == 422


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "needs a name"),
        ({"role": "wizard"}, "Choose a role from the list."),
        ({"role": ""}, "Choose a role from the list."),
        ({"name": "Nora Nurse"}, "is taken"),
        ({"name": "\0"}, "needs a name"),
        ({"name": "N" * 121}, "Shorten the name"),
        ({"site": "Z"}, "Choose a site"),
        ({"site": ""}, "Choose a site"),
    ],
)
def test_what_is_wrong_with_a_new_person_is_said_and_nobody_is_added(
    service: Service, admin: Visitor, wrong: dict[str, str], says: str
) -> None:
    before = people.people(service.instance.db.read())
    response = admin.post("/settings/people", NEW | wrong)
    assert response.status_code == 422
    assert says in response.text
    assert people.people(service.instance.db.read()) == before


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "", "role": "", "site": "A"}, "name"),
        ({"name": "N" * 121}, "name"),
        ({"role": ""}, "role"),
        ({"site": ""}, "site"),
        ({"username": "a"}, "username"),
        ({"name": "Nora Nurse"}, "username"),
    ],
)
def test_what_is_wrong_with_a_new_person_leads_to_the_field_and_takes_the_focus(
    admin: Visitor, wrong: dict[str, str], field: str
) -> None:
    page = pages.parse(admin.post("/settings/people", NEW | wrong).text)
    (summary,) = [e for e in page.iter("div") if e.get("class") == "nhsuk-error-summary"]
    assert (summary.get("tabindex"), summary.get("autofocus")) == ("-1", "")
    assert [a.get("href") for a in summary.iter("a")] == [f"#{field}"]
    (marked,) = [e for e in page.iter() if e.get("aria-invalid")]
    assert (marked.get("id"), marked.get("name"), marked.get("aria-describedby")) == (field, field, "problem")


def test_each_site_is_called_by_its_name_as_in_the_form_beside_it(service: Service, admin: Visitor) -> None:
    service.begin()
    for path, selects in (("", 1), (f"/{service.who['nurse'].actor}", 1)):
        page = pages.parse(admin.ask(f"/settings/people{path}").text)
        told = {"".join(td.itertext()) for td in page.iter("td") if td.get("data-label") == "Site"}
        offered = [option.text for select in page.iter("select") if select.get("name") == "site" for option in select]
        assert (told, offered) == ({"Site A (invented)"}, ["Site A (invented)"] * selects)


def test_name_role_and_site_are_changed_with_steps_that_hold_no_name(service: Service, admin: Visitor) -> None:
    with service.instance.db.write() as conn:
        settings.put_site(conn, settings.Site("B", "Site B"), "test", service.instance.store.at())
    nurse, who = service.visitor("nurse"), service.who["nurse"].actor
    assert nurse.ask("/").status_code == 200
    sent = {"name": "Nora Newname", "role": "nurse", "site": "A"}
    assert admin.post(f"/settings/people/{who}", sent).status_code == 302
    assert "Nora Newname" in nurse.ask("/").text, "a name alone ends no session"
    assert admin.post(f"/settings/people/{who}", {**sent, "role": "doctor", "site": "B"}).status_code == 302
    assert nurse.ask("/").status_code == 302
    conn = service.instance.db.read()
    changed = people.person(conn, who)
    assert changed is not None
    assert (changed.role, changed.site, changed.username) == ("doctor", "B", "nora.nurse")
    assert steps(service)[-2:] == [
        ("person_changed", {"person": who, "change": "name"}),
        ("person_placed", {"person": who, "role": "doctor", "site": "B"}),
    ]
    assert list(people_told.differences(conn)) == []
    with service.instance.db.write() as writing:
        writing.execute("UPDATE person SET role = 'administrator' WHERE id = ?", (who,))
    assert len(list(people_told.differences(conn))) == 1
    with service.instance.db.write() as writing:
        people_told.put_back(writing)
    assert people.person(conn, who) == changed


@pytest.mark.parametrize("wrong", [{"name": " "}, {"role": "root"}, {"site": "Z"}])
def test_what_is_wrong_with_a_change_changes_nothing(service: Service, admin: Visitor, wrong: dict[str, str]) -> None:
    who = service.who["nurse"].actor
    before = people.person(service.instance.db.read(), who)
    sent = {"name": "Nora Newname", "role": "doctor", "site": "A"} | wrong
    assert admin.post(f"/settings/people/{who}", sent).status_code == 422
    assert people.person(service.instance.db.read(), who) == before


def test_somebody_stopped_is_signed_out_at_once_and_may_be_let_in_again(service: Service, admin: Visitor) -> None:
    nurse, who = service.visitor("nurse"), service.who["nurse"].actor
    assert nurse.ask("/").status_code == 200
    assert admin.post(f"/settings/people/{who}/standing", {"active": "no"}).status_code == 302
    assert nurse.ask("/").status_code == 302
    assert sign_in(service, "nora.nurse", PASSWORD)[1].status_code == 422
    admin.post(f"/settings/people/{who}/standing", {"active": "yes"})
    assert nurse.ask("/").status_code == 302, "the old session stays ended"
    assert sign_in(service, "nora.nurse", PASSWORD)[1].status_code == 302


def test_the_last_administrator_is_neither_stopped_nor_given_another_role(service: Service, admin: Visitor) -> None:
    who = service.who["administrator"].actor
    for path, sent in (
        (f"/settings/people/{who}/standing", {"active": "no"}),
        (f"/settings/people/{who}", {"name": "Adi Admin", "role": "nurse", "site": "A"}),
    ):
        response = admin.post(path, sent)
        assert response.status_code == 422
        assert "last active administrator" in response.text
    assert admin.ask("/settings/people").status_code == 200
    service.newcomer("Another Admin", "administrator")
    assert admin.post(f"/settings/people/{who}/standing", {"active": "no"}).status_code == 302


def test_a_lost_password_is_replaced_once_and_ends_what_was_open(service: Service, admin: Visitor) -> None:
    nurse, who = service.visitor("nurse"), service.who["nurse"].actor
    nurse.ask("/")
    words = words_in(admin.post(f"/settings/people/{who}/start-password", PROVED).text)
    assert nurse.ask("/").status_code == 302
    assert sign_in(service, "nora.nurse", PASSWORD)[1].status_code == 422
    again, _ = sign_in(service, "nora.nurse", words)
    assert again.ask("/").headers["Location"] == "/account"
    assert words not in str(steps(service))
    assert steps(service)[-1] == ("person_changed", {"person": who, "change": "start_password"})


def test_a_lost_telephone_is_no_longer_asked_for(service: Service, admin: Visitor) -> None:
    instance, who = service.instance, service.who["nurse"].actor
    with instance.db.write() as conn:
        secret = factors.begin(conn, who)
        code = factors.code_at(secret, factors.step_of(service.clock()))
        factors.confirm(conn, who, code, service.clock(), who, instance.store.at())
    assert sign_in(service, "nora.nurse", PASSWORD)[1].status_code == 200
    assert "remove the second factor" in admin.ask(f"/settings/people/{who}").text
    assert admin.post(f"/settings/people/{who}/second-factor", PROVED).status_code == 302
    assert sign_in(service, "nora.nurse", PASSWORD)[1].status_code == 302


@pytest.mark.parametrize("act", ["start-password", "second-factor"])
def test_what_was_lost_is_replaced_only_after_it_was_said_how_they_made_sure_who_asks(
    service: Service, admin: Visitor, act: str
) -> None:
    instance, who = service.instance, service.who["nurse"].actor
    with instance.db.write() as conn:
        code = factors.code_at(factors.begin(conn, who), factors.step_of(service.clock()))
        factors.confirm(conn, who, code, service.clock(), who, instance.store.at())
    before, nurse = steps(service), service.visitor("nurse")
    for sent in ({}, {"proved": ""}, {"proved": "heard_a_voice"}):
        refused = admin.post(f"/settings/people/{who}/{act}", sent)
        assert refused.status_code == 422
        assert "how you made sure who asks" in refused.text
    assert steps(service) == before
    assert nurse.ask("/").status_code == 200
    for how, words in people.PROOFS.items():
        admin.post(f"/settings/people/{who}/{act}", {"proved": how})
        shown = pages.text(admin.get(f"/settings/people/{who}"))
        assert f"by Adi Admin: {words[0].lower()}{words[1:]}." in shown
    *_, step = ledger.steps(instance.db.read(), kind="person_proved")
    assert (step.content, step.actor) == ({"person": who, "how": "manager"}, service.who["administrator"].actor)


def test_ones_own_password_and_factor_are_not_reset_without_the_password(service: Service, admin: Visitor) -> None:
    who = service.who["administrator"].actor
    for act in ("start-password", "second-factor"):
        response = admin.post(f"/settings/people/{who}/{act}")
        assert response.status_code == 422
        assert "your account page" in response.text
    assert admin.ask("/settings/people").status_code == 200


# --- open consultations -------------------------------------------------------------------------------------------


def hand_over(service: Service, admin: Visitor, held: str, **more: str) -> Any:
    sent = {"consultation": held, "to": service.who["doctor"].actor, "reason": "left"} | more
    return admin.post(f"/settings/people/{service.who['nurse'].actor}/hand-over", sent)


def test_an_open_consultation_is_handed_over_and_goes_on_with_the_other(service: Service, admin: Visitor) -> None:
    nurse, consultation = service.visitor("nurse"), service.begin()
    nurse.save(consultation, {"a.harm_belief": "present"})
    who = service.who["nurse"].actor
    admin.post(f"/settings/people/{who}/standing", {"active": "no"})
    page = admin.ask(f"/settings/people/{who}")
    assert "1 is open with Nora Nurse" in pages.text(pages.parse(page.text))
    assert "Quillfeather" not in page.text
    assert hand_over(service, admin, consultation).status_code == 302
    now = service.consultation(consultation)
    assert (now.owner, now.role, now.answers["harm_belief"]) == (
        service.who["doctor"].actor,
        "doctor",
        Answer("present"),
    )
    doctor = service.visitor("doctor")
    assert "taken over from Nora Nurse by Dan Doctor" in pages.text(doctor.get(f"/consultations/{consultation}"))
    doctor.save(consultation, {"a.low_mood": "absent"})
    assert service.answer(consultation, "low_mood") == Answer("absent")
    trail = pages.text(doctor.get(f"/consultations/{consultation}/steps"))
    assert "Handed over from Nora Nurse to Dan Doctor: The clinician has left" in trail
    admin.post(f"/settings/people/{who}/standing", {"active": "yes"})
    nurse = service.visitor("nurse")
    late = nurse.save(consultation, {"a.low_mood": "present"})
    assert late.status_code == 403
    assert "Adi Admin handed this consultation over from you to Dan Doctor" in pages.text(pages.parse(late.text))
    assert "Dan Doctor" in pages.text(nurse.get("/"))


def test_the_projection_follows_what_was_handed_over_and_taken_back(service: Service, admin: Visitor) -> None:
    consultation = service.begin()
    hand_over(service, admin, consultation)
    nurse, doctor = service.who["nurse"], service.who["doctor"]
    service.instance.store.take_over(consultation, doctor.actor, "Back again", "k" * 20, nurse)
    hand_over(service, admin, consultation)
    db = service.instance.db
    for _ in range(2):
        held = db.read().execute("SELECT clinician FROM consultation WHERE id = ?", (consultation,)).fetchone()[0]
        assert held == doctor.actor == service.consultation(consultation).owner
        assert list(told.differences(db.read())) == []
        with db.write() as conn:
            rebuild_consultations(conn)


@pytest.mark.parametrize("wrong", ["audit_lead", "nurse", "stopped", "other site", "nobody", "reason", "consultation"])
def test_it_goes_only_to_another_clinician_of_the_site_who_may_sign_in(
    service: Service, admin: Visitor, wrong: str
) -> None:
    consultation, more = service.begin(), {}
    at, db = service.instance.store.at(), service.instance.db
    doctor = service.who["doctor"].actor
    if wrong in service.who:
        more = {"to": service.who[wrong].actor}
    elif wrong == "stopped":
        with db.write() as conn:
            people.set_active(conn, doctor, False, "test", at)
    elif wrong == "other site":
        with db.write() as conn:
            people.place(conn, doctor, "doctor", "B", "test", at)
    else:
        more = {{"nobody": "to"}.get(wrong, wrong): "nothing"}
    assert hand_over(service, admin, consultation, **more).status_code == 422
    assert service.consultation(consultation).owner == service.who["nurse"].actor


def test_one_that_was_signed_or_taken_over_meanwhile_is_not_handed_over(service: Service, admin: Visitor) -> None:
    signed = service.signed()
    assert hand_over(service, admin, signed).status_code == 422
    taken = service.begin()
    doctor = service.who["doctor"]
    service.instance.store.take_over(taken, service.who["nurse"].actor, "Away", "k" * 20, doctor)
    assert hand_over(service, admin, taken, to=service.who["physiotherapist"].actor).status_code == 422
    assert service.consultation(taken).owner == doctor.actor


# --- who needs a second factor ------------------------------------------------------------------------------------


def test_a_role_that_needs_a_second_factor_meets_it_at_the_next_sign_in(service: Service, admin: Visitor) -> None:
    nurse = service.visitor("nurse")
    assert admin.post("/settings/people/second-factor-for", {"roles": ["nurse", "doctor"]}).status_code == 302
    assert nurse.ask("/").status_code == 200, "who is at work goes on"
    assert factors.required(service.instance.db.read()) == ["nurse", "doctor"]
    again = service.visitor("nurse")
    assert again.ask("/").headers["Location"] == "/account"
    assert "Your role needs a second factor" in again.ask("/account").text
    assert service.visitor("physiotherapist").ask("/").status_code == 200
    assert admin.post("/settings/people/second-factor-for", {"roles": ["root"]}).status_code == 422
    assert admin.post("/settings/people/second-factor-for", {}).status_code == 302
    assert factors.required(service.instance.db.read()) == []


def test_where_there_are_several_sites_none_is_chosen_beforehand_for_a_new_person(
    service: Service, admin: Visitor
) -> None:
    def first_site() -> tuple[str | None, list[str | None]]:
        page = admin.get("/settings/people")
        (chooser,) = [e for e in page.iter("select") if e.get("name") == "site"]
        options = list(chooser.iter("option"))
        return options[0].get("value"), [o.get("value") for o in options if o.get("selected") is not None]

    known = settings.sites(service.instance.db.read())
    assert first_site() == ("" if len(known) > 1 else "A", [])
    admin.post("/settings/sites", {"site": "EAST", "name": "East clinic (invented)"})
    assert first_site() == ("", [])
