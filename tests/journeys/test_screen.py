"""The consultation screen when things go wrong or another way round: lost servers, stale tabs, second thoughts."""

from __future__ import annotations

import re

import pytest
from hands import WithoutScript, WithScript, all_there
from playwright.sync_api import Page, Route, expect
from service import AWAY, PASSWORD, SIGN_IN_NAMES, Service
from watching import Visit

from consult.proforma.answer import Answer

pytestmark = pytest.mark.browser

SAVED = re.compile(r"^Saved \d\d:\d\d")
REST = "rest_of_red_flags"


def opened(visit: Visit, consultation_id: str, scripted: bool = True) -> WithScript | WithoutScript:
    """A nurse with a consultation open."""
    page = visit("nurse", scripted).page()
    page.goto(f"/consultations/{consultation_id}")
    all_there(page)
    return WithScript(page) if scripted else WithoutScript(page)


class TestInterrupted:
    def test_an_open_consultation_is_found_again_in_two_actions(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        first = opened(visit, consultation)
        first.tick("back_pain_reason", "main")
        first.settle()
        first.page.context.close()
        page = visit().page()
        page.goto("/")
        page.get_by_label("Sign-in name").fill(SIGN_IN_NAMES["nurse"])
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()  # the first action
        page.locator(f'a[href$="{consultation}"]').click()  # the second
        expect(page.locator('[id="a.back_pain_reason.main"]')).to_be_checked()

    @pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])
    def test_back_and_refresh_show_what_was_saved(self, visit: Visit, service: Service, scripted: bool) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation, scripted)
        hand.tick("back_pain_reason", "main")
        hand.write("employee_concern", "Will it last?")
        hand.settle()
        if scripted:
            expect(hand.page.locator("#state-employee_concern .q__saved")).to_be_visible()
            hand.settle()
        page = hand.page
        page.goto(f"/consultations/{consultation}/steps")
        page.go_back()
        for _ in range(2):
            expect(page.locator('[id="a.back_pain_reason.main"]')).to_be_checked()
            expect(page.locator('[name="a.employee_concern"]')).to_have_value("Will it last?")
            page.reload()
        assert service.steps_about(consultation, "back_pain_reason") == 1


