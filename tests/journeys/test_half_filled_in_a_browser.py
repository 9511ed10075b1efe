"""What is pressed at the top of a page in a browser keeps what is half filled in, and Enter still sends the form."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from service import PASSWORD, Service
from watching import Visit

pytestmark = pytest.mark.browser
CAUSE = 'Nobody knew, & "nobody" asked'


def typed(page: Page) -> None:
    page.goto("/actions/new")
    page.get_by_label("Likely cause").fill(CAUSE)
    page.locator("#due").fill("31")


def is_there(page: Page) -> None:
    expect(page.get_by_label("Likely cause")).to_have_value(CAUSE)
    expect(page.locator("#due")).to_have_value("31")


def test_without_scripts_lock_sign_out_and_low_light_give_back_what_was_typed(visit: Visit) -> None:
    watch = visit("audit_lead", scripted=False)
    watch.expected += ["423", "422"]
    page = watch.page()
    typed(page)
    for words in ("Low light", "Lock", "Sign out"):
        page.get_by_role("button", name=words).click()
        if words != "Low light":
            expect(page.get_by_role("heading", name="Locked")).to_be_visible()
            page.locator("#password").fill(PASSWORD)
            page.get_by_role("button", name="Go on").click()
        is_there(page)
    page.get_by_role("button", name="Make the action").click()
    expect(page.locator("#error-summary")).to_be_visible()
    is_there(page)


@pytest.mark.parametrize("scripted", [True, False], ids=["scripted", "unscripted"])
def test_enter_in_a_field_sends_the_form_and_neither_locks_nor_signs_out(visit: Visit, scripted: bool) -> None:
    watch = visit("audit_lead", scripted=scripted)
    watch.expected.append("422")
    page = watch.page()
    typed(page)
    page.locator("#due").press("Enter")
    expect(page.locator("#error-summary")).to_be_visible()
    is_there(page)


def test_with_scripts_the_lock_covers_the_page_and_another_look_keeps_what_was_typed(
    visit: Visit, service: Service
) -> None:
    page = visit("audit_lead").page()
    typed(page)
    page.get_by_role("button", name="Lock").click()
    page.locator("#lock-password").fill(PASSWORD)
    page.locator("#lock-password").press("Enter")
    expect(page.locator("#lock")).to_be_hidden()
    is_there(page)
    page.get_by_role("button", name="Low light").click()
    expect(page.locator("html")).to_have_attribute("data-look", "low-light")
    is_there(page)
