"""What a consultation costs the hands: five scripted personas in a real browser, every click and key press counted.

Counted is what the browser itself calls trusted: presses of the mouse, and key presses outside free text (a chord is
one). A list that the system draws outside the page counts as two clicks, to open it and to choose. Not counted are
signing in, and the name and date of birth of the register. Counting begins on the start page and ends with the copied
note. `python tests/journeys/effort.py` holds the five consultations and writes the figures into the guide.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from chromium import a_browser
from hands import Hand, WithScript
from keys import Keys
from playwright.sync_api import Browser, BrowserContext, expect
from service import PASSWORD, Service
from talks import complex_talk, ordinary, ordinary_by_keys, work_related

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "in-the-room.md"
DESK = {"width": 1366, "height": 768}
COUNT = """
    const free = 'textarea, input[type=text], input[type=password], input[type=date], input:not([type])';
    const typed = e => e.matches(free);
    addEventListener('pointerdown', e => { if (e.isTrusted) window.counted('clicks'); }, true);
    addEventListener('keydown', e => {
        if (!e.isTrusted || /^(Shift|Control|Alt|Meta)$/.test(e.key)) return;
        const leaves = e.key === 'Tab' || e.key === 'Enter' && (e.ctrlKey || e.altKey || !e.target.matches('textarea'));
        window.counted(typed(e.target) && !leaves ? 'typed' : 'keys');
    }, true);
"""


@dataclass
class Effort:
    """What one consultation took."""

    clicks: int = 0
    keys: int = 0
    typed: int = 0
    moves: int = 0
    first: int = 0
    """Actions from the opened consultation to its first answer."""


class Counter:
    """Counts in every page of a browser context, from a moment on."""

    def __init__(self, context: BrowserContext) -> None:
        self.effort, self.opened_at = Effort(), -1
        context.expose_binding("counted", lambda _, what: self._count(str(what)))
        context.add_init_script(COUNT)

    def _count(self, what: str) -> None:
        setattr(self.effort, what, getattr(self.effort, what) + 1)

    @property
    def acts(self) -> int:
        return self.effort.clicks + self.effort.keys

    def begin(self) -> None:
        """From here on it counts."""
        self.effort = Effort()

    def opened(self) -> None:
        """The consultation is open."""
        self.opened_at = self.acts

    def answered(self) -> None:
        """An answer was given; the first one tells how far it was."""
        if not self.effort.first and self.opened_at >= 0:
            self.effort.first = self.acts - self.opened_at

    def total(self, hand: Hand) -> Effort:
        """All that a hand has cost by now; lists are drawn outside the page, so that no page counts them."""
        return replace(self.effort, clicks=self.effort.clicks + 2 * hand.lists, moves=hand.moves)


def sign_and_copy(hand: Hand) -> None:
    """The end of every consultation."""
    hand.sign()
    expect(hand.page.get_by_role("heading", name="Signed and locked")).to_be_visible()
    hand.click(hand.page.get_by_role("button", name="Copy the note"))
    expect(hand.page.locator("#copy-state")).to_have_text("Copied")


def by_mouse(talk: Callable[[Hand, Service], object]) -> Callable[[Hand, Service, Counter], None]:
    """A talk with a mouse, from the employee's page to the copied note."""

    def hold(hand: Hand, service: Service, counter: Counter) -> None:
        hand.start()
        counter.opened()
        talk(hand, service)
        sign_and_copy(hand)

    return hold


def by_keys(hand: Hand, service: Service, counter: Counter) -> None:
    """The ordinary consultation without a mouse, from the employee's page to the copied note."""
    keys = Keys(hand.page)
    keys.skip()
    keys.press_button("In person")
    hand.page.wait_for_url("**/consultations/*")
    counter.opened()
    ordinary_by_keys(keys, counter.answered)
    hand.moves = keys.moves


