"""What is entered while something else about the same question is under way: it stands at last, or both are shown."""

from __future__ import annotations

import re

import pytest
from hands import WithScript, all_there
from keys import IN_SIGHT
from playwright.sync_api import APIResponse, Locator, Page, Route, expect
from service import PASSWORD, Service
from watching import Visit

from consult.record import ledger

pytestmark = pytest.mark.browser

SAVED = re.compile(r"^Saved \d\d:\d\d")
REST = "rest_of_red_flags"
ONE = "saddle_feeling_change"
ITEM = "new_stoop_or_height_loss"
FLAGS = "flags_in_the_way_of_work"


TWICE = """async () => {
    const button = document.querySelector('.decide button');
    const told = { submitter: button, bubbles: true, cancelable: true };
    addEventListener('submit', event => event.preventDefault(), true);
    for (const _ of [1, 2]) {
        button.form.dispatchEvent(new SubmitEvent('submit', told));
        await new Promise(then => setTimeout(then, 600));
    }
}"""
"""A press that comes twice, as where the server is asked first; nothing is sent."""


class Late:
    """Requests that reach the server and whose replies come when they are let go, or never."""

    def __init__(self, page: Page, address: str, about: str = "") -> None:
        self.held: list[tuple[Route, APIResponse]] = []
        self._about, self.on = about, True
        page.route(address, self._take)

    def _take(self, route: Route) -> None:
        if self.on and self._about in (route.request.post_data or ""):
            self.held.append((route, route.fetch()))
        else:
            route.continue_()

    def come(self) -> None:
        """Let the replies come."""
        self.on = False
        for route, reply in self.held:
            route.fulfill(response=reply)

    def are_lost(self) -> None:
        """End the connections without a reply."""
        self.on = False
        for route, _ in self.held:
            route.abort()


@pytest.fixture
def nurse(visit: Visit, service: Service) -> tuple[WithScript, str, Visit]:
    """A nurse with a consultation open."""
    consultation = service.begin()
    watch = visit("nurse")
    watch.expected += ["409 (CONFLICT)", "422 (", "ERR_FAILED", "htmx:"]
    hand = WithScript(watch.page())
    hand.page.goto(f"/consultations/{consultation}")
    all_there(hand.page)
    return hand, consultation, watch


def checked(page: Page, question: str) -> list[str]:
    """The codes that stand as chosen."""
    boxes = page.locator(f'[name="a.{question}"]:checked')
    return [str(box.get_attribute("value")) for box in boxes.all()]


def begun_with(hand: WithScript, question: str = ONE, code: str = "absent") -> None:
    """An answer that is saved before anything else happens."""
    hand.tick(question, code)
    hand.settle()
    expect(hand.page.locator(f"#state-{question} .q__saved")).to_be_visible()


def press_rest(hand: WithScript) -> None:
    hand.click(hand.page.locator(f"#rest-{REST} .rest__fill button"))
    hand.page.wait_for_timeout(300)


def press_remove(hand: WithScript, question: str = ONE) -> None:
    hand.page.locator(f"#state-{question} [data-remove]").click()
    hand.page.wait_for_timeout(300)


def saved(hand: WithScript, service: Service, consultation: str, question: str, code: str) -> None:
    """It is saved, stands chosen, is recorded, and nothing else is said of it."""
    expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
    expect(hand.page.locator(".q__conflict")).to_have_count(0)
    assert checked(hand.page, question) == [code]
    assert service.answer(consultation, question) == (code, None, "")


def on_its_way(hand: WithScript, question: str, code: str) -> Late:
    """An answer that has reached the server, and whose reply has not come."""
    late = Late(hand.page, "**/answers", f"a.{question}={code}")
    hand.tick(question, code)
    hand.page.wait_for_timeout(300)
    return late


def asks(page: Page) -> bool:
    """Whether leaving asks first."""
    return bool(page.evaluate("!window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"))


def see_all_of_the_rest(hand: WithScript) -> None:
    items = hand.page.locator(f"#block-{REST} [data-item]")
    for at in range(items.count()):
        items.nth(at).scroll_into_view_if_needed()
        hand.page.wait_for_timeout(20)


