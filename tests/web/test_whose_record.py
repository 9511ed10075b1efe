"""Whose record it is: nobody opens their own, another site's asks for a reason, and who looked can be shown."""

from __future__ import annotations

from datetime import date

import pages
import pytest
from addresses import address, methods, rules, values_of
from visiting import EMPLOYEE, PEOPLE, Service, Visitor
from werkzeug.test import TestResponse

from consult.accounts import people
from consult.record import ledger, lists, looks, own, settings
from consult.record.store import Start

SELF = ("Nora Nurse", date(1985, 5, 5), "STAFF-1")


@pytest.fixture
def myself(service: Service) -> str:
    """The nurse as an employee, which a colleague has said, with an open consultation held by the doctor."""
    employee = service.employee(*SELF)
    doctor = service.visitor("doctor")
    start = Start(employee, "A", "DEMO", "in_person", "35-44")
    service.instance.store.start(start, service.who["doctor"])
    said = doctor.post(f"/employees/{employee}/person", {"person": service.who["nurse"].actor})
    assert said.headers["Location"] == f"/employees/{employee}"
    return employee


def refused(response: TestResponse) -> bool:
    return response.status_code == 403 and "This is your own record" in response.text


def kinds(service: Service, employee: str) -> list[tuple[str, str, str]]:
    """Who looked, the oldest first: in which role, at what, and at which paper."""
    found = looks.of_employee(service.instance.db.read(), employee)
    return [(one.role, one.kind, one.paper) for one in reversed(found)]


# --- one's own record ---------------------------------------------------------------------------------------------


def test_nobody_opens_finds_begins_or_takes_over_anything_about_themselves(
    service: Service, nurse: Visitor, myself: str
) -> None:
    (held,) = lists.of_employee(service.instance.db.read(), myself)
    for path in (f"/employees/{myself}", f"/employees/{myself}/looks", f"/employees/{myself}/merge"):
        assert refused(nurse.ask(path)), path
    assert refused(nurse.ask(f"/consultations/{held.id}/take-over"))
    assert refused(nurse.post(f"/consultations/{held.id}/take-over", {"from": held.clinician, "reason": "x"}))
    for path in ("/consultations/start", "/consultations/start-on-paper"):
        assert refused(nurse.post(path, {"employee": myself, "attendance": "in_person"}))
    found = nurse.post("/employees", {"words": "Nora Nurse"}).text
    assert "your own record" in found
    assert f"/employees/{myself}" not in found
    again = {"name": SELF[0], "date_of_birth": "1985-05-05", "local_number": "", "go": "another"}
    assert refused(nurse.post("/employees/new", again))
    assert "Dan Doctor" in nurse.ask(f"/employees/{myself}").text, "who can help"
    assert len(lists.of_employee(service.instance.db.read(), myself)) == 1
    assert lists.of_employee(service.instance.db.read(), myself)[0].clinician == service.who["doctor"].actor


def test_one_that_is_held_by_oneself_is_left_alone_too(service: Service, nurse: Visitor) -> None:
    employee = service.employee(*SELF)
    held = service.instance.store.start(Start(employee, "A", "DEMO", "in_person", "35-44"), service.who["nurse"])
    assert nurse.ask(f"/consultations/{held}").status_code == 200
    assert (
        nurse.post(f"/employees/{employee}/person", {"person": service.who["nurse"].actor}).headers["Location"] == "/"
    )
    for path in ("", "/sign", "/note", "/report", "/steps"):
        assert refused(nurse.ask(f"/consultations/{held}{path}")), path
    assert refused(nurse.save(held, {"a.harm_belief": "present"}))
    assert nurse.save(held, {"a.harm_belief": "present"}, htmx=True).status_code == 403
    assert service.answer(held, "harm_belief") is None


