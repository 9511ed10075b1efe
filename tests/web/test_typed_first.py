"""Without scripts every button of the page of a talk saves what was typed before it does what it is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import parse_qsl, urlparse
from xml.etree.ElementTree import Element

import pages
import pytest
from visiting import EMPLOYEE, PASSWORD, Service, Visitor
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

WORDS = "Typed and not saved yet"
TYPED = "a.clinician_notes"


@pytest.fixture
def talk(service: Service, nurse: Visitor) -> str:
    """An open consultation whose page has a button of every kind."""
    id_ = service.begin()
    employee = service.consultation(id_).started["employee"]
    nurse.save(id_, {"a.saddle_feeling_change": "present", "a.report_consent": "given"})
    nurse.rest(id_, "rest_of_red_flags", "a key for the whole gesture")
    nurse.save(id_, {"a.night_pain": ""})
    core = next(leaflet for leaflet in service.instance.leaflets.values() if leaflet.core)
    given = {"language": core.language, "form": "printed", "format": "a4"}
    nurse.post(f"/consultations/{id_}/leaflets/{core.id}/given", given)
    nurse.post(f"/employees/{employee}/reading-need", {"answer": "some", "size": "large"})
    return id_


def controls(page: Element, form: Element) -> Iterator[Element]:
    """What a form owns: what it holds and names no other, and what names it."""
    inside = set(form.iter())
    for element in page.iter():
        owner = element.get("form")
        if owner == form.get("id") if owner else element in inside:
            yield element


def as_sent(page: Element, form: Element, button: Element) -> MultiDict[str, str]:
    """What a browser without scripts sends for a press."""
    sent: MultiDict[str, str] = MultiDict()
    for element in controls(page, form):
        name, kind = element.get("name"), element.get("type")
        if not name or element.tag == "button" or (kind in ("radio", "checkbox") and element.get("checked") is None):
            continue
        if element.tag == "select":
            options = list(element.iter("option"))
            chosen = next((o for o in options if o.get("selected") is not None), options[0])
            sent.add(name, chosen.get("value", pages.text(chosen)))
        elif element.tag in ("input", "textarea"):
            sent.add(name, element.get("value") or (element.text or ""))
    if button.get("name"):
        sent.add(button.get("name") or "", button.get("value") or "")
    return sent


def presses(page: Element) -> list[tuple[Element, Element]]:
    """Every button of the talk that sends a form, with that form."""
    main = set(next(page.iter("main")).iter())
    found = []
    for form in page.iter("form"):
        of_main = form in main
        buttons = [e for e in controls(page, form) if e.tag == "button" and (e.get("type") or "submit") == "submit"]
        found += [(form, button) for button in buttons if of_main or form.get("id") == "answers"]
    return found


def called(page: Element, words: str) -> tuple[Element, Element]:
    """The button that says so, with its form."""
    return next(both for both in presses(page) if pages.text(both[1]).strip() == words)


def top_pressed(visitor: Visitor, talk: str, words: str) -> Callable[[], TestResponse]:
    """What a button at the top of the talk's page sends, with a text typed before it."""
    page = visitor.get(f"/consultations/{talk}")
    form, button = called(page, words)
    sent = as_sent(page, form, button)
    sent[TYPED] = WORDS
    return lambda: visitor.client.post(button.get("formaction") or "", data=sent)


def kept(service: Service, talk: str) -> object:
    answer = service.consultation(talk).answers.get("clinician_notes")
    return answer and answer.value


