"""Slides: every figure in the file is that of the results of the moment, each slide bears what it was made of."""

from __future__ import annotations

import io
import math
import re
from typing import Any

import pytest
from audited import CANARY, LEAD, Audited
from bs4 import BeautifulSoup
from constructed import SITES
from lxml import etree
from msgspec.structs import replace
from pptx import Presentation
from visiting import PEOPLE

from consult.audit import actions, leaving, rounds
from consult.documents import deck as page
from consult.documents import slides as office
from consult.documents.deck import Chart, Deck, Grid
from consult.evidence import moment, slides

STAMP = re.compile(r"Step \d+ of the record, [0-9a-f]{64}")
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def made(audited: Audited, name: str) -> Deck:
    instance = audited.service.instance
    with instance.db.snapshot() as conn:
        return slides.deck(instance, conn, rounds.rounds(conn)[audited.rounds[name]])


@pytest.fixture(scope="module")
def file(audited: Audited) -> Any:
    """The presentation as the page gives it, read back."""
    path = f"/evidence/rounds/{audited.rounds['After']}/slides.pptx"
    response = audited.service.visitor("audit_lead").ask(path)
    assert response.mimetype.endswith("presentationml.presentation")
    return Presentation(io.BytesIO(response.data))


def charts(file: Any, title: str) -> list[Any]:
    found = [slide for slide in file.slides if slide.shapes.title.text_frame.text.startswith(title)]
    return [shape.chart for slide in found for shape in slide.shapes if shape.has_chart]


def drawn(chart: Any) -> list[tuple[str, str, float, tuple[float, float] | None]]:
    """Each bar: its category, its series, its value, and the ends of its interval."""
    rows = []
    for series in chart.plots[0].series:
        reach = {
            end: [float(v.text) for v in series._element.iterfind(f"{C}errBars/{C}{end}//{C}v")]
            for end in ("plus", "minus")
        }
        for at, (category, value) in enumerate(zip(chart.plots[0].categories, series.values, strict=True)):
            if value is not None:
                ends = (value - reach["minus"][at], value + reach["plus"][at]) if reach["plus"] else None
                rows.append((str(category), series.name, value, ends))
    return rows


def compared(audited: Audited) -> list[Any]:
    """The measures of the comparison: the national headings, and the local ones that are always shown with one."""
    measures = audited.service.instance.measures
    beside = {id_ for m in measures.measures if m.national for id_ in m.shown_with}
    return [m for m in measures.measures if m.national or m.id in beside]


def test_every_heading_of_the_comparison_is_that_of_the_results(audited: Audited, file: Any) -> None:
    known, shown = audited.json(audited.rounds["After"])["measures"], {}
    for chart in charts(file, "How we compare"):
        bars = drawn(chart)
        order = [str(category) for category in chart.plots[0].categories]
        assert [bar[0] for bar in sorted(bars, key=lambda bar: order.index(bar[0]))] == sorted(order, key=order.index)
        for category, series, value, ends in bars:
            name = category.split(":")[0]
            if series.startswith("this round"):
                shown[name] = (category, value, ends, chart)
    stand = compared(audited)
    assert set(shown) == {m.short for m in stand if known[m.id]["rate"] is not None}
    for measure in stand:
        category, value, ends, _ = shown[measure.short]
        result = known[measure.id]
        assert value == result["rate"]
        assert ends == pytest.approx(result["interval"], abs=1e-12)
        assert f"{result['met']} of {result['met'] + result['not_met']}" in category


def test_the_published_figures_are_those_of_the_results(audited: Audited, file: Any) -> None:
    known = audited.json(audited.rounds["After"])["measures"]
    bars = []
    for chart in charts(file, "How we compare"):
        published = next(s for s in chart.plots[0].series if s.name.startswith("published figure")).values
        own = next(s for s in chart.plots[0].series if s.name.startswith("this round")).values
        categories, name = list(chart.plots[0].categories), ""
        for category, mine, theirs in zip(categories, own, published, strict=True):
            name = str(category).split(":")[0] if mine is not None else name
            bars += [(name, str(category), theirs)] if theirs is not None else []
    by_short = {m.short: m.id for m in audited.service.instance.measures.measures}
    wanted = {
        (m.short, year, value)
        for m in compared(audited)
        for year, value in known[m.id]["benchmarks"].items()
        if value is not None
    }
    assert {(name, category.split(":")[0], value) for name, category, value in bars} == wanted
    assert {name for name, _, _ in bars} <= set(by_short)