def test_what_was_said_is_taken_back_by_an_administrator_and_not_by_oneself(
    service: Service, nurse: Visitor, myself: str
) -> None:
    who, conn = service.who["nurse"].actor, service.instance.db.read()
    other = service.employee("Somebody Else", date(1970, 1, 1), "9")
    assert nurse.post(f"/employees/{other}/person", {"person": who}).status_code == 422, "a way round it"
    assert refused(nurse.post(f"/employees/{myself}/person", {"person": service.who["doctor"].actor}))
    assert own.of_person(conn, who) == myself
    admin = service.visitor("administrator")
    page = admin.ask(f"/settings/people/{who}").text
    assert "is known to be an employee here" in page
    assert "STAFF-1" not in page
    assert admin.post(f"/settings/people/{who}/own-record").status_code == 302
    assert own.of_person(conn, who) == ""
    assert nurse.ask(f"/employees/{myself}").status_code == 200


def test_an_employee_of_the_same_name_asks_whether_it_is_oneself(service: Service, nurse: Visitor) -> None:
    employee = service.employee(*SELF)
    assert "You and this employee have the same name" in nurse.ask(f"/employees/{employee}").text
    assert "have the same name" not in service.visitor("doctor").ask(f"/employees/{employee}").text


def test_what_a_colleague_who_left_decided_about_oneself_is_not_listed(
    service: Service, nurse: Visitor, myself: str
) -> None:
    (held,) = lists.of_employee(service.instance.db.read(), myself)
    store, doctor = service.instance.store, service.who["doctor"]
    content = {
        "questions": ["cord_signs"],
        "states": ["present"],
        "levels": ["U0"],
        "decision": "same_day_emergency",
        "reason": "Sent",
        "told": "",
    }
    store.note(held.id, "decision_recorded", content, "k" * 20, doctor)
    store.abandon(held.id, "sent_as_emergency", "", "a" * 20, doctor)
    with service.instance.db.write() as conn:
        people.set_active(conn, doctor.actor, False, "test", store.at())
    physio = service.visitor("physiotherapist").ask("/follow-up").text
    assert SELF[0] in physio.partition('id="left"')[2]
    assert myself not in nurse.ask("/follow-up").text


def test_an_open_consultation_is_not_handed_over_to_its_own_employee(
    service: Service, nurse: Visitor, myself: str
) -> None:
    (held,) = lists.of_employee(service.instance.db.read(), myself)
    admin, doctor = service.visitor("administrator"), service.who["doctor"].actor
    sent = {"consultation": held.id, "to": service.who["nurse"].actor, "reason": "left"}
    assert admin.post(f"/settings/people/{doctor}/hand-over", sent).status_code == 422
    sent["to"] = service.who["physiotherapist"].actor
    assert admin.post(f"/settings/people/{doctor}/hand-over", sent).status_code == 302


# --- every route --------------------------------------------------------------------------------------------------


FILL = {
    "block_id": "rest_of_red_flags",
    "section_id": "red_flags",
    "question_id": "cord_signs",
    "leaflet_id": "back-pain-core",
    "done": "given",
    "act": "choose_look",
    "event": "agreed",
    "step": "1",
}


def about_an_employee(service: Service, employee: str, consultation: str) -> list[tuple[str, str, str]]:
    """Endpoint, method and address of every route that is about one employee or consultation."""
    at = service.app.url_map.bind("localhost")
    values = FILL | {"employee_id": employee, "consultation_id": consultation}
    return [
        (rule.endpoint, method, at.build(rule.endpoint, {name: values[name] for name in rule.arguments}))
        for rule in rules(service)
        if {"employee_id", "consultation_id"} & set(rule.arguments)
        for method in methods(rule)
    ]


def test_every_route_about_ones_own_record_is_refused_whoever_holds_it(
    service: Service, nurse: Visitor, myself: str
) -> None:
    (held,) = lists.of_employee(service.instance.db.read(), myself)
    mine = service.instance.store.start(Start(myself, "A", "DEMO", "video", "35-44"), service.who["nurse"])
    before = ledger.head(service.instance.db.read())
    for consultation in (held.id, mine):
        tried = about_an_employee(service, myself, consultation)
        assert len(tried) > 30
        for endpoint, method, path in tried:
            send = nurse.post if method == "POST" else nurse.ask
            assert refused(send(path)), (endpoint, method)
    assert ledger.head(service.instance.db.read()) == before


