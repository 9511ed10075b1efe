"""The page of the report: what it shows is what leaves, byte for byte, and its buttons are the ways there are."""

from __future__ import annotations

import re

import pages
import pytest
from visiting import Service, Visitor

from consult.documents.blocks import Block, text_of
from consult.documents.report import digest
from consult.proforma.answer import Answer
from consult.record.ledger import head, steps
from consult.record.release import EVENT_WORDS, Event

MARKS = {"h2": "title", "h3": "heading", "p": "paragraph", "ul": "list"}


def leaves(page: object, what: str = "leaves") -> str:
    """The text of the paper on the page, read back from its elements."""
    (article,) = [e for e in page.iter("article") if e.get("id") == what or what in (e.get("class") or "").split()]
    (body,) = [e for e in article if e.get("class") == "runs__body"]
    found = []
    for element in body:
        kind = MARKS.get(element.tag, "")
        if not kind or set((element.get("class") or "").split()) & {"sign-line", "strip", "letter__for"}:
            continue
        texts = ["".join(e.itertext()) for e in element] if kind == "list" else ["".join(element.itertext())]
        found.append(Block(kind, tuple(texts)))
    return text_of(found)


def events(page: object) -> set[str]:
    actions = [e.get("formaction") or e.get("action") or "" for e in (*page.iter("form"), *page.iter("button"))]
    return {m[1] for action in actions if (m := re.search(r"/report/(\w+)$", action))}


@pytest.fixture
def talk(service: Service) -> str:
    answers = {
        "report_consent": "given",
        "report_copy_choice": "before",
        "can_do_at_work": "Desk work <b>only</b> & 'short' walks",
        "tasks_limited": "PLANTED lifting",
    }
    return service.signed(**{q: Answer("answered", a) for q, a in answers.items()})


def test_the_whole_way_on_the_page(service: Service, nurse: Visitor, talk: str) -> None:
    address = f"/consultations/{talk}/report"
    page = nurse.get(address)
    assert "Not final" in pages.text(page)
    assert "PLANTED" not in leaves(page)
    assert events(page) == {"consent_withdrawn", "copy_before", "copy_same_time", "copy_none"}
    ticked = {"kind": "manager", "tick": "tasks_limited", "act": "preview"}
    preview = pages.parse(nurse.post(address, ticked).text)
    assert "PLANTED lifting" in leaves(preview)
    assert "PLANTED" not in leaves(nurse.get(address))  # a preview records nothing

    shown = digest(leaves(page))
    assert nurse.post(address, {"kind": "manager", "act": "final", "shown": shown}).status_code == 302
    page = nurse.get(address)
    text = leaves(page)
    assert text == leaves(page, "letter--copy")
    assert "Desk work <b>only</b> & 'short' walks\n" in text
    given = {"shown": digest(text), "how": "in_person", "window_ends": "2099-01-01"}
    assert nurse.post(f"{address}/copy_given", {**given, "window_ends": "2020-01-01"}).status_code == 422
    sent = {"shown": digest(text), "to": "line_manager", "how": "by_email"}
    assert nurse.post(f"{address}/released", sent).status_code == 422
    assert nurse.post(f"{address}/copy_given", given).status_code == 302
    assert "released" not in events(nurse.get(address))
    assert nurse.post(f"{address}/agreed", {"shown": digest(text)}).status_code == 302
    assert nurse.post(f"{address}/released", {**sent, "to": "nobody"}).status_code == 422
    assert nurse.post(f"{address}/released", sent).status_code == 302
    (step,) = steps(service.instance.db.read(), kind="report_released")
    page = nurse.get(address)
    assert step.content is not None
    assert step.content["digest"] == digest(leaves(page)) == digest(text)
    assert events(page) == {"consent_withdrawn", "correction_asked"}
    assert "Nora Nurse" in pages.text(page)
    history = pages.text(nurse.get(f"/consultations/{talk}/steps"))
    assert "Report to the manager released" in history


