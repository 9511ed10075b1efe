"""What is under the hand stays there while replies put text in above it, and a press counts for what it began on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hands import all_there
from playwright.sync_api import Locator, Page, Route, expect
from service import Service
from watching import Visit, Watch

from consult.web import static

pytestmark = pytest.mark.browser

ABOVE, BELOW = "bladder_feeling_change", "new_leaking_or_pads"
"""Two questions one below the other; "Yes" to the first opens what to do at once, some 270 pixels high."""
HIGH = 150
"""Pixels that are surely more than a hand's."""


@pytest.fixture
def nurse(visit: Visit) -> Watch:
    return visit("nurse")


@pytest.fixture
def page(nurse: Watch, service: Service) -> Page:
    return show(nurse, service)


def show(nurse: Watch, service: Service, high: int = 768) -> Page:
    page = nurse.page()
    page.set_viewport_size({"width": 1366, "height": high})
    page.goto(f"/consultations/{service.begin()}")
    all_there(page)
    expect(page.locator("#save-state")).to_have_text("Saved as you answer")
    return page


def label(page: Page, question: str, code: str) -> Locator:
    return page.locator(f'label[for="a.{question}.{code}"]')


def top(what: Locator) -> float:
    box = what.bounding_box()
    assert box is not None
    return box["y"]


def point_at(page: Page, what: Locator) -> None:
    box = what.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def kept_back(page: Page) -> list[Route]:
    """The answers that the page sends from now on, each as it waits for somebody to let it go on."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route("**/answers", keep)
    return held


@contextmanager
def reply_kept_back(page: Page) -> Iterator[None]:
    """An answer given just before reaches the server only at the end of this, and its reply is on the page then."""
    held = kept_back(page)
    with page.expect_request("**/answers"):
        label(page, ABOVE, "present").click()
    yield
    held[0].continue_()
    expect(page.locator(f"#state-{ABOVE} .q__saved")).to_be_visible()
    page.unroute("**/answers")


def chosen(page: Page, question: str, code: str) -> bool:
    return page.locator(f'[id="a.{question}.{code}"]').is_checked()


def test_what_the_pointer_is_at_does_not_move_when_the_answer_above_opens_text(page: Page) -> None:
    below = label(page, BELOW, "absent")
    below.scroll_into_view_if_needed()
    with reply_kept_back(page):
        point_at(page, below)
        before, height = top(below), page.evaluate("document.body.scrollHeight")
    assert page.evaluate("document.body.scrollHeight") > height + HIGH
    assert abs(top(below) - before) <= 1
    page.wait_for_timeout(100)  # nor does the browser move it afterwards
    assert abs(top(below) - before) <= 1


def test_a_press_during_which_the_reply_comes_is_an_answer(page: Page, service: Service) -> None:
    below = label(page, BELOW, "absent")
    below.scroll_into_view_if_needed()
    with reply_kept_back(page):
        point_at(page, below)
        page.mouse.down()
    page.mouse.up()
    assert chosen(page, BELOW, "absent")
    expect(page.locator(f"#state-{BELOW} .q__saved")).to_be_visible()
    assert service.answer(page.url.rpartition("/")[2], BELOW) == ("absent", None, "")


def test_without_it_that_press_is_lost(page: Page, nurse: Watch, service: Service) -> None:
    """The control: the same press on the same page whose script lacks this part."""
    part = static.file("steady.js")
    assert part is not None

    def without(route: Route) -> None:
        script = route.fetch()
        assert part.body in script.body()
        route.fulfill(response=script, body=script.body().replace(part.body, b""))

    nurse.context.route("**/talk*.js*", without)
    page = show(nurse, service)
    below = label(page, BELOW, "absent")
    below.scroll_into_view_if_needed()
    with reply_kept_back(page):
        point_at(page, below)
        before = top(below)
        page.mouse.down()
    page.mouse.up()
    assert top(below) > before + HIGH
    assert not chosen(page, BELOW, "absent")


def test_where_the_page_cannot_be_held_the_press_still_counts(nurse: Watch, service: Service) -> None:
    """At the top of a page from which text goes there is nothing above to bring down."""
    page = show(nurse, service, 1600)
    label(page, ABOVE, "present").click()
    expect(page.locator(f"#state-{ABOVE} .q__saved")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    below = label(page, BELOW, "absent")
    before, held = top(below), kept_back(page)
    with page.expect_request("**/answers"):
        label(page, ABOVE, "absent").click()
    point_at(page, below)
    page.mouse.down()
    held[0].continue_()
    expect(page.get_by_text("Done, or why not").first).to_be_hidden()
    page.unroute("**/answers")
    expect(page.locator("#save-state")).to_contain_text("Saved")
    assert top(below) < before - HIGH
    page.mouse.up()
    assert chosen(page, BELOW, "absent")
    expect(page.locator(f'[id="a.{BELOW}.absent"]')).to_be_focused()


def test_the_text_of_an_urgent_answer_comes_into_sight_wherever_the_pointer_is(page: Page) -> None:
    """With the next question at the top of the screen there is no room above it: then that one gives way."""
    below = label(page, BELOW, "absent")
    page.locator(f"#q-{ABOVE}").evaluate("e => scrollTo(0, e.getBoundingClientRect().top + scrollY - 60)")
    with reply_kept_back(page):
        point_at(page, below)
        page.mouse.down()
    page.mouse.up()
    text = page.locator(f"#panel-{ABOVE} .kept__text")
    expect(text).to_be_in_viewport(ratio=1)
    head = page.locator(".who").bounding_box()
    assert head is not None
    assert top(page.locator(f"#q-{ABOVE}")) >= head["y"] + head["height"]
    assert chosen(page, BELOW, "absent")


def test_a_press_on_what_is_drawn_anew_meanwhile_counts_once(page: Page, service: Service) -> None:
    """A box to tick that were pressed twice would be as it was."""
    item, box = page.locator("#q-pain_sites .q__control"), label(page, "pain_sites", "low_back")
    box.scroll_into_view_if_needed()
    point_at(page, box)
    page.mouse.down()
    item.evaluate(
        "e => { htmx.trigger(e, 'htmx:beforeSwap', { requestConfig: { elt: e } }); e.innerHTML = e.innerHTML; }"
    )
    page.mouse.up()
    assert chosen(page, "pain_sites", "low_back")
    expect(page.locator("#state-pain_sites .q__saved")).to_be_visible()
    assert service.answer(page.url.rpartition("/")[2], "pain_sites") == ("answered", ["low_back"], "")


def test_a_press_that_the_hand_itself_takes_elsewhere_is_none(page: Page) -> None:
    below = label(page, BELOW, "absent")
    below.scroll_into_view_if_needed()
    with reply_kept_back(page):
        point_at(page, below)
        page.mouse.down()
    page.mouse.move(700, 20)
    page.mouse.up()
    assert not chosen(page, BELOW, "absent")


def test_with_keys_the_question_that_has_the_focus_stays(page: Page) -> None:
    below = page.locator(f'[id="a.{BELOW}.present"]')
    below.scroll_into_view_if_needed()
    with reply_kept_back(page):
        page.keyboard.press("Enter")
        expect(below).to_be_focused()
        before = top(page.locator(f"#q-{BELOW}"))
    assert abs(top(page.locator(f"#q-{BELOW}")) - before) <= 1
    expect(below).to_be_focused()
