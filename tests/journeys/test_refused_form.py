"""A refused form in a browser: the summary has the focus, and one key is at the field that is wrong."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from service import Service
from watching import Visit

pytestmark = pytest.mark.browser

FORMS = {
    "audit_lead": {
        "/rounds/new": "Make the round",
        "/actions/new": "Make the action",
        "/rounds/targets": "Set the target",
    },
    "administrator": {"/incidents": "Note it", "/settings": "Add this site"},
    "nurse": {"/consultations/{}/abandon": "End without signing", "/employees/new": "Register"},
}


@pytest.mark.parametrize("scripted", [True, False], ids=["scripted", "unscripted"])
@pytest.mark.parametrize(("role", "path"), [(role, path) for role, forms in FORMS.items() for path in forms])
def test_a_refused_form_has_the_focus_on_what_is_wrong_and_leads_to_the_field(
    visit: Visit, service: Service, role: str, path: str, scripted: bool
) -> None:
    watch = visit(role, scripted, width=320)
    watch.expected.append("422")
    page = watch.page()
    page.goto(path.format(service.begin() if "{}" in path else ""))
    page.get_by_role("button", name=FORMS[role][path], exact=True).click()
    expect(page).to_have_title(re.compile("^Error: "))
    summary = page.locator("#error-summary")
    expect(summary).to_be_focused()
    page.keyboard.press("Tab")
    link = summary.locator("a").first
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    field = (link.get_attribute("href") or "")[1:]
    expect(page.locator(f'[id="{field}"]')).to_be_focused()
    assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
