"""A clinician at the keyboard alone: Tab, Space, Enter, Alt with Enter or a digit, and text where text is wanted."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from hands import write_date
from playwright.sync_api import Page, expect

WHERE = """() => {
    const e = document.activeElement, set = e.closest('.q__set');
    return {
        q: set ? set.dataset.q : '', type: e.type || '', tag: e.tagName, name: e.name || '', value: e.value || '',
        words: (e.innerText || e.value || '').trim(), box: (e.closest('.paper') || {}).id || '',
        ring: set ? [...set.querySelectorAll('input[type=radio]')].map(r => r.value) : [],
        boxes: set ? [...set.querySelectorAll('input[type=checkbox]')].map(r => r.value) : [],
        block: (e.closest('.block') || {}).id || '',
        section: (e.closest('section.part') || {}).id || '',
        rest: e.closest('.rest') ? e.closest('.rest').dataset.rest : '',
    };
}"""
IN_SIGHT = """() => {
    const box = (document.activeElement.closest('.q') || document.activeElement).getBoundingClientRect();
    const head = document.querySelector('.who').getBoundingClientRect().bottom;
    return box.top >= head - 1 && box.bottom <= innerHeight + 1;
}"""
MOST = 260
DIGITS = "0123456789"


class Keys:
    """Counts nothing itself: the browser does."""

    def __init__(self, page: Page) -> None:
        self.page, self.moves, self.section = page, 0, ""

    def where(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(WHERE)
        if found["section"] and found["section"] != self.section:
            self.moves += bool(self.section)
            self.section = found["section"]
        return found

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def on(self) -> dict[str, Any]:
        """One stop on: within questions to the next question, elsewhere to whatever Tab comes to."""
        at = self.where()
        leaps = at["type"] in ("radio", "checkbox", "select-one") or at["tag"] in ("TEXTAREA", "INPUT")
        plain = at["type"] in ("radio", "checkbox", "select-one")
        self.press("Tab" if not at["q"] or not leaps else "Enter" if plain else "Control+Enter")
        return self.where()

    def to(self, question: str) -> dict[str, Any]:
        """Go on until a question has the focus: group by group, then one by one."""
        block = self.block_of(question)
        at = self.where()
        for _ in range(MOST):
            if at["q"] == question:
                return at
            if at["q"] and at["block"] != block:
                self.press("Alt+Enter")
                at = self.where()
            else:
                at = self.on()
        raise AssertionError(f"The keys never came to {question}")

    def block_of(self, question: str) -> str:
        """The group that a question stands in."""
        slot = self.page.locator(f"#slot-{question}")
        return slot.locator("xpath=ancestor::div[contains(@class, 'block')]").get_attribute("id") or ""

    def read(self) -> None:
        """Read the question, as a person does: what the next key answers is wholly in sight."""
        self.page.wait_for_timeout(700)
        assert self.page.evaluate(IN_SIGHT), self.where()

    def choose(self, question: str, code: str) -> None:
        """One of the answers of a question, by its place or, on a scale, its number; one is then on the next one."""
        at = self.to(question)
        self.read()
        self.press(f"Alt+{code if code in DIGITS else at['ring'].index(code) + 1}")
        self.saved(question)
        expect(self.page.locator(f"#slot-{question} :focus")).to_have_count(0)  # it goes a moment after that is said

    def tick(self, question: str, code: str) -> None:
        """One of a list, by its place."""
        at = self.to(question)
        self.read()
        self.press(f"Alt+{at['boxes'].index(code) + 1}")
        self.saved(question)

    def saved(self, question: str) -> None:
        expect(self.page.locator(f"#state-{question} .q__saved")).to_be_visible()

    def no_to_the_rest(self, block: str) -> None:
        button = self.page.locator(f"#rest-{block} .rest__fill button")
        for _ in range(MOST):
            if button.is_visible():
                break
            self.press("PageDown")
            self.page.wait_for_timeout(400)  # the browser tells what is on screen a frame later
        for _ in range(MOST):
            if self.where()["rest"] == block:
                break
            self.press("Alt+Enter")
        self.press("Enter")
        expect(self.page.locator(f"#rest-{block}")).to_contain_text("answered together as No")

    def to_the_papers(self) -> None:
        """Go on past the last question."""
        for _ in range(MOST):
            if self.where()["section"] == "finish":
                return
            self.press("Alt+Enter" if self.where()["q"] else "Tab")
        raise AssertionError("The keys never came to the papers")

    def register(self, name: str, born: date) -> None:
        """From the start page to the page of a new employee."""
        self.skip()
        self.press_link("Register a new employee")
        self.page.get_by_label("Full name").fill(name)  # typing is not what is measured here
        write_date(self.page.get_by_role("group", name="Date of birth"), born.isoformat())
        self.press_button("Register")

    def press_link(self, words: str) -> None:
        self._tab_to(words, "A")
        self.press("Enter")

    def press_button(self, words: str, within: str = "") -> None:
        """Tab to a button and press it."""
        self._tab_to(words, "BUTTON", within)
        self.press("Enter")

    def skip(self) -> None:
        """Past the head of a page, by the first link of it."""
        self.press("Tab", "Enter")

    def _tab_to(self, words: str, tag: str, within: str = "") -> None:
        for _ in range(MOST):
            at = self.where()
            if at["tag"] == tag and at["words"] == words and (not within or at["box"] == within):
                return
            self.press("Tab")
        raise AssertionError(f"Tab never came to {words}")

    def settle(self) -> None:
        expect(self.page.locator("#save-state")).to_have_text(re.compile("^Saved|^Each answer"))