# --- another site -------------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(service: Service) -> str:
    """An employee with one open consultation, at site B, held by the doctor there."""
    at = service.instance.store.at()
    with service.instance.db.write() as conn:
        settings.put_site(conn, settings.Site("B", "Site B"), "test", at)
        people.place(conn, service.who["doctor"].actor, "doctor", "B", "test", at)
    employee = service.employee()
    service.instance.store.start(Start(employee, "B", "DEMO", "in_person", "45-54"), service.who["doctor"])
    return employee


def test_a_record_of_another_site_is_opened_with_a_reason_that_is_kept(
    service: Service, nurse: Visitor, elsewhere: str
) -> None:
    (held,) = lists.of_employee(service.instance.db.read(), elsewhere)
    for path in (f"/employees/{elsewhere}", f"/employees/{elsewhere}/looks", f"/consultations/{held.id}/take-over"):
        asked = nurse.ask(path)
        assert asked.status_code == 303
        assert asked.headers["Location"] == f"/employees/{elsewhere}/reason?next={path}"
    assert nurse.post(f"/consultations/{held.id}/take-over", {"reason": "x", "from": held.clinician}).status_code == 303
    assert kinds(service, elsewhere) == []
    page = nurse.get(f"/employees/{elsewhere}/reason")
    assert EMPLOYEE[0] not in pages.text(page)
    assert "held at Site B, none at Site A (invented), and none by you" in pages.text(page)
    assert nurse.post(f"/employees/{elsewhere}/reason", {"reason": "  "}).status_code == 422
    assert nurse.post(f"/employees/{elsewhere}/reason", {"reason": f"About {EMPLOYEE[0]}"}).status_code == 422
    sent = {"reason": "Seen here today", "next": f"/employees/{elsewhere}"}
    given = nurse.post(f"/employees/{elsewhere}/reason", sent)
    assert given.headers["Location"] == f"/employees/{elsewhere}"
    assert nurse.ask(f"/employees/{elsewhere}").status_code == 200
    assert nurse.ask(f"/consultations/{held.id}/take-over").status_code == 200
    assert kinds(service, elsewhere) == [("nurse", "access_reasoned", ""), ("nurse", "employee_viewed", "")]
    assert "Seen here today" in nurse.ask(f"/employees/{elsewhere}/looks").text
    service.clock.ahead += service.clock.ahead.resolution * 2_000_000
    again = service.visitor("nurse")
    assert again.ask(f"/employees/{elsewhere}").status_code == 303, "the next sign-in asks again"
    assert service.visitor("physiotherapist").ask(f"/employees/{elsewhere}").status_code == 303


def test_every_route_about_a_record_of_another_site_asks_for_the_reason_or_finds_nothing(
    service: Service, nurse: Visitor, elsewhere: str
) -> None:
    (held,) = lists.of_employee(service.instance.db.read(), elsewhere)
    before = ledger.head(service.instance.db.read())
    found = {}
    for endpoint, method, path in about_an_employee(service, elsewhere, held.id):
        response = nurse.post(path) if method == "POST" else nurse.ask(path)
        asked = response.headers.get("Location", "").startswith(f"/employees/{elsewhere}/reason")
        found[endpoint, method] = "asked" if response.status_code == 303 and asked else response.status_code
    assert ledger.head(service.instance.db.read()) == before
    asked_first = {endpoint for (endpoint, _), reply in found.items() if reply == "asked"}
    assert asked_first >= {"employees.show", "employees.looks", "employees.merge", "consultations.take_over"}
    left = {key: reply for key, reply in found.items() if reply != "asked"}
    assert left.pop(("employees.reason", "GET")) == 200
    assert left.pop(("employees.reason", "POST")) == 422
    assert set(left.values()) == {404}, left


