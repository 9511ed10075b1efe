"""Without scripts every button of the page of a talk saves what was typed before it does what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlparse
from xml.etree.ElementTree import Element

import pages
import pytest
from visiting import Service, Visitor
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
        if (button.get("formaction") or "").endswith("/sign") or button.get("value") == "clinician_notes":
            continue  # signing has its own test, and this one takes away what was typed
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


def press(visitor: Visitor, talk: str, words: str, typed: dict[str, str]) -> TestResponse:
    page = visitor.get(f"/consultations/{talk}")
    form, button = next(both for both in presses(page) if pages.text(both[1]).strip() == words)
    sent = as_sent(page, form, button)
    for name, value in typed.items():
        sent[name] = value
    return visitor.post(button.get("formaction") or form.get("action") or "", sent)


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