def test_a_comparison_names_the_rounds_whose_figures_stand_there_and_no_other(audited: Audited) -> None:
    compared = [one for one in made(audited, "After").slides if one.title.startswith("How we compare")]
    assert compared
    for slide in compared:
        (said,) = [line for line in slide.lines if "published figures" in line]
        assert isinstance(slide.shown, Chart)
        drawn = {rate.label for rate in slide.shown.rates if rate.label.isdigit()}
        assert set(re.findall(r"(\d{4}), from case notes", said)) == drawn


@pytest.mark.parametrize(
    ("title", "id_"),
    [
        ("Red flags", "red_flags_screened"),
        ("Yellow flags", "yellow_flags_screened"),
        ("Information given", "clear_information"),
    ],
)
def test_a_slide_of_a_measure_holds_it_the_round_before_the_target_and_what_is_inside(
    audited: Audited, file: Any, title: str, id_: str
) -> None:
    now, before = audited.json(audited.rounds["After"]), audited.json(audited.rounds["Before"])
    measures = audited.service.instance.measures
    bars = drawn(charts(file, title)[0])
    own = [bar for bar in bars if bar[1].startswith("this round")]
    assert own[0][2] == now["measures"][id_]["rate"]
    assert [bar[2] for bar in bars if bar[1] == "the round before"] == [before["measures"][id_]["rate"]]
    beside = [m for one in measures.by_id[id_].shown_with if not (m := measures.by_id[one]).national]
    published = [now["measures"][one]["benchmarks"]["2011"] for one in (id_, *(m.id for m in beside))]
    assert [bar[2] for bar in bars if "published" in bar[1]] == [one for one in published if one is not None]
    target = [bar[2] for bar in bars if "target" in bar[1]]
    assert target == ([0.8] if id_ == "yellow_flags_screened" else [])
    inside = own[1 + len(beside) :]
    shown_with = [(bar[0].split(":")[0], bar[2]) for bar in own[1 : 1 + len(beside)]]
    assert shown_with == [(m.short, now["measures"][m.id]["rate"]) for m in beside]
    if parts := measures.parts(measures.by_id[id_]):
        assert [bar[2] for bar in inside] == [now["measures"][part]["rate"] for part in parts]
    else:
        at = moment.Moment(
            audited.service.instance, audited.service.instance.db.read(), audited_round(audited), "", True
        )
        items = at.taken[id_].items
        assert [(bar[0].split(":")[0], bar[2]) for bar in inside] == [(i.item.label, i.result.rate) for i in items]
        for bar, item in zip(inside, items, strict=True):
            assert bar[0].endswith(f"{item.result.met} of {item.result.applicable}")


def test_what_must_stand_beside_a_rate_stands_on_its_slides_and_in_their_notes(audited: Audited) -> None:
    found = audited.counted(audited.rounds["After"]).measures
    deck, short = made(audited, "After"), {m.id: m.short for m in audited.service.instance.measures.measures}
    by_title = {slide.title: slide for slide in deck.slides}
    for title, id_, local in (
        ("Red flags", "red_flags_screened", "red_flags_complete"),
        ("Yellow flags", "yellow_flags_screened", ""),
        ("Information given", "clear_information", "clear_information_any"),
        ("How we compare (1 of 3)", "red_flags_screened", "red_flags_complete"),
        ("How we compare (1 of 3)", "yellow_flags_action", ""),
        ("How we compare (3 of 3)", "work_cause_action", ""),
        ("How we compare (3 of 3)", "clear_information", "clear_information_any"),
    ):
        slide = by_title[title]
        assert isinstance(slide.shown, Chart)
        labels, lines = [rate.label for rate in slide.shown.rates], found[id_].beside
        if local:
            assert short[local] in labels[labels.index(short[id_]) :]
        for line in lines[:1]:
            assert f"{short[id_]}: {line[0].lower()}{line[1:]}" in " ".join(slide.lines)
        assert all(f"{short[id_]}: {line[0].lower()}{line[1:]}" in slide.notes for line in lines)
    assert any("two groups are enough" in note.lower() for note in by_title["Red flags"].notes)
    assert any("48% stands beside both" in note for note in by_title["Information given"].notes)