def test_what_has_happened_is_told_in_words_with_what_the_employee_says_is_wrong(
    service: Service, nurse: Visitor, talk: str
) -> None:
    address = f"/consultations/{talk}/report"
    nurse.post(address, {"kind": "manager", "act": "final", "shown": digest(leaves(nurse.get(address)))})
    given = {"shown": digest(leaves(nurse.get(address))), "how": "in_person", "window_ends": "2099-01-01"}
    nurse.post(f"{address}/copy_given", given)
    nurse.post(f"{address}/correction_asked", {"text": "It says Monday"})
    nurse.post(f"{address}/consent_withdrawn", {"how": "by_email"})
    (log,) = [e for e in nurse.get(address).iter("ol") if e.get("class") == "log"]
    said = [pages.text(e).partition(": ")[2] for e in log]
    assert said[-4:] == [
        "Text made final",
        "Copy given to the employee",
        "The employee asked for a correction: It says Monday",
        "Consent withdrawn",
    ]
    history = pages.text(nurse.get(f"/consultations/{talk}/steps"))
    assert "after signing: consent withdrawn" in history
    asked = {"reason": "The employee, today", "form": "html"}
    employee = service.consultation(talk).started["employee"]
    handed_out = pages.text(pages.parse(nurse.post(f"/employees/{employee}/everything", asked).text))
    assert "Consent withdrawn" in handed_out


def test_every_event_of_a_report_has_its_words() -> None:
    assert set(EVENT_WORDS) == set(Event)


def test_where_the_wish_for_a_copy_is_not_recorded_the_page_says_where_to_record_it(
    service: Service, nurse: Visitor
) -> None:
    talk = service.signed(report_consent=Answer("answered", "given"))
    address = f"/consultations/{talk}/report"
    for _ in ("before the text is final", "after"):
        page = nurse.get(address)
        (wishes,) = [e for e in page.iter("details") if e.get("id") == "wishes"]
        assert wishes.get("open") is not None
        assert [pages.text(e).partition(" Choose")[0] for e in wishes.iter("label")] == ["How the employee said it"]
        told = ["Consent withdrawn", "Wants a copy before", "Wants a copy at the same time", "Wants no copy"]
        assert [pages.text(e) for e in wishes.iter("button")] == told
        assert "#wishes" in [a.get("href") for a in page.iter("a")]
        assert "before that the report can't be released" in pages.text(page)
        nurse.post(address, {"kind": "manager", "act": "final", "shown": digest(leaves(page))})
    assert nurse.post(f"{address}/copy_none", {"how": "in_person"}).status_code == 302
    page = nurse.get(address)
    assert "released" in events(page)
    assert "#wishes" not in [a.get("href") for a in page.iter("a")]


def test_a_page_that_showed_something_else_makes_nothing_final(service: Service, nurse: Visitor, talk: str) -> None:
    data = {"kind": "manager", "act": "final", "shown": digest("another text")}
    assert nurse.post(f"/consultations/{talk}/report", data).status_code == 422
    forbidden = {"kind": "manager", "act": "final", "tick": "sexual_function_change"}
    assert nurse.post(f"/consultations/{talk}/report", forbidden).status_code == 422
    assert nurse.post(f"/consultations/{talk}/report", {"kind": "none_such"}).status_code == 404
    assert not list(steps(service.instance.db.read(), kind="report_made"))


@pytest.mark.parametrize("consent", ["withheld", "withdrawn", "no_manager"])
def test_without_consent_there_is_no_button_and_no_way(service: Service, nurse: Visitor, consent: str) -> None:
    talk = service.signed(report_consent=Answer("answered", consent))
    page = nurse.get(f"/consultations/{talk}/report")
    assert not events(page) & {"released", "copy_given", "agreed"}
    assert "CONSENT IS NOT RECORDED AS GIVEN: do not send." in leaves(page)
    assert "Nothing leaves as things are recorded now." in pages.text(page)
    assert "exactly what would leave" not in pages.text(page)
    assert nurse.post(f"/consultations/{talk}/report", {"kind": "manager"}).status_code == 422
    for event in ("released", "copy_given", "agreed"):
        sent = {"how": "by_email", "to": "line_manager", "window_ends": "2099-01-01"}
        assert nurse.post(f"/consultations/{talk}/report/{event}", sent).status_code == 422
    kinds = {s.kind for s in steps(service.instance.db.read(), consultation=talk)}
    assert not [kind for kind in kinds if kind.startswith("report_")]


def test_the_screen_offers_to_make_it_final_only_while_it_may_leave(service: Service, nurse: Visitor) -> None:
    """Told by each answer as it is given, and on the page anew; before, the button led to a page that refused."""
    talk = service.begin()

    def offered() -> bool:
        place = next(e for e in nurse.get(f"/consultations/{talk}").iter("div") if e.get("id") == "report-act")
        return any("Make the report final" in "".join(button.itertext()) for button in place.iter("button"))

    assert not offered()
    was = False
    for number, consent in enumerate(("given", "withheld", "given", "withdrawn", "no_manager", "given")):
        sent = {"a.report_consent": consent, "key": f"{number}-consent-{talk}"}
        reply = nurse.save(talk, sent, htmx=True).text
        now = consent == "given"
        assert offered() == now
        assert ('id="report-act"' in reply) == (now != was)
        assert ("Make the report final" in reply) == (now and not was)
        was = now