def test_every_press_saves_what_was_typed(service: Service, nurse: Visitor, talk: str) -> None:
    page = nurse.get(f"/consultations/{talk}")
    places = {urlparse(button.get("formaction") or "").path for _, button in presses(page)}
    for ends in ("/decisions", "/report", "/given", "/printed", "/discussed", "/not-given", "/needs-not-met", "/undo"):
        assert any(place.endswith(ends) for place in places), ends
    for at in range(len(presses(page))):
        page = pages.read(
            nurse.client.get(f"/consultations/{talk}").text
        )  # looked over before the first and at the end
        both = presses(page)
        if at >= len(both):
            break
        form, button = both[at]
        if "/then/" in (button.get("formaction") or "") or button.get("value") == "clinician_notes":
            continue  # what stands at the top has tests of its own, and this one takes away what was typed
        if (button.get("formaction") or "").endswith("/sign"):
            continue  # so has signing
        sent, words = as_sent(page, form, button), f"{WORDS} {at}"
        assert TYPED in sent, pages.text(button)
        sent[TYPED] = words
        nurse.post(button.get("formaction") or form.get("action") or "", sent)
        assert kept(service, talk) == words, pages.text(button)
    nurse.get(f"/consultations/{talk}")


def test_what_is_pressed_is_done_too(service: Service, nurse: Visitor, talk: str) -> None:
    press(nurse, talk, "Make the report final", {TYPED: WORDS})
    assert service.consultation(talk).report
    press(nurse, talk, "Discussed", {TYPED: WORDS})
    assert service.consultation(talk).documents[-1].kind == "leaflet_discussed"
    mark = "decide-saddle_feeling_change~"
    decided = {f"{mark}decision": "urgent_referral", f"{mark}reason": "Rang the hospital", TYPED: WORDS + " more"}
    press(nurse, talk, "Record decision", decided)
    assert service.consultation(talk).decisions["saddle_feeling_change"].reason == "Rang the hospital"
    assert kept(service, talk) == WORDS + " more"


def test_where_an_answer_is_refused_nothing_is_done_and_what_was_typed_stays(
    service: Service, nurse: Visitor, talk: str
) -> None:
    wrong = {"a.follow_up_date": "31/31/2026", TYPED: WORDS}
    reply = press(nurse, talk, "Make the report final", wrong)
    assert reply.status_code == 422
    assert "what you pressed was not done" in reply.text
    assert not service.consultation(talk).report
    assert kept(service, talk) == WORDS
    mark = "decide-saddle_feeling_change~"
    decided = {f"{mark}decision": "urgent_referral", f"{mark}reason": "Rang the hospital", "a.follow_up_date": "x"}
    reply = press(nurse, talk, "Record decision", decided)
    assert reply.status_code == 422
    assert "Rang the hospital" in reply.text
    assert service.consultation(talk).decisions == {}


def test_a_decision_begun_is_not_dropped_by_a_press_of_another_button(
    service: Service, nurse: Visitor, talk: str
) -> None:
    reply = press(nurse, talk, "Save", {"decide-saddle_feeling_change~reason": "Rang the hospital", TYPED: WORDS})
    assert kept(service, talk) == WORDS
    assert "Rang the hospital" in reply.text
    assert "not recorded yet" in reply.text


def press(visitor: Visitor, talk: str, words: str, typed: dict[str, str], of: str = "") -> TestResponse:
    page = visitor.get(f"/consultations/{talk}")
    called = [both for both in presses(page) if pages.text(both[1]).strip() == words]
    form, button = next(both for both in called if f"of={of}" in (both[1].get("value") or "") or not of)
    sent = as_sent(page, form, button)
    for name, value in typed.items():
        sent[name] = value
    return visitor.post(button.get("formaction") or form.get("action") or "", sent)


BEGUN = {
    "decide-bladder_feeling_change": {"reason": "Rang the second ward"},
    "reading": {"answer": "some", "size": "giant", "easy_read": "yes"},
    "unmet": {"leaflet": "back-pain-core", "reason": ""},
}
"""What is begun at three buttons of the page, by the mark of each."""


def begun_fields(without: str = "") -> dict[str, str]:
    return {f"{mark}~{name}": v for mark, said in BEGUN.items() if mark != without for name, v in said.items() if v}


def begun_on(page: Element) -> dict[str, str]:
    """What a page shows of what was begun, read as a browser would send it."""
    form = next(form for form in page.iter("form") if form.get("id") == "answers")
    sent = as_sent(page, form, form)
    return {name: sent[name] for name in begun_fields() if sent.get(name)}


