"""Leaflets in a real browser: paper sizes, pages, letter size, the foot of each page, and what grey paper keeps."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, Response, render_template
from playwright.sync_api import Browser, Page
from pypdf import PageObject, PdfReader
from sheets import HEBREW, letters
from werkzeug.serving import make_server

import consult
from consult.content import content_root
from consult.documents.leaflet import FORMATS, load_file, parse
from consult.documents.leaflet_pdf import foot_of

pytestmark = pytest.mark.browser

PACKAGE = Path(consult.__file__).parent
DRAFT = "Draft content, not approved for clinical use"
CORE = content_root("leaflets") / "back-pain-core" / "en.md"
SIZES = {"a4": (595, 842), "a5": (420, 595), "large": (595, 842), "giant": (595, 842)}
MOST_PAGES = {"a4": 2, "a5": 4, "large": 6, "giant": 14}
LETTERS = {"a4": 12, "a5": 12, "large": 16, "giant": 24}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server of the shipped template and styles, under a policy that allows no inline style or script."""
    app = Flask("leaflets", template_folder=str(PACKAGE / "templates"), static_folder=str(PACKAGE / "static"))
    leaflet = load_file(CORE)

    @app.get("/<state>/<format_>")
    def page(state: str, format_: str) -> Response:
        draft, day = state == "draft", "22 November 2026"
        response = app.make_response(
            render_template(
                "leaflet_page.html",
                leaflet=leaflet,
                html=leaflet.html,
                format=format_,
                draft=draft,
                printed_on=day,
                foot=foot_of(leaflet, day),
            )
        )
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'"
        return response

    @app.get("/rtl/<format_>")
    def from_right_to_left(format_: str) -> Response:
        invented, day = parse(HEBREW.format(digest="0" * 64), "invented-test/he.md"), "22 November 2026"
        foot = foot_of(invented, day)
        shown = {"leaflet": invented, "html": invented.html, "format": format_, "printed_on": day, "foot": foot}
        response = app.make_response(render_template("leaflet_page.html", draft=True, **shown))
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'"
        return response

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def papers(browser: Browser, address: str) -> dict[tuple[str, str], PdfReader]:
    """Each format printed once as a draft and once as approved."""
    page = browser.new_page()
    printed = {}
    for state in ("draft", "approved"):
        for format_ in FORMATS:
            page.goto(f"{address}/{state}/{format_}")
            printed[state, format_] = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True, tagged=True)))
    page.close()
    return printed