class TestTwoTabs:
    def test_the_stale_tab_gets_both_answers_and_nothing_is_overwritten(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected.append("409 (CONFLICT)")
        tabs = [WithScript(watch.page()), WithScript(watch.page())]
        for tab in tabs:
            tab.page.goto(f"/consultations/{consultation}")
        tabs[0].tick("work_status", "off_sick")
        tabs[0].settle()
        tabs[1].tick("work_status", "at_work_no_time_off")
        both = tabs[1].page.locator("#state-work_status .q__conflict")
        expect(both).to_contain_text("Off sick now with this pain")
        expect(both).to_contain_text("At work; no time off with it")
        expect(tabs[1].page.locator("#save-state")).to_have_text("Not saved: see the question")
        assert service.answer(consultation, "work_status") == ("answered", "off_sick", "")
        assert service.steps_about(consultation, "work_status") == 1

    @pytest.mark.parametrize("keeps", ["here", "other"])
    def test_either_answer_can_then_be_chosen(self, visit: Visit, service: Service, keeps: str) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected.append("409 (CONFLICT)")
        tabs = [WithScript(watch.page()), WithScript(watch.page())]
        for tab in tabs:
            tab.page.goto(f"/consultations/{consultation}")
        tabs[0].tick("cord_signs", "absent")
        tabs[0].settle()
        tabs[1].tick("cord_signs", "present")
        conflict = tabs[1].page.locator("#state-cord_signs .q__conflict")
        if keeps == "here":
            conflict.get_by_role("button", name="Let this answer stand").click()
        else:
            conflict.get_by_role("link", name="keep the other answer").click()
        stands = "present" if keeps == "here" else "absent"
        expect(tabs[1].page.locator("#state-cord_signs .q__saved")).to_be_visible()
        expect(tabs[1].page.locator(f'[id="a.cord_signs.{stands}"]')).to_be_checked()
        assert service.answer(consultation, "cord_signs") == (stands, None, "")

    def test_a_second_answer_given_before_the_conflict_was_shown_is_not_put_over_the_other(
        self, visit: Visit, service: Service
    ) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected.append("409 (CONFLICT)")
        tabs = [WithScript(watch.page()), WithScript(watch.page())]
        for tab in tabs:
            tab.page.goto(f"/consultations/{consultation}")
        tabs[0].tick("cord_signs", "absent")
        tabs[0].settle()

        def slowly(route: Route) -> None:
            tabs[1].page.wait_for_timeout(600)
            route.continue_()

        tabs[1].page.route("**/answers", slowly, times=1)
        tabs[1].tick("cord_signs", "unsure")
        tabs[1].page.wait_for_timeout(300)
        tabs[1].tick("cord_signs", "present")
        expect(tabs[1].page.locator("#save-state")).to_have_text("Not saved: see the question", timeout=10_000)
        conflict = tabs[1].page.locator("#state-cord_signs .q__conflict")
        expect(conflict).to_contain_text("Here you gave Yes")
        assert service.answer(consultation, "cord_signs") == ("absent", None, "")
        conflict.get_by_role("button", name="Let this answer stand").click()
        expect(tabs[1].page.locator("#state-cord_signs .q__saved")).to_be_visible()
        assert service.answer(consultation, "cord_signs") == ("present", None, "")

    def test_without_javascript_the_stale_page_shows_both_too(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        watch = visit("nurse", scripted=False)
        watch.expected.append("409 (CONFLICT)")
        tabs = [WithoutScript(watch.page()), WithoutScript(watch.page())]
        for tab in tabs:
            tab.page.goto(f"/consultations/{consultation}")
        tabs[0].tick("work_status", "off_sick")
        tabs[0].settle()
        tabs[1].tick("work_status", "at_work_no_time_off")
        tabs[1].tick("leg_symptoms", "neither")
        tabs[1].settle()
        expect(tabs[1].page.locator(".q__conflict")).to_contain_text("Nothing was overwritten")
        assert service.answer(consultation, "work_status") == ("answered", "off_sick", "")
        assert service.answer(consultation, "leg_symptoms") == ("answered", ["neither"], "")

    def test_two_quick_answers_in_one_tab_are_no_conflict(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation)
        for code in ("absent", "present", "unsure", "absent", "declined"):
            hand.tick("cord_signs", code)
        expect(hand.page.locator("#save-state")).to_have_text(SAVED)
        assert service.answer(consultation, "cord_signs") == ("declined", None, "")


def test_answers_in_a_folded_group_look_as_those_outside_it(visit: Visit, service: Service) -> None:
    page = visit("nurse").page()
    page.goto(f"/consultations/{service.begin()}?whole=yes")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    sizes = """(where) => Array.from(document.querySelectorAll(where + ' .opt__input'), (one) => {
        const box = one.getBoundingClientRect(); return box.width + ' x ' + box.height; })"""
    folded, all_of_them = page.evaluate(sizes, "details"), page.evaluate(sizes, ".sheet")
    assert len(folded) > 10
    assert len(set(all_of_them)) == 1


class TestBeforeTheScripts:
    """A page over a slow link is seen, and answered, before its scripts have come."""

    @pytest.fixture
    def early(self, visit: Visit, service: Service) -> tuple[str, Page, list[Route]]:
        consultation, page, held = service.begin(), visit("nurse").page(), list[Route]()

        def hold(route: Route) -> None:
            held.append(route)

        page.route(re.compile(r"talk\.js"), hold)
        page.goto(f"/consultations/{consultation}?whole=yes", wait_until="commit")
        page.locator("#left").wait_for(state="attached")
        for _ in range(250):
            if held:
                break
            page.wait_for_timeout(20)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        return consultation, page, held

    def of_kind(self, service: Service, page: Page, kind: str) -> str:
        """The first question of a kind on the page that nothing was entered for."""
        asked = [q.id for q in service.instance.library.current.proforma.asked if q.kind == kind]
        shown = set(page.locator(".q__set").evaluate_all("all => all.map(one => one.dataset.q)"))
        return next(id_ for id_ in asked if id_ in shown)

    def test_what_was_entered_is_taken_as_if_it_were_entered_now_and_nothing_else_is(
        self, service: Service, early: tuple[str, Page, list[Route]]
    ) -> None:
        consultation, page, held = early
        of = {kind: self.of_kind(service, page, kind) for kind in ("choices", "text", "date", "number", "choice")}
        page.locator('label[for="a.cord_signs.unsure"]').click()
        page.locator('select[name="reason.one_leg_weakness"]').select_option(index=1)
        page.locator(f'[data-q="{of["choices"]}"] input[type="checkbox"]').nth(1).check()
        page.locator(f'[data-q="{of["choice"]}"] input[type="radio"]').first.check()
        page.locator(f'[data-q="{of["text"]}"] textarea').fill("typed before anything listened")
        for box, typed in enumerate(("3", "3", "2026")):
            page.locator(f'[data-q="{of["date"]}"] .dates input').nth(box).fill(typed)
        number = page.locator(f'[data-q="{of["number"]}"]')
        if number.locator("select.sel:not(.sel--why)").count():
            number.locator("select.sel:not(.sel--why)").select_option(index=2)
        else:
            number.locator('input[type="radio"]').nth(2).check()
        expect(page.locator("#save-state")).to_have_text("Save before you leave this page")
        held[0].continue_()
        entered = {"cord_signs", "one_leg_weakness", *of.values()}
        for question in entered:
            expect(page.locator(f"#state-{question} .q__saved")).to_be_visible()
        expect(page.locator("#save-state")).to_have_text(SAVED)
        assert set(service.consultation(consultation).history) == entered
        assert all(service.steps_about(consultation, question) == 1 for question in entered)
        assert service.answer(consultation, "cord_signs") == ("unsure", None, "")
        assert service.answer(consultation, of["text"]) == ("answered", "typed before anything listened", "")
        assert service.answer(consultation, of["date"]) == ("answered", "2026-03-03", "")

    def test_half_a_date_is_said_to_be_half(self, service: Service, early: tuple[str, Page, list[Route]]) -> None:
        consultation, page, held = early
        question = self.of_kind(service, page, "date")
        page.locator(f'[data-q="{question}"] .dates input').first.fill("3")
        held[0].continue_()
        expect(page.locator("#save-state")).to_have_text("Not saved: finish the date")
        assert service.answer(consultation, question) is None

    def test_of_a_page_nobody_touched_nothing_is_sent(
        self, service: Service, early: tuple[str, Page, list[Route]]
    ) -> None:
        """Also where the browser shows a text otherwise than it was held: it takes line ends out, or makes them one."""
        consultation, page, held = early
        ends = "one\r\ntwo\rthree\nfour\u2028five "
        held_there: dict[str, object] = {
            "employee_concern": ends,
            "adjustment_types": ["phased_return"],
            "phased_return_plan": {"what": ends, "start": "2026-12-01", "no_end_reason": ends},
        }
        for question, value in held_there.items():
            asked, key = service.instance.library.current.proforma.by_id[question], f"ends-of-lines-{question}"
            answer = Answer("answered", value)
            service.instance.store.save(consultation, asked, answer, 0, key, "single", service.who("nurse"))
        given = service.consultation(consultation).last_seq
        held[0].continue_()
        page.unroute_all()
        page.goto(f"/consultations/{consultation}")
        expect(page.locator("#save-state")).to_have_text("Saved as you answer")
        assert page.locator('[name="a.phased_return_plan.what"]').input_value() == "onetwothreefour\u2028five "
        page.wait_for_timeout(400)  # longer than an answer waits before it is sent
        assert service.consultation(consultation).last_seq == given


class TestLostServer:
    def test_an_answer_given_while_the_server_is_down_is_saved_once_it_is_back(
        self, visit: Visit, service: Service
    ) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected += [*AWAY, "htmx:"]
        hand = WithScript(watch.page())
        hand.page.goto(f"/consultations/{consultation}")
        all_there(hand.page)
        service.stop()
        try:
            hand.tick("cord_signs", "absent")
            expect(hand.page.locator("#save-state")).to_have_text("Not saved, retrying (1)")
            shown = hand.page.locator("#q-cord_signs").evaluate("item => getComputedStyle(item, '::after').content")
            assert shown == '"Not saved, retrying"'
        finally:
            service.start()
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=15_000)
        assert service.answer(consultation, "cord_signs") == ("absent", None, "")
        assert service.steps_about(consultation, "cord_signs") == 1

    def test_an_answer_whose_reply_was_lost_is_one_step(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected += ["ERR_FAILED", "htmx:"]
        hand = WithScript(watch.page())
        hand.page.goto(f"/consultations/{consultation}")

        def lose(route: Route) -> None:
            route.fetch()
            route.abort()

        hand.page.route("**/answers", lose, times=1)
        hand.tick("cord_signs", "absent")
        expect(hand.page.locator("#save-state")).to_have_text("Not saved, retrying (1)")
        assert service.steps_about(consultation, "cord_signs") == 1
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        assert service.steps_about(consultation, "cord_signs") == 1

    def test_an_answer_changed_after_a_lost_reply_is_no_conflict_of_the_page_with_itself(
        self, visit: Visit, service: Service
    ) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected += ["ERR_FAILED", "htmx:"]
        hand = WithScript(watch.page())
        hand.page.goto(f"/consultations/{consultation}")

        def lose(route: Route) -> None:
            route.fetch()
            route.abort()

        hand.page.route("**/answers", lose, times=1)
        hand.tick("cord_signs", "absent")
        expect(hand.page.locator("#save-state")).to_have_text("Not saved, retrying (1)")
        hand.tick("cord_signs", "present")
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        expect(hand.page.locator(".q__conflict")).to_have_count(0)
        assert service.answer(consultation, "cord_signs") == ("present", None, "")
        assert service.steps_about(consultation, "cord_signs") == 2

    def test_a_reply_that_is_not_whole_is_none_and_the_question_can_still_be_answered(
        self, visit: Visit, service: Service
    ) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        hand = WithScript(watch.page())
        hand.page.goto(f"/consultations/{consultation}")

        def cut(route: Route) -> None:
            route.fetch()
            route.fulfill(status=200, body="")

        hand.page.route("**/answers", cut, times=1)
        hand.tick("cord_signs", "absent")
        hand.page.wait_for_timeout(100)
        hand.tick("cord_signs", "present")
        expect(hand.page.locator("#state-cord_signs .q__saved")).to_be_visible(timeout=10_000)
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        assert service.answer(consultation, "cord_signs") == ("present", None, "")

    def test_a_request_without_a_reply_is_shown_as_not_saved_before_it_is_given_up(
        self, visit: Visit, service: Service
    ) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected += ["htmx:"]
        hand = WithScript(watch.page())
        hand.page.goto(f"/consultations/{consultation}")
        hand.page.route("**/answers", lambda _: None, times=1)  # never answered
        hand.tick("cord_signs", "absent")
        expect(hand.page.locator("#save-state")).to_have_text("Not saved, retrying (1)", timeout=3_000)
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        assert service.steps_about(consultation, "cord_signs") == 1

    @pytest.mark.parametrize("delivered", [True, False], ids=["the reply was lost", "the request was lost"])
    def test_remove_is_sent_again_until_it_is_done(self, visit: Visit, service: Service, delivered: bool) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected += ["ERR_FAILED", "htmx:"]
        hand = WithScript(watch.page())
        hand.page.goto(f"/consultations/{consultation}")
        hand.tick("cord_signs", "absent")
        hand.settle()

        def lose(route: Route) -> None:
            if delivered:
                route.fetch()
            route.abort()

        hand.page.route("**/answers", lose, times=1)
        hand.page.locator("#state-cord_signs [data-remove]").click()
        expect(hand.page.locator("#save-state")).to_have_text("Not saved, retrying (1)")
        expect(hand.page.locator("#save-state")).to_have_text(SAVED, timeout=10_000)
        expect(hand.page.locator('[id="a.cord_signs.absent"]')).not_to_be_checked()
        assert service.answer(consultation, "cord_signs") is None
        assert service.steps_about(consultation, "cord_signs") == 2

    def test_leaving_with_an_unsaved_answer_asks_first(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected += [*AWAY, "htmx:"]
        hand = WithScript(watch.page())
        hand.page.goto(f"/consultations/{consultation}")
        all_there(hand.page)
        service.stop()
        try:
            hand.tick("cord_signs", "absent")
            expect(hand.page.locator("#save-state")).to_have_text("Not saved, retrying (1)")
            with hand.page.expect_event("dialog") as asked:
                hand.page.close(run_before_unload=True)
            assert asked.value.type == "beforeunload"
        finally:
            service.start()
        watch.complaints.clear()  # the question on leaving was the one dialogue

    @pytest.mark.parametrize("press", ["Make the report final", "See what would leave"])
    def test_a_press_that_leaves_waits_until_the_words_just_typed_are_saved(
        self, visit: Visit, service: Service, press: str
    ) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation)  # a dialogue would fail this
        hand.tick("report_consent", "given")
        hand.settle()
        hand.write("can_do_at_work", "Seated work")
        hand.page.get_by_text(press, exact=True).click()
        hand.page.wait_for_url(re.compile(r"/report$|whole=yes"))
        assert service.answer(consultation, "can_do_at_work") == ("answered", "Seated work", "")
        report = service.consultation(consultation).report
        assert (report is not None) == (press == "Make the report final")
        hand.page.goto(f"/consultations/{consultation}/report")
        expect(hand.page.locator("article")).to_contain_text("Seated work")
        assert [s.kind for s in service.consultation(consultation).documents].count("report_made") == bool(report)


class TestNoToTheRest:
    def test_it_is_hidden_until_every_item_has_been_wholly_on_screen(self, visit: Visit, service: Service) -> None:
        hand = opened(visit, service.begin())
        fill = hand.page.locator(f"#rest-{REST} .rest__fill")
        expect(fill).to_be_hidden()
        items = hand.page.locator(f"#block-{REST} [data-item]")
        items.last.scroll_into_view_if_needed()
        hand.page.wait_for_timeout(100)
        expect(fill).to_be_hidden()  # the first ones were never seen
        for at in range(items.count()):
            items.nth(at).scroll_into_view_if_needed()
            hand.page.wait_for_timeout(20)
        expect(fill).to_be_visible()

    def test_it_fills_the_blanks_as_a_group_and_undoes_in_one_action(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation)
        hand.tick("cancer_ever", "absent")
        for question in ("long_steroid_course", "weak_immunity", "diabetes_or_dialysis", "injected_drugs"):
            hand.tick(question, "absent")
        hand.tick("night_pain", "present")
        hand.no_to_the_rest(REST)
        now = service.consultation(consultation)
        group = [q for q, records in now.history.items() if records[-1].via == "group"]
        assert group
        assert {now.answers[q].state for q in group} == {"absent"}
        assert now.answers["night_pain"].state == "present"
        assert "cancer_ever" not in group
        hand.page.locator(f"#rest-{REST}").get_by_role("button", name="Undo").click()
        expect(hand.page.locator(f"#rest-{REST} .rest__fill")).to_be_visible()
        after = service.consultation(consultation).answers
        assert not set(group) & set(after)
        assert after["night_pain"].state == "present"
        expect(hand.page.locator('[id="a.new_stoop_or_height_loss.absent"]')).not_to_be_checked()

    def test_it_can_be_done_undone_and_done_again_on_the_same_page(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation)
        hand.tick("cancer_ever", "absent")
        hand.settle()
        rest = hand.page.locator(f"#rest-{REST}")
        for _ in range(2):
            hand.no_to_the_rest(REST)
            expect(rest).to_contain_text("answered together as No")
            assert service.consultation(consultation).answers["night_pain"].state == "absent"
            rest.get_by_role("button", name="Undo").click()
            expect(rest.locator(".rest__fill")).to_be_visible()
            assert "night_pain" not in service.consultation(consultation).answers

    def test_it_fills_the_blanks_after_a_leaflet_was_printed_from_the_same_page(
        self, visit: Visit, service: Service
    ) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation)
        hand.tick("cancer_ever", "absent")
        hand.print_leaflet()
        hand.no_to_the_rest(REST)
        assert service.consultation(consultation).answers["night_pain"].state == "absent"

    def test_a_yes_still_on_its_way_is_waited_for_and_never_overrun(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation)
        hand.tick("cancer_ever", "absent")
        hand.settle()
        page = hand.page
        items = page.locator(f"#block-{REST} [data-item]")
        for at in range(items.count()):
            items.nth(at).scroll_into_view_if_needed()
            page.wait_for_timeout(20)

        def slowly(route: Route) -> None:
            page.wait_for_timeout(700)
            route.continue_()

        page.route("**/answers", slowly)
        page.locator('[id="a.night_pain.present"]').click()
        page.locator(f"#rest-{REST} [data-gesture]").click()
        expect(page.locator(f"#rest-{REST}")).to_contain_text("answered together as No")
        expect(page.locator('[id="a.night_pain.present"]')).to_be_checked()
        answers = service.consultation(consultation).answers
        assert answers["night_pain"].state == "present"
        assert answers["new_stoop_or_height_loss"].state == "absent"

    def test_what_must_be_asked_one_by_one_stays_blank_and_is_counted(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation)
        hand.tick("cancer_ever", "unsure")
        hand.no_to_the_rest(REST)
        expect(hand.page.locator(f"#rest-{REST}")).to_contain_text("must be answered one by one")
        answers = service.consultation(consultation).answers
        assert not {"night_pain", "upper_back_pain", "weight_loss_sweats_off_food"} & set(answers)


class TestAnswers:
    def test_a_decision_half_typed_stays_when_its_text_is_drawn_anew(self, visit: Visit, service: Service) -> None:
        hand = opened(visit, service.begin())
        hand.tick("cancer_ever", "present")
        hand.settle()
        panel = hand.page.locator("#panel-cancer_ever")
        expect(panel.locator(".kept__open")).to_contain_text("Unsteady walking")
        panel.locator('[name$="~reason"]').fill("Rang the coordinator")
        panel.locator('[name$="~decision"]').select_option("same_day_emergency")
        hand.tick("cord_signs", "absent")
        hand.settle()
        expect(panel.locator(".kept__open")).not_to_contain_text("Unsteady walking")
        expect(panel.locator('[name$="~reason"]')).to_have_value("Rang the coordinator")
        expect(panel.locator('[name$="~decision"]')).to_have_value("same_day_emergency")

    @pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])
    def test_enter_in_a_field_saves_it_and_removes_nothing(
        self, visit: Visit, service: Service, scripted: bool
    ) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation, scripted)
        hand.tick("adjustment_types", "amended_duties")
        hand.settle()
        if not scripted:
            hand.page.goto(f"/consultations/{consultation}")
        field = hand.page.locator('[name="a.amended_duties_plan.what"]')
        field.fill("No lifting")
        field.press("Enter")
        expect(hand.page.locator("#state-amended_duties_plan .q__saved")).to_be_visible()
        answers = service.consultation(consultation).answers
        assert answers["adjustment_types"].value == ["amended_duties"]
        assert answers["amended_duties_plan"].value == {"what": "No lifting"}

    def test_a_tick_that_stands_alone_takes_the_others_away(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation)
        hand.tick("leg_symptoms", "pain")
        hand.tick("leg_symptoms", "neither")
        hand.settle()
        assert service.answer(consultation, "leg_symptoms") == ("answered", ["neither"], "")

    def test_a_question_is_marked_as_not_asked_with_a_reason(self, visit: Visit, service: Service) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation)
        hand.tick("sexual_function_change", "absent")
        hand.not_asked("sexual_function_change", "third_person")
        hand.settle()
        expect(hand.page.locator('[id="a.sexual_function_change.absent"]')).not_to_be_checked()
        assert service.answer(consultation, "sexual_function_change") == ("not_asked", None, "third_person")
        hand.tick("sexual_function_change", "absent")
        hand.settle()
        expect(hand.page.locator('[name="reason.sexual_function_change"]')).to_have_value("")
        assert service.answer(consultation, "sexual_function_change") == ("absent", None, "")

    @pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])
    def test_remove_answer_leaves_nothing_recorded(self, visit: Visit, service: Service, scripted: bool) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation, scripted)
        hand.tick("saddle_feeling_change", "present")
        hand.settle()
        expect(hand.page.locator("#panel-saddle_feeling_change .kept")).to_be_visible()
        hand.page.locator("#state-saddle_feeling_change").get_by_role("button", name="Remove").click()
        expect(hand.page.locator("#panel-saddle_feeling_change .kept")).to_have_count(0)
        expect(hand.page.locator('[id="a.saddle_feeling_change.present"]')).not_to_be_checked()
        assert service.answer(consultation, "saddle_feeling_change") is None
        assert service.steps_about(consultation, "saddle_feeling_change") == 2
        hand.tick("saddle_feeling_change", "absent")
        hand.settle()
        expect(hand.page.locator("#state-saddle_feeling_change .q__saved")).to_be_visible()
        assert service.answer(consultation, "saddle_feeling_change") == ("absent", None, "")

    def test_text_stays_as_typed_while_it_is_saved_and_other_answers_arrive(
        self, visit: Visit, service: Service
    ) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation)
        field = hand.shown("story_of_episode").locator("textarea")  # in a folded block, which is opened
        field.click()
        hand.page.keyboard.type("It began on Monday, ", delay=5)
        expect(hand.page.locator("#state-story_of_episode .q__saved")).to_be_visible()
        field.evaluate("field => { field.dataset.same = 'yes'; }")
        hand.page.keyboard.type("lifting a box, ", delay=5)
        hand.page.evaluate(
            "() => { const r = document.getElementById('a.back_pain_reason.main'); r.checked = true;"
            " r.dispatchEvent(new Event('change', { bubbles: true })); }"
        )
        hand.page.keyboard.type("and eased on Tuesday.", delay=25)
        expect(hand.page.locator("#save-state")).to_have_text(SAVED)
        said = "It began on Monday, lifting a box, and eased on Tuesday."
        expect(field).to_be_focused()
        expect(field).to_have_value(said)
        assert field.get_attribute("data-same") == "yes"
        assert service.answer(consultation, "story_of_episode") == ("answered", said, "")

    def test_an_answer_on_its_way_to_a_question_that_leaves_the_path_is_kept_aside(
        self, visit: Visit, service: Service
    ) -> None:
        consultation = service.begin()
        hand = opened(visit, consultation)
        hand.tick("saddle_feeling_change", "present")
        hand.write("cauda_equina_other_explanation", "A fall on the tail bone last week")
        hand.tick("saddle_feeling_change", "absent")
        expect(hand.page.locator("#q-cauda_equina_other_explanation")).to_have_count(0)
        expect(hand.page.locator("#save-state")).to_have_text(SAVED)
        kept = service.answer(consultation, "cauda_equina_other_explanation")
        assert kept == ("answered", "A fall on the tail bone last week", "")
        hand.page.reload()
        expect(hand.page.locator("#parked")).to_contain_text("Kept aside: ")

    def test_a_parked_answer_comes_back_with_its_question(self, visit: Visit, service: Service) -> None:
        hand = opened(visit, service.begin())
        hand.tick("work_cause_opinion", "caused")
        hand.tick("cause_action", "incident_report")
        hand.settle()
        hand.tick("work_cause_opinion", "not_work")
        expect(hand.page.locator("#q-cause_action")).to_have_count(0)
        expect(hand.page.locator("#parked")).to_contain_text("Kept aside: 1 answer")
        hand.tick("work_cause_opinion", "aggravated")
        expect(hand.page.locator('[id="a.cause_action.incident_report"]')).to_be_checked()
        expect(hand.page.locator("#parked")).not_to_contain_text("Kept aside")

    def test_a_wrong_date_order_is_said_at_the_question_and_what_was_entered_stays(
        self, visit: Visit, service: Service
    ) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected.append("422 (")
        hand = WithScript(watch.page())
        hand.page.goto(f"/consultations/{consultation}")
        hand.tick("adjustment_types", "phased_return")
        hand.write("phased_return_plan", "2026-12-20", "start")
        hand.write("phased_return_plan", "2026-12-01", "end")
        expect(hand.page.locator("#state-phased_return_plan .q__error")).to_contain_text("before the start")
        for box, value in (("day", "01"), ("month", "12"), ("year", "2026")):
            expect(hand.page.locator(f'[name="a.phased_return_plan.end-{box}"]')).to_have_value(value)
        hand.write("phased_return_plan", "2026-12-30", "end")
        expect(hand.page.locator("#state-phased_return_plan .q__saved")).to_be_visible()
        assert service.answer(consultation, "phased_return_plan") == (
            "answered",
            {"start": "2026-12-20", "end": "2026-12-30"},
            "",
        )


