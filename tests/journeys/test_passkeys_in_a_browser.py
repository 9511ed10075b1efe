"""Passkeys in a browser with a virtual authenticator: added, signed in with, refused where they must be, removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from service import PASSWORD, SIGN_IN_NAMES, Service
from watching import Watch

pytestmark = pytest.mark.browser
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@dataclass
class Desk:
    """A browser with an authenticator in it."""

    watch: Watch
    page: Page
    cdp: Any
    authenticator: str

    def set_verified(self, verified: bool) -> None:
        sent = {"authenticatorId": self.authenticator, "isUserVerified": verified}
        self.cdp.send("WebAuthn.setUserVerified", sent)

    def credentials(self) -> list[dict[str, Any]]:
        found = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.authenticator})
        return list(found["credentials"])

    def put(self, credential: dict[str, Any]) -> None:
        self.cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.authenticator})
        self.cdp.send("WebAuthn.addCredential", {"authenticatorId": self.authenticator, "credential": credential})


@pytest.fixture(scope="module")
def desk(service: Service, browser: Browser) -> Iterator[Desk]:
    """A browser that asks for the service as localhost: passkeys belong to a name."""
    address = service.address.replace("127.0.0.1", "localhost")
    context = browser.new_context(viewport={"width": 1366, "height": 768}, base_url=address, locale="en-GB")
    watch = Watch(context, address)
    watch.expected += ["422 (UNPROCESSABLE"]
    page = watch.page()
    cdp = context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    kind = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": kind})
    yield Desk(watch, page, cdp, made["authenticatorId"])
    context.close()
    assert watch.complaints == []


def by_password(page: Page, role: str = "nurse") -> None:
    page.goto("/sign-in")
    page.fill("#username", SIGN_IN_NAMES[role])
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")


def test_one_is_added_signs_in_is_refused_where_it_must_be_and_removed(desk: Desk, service: Service) -> None:
    page, problem = desk.page, desk.page.locator("main form[data-passkey] .q__error")
    by_password(page)
    expect(page.locator(".top__user")).to_be_visible()
    page.goto("/account")
    add = page.get_by_role("button", name="Add a passkey")
    page.fill("#passkey-name", "My laptop")
    page.fill("#passkey-password", "a guess at a password")
    add.click()
    expect(problem).to_contain_text("neither your password now nor a code")
    page.fill("#passkey-password", PASSWORD)
    add.click()
    expect(page.locator("h1")).to_have_text("Recovery codes", timeout=30_000)  # ten slow hashes are made
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("cell", name="My laptop")).to_be_visible()
    assert Axe().run(page, options=RULES).response["violations"] == []
    (credential,) = desk.credentials()
    assert credential["rpId"] == "localhost"

    page.fill("#passkey-password", PASSWORD)
    add.click()
    expect(problem).to_contain_text("holds a passkey of yours already")

    sign_out(page)
    passkey = page.get_by_role("button", name="Sign in with a passkey")
    assert Axe().run(page, options=RULES).response["violations"] == []
    desk.set_verified(False)
    passkey.click()
    expect(problem).to_contain_text("No passkey was used")
    desk.set_verified(True)
    passkey.click()
    expect(page.locator(".top__user")).to_contain_text("Nora Nurse")

    sign_out(page)
    by_password(page)
    expect(page.locator("h1")).to_have_text("Code")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator(".top__user")).to_contain_text("Nora Nurse")

    page.goto("/tour")
    page.get_by_role("button", name="Lock").click()
    in_place = page.get_by_role("button", name="Go on with a passkey")
    expect(in_place).to_be_visible()
    assert Axe().run(page, options=RULES).response["violations"] == []
    desk.set_verified(False)
    in_place.click()
    expect(page.locator("#lock form[data-passkey] .q__error")).to_contain_text("No passkey was used")
    desk.set_verified(True)
    in_place.click()
    expect(page.locator("#lock")).to_be_hidden()
    assert page.url.endswith("/tour")

    sign_out(page)
    desk.put({**desk.credentials()[0], "signCount": 0})  # a copy of the authenticator as it once was
    passkey.click()
    expect(page.locator("#problem")).to_contain_text("its counter went back")

    by_password(page)
    code = page.locator("#code")
    expect(code).to_be_visible()
    with service.instance.db.write() as conn:  # the recovery codes were shown once, and are not read off here
        conn.execute("DELETE FROM passkey_challenge")
        conn.execute("UPDATE passkey SET copied = 0, sign_count = 0")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator(".top__user")).to_contain_text("Nora Nurse")
    page.goto("/account")
    page.get_by_label("My laptop").check()
    page.fill("#passkey-gone-password", PASSWORD)
    page.get_by_role("button", name="Remove the chosen passkey").click()
    expect(page.get_by_text("The passkey is removed")).to_be_visible()
    sign_out(page)
    expect(passkey).to_have_count(0)


def test_without_scripts_the_password_way_stays(service: Service, browser: Browser) -> None:
    address = service.address.replace("127.0.0.1", "localhost")
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(5000)
    by_password(page, "doctor")
    expect(page.locator(".top__user")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_text("this browser must know passkeys and run the scripts")).to_be_visible()
    expect(page.get_by_role("button", name="Add a passkey")).to_have_count(0)
    context.close()