def test_whoever_saw_the_employee_or_shares_the_site_is_asked_for_nothing(
    service: Service, nurse: Visitor, elsewhere: str
) -> None:
    assert service.visitor("doctor").ask(f"/employees/{elsewhere}").status_code == 200
    service.instance.store.start(Start(elsewhere, "A", "DEMO", "video", "45-54"), service.who["physiotherapist"])
    assert nurse.ask(f"/employees/{elsewhere}").status_code == 200
    new = service.employee("Somebody New", date(1970, 1, 1), "9")
    assert nurse.ask(f"/employees/{new}").status_code == 200, "nothing was held with them yet"


# --- who looked ---------------------------------------------------------------------------------------------------


def test_each_page_of_a_record_is_one_look_a_visit_and_is_listed_for_the_employee(
    service: Service, nurse: Visitor
) -> None:
    consultation = service.begin()
    employee = service.consultation(consultation).started["employee"]
    for _ in range(2):
        for path in ("", "/note", "/letter", "/report", "/steps"):
            nurse.ask(f"/consultations/{consultation}{path}")
        nurse.ask(f"/employees/{employee}")
    expected = [("nurse", "consultation_viewed", "")]
    expected += [("nurse", "paper_viewed", paper) for paper in ("note", "letter", "report", "steps")]
    expected += [("nurse", "employee_viewed", "")]
    assert kinds(service, employee) == expected
    page = nurse.get(f"/employees/{employee}/looks")
    said = pages.text(page)
    for words in ("Nora Nurse", "Referral letter", "Report to the manager", "Page of the employee", EMPLOYEE[0]):
        assert words in said
    assert f"Reference {employee[:8]}" in said
    data = {"username": "nora.nurse", "password": "plainly invented words"}
    again = service.visitor()
    again.client.set_cookie("consult_form", nurse.client.get_cookie("consult_form").value)  # type: ignore[union-attr] # it was set above
    again.post("/sign-in", data)
    again.token = ""
    again.ask(f"/employees/{employee}")
    assert len(kinds(service, employee)) == len(expected) + 1, "a new sign-in is a new visit, whatever a cookie holds"


@pytest.mark.parametrize("role", ["doctor", "nurse"])
def test_every_page_that_shows_who_an_employee_is_leaves_a_look_also_where_it_is_the_first_that_is_opened(
    service: Service, role: str
) -> None:
    """A colleague's employee and one's own, at every address that names one or a consultation, each in a new visit."""
    consultation = service.begin()
    employee = service.consultation(consultation).started["employee"]
    other = service.employee("Quentin Quagmire", date(1980, 3, 2), "Q-1")
    values = values_of(service) | {"consultation_id": consultation, "employee_id": employee}
    conn, actor, shown = service.instance.db.read(), service.who[role].actor, set()
    for rule in rules(service):
        if "GET" not in methods(rule) or not {"employee_id", "consultation_id"} & rule.arguments:
            continue
        path = address(service, rule, values)
        for query in ("", f"?other={other}") if rule.endpoint == "employees.merge" else ("",):
            before = {id_: len(looks.of_employee(conn, id_)) for id_ in (employee, other)}
            text = service.visitor(role).ask(path + query).text
            for id_, name in ((employee, EMPLOYEE[0]), (other, "Quentin Quagmire")):
                if name in text:
                    shown.add(rule.endpoint)
                    new = looks.of_employee(conn, id_)[: len(looks.of_employee(conn, id_)) - before[id_]]
                    assert actor in {one.actor for one in new}, (path + query, name)
    assert {"employees.show", "employees.merge", "employees.everything"} <= shown
    assert ("consultations.take_over" if role == "doctor" else "consultations.show") in shown


def test_the_administrator_sees_who_looked_and_nothing_of_whom(service: Service, nurse: Visitor) -> None:
    consultation = service.begin()
    employee = service.consultation(consultation).started["employee"]
    nurse.ask(f"/consultations/{consultation}/note")
    service.visitor("doctor").ask(f"/employees/{employee}")
    admin = service.visitor("administrator")
    page = admin.ask("/settings/looks")
    said = pages.text(pages.parse(page.text))
    for words in ("Nora Nurse", "Dan Doctor", "Note", "Page of the employee", employee[:8]):
        assert words in said
    assert not [word for word in ("Quillfeather", "LOCAL-777", "1980", employee) if word in page.text]
    only = pages.text(admin.get(f"/settings/looks?person={service.who['doctor'].actor}"))
    assert employee[:8] in only
    assert "Note" not in only
    for odd in ("before=x", "before=-1", "before=99999999999999999999", "person=nobody"):
        assert admin.ask(f"/settings/looks?{odd}").status_code == 200