def twice_interrupted(hand: Hand, service: Service, counter: Counter) -> None:
    """Another employee comes in between; later the screen is locked, and unlocked again."""
    consultation = hand.start()
    counter.opened()
    other = service.begin()

    def called_away() -> None:
        hand.settle()
        hand.page.evaluate("() => scrollTo(0, 0)")
        hand.click(hand.page.get_by_role("link", name="Back pain consultations"))
        hand.click(hand.page.locator(f'a[href$="{other}"]'))
        hand.tick("cord_signs", "absent")
        hand.settle()
        hand.page.evaluate("() => scrollTo(0, 0)")
        hand.click(hand.page.get_by_role("link", name="Back pain consultations"))
        hand.click(hand.page.locator(f'a[href$="{consultation}"]'))

    def locked() -> None:
        hand.settle()
        hand.page.evaluate("() => scrollTo(0, 0)")
        hand.click(hand.page.get_by_role("button", name="Lock", exact=True))
        hand.page.locator("#lock-password").fill(PASSWORD)
        hand.click(hand.page.get_by_role("button", name="Go on"))
        expect(hand.page.locator("#lock")).to_be_hidden()

    ordinary(hand, service, {"everyday_activity": called_away, "work_cause_opinion": locked})
    sign_and_copy(hand)


PERSONAS: dict[str, tuple[str, Callable[[Hand, Service, Counter], None]]] = {
    "Nurse, ordinary consultation": ("nurse", by_mouse(ordinary)),
    "Doctor, complex consultation": ("doctor", by_mouse(complex_talk)),
    "Physiotherapist, caused by work": ("physiotherapist", by_mouse(work_related)),
    "Keyboard only, ordinary consultation": ("nurse", by_keys),
    "Interrupted twice, ordinary consultation": ("nurse", twice_interrupted),
}


def measure(persona: str, service: Service, browser: Browser) -> Effort:
    """Hold one consultation from the start page on, and count."""
    role, hold = PERSONAS[persona]
    context = browser.new_context(viewport=DESK, base_url=service.address, locale="en-GB")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.add_cookies([{"name": "consult_session", "value": service.token(role), "url": service.address}])
    counter = Counter(context)
    page = context.new_page()
    page.set_default_timeout(15000)
    page.goto("/")
    hand = WithScript(page)
    hand.on_change = counter.answered
    name, born = service.new_person()
    if hold is by_keys:
        Keys(page).register(name, born)
    else:
        hand.register(name, born)
    page.wait_for_url(re.compile(r"/employees/[0-9a-f-]{30,}"))
    hold(hand, service, counter)
    effort = counter.total(hand)
    context.close()
    return effort


MARKS = ("<!-- effort: made by tests/journeys/effort.py -->\n", "<!-- end of effort -->")
HEAD = """| Consultation | Clicks | Keys beside free text | Moves to another section | Actions to the first answer |
|---|---|---|---|---|
"""


def table(measured: dict[str, Effort]) -> str:
    """The figures as the guide shows them."""
    rows = [f"| {p} | {e.clicks} | {e.keys} | {e.moves} | {e.first} |\n" for p, e in measured.items()]
    return HEAD + "".join(rows)


def written() -> dict[str, Effort]:
    """The figures that stand in the guide."""
    text = GUIDE.read_text("utf-8").partition(MARKS[0])[2].partition(MARKS[1])[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
    found: dict[str, Effort] = {}
    for persona, clicks, keys, moves, first in (row for row in rows if row[0]):
        found[persona] = Effort(int(clicks), int(keys), moves=int(moves), first=int(first))
    return found


def write(measured: dict[str, Effort]) -> None:
    """Write the figures into the guide."""
    text = GUIDE.read_text("utf-8")
    before, _, rest = text.partition(MARKS[0])
    GUIDE.write_text(before + MARKS[0] + table(measured) + MARKS[1] + rest.partition(MARKS[1])[2], "utf-8")


def main() -> None:
    """Hold all five consultations, print the figures, and write them."""
    with tempfile.TemporaryDirectory() as folder, a_browser() as browser:
        service = Service(Path(folder) / "instance")
        try:
            measured = {persona: measure(persona, service, browser) for persona in PERSONAS}
        finally:
            service.close()
    write(measured)
    print(table(measured))


if __name__ == "__main__":
    main()
