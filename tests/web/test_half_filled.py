"""Lock, Sign out and Low light drop nothing of a form that is half filled in, on any page, with scripts or without."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from xml.etree.ElementTree import Element

import html5lib
import pages
import pytest
from addresses import address, methods, rules, values_of
from hypothesis import given
from hypothesis import strategies as st
from test_forms_twice import last_step
from test_held_forms import OURS, hidden, sign_in
from test_typed_first import as_sent, controls, unlocked
from visiting import PASSWORD, PEOPLE, Service, Visitor, look_over
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from consult.accounts.policy import allowed
from consult.proforma.answer import Answer
from consult.web import filling

WORDS = "Half a sentence & “quotes”"
TYPES = ("text", "search", "password", "radio", "checkbox")
NOTHING_TYPED = {
    "home": "a name that is looked for",
    "employees.search": "a name that is looked for",
    "employees.merge": "a name that is looked for",
    "identities.index": "a name that is looked for",
    "entry.baseline": "how many cases a sitting has, with the usual number in it",
    "consultations.show": "saves what was typed, or locks over it: tests/web/test_typed_first.py",
    "account.show": "passwords, which no page ever holds",
    "account.factor": "a code, which no page ever holds",
    "leaflets.index": "which leaflet is printed",
    "consultations.letter": "how large the letter is printed",
    "employees.show": "where a consultation is begun, or a leaflet printed",
}
"""Pages with a form that has nothing to lose, or loses nothing in another way."""
SEVERAL_FORMS = {"admin.settings", "reliability.show", "followup.index", "entry.sitting"}
"""Pages with as many forms as they list things: a button belongs to one form only."""


def typed_in(page: Element) -> list[Element]:
    """The forms that send, and in which something is typed or chosen."""
    posts = [f for f in next(page.iter("main")).iter("form") if (f.get("method") or "").lower() == "post"]
    return [form for form in posts if any(_is_for_typing(e) for e in controls(page, form))]


def _is_for_typing(element: Element) -> bool:
    return element.tag in ("textarea", "select") or (element.tag == "input" and element.get("type", "text") in TYPES)


def marked(page: Element) -> Element | None:
    return next((form for form in page.iter("form") if form.get("data-typed") is not None), None)


def fill(page: Element, form: Element) -> None:
    """Type into every field of a form, tick every box, and choose the last of each list."""
    for element in controls(page, form):
        kind = element.get("type", "text") if element.tag == "input" else element.tag
        if kind == "textarea":
            element.text = WORDS
        elif kind in ("text", "search"):
            element.set("value", "31" if (element.get("name") or "").endswith(("-day", "-month", "-year")) else WORDS)
        elif kind in ("radio", "checkbox"):
            for other in controls(page, form):
                if kind == "radio" and other.get("name") == element.get("name"):
                    other.attrib.pop("checked", None)
            element.set("checked", "")
        elif kind == "select":
            for option in element.iter("option"):
                option.attrib.pop("selected", None)
            list(element.iter("option"))[-1].set("selected", "")


def top_button(page: Element, form: Element, words: str) -> Element:
    at_the_top = [e for e in controls(page, form) if e.tag == "button" and pages.text(e).strip() == words]
    assert at_the_top, f"{words} does not belong to the form"
    return at_the_top[0]


def press(visitor: Visitor, path: str, words: str, typed: bool = True) -> tuple[MultiDict[str, str], TestResponse]:
    """What the form of a page holds when a button at the top is pressed, and the reply."""
    page = visitor.get(path)
    form = marked(page)
    assert form is not None
    if typed:
        fill(page, form)
    button = top_button(page, form, words)
    sent = as_sent(page, form, button)
    reply = visitor.client.post(button.get("formaction") or "", data=sent, headers=OURS)
    look_over(reply)
    return held(sent), reply


def held(sent: MultiDict[str, str]) -> MultiDict[str, str]:
    return MultiDict((n, v) for n, v in sent.items(multi=True) if n not in ("csrf_token", "pressed", "act", "go"))


def holds(reply: TestResponse) -> MultiDict[str, str]:
    """What the form of the page would send as it came back."""
    page = pages.parse(reply.text)
    form = marked(page)
    assert form is not None
    return held(as_sent(page, form, form))


def pages_of(visitor: Visitor, role: str, values: dict[str, str]) -> Iterator[tuple[str, str, Element]]:
    """Every page that somebody of a role can open: its endpoint, its address, and what it holds."""
    for rule in rules(visitor.service):
        if "GET" in methods(rule) and allowed(role, rule.endpoint) and rule.endpoint not in ("static", "sign_in"):
            response = visitor.ask(path := address(visitor.service, rule, values))
            is_page = response.status_code == 200 and response.mimetype == "text/html"
            if is_page and response.text.lstrip().lower().startswith("<!doctype"):
                yield rule.endpoint, path, pages.parse(response.text)


@pytest.fixture(scope="module")
def values(shared: Service) -> dict[str, str]:
    return values_of(shared)


@pytest.mark.parametrize("role", PEOPLE)
def test_every_form_in_which_something_is_typed_comes_back_after_the_password_and_nothing_of_it_is_recorded(
    shared: Service, values: dict[str, str], role: str
) -> None:
    visitor, kept = shared.visitor(role), set()
    for endpoint, path, page in pages_of(visitor, role, values):
        if marked(page) is None:
            assert not typed_in(page) or endpoint in NOTHING_TYPED or endpoint in SEVERAL_FORMS, endpoint
            continue
        before = last_step(shared)
        sent, locked = press(visitor, path, "Lock")
        assert locked.status_code == 423, endpoint
        assert "comes back once you go on" in locked.text
        assert "Half a sentence" not in locked.text
        assert visitor.ask("/").status_code == 423
        wrong = unlocked(visitor, locked, "not this one at all")
        assert wrong.status_code == 423
        back = unlocked(visitor, wrong)
        assert back.status_code == 200, endpoint
        look_over(back)
        assert set(sent.items(multi=True)) <= set(holds(back).items(multi=True)), endpoint
        written = shared.instance.db.read().execute("SELECT kind FROM step WHERE seq > ?", (before,)).fetchall()
        assert {row[0] for row in written} <= {"employee_viewed", "consultation_viewed", "paper_viewed"}, endpoint
        kept.add(endpoint)
    assert len(kept) >= {"audit_lead": 8, "administrator": 3, "coordinator": 0}.get(role, 5), kept


@pytest.mark.parametrize("words", ["Low light", "Light"])
def test_another_look_keeps_what_was_typed(service: Service, words: str) -> None:
    lead = service.visitor("audit_lead")
    if words == "Light":
        press(lead, "/actions/new", "Low light", typed=False)
    sent, reply = press(lead, "/actions/new", words)
    assert reply.status_code == 200
    assert holds(reply) == sent
    look = words.lower().replace(" ", "-")
    assert f'data-look="{look}"' in reply.text
    assert f'data-look="{look}"' in lead.ask("/results").text


def test_signing_out_over_something_typed_locks_and_over_nothing_signs_out(service: Service) -> None:
    lead = service.visitor("audit_lead")
    sent, locked = press(lead, "/actions/new?site=A", "Sign out")
    assert locked.status_code == 423
    assert "You are still signed in" in locked.text
    assert holds(unlocked(lead, locked)) == sent
    _, out = press(lead, "/actions/new?site=A", "Sign out", typed=False)
    assert (out.status_code, out.headers["Location"]) == (302, "/sign-in")
    assert lead.ask("/").status_code == 302


@pytest.mark.parametrize("words", ["Lock", "Sign out", "Low light"])
def test_a_press_that_meets_a_screen_which_is_locked_already_says_that_it_gives_back_what_was_typed(
    service: Service, words: str
) -> None:
    lead = service.visitor("audit_lead")
    page = lead.get("/actions/new")
    form = marked(page)
    assert form is not None
    fill(page, form)
    button = top_button(page, form, words)
    sent = as_sent(page, form, button)
    lead.post("/lock")
    locked = lead.client.post(button.get("formaction") or "", data=sent, headers=OURS)
    for _ in range(2):
        assert locked.status_code == 423
        assert "comes back once you go on" in locked.text
        assert "It is once you go on" not in locked.text
        locked = unlocked(lead, locked, "not this one at all")
    back = unlocked(lead, locked)
    assert (back.status_code, holds(back)) == (200, held(sent))


def test_what_was_typed_stays_also_where_the_session_ended_behind_the_lock(service: Service) -> None:
    lead = service.visitor("audit_lead")
    sent, locked = press(lead, "/actions/new", "Lock")
    service.clock.ahead = timedelta(hours=13)
    ended = lead.client.post("/actions/new", data={**hidden(locked.text), "unlock_password": PASSWORD}, headers=OURS)
    assert ended.status_code == 401
    asked = sign_in(lead, ended.text, "lea.lead")
    assert asked.status_code == 200
    assert "The page comes back with it" in asked.text
    assert "Half a sentence" in asked.text
    assert "Send it now" not in asked.text
    back = lead.client.post("/actions/new", data=hidden(asked.text), headers=OURS)
    assert holds(back) == sent


def test_a_page_that_takes_no_form_at_its_own_address_gives_back_what_was_typed_there_too(
    shared: Service, values: dict[str, str]
) -> None:
    lead, path = shared.visitor("audit_lead"), f"/actions/{values['action_id']}"
    sent, locked = press(lead, path, "Lock")
    back = unlocked(lead, locked)
    assert (back.status_code, holds(back)) == (200, sent)
    assert lead.client.post(path, data={"csrf_token": lead.csrf()}, headers=OURS).status_code == 405


def test_what_somebody_else_changed_meanwhile_is_still_shown_beside_what_was_typed(service: Service) -> None:
    lead, other = service.visitor("audit_lead"), service.visitor("audit_lead")
    day = {"happened_on": "2026-01-02", "what": "It was away", "effect": "Nothing"}
    lead.post("/incidents", day)
    path = next(a.get("href") for a in lead.get("/incidents").iter("a") if pages.text(a).strip() == "Change") or ""
    sent, locked = press(lead, path, "Lock")
    fields = as_sent(page := other.get(path), form := marked(page) or page, form)
    other.post(path, fields.to_dict() | day | {"effect": "One note late", "reason": "Found out"})
    back = unlocked(lead, locked)
    assert holds(back) == sent
    reply = lead.post(path, holds(back).to_dict() | day | {"what": "Mine", "reason": "As I saw it"})
    assert reply.status_code == 409
    assert "One note late" in reply.text


def test_a_correction_that_was_begun_in_an_addendum_comes_back_with_its_question(
    service: Service, nurse: Visitor
) -> None:
    case_ref = service.signed(back_pain_reason=Answer("answered", "main"))
    path = f"/consultations/{case_ref}/addendum"
    shown = nurse.post(path, {"act": "question", "chosen": "cord_signs", "text": "Said later", "why": ""})
    page = pages.parse(shown.text)
    form = marked(page)
    assert form is not None
    fill(page, form)
    button = top_button(page, form, "Lock")
    sent = as_sent(page, form, button)
    sent["chosen"] = "cord_signs"
    locked = nurse.client.post(button.get("formaction") or "", data=sent, headers=OURS)
    back = unlocked(nurse, locked)
    assert back.status_code == 200
    assert holds(back).getlist("text") == [WORDS]
    assert holds(back)["a.cord_signs"] == sent["a.cord_signs"]


def test_what_has_no_place_on_the_page_any_more_is_shown_to_copy(service: Service) -> None:
    lead = service.visitor("audit_lead")
    _, locked = press(lead, "/actions/new", "Lock")
    fields = as_sent(pages.parse(locked.text), next(pages.parse(locked.text).iter("form")), Element("button"))
    lead.post("/unlock", {"password": PASSWORD}, htmx=True)
    sealed = {"csrf_token": lead.csrf(), "held_sealed": fields["held_sealed"]}
    assert lead.client.post("/actions/new", data=sealed, headers=OURS).status_code == 200
    gone = {"csrf_token": lead.csrf(), "pressed": "press=low-light", "what": WORDS}
    reply = lead.client.post("/results", data=gone, headers=OURS)
    assert reply.status_code == 409
    assert "Half a sentence" in reply.text


@pytest.mark.parametrize("pressed", ["press=delete", "press=", "", "x"])
def test_what_no_button_at_the_top_says_does_nothing(service: Service, pressed: str) -> None:
    lead = service.visitor("audit_lead")
    sent = {"csrf_token": lead.csrf(), "pressed": pressed, "what": WORDS}
    assert lead.client.post("/actions/new", data=sent, headers=OURS).status_code == 400


@pytest.mark.parametrize("role", PEOPLE)
def test_enter_in_a_field_still_presses_the_first_button_of_its_form(
    shared: Service, values: dict[str, str], role: str
) -> None:
    """A browser presses the first button that belongs to the form: those at the top of the page come before its own."""
    visitor = shared.visitor(role)
    for endpoint, _, page in pages_of(visitor, role, values):
        if (form := marked(page)) is None:
            continue
        buttons = [e for e in controls(page, form) if e.tag == "button"]
        own = next(e for e in form.iter("button"))
        assert buttons[0].get("class") == "default-submit", endpoint
        assert [buttons[0].get(a) for a in ("name", "value", "formaction")] == [
            own.get(a) for a in ("name", "value", "formaction")
        ], endpoint


FORM = """<!DOCTYPE html><html lang="en"><head><title>x</title></head><body>
<form id="other"><input name="text" value="stays"></form>
<form id="f" data-typed><input type="hidden" name="key" value="1">
<input name="text" aria-label="a value=&quot;x&quot; checked"><textarea name="words" rows="2">before</textarea>
<select name="one"><option value="">None</option><option value="a" selected>A</option><option>b</option></select>
<input type="checkbox" name="box" value="x" aria-label="is checked"><input type="checkbox" name="box" value="y" checked>
</form><textarea name="late" form="f"></textarea></body></html>"""
TYPED = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), include_characters="\n"), max_size=30)


@given(TYPED, TYPED, TYPED, st.sampled_from(["", "a", "b"]), st.sets(st.sampled_from(["x", "y"])))
def test_whatever_was_typed_stands_in_its_field_and_nowhere_else(
    text: str, words: str, late: str, one: str, boxes: set[str]
) -> None:
    line = text.replace("\n", " ")
    sent = MultiDict([("text", line), ("words", words), ("late", late), ("one", one), ("key", "2")])
    sent.setlist("box", sorted(boxes))
    done = filling.filled(FORM, "f", sent)
    page = html5lib.HTMLParser(namespaceHTMLElements=False).parse(done.page)
    other, form = page.iter("form")
    assert as_sent(page, other, other) == MultiDict([("text", "stays")])
    assert sorted(as_sent(page, form, form).items(multi=True)) == sorted(sent.items(multi=True))
    assert done.left_over == ()
    assert done.changed == ((line, words, late, one, boxes) != ("", "before", "", "a", {"y"}))
    again = filling.filled(done.page, "f", sent)
    assert (again.page, again.changed) == (done.page, False)


@pytest.mark.parametrize("role", PEOPLE)
def test_over_a_form_in_which_nothing_was_typed_signing_out_signs_out(
    shared: Service, values: dict[str, str], role: str
) -> None:
    for endpoint, path, page in pages_of(shared.visitor(role), role, values):
        if marked(page) is not None:
            _, out = press(shared.visitor(role), path, "Sign out", typed=False)
            assert (out.status_code, out.headers.get("Location")) == (302, "/sign-in"), endpoint