SHOWS = {
    "a search": ("nurse", "/employees", {"words": "quillfeather"}, "search"),
    "registering": (
        "nurse",
        "/employees/new",
        {"name": "Zebedee Quillfeather", "date_of_birth": "1980-03-02", "go": "once"},
        "alike",
    ),
    "who may be the same": ("nurse", "/employees/{other}/merge", None, "alike"),
    "a search for the same": ("nurse", "/employees/{other}/merge", {"words": "quillfeather"}, "search"),
    "a search of the administrator": (
        "administrator",
        "/settings/entered-twice/find",
        {"words": "quillfeather"},
        "search",
    ),
    "two not chosen": ("administrator", "/settings/entered-twice/compare", {"words": "quillfeather"}, "search"),
    "what a colleague left": ("nurse", "/follow-up", None, "left_behind"),
}


@pytest.mark.parametrize("where", SHOWS)
def test_whoever_a_list_shows_is_told_so_once_since_the_sign_in_and_that_it_was_no_more(
    service: Service, where: str
) -> None:
    role, path, sent, shown_in = SHOWS[where]
    employee = service.employee()
    other = service.employee("Zebedee Quilfeather", EMPLOYEE[1], "")
    store, doctor = service.instance.store, service.who["doctor"]
    held = store.start(Start(employee, "A", "DEMO", "in_person", "45-54"), doctor)
    decided = {"questions": ["cord_signs"], "states": ["present"], "levels": ["U0"], "decision": "same_day_emergency"}
    store.note(held, "decision_recorded", {**decided, "reason": "Sent", "told": ""}, "k" * 20, doctor)
    store.abandon(held, "sent_as_emergency", "", "a" * 20, doctor)
    with service.instance.db.write() as conn:
        people.set_active(conn, doctor.actor, False, "test", store.at())
    searcher, address = service.visitor(role), path.format(other=other)
    for _ in range(3):
        reply = searcher.ask(address) if sent is None else searcher.post(address, sent)
        assert "Zebedee Quillfeather" in reply.text, where
    listed = [one for one in looks.of_employee(service.instance.db.read(), employee) if one.kind == looks.LISTED]
    assert [(one.actor, one.role, one.list) for one in listed] == [(service.who[role].actor, role, shown_in)]
    said = pages.text(service.visitor("nurse").get(f"/employees/{employee}/looks"))
    assert f"{PEOPLE[role]}" in said
    assert "shown" in said
    admins = service.visitor("administrator").ask("/settings/looks").text
    assert employee[:8] in admins
    assert "Quillfeather" not in admins
    service.clock.ahead += service.clock.ahead.resolution * 2_000_000
    again = service.visitor(role)
    again.ask(address) if sent is None else again.post(address, sent)
    assert len([one for one in looks.of_employee(service.instance.db.read(), employee) if one.list]) == 2


def test_opening_after_a_search_is_a_look_and_a_search_after_opening_is_none(service: Service, nurse: Visitor) -> None:
    first, second = service.employee(), service.employee("Zelda Quillfeather", date(1971, 1, 1), "5")
    nurse.ask(f"/employees/{second}")
    nurse.post("/employees", {"words": "quillfeather"})
    nurse.ask(f"/employees/{first}")
    assert kinds(service, first) == [("nurse", "employee_listed", ""), ("nurse", "employee_viewed", "")]
    assert kinds(service, second) == [("nurse", "employee_viewed", "")]
    before = ledger.head(service.instance.db.read())
    nurse.post("/employees", {"words": "quillfeather"})
    nurse.post("/employees", {"words": "nobody of that name"})
    assert ledger.head(service.instance.db.read()) == before, "nothing new was shown"
    assert (
        "shown in a list"
        in service.visitor("nurse")
        .post(f"/employees/{first}/everything", {"reason": "Asked today by letter", "form": "html"})
        .text.lower()
    )