def test_below_what_leaves_stands_the_head_of_the_record(service: Service, nurse: Visitor, talk: str) -> None:
    page = nurse.get(f"/consultations/{talk}/report")
    seq, hash_ = head(service.instance.db.read())
    feet = [e for e in page.iter("p") if e.get("class") == "made-at"]
    assert ["".join(foot.itertext()) for foot in feet] == [f"Made at step {seq} of the record, {hash_}"]
    assert hash_ not in leaves(page)


def test_a_report_made_final_too_late_shows_its_lines_to_be_copied(service: Service, nurse: Visitor) -> None:
    doctor = service.visitor("doctor")
    talk = service.begin()
    kind = next(k for k in service.instance.library.current.reports.types if k.lines)
    line = kind.lines[0]
    data = {"from": service.who["nurse"].actor, "reason": "A fire alarm"}
    assert doctor.post(f"/consultations/{talk}/take-over", data).status_code == 302
    late = {"kind": kind.id, "act": "final", f"w.{line.id}": "Typed before the alarm"}
    reply = nurse.post(f"/consultations/{talk}/report", late)
    assert reply.status_code == 403
    told = pages.text(pages.parse(reply.text))
    assert "took this consultation over from you" in told
    assert line.label in told
    assert "Typed before the alarm" in told
    assert not list(steps(service.instance.db.read(), kind="report_made"))


def test_no_such_event(nurse: Visitor, talk: str) -> None:
    for event in ("nothing", "text_final", "window_ended", "consent_removed"):
        assert nurse.post(f"/consultations/{talk}/report/{event}").status_code == 404


@pytest.mark.parametrize("act", ["line", "tick", "kind", "all"])
def test_what_was_typed_without_a_preview_stays_and_is_made_final_once_it_was_read(
    service: Service, nurse: Visitor, talk: str, act: str
) -> None:
    address, definition = f"/consultations/{talk}/report", service.instance.library.current
    kind = next(k for k in definition.reports.types if k.lines)
    line = f"w.{kind.lines[0].id}"
    given = {"line": {line: "Please keep her"}, "tick": {"tick": "tasks_limited"}, "kind": {}}
    given["all"] = given["line"] | given["tick"]
    other = next(k for k in definition.reports.types if k.id != kind.id)
    read = pages.parse(nurse.post(address, {"kind": other.id if act == "kind" else kind.id, "act": "preview"}).text)
    sent = {"kind": kind.id, "act": "final", "shown": digest(leaves(read)), **given[act]}
    reply = nurse.post(address, sent)
    assert reply.status_code == 422
    assert list(steps(service.instance.db.read(), kind="report_made")) == []
    page = pages.parse(reply.text)
    assert "read it again" in pages.text(page)
    for name in ("kind", *given[act]):
        assert pages.value_of(page, name) == sent[name]
    if act != "tick":
        assert given[act].get(line, "") in leaves(page)
    again = {**sent, "shown": pages.value_of(page, "shown") or ""}
    assert nurse.post(address, again).status_code == 302
    (made,) = steps(service.instance.db.read(), kind="report_made")
    assert made.content is not None
    assert made.content["written"] == ({kind.lines[0].id: "Please keep her"} if act in ("line", "all") else {})


def test_a_line_typed_for_a_report_that_can_no_longer_be_made_is_shown_to_be_copied(
    service: Service, nurse: Visitor
) -> None:
    consultation = service.begin()
    nurse.save(consultation, {"a.report_consent": "withheld"})
    kind = next(k for k in service.instance.library.current.reports.types if k.lines)
    sent = {"kind": kind.id, "act": "final", f"w.{kind.lines[0].id}": "Please keep her"}
    reply = nurse.post(f"/consultations/{consultation}/report", sent)
    assert reply.status_code == 422
    (typed,) = [e for e in pages.parse(reply.text).iter("dd") if pages.text(e) == "Please keep her"]
    assert typed is not None


def to_release(service: Service, nurse: Visitor, wish: str = "no_copy") -> str:
    """The address of a final report that may be released."""
    answers = {"report_consent": "given", "report_copy_choice": wish, "can_do_at_work": "Desk work"}
    talk = service.signed(**{q: Answer("answered", a) for q, a in answers.items()})
    address = f"/consultations/{talk}/report"
    assert nurse.post(address, {"kind": "manager", "act": "final"}).status_code == 302
    return address


SENT = {"to": "line_manager", "how": "by_email"}


