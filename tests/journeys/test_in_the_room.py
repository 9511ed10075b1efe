"""What stands on the consultation screen for whoever looks at the employee: keys, help, what was printed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from service import Service
from watching import Visit, Watch

pytestmark = pytest.mark.browser

FOCUS = "() => document.activeElement.id || document.activeElement.name || document.activeElement.className"


@pytest.fixture(scope="module")
def watch(open_visit: Visit) -> Iterator[Watch]:
    """One nurse for all of this module."""
    watch = open_visit("nurse")
    yield watch
    watch.context.close()
    assert watch.complaints == []


@pytest.fixture
def page(watch: Watch, service: Service) -> Iterator[Page]:
    """A consultation that has just begun, open on the screen."""
    page = watch.page()
    page.goto(f"/consultations/{service.begin()}")
    yield page
    page.close()


def focus(page: Page) -> str:
    return str(page.evaluate(FOCUS))


class TestKeys:
    def test_the_first_answer_is_three_actions_from_opening(self, page: Page) -> None:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # "Skip to the questions"
        page.keyboard.press("Tab")
        assert focus(page) == "a.back_pain_reason.main"
        page.keyboard.press("Space")
        expect(page.locator("#state-back_pain_reason .q__saved")).to_be_visible()

    def test_enter_on_a_choice_goes_to_the_next_question_and_with_shift_back(self, page: Page) -> None:
        page.locator('[id="a.bladder_emptying_change.present"]').focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        assert focus(page) == "a.bladder_feeling_change.present"
        page.keyboard.press("Shift+Enter")
        assert focus(page) == "a.bladder_emptying_change.absent"
        expect(page.locator("#state-bladder_emptying_change .q__saved")).to_be_visible()
        expect(page.locator("#state-bladder_feeling_change .q__saved")).to_have_count(0)

    def test_it_passes_over_what_is_folded_and_changes_nothing_on_its_way(self, page: Page, service: Service) -> None:
        page.locator('[id="a.back_pain_reason.main"]').focus()
        met = []
        for _ in range(120):
            kind = page.evaluate(
                "() => [document.activeElement.type, document.activeElement.closest('#finish') !== null]"
            )
            if kind[1]:
                break
            met.append(focus(page).split(".")[1] if "." in focus(page) else focus(page))
            page.keyboard.press("Enter" if kind[0] in ("radio", "checkbox") else "Tab")
        assert page.evaluate("() => document.activeElement.closest('#finish') !== null")
        shown = page.evaluate(
            "() => [...document.querySelectorAll('.q')].filter(q => q.checkVisibility()).map(q => q.dataset.item)"
        )
        assert set(shown) <= set(met)
        assert not set(met) & {"sex", "pain_began_on"}
        assert not service.consultation(page.url.rpartition("/")[2].partition("#")[0]).answers


class TestHelp:
    def test_it_opens_and_closes_by_key_below_its_question_and_the_focus_stays(self, page: Page) -> None:
        mark = page.locator("#q-saddle_feeling_change .q__why")
        tall = page.locator("#section-red_flags").evaluate("e => e.offsetHeight")
        mark.focus()
        page.keyboard.press("Enter")
        help_ = page.locator("#why-saddle_feeling_change")
        expect(help_).to_contain_text("Why:")
        expect(help_).to_contain_text("The question rests on:")
        expect(mark).to_have_attribute("aria-expanded", "true")
        expect(mark).to_be_focused()
        page.keyboard.press("Space")
        expect(help_).to_be_hidden()
        expect(mark).to_be_focused()
        assert page.locator("#section-red_flags").evaluate("e => e.offsetHeight") == tall

    def test_it_is_fetched_once_and_only_when_opened(self, page: Page) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "/why/" in request.url else None)
        page.reload()
        mark = page.locator("#q-cord_signs .q__why")
        for _ in range(3):
            mark.click()
        expect(page.locator("#why-cord_signs")).to_contain_text("rests on")
        assert len(asked) == 1

    def test_a_question_that_comes_later_has_it_too(self, page: Page) -> None:
        page.locator('label[for="a.leg_symptoms.pain"]').click()
        mark = page.locator("#q-spreading_numbness_or_weakness .q__why")
        expect(mark).to_have_attribute("aria-expanded", "false")

    def test_without_javascript_it_is_a_page_and_one_is_back_at_the_question(
        self, open_visit: Visit, service: Service
    ) -> None:
        watch = open_visit("nurse", scripted=False)
        page = watch.page()
        page.goto(f"/consultations/{service.begin()}")
        page.locator("#q-cord_signs .q__why").click()
        expect(page.get_by_role("heading", name="Why it is asked")).to_be_visible()
        page.get_by_role("link", name="Back to the question").click()
        assert page.url.endswith("#q-cord_signs")
        expect(page.locator("#q-cord_signs")).to_be_in_viewport()
        watch.context.close()
        assert watch.complaints == []


def test_the_answers_of_a_finding_stand_on_one_line(page: Page) -> None:
    lines = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.q:has(input[value=absent])')]
            .filter(q => q.checkVisibility())
            .map(q => [q.dataset.item, new Set([...q.querySelectorAll('.opts > *')].map(e => {
                const box = e.getBoundingClientRect();
                return Math.round((box.top + box.bottom) / 20);
            })).size]))"""
    )
    assert len(lines) > 30
    assert {item for item, n in lines.items() if n > 1} == set()


def test_a_print_in_another_tab_is_said_when_one_comes_back(page: Page) -> None:
    line = page.locator("#done-back-pain-core-en")
    expect(line).to_contain_text("nothing is recorded yet")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Print A4").first.click()
    opened.value.wait_for_load_state()
    opened.value.close()
    page.bring_to_front()
    page.evaluate("() => window.dispatchEvent(new Event('focus'))")  # a headless window has none of its own
    expect(line).to_contain_text("Leaflet printed (A4)")