@pytest.fixture
def busy_talk(service: Service, nurse: Visitor, talk: str) -> str:
    """The same with a second urgent answer, so that two decisions can be begun."""
    nurse.save(talk, {"a.bladder_feeling_change": "present"})
    return talk


def test_nothing_begun_is_dropped_by_any_press(service: Service, nurse: Visitor, busy_talk: str) -> None:
    shown = nurse.get(f"/consultations/{busy_talk}")
    assert begun_on(shown).keys() <= {"reading~size", "reading~easy_read"}  # as recorded
    tried = set()
    for _ in range(60):
        page = nurse.get(f"/consultations/{busy_talk}")
        left = [(f, b) for f, b in presses(page) if not passed_over(b) and what(b) not in tried]
        if not left:
            break
        form, button = left[0]
        tried.add(what(button))
        sent, own = as_sent(page, form, button), dict(parse_qsl(button.get("value") or "")).get("of", "")
        for name, value in begun_fields().items():
            sent[name] = value
        reply = nurse.post(button.get("formaction") or form.get("action") or "", sent)
        assert begun_on(pages.parse(reply.text)).items() >= begun_fields(own).items(), what(button)
        assert "not recorded yet" in reply.text
    assert len(tried) > 12
    assert "bladder_feeling_change" not in service.consultation(busy_talk).decisions


def with_scripts(sent: MultiDict[str, str]) -> MultiDict[str, str]:
    """What goes with a press where scripts run: the answers have gone by themselves."""
    going = [(n, v) for n, v in sent.items(multi=True) if n in ("csrf_token", "doing") or "~" in n]
    return MultiDict(going)


def test_with_scripts_nothing_begun_is_dropped_by_any_press(service: Service, nurse: Visitor, busy_talk: str) -> None:
    tried = set[str]()
    for _ in range(60):
        page = nurse.get(f"/consultations/{busy_talk}")
        left = [(f, b) for f, b in presses(page) if by_scripts(b) and what(b) not in tried]
        if not left:
            break
        form, button = left[0]
        tried.add(what(button))
        sent, own = as_sent(page, form, button), dict(parse_qsl(button.get("value") or "")).get("of", "")
        for name, value in begun_fields().items():
            sent[name] = value
        reply = nurse.post(button.get("formaction") or "", with_scripts(sent))
        assert begun_on(pages.parse(reply.text)).items() >= begun_fields(own).items(), what(button)
    assert {"Record decision", "Record how the employee needs to read"} <= tried
    assert "bladder_feeling_change" not in service.consultation(busy_talk).decisions


def by_scripts(button: Element) -> bool:
    return button.get("name") == "doing" and button.get("data-gesture") is None and not passed_over(button)


@pytest.mark.parametrize("words", ["Lock", "Sign out"])
def test_with_scripts_what_was_begun_is_not_shown_to_who_comes_after(
    service: Service, nurse: Visitor, busy_talk: str, words: str
) -> None:
    page = nurse.get(f"/consultations/{busy_talk}")
    form, button = called(page, words)
    sent = with_scripts(as_sent(page, form, button))
    for name, value in begun_fields().items():
        sent[name] = value
    reply = nurse.post(button.get("formaction") or "", sent)
    assert reply.status_code in (302, 303)
    assert "Rang the second ward" not in reply.text
    assert nurse.ask(f"/consultations/{busy_talk}").status_code == {"Lock": 423, "Sign out": 302}[words]


def what(button: Element) -> str:
    """One of its kind: what each leaflet has, or each question, is pressed once."""
    return "Remove" if button.get("name") == "remove" else pages.text(button).strip()


def passed_over(button: Element) -> bool:
    """What opens in another tab leaves the page as it is; Lock and Sign out lock it over what was begun.

    An answer that is removed takes away what was to be decided about it.
    """
    address = button.get("formaction") or ""
    gone = button.get("name") == "remove" and button.get("value") == "bladder_feeling_change"
    return gone or button.get("formtarget") == "_blank" or address.endswith(("/then/lock", "/then/sign_out"))


