"""Every kind of page for people who see, hear or point differently, and on a narrow screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import every_page
import pytest
from axe_playwright_python.sync_playwright import Axe
from every_page import PAGES
from hands import WithScript, all_there
from on_paper import faults_on_paper
from playwright.sync_api import Page, expect
from service import Service
from watching import Visit, Watch

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
NARROW = 320
PHONE = {"width": NARROW, "height": 640}
DESK = {"width": 1366, "height": 768}
FAINT = """targets => {
    const grey = colour => {
        const parts = colour.match(/[\\d.]+/g).map(Number);
        const [r, g, b] = parts.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return { light: 0.2126 * r + 0.7152 * g + 0.0722 * b, clear: parts[3] === 0 };
    };
    const ground = e => {
        for (; e; e = e.parentElement) {
            const found = grey(getComputedStyle(e).backgroundColor);
            if (!found.clear) return found.light;
        }
        return 1;
    };
    return targets.filter(target => {
        const words = document.querySelector(target[0]);
        const drawn = words.matches('svg text');
        if (!drawn && !words.closest('.scroll')) return true;
        const box = words.getBoundingClientRect(), look = getComputedStyle(words);
        const behind = drawn && [...words.ownerSVGElement.querySelectorAll('rect, circle, path')].some(e => {
            const b = e.getBoundingClientRect();
            return b.left < box.right && box.left < b.right && b.top < box.bottom && box.top < b.bottom;
        });
        const one = grey(drawn ? look.fill : look.color).light, other = ground(drawn ? words.ownerSVGElement : words);
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        return behind || ratio < 4.5;
    });
}"""
"""What axe leaves undecided about contrast, and is too faint or cannot be decided here either. It cannot tell what is
behind the words of a drawing: here no shape may be, and the ground is that of the page. Nor does it look at what is
scrolled out of sight within a table."""
SPACED = """() => {
    const sheet = new CSSStyleSheet(), spaced = 'line-height: 1.5; letter-spacing: 0.12em; word-spacing: 0.16em;';
    sheet.replaceSync('* { ' + spaced.replaceAll(';', ' !important;') + ' } p { margin-bottom: 2em !important; }');
    document.adoptedStyleSheets = [sheet];
}"""
TOO_WIDE = """() => {
    const inside = e => e.closest('.scroll, svg, .nhsuk-u-visually-hidden');
    const room = document.documentElement.clientWidth;
    const over = document.documentElement.scrollWidth - room;
    const cut = e => {
        const look = getComputedStyle(e), hides = /hidden|clip/.test(look.overflow) && e.clientWidth > 2;
        return hides && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1);
    };
    const bad = [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !inside(e))
        .filter(e => e.getBoundingClientRect().right > room + 1 || cut(e)).slice(0, 5)
        .map(e => e.outerHTML.slice(0, 120));
    return over || bad.length ? [over, bad] : [];
}"""


UNEVEN = """() => {
    const size = (e, look = getComputedStyle(e)) => [look.fontSize, look.padding, look.minHeight].join(' ');
    const shown = [...document.querySelectorAll('.nhsuk-button')].filter(e => e.checkVisibility());
    return [...new Set(shown.map(e => size(e)))].filter(found => found !== '16px 5px 14px 36px');
}"""
"""The sizes of buttons other than the one that all have."""
SIZES = """() => Object.fromEntries([...document.querySelectorAll('body *')]
    .filter(e => e.checkVisibility() && !e.closest('svg'))
    .filter(e => [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim()))
    .map((e, i) => [i + ' ' + e.outerHTML.slice(0, 80), parseFloat(getComputedStyle(e).fontSize)]))"""
AS_PRINTED = ("evidence of a round", "report of a round", "form on paper", "leaflet")
"""Shown as they print, in the sizes of the sheet."""
LONG = """() => [...document.querySelectorAll('main.page p, main.page li')].filter(e => {
    const lines = document.createRange(), look = getComputedStyle(e);
    lines.selectNodeContents(e);
    const widest = Math.max(0, ...[...lines.getClientRects()].map(box => box.width));
    return widest > 45 * parseFloat(look.fontSize) && e.checkVisibility();
}).map(e => e.textContent.trim().slice(0, 60))"""
"""Paragraphs whose lines are longer than is read with ease, some 90 letters."""


@pytest.fixture(scope="module")
def ids(service: Service) -> dict[str, str]:
    """What the addresses of every page name."""
    return every_page.make(service)


EACH = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="module")
def page_of(open_visit: Visit) -> Iterator[Callable[[str], tuple[Watch, Page]]]:
    """One page a role, used again from test to test."""
    known: dict[str, tuple[Watch, Page]] = {}

    def page(role: str) -> tuple[Watch, Page]:
        if role not in known:
            watch = open_visit(role)
            watch.expected += ["404 (NOT FOUND)", "410 (GONE)"]
            known[role] = watch, watch.page()
        return known[role]

    yield page
    for watch, _ in known.values():
        watch.context.close()


@pytest.fixture
def show(page_of: Callable[[str], tuple[Watch, Page]], ids: dict[str, str]) -> Iterator[Callable[..., Page]]:
    """Show a page by its name, at a size; at the end there must have been nothing to complain of."""
    used: list[Watch] = []

    def one(name: str, size: dict[str, int] = DESK) -> Page:
        role, address = PAGES[name]
        watch, page = page_of(role)
        used.append(watch)
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        page.goto(address.format(**ids))
        all_there(page)
        return page

    yield one
    for watch in used:
        assert watch.complaints == []


def violations(page: Page) -> list[str]:
    """What axe finds, and what it leaves undecided and nothing here decides, with where."""
    said: Any = Axe().run(page, options=RULES).response
    found = [f"{v['id']}: {v['help']}: {[n['target'] for n in v['nodes']][:3]}" for v in said["violations"]]
    for open_ in said["incomplete"]:
        targets = [node["target"] for node in open_["nodes"]]
        left = page.evaluate(FAINT, targets) if open_["id"] == "color-contrast" else targets
        found += [f"undecided, {open_['id']}: {open_['help']}: {left[:3]}"] if left else []
    return found


def not_enlarged(page: Page) -> list[Any]:
    """What stays small, or no longer fits, for somebody who has set their browser to letters of twice the size."""
    cdp, ordinary = page.context.new_cdp_session(page), page.evaluate(SIZES)
    cdp.send("Page.enable")
    cdp.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    large, wide = page.evaluate(SIZES), page.evaluate(TOO_WIDE)
    cdp.send("Page.setFontSizes", {"fontSizes": {"standard": 16, "fixed": 13}})
    cdp.detach()
    return [words for words, size in large.items() if size < 1.95 * ordinary.get(words, 0)] + wide


@EACH
def test_axe_finds_nothing_and_nothing_scrolls_sideways_narrow(show: Callable[..., Page], name: str) -> None:
    """Neither as the page is, nor with the spacing of WCAG 1.4.12; nothing is cut off then, or on paper.

    As each page is shown here, its buttons, the length of its lines and letters of twice the size are looked at too.
    """
    page = show(name)
    assert not_enlarged(page) == [] or name in AS_PRINTED
    assert page.evaluate(UNEVEN) == []
    assert page.evaluate(LONG) == []
    assert violations(page) == []
    assert faults_on_paper(page) == []
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert page.evaluate(TOO_WIDE) == []
    page.evaluate(SPACED)
    assert page.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize("name", ["home", "find", "register", "another site", "account", "people", "new action"])
def test_the_names_of_fields_are_of_one_size_on_every_page(show: Callable[..., Page], name: str) -> None:
    fields = show(name).locator("main :is(.nhsuk-label, .nhsuk-hint, .decide__field, .dates__title)")
    assert fields.count()
    assert set(fields.evaluate_all("all => all.map(e => getComputedStyle(e).fontSize)")) == {"15px"}


def test_axe_finds_nothing_where_two_tabs_disagree(visit: Visit, service: Service) -> None:
    consultation = service.begin()
    watch = visit("nurse")
    watch.expected.append("409 (CONFLICT)")
    tabs = [watch.page(), watch.page()]
    for tab in tabs:
        tab.goto(f"/consultations/{consultation}")
        all_there(tab)
    tabs[0].locator('label[for="a.cord_signs.absent"]').click()
    expect(tabs[0].locator("#state-cord_signs .q__saved")).to_be_visible()
    tabs[1].locator('label[for="a.cord_signs.present"]').click()
    expect(tabs[1].locator(".q__conflict")).to_be_visible()
    assert violations(tabs[1]) == []


def test_axe_finds_nothing_on_a_final_report_of_which_the_employee_has_a_copy(visit: Visit, service: Service) -> None:
    consultation = service.begin()
    page = visit("nurse").page()
    page.goto(f"/consultations/{consultation}?whole=yes")
    for question, code in (("report_consent", "given"), ("report_copy_choice", "before")):
        WithScript(page).tick(question, code)
        expect(page.locator(f"#state-{question} .q__saved")).to_be_visible()
    page.goto(f"/consultations/{consultation}/report")
    page.get_by_role("button", name="Make this text final").click()
    expect(page.get_by_label("The copy for the employee, not the report")).to_be_visible()
    for size in (DESK, PHONE):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        assert violations(page) == []
    assert page.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize("at", ["after the jump", "at the best place"])
def test_eight_questions_of_the_red_flags_are_wholly_visible(
    show: Callable[..., Page], at: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page = show("fresh consultation")
    page.locator("#rail-red_flags").click()
    page.wait_for_timeout(100)
    rows = page.evaluate(
        """best => {
            const count = () => {
                const top = document.querySelector('.who').getBoundingClientRect().bottom;
                return [...document.querySelectorAll('#section-red_flags .q')].filter(q => {
                    const box = q.getBoundingClientRect();
                    return box.top >= top - 1 && box.bottom <= innerHeight + 1;
                }).length;
            };
            let most = count();
            const end = document.querySelector('#section-examination').offsetTop;
            while (best && scrollY < end) {
                const before = scrollY;
                scrollBy(0, 25);
                most = Math.max(most, count());
                if (scrollY === before) break;
            }
            return most;
        }""",
        at == "at the best place",
    )
    with capsys.disabled():
        print(f"\nred-flag questions wholly visible at 1366 x 768, {at}: {rows}")
    assert rows >= 8


def test_what_is_clicked_is_large_enough(show: Callable[..., Page]) -> None:
    page = show("fresh consultation")
    small = page.evaluate(
        """() => {
            const shown = e => e.checkVisibility() && !e.closest('details:not([open])');
            const labels = [...document.querySelectorAll('.opt')].filter(shown)
                .filter(e => e.getBoundingClientRect().height < 40);
            const inline = e => e.tagName === 'A' && getComputedStyle(e).display === 'inline';
            const kinds = 'a, button, select, input:not([type=hidden]), textarea, summary';
            const others = [...document.querySelectorAll(kinds)]
                .filter(e => shown(e) && !inline(e) && !e.classList.contains('nhsuk-skip-link'))
                .filter(e => { const b = e.getBoundingClientRect(); return b.height < 24 || b.width < 24; });
            return [...labels, ...others].map(e => e.outerHTML.slice(0, 120));
        }"""
    )
    assert small == []


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_circle_stands_much_nearer_to_its_own_words_than_to_those_before(
    show: Callable[..., Page], size: dict[str, int]
) -> None:
    page = show("fresh consultation", size)
    unclear = page.evaluate(
        """() => [...document.querySelectorAll('.opts:not(.opts--scale) .opt + .opt')].flatMap(e => {
            const box = part => part.getBoundingClientRect();
            const before = box(e.previousElementSibling), own = box(e.children[1]).left - box(e.children[0]).right;
            const other = box(e).left - before.right, beside = box(e).top === before.top;
            return e.checkVisibility() && beside && other < 3 * own ? [[e.innerText, other, own]] : [];
        })"""
    )
    assert unclear == []