class TestNoToTheRestUnderWay:
    @pytest.mark.parametrize("reply", ["late", "lost"])
    def test_a_yes_given_meanwhile_stands(
        self, nurse: tuple[WithScript, str, Visit], service: Service, reply: str
    ) -> None:
        hand, consultation, _ = nurse
        begun_with(hand, "cancer_ever")
        see_all_of_the_rest(hand)
        late = Late(hand.page, "**/rest")
        press_rest(hand)
        hand.tick(ITEM, "present")
        hand.page.wait_for_timeout(400)
        late.come() if reply == "late" else late.are_lost()
        saved(hand, service, consultation, ITEM, "present")
        assert service.answer(consultation, "night_pain") == ("absent", None, "")
        expect(hand.page.locator(".q__conflict")).to_have_count(0)

    def test_an_answer_given_while_it_is_taken_back_stands(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        hand.tick("cancer_ever", "absent")
        hand.no_to_the_rest(REST)
        late = Late(hand.page, "**/undo")
        hand.click(hand.page.locator(f"#rest-{REST}").get_by_role("button", name="Undo"))
        hand.page.wait_for_timeout(300)
        hand.tick(ITEM, "present")
        late.come()
        saved(hand, service, consultation, ITEM, "present")
        assert service.answer(consultation, "night_pain") is None


class TestRemoveUnderWay:
    @pytest.mark.parametrize("reply", ["late", "lost"])
    def test_a_newer_answer_stands(self, nurse: tuple[WithScript, str, Visit], service: Service, reply: str) -> None:
        hand, consultation, _ = nurse
        begun_with(hand)
        late = Late(hand.page, "**/answers", "remove=")
        press_remove(hand)
        hand.tick(ONE, "present")
        hand.page.wait_for_timeout(300)
        late.come() if reply == "late" else late.are_lost()
        saved(hand, service, consultation, ONE, "present")

    def test_what_was_typed_anew_stands(self, nurse: tuple[WithScript, str, Visit], service: Service) -> None:
        hand, consultation, _ = nurse
        hand.write("employee_concern", "old words")
        box = hand.page.locator('[name="a.employee_concern"]')
        box.blur()
        expect(hand.page.locator("#state-employee_concern .q__saved")).to_be_visible()
        late = Late(hand.page, "**/answers", "remove=")
        hand.page.locator("#state-employee_concern [data-remove]").click()
        hand.page.wait_for_timeout(200)
        box.fill("new words")
        late.come()
        box.blur()
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        assert box.input_value() == "new words"
        assert service.answer(consultation, "employee_concern") == ("answered", "new words", "")

    def test_it_waits_for_an_answer_that_is_on_its_way(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        begun_with(hand)
        late = on_its_way(hand, ONE, "unsure")
        press_remove(hand)
        late.come()
        expect(hand.page.locator(f"#state-{ONE} .q__saved")).to_have_count(0)
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        assert checked(hand.page, ONE) == []
        assert service.answer(consultation, ONE) is None


class TestSeveralAtOnce:
    def test_a_button_that_another_reply_put_out_holds_nothing_back(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        hand.tick("cancer_ever", "absent")
        hand.tick("night_pain", "unsure")
        hand.settle()
        see_all_of_the_rest(hand)
        late = Late(hand.page, "**/rest")
        press_rest(hand)
        hand.page.locator("#state-night_pain [data-remove]").click()
        hand.page.wait_for_timeout(500)
        late.come()
        hand.page.wait_for_timeout(500)
        hand.tick(ITEM, "present")
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        assert service.answer(consultation, ITEM) == ("present", None, "")
        assert service.answer(consultation, "night_pain") is None

    def test_an_answer_given_while_the_one_before_waits_to_be_taken_away_stands(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        begun_with(hand)
        late = on_its_way(hand, ONE, "unsure")
        hand.page.locator(f"#state-{ONE} [data-remove]").click()
        hand.page.wait_for_timeout(100)
        hand.tick(ONE, "present")
        late.come()
        saved(hand, service, consultation, ONE, "present")

    def test_undo_waits_for_an_answer_on_its_way(self, nurse: tuple[WithScript, str, Visit], service: Service) -> None:
        hand, consultation, _ = nurse
        hand.tick("cancer_ever", "absent")
        hand.no_to_the_rest(REST)
        late = on_its_way(hand, ITEM, "present")
        hand.page.locator(f"#rest-{REST}").get_by_role("button", name="Undo").click()
        hand.page.wait_for_timeout(300)
        late.come()
        expect(hand.page.locator(f"#rest-{REST} .rest__fill button")).to_be_attached(timeout=10_000)
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        assert service.answer(consultation, ITEM) == ("present", None, "")
        assert service.answer(consultation, "night_pain") is None

    def test_signing_waits_for_a_button_too_and_leaving_asks(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        begun_with(hand)
        late = Late(hand.page, "**/answers", "remove=")
        press_remove(hand)
        expect(hand.page.locator("#save-state")).to_have_text("Saving")
        assert asks(hand.page)
        hand.page.get_by_role("button", name="Sign and lock").click()
        hand.page.wait_for_timeout(300)
        late.come()
        hand.page.wait_for_url("**/sign", timeout=10_000)
        assert service.answer(consultation, ONE) is None

    def test_what_a_lock_refused_is_done_after_the_password(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, watch = nurse
        watch.expected += ["423 (", "401 ("]
        begun_with(hand)
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        hand.page.route("**/answers", hold, times=1)
        press_remove(hand)
        hand.page.get_by_role("button", name="Lock", exact=True).click()
        expect(hand.page.locator("#lock-password")).to_be_visible()
        held[0].continue_()
        hand.page.wait_for_timeout(300)
        hand.page.locator("#lock-password").fill(PASSWORD)
        hand.page.keyboard.press("Enter")
        expect(hand.page.locator("#lock-password")).to_be_hidden()
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        assert service.answer(consultation, ONE) is None
        assert checked(hand.page, ONE) == []


class TestTheFocus:
    def test_a_removal_takes_it_from_nobody_who_types(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        hand.tick("back_pain_reason", "main")
        hand.settle()
        late = Late(hand.page, "**/answers", "remove=")
        hand.page.locator("#state-back_pain_reason [data-remove]").click()
        box = hand.page.locator('[name="a.employee_concern"]')
        box.click()
        hand.page.keyboard.type("cannot ")
        hand.page.wait_for_timeout(200)
        late.come()
        hand.page.wait_for_timeout(300)
        hand.page.keyboard.type("lift a child")
        box.blur()
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        assert service.answer(consultation, "employee_concern") == ("answered", "cannot lift a child", "")
        assert service.answer(consultation, "back_pain_reason") is None

    def test_a_button_pressed_with_the_mouse_gives_it_to_no_question(
        self, nurse: tuple[WithScript, str, Visit]
    ) -> None:
        hand, _, _ = nurse
        hand.tick("cancer_ever", "absent")
        hand.no_to_the_rest(REST)
        hand.page.wait_for_timeout(200)
        assert not hand.page.evaluate("document.activeElement.matches('input')")


class TestDrawnAnewMeanwhile:
    def flags(self, hand: WithScript) -> tuple[str, str]:
        """Two findings of which it is now asked whether they are in the way of work."""
        for flag in ("harm_belief", "stopped_activities"):
            hand.tick(flag, "present")
        hand.settle()
        boxes = hand.page.locator(f'#q-{FLAGS} input[type="checkbox"]:not([data-alone])')
        expect(boxes).to_have_count(2)
        return str(boxes.nth(0).get_attribute("value")), str(boxes.nth(1).get_attribute("value"))

    def test_two_answers_that_are_shown_stay_until_one_is_chosen(self, nurse: tuple[WithScript, str, Visit]) -> None:
        hand, consultation, watch = nurse
        first, second = self.flags(hand)
        other = WithScript(watch.page())
        other.page.goto(f"/consultations/{consultation}")
        other.tick(FLAGS, second)
        other.settle()
        hand.tick(FLAGS, first)
        conflict = hand.page.locator(f"#state-{FLAGS} .q__conflict")
        expect(conflict).to_be_visible()
        hand.tick("low_mood", "present")
        expect(hand.page.locator("#state-low_mood .q__saved")).to_be_visible()
        expect(conflict).to_be_visible()
        assert checked(hand.page, FLAGS) == [first]
        expect(hand.page.locator("#save-state")).to_have_text("Not saved: see the question")

    def test_a_tick_on_its_way_stays_ticked_and_the_next_is_no_conflict(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        first, second = self.flags(hand)
        late = Late(hand.page, "**/answers", f"a.{FLAGS}=")
        hand.tick(FLAGS, first)
        hand.page.wait_for_timeout(400)
        hand.tick("low_mood", "present")
        expect(hand.page.locator("#state-low_mood .q__saved")).to_be_visible()
        assert checked(hand.page, FLAGS) == [first]
        expect(hand.page.locator(f'[id="a.{FLAGS}.low_mood"]')).to_have_count(1)
        late.come()
        hand.tick(FLAGS, second)
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        expect(hand.page.locator(".q__conflict")).to_have_count(0)
        answer = service.answer(consultation, FLAGS)
        assert answer is not None
        assert set(answer[1]) == {first, second} == set(checked(hand.page, FLAGS))

    def test_what_was_refused_stays_though_its_question_leaves_the_path(
        self, nurse: tuple[WithScript, str, Visit]
    ) -> None:
        hand, _, _ = nurse
        hand.tick("adjustment_types", "phased_return")
        hand.write("phased_return_plan", "Mornings first", "what")
        hand.write("phased_return_plan", "2026-12-20", "start")
        hand.write("phased_return_plan", "2026-12-01", "end")
        error = hand.page.locator("#state-phased_return_plan .q__error")
        expect(error).to_be_visible()
        for _ in range(2):
            hand.tick("adjustment_types", "phased_return")
            hand.page.wait_for_timeout(400)
        expect(error).to_be_visible()
        expect(hand.page.locator('[name="a.phased_return_plan.what"]')).to_have_value("Mornings first")
        expect(hand.page.locator("#save-state")).to_have_text("Not saved: see the question")

    def test_what_was_lost_with_its_question_is_said_for_good(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        """An answer that was too long, and whose question went off the path before it was refused."""
        hand, consultation, _ = nurse
        begun_with(hand, "cancer_ever", "present")
        late = Late(hand.page, "**/answers", "a.cancer_which_and_when=x")
        hand.write("cancer_which_and_when", "x" * 10_001)
        hand.page.locator('[name="a.cancer_which_and_when"]').blur()
        hand.page.wait_for_timeout(300)
        late.on = False
        hand.tick("cancer_ever", "absent")
        state = hand.page.locator("#save-state")
        expect(state).to_contain_text("question that no longer shows was not saved", timeout=10_000)
        hand.tick(ONE, "absent")
        expect(hand.page.locator(f"#state-{ONE} .q__saved")).to_be_visible()
        expect(state).to_contain_text("question that no longer shows was not saved")
        assert asks(hand.page)
        assert service.answer(consultation, "cancer_which_and_when") is None


class TestTwoAnswers:
    def two(self, nurse: tuple[WithScript, str, Visit]) -> tuple[WithScript, WithScript]:
        """Two windows on the same consultation, in the first of which an answer has become Yes since."""
        hand, consultation, watch = nurse
        hand.tick(ONE, "unsure")
        hand.settle()
        stale = WithScript(watch.page())
        stale.page.goto(f"/consultations/{consultation}")
        hand.tick(ONE, "present")
        hand.settle()
        expect(hand.page.locator(f"#state-{ONE} .q__saved")).to_be_visible()
        return hand, stale

    def test_taking_away_by_a_stale_page_is_what_the_button_then_does(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        _, stale = self.two(nurse)
        stale.page.locator(f"#state-{ONE} [data-remove]").click()
        conflict = stale.page.locator(f"#state-{ONE} .q__conflict")
        expect(conflict).to_contain_text("Here you gave Not recorded")
        assert service.answer(nurse[1], ONE) == ("present", None, "")
        conflict.get_by_role("button", name="Let this answer stand").click()
        expect(stale.page.locator("#save-state")).to_have_text(SAVED)
        expect(conflict).to_have_count(0)
        assert service.answer(nurse[1], ONE) is None
        assert checked(stale.page, ONE) == []

    def test_signing_puts_neither_over_the_other(self, nurse: tuple[WithScript, str, Visit], service: Service) -> None:
        _, stale = self.two(nurse)
        stale.tick(ONE, "absent")
        conflict = stale.page.locator(f"#state-{ONE} .q__conflict")
        expect(conflict).to_be_visible()
        stale.page.get_by_role("button", name="Sign and lock").click()
        stale.page.wait_for_timeout(500)
        expect(conflict).to_be_in_viewport()
        assert service.answer(nurse[1], ONE) == ("present", None, "")
        assert stale.page.url.endswith(nurse[1])

    def test_another_answer_given_instead_is_shown_with_the_other_too(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        _, stale = self.two(nurse)
        stale.tick(ONE, "absent")
        conflict = stale.page.locator(f"#state-{ONE} .q__conflict")
        expect(conflict).to_contain_text("Here you gave No")
        stale.tick(ONE, "declined")
        expect(conflict).not_to_contain_text("Here you gave No")
        assert service.answer(nurse[1], ONE) == ("present", None, "")
        conflict.get_by_role("button", name="Let this answer stand").click()
        expect(conflict).to_have_count(0)
        expect(stale.page.locator("#save-state")).to_have_text(SAVED)
        assert service.answer(nurse[1], ONE) == ("declined", None, "")


def half_typed(hand: WithScript) -> Locator:
    """The text of an urgent answer, where a decision has its reason and no choice yet."""
    hand.tick(ONE, "present")
    panel = hand.page.locator(f"#panel-{ONE}")
    panel.get_by_label("Reason").fill("The registrar was told")
    return panel


def record(panel: Locator) -> None:
    panel.get_by_label("Your decision").select_option("same_day_emergency")
    panel.get_by_role("button", name="Record decision").click()


class TestLeaving:
    def test_what_was_refused_asks_first(self, nurse: tuple[WithScript, str, Visit]) -> None:
        hand, _, _ = nurse
        assert not asks(hand.page)
        hand.write("employee_concern", "x" * 10_001)
        hand.page.locator('[name="a.employee_concern"]').blur()
        expect(hand.page.locator("#state-employee_concern .q__error")).to_be_visible()
        assert asks(hand.page)
        hand.write("employee_concern", "")
        hand.page.locator('[name="a.employee_concern"]').blur()
        expect(hand.page.locator("#save-state")).to_have_text(SAVED)
        assert not asks(hand.page)

    def test_a_decision_half_typed_asks_first_and_recording_it_does_not(
        self, nurse: tuple[WithScript, str, Visit]
    ) -> None:
        hand, consultation, _ = nurse
        panel = half_typed(hand)
        assert asks(hand.page)
        record(panel)
        expect(hand.page.locator(f"#panel-{ONE} .kept__decision")).to_be_visible()
        assert not asks(hand.page)
        assert hand.page.url.split("#")[0].endswith(f"{consultation}?whole=yes")

    def test_a_second_decision_half_typed_stays_while_the_first_is_recorded(
        self, nurse: tuple[WithScript, str, Visit]
    ) -> None:
        hand, consultation, _ = nurse
        hand.tick(ONE, "present")
        hand.tick("bladder_feeling_change", "present")
        first, second = (hand.page.locator(f"#panel-{id_}") for id_ in (ONE, "bladder_feeling_change"))
        second.get_by_label("Reason").fill("Rang the second ward")
        first.get_by_label("Reason").fill("The registrar was told")
        first.get_by_label("Your decision").select_option("same_day_emergency")
        first.get_by_role("button", name="Record decision").click()  # a question of the browser would fail this
        expect(first.locator(".kept__decision")).to_contain_text("The registrar was told")
        expect(second.get_by_label("Reason")).to_have_value("Rang the second ward")
        expect(second.locator(".decide__note")).to_contain_text("not recorded yet")
        assert asks(hand.page)
        second.get_by_label("Your decision").select_option("same_day_emergency")
        second.get_by_role("button", name="Record decision").click()
        expect(second.locator(".kept__decision")).to_contain_text("Rang the second ward")
        assert not asks(hand.page)
        assert hand.page.url.split("#")[0].endswith(f"{consultation}?whole=yes")


class TestAnsweredOtherwiseMeanwhile:
    def test_a_decision_half_typed_is_there_again_once_the_answer_is(
        self, nurse: tuple[WithScript, str, Visit]
    ) -> None:
        hand, _, _ = nurse
        panel = half_typed(hand)
        hand.tick(ONE, "absent")
        expect(panel.locator(".kept")).to_have_count(0)
        hand.tick(ONE, "present")
        expect(panel.get_by_label("Reason")).to_have_value("The registrar was told")
        record(panel)
        expect(panel.locator(".kept__decision")).to_contain_text("The registrar was told")
        hand.tick(ONE, "absent")
        hand.tick(ONE, "unsure")
        expect(panel.get_by_label("Reason")).to_have_value("")  # what was recorded is given to no other decision


class TestServerAway:
    WORDS = "Not done: the server cannot be reached. What you entered stays on this page; press again in a moment."

    @pytest.fixture(autouse=True)
    def watched(self, nurse: tuple[WithScript, str, Visit]) -> None:
        nurse[2].expected += ["ERR_INTERNET_DISCONNECTED"]

    def test_a_decision_pressed_meanwhile_stays_as_it_was_typed_and_is_recorded_once_pressed_again(
        self, nurse: tuple[WithScript, str, Visit]
    ) -> None:
        hand, consultation, watch = nurse
        hand.tick(ONE, "present")
        hand.settle()
        panel = hand.page.locator(f"#panel-{ONE}")
        panel.get_by_label("Your decision").select_option("same_day_emergency")
        panel.get_by_label("Reason").fill("The registrar was told")
        watch.context.set_offline(True)
        panel.get_by_role("button", name="Record decision").click()
        expect(panel.get_by_role("alert")).to_have_text(self.WORDS)
        expect(panel.get_by_label("Reason")).to_have_value("The registrar was told")
        assert hand.page.url.endswith(consultation)
        watch.context.set_offline(False)
        panel.get_by_role("button", name="Record decision").click()
        expect(panel.locator(".kept__decision")).to_contain_text("The registrar was told")

    def test_signing_says_so_at_the_button_while_answers_wait_and_signs_once_they_are_saved(
        self, nurse: tuple[WithScript, str, Visit]
    ) -> None:
        hand, _, watch = nurse
        watch.context.set_offline(True)
        hand.tick("harm_belief", "absent")
        expect(hand.page.locator("#save-state")).to_contain_text("retrying")
        hand.page.get_by_role("button", name="Sign and lock").click()
        expect(hand.page.locator("#finish").get_by_role("alert")).to_have_text(self.WORDS)
        watch.context.set_offline(False)
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        hand.page.get_by_role("button", name="Sign and lock").click()
        hand.page.wait_for_url("**/sign")

    def test_what_was_typed_on_another_page_stays_too(self, nurse: tuple[WithScript, str, Visit]) -> None:
        hand, _, watch = nurse
        hand.page.goto("/employees/new")
        hand.page.get_by_label("Full name").fill("Testina Away")
        watch.context.set_offline(True)
        hand.page.get_by_role("button", name="Register").click()
        expect(hand.page.get_by_role("alert")).to_have_text(self.WORDS)
        expect(hand.page.get_by_label("Full name")).to_have_value("Testina Away")
        watch.context.set_offline(False)
        hand.page.get_by_role("button", name="Register").click()
        expect(hand.page.get_by_role("heading", name="Nobody was registered")).to_be_visible()

    def test_no_browser_asks_whether_to_leave_where_the_press_goes_on_after_a_while(
        self, nurse: tuple[WithScript, str, Visit]
    ) -> None:
        hand, page = nurse[0], nurse[0].page
        hand.tick(ONE, "present")
        hand.settle()
        page.locator(f"#panel-{ONE}").get_by_label("Reason").fill("The registrar was told")
        assert asks(page)
        page.evaluate(TWICE)
        assert not asks(page)

    def test_a_second_press_while_the_server_is_asked_sends_nothing_twice(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        hand.tick(ONE, "present")
        hand.settle()
        panel = hand.page.locator(f"#panel-{ONE}")
        panel.get_by_label("Your decision").select_option("same_day_emergency")
        panel.get_by_label("Reason").fill("The registrar was told")
        late = Late(hand.page, "**/session")
        for _ in range(2):
            panel.get_by_role("button", name="Record decision").click()
        expect(panel.get_by_role("alert")).to_have_text("Waiting for the server.")
        late.come()
        expect(panel.locator(".kept__decision")).to_contain_text("The registrar was told")
        steps = ledger.steps(service.instance.db.read(), consultation=consultation, kind="decision_recorded")
        assert len(list(steps)) == 1


class TestSeveralForms:
    def test_what_was_entered_in_another_form_is_not_dropped_without_a_word(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        page, employee = hand.page, service.consultation(consultation).started["employee"]
        page.goto(f"/employees/{employee}")
        page.get_by_label("No need beyond ordinary print in English").check()
        page.get_by_role("button", name="By telephone").click()
        expect(page.get_by_role("alert")).to_contain_text("something entered elsewhere on this page is not recorded")
        page.get_by_role("link", name="Go to it").click()
        expect(page.get_by_label("No need beyond ordinary print in English")).to_be_focused()
        page.get_by_role("button", name="Record how the employee needs to read").click()
        expect(page.get_by_text("No need beyond ordinary print").first).to_be_visible()
        page.get_by_text("Ask it again").click()
        page.get_by_label("Needs another form").check()
        for _ in range(2):
            page.get_by_role("button", name="By telephone").click()
        page.wait_for_url("**/consultations/*")

    def test_in_the_list_of_follow_up_what_was_entered_at_the_others_stays_while_one_is_recorded(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, page = nurse[0], nurse[0].page
        for words in ("first", "second"):
            page.goto(f"/consultations/{service.begin()}?whole=yes")
            hand.tick(ONE, "present")
            panel = page.locator(f"#panel-{ONE}")
            panel.get_by_label("Your decision").select_option("same_day_emergency")
            panel.get_by_label("Reason").fill(words)
            panel.get_by_role("button", name="Record decision").click()
            expect(panel.locator(".kept__decision")).to_contain_text(words)
            page.get_by_role("button", name="Sign and lock").click()
            expect(page.get_by_role("heading", name="Signed and locked")).to_be_visible()
        page.goto("/follow-up")
        first, second = (page.locator(".mark", has_text=f"now, {words}") for words in ("first", "second"))
        second.get_by_label("In a few words").fill("Rang the ward")
        second.get_by_label("Unknown, after asking").check()
        first.get_by_role("button", name="Record").click()
        expect(first.get_by_role("alert")).to_contain_text("Choose")
        expect(second.get_by_label("In a few words")).to_have_value("Rang the ward")
        first.get_by_label("Arrived there, or it was done").check()
        first.get_by_role("button", name="Record").click()
        expect(first).to_contain_text("Outcome")
        expect(second.get_by_label("In a few words")).to_have_value("Rang the ward")
        expect(second.get_by_label("Unknown, after asking")).to_be_checked()
        second.get_by_role("button", name="Record").click()
        expect(second).to_contain_text("Rang the ward")
        expect(second).to_contain_text("Outcome")

    def test_of_the_sites_what_was_entered_at_the_others_stays_while_one_is_saved(self, visit: Visit) -> None:
        page = visit("administrator").page()
        page.goto("/settings")
        other = page.locator("#add-site")
        other.get_by_label("Name").fill("Site B (invented)")
        page.locator("#site-A").get_by_label("Spinal on-call advice").fill("01632 960 123")
        page.get_by_role("button", name="Save site A").click()
        expect(page.locator("#site-A").get_by_role("status")).to_have_text("Saved.")
        expect(other.get_by_label("Name")).to_have_value("Site B (invented)")
        page.reload()
        expect(page.locator("#site-A").get_by_label("Spinal on-call advice")).to_have_value("01632 960 123")


class TestSigning:
    def test_it_waits_until_what_was_typed_is_saved(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        hand.page.locator('[name="a.employee_concern"]').fill("abc")
        late = Late(hand.page, "**/answers", "abc")
        hand.page.locator('[name="a.employee_concern"]').blur()
        hand.page.wait_for_timeout(300)
        hand.page.locator('[name="a.employee_concern"]').fill("abc and def")
        hand.page.get_by_role("button", name="Sign and lock").click()
        hand.page.wait_for_timeout(300)
        late.come()
        hand.page.wait_for_url("**/sign", timeout=10_000)
        assert service.answer(consultation, "employee_concern") == ("answered", "abc and def", "")

    def test_what_was_refused_and_is_corrected_is_saved_and_signed_in_one_press(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        box = hand.page.locator('[name="a.employee_concern"]')
        box.fill("x" * 10_001)
        box.blur()
        expect(hand.page.locator("#state-employee_concern .q__error")).to_be_visible()
        box.fill("short")
        hand.page.get_by_role("button", name="Sign and lock").click()
        hand.page.wait_for_url("**/sign", timeout=10_000)
        assert service.answer(consultation, "employee_concern") == ("answered", "short", "")


class TestKeys:
    def test_digits_pressed_ahead_answer_only_what_could_be_foreseen(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        """The third one is meant for a question whose words differ, and none has been read."""
        hand, consultation, _ = nurse

        def slowly(route: Route) -> None:
            hand.page.wait_for_timeout(400)
            route.continue_()

        hand.shown("long_lasting_began_before_45").locator('input[type="radio"]').first.focus()
        hand.page.route("**/answers", slowly)
        for digit in "221":
            hand.page.keyboard.press(f"Alt+{digit}")
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        hand.page.wait_for_timeout(600)
        answers = service.consultation(consultation).answers
        assert answers["long_lasting_began_before_45"].state == "absent"
        assert all(answer.state == "absent" for answer in answers.values()), answers

    def test_an_answer_that_opens_questions_leads_to_the_first_of_them(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        page = hand.page
        page.locator('[id="a.neuro_examination.done"]').scroll_into_view_if_needed()
        page.locator('#q-neuro_examination input[type="radio"]').first.focus()
        page.keyboard.press("Alt+1")
        page.wait_for_timeout(750)
        opened = page.evaluate("document.activeElement.closest('.q__set').dataset.q")
        following = page.evaluate("""() => {
            const all = [...document.querySelectorAll('.q__set')].filter(e => e.checkVisibility());
            return all[all.findIndex(e => e.dataset.q === 'neuro_examination') + 1].dataset.q;
        }""")
        assert opened == following
        assert page.evaluate(IN_SIGHT)
        assert service.answer(consultation, "harm_belief") is None

    def test_a_digit_pressed_before_the_questions_came_answers_none_of_them(
        self, nurse: tuple[WithScript, str, Visit], service: Service
    ) -> None:
        hand, consultation, _ = nurse
        hand.page.locator('#q-neuro_examination input[type="radio"]').first.focus()
        hand.page.keyboard.press("Alt+1")
        hand.page.keyboard.press("Alt+2")
        hand.page.wait_for_timeout(800)
        assert service.answer(consultation, "neuro_examination") == ("answered", "done", "")
        assert len(service.consultation(consultation).answers) == 1

    def test_after_no_to_the_rest_and_where_a_question_goes_the_next_one_has_the_focus(
        self, nurse: tuple[WithScript, str, Visit]
    ) -> None:
        hand, _, _ = nurse
        page = hand.page
        begun_with(hand, "cancer_ever")
        see_all_of_the_rest(hand)
        page.locator(f"#rest-{REST} .rest__fill button").focus()
        page.keyboard.press("Enter")
        expect(page.locator(f"#rest-{REST}")).to_contain_text("answered together as No")
        page.wait_for_timeout(200)
        assert page.evaluate("!!document.activeElement.closest('.q__set')")
        hand.tick("low_mood", "present")
        expect(page.locator("#q-hopelessness_or_self_harm")).to_be_visible()
        page.locator('#q-low_mood input[type="radio"]:checked').focus()
        page.keyboard.press("Alt+2")
        expect(page.locator("#q-hopelessness_or_self_harm")).to_have_count(0)
        page.wait_for_timeout(200)
        assert page.evaluate("!!document.activeElement.closest('.q__set')")
        assert page.evaluate("document.activeElement.closest('.q__set').dataset.q") != "low_mood"