def test_the_words_above_a_chart_have_room_there(audited: Audited, file: Any) -> None:
    """A line takes 1.2 of its size, and as many letters as half of that is wide; above each paragraph 3 points."""
    for slide in file.slides:
        if any(shape.has_chart or shape.has_table for shape in slide.shapes):
            strip = slide.placeholders[1]
            size = strip.text_frame.paragraphs[0].runs[0].font.size.pt
            letters = (strip.width.pt - 14) / (0.47 * size)
            lines = [math.ceil(len(paragraph.text) / letters) for paragraph in strip.text_frame.paragraphs]
            assert sum(lines) * 1.2 * size + 3 * (len(lines) - 1) + 7 <= strip.height.pt, slide.shapes.title.text
            shown = next(shape for shape in slide.shapes if shape.has_chart or shape.has_table)
            assert strip.top + strip.height <= shown.top


def audited_round(audited: Audited) -> rounds.Round:
    return rounds.rounds(audited.service.instance.db.read())[audited.rounds["After"]]


def test_it_is_wide_titled_described_and_bears_what_it_was_made_of(audited: Audited, file: Any) -> None:
    assert file.slide_width / file.slide_height == pytest.approx(16 / 9, rel=1e-3)
    eligible = audited.counted(audited.rounds["After"]).eligible
    titles = [slide.shapes.title.text_frame.text for slide in file.slides]
    assert len(set(titles)) == len(titles)
    assert all(titles)
    for number, slide in enumerate(file.slides, 1):
        words = " ".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)
        assert STAMP.search(words)
        assert f"n = {eligible} cases" in words
        assert "1 January 2026 to 31 October 2026" in words
        assert audited.service.instance.content.measures_digest[:16] in words
        assert "May leave the provider" in words
        assert "not approved for clinical use" in words
        assert STAMP.search(slide.notes_slide.notes_text_frame.text)
        kinds = [shape.placeholder_format.type for shape in slide.placeholders]
        assert len(kinds) == len(set(kinds)) == 4, number  # title, words, foot, number
        for shape in slide.shapes:
            if shape.has_chart or shape.has_table:
                told = shape._element.nvGraphicFramePr.cNvPr
                assert told.get("title")
                assert len(told.get("descr")) > 20
                inside = shape.top + shape.height <= file.slide_height and shape.left + shape.width <= file.slide_width
                assert inside
    for measure in audited.service.instance.measures.measures:
        if measure.national:
            notes = " ".join(slide.notes_slide.notes_text_frame.text for slide in file.slides)
            assert measure.numerator in notes


def test_nobody_and_no_site_is_named_and_small_numbers_are_withheld(audited: Audited) -> None:
    for name in ("After", "Before", "Day"):
        known, made_of = made(audited, name), audited.counted(audited.rounds[name])
        text = page.html(known)
        assert not [who for who in (*PEOPLE.values(), CANARY, *SITES.values()) if who in text]
        rates = {rate.label for s in known.slides if isinstance(s.shown, Chart) for rate in s.shown.rates}
        for measure in audited.service.instance.measures.measures:
            if measure.national:
                assert (measure.short in rates) == leaving.leaves(made_of.measures[measure.id]), (name, measure.id)
    text = page.html(made(audited, "Day"))
    assert "n = fewer than 10 cases" in text
    assert "Withheld, as fewer than 10 cases apply" in text
    assert not re.search(r"\bof [1-9]\b", text)