def release(nurse: Visitor, address: str) -> None:
    reply = nurse.post(f"{address}/released", {**SENT, "shown": digest(leaves(nurse.get(address)))})
    assert reply.status_code == 302


def test_a_text_corrected_after_its_release_is_shown_and_can_be_made_final(service: Service, nurse: Visitor) -> None:
    """Before, the text that had left stood there as the final one, without the correction."""
    address = to_release(service, nurse)
    release(nurse, address)
    nurse.post(f"{address}/correction_asked", {"text": "It says desk work"})
    nurse.post(f"{address}/correction_made", {"text": "Standing work"})
    page = nurse.get(address)
    assert "Standing work" in leaves(page)
    assert "Not final: do not send" in pages.text(page)
    assert "This is the final text" not in pages.text(page)
    assert "An earlier text was released to the line manager, by email, by Nora Nurse" in pages.text(page)
    again = {"kind": "manager", "act": "final", "shown": pages.value_of(page, "shown") or ""}
    assert nurse.post(address, again).status_code == 302
    assert "released" in events(nurse.get(address))
    release(nurse, address)
    assert "Released. To the line manager" in pages.text(nurse.get(address))


def test_of_a_text_that_has_left_the_page_says_so(service: Service, nurse: Visitor) -> None:
    address = to_release(service, nurse)
    release(nurse, address)
    for event, sent in (("correction_asked", {"text": "Desk work"}), ("consent_withdrawn", {"how": "by_email"})):
        assert nurse.post(f"{address}/{event}", sent).status_code == 302
        said = pages.text(nurse.get(address))
        assert "This is the final text, byte for byte as it left." in said
        assert "as it leaves" not in said


def test_consent_withdrawn_after_signing_is_not_said_to_stand(service: Service, nurse: Visitor) -> None:
    address = to_release(service, nurse)
    assert nurse.post(f"{address}/consent_withdrawn", {"how": "by_email"}).status_code == 302
    page = nurse.get(address)
    assert "It was made with the employee's consent." not in leaves(page)
    assert "CONSENT IS NOT RECORDED AS GIVEN: do not send." in leaves(page)


@pytest.mark.parametrize("answer", ["withheld", "no_manager"])
def test_consent_given_after_signing_lets_the_report_be_made_and_released(
    service: Service, nurse: Visitor, answer: str
) -> None:
    """Before, the page said that the employee consents, and its button was refused for want of consent."""
    address = f"/consultations/{service.signed(report_consent=Answer('answered', answer))}/report"
    for event in ("consent_given", "copy_none"):
        assert nurse.post(f"{address}/{event}", {"how": "in_person"}).status_code == 302
    page = nurse.get(address)
    assert "It was made with the employee's consent." in leaves(page)
    made = {"kind": "manager", "act": "final", "shown": pages.value_of(page, "shown") or ""}
    assert nurse.post(address, made).status_code == 302
    release(nurse, address)
    nurse.post(f"{address}/consent_withdrawn", {"how": "in_person"})
    assert nurse.post(address, {"kind": "manager", "act": "final"}).status_code == 422


def test_a_day_with_a_year_of_two_digits_is_told_what_to_correct(service: Service, nurse: Visitor) -> None:
    address = to_release(service, nurse, "before")
    sent = {"how": "by_phone", "window_ends-day": "31", "window_ends-month": "1", "window_ends-year": "99"}
    reply = nurse.post(f"{address}/copy_given", sent)
    assert "today or later. Write the year with four digits." in pages.text(pages.parse(reply.text))


@pytest.mark.parametrize(
    ("wish", "event", "sent", "wrong"),
    [
        ("no_copy", "released", {"to": "line_manager", "how": ""}, "how"),
        ("no_copy", "released", {"to": "", "how": "by_post"}, "to"),
        ("before", "copy_given", {"how": "by_phone", "window_ends": "2020-01-31"}, "window_ends"),
        ("before", "copy_given", {"how": "", "window_ends": "2099-01-31"}, "how"),
        ("no_copy", "consent_withdrawn", {"how": ""}, "how"),
    ],
)
def test_a_step_that_is_refused_keeps_what_was_chosen_and_leads_to_what_is_wrong(
    service: Service, nurse: Visitor, wish: str, event: str, sent: dict[str, str], wrong: str
) -> None:
    address = to_release(service, nurse, wish)
    before = nurse.get(address)
    reply = nurse.post(f"{address}/{event}", {**sent, "shown": pages.value_of(before, "shown") or ""})
    assert reply.status_code == 422
    page = pages.parse(reply.text)
    assert pages.title(page) == "Error: Report to the manager"
    (summary,) = [e for e in page.iter("div") if e.get("id") == "error-summary"]
    assert [a.get("href") for a in summary.iter("a")] == [f"#{wrong}-{event}"]
    (form,) = [f for f in page.iter("form") if (f.get("action") or "").endswith(f"/{event}")]
    assert {name: pages.value_of(form, name) for name in sent} == sent
    marked = [e.get("name") for e in form.iter() if e.get("aria-invalid")]
    assert marked[0] in (wrong, f"{wrong}-day")
    others = [f for f in page.iter("form") if f is not form and "/report/" in (f.get("action") or "")]
    assert [e.get("name") for f in others for e in f.iter("option") if e.get("selected") is not None] == []
    assert leaves(page) == leaves(before), "the final text still stands"