def test_what_is_recorded_is_not_said_to_be_begun(service: Service, nurse: Visitor, busy_talk: str) -> None:
    decided = {"decision": "urgent_referral", "reason": "Rang the hospital"}
    first = {f"decide-saddle_feeling_change~{name}": text for name, text in decided.items()}
    other = {"decide-bladder_feeling_change~reason": "Rang the ward"}
    reply = press(nurse, busy_talk, "Record decision", first | other, "decide-saddle_feeling_change")
    assert reply.text.count('class="q__error decide__note"') == 1
    summary = told_above(reply)
    assert "Not all that you typed is recorded" in summary
    assert "The decision was not recorded" not in summary
    proforma = service.instance.library.current.proforma
    asked = {id_: proforma.by_id[id_].ask.rstrip("?") for id_ in ("saddle_feeling_change", "bladder_feeling_change")}
    assert [asked[id_] in summary for id_ in asked] == [False, True]
    assert service.consultation(busy_talk).decisions.keys() == {"saddle_feeling_change"}
    second = {f"decide-bladder_feeling_change~{name}": text for name, text in decided.items()}
    assert press(nurse, busy_talk, "Record decision", second, "decide-bladder_feeling_change").status_code == 302
    assert service.consultation(busy_talk).decisions.keys() == {"saddle_feeling_change", "bladder_feeling_change"}
    told = press(nurse, busy_talk, "Record how the employee needs to read", {"reading~answer": "some"}, "reading")
    assert told.status_code == 302


def told_above(reply: TestResponse) -> str:
    """What stands in the box above the page."""
    return pages.text(next(e for e in pages.parse(reply.text).iter("div") if e.get("id") == "error-summary"))


def test_a_decision_that_is_refused_is_said_not_to_be_recorded(service: Service, nurse: Visitor, talk: str) -> None:
    mark = "decide-saddle_feeling_change"
    reply = press(nurse, talk, "Record decision", {f"{mark}~reason": "Rang the hospital"}, mark)
    assert "The decision was not recorded" in told_above(reply)
    assert "Choose your decision from the list" in told_above(reply)


def test_signing_over_something_begun_says_that_it_is_not_signed(
    service: Service, nurse: Visitor, busy_talk: str
) -> None:
    for typed in (begun_fields("reading"), begun_fields("decide-bladder_feeling_change")):
        reply = press(nurse, busy_talk, "Sign and lock", typed)
        assert reply.status_code == 422
        assert "The consultation is not signed" in reply.text
    assert service.consultation(busy_talk).state == "open"


@pytest.mark.parametrize("mark", list(BEGUN))
def test_what_was_begun_comes_back_where_an_answer_or_the_act_itself_is_refused(
    service: Service, nurse: Visitor, busy_talk: str, mark: str
) -> None:
    for typed in ({"a.follow_up_date": "31/31/2026"}, {}):
        page = nurse.get(f"/consultations/{busy_talk}")
        own = (b for b in presses(page) if dict(parse_qsl(b[1].get("value") or "")).get("of") == mark)
        form, button = next(own)
        sent = as_sent(page, form, button)
        for name, value in (begun_fields() | typed).items():
            sent[name] = value
        sent.poplist("reading~answer")
        reply = nurse.post(button.get("formaction") or "", sent)
        assert reply.status_code == 422
        expected = begun_fields()
        del expected["reading~answer"]
        assert begun_on(pages.parse(reply.text)).items() >= expected.items()


@pytest.mark.parametrize("words", ["Lock", "Sign out"])
def test_what_was_begun_comes_back_behind_the_lock(
    service: Service, nurse: Visitor, busy_talk: str, words: str
) -> None:
    locked = press(nurse, busy_talk, words, {"reading~answer": "declined"})
    back = unlocked(nurse, locked)
    page = pages.parse(back.text)
    form = next(form for form in page.iter("form") if form.get("id") == "answers")
    assert as_sent(page, form, form)["reading~answer"] == "declined"