def test_order_and_words_are_those_of_the_file(audited: Audited) -> None:
    instance, known = audited.service.instance, made(audited, "After")
    mapped = moment.mapping(instance).slides
    titles = dict.fromkeys(re.sub(r" \(\d of \d\)$", "", slide.title) for slide in known.slides)
    assert list(titles) == [one.title for one in mapped]
    for one in mapped:
        slide = next(slide for slide in known.slides if slide.title.startswith(one.title))
        assert set(one.lines) <= set(slide.lines)


def test_the_re_audit_is_the_next_round_captured_the_same_way(audited: Audited) -> None:
    assert any("1 February 2027 to 30 June 2027" in line for line in made(audited, "After").slides[-1].lines)
    assert any("No re-audit date is set yet" in line for line in made(audited, "Again").slides[-1].lines)


def test_the_page_says_what_the_file_says(audited: Audited, file: Any) -> None:
    path = f"/evidence/rounds/{audited.rounds['After']}/slides"
    lead = audited.service.visitor("audit_lead")
    for address in (path, f"{path}.html"):
        soup = BeautifulSoup(lead.ask(address).text, "html.parser")
        sections = soup.select("section.slide")
        assert len(sections) == len(file.slides)
        for section, slide in zip(sections, file.slides, strict=True):
            heading = section.find(["h1", "h2"])
            assert heading is not None
            assert heading.text == slide.shapes.title.text_frame.text
            words = " ".join(section.text.split())
            for shape in slide.shapes:
                if shape.has_chart:
                    for category in shape.chart.plots[0].categories:
                        label, _, numbers = str(category).partition(": ")
                        assert label in words
                        assert numbers in words
    alone = lead.ask(f"{path}.html").text
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", alone)
    assert "addEventListener" in alone


def test_a_long_action_is_cut_at_a_word_and_stands_whole_in_the_notes(audited: Audited) -> None:
    instance, long = audited.service.instance, "many words about one thing " * 37
    with instance.db.snapshot() as conn:
        at = moment.Moment(instance, conn, audited_round(audited), "", leaves=True)
        planned = slides.planning.plan(instance, conn, at.round, leaves=True)
        many = [replace(planned[0], what=long) for _ in range(9)]
        pages = list(slides._paged([(one, slides._row(at, one)) for one in many]))
    assert len(pages) > 1
    assert sum(len(some) for some in pages) == len(many)
    for some in pages:
        for one, cells in some:
            assert all(len(cell) <= slides.MOST_LETTERS + 2 for cell in cells)
            assert long in slides._whole(one)


def test_characters_no_office_file_can_hold_do_no_harm(audited: Audited) -> None:
    known = made(audited, "After")
    odd = replace(known.slides[1], title="A\x0b=1+1\ud800", lines=("\x00\x1b & <b>",), notes=("\ufffe",))
    grid = Grid("C\x01", ("A",), (("\x02=1",),), (1.0,))
    content = office.pptx(replace(known, slides=(odd, replace(odd, shown=grid))), audited.service.instance.clock())
    assert len(Presentation(io.BytesIO(content)).slides) == 2


def test_a_chart_can_be_edited_and_no_part_of_the_file_runs_anything(audited: Audited, file: Any) -> None:
    for part in file.part.package.iter_parts():
        assert "vba" not in part.content_type.lower()
        if part.content_type.endswith("chart+xml"):
            assert part.chart_workbook.xlsx_part is not None
    links = [rel.target_ref for part in file.part.package.iter_parts() for rel in part.rels.values() if rel.is_external]
    assert links == []
    assert not [e for s in file.slides for e in s._element.iter() if etree.QName(e).localname == "hlinkClick"]


def test_an_action_of_the_round_stands_on_its_slide(audited: Audited) -> None:
    known = made(audited, "After")
    grids = [slide.shown for slide in known.slides if isinstance(slide.shown, Grid)]
    planned = actions.actions(audited.service.instance.db.read())
    assert sum(len(grid.rows) for grid in grids) == len(planned) == 1
    result = audited.counted(audited.rounds["Before"]).measures["barriers_asked"]
    assert f"{result.met} of {result.applicable}" in grids[0].rows[0][0]
    assert grids[0].rows[0][2] == "Nurse"
    assert LEAD[0] not in grids[0].rows[0]