def test_words_for_a_step_that_can_no_longer_be_are_shown_to_be_copied(service: Service, nurse: Visitor) -> None:
    address = to_release(service, nurse)
    reply = nurse.post(f"{address}/correction_made", {"text": "It was the left side"})
    assert reply.status_code == 422
    page = pages.parse(reply.text)
    (summary,) = [e for e in page.iter("div") if e.get("id") == "error-summary"]
    assert [a.get("href") for a in summary.iter("a")] == ["#stage"]
    assert "It was the left side" in [pages.text(e) for e in page.iter("p")]


def test_what_the_employee_does_not_want_raised_is_not_offered_and_the_page_says_so(
    service: Service, nurse: Visitor
) -> None:
    talk = service.begin()
    nurse.save(talk, {"a.report_consent": "given", "a.work_cause_opinion": "caused"})
    address, opinion = f"/consultations/{talk}/report", "the clinician's opinion"
    assert "work_cause_opinion" in ticks(nurse.get(address))
    assert "rules it out" not in pages.text(nurse.get(address))
    nurse.save(talk, {"a.cause_action": "employee_does_not_want_it_raised"})
    page = nurse.get(address)
    assert not {"work_cause_opinion", "cause_action"} & ticks(page)
    said = pages.text(page)
    assert opinion in said[said.index("rules it out") :].split(".")[0]
    refused = nurse.post(address, {"kind": "manager", "act": "final", "tick": "work_cause_opinion"})
    assert "may not enter the report" in refused.text


def ticks(page: object) -> set[str]:
    return {e.get("value") or "" for e in page.iter("input") if e.get("name") == "tick"}


def give_telephone(service: Service, number: str) -> None:
    routes = service.instance.sites["A"].routes
    sent = {**routes, "name": "Site A (invented)", "telephone": number}
    assert service.visitor("administrator").post("/settings/sites/A", sent).status_code == 302


def test_where_the_service_is_reached_stands_on_papers_where_an_administrator_set_it(
    service: Service, nurse: Visitor, talk: str
) -> None:
    for paper in ("report", "letter"):
        assert "Telephone" not in pages.text(nurse.get(f"/consultations/{talk}/{paper}"))
    give_telephone(service, " 01632 960 777 ")
    assert "\nTelephone: 01632 960 777\n" in leaves(nurse.get(f"/consultations/{talk}/report"))
    assert "Telephone01632 960 777" in pages.text(nurse.get(f"/consultations/{talk}/letter"))


def test_another_telephone_later_leaves_a_final_report_as_it_is(service: Service, nurse: Visitor, talk: str) -> None:
    give_telephone(service, "01632 960 777")
    address = f"/consultations/{talk}/report"
    shown = digest(leaves(nurse.get(address)))
    assert nurse.post(address, {"kind": "manager", "act": "final", "shown": shown}).status_code == 302
    give_telephone(service, "")
    page = nurse.get(address)
    assert digest(leaves(page)) == shown
    assert "Not final" not in pages.text(page)


def test_the_page_after_a_refused_event_still_makes_its_text_final_and_not_that_event(
    service: Service, nurse: Visitor, talk: str
) -> None:
    """Its form had no address, so it was sent to that of the event: "Make this text final" recorded that instead."""
    address = f"/consultations/{talk}/report"
    refused = nurse.post(f"{address}/consent_withdrawn", {"how": ""})
    assert refused.status_code == 422
    page = pages.parse(refused.text)
    (choose,) = [form for form in page.iter("form") if "choose" in (form.get("class") or "")]
    assert choose.get("action") == address
    assert {form.get("action") for form in page.iter("form") if form.get("method") == "get"} == {address}
    sent = {"kind": "manager", "act": "final", "how": "in_person", "shown": digest(leaves(nurse.get(address)))}
    assert nurse.post(choose.get("action") or "", sent).status_code == 302
    assert events(nurse.get(address)) > {"copy_given"}
