"""The idle lock in a browser: nothing of the employee readable, nothing typed lost, and after the password one goes on
where one was. Here the clock of the server is moved, and with it that of the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from hands import all_there
from playwright.sync_api import APIResponse, Page, Route, expect
from service import AWAY, PASSWORD, SIGN_IN_NAMES, Clock, Service
from watching import Visit, Watch

pytestmark = pytest.mark.browser

TEXT = "Will it last until the summer?"
FIELD = '[name="a.employee_concern"]'
SAVED = re.compile(r"^Saved \d\d:\d\d")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
STALE = ["400 (BAD REQUEST)", "Error Code 400"]
"""What a browser says of an answer that was on its way while one signed in anew in another tab: it is sent again."""
REFUSED = ["401 (UNAUTHORIZED)", "423 (LOCKED)", "422 (UNPROCESSABLE", "Error Code 401", "Error Code 423"]
READABLE = """() => {
    const seen = document.body.innerText, shown = e => e.checkVisibility({ visibilityProperty: true });
    const fields = [...document.querySelectorAll('input, select, textarea')].filter(shown).map(e => e.value);
    return [seen, ...fields, getSelection().toString()].join('\\n');
}"""
"""All the text a person or a copy could take from the page as it is drawn now."""

Idle = Callable[[Page, float], None]


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("service") / "instance", clock)
    yield running
    running.close()


@pytest.fixture
def consultation(service: Service) -> str:
    return service.begin()


@pytest.fixture
def idle(clock: Clock) -> Idle:
    """Let minutes pass at the server and in a page, in which nobody does anything."""

    def pass_by(page: Page, minutes: float) -> None:
        clock.ahead += timedelta(minutes=minutes)
        page.clock.fast_forward(int(minutes * 60_000))

    return pass_by


@pytest.fixture
def nurse(visit: Visit) -> Watch:
    watch = visit("nurse")
    watch.expected += REFUSED
    return watch


def show(watch: Watch, consultation: str) -> Page:
    page = watch.page()
    page.clock.install()
    page.goto(f"/consultations/{consultation}")
    all_there(page)
    return page


def employee_of(service: Service, consultation: str) -> str:
    found = service.instance.store.consultation(consultation)
    assert found is not None
    with_identity = service.instance.db.read().execute(
        "SELECT name FROM employee WHERE id = ?", (found.started["employee"],)
    )
    return str(with_identity.fetchone()[0])


def is_covered(page: Page, *secrets: str) -> None:
    """Nothing but the lock can be seen, selected, reached by Tab, or heard."""
    expect(page.locator("#lock")).to_be_visible()
    text, tree = page.evaluate(READABLE), page.locator("body").aria_snapshot()
    for secret in (*secrets, "born", "Papers and signing", "Consultations"):
        assert secret not in text, text
        assert secret not in tree, tree
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('#lock')")


def unlock(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Password", exact=True).fill(password)
    page.keyboard.press("Enter")


def kept_by_the_browser(page: Page) -> str:
    """All a browser keeps of the pages outside of them."""
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    return str(kept) + str([c["value"] for c in page.context.cookies()])


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{v['id']}: {v['help']}: {[n['target'] for n in v['nodes']][:3]}" for v in found]


class TestWhileOneTypes:
    def test_an_idle_page_is_covered_and_goes_on_at_the_same_field_after_the_password(
        self, service: Service, nurse: Watch, consultation: str, idle: Idle
    ) -> None:
        page = show(nurse, consultation)
        state = page.locator("#save-state")
        page.locator(FIELD).focus()
        page.keyboard.type(TEXT)
        expect(state).to_have_text("Saving")
        idle(page, 15.1)
        is_covered(page, employee_of(service, consultation), TEXT)
        expect(page.locator("#lock-unsent")).to_have_text("1 answer is not saved yet and waits on this page.")
        assert page.locator("#save-state").text_content() == "Not saved: the screen is locked"
        assert service.answer(consultation, "employee_concern") is None
        assert TEXT not in kept_by_the_browser(page)
        assert violations(page) == []
        unlock(page, "not this one at all")
        expect(page.locator("#lock-problem")).to_contain_text("That password is not right")
        expect(page.get_by_label("Password", exact=True)).to_be_focused()
        expect(page.get_by_label("Password", exact=True)).to_have_value("")
        is_covered(page, TEXT)
        unlock(page)
        expect(page.locator("#lock")).to_be_hidden()
        expect(page.locator(FIELD)).to_be_focused()
        expect(page.locator(FIELD)).to_have_value(TEXT)
        expect(state).to_have_text(SAVED)
        page.keyboard.type(" And then?")
        expect(page.locator(FIELD)).to_have_value(f"{TEXT} And then?")
        page.keyboard.press("Tab")
        expect(page.locator("#state-employee_concern .q__saved")).to_be_visible()
        expect(state).to_have_text(SAVED)
        assert service.answer(consultation, "employee_concern") == ("answered", f"{TEXT} And then?", "")
        assert service.steps_about(consultation, "employee_concern") == 2
        assert TEXT not in kept_by_the_browser(page)

    def test_an_answer_that_meets_the_lock_is_sent_once_after_it(
        self, service: Service, nurse: Watch, consultation: str, clock: Clock
    ) -> None:
        page = show(nurse, consultation)
        clock.ahead += timedelta(minutes=16)  # the page does not know it yet
        page.locator('label[for="a.harm_belief.present"]').click()
        expect(page.locator("#lock")).to_be_visible()
        assert service.answer(consultation, "harm_belief") is None
        unlock(page)
        expect(page.locator("#state-harm_belief .q__saved")).to_be_visible()
        expect(page.locator("#save-state")).to_have_text(SAVED)
        assert service.steps_about(consultation, "harm_belief") == 1

    def test_another_tab_in_use_keeps_an_idle_one_open(self, nurse: Watch, consultation: str, idle: Idle) -> None:
        page, other = show(nurse, consultation), show(nurse, consultation)
        idle(page, 14)
        other.locator('label[for="a.harm_belief.present"]').click()
        expect(other.locator("#state-harm_belief .q__saved")).to_be_visible()
        idle(page, 2)
        page.clock.run_for(6000)
        expect(page.locator("#lock")).to_be_hidden()
        expect(page.locator("#soon")).to_be_empty()


class TestTheWarning:
    def test_it_is_said_politely_and_one_key_is_enough(self, nurse: Watch, consultation: str, idle: Idle) -> None:
        page = show(nurse, consultation)
        soon = page.get_by_role("status").and_(page.locator("#soon"))
        page.locator(FIELD).focus()
        expect(page.locator("#soon")).to_be_empty()
        idle(page, 13.05)
        expect(soon).to_have_text("This screen locks in 2 min. Press any key to stay.")
        expect(page.locator(FIELD)).to_be_focused()
        idle(page, 1)
        expect(soon).to_have_text("This screen locks in 1 min. Press any key to stay.")
        page.keyboard.press("Shift")
        expect(page.locator("#soon")).to_be_empty()
        idle(page, 10)
        page.clock.run_for(6000)
        expect(page.locator("#lock")).to_be_hidden()
        assert page.request.get("/session").json()["state"] == "open"


class TestTheButton:
    def test_what_is_not_saved_yet_goes_first_then_nothing_is_readable(
        self, service: Service, nurse: Watch, consultation: str
    ) -> None:
        page = show(nurse, consultation)
        other = show(nurse, consultation)
        page.locator(FIELD).focus()
        page.keyboard.type(TEXT)
        page.get_by_role("button", name="Lock", exact=True).click()
        is_covered(page, employee_of(service, consultation), TEXT)
        expect(page.locator("#lock-unsent")).to_be_empty()
        expect(other.locator("#lock")).to_be_visible()
        assert page.request.get("/session").json()["state"] == "locked"
        assert service.answer(consultation, "employee_concern") == ("answered", TEXT, "")
        unlock(page)
        expect(page.locator(FIELD)).to_be_focused()
        expect(other.locator("#lock")).to_be_hidden()
        expect(page.locator("#save-state")).to_have_text(SAVED)
        assert service.steps_about(consultation, "employee_concern") == 1

    def test_a_lock_still_on_its_way_comes_before_the_unlocking(self, nurse: Watch, consultation: str) -> None:
        """Its reply, or a second request, once locked the screen again after the right password."""
        page, asked, held = show(nurse, consultation), list[str](), list[tuple[Route, APIResponse]]()
        page.on("request", lambda r: asked.append(r.url.rpartition("/")[2]) if r.method == "POST" else None)
        page.route("**/lock", lambda route: held.append((route, route.fetch())))
        page.get_by_role("button", name="Lock", exact=True).click()
        expect(page.locator("#lock")).to_be_visible()
        page.evaluate("window.dispatchEvent(new Event('focus'))")  # and it looks how things stand meanwhile
        unlock(page)
        page.wait_for_timeout(400)
        assert asked == ["lock"]
        held[0][0].fulfill(response=held[0][1])
        expect(page.locator("#lock")).to_be_hidden()
        page.wait_for_timeout(400)
        expect(page.locator("#lock")).to_be_hidden()
        assert asked == ["lock", "unlock"]
        assert page.request.get("/session").json()["state"] == "open"

    def test_a_lock_that_nobody_answers_keeps_nobody_out(self, nurse: Watch, consultation: str) -> None:
        page, asked = show(nurse, consultation), list[Route]()

        def stall(route: Route) -> None:
            asked.append(route)

        page.route("**/lock", stall)
        page.get_by_role("button", name="Lock", exact=True).click()
        expect(page.locator("#lock")).to_be_visible()
        unlock(page)
        expect(page.locator("#lock")).to_be_hidden(timeout=20_000)
        assert len(asked) == 1

    def test_it_holds_while_the_server_is_away(self, service: Service, nurse: Watch, consultation: str) -> None:
        page = show(nurse, consultation)
        nurse.expected += AWAY
        service.stop()
        try:
            page.get_by_role("button", name="Lock", exact=True).click()
            expect(page.locator("#lock")).to_be_visible()
            unlock(page)
            expect(page.locator("#lock-problem")).to_have_text("The server cannot be reached; try again.")
        finally:
            service.start()
        with page.expect_response(lambda reply: reply.url.endswith("/lock") and reply.ok):
            page.clock.run_for(11_000)
        is_covered(page, employee_of(service, consultation))
        assert page.request.get("/session").json()["state"] == "locked"
        unlock(page)
        expect(page.locator("#lock")).to_be_hidden()


def sign_in(page: Page, role: str) -> None:
    page.get_by_label("Sign-in name").fill(SIGN_IN_NAMES[role])
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


class TestAnotherPersonAtTheSameComputer:
    def test_a_colleague_is_at_work_after_the_lock_and_one_form(
        self, service: Service, nurse: Watch, consultation: str
    ) -> None:
        """Two clicks, two fields and Enter; one page is opened, and nothing between shows what the one before saw."""
        page, sent, opened = show(nurse, consultation), list[str](), list[str]()
        page.on("request", lambda r: sent.append(r.url.rpartition("/")[2]) if r.method == "POST" else None)
        page.get_by_role("button", name="Lock", exact=True).click()
        is_covered(page, employee_of(service, consultation))
        page.on("framenavigated", lambda frame: opened.append(frame.url))
        page.get_by_label("Their sign-in name").click()
        page.keyboard.type(SIGN_IN_NAMES["doctor"])
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Dan Doctor")).to_be_visible()
        assert [one for one in sent if one != "session"] == ["lock", "sign-in"]
        assert [url.replace(service.address, "") for url in opened] == ["/"]
        nurse.expected.append("404 (NOT FOUND)")
        page.goto(f"/consultations/{consultation}")
        expect(page.get_by_role("heading", name="Not found")).to_be_visible()


class TestSignedOutInAnotherTab:
    @pytest.fixture
    def typed(self, service: Service, nurse: Watch, consultation: str) -> tuple[Page, Page]:
        """A page with a text not saved yet, and another tab in which one has just signed out."""
        nurse.expected += STALE
        page, other = show(nurse, consultation), nurse.page()
        other.goto("/")
        page.locator(FIELD).focus()
        page.keyboard.type(TEXT)
        other.get_by_role("button", name="Sign out").click()
        expect(other.get_by_label("Sign-in name")).to_be_visible()
        page.clock.run_for(2000)
        is_covered(page, employee_of(service, consultation), TEXT)
        expect(page.locator("#lock-title")).to_have_text("Signed out")
        expect(page.locator("#lock-unsent")).to_have_text("1 answer is not saved yet and waits on this page.")
        return page, other

    def test_signed_in_again_the_answer_is_saved(
        self, service: Service, typed: tuple[Page, Page], consultation: str
    ) -> None:
        page, other = typed
        assert violations(page) == []
        sign_in(other, "nurse")
        expect(page.locator("#lock")).to_be_hidden()
        expect(page.locator(FIELD)).to_be_focused()
        expect(page.locator("#save-state")).to_have_text(SAVED)
        assert service.answer(consultation, "employee_concern") == ("answered", TEXT, "")
        assert service.steps_about(consultation, "employee_concern") == 1

    def test_under_another_name_nothing_is_recorded_and_the_text_stays(
        self, service: Service, typed: tuple[Page, Page], consultation: str
    ) -> None:
        page, other = typed
        sign_in(other, "doctor")
        expect(page.locator("#lock")).to_contain_text("Dan Doctor is signed in here now")
        is_covered(page, employee_of(service, consultation), TEXT)
        assert violations(page) == []
        page.clock.run_for(10_000)
        assert service.answer(consultation, "employee_concern") is None
        expect(page.locator("#lock-unsent")).to_contain_text("1 answer is not saved yet")
        other.get_by_role("button", name="Sign out").click()
        sign_in(other, "nurse")
        page.clock.run_for(6000)
        expect(page.locator("#lock")).to_be_hidden()
        expect(page.locator(FIELD)).to_have_value(TEXT)
        expect(page.locator("#save-state")).to_have_text(SAVED)
        assert service.answer(consultation, "employee_concern") == ("answered", TEXT, "")
        step = service.consultation(consultation).history["employee_concern"]
        assert len(step) == 1

    def test_locked_after_a_new_sign_in_it_still_takes_the_password(self, typed: tuple[Page, Page]) -> None:
        page, other = typed
        sign_in(other, "nurse")
        expect(page.locator("#lock")).to_be_hidden()
        other.get_by_role("button", name="Lock", exact=True).click()
        expect(page.locator("#lock-title")).to_have_text("Locked")
        unlock(page)
        expect(page.locator("#lock")).to_be_hidden()


def test_an_answer_sent_before_the_page_knows_of_a_new_sign_in_is_sent_again_and_saved_once(
    service: Service, nurse: Watch, consultation: str
) -> None:
    nurse.expected += [*STALE, "ERR_FAILED"]
    page, other = show(nurse, consultation), nurse.page()
    page.route("**/session", lambda route: route.abort())
    other.goto("/")
    other.get_by_role("button", name="Sign out").click()
    sign_in(other, "nurse")
    page.locator(FIELD).focus()
    page.keyboard.type(TEXT)
    with page.expect_response(lambda reply: reply.url.endswith("/answers") and reply.status == 400):
        page.clock.run_for(2000)
    assert service.answer(consultation, "employee_concern") is None
    page.unroute("**/session")
    page.clock.run_for(6000)
    expect(page.locator("#save-state")).to_have_text(SAVED)
    expect(page.locator("#lock")).to_be_hidden()
    assert service.answer(consultation, "employee_concern") == ("answered", TEXT, "")
    assert service.steps_about(consultation, "employee_concern") == 1


def test_a_colleague_signs_in_on_the_cover_and_nothing_else_is_asked(
    service: Service, nurse: Watch, consultation: str
) -> None:
    nurse.expected.append("status of 404")
    page = show(nurse, consultation)
    page.locator(".top").get_by_role("button", name="Lock", exact=True).click()
    is_covered(page, employee_of(service, consultation))
    expect(page.locator("#lock")).to_contain_text("Nora Nurse, occupational health nurse")
    asked = page.locator("#lock .switch input:not([type=hidden])")
    assert asked.evaluate_all("all => all.map(one => one.name)") == ["username", "password"]
    page.get_by_label("Their sign-in name").fill(SIGN_IN_NAMES["doctor"])
    page.get_by_label("Their password").fill(PASSWORD)
    page.get_by_role("button", name="Switch user").click()
    expect(page.locator(".top__user")).to_contain_text("Dan Doctor")
    assert page.goto(f"/consultations/{consultation}").status == 404


class TestWithoutJavaScript:
    def test_what_is_sent_into_the_lock_is_recorded_after_the_password_and_one_is_back_at_the_place(
        self, service: Service, visit: Visit, consultation: str, clock: Clock
    ) -> None:
        watch = visit("nurse", scripted=False)
        watch.expected += REFUSED
        page = watch.page()
        address = f"/consultations/{consultation}"
        page.goto(address)
        section = page.locator(FIELD).locator("xpath=ancestor::section")
        anchor = section.get_attribute("id")
        page.locator(FIELD).fill(TEXT)
        clock.ahead += timedelta(minutes=16)
        section.get_by_role("button", name="Save all answers on this page").click()
        expect(page.get_by_role("heading", name="Locked")).to_be_visible()
        expect(page.locator("main")).to_contain_text("What you sent is not recorded yet")
        for secret in (employee_of(service, consultation), TEXT):
            assert secret not in page.locator("body").inner_text()
            assert secret not in page.locator("body").aria_snapshot()
        assert service.answer(consultation, "employee_concern") is None
        unlock(page, "not this one at all")
        expect(page.locator("#problem")).to_contain_text("That password is not right")
        unlock(page)
        page.wait_for_url(f"**{address}?whole=yes#{anchor}")
        expect(page.locator(FIELD)).to_have_value(TEXT)
        assert service.steps_about(consultation, "employee_concern") == 1

    def test_the_button_locks_the_page_at_its_own_address(self, visit: Visit, consultation: str) -> None:
        watch = visit("nurse", scripted=False)
        watch.expected += REFUSED
        page = watch.page()
        page.goto(f"/consultations/{consultation}")
        page.get_by_role("button", name="Lock", exact=True).click()
        expect(page.get_by_role("heading", name="Locked")).to_be_visible()
        assert page.url.endswith(f"/consultations/{consultation}")
        unlock(page)
        expect(page.locator(FIELD)).to_be_visible()


class TestBack:
    def test_after_signing_it_shows_the_signed_page_and_posts_nothing(
        self, service: Service, nurse: Watch, consultation: str
    ) -> None:
        nurse.expected.append("409 (CONFLICT)")
        page = nurse.page()
        page.goto(f"/consultations/{consultation}")
        page.get_by_role("button", name="Sign and lock").click()
        page.wait_for_url("**/sign")
        page.get_by_label("One reason for all of them").select_option("out_of_time")
        page.get_by_role("button", name="Record the reason").click()
        expect(page.get_by_label("One reason for all of them")).to_be_hidden()
        page.get_by_role("button", name="Sign and lock").click()
        expect(page.get_by_role("heading", name="Signed and locked")).to_be_visible()
        posted: list[str] = []
        page.on("request", lambda r: posted.append(r.url) if r.method == "POST" else None)
        steps = len(list(service.instance.db.read().execute("SELECT 1 FROM step")))
        for _ in range(3):
            page.go_back()
            expect(page.get_by_role("heading", name="Signed and locked")).to_be_visible()
            assert page.get_by_role("button", name="Sign and lock").count() == 0
        assert posted == []
        assert len(list(service.instance.db.read().execute("SELECT 1 FROM step"))) == steps


def test_without_javascript_a_form_sent_after_a_sign_out_elsewhere_is_sent_once_signed_in(
    visit: Visit, service: Service, consultation: str
) -> None:
    watch = visit("nurse", scripted=False, width=320)
    watch.expected += REFUSED
    page, other = watch.page(), watch.page()
    page.goto(f"/consultations/{consultation}")
    page.locator(FIELD).fill(TEXT)
    other.goto("/")
    other.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Save all answers on this page").first.click()
    expect(page.get_by_text("What you sent is not recorded yet")).to_be_visible()
    page.get_by_label("Sign-in name").fill(SIGN_IN_NAMES["nurse"])
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Send what was kept")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert service.answer(consultation, "employee_concern") is None
    page.get_by_role("button", name="Send it now").click()
    expect(page.locator(FIELD)).to_have_value(TEXT)
    assert service.steps_about(consultation, "employee_concern") == 1