class TestDates:
    def test_a_date_is_saved_once_its_boxes_are_full_and_said_when_left_half_typed(
        self, visit: Visit, service: Service
    ) -> None:
        consultation = service.begin()
        watch = visit("nurse")
        watch.expected.append("422 (")
        hand = WithScript(watch.page())
        hand.page.goto(f"/consultations/{consultation}")
        item = hand.shown("follow_up_date")
        day, month, year = item.locator(".dates input").all()
        day.fill("9")
        month.fill("12")
        day.focus()
        expect(hand.page.locator("#save-state")).to_have_text("Not saved: finish the date")
        expect(hand.page.locator("#state-follow_up_date .q__error")).to_have_count(0)
        year.focus()
        hand.page.locator('[name="a.clinician_notes"]').focus()
        expect(hand.page.locator("#state-follow_up_date .q__error")).to_contain_text("day, month and year")
        assert service.answer(consultation, "follow_up_date") is None
        year.fill("2026")
        year.blur()
        expect(hand.page.locator("#state-follow_up_date .q__saved")).to_be_visible()
        assert service.answer(consultation, "follow_up_date") == ("answered", "2026-12-09", "")
        expect(hand.page.locator("#save-state")).to_have_text(re.compile(r"^Saved \d\d:\d\d"))
        month.fill("")
        year.fill("")
        day.fill("24 December 2026")
        day.blur()
        expect(year).to_have_value("2026")
        hand.settle()
        assert service.answer(consultation, "follow_up_date") == ("answered", "2026-12-24", "")
        hand.page.get_by_role("button", name="Remove answer: Date of review").click()
        expect(day).to_have_value("")

    def test_leaving_while_a_date_is_half_typed_asks_first_and_then_no_more(
        self, visit: Visit, service: Service
    ) -> None:
        watch = visit("nurse")
        hand = WithScript(watch.page())
        hand.page.goto(f"/consultations/{service.begin()}")
        day, month, year = hand.shown("follow_up_date").locator(".dates input").all()
        day.click()  # a browser asks only somebody who has used the page
        day.fill("9")
        expect(hand.page.locator("#save-state")).to_have_text("Not saved: finish the date")
        with hand.page.expect_event("dialog") as asked:
            hand.page.close(run_before_unload=True)
        assert asked.value.type == "beforeunload"
        watch.complaints.clear()  # that question
        expect(day).to_have_value("9")
        month.fill("12")
        year.fill("2026")
        year.blur()
        expect(hand.page.locator("#save-state")).to_have_text(re.compile(r"^Saved \d\d:\d\d"))
        with hand.page.expect_event("close"):
            hand.page.close(run_before_unload=True)

    def test_another_part_of_the_answer_is_saved_while_a_date_is_typed_which_stays_as_it_was_until_then(
        self, visit: Visit, service: Service
    ) -> None:
        consultation = service.begin()
        hand = WithScript(visit("nurse").page())
        hand.page.goto(f"/consultations/{consultation}")
        hand.tick("adjustment_types", "phased_return")
        hand.write("phased_return_plan", "2026-12-20", "start")
        item, saved = hand.shown("phased_return_plan"), "#state-phased_return_plan .q__saved"
        expect(hand.page.locator(saved)).to_be_visible()
        item.locator('[name="a.phased_return_plan.what"]').fill("Two hours more each week")
        item.locator('[name="a.phased_return_plan.start-year"]').fill("")  # from here on it is no date
        item.locator('[name="a.phased_return_plan.start-day"]').fill("21")
        expect(hand.page.locator("html")).to_have_attribute("data-unsent", "0")
        expect(hand.page.locator("#save-state")).to_have_text("Not saved: finish the date")
        asked = {"what": "Two hours more each week", "start": "2026-12-20"}
        assert service.answer(consultation, "phased_return_plan") == ("answered", asked, "")
        item.locator('[name="a.phased_return_plan.start-year"]').fill("2026")
        hand.settle()
        assert service.answer(consultation, "phased_return_plan") == ("answered", asked | {"start": "2026-12-21"}, "")