def test_a_press_saves_nothing_in_a_talk_that_its_address_is_not_about(
    service: Service, nurse: Visitor, talk: str
) -> None:
    page = nurse.get(f"/consultations/{talk}")
    form, button = next(both for both in presses(page) if "Record how the employee" in pages.text(both[1]))
    other = service.consultation(service.begin()).started["employee"]
    sent = as_sent(page, form, button)
    sent[TYPED] = WORDS
    assert nurse.post(f"/employees/{other}/reading-need", sent).status_code == 404
    for address in ("/sign-out", "/account/password"):  # no act of a talk's page: what looks like one is no answer
        nurse.post(address, sent)
        nurse = service.visitor("nurse")
    assert kept(service, talk) is None
    colleague = service.visitor("doctor")
    colleague.post(f"/consultations/{talk}/report", sent)
    assert service.visitor("administrator").post(f"/consultations/{talk}/report", sent).status_code in (403, 404)
    assert kept(service, talk) is None


@pytest.mark.parametrize("words", ["Lock", "Sign out", "Low light"])
def test_what_is_pressed_at_the_top_saves_first_too(service: Service, nurse: Visitor, talk: str, words: str) -> None:
    reply = press(nurse, talk, words, {TYPED: WORDS})
    assert kept(service, talk) == WORDS
    assert reply.status_code in (302, 303)
    away = nurse.ask(f"/consultations/{talk}")
    assert away.status_code == {"Lock": 423, "Sign out": 302, "Low light": 200}[words]
    if words == "Low light":
        assert 'data-look="low-light"' in away.text


@pytest.mark.parametrize("words", ["Lock", "Sign out"])
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"a.follow_up_date": "31/31/2026"}, "Not everything was saved"),
        ({"decide-saddle_feeling_change~reason": "Rang the hospital"}, "Rang the hospital"),
    ],
)
def test_where_not_all_can_be_saved_the_screen_is_locked_and_gives_it_back_after_the_password(
    service: Service, nurse: Visitor, talk: str, words: str, typed: dict[str, str], said: str
) -> None:
    locked = press(nurse, talk, words, {TYPED: WORDS, **typed})
    assert locked.status_code == 423
    assert EMPLOYEE[0] not in locked.text
    assert "comes back once you go on" in locked.text
    assert "What is kept here is lost." in locked.text
    assert "What was sent is lost." not in locked.text
    assert kept(service, talk) == WORDS
    assert nurse.ask(f"/consultations/{talk}").status_code == 423
    back = unlocked(nurse, locked)
    assert back.status_code == 422
    assert said in back.text
    assert "what you pressed was not done" not in back.text


def test_after_a_wrong_password_the_lock_still_says_that_it_only_gives_back_what_was_typed(
    service: Service, nurse: Visitor, talk: str
) -> None:
    """It said that what was sent would be recorded, of a decision that was only begun."""
    locked = press(nurse, talk, "Lock", {TYPED: WORDS, "decide-saddle_feeling_change~reason": "Rang the hospital"})
    for _ in range(2):
        locked = unlocked(nurse, locked, "not this one at all")
        assert locked.status_code == 423
        assert "comes back once you go on" in locked.text
        assert "What you sent is not recorded yet" not in locked.text
    back = unlocked(nurse, locked)
    assert back.status_code == 422
    assert "Rang the hospital" in back.text
    assert service.consultation(talk).decisions == {}


def unlocked(visitor: Visitor, locked: TestResponse, password: str = PASSWORD) -> TestResponse:
    """What a page that was locked over what was typed leads to, once the password is given."""
    page = pages.parse(locked.text)
    form = next(form for form in page.iter("form") if any(e.get("name") == "unlock_password" for e in form.iter()))
    sent = as_sent(page, form, next(e for e in form.iter() if e.tag == "button"))
    sent["unlock_password"] = password
    return visitor.client.post(form.get("action") or locked.request.path, data=sent)


