"""A consultation taken over while its former owner has it open, what a browser brings back
after a sign-out, and the pages of the paper forms."""

from __future__ import annotations

from io import BytesIO

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pypdf import PdfReader
from service import Service
from watching import Visit

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
    borne = [[r for r in references if r in sheet.extract_text()] for sheet in printed]
    assert {len(found) for found in borne} == {1}, "one case on each page, and every page of a case"
    order = [found[0] for found in borne]
    assert order == sorted(order, key=references.index)
    assert order.count(references[0]) == order.count(references[1])
    sizes = {(round(float(sheet.mediabox.width)), round(float(sheet.mediabox.height))) for sheet in printed}
    assert sizes == {A4}