class TestKeyboard:
    def test_a_section_and_signing_with_the_keyboard_alone(self, visit: Visit, service: Service) -> None:
        watch = visit()
        watch.expected.append("409 (CONFLICT)")  # signing is held first
        page = watch.page()
        keys, name_and_birth = page.keyboard, service.new_person()
        page.goto("/")
        to(page, "#username")
        keys.type(SIGN_IN_NAMES["nurse"])
        to(page, "#password")
        keys.type(PASSWORD)
        keys.press("Enter")
        expect(page.get_by_role("heading", name="Consultations", exact=True)).to_be_visible()
        to(page, "a[href$='/employees/new']")
        keys.press("Enter")
        page.wait_for_url("**/employees/new")
        to(page, "#name")
        keys.type(name_and_birth[0])
        to(page, "#date_of_birth")
        keys.type(name_and_birth[1].strftime("%d%m%Y"))
        keys.press("Enter")
        page.wait_for_url("**/employees/*-*")
        to(page, "button[value=in_person]")
        keys.press("Enter")
        page.wait_for_url("**/consultations/*-*")
        consultation = page.url.rpartition("/")[2]
        to(page, "[name='a.back_pain_reason']")
        keys.press("Space")
        to(page, "[name='a.employee_concern']")
        keys.type("To be back at work")
        to(page, "[id='a.who_is_present.employee_only']")
        keys.press("Space")
        to(page, "[name='a.visit_and_episode']")
        keys.press("Space")
        keys.press("ArrowDown")
        expect(page.locator("#save-state")).to_have_text(SAVED)
        to(page, ".rail__entry[href='#finish']", back=True)
        keys.press("Enter")
        to(page, ".sign .nhsuk-button")
        keys.press("Enter")
        page.wait_for_url("**/sign")
        to(page, "[name='reason']")
        keys.press("a")  # "Another reason": a list is chosen from by typing
        to(page, "[name='text']")
        keys.type("Shortened for this test")
        keys.press("Enter")
        page.wait_for_load_state()
        expect(page.get_by_role("heading", name="These emergency questions are not recorded")).to_have_count(0)
        to(page, "main .acts .nhsuk-button")
        keys.press("Enter")
        expect(page.get_by_role("heading", name="Signed and locked")).to_be_visible()
        found = service.consultation(consultation)
        assert found.state == "signed"
        assert {q: a.value for q, a in found.answers.items()} == {
            "back_pain_reason": "main",
            "employee_concern": "To be back at work",
            "who_is_present": ["employee_only"],
            "visit_and_episode": "first_visit_gap_28_or_more",
        }

    @pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
    def test_what_has_the_focus_is_never_hidden_by_the_banner(self, visit: Visit, service: Service, key: str) -> None:
        page = opened(visit, service.begin()).page
        page.locator('[id="a.cord_signs.present"]').focus()
        for _ in range(40):
            page.keyboard.press(key)
            top, banner = page.evaluate(
                "() => [document.activeElement.getBoundingClientRect().bottom,"
                " document.querySelector('.who').getBoundingClientRect().bottom]"
            )
            assert top > banner, page.evaluate("document.activeElement.outerHTML")

    @pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
    def test_on_a_tablet_held_upright_the_banner_stays_in_sight_and_hides_no_focus(
        self, visit: Visit, service: Service, key: str
    ) -> None:
        page = opened(visit, service.begin()).page
        page.set_viewport_size({"width": 768, "height": 1024})
        page.locator('[id="a.cord_signs.present"]').focus()
        for _ in range(25):
            page.keyboard.press(key)
            top, focus, banner = page.evaluate(
                "() => { const who = document.querySelector('.who').getBoundingClientRect();"
                " return [who.top, document.activeElement.getBoundingClientRect().bottom, who.bottom]; }"
            )
            assert 0 <= top < banner < 200
            assert focus > banner, page.evaluate("document.activeElement.outerHTML")

    def test_on_a_tablet_held_flat_a_long_banner_hides_neither_the_sections_nor_the_focus(
        self, visit: Visit, service: Service
    ) -> None:
        page = opened(visit, service.begin()).page
        page.set_viewport_size({"width": 1024, "height": 768})
        page.evaluate(
            "() => document.querySelector('.who__name').append(' taken over from somebody with a long name'.repeat(4))"
        )
        page.locator('[id="a.cord_signs.present"]').focus()
        for _ in range(15):
            page.keyboard.press("Shift+Tab")
            banner, rail, focus = page.evaluate(
                "() => ['.who', '.rail__letter', ':focus'].map((s, i) => {"
                " const box = document.querySelector(s).getBoundingClientRect(); return i ? box.top : box.bottom; })"
            )
            assert banner > 80
            assert rail >= banner
            assert focus >= banner - 1, page.evaluate("document.activeElement.outerHTML")

    @pytest.mark.parametrize("width", [768, 1024])
    def test_on_a_tablet_the_answers_of_a_finding_stand_on_one_line_and_saving_moves_nothing(
        self, visit: Visit, service: Service, width: int
    ) -> None:
        page = opened(visit, service.begin()).page
        page.set_viewport_size({"width": width, "height": 900})
        height = "e => e.getBoundingClientRect().height"
        item = page.locator("#q-new_leaking_or_pads")
        before = item.evaluate(height)
        tops = item.locator(".opt, .sel--why").evaluate_all("all => all.map(e => e.getBoundingClientRect().bottom)")
        assert max(tops) - min(tops) < 8
        item.locator('label[for="a.new_leaking_or_pads.absent"]').click()
        expect(page.locator("#state-new_leaking_or_pads .q__saved")).to_be_visible()
        assert item.evaluate(height) == before


def to(page: Page, selector: str, back: bool = False) -> None:
    """Press Tab until an element has the focus, which must be seen to have it."""
    for _ in range(150):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        found, marked = page.evaluate(
            "s => { const e = document.activeElement, look = getComputedStyle(e);"
            " return [e.matches(s), look.outlineStyle !== 'none' || look.boxShadow !== 'none']; }",
            selector,
        )
        if found:
            assert marked, f"{selector} does not show that it has the focus"
            return
    raise AssertionError(f"Tab never came to {selector}")
