"""What the page says of saving is true 500 times in a row, in good weather and while the server is away.

A soak of some minutes: `-m soak -k state_of_saving`. The draw is seeded and printed.
"""

from __future__ import annotations

import os
import random
import re

import pytest
from hands import all_there
from playwright.sync_api import Page, expect
from service import Service
from watching import Visit

pytestmark = [pytest.mark.browser, pytest.mark.soak]

AWAY_EVERY, SEED = 25, int(os.environ.get("CONSULT_SEED", "7"))
TIMES = int(os.environ.get("CONSULT_TIMES", "500"))
LONG = 30_000
"""Milliseconds; on a busy machine a page takes its time. That something is said within a second is watched apart."""
STANDS = re.compile("^Saved")
OPEN = """() => [...document.querySelectorAll('.q__set')].filter(set => set.checkVisibility()).flatMap(set =>
    [...set.querySelectorAll('.opt__input[type=radio]:not(:checked)')].map(i => [set.dataset.q, i.value]))"""


CHANGES = """() => {
    const state = document.getElementById('save-state'), root = document.documentElement;
    const unsent = () => Number(root.dataset.unsent || 0);
    window.wrongly = [];
    const look = () => {
        if (/^Saved/.test(state.textContent) && unsent()) wrongly.push('said saved with ' + unsent() + ' not saved');
    };
    new MutationObserver(look).observe(state, { childList: true, characterData: true, subtree: true });
    document.addEventListener('change', look);
    setInterval(look, 100);
}"""
"""Keeps what is said wrongly: "Saved" while something is not; looked at with each answer and word, and every 100 ms."""


def choose(page: Page, question: str, code: str) -> None:
    page.locator(f'label[for="a.{question}.{code}"]').click()


def test_what_is_said_of_saving_is_true_500_times_in_a_row(service: Service, visit: Visit) -> None:
    draw, watch, consultation = random.Random(SEED), visit("nurse"), service.begin()
    print(f"seed {SEED}")
    watch.expected += ["Failed to load resource", "net::ERR", "htmx:"]
    page = watch.page()
    page.set_default_timeout(LONG)
    page.goto(f"/consultations/{consultation}")
    all_there(page)
    page.evaluate(CHANGES)
    right = 0
    for number in range(TIMES):
        question, code = draw.choice(page.evaluate(OPEN))
        away = number % AWAY_EVERY == AWAY_EVERY - 1
        print(number, question, code, "away" if away else "")
        if away:
            service.stop()
        choose(page, question, code)
        assert not STANDS.match(page.locator("#save-state").inner_text() if away else "")
        if away:
            expect(page.locator("#save-state")).to_have_text(re.compile("^Not saved, retrying"), timeout=LONG)
            service.start()
        page.wait_for_function("() => document.documentElement.dataset.unsent === '0'", timeout=LONG)
        expect(page.locator(f"#state-{question} .q__saved")).to_be_visible(timeout=LONG)
        expect(page.locator("#save-state")).to_have_text(STANDS, timeout=LONG)
        held = service.answer(consultation, question)
        assert held is not None
        assert code in (held[0], str(held[1])), f"answer {number}: the page says {code}, the record {held}"
        right += 1
    assert page.evaluate("() => wrongly") == []
    assert right == TIMES
