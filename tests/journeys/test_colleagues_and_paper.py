"""A consultation taken over while its former owner has it open, and the pages of the paper forms."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from service import Service
from watching import Visit

pytestmark = pytest.mark.browser

TEXT = "Will it last until the summer?"
WHY = "Nora was called away"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


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


@pytest.mark.parametrize("width", [1366, 320])
def test_the_paper_pages_break_no_rule_and_fit(visit: Visit, service: Service, width: int) -> None:
    page = visit("nurse", width=width).page()
    for address in ("/paper", f"/paper/{service.instance.library.current.digest}"):
        page.goto(address)
        assert violations(page) == [], address
        assert fits(page), address