@pytest.fixture
def screen(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def letter_sizes(page: PageObject) -> dict[float, int]:
    """How many letters of each size, in points, stand on a page."""
    found: dict[float, int] = {}

    def visit(text: str, cm: list[float], tm: list[float], _font: object, size: float) -> None:
        points = round(size * math.hypot(tm[2], tm[3]) * math.hypot(cm[2], cm[3]), 1)
        found[points] = found.get(points, 0) + len(text.strip())

    page.extract_text(visitor_text=visit)
    return {points: letters for points, letters in found.items() if letters}


@pytest.mark.parametrize("state", ["draft", "approved"])
@pytest.mark.parametrize("format_", FORMATS)
class TestPaper:
    def test_the_paper_has_its_size(self, papers: dict[tuple[str, str], PdfReader], state: str, format_: str) -> None:
        for page in papers[state, format_].pages:
            assert (page.mediabox.width, page.mediabox.height) == pytest.approx(SIZES[format_], abs=1)

    def test_it_is_no_longer_than_it_may_be(
        self, papers: dict[tuple[str, str], PdfReader], state: str, format_: str
    ) -> None:
        assert len(papers[state, format_].pages) <= MOST_PAGES[format_]

    def test_letters_are_large_enough(self, papers: dict[tuple[str, str], PdfReader], state: str, format_: str) -> None:
        for page in papers[state, format_].pages:
            sizes = letter_sizes(page)
            assert max(sizes, key=lambda points: sizes[points]) >= LETTERS[format_]
            small = {points: letters for points, letters in sizes.items() if points < LETTERS[format_]}
            # Only the banner, the foot of the page and the line about the leaflet may be smaller; never in large print.
            assert sum(small.values()) <= (0 if format_ in ("large", "giant") else 220), small
            assert min(sizes) >= 9

    def test_each_page_bears_its_foot(self, papers: dict[tuple[str, str], PdfReader], state: str, format_: str) -> None:
        pages, version = papers[state, format_].pages, load_file(CORE).version
        for number, page in enumerate(pages, 1):
            text = " ".join(page.extract_text().split())
            assert f"back-pain-core · version {version} · 22 November 2026" in text
            assert f"Page {number} of {len(pages)}" in text
            assert text.count(DRAFT) == (1 if state == "draft" else 0)

    def test_the_emergency_list_stands_whole_on_one_page(
        self, papers: dict[tuple[str, str], PdfReader], state: str, format_: str
    ) -> None:
        texts = [" ".join(page.extract_text().split()) for page in papers[state, format_].pages]
        (at,) = [at for at, text in enumerate(texts) if "Call 999 or go to A&E now" in text]
        text = texts[at]
        assert "numb or feels odd" in text
        assert "Do not drive yourself to A&E" in text


@pytest.mark.parametrize("format_", FORMATS)
def test_on_paper_nothing_rests_on_colour(screen: Page, address: str, format_: str) -> None:
    screen.goto(f"{address}/draft/{format_}")
    screen.emulate_media(media="print")
    colours = screen.evaluate(
        """() => [...document.querySelectorAll('html, body, body *')].flatMap(element => {
            const style = getComputedStyle(element);
            return [style.color, style.backgroundColor, style.borderTopColor];
        })"""
    )
    assert set(colours) <= {"rgb(0, 0, 0)", "rgba(0, 0, 0, 0)"}
    frames = [
        screen.evaluate(f"getComputedStyle(document.querySelector('.{part}')).borderTopWidth")
        for part in ("emergency", "today", "soon")
    ]
    assert sorted(frames, key=lambda width: -float(width.removesuffix("px"))) == frames
    assert len(set(frames)) == 3


@pytest.mark.parametrize("width", [320, 1366])
@pytest.mark.parametrize("format_", FORMATS)
def test_on_screen(screen: Page, address: str, format_: str, width: int) -> None:
    said: list[str] = []
    screen.on("console", lambda message: said.append(message.text))
    screen.set_viewport_size({"width": width, "height": 768})
    screen.goto(f"{address}/draft/{format_}")
    assert screen.evaluate("document.documentElement.scrollWidth") <= width
    assert screen.locator(".draft-banner").inner_text() == DRAFT
    assert screen.locator("main section p").first.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 19
    assert screen.locator("main").evaluate("e => e.getBoundingClientRect().width") <= 850
    assert screen.locator("[style], script").count() == 0
    assert [text for text in said if "favicon" not in text and "404" not in text] == []


def test_an_approved_leaflet_bears_no_banner_on_screen(screen: Page, address: str) -> None:
    screen.goto(f"{address}/approved/a4")
    assert DRAFT not in screen.content()


@pytest.mark.parametrize("format_", FORMATS)
def test_the_page_breaks_no_accessibility_rule(screen: Page, address: str, format_: str) -> None:
    screen.goto(f"{address}/draft/{format_}")
    found = Axe().run(screen)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("format_", FORMATS)
def test_a_script_from_right_to_left_is_printed_so(screen: Page, address: str, format_: str) -> None:
    screen.goto(f"{address}/rtl/{format_}")
    assert screen.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["he", "rtl"]
    made = screen.pdf(prefer_css_page_size=True, tagged=True)
    width, printed = SIZES[format_][0], letters(made)
    hebrew = [letter for letter in printed[0] if "\u0590" <= letter.text <= "\u05ff"]
    assert len(hebrew) > 40
    title = max(letter.size for letter in hebrew)
    first = [letter for letter in hebrew if letter.size == title]
    assert max(first, key=lambda letter: letter.right).text == "ט"  # the title begins at the right edge
    assert max(letter.right for letter in hebrew) > width - 62
    assert min(letter.left for letter in first) > 30
    pages = [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(made)).pages]
    for number, page in enumerate(pages, 1):  # what is not of the leaflet stays in English, from left to right
        assert "invented-test · version 0.1" in page
        assert f"Page {number} of {len(pages)}" in page
        assert DRAFT in page


def test_the_foot_of_very_large_print_covers_nothing(papers: dict[tuple[str, str], PdfReader]) -> None:
    """In letters of 24 point the foot takes the width of the page: the number of the page stands elsewhere."""
    for state in ("draft", "approved"):
        page = papers[state, "giant"].pages[1]
        places: list[tuple[float, str]] = []
        page.extract_text(visitor_text=lambda text, cm, tm, _f, _s: places.append((tm[5] * cm[3] + cm[5], text)))  # noqa: B023 - called at once, before the next page
        foot = {round(y) for y, text in places if "version" in text}
        number = {round(y) for y, text in places if "Page" in text}
        assert foot
        assert number
        assert not foot & number
