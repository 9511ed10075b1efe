"""What a page looks like on paper, found in the browser without printing it."""

from __future__ import annotations

from playwright.sync_api import Page

SHEET = {"width": 657, "height": 986}
"""What the margins leave of A4, in pixels."""
CUT = """() => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility()).filter(e => {
    const look = getComputedStyle(e), hides = look.overflow !== 'visible' && e.clientWidth > 2;
    const over = e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;
    return (hides && over) || (!e.closest('svg') && e.getBoundingClientRect().right > innerWidth + 1);
}).filter(e => !e.closest('.nhsuk-u-visually-hidden, select')).map(e => e.outerHTML.slice(0, 120))"""
"""What is cut off on paper: in a box that would have to be scrolled, or beyond the edge."""
LONG = "\n".join(f"Task {number} of the day cannot be done" for number in range(12))
ADDRESSES = """[...document.querySelectorAll('a')]
    .filter(a => /Link|attr/.test(getComputedStyle(a, '::after').content)).map(a => a.textContent)"""
"""Links that would print where they lead to."""


def faults_on_paper(page: Page) -> list[str]:
    """What would be cut off with much typed into each box, and what links would print; the page is left as a screen."""
    before = page.viewport_size
    for area in page.locator("textarea:not([readonly])").all():
        if area.is_visible():
            area.evaluate("(e, words) => { e.value = words; }", LONG)
    page.set_viewport_size({"width": SHEET["width"], "height": SHEET["height"]})
    page.emulate_media(media="print")
    found: list[str] = page.evaluate(CUT) + page.evaluate(ADDRESSES)
    page.emulate_media(media="null")
    if before:
        page.set_viewport_size(before)
    return found
