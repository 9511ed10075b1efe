"""A consultation taken over while its former owner has it open, what a browser brings back
after a sign-out, a paper consultation entered by keyboard, and the pages of the paper forms."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pypdf import PdfReader
from service import Service
from watching import Visit

from consult.record.reference import new_reference

pytestmark = pytest.mark.browser

TEXT = "Will it last until the summer?"
WHY = "Nora was called away"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
A4 = (595, 842)


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{v['id']}: {v['help']}: {[n['target'] for n in v['nodes']][:3]}" for v in found]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_the_open_tab_of_the_former_owner_says_who_when_why_and_what_was_not_taken(
    visit: Visit, service: Service
) -> None:
    consultation = service.begin()
    nurse, doctor = visit("nurse"), visit("doctor", width=320)
    nurse.expected += ["409 (CONFLICT)", "403 (FORBIDDEN)"]
    doctor.expected.append("422 (UNPROCESSABLE")
    hers, his = nurse.page(), doctor.page()
    hers.goto(f"/consultations/{consultation}")
    his.goto(f"/consultations/{consultation}/take-over")
    assert violations(his) == []
    assert fits(his)
    his.get_by_role("button", name="Take over").click()
    expect(his.get_by_role("alert")).to_contain_text("Say in a few words")
    his.get_by_label("Why you take it over").fill(WHY)
    his.keyboard.press("Enter")
    expect(his.locator(".who")).to_contain_text("taken over from Nora Nurse by Dan Doctor")
    hers.locator('[name="a.employee_concern"]').fill(TEXT)
    hers.keyboard.press("Tab")
    notice = hers.locator("#notice")
    expect(notice).to_contain_text("Dan Doctor took this consultation over from you on")
    expect(notice).to_contain_text(WHY)
    expect(notice).to_contain_text("was not taken")
    expect(hers.locator("#state-employee_concern")).to_contain_text(f"Not taken. Here you gave: {TEXT}")
    expect(hers.locator('[name="a.employee_concern"]')).to_have_value(TEXT)
    expect(hers.locator("#save-state")).to_have_text("Not saved: see the question")
    assert violations(hers) == []
    assert service.answer(consultation, "employee_concern") is None
    assert service.steps_about(consultation, "employee_concern") == 0


class TestBackAfterSigningOut:
    """What a browser brings back out of its memory. The event is real; that the page was kept is said by the test,
    as this browser is started with that memory closed."""

    def test_nothing_shows_and_the_page_is_asked_for_anew(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        page, other = watch.page(), watch.page()
        page.goto(f"/consultations/{consultation}")
        other.goto("/")
        page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
        assert page.locator("main").is_hidden()
        other.get_by_role("button", name="Sign out").click()
        expect(other.get_by_label("Sign-in name")).to_be_visible()
        with page.expect_navigation():
            page.evaluate("setTimeout(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })))")
        expect(page.get_by_label("Sign-in name")).to_be_visible()
        page.go_back()
        expect(page.locator("body")).not_to_contain_text("born")

    def test_a_page_with_something_not_saved_is_covered_and_keeps_it(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected += ["401 (UNAUTHORIZED)", "Error Code 401", "Error Code 403"]
        page = watch.page()
        page.goto(f"/consultations/{consultation}")
        page.locator('[name="a.employee_concern"]').focus()
        page.keyboard.type(TEXT)
        page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
        token = next(c for c in page.context.cookies() if c.get("name") == "consult_session")
        page.context.clear_cookies(name="consult_session")
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        assert page.locator("main").is_hidden()
        expect(page.locator("#lock-title")).to_have_text("Signed out")
        page.context.add_cookies([{"name": "consult_session", "value": token["value"], "url": service.address}])
        expect(page.locator("#lock")).to_be_hidden(timeout=10_000)
        expect(page.locator('[name="a.employee_concern"]')).to_have_value(TEXT)
        expect(page.locator("#state-employee_concern .q__saved")).to_be_visible()
        assert service.steps_about(consultation, "employee_concern") == 1


def focus_on(page: Page, question: str) -> None:
    """Go to a question by Tab alone, from wherever one is."""
    for _ in range(400):
        if page.evaluate("(document.activeElement.name || '')") == f"a.{question}":
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{question} is not reached by Tab")


def test_a_paper_consultation_is_entered_by_keyboard_up_to_signing(visit: Visit, service: Service) -> None:
    store, who = service.instance.store, service.who("nurse")
    name, born = service.new_person()
    employee = store.register(name, born, "N-paper", who)
    held = store.clock().astimezone() - timedelta(days=2)
    reference = new_reference(service.instance.library.current.digest)
    watch = visit("nurse")
    watch.expected += ["409 (CONFLICT)", "422 (UNPROCESSABLE"]
    page = watch.page()
    page.goto(f"/employees/{employee.id}")
    press = page.keyboard.press
    page.locator("summary", has_text="Enter a consultation held on paper").focus()
    press("Enter")
    assert violations(page) == []
    for wrong in (True, False):
        page.get_by_label("Reference of the paper").focus()
        press("Control+A")
        page.keyboard.type("AAAA" if wrong else reference.lower())
        if wrong:
            for part in (f"{held:%d}", f"{held:%m}", f"{held:%Y}"):
                press("Tab")
                page.keyboard.type(part)
            page.get_by_label("The employee was seen").focus()
            page.keyboard.type("In")
            press("Shift+Tab")
            page.keyboard.type("1042")
        press("Enter")
        if wrong:
            expect(page.locator("#problem")).to_contain_text("no reference of a paper form")
    page.wait_for_url(re.compile(r"/consultations/[0-9a-f-]{36}$"))
    consultation = page.url.rpartition("/")[2]
    banner = page.locator(".who")
    expect(banner).to_contain_text(f"at 10:42 on paper {reference}, entered")
    assert page.locator(".rest__fill, [data-gesture]").count() == 0
    focus_on(page, "back_pain_reason")
    press("Space")
    expect(page.locator("#state-back_pain_reason .q__saved")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Sign and lock").focus()
    press("Enter")
    page.wait_for_url("**/sign")
    page.get_by_label("One reason for all of them").focus()
    page.keyboard.type("Out of time")
    page.get_by_role("button", name="Record the reason").focus()
    press("Enter")
    expect(page.get_by_label("One reason for all of them")).to_be_hidden()
    page.get_by_role("button", name="Sign and lock").focus()
    press("Enter")
    expect(page.get_by_role("heading", name="Signed and locked")).to_be_visible()
    main = page.locator("main")
    expect(main).to_contain_text(f"at 10:42 on paper {reference}, entered")
    expect(main).not_to_contain_text("Time taken")
    started = service.consultation(consultation).started
    assert (started["capture_mode"], started["paper"], started["held_on"]) == ("paper", reference, f"{held:%Y-%m-%d}")
    assert violations(page) == []


@pytest.mark.parametrize("width", [1366, 320])
def test_the_paper_pages_break_no_rule_and_fit(visit: Visit, service: Service, width: int) -> None:
    page = visit("nurse", width=width).page()
    for address in ("/paper", f"/paper/{service.instance.library.current.digest}"):
        page.goto(address)
        assert violations(page) == [], address
        assert fits(page), address


def test_each_printed_page_bears_the_reference_of_its_case(visit: Visit, service: Service) -> None:
    page = visit("nurse").page()
    page.goto(f"/paper/{service.instance.library.current.digest}?copies=2")
    references = page.locator(".big").all_inner_texts()
    assert len(set(references)) == 2
    printed = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
    texts = [sheet.extract_text() for sheet in printed]
    borne = [[r for r in references if r in text] for text in texts]
    assert {len(found) for found in borne} == {1}, "one case on each page, and every page of a case"
    order = [found[0] for found in borne]
    assert order == sorted(order, key=references.index)
    assert order.count(references[0]) == order.count(references[1])
    sizes = {(round(float(sheet.mediabox.width)), round(float(sheet.mediabox.height))) for sheet in printed}
    assert sizes == {A4}


SHEETS = {"a4": (A4, 12), "a5": ((420, 595), 12), "large": (A4, 16), "giant": (A4, 24)}


def test_letter_and_report_print_in_the_size_asked_for_and_begin_on_the_first_page(
    visit: Visit, service: Service
) -> None:
    """In any format nothing takes a page of its own before the paper, and its text is as large as it should be."""
    page, talk = visit("nurse").page(), service.begin()
    for paper, first in (("letter", "Urgent referral from"), ("report", "Occupational health report")):
        for format_, (size, points) in SHEETS.items():
            page.goto(f"/consultations/{talk}/{paper}?format={format_}")
            printed = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
            assert first in " ".join(printed[0].extract_text().split()), (paper, format_)
            for sheet in printed:
                assert (sheet.mediabox.width, sheet.mediabox.height) == pytest.approx(size, abs=1), (paper, format_)
            page.emulate_media(media="print")
            letters = page.evaluate(
                "[...document.querySelectorAll('.letter p:not(.made-at), .letter li, .letter td')]"
                ".filter(e => e.checkVisibility()).map(e => parseFloat(getComputedStyle(e).fontSize) * 0.75)"
            )
            page.emulate_media(media="null")
            assert letters
            assert min(letters) >= points - 0.01, (paper, format_)
