"""A clinician's two hands on the consultation screen: with JavaScript each answer is sent at once, without it all
are saved with a button. Clicks are counted; typing and the register are not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect
from service import PASSWORD, SIGN_IN_NAMES


def quiet() -> None:
    """Nothing follows."""


def write_date(boxes: Locator, day: str) -> None:
    """Type a date (ISO 8601) into its three boxes, and leave them."""
    year, month, of_month = day.split("-")
    for box, text in zip(boxes.locator("input").all(), (of_month, month, year), strict=True):
        box.fill(text)
    boxes.locator("input").last.blur()


def all_there(page: Page) -> None:
    """Wait until all of a page has come, which of a consultation's screen comes in two parts."""
    expect(page.locator(".part--coming")).to_have_count(0)


class Hand:
    """What a clinician does with a mouse, the same whether there is JavaScript or not."""

    scripted: bool

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.lists, self.moves, self.section = page, 0, 0, 0, ""
        self.on_change: Callable[[], None] = quiet

    def sign_in(self, role: str) -> None:
        self.page.goto("/")
        self.page.get_by_label("Sign-in name").fill(SIGN_IN_NAMES[role])
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()

    def register(self, name: str, born: Any) -> None:
        self.click(self.page.get_by_role("link", name="Register a new employee"))
        self.page.get_by_label("Full name").fill(name)
        write_date(self.page.get_by_role("group", name="Date of birth"), born.isoformat())
        self.page.get_by_role("button", name="Register").click()

    def start(self, seen_as: str = "In person") -> str:
        """Begin the consultation; returns its id."""
        self.click(self.page.get_by_role("button", name=seen_as))
        self.page.wait_for_url("**/consultations/*")
        return self.page.url.rpartition("/")[2]

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()

    def listed(self) -> None:
        """A list that the system draws: one click opens it, one chooses."""
        self.clicks += 2
        self.lists += 1

    def tick(self, question: str, *codes: str) -> None:
        """Click the labels of one question."""
        for code in codes:
            self.click(self.shown(question).locator(f'label[for="a.{question}.{code}"]'))
            self.changed()

    def not_asked(self, question: str, reason: str) -> None:
        self.listed()
        self.shown(question).locator(f'[name="reason.{question}"]').select_option(reason)
        self.changed()

    def write(self, question: str, text: str, part: str = "") -> None:
        """Type into a field, or into a part of an arrangement."""
        name, item = f"a.{question}{part and '.' + part}", self.shown(question)
        boxes = item.locator(f'.dates:has([name="{name}-day"])')
        if boxes.count():
            write_date(boxes, text)
        else:
            item.locator(f'[name="{name}"]').fill(text)
        self.changed()

    def arrange(self, question: str, **parts: str) -> None:
        for part, text in parts.items():
            self.write(question, text, part)

    def shown(self, question: str) -> Locator:
        """The item of a question, once it is there."""
        item = self.page.locator(f"#q-{question}")
        item.wait_for(state="attached")  # it may come only with the reply to the answer before
        section = item.locator("xpath=ancestor::section").get_attribute("id") or ""
        if section != self.section:
            self.moves += bool(self.section)
            self.section = section
        folded = item.locator("xpath=ancestor::details[not(@open)]/summary")
        if folded.count():
            self.click(folded)
        return item

    def changed(self) -> None:
        """Called after every change of an answer."""
        self.on_change()

    def settle(self) -> None:
        """See to it that everything given is saved."""

    def no_to_the_rest(self, block: str) -> None:
        raise NotImplementedError

    def press(self, words: str) -> None:
        """Press a button, once everything is saved."""
        self.settle()
        self.click(self.page.get_by_role("button", name=words, exact=True))

    def print_leaflet(self) -> None:
        """The leaflet opens beside the consultation, in the print view."""
        self.settle()
        with self.page.context.expect_page() as opened:
            leaflet = self.page.locator(".paper", has_text="Leaflet: Back pain and your work")
            self.click(leaflet.get_by_role("button", name="Print A4"))
        opened.value.wait_for_load_state()
        opened.value.close()

    def sign(self) -> None:
        self.press("Sign and lock")


class WithScript(Hand):
    """Each answer goes when it is given."""

    scripted = True

    def settle(self) -> None:
        if self.page.locator("#save-state").count():
            expect(self.page.locator("#save-state")).to_have_text(re.compile("^Saved|^Each answer"))

    def no_to_the_rest(self, block: str) -> None:
        """Scroll down past every item; then the button is there."""
        self.settle()
        items = self.page.locator(f"#block-{block} [data-item]")
        for at in range(items.count()):
            items.nth(at).scroll_into_view_if_needed()
            self.page.wait_for_timeout(20)
        self.click(self.page.locator(f"#rest-{block} .rest__fill button"))
        expect(self.page.locator(f"#rest-{block}")).to_contain_text("answered together as No")


class WithoutScript(Hand):
    """All answers go with a button; a question that is not there yet makes one press it."""

    scripted = False

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.unsaved = False

    def shown(self, question: str) -> Locator:
        if self.unsaved and not self.page.locator(f"#q-{question}").count():
            self.settle()
        return super().shown(question)

    def changed(self) -> None:
        self.unsaved = True

    def settle(self) -> None:
        if self.unsaved:
            self.unsaved = False
            self.click(self.page.locator(f"#{self.section} button", has_text="Save all answers on this page"))
            self.page.wait_for_load_state()

    def no_to_the_rest(self, block: str) -> None:
        self.settle()
        self.click(self.page.locator(f"#rest-{block} .rest__fill button"))
        expect(self.page.locator(f"#rest-{block}")).to_contain_text("answered together as No")


HANDS: dict[bool, type[Hand]] = {True: WithScript, False: WithoutScript}
