"""Single sign-on the whole way in a browser, at a provider made by others that runs on this machine as another site."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from service import Service

from consult.accounts import single_sign_on
from consult.accounts.single_sign_on import Provider

with warnings.catch_warnings():
    import authlib.deprecate  # noqa: F401 - puts its own filter in front of all others

    warnings.simplefilter("ignore", DeprecationWarning)  # the provider uses what its library will drop; ours does not
    import oidc_provider_mock

OF_THE_PROVIDER = "ignore:get_jwt_config:DeprecationWarning"
pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings(OF_THE_PROVIDER)]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
LABEL = "Invented Health ID"


@pytest.fixture(scope="module")
def issuer(service: Service) -> Iterator[str]:
    """The provider, set up in the service; it stands under another name than the service, so its cookies are apart."""
    with pytest.MonkeyPatch.context() as patch, oidc_provider_mock.run_server_in_thread() as server:
        patch.setenv("CONSULT_TEST_SECRET", "any will do there")
        address = f"http://localhost:{server.server_port}"
        with service.instance.db.write() as conn:
            there = Provider(address, "back-pain", LABEL, "env:CONSULT_TEST_SECRET")
            single_sign_on.set_provider(conn, there, "test", service.instance.store.at())
        yield address


@pytest.fixture(scope="module", params=[True, False], ids=["with scripts", "without scripts"])
def page(request: pytest.FixtureRequest, service: Service, browser: Browser) -> Iterator[tuple[Page, bool]]:
    context = browser.new_context(
        base_url=service.address, java_script_enabled=request.param, viewport={"width": 1366, "height": 768}
    )
    page = context.new_page()
    page.set_default_timeout(5000)
    yield page, request.param
    context.close()


def at_the_provider(page: Page, subject: str) -> None:
    expect(page.locator("input[name=sub]")).to_be_visible()
    page.fill("input[name=sub]", subject)
    page.get_by_role("button", name="Authorize").click()


def test_from_the_first_page_over_the_link_code_to_signing_out(
    service: Service, issuer: str, page: tuple[Page, bool]
) -> None:
    page_, scripted = page
    role, name = ("nurse", "Nora Nurse") if scripted else ("doctor", "Dan Doctor")
    with service.instance.db.write() as conn:
        at, now = service.instance.store.at(), service.instance.clock()
        words = single_sign_on.make_code(conn, service.who(role).actor, now, "test", at)

    page_.goto("/leaflets")
    page_.get_by_role("link", name=f"Sign in with {LABEL}").click()
    at_the_provider(page_, f"subject-of-{role}")
    expect(page_.locator("h1")).to_have_text("Nobody may sign in here with this account")
    if scripted:
        assert Axe().run(page_, options=RULES).response["violations"] == []
    page_.fill("#code", words)
    page_.get_by_role("button", name="Link and sign in").click()
    expect(page_.locator("h1")).to_have_text("Leaflets")
    expect(page_.locator(".top__user")).to_contain_text(name)

    page_.get_by_role("button", name="Sign out").click()
    expect(page_.locator("h1")).to_have_text("Signed out")
    expect(page_.get_by_role("main")).to_contain_text(f"Your session at {LABEL} goes on")
    there = page_.get_by_role("link", name=f"Sign out of {LABEL} too")
    assert (there.get_attribute("href") or "").startswith(f"{issuer}/oauth2/end_session?client_id=back-pain")

    page_.goto("/follow-up")
    page_.get_by_role("link", name=f"Sign in with {LABEL}").click()
    at_the_provider(page_, f"subject-of-{role}")
    expect(page_.locator(".top__user")).to_contain_text(name)
    assert page_.url.endswith("/follow-up"), "the new session is known at once, though another site led here"
    cookies = {c["name"]: c for c in page_.context.cookies(service.address)}
    assert (cookies["consult_session"]["sameSite"], cookies["consult_way"]["sameSite"]) == ("Strict", "Lax")
