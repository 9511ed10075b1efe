"""The pages of results, full of cases: for people who see or point differently, on a narrow screen, and on paper."""

from __future__ import annotations

import io
from collections.abc import Iterator

import constructed
import pytest
from playwright.sync_api import Page
from pypdf import PdfReader
from service import Service
from test_access import PHONE, violations
from watching import Visit, Watch

from consult.audit import rounds

pytestmark = pytest.mark.browser

PAGES = {
    "overview": "/results",
    "one mode": "/results?capture=retrospective",
    "all red flags": "/results/measures/red_flags_complete",
    "action": "/results/measures/yellow_flags_action?capture=retrospective",
    "all headings": "/results/measures/all_applicable_met?capture=paper",
    "copy that leaves": "/results/measures/barriers_asked?copy=leaving",
    "cases": "/results/measures/red_flags_complete/cases?outcome=not_met&capture=retrospective",
    "later cases": "/results/measures/red_flags_complete/cases?outcome=not_met&capture=retrospective&page=2",
}
EACH = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="module")
def watched(service: Service, open_visit: Visit) -> Iterator[tuple[Watch, Page]]:
    constructed.fill(service.instance)
    watch = open_visit("audit_lead")
    yield watch, watch.page()
    watch.context.close()


@EACH
def test_axe_finds_nothing_wide_and_nothing_scrolls_sideways_narrow(watched: tuple[Watch, Page], name: str) -> None:
    watch, page = watched
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(PAGES[name])
    assert violations(page) == []
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert watch.complaints == []


def test_marks_and_lines_of_charts_stand_out_three_to_one(watched: tuple[Watch, Page]) -> None:
    page = watched[1]
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(PAGES["all red flags"])
    colours = page.evaluate(
        """() => [...document.querySelectorAll('.mark, .interval, .level, .curve, .axis')]
            .map(e => getComputedStyle(e).stroke)"""
    )
    assert len(colours) > 50
    for colour in set(colours):
        red, green, blue = (int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
        light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (light + 0.05) >= 3, colour


def test_only_one_of_the_two_frames_is_shown(watched: tuple[Watch, Page]) -> None:
    page = watched[1]
    page.goto(PAGES["all red flags"])
    for width, shown in ((1366, "wide"), (320, "narrow")):
        page.set_viewport_size({"width": width, "height": 700})
        seen = page.evaluate(
            "[...document.querySelectorAll('.chart')].filter(e => e.checkVisibility()).map(e => e.classList[1])"
        )
        assert set(seen) == {f"chart--{shown}"}


def test_what_is_printed_is_whole_and_holds_no_navigation(watched: tuple[Watch, Page]) -> None:
    page = watched[1]
    page.goto(PAGES["all red flags"] + "?capture=retrospective")
    folded = page.evaluate("[...document.querySelectorAll('details.fold')].filter(e => !e.open).length")
    assert folded
    pdf = PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True)))
    text = " ".join(" ".join(sheet.extract_text() for sheet in pdf.pages).split())
    sizes = {(round(sheet.mediabox.width), round(sheet.mediabox.height)) for sheet in pdf.pages}
    assert sizes == {(595, 842)}
    months = page.evaluate("[...document.querySelectorAll('details.fold th[scope=row]')].map(e => e.textContent)")
    assert len(months) > 12
    assert [month for month in months if month not in text] == []
    for gone in ("All results", "Sign out", "Show", "A copy that may leave it", "rows behind this", "(Link:"):
        assert gone not in text
    for kept in ("For use inside the provider", "Constructed cases, not the national data", "Measures version"):
        assert kept in text


def test_slides_go_by_keys_fit_any_width_and_print_one_a_page(watched: tuple[Watch, Page], service: Service) -> None:
    watch, page = watched
    with service.instance.db.write() as conn:
        wanted = rounds.Wanted("Slides", "DEMO", "retrospective", "2026-01-01", "2026-10-31")
        id_ = rounds.set_round(conn, wanted, ("x", "audit_lead"), service.instance.store.at(), "key-of-the-slides-1")
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"/evidence/rounds/{id_}/slides")
    many = page.locator("section.slide").count()
    assert many > 8
    assert violations(page) == []
    for key, at in (("ArrowRight", 1), ("PageDown", 2), ("ArrowUp", 1), ("End", many), ("Home", 1), ("PageUp", 1)):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == f"slide-{at}", key
        page.wait_for_function(f"Math.abs(document.getElementById('slide-{at}').getBoundingClientRect().top) < 90")
    pdf = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert len(pdf.pages) == many
    for sheet in pdf.pages:
        assert sheet.mediabox.width / sheet.mediabox.height == pytest.approx(16 / 9, rel=0.01)
        assert "of the record" in " ".join(sheet.extract_text().split())
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert watch.complaints == []
