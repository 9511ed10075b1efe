"""The pages of audit leads and administrators with the keyboard alone: every stop is reached, shown, and left again."""

from __future__ import annotations

from typing import Any

import every_page
import pytest
from every_page import PAGES
from hands import all_there
from playwright.sync_api import Page, expect
from service import Service
from watching import Visit

from consult.accounts import people

pytestmark = pytest.mark.browser

OF_THE_LEAD = (
    *("results", "measure", "cases", "case", "rounds", "new round", "round", "results of a round", "second readings"),
    *("targets", "sample size", "organisational answers", "actions", "new action", "action", "evidence"),
    *("capture quality", "published figures", "evidence of a round"),
)
OF_THE_ADMINISTRATOR = (
    *("settings", "people", "person", "security log", "who looked at records", "incident", "proforma", "reading needs"),
    *("employees entered twice", "leaflets", "account"),
)
STOPS = """() => {
    const kinds = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
    const shown = e => e.checkVisibility({ visibilityProperty: true }) && !e.disabled && e.tabIndex >= 0 && !e.inert;
    const first = new Map(), all = [...document.querySelectorAll(kinds)].filter(shown);
    for (const e of all.filter(e => e.type === 'radio')) {
        const name = (e.form && e.form.id) + e.name;
        if (!first.has(name) || e.checked) first.set(name, e);
    }
    window.stops = all.filter(e => e.type !== 'radio' || first.get((e.form && e.form.id) + e.name) === e);
    return window.stops.length;
}"""
HERE = """() => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const box = e.getClientRects()[0] || e.getBoundingClientRect(), look = getComputedStyle(e);
    const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2);
    const y = Math.min(Math.max(box.top + Math.min(box.height / 2, 10), 1), innerHeight - 2);
    const top = document.elementFromPoint(x, y), label = e.labels && e.labels[0];
    const seen = top && (e.contains(top) || top.contains(e) || (label && label.contains(top)));
    const ring = look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2 || look.boxShadow !== 'none';
    return {
        at: window.stops.indexOf(e), words: e.outerHTML.slice(0, 90), ring,
        inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth, seen: Boolean(seen),
    };
}"""


def walk(page: Page) -> list[str]:
    """Tab from the top of a page to its end: what is wrong with it in words."""
    many: int = page.evaluate(STOPS)
    wrong, met = [], list[int]()
    for _ in range(many + 3):
        page.keyboard.press("Tab")
        here: dict[str, Any] | None = page.evaluate(HERE)
        if here is None or (met and here["at"] == met[0]):
            break
        met.append(here["at"])
        wrong += [f"{fault}: {here['words']}" for fault in ("ring", "inside", "seen") if not here[fault]]
    else:
        wrong.append("the keys never came to the end")
    if met != sorted(met):
        wrong.append(f"not in the order of the page: {met}")
    missed = sorted({*range(many)} - {*met})
    wrong += [f"never reached: {page.evaluate('n => stops[n].outerHTML.slice(0, 90)', n)}" for n in missed]
    return wrong


@pytest.fixture(scope="module")
def ids(service: Service) -> dict[str, str]:
    return every_page.make(service)


@pytest.mark.parametrize(("role", "names"), [("audit_lead", OF_THE_LEAD), ("administrator", OF_THE_ADMINISTRATOR)])
def test_every_stop_of_the_pages_of_audit_and_settings_is_reached_seen_and_left(
    ids: dict[str, str], visit: Visit, role: str, names: tuple[str, ...]
) -> None:
    page, wrong = visit(role).page(), {}
    for name in names:
        page.goto(PAGES[name][1].format(**ids))
        all_there(page)
        wrong |= {name: found} if (found := walk(page)) else {}
    assert wrong == {}


def to(page: Page, stop: str) -> None:
    """Tab until a field or a button has the focus."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if page.evaluate("stop => document.activeElement.matches(stop)", stop):
            return
    raise AssertionError(f"the keys never came to {stop}")


def test_an_audit_lead_makes_a_round_and_opens_its_results_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit("audit_lead").page()
    page.goto("/rounds/new")
    for stop, typed in (
        ("[name=name]", "By keys"),
        ("[name=start-day]", "2026-01-01"),
        ("[name=end-day]", "2026-06-30"),
    ):
        to(page, stop)
        page.keyboard.type(typed)
    to(page, "[name=capture]")
    page.keyboard.press("Space")
    to(page, "[name=rule]")
    page.keyboard.press("Space")
    to(page, "main .acts button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("By keys")
    to(page, 'main a[href$="/results"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("By keys: results of the sample")
    page.goto("/results")
    to(page, "[name=capture]")
    page.keyboard.press("ArrowDown")
    to(page, "main form.select button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/results?*capture=live*")


def test_an_administrator_starts_a_person_with_the_keyboard_alone(service: Service, visit: Visit) -> None:
    page = visit("administrator").page()
    page.goto("/settings/people")
    to(page, "main [name=name]")
    page.keyboard.type("Kaya Keys")
    to(page, "[name=role]")
    page.keyboard.type("Physio")
    to(page, "main form.narrow button")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("kaya.keys")
    made = people.by_username(service.instance.db.read(), "kaya.keys")
    assert made is not None
    assert made.role == "physiotherapist"