@pytest.mark.parametrize("words", ["Lock", "Sign out"])
def test_over_a_talk_that_a_colleague_has_taken_over_the_screen_is_locked_all_the_same(
    service: Service, nurse: Visitor, talk: str, words: str
) -> None:
    press = top_pressed(nurse, talk, words)
    service.instance.store.take_over(
        talk, service.who["nurse"].actor, "They are ill", "taken over", service.who["doctor"]
    )
    locked = press()
    assert locked.status_code == 423
    back = unlocked(nurse, locked)
    assert WORDS in back.text
    assert "took this consultation over" in back.text
    assert kept(service, talk) is None


@pytest.mark.parametrize("of", ["", "decide-saddle_feeling_change"])
def test_decisions_begun_are_shown_to_be_copied_once_a_colleague_has_taken_the_talk_over(
    service: Service, nurse: Visitor, busy_talk: str, of: str
) -> None:
    page = nurse.get(f"/consultations/{busy_talk}")
    words = "Record decision" if of else "Save"
    so_called = [both for both in presses(page) if pages.text(both[1]).strip() == words]
    form, button = next(both for both in so_called if not of or f"of={of}" in (both[1].get("value") or ""))
    sent = as_sent(page, form, button)
    sent["decide-saddle_feeling_change~decision"] = "urgent_referral"
    sent["decide-saddle_feeling_change~reason"] = "Rang the hospital"
    sent["decide-bladder_feeling_change~told"] = "The second ward"
    service.instance.store.take_over(
        busy_talk, service.who["nurse"].actor, "They are ill", "taken over", service.who["doctor"]
    )
    reply = nurse.client.post(button.get("formaction") or form.get("action") or "", data=sent)
    facts = next(e for e in pages.parse(reply.text).iter("dl"))
    asked = [pages.text(e) for e in facts.iter("dt")]
    assert [pages.text(e) for e in facts.iter("dd")] == ["The second ward", "Urgent referral made", "Rang the hospital"]
    assert [words in said for words, said in zip(("bladder", "legs", "legs"), asked, strict=True)] == [True] * 3


@pytest.mark.parametrize("words", ["Save", "Record that it is not met"])
def test_reading_needs_begun_are_shown_to_be_copied_once_a_colleague_has_taken_the_talk_over(
    service: Service, nurse: Visitor, busy_talk: str, words: str
) -> None:
    """They were dropped, and the reason of a need that was not met was shown by its code."""
    form, button = called(page := nurse.get(f"/consultations/{busy_talk}"), words)
    sent = as_sent(page, form, button)
    typed = {"reading~answer": "some", "reading~language": "pl", "reading~easy_read": "yes"}
    typed |= {"unmet~needs": "size:large", "unmet~leaflet": "back-pain-core", "unmet~reason": "printer"}
    for name, value in typed.items():
        sent[name] = value
    service.instance.store.take_over(
        busy_talk, service.who["nurse"].actor, "They are ill", "taken over", service.who["doctor"]
    )
    reply = nurse.client.post(button.get("formaction") or form.get("action") or "", data=sent)
    facts = next(e for e in pages.parse(reply.text).iter("dl"))
    said = dict(zip((pages.text(e) for e in facts.iter("dt")), (pages.text(e) for e in facts.iter("dd")), strict=True))
    assert said == {
        "How the employee needs to read": "Needs another form; Large print (16 point); Polish; Easy read",
        "A need that is not met": "Large print (16 point)",
        "Leaflet": service.instance.leaflets["back-pain-core", "en"].title,
        "Why it is not met": "It could not be printed here",
    }


@pytest.mark.parametrize("words", ["Lock", "Sign out"])
def test_a_press_at_the_top_that_meets_a_locked_screen_saves_only_after_the_password(
    service: Service, nurse: Visitor, talk: str, words: str
) -> None:
    press = top_pressed(nurse, talk, words)
    service.clock.ahead = timedelta(minutes=16)
    locked = press()
    assert locked.status_code == 423
    assert kept(service, talk) is None
    unlocked(nurse, locked)
    assert kept(service, talk) == WORDS
    assert nurse.ask(f"/consultations/{talk}").status_code == (200 if words == "Lock" else 302)