def test_ones_own_name_among_those_found_is_no_look(service: Service, nurse: Visitor, myself: str) -> None:
    nurse.post("/employees", {"words": "Nora Nurse"})
    assert kinds(service, myself) == []


def test_a_search_goes_on_where_that_it_was_made_cannot_be_written(service: Service, nurse: Visitor) -> None:
    """The record can only be read for a while: who is held is still found, and the next search is on record."""
    employee, doctor = service.employee(), service.visitor("doctor")
    doctor.csrf()
    with service.instance.db.write() as writer:
        writer.execute("PRAGMA query_only = ON")
    assert "Quillfeather" in doctor.post("/employees", {"words": "quillfeather"}).text
    writer.execute("PRAGMA query_only = OFF")
    assert kinds(service, employee) == []
    assert "Quillfeather" in doctor.post("/employees", {"words": "quillfeather"}).text
    assert kinds(service, employee) == [("doctor", "employee_listed", "")]


# --- entered twice ------------------------------------------------------------------------------------------------


def test_two_entries_of_one_employee_are_seen_side_by_side_merged_and_taken_apart(
    service: Service, nurse: Visitor
) -> None:
    first, other = service.employee(), service.employee("Zebedee Quilfeather", EMPLOYEE[1], "")
    for employee in (first, other):
        service.instance.store.start(Start(employee, "A", "DEMO", "video", "45-54"), service.who["nurse"])
    assert f"/employees/{first}/merge?other={other}" in nurse.ask(f"/employees/{first}/merge").text
    assert f"other={other}" in nurse.post(f"/employees/{first}/merge", {"words": "Quilfeather"}).text
    both = pages.text(nurse.get(f"/employees/{first}/merge?other={other}"))
    assert "Zebedee Quillfeather" in both
    assert "Zebedee Quilfeather" in both
    kept = nurse.post(f"/employees/{first}/merge", {"other": other, "keep": first})
    assert kept.headers["Location"] == f"/employees/{first}"
    assert nurse.ask(f"/employees/{other}").headers["Location"] == f"/employees/{first}"
    page = nurse.get(f"/employees/{first}")
    assert "Was also entered as Zebedee Quilfeather" in pages.text(page)
    rows = [a for a in page.iter("a") if (a.get("href") or "").startswith("/consultations/")]
    assert len(rows) == 2
    held = lists.of_employee(service.instance.db.read(), other)
    assert "Zebedee Quillfeather" in pages.text(nurse.get(f"/consultations/{held[0].id}"))
    assert nurse.post(f"/employees/{first}/unmerge", {"other": other}).status_code == 302
    assert nurse.ask(f"/employees/{other}").status_code == 200
    assert [len(lists.of_employee(service.instance.db.read(), e)) for e in (first, other)] == [1, 1]


@pytest.mark.parametrize(
    "sent",
    [{"other": "nothing", "keep": "first"}, {"other": "first", "keep": "first"}, {"other": "other", "keep": "x"}],
)
def test_what_cannot_be_merged_is_not(service: Service, nurse: Visitor, sent: dict[str, str]) -> None:
    ids = {"first": service.employee(), "other": service.employee("Someone Else", date(1970, 1, 1), "9")}
    data = {name: ids.get(value, value) for name, value in sent.items()}
    assert nurse.post(f"/employees/{ids['first']}/merge", data).status_code in (404, 409)
    assert nurse.ask(f"/employees/{ids['other']}").status_code == 200
    assert nurse.post(f"/employees/{ids['first']}/unmerge", {"other": ids["other"]}).status_code == 404


def test_ones_own_record_is_not_merged_into_another(service: Service, nurse: Visitor, myself: str) -> None:
    other = service.employee("Nora Nurze", SELF[1], "")
    assert myself not in nurse.ask(f"/employees/{other}/merge").text
    assert refused(nurse.post(f"/employees/{other}/merge", {"other": myself, "keep": other}))
