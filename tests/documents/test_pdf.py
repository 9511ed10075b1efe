"""Tagged PDFs: every leaflet in every format, what a machine reads of them, and that no word is ever run."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise

import pypdfium2 as pdfium
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sheets import HEBREW, bare, fonts, letters, page_texts, read, tags, words

from consult.content import content_root
from consult.documents.leaflet import FORMATS, Leaflet, load, parse
from consult.documents.leaflet_pdf import Look, leaflet_pdf
from consult.documents.pdf import (
    DRAFT,
    Facts,
    Lines,
    NotSet,
    Paragraph,
    Picture,
    Run,
    Section,
    Sheet,
    Table,
    listing,
    paragraph,
    pdf,
)

SIZES = {"a4": (595, 842), "a5": (420, 595), "large": (595, 842), "giant": (595, 842)}
LETTERS = {"a4": 12, "a5": 12, "large": 16, "giant": 24}
MOST_PAGES = {"a4": 2, "a5": 4, "large": 4, "giant": 10}
DAY = "22 November 2026"
SHIPPED = load(content_root("leaflets"))
PRINTS = [(leaflet, format_) for leaflet in SHIPPED.values() for format_ in leaflet.formats]


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str], bytes]:
    return {(leaflet.id, f): leaflet_pdf(leaflet, Look(f, DAY, draft=True)) for leaflet, f in PRINTS}


@pytest.mark.parametrize(("leaflet", "format_"), PRINTS, ids=lambda p: p if isinstance(p, str) else p.id)
class TestEveryLeaflet:
    def test_it_is_tagged_and_says_what_it_is(
        self, made: dict[tuple[str, str], bytes], leaflet: Leaflet, format_: str
    ) -> None:
        made_of = made[leaflet.id, format_]
        root = read(made_of).trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712 - a PDF boolean
        assert root["/Lang"] == "en-GB"
        assert root["/ViewerPreferences"]["/DisplayDocTitle"] == True  # noqa: E712 - the same
        assert read(made_of).metadata.title == leaflet.title
        assert b"pdfuaid:part>1<" in root["/Metadata"].get_object().get_data()
        kinds = tags(made_of)
        assert kinds.count("/H1") == 1
        assert kinds.count("/H2") == leaflet.html.count("<h2>")
        assert kinds.count("/LI") == leaflet.html.count("<li>")
        assert kinds.count("/Figure") == leaflet.html.count("<img")

    def test_paper_and_letters_have_their_size(
        self, made: dict[tuple[str, str], bytes], leaflet: Leaflet, format_: str
    ) -> None:
        least = max(LETTERS[format_], 16 if leaflet.easy_read else 0)
        pages = read(made[leaflet.id, format_]).pages
        assert len(pages) <= MOST_PAGES[format_]
        for page, held in zip(pages, letters(made[leaflet.id, format_]), strict=True):
            assert (page.mediabox.width, page.mediabox.height) == pytest.approx(SIZES[format_], abs=1)
            # Only banner, foot and the line about the leaflet may be smaller; never in large print or easy read.
            assert sum(letter.size < least for letter in held) <= (0 if least >= 16 else 320)
            assert min(letter.size for letter in held) >= 9

    def test_each_page_bears_banner_foot_and_number(
        self, made: dict[tuple[str, str], bytes], leaflet: Leaflet, format_: str
    ) -> None:
        pages = page_texts(made[leaflet.id, format_])
        for number, text in enumerate(pages, 1):
            assert f"{leaflet.id} · version {leaflet.version} · {DAY}" in text
            assert f"Page {number} of {len(pages)}" in text
            assert text.count(DRAFT) == 1

    def test_every_font_is_embedded(self, made: dict[tuple[str, str], bytes], leaflet: Leaflet, format_: str) -> None:
        found = fonts(made[leaflet.id, format_])
        assert all(found.values())
        assert {name.partition("-")[0] for name in found} <= {"LiberationSans"}

    def test_no_word_of_the_page_is_missing(
        self, made: dict[tuple[str, str], bytes], leaflet: Leaflet, format_: str
    ) -> None:
        text = bare(words(made[leaflet.id, format_]))
        for part in words_of(leaflet.html):
            assert part in text


def words_of(html: str) -> set[str]:
    return {bare(text) for tag in BeautifulSoup(html, "html.parser").find_all(["h2", "strong"]) if (text := tag.text)}


def test_nothing_is_coloured(made: dict[tuple[str, str], bytes]) -> None:
    with closing(pdfium.PdfDocument(made["back-pain-core", "a4"])) as document:
        for page in document:
            red, green, blue = page.render(scale=0.5).to_pil().convert("RGB").split()
            assert red.tobytes() == green.tobytes() == blue.tobytes()
            assert max(red.get_flattened_data()) == 255


def test_an_emergency_list_too_long_for_a_page_goes_on_between_items_under_its_heading_again() -> None:
    leaflet = SHIPPED["back-pain-core", "en"]
    for format_ in FORMATS:
        pages = page_texts(leaflet_pdf(leaflet, Look(format_, DAY, True)))
        heading = "Call 999 or go to A&E now"
        bearing = [n for n, text in enumerate(pages) if heading in text]
        assert len(bearing) == (2 if format_ == "giant" else 1)
        if format_ == "giant":
            assert bearing[1] == bearing[0] + 1
            assert f"{heading} (continued)" in pages[bearing[1]]
        items = [bare(i) for i in leaflet.html.split('class="emergency"')[1].split("</section>")[0].split("<li>")[1:]]
        whole = [bare(pages[n]) for n in bearing]
        for item in items:
            assert any(item.partition("</li>")[0] in page for page in whole), item


def test_a_print_is_made_once_for_each_content_and_look() -> None:
    leaflet = SHIPPED["back-pain-core", "en"]
    look = Look("a4", "1 January 2030", draft=False)
    assert leaflet_pdf(leaflet, look) is leaflet_pdf(leaflet, Look("a4", "1 January 2030", draft=False))
    assert leaflet_pdf(leaflet, look) is not leaflet_pdf(leaflet, Look("a4", "2 January 2030", draft=False))
    other = replace(leaflet, digest="0" * 64)
    assert leaflet_pdf(other, look) is not leaflet_pdf(leaflet, look)
    assert DRAFT not in words(leaflet_pdf(leaflet, look))


@pytest.mark.parametrize("format_", FORMATS)
def test_a_script_from_right_to_left_is_set_so(format_: str) -> None:
    leaflet = parse(HEBREW.format(digest="0" * 64), "invented-test/he.md")
    made_of = leaflet_pdf(leaflet, Look(format_, DAY, draft=True))
    root = read(made_of).trailer["/Root"]
    assert root["/Lang"] == "he"
    assert root["/ViewerPreferences"].get("/Direction") == "/R2L"
    assert read(made_of).metadata.title == leaflet.title
    assert set(fonts(made_of)) <= {"LiberationSans", "LiberationSans-Bold"}
    width = SIZES[format_][0]
    lines = [letter for letter in letters(made_of)[0] if "\u0590" <= letter.text <= "\u05ff"]
    assert len(lines) > 60
    # The first letter of the title stands at the right edge, and each letter left of the one before on its line.
    assert lines[0].text == "ט"
    assert lines[0].right > width - 60
    assert sum(b.right < a.right for a, b in pairwise(lines)) > 0.8 * len(lines)
    assert DRAFT in read(made_of).pages[0].extract_text()


# ---------------------------------------------------------------- any paper

MARKUP = ["#", "[", "]", "*", "_", "$", "`", "<", ">", "@", "//", "/*", '"', "\\", "\\u{41}", "{", "}", "= ", "- ", "~"]
RUN = ['#panic("run")', "#sys.inputs", '#read("/etc/passwd")', '"); panic("', '"#eval("1")', "#import", "${x}", "&lt;"]
WORDS = st.sampled_from(MARKUP + RUN) | st.text("aZ 0é£–’", max_size=6)
ANYTHING = st.lists(WORDS, min_size=1, max_size=8).map("".join)


@settings(max_examples=60, deadline=None)
@given(text=ANYTHING)
def test_no_word_of_a_paper_is_run_or_lost(text: str) -> None:
    held = f"A{text}Z"
    sheet = Sheet(
        held,
        (
            Section(held, (paragraph(held, before=held), listing([held]), Facts(((held, held),))), kind="key"),
            Section("", (Table((held, "b"), ((held, "c"),)), Lines((held,)), Paragraph((Run(held, em=True),)))),
        ),
        foot=held,
        about=held,
        above=held,
    )
    made_of = pdf(sheet)
    assert bare(words(made_of)).count(bare(held)) == 14
    assert bare(read(made_of).metadata.title or "") == bare(held)


def test_what_no_paper_shows_is_left_out() -> None:
    nasty = "a\x00b\x07c\ufeffd\ue000e\u202ef\nq\u2028r\x7f"
    assert "abcdef q r" in words(pdf(Sheet("Title", (Section("", (paragraph(nasty),)),), "foot")))


def test_a_character_without_a_shape_is_refused_in_a_sentence() -> None:
    with pytest.raises(NotSet, match="print the page from the browser"):
        pdf(Sheet("Title", (Section("", (paragraph("\U0001f600"),)),), "foot"))


def test_a_picture_has_its_words_and_a_table_its_headings() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect width="9" height="9"/></svg>'
    table = Table(("Measure", "n"), tuple((f"row {n}", str(n)) for n in range(80)), (3, 1), numbers=(1,), small=True)
    made_of = pdf(Sheet("Pack", (Section("Figures", (Picture(svg, "A square"), table)),), "foot", landscape=True))
    kinds = tags(made_of)
    assert kinds.count("/TH") == 2
    assert kinds.count("/TD") == 160
    assert "/Figure" in kinds
    pages = read(made_of).pages
    assert len(pages) > 1
    assert all("Measure" in text for text in page_texts(made_of))
    assert pages[0].mediabox.width > pages[0].mediabox.height


def test_the_same_sheet_gives_the_same_file() -> None:
    sheet = Sheet("Title", (Section("", (paragraph("The same"),)),), "foot")
    assert pdf(sheet) == pdf(sheet)
