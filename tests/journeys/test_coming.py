"""The rest of the screen comes by itself, wherever one is meanwhile, and with what was answered before it came."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hands import WithScript, all_there
from keys import IN_SIGHT
from playwright.sync_api import APIResponse, Page, Route, expect
from service import PASSWORD, Service
from watching import Visit, Watch

pytestmark = pytest.mark.browser

COMING = "**/coming/*"
MOVING = (("pain_sites", "mid_or_upper_back"), ("leg_symptoms", "pain"), ("leg_symptoms", "neither"))
"""Answers of the first part that bring up questions of the rest, and take them away."""
PLACES = "[id^=slot-], [id^=rest-], [id^=heading-], [id^=rail-], #left, #parked, #report-state, #report-act"
OWN = "|".join(
    (
        "[0-9a-f-]{36}-[0-9]{4}",
        "[0-9a-f]{32}",
        '(name="(key|csrf_token)" value=")[^"]*',
        ' (aria-expanded|role)="[^"]*"',
        'class="(htmx-[a-z]+ ?)*"',
        ' checked=""',
    )
)
PARTS = f"""() => Object.fromEntries(Array.from(document.querySelectorAll('{PLACES}'), (place) =>
    [place.id, place.innerHTML.replace(/{OWN}/g, '').replace(/[ \\n]+/g, ' ').trim()]))"""
"""What every place shows, without keys and what scripts mark."""
IDS = "() => Array.from(document.querySelectorAll('.part, .q'), (part) => part.id)"
FROM_TOP = "(id) => document.getElementById(id).getBoundingClientRect().top"


class Held:
    """The reply with the rest is on its way until it is let go."""

    def __init__(self, page: Page) -> None:
        self.page, self.held = page, list[tuple[Route, APIResponse]]()
        page.route(COMING, lambda route: self.held.append((route, route.fetch())))

    def comes(self) -> None:
        for _ in range(100):
            if self.held:
                break
            self.page.wait_for_timeout(20)
        for route, reply in self.held:
            route.fulfill(response=reply)
        all_there(self.page)


@pytest.fixture
def talk(service: Service) -> str:
    return service.begin()


@pytest.fixture
def watch(visit: Visit) -> Watch:
    return visit("nurse")


def last_of_the_first(page: Page) -> str:
    """The last question that is there before the rest comes."""
    return str(page.locator(".q__set").last.get_attribute("data-q"))


def test_all_of_it_is_there_in_the_order_of_the_whole_page(watch: Watch, talk: str) -> None:
    page = watch.page()
    page.goto(f"/consultations/{talk}")
    all_there(page)
    in_parts = page.evaluate(IDS)
    shown = page.evaluate(PARTS)
    page.goto(f"/consultations/{talk}?whole=yes")
    assert in_parts == page.evaluate(IDS)
    assert shown == page.evaluate(PARTS)


def test_what_is_answered_before_the_rest_comes_is_seen_in_it(watch: Watch, talk: str) -> None:
    page = watch.page()
    held = Held(page)
    page.goto(f"/consultations/{talk}")
    hand = WithScript(page)
    for question, code in MOVING:
        hand.tick(question, code)
        hand.settle()
        expect(page.locator(f"#state-{question} .q__saved")).to_be_visible()
    held.comes()
    shown = page.evaluate(PARTS)
    page.goto(f"/consultations/{talk}?whole=yes")
    anew = page.evaluate(PARTS)
    in_use = {f"slot-{question}" for question, _ in MOVING}  # of which the hand, and no reply, moved the control
    assert {name: (shown[name], anew[name]) for name in shown.keys() - in_use if shown[name] != anew[name]} == {}


def test_the_page_is_accessible_while_it_waits_and_after(watch: Watch, talk: str) -> None:
    page = watch.page()
    held = Held(page)
    page.goto(f"/consultations/{talk}")
    expect(page.locator("section.part--coming > .part__coming")).to_be_visible()
    assert [v["id"] for v in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    held.comes()
    assert [v["id"] for v in Axe().run(page).response["violations"]] == []


def test_it_is_asked_for_again_until_it_comes(watch: Watch, talk: str) -> None:
    page, asked = watch.page(), list[str]()
    watch.expected += ["ERR_FAILED", "429"]

    def lose_three(route: Route) -> None:
        asked.append(route.request.url)
        nothing_in_it = {"status": 200, "body": ""}  # what is left of a reply that was cut off within its head
        ways: list[Callable[[], Any]] = [
            route.abort,
            lambda: route.fulfill(status=429),
            lambda: route.fulfill(**nothing_in_it),
            route.continue_,
        ]
        ways[min(len(asked), 4) - 1]()

    page.route(COMING, lose_three)
    page.goto(f"/consultations/{talk}")
    all_there(page)
    assert len(asked) == 4


def test_it_comes_after_the_screen_was_locked_on_the_way(watch: Watch, service: Service, talk: str) -> None:
    page, asked = watch.page(), list[str]()
    watch.expected += ["423 ("]

    def locked_first(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            other.locator("button[data-lock]").click()
            expect(other.locator("#lock")).to_be_visible()
            other.wait_for_timeout(500)
        route.continue_()

    other = watch.page()
    other.goto("/")
    page.route(COMING, locked_first)
    page.goto(f"/consultations/{talk}")
    expect(page.locator("#lock")).to_be_visible()
    assert page.locator(".part--coming").count() > 0
    page.locator("#lock-password").fill(PASSWORD)
    page.locator("#lock-password").press("Enter")
    all_there(page)


@pytest.mark.parametrize("before", [True, False], ids=["on the way", "in the address"])
def test_one_comes_to_the_place_that_was_asked_for(watch: Watch, talk: str, before: bool) -> None:
    page = watch.page()
    held = Held(page)
    page.goto(f"/consultations/{talk}{'' if before else '#section-barriers'}")
    if before:
        page.locator('.rail a[href="#section-barriers"]').click()
    held.comes()
    page.wait_for_timeout(200)
    assert 0 <= page.evaluate(FROM_TOP, "section-barriers") < 200


def test_a_page_loaded_anew_is_where_it_was_left(watch: Watch, talk: str) -> None:
    page = watch.page()
    page.goto(f"/consultations/{talk}")
    all_there(page)
    page.evaluate("document.getElementById('section-advice').scrollIntoView({ behavior: 'instant' })")
    page.wait_for_timeout(200)
    left = page.evaluate("scrollY")
    page.reload()
    all_there(page)
    page.wait_for_timeout(200)
    assert left > 2000
    assert abs(page.evaluate("scrollY") - left) < 40


def test_one_who_has_gone_elsewhere_stays_all_there(watch: Watch, talk: str) -> None:
    page = watch.page()
    held = Held(page)
    page.goto(f"/consultations/{talk}#section-barriers")
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 150)
    page.wait_for_timeout(200)
    before = page.evaluate("scrollY")
    held.comes()
    page.wait_for_timeout(200)
    assert page.evaluate("scrollY") == before


def test_the_keyboard_goes_on_once_the_next_question_is_there_and_answers_nothing_twice(
    watch: Watch, service: Service, talk: str
) -> None:
    page = watch.page()
    held = Held(page)
    page.goto(f"/consultations/{talk}")
    question = last_of_the_first(page)
    page.locator(f'[name="a.{question}"]').first.focus()
    for key in ("Alt+1", "Enter", "Alt+2"):
        page.keyboard.press(key)
        page.wait_for_timeout(700)  # as long as somebody takes to read a question
    expect(page.locator(f"#state-{question} .q__saved")).to_be_visible()
    held.comes()
    page.wait_for_timeout(100)
    assert page.evaluate("document.activeElement.closest('.q__set').dataset.q") != question
    assert page.evaluate(IN_SIGHT)
    assert len(service.consultation(talk).history[question]) == 1


def test_the_focus_goes_from_the_place_to_what_has_come_all_there(watch: Watch, talk: str) -> None:
    page = watch.page()
    held = Held(page)
    page.goto(f"/consultations/{talk}")
    page.locator("section.part--coming .part__coming a").focus()
    held.comes()
    first = page.evaluate("document.activeElement.closest('.part').id")
    assert re.fullmatch(r"section-\w+", first)
    assert page.evaluate("document.activeElement.matches('.q input, .q a, .q select')")


@pytest.mark.parametrize("opened", [True, False])
def test_a_group_that_was_unfolded_meanwhile_is_open_with_its_questions(watch: Watch, talk: str, opened: bool) -> None:
    page = watch.page()
    held = Held(page)
    page.goto(f"/consultations/{talk}")
    fold = page.locator("details.part--coming").first
    summary = fold.locator("summary")
    summary.focus()
    if opened:
        page.keyboard.press("Space")
        expect(fold.locator(".part__coming")).to_be_visible()
        assert [v["id"] for v in Axe().run(page).response["violations"]] == []
    name, top = fold.get_attribute("id"), summary.bounding_box()
    held.comes()
    come = page.locator(f"#{name}")
    assert page.evaluate("document.activeElement.matches('summary')")
    assert come.locator("summary").bounding_box() == top
    assert come.locator(".q").count() > 1
    assert come.locator(".q").first.is_visible() == opened


def test_what_ended_elsewhere_meanwhile_is_shown_as_its_record(watch: Watch, service: Service, talk: str) -> None:
    page = watch.page()

    def ended(route: Route) -> None:
        service.instance.store.abandon(talk, "employee_left", "", f"left-{talk}", service.who("nurse"))
        route.continue_()

    page.route(COMING, ended)
    page.goto(f"/consultations/{talk}")
    expect(page.locator(".who__save")).to_contain_text("nded")


def test_what_a_colleague_took_over_meanwhile_is_said_to_be_theirs(watch: Watch, service: Service, talk: str) -> None:
    page, mine = watch.page(), service.who("nurse").actor
    watch.expected += ["403 (", "409 ("]

    def taken(route: Route) -> None:
        service.instance.store.take_over(talk, mine, "The nurse is away", f"taken-{talk}", service.who("doctor"))
        route.continue_()

    page.route(COMING, taken)
    page.goto(f"/consultations/{talk}")
    expect(page.get_by_role("heading", name="This consultation is held by a colleague now")).to_be_visible()


def test_what_scripts_could_not_fetch_can_be_opened_as_a_whole(watch: Watch, talk: str) -> None:
    page = watch.page()
    watch.expected += ["ERR_FAILED"]
    page.route(COMING, lambda route: route.abort())
    page.goto(f"/consultations/{talk}")
    page.get_by_role("link", name="Show the whole page").click()
    all_there(page)


def test_a_whole_consultation_is_printed_and_searched_in_as_one_page(watch: Watch, talk: str) -> None:
    """What has come is part of the page like all else: no frame, nothing that is put out of it again."""
    page = watch.page()
    page.goto(f"/consultations/{talk}")
    all_there(page)
    assert page.locator("iframe").count() == 0
    assert page.evaluate("window.find('Papers and signing')")
