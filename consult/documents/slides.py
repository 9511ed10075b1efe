"""A set of slides as an office file: 16:9, charts that can be edited, each with its description in words."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from consult.audit.charts import Rate, Shape
from consult.documents import slide_template
from consult.documents.action_plan import plain
from consult.documents.deck import Chart, Deck, Grid, Slide
from consult.documents.slide_template import BLUE, GREEN, GREY, INK, LIGHT, PAGE, inches
from consult.documents.words import DRAFT

OWN: Final[tuple[Shape, ...]] = ("dot", "square")
COLOURS: Final[dict[Shape, str]] = {"dot": BLUE, "square": LIGHT, "diamond": GREY, "triangle": GREEN}
ORDER: Final[tuple[Shape, ...]] = ("dot", "square", "diamond", "triangle")
GAP_WIDTH: Final = 45
FEW_ROWS: Final = 9
CHART_FONT: Final = 14
SMALL_CHART_FONT: Final = 12
GRID_FONT: Final = 14


def pptx(deck: Deck, at: datetime) -> bytes:
    """The slides as a presentation: titles in title places, notes, native charts, and what it bears at each foot."""
    made = slide_template.presentation()
    known = made.core_properties
    known.title, known.author, known.language = deck.title, deck.stamp.provider, "en-GB"
    known.keywords, known.comments, known.last_modified_by = deck.key, "", deck.stamp.provider
    known.created = known.modified = at.replace(tzinfo=None)
    for slide in deck.slides:
        _slide(made, deck, slide)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def _slide(made: Any, deck: Deck, slide: Slide) -> None:
    page = made.slides.add_slide(slide_template.layout(made, wide=slide.shown is None))
    page.shapes.title.text_frame.text = plain(slide.title)
    lines = slide.lines
    _fill(page.placeholders[1].text_frame, lines, slide_template.strip_size(lines) if slide.shown else None)
    if isinstance(slide.shown, Chart):
        _chart(page, slide.shown)
    elif isinstance(slide.shown, Grid):
        _grid(page, slide.shown)
    draft = f"{DRAFT}. " if deck.draft else ""
    slide_template.put_foot(page, plain(draft + deck.stamp.line))
    notes = page.notes_slide.notes_text_frame
    _fill(notes, (*slide.notes, deck.stamp.line))


def _fill(frame: Any, lines: Sequence[str], size: int | None = None) -> None:
    """Put lines into a frame, a paragraph each, in the size of the frame or another."""
    from pptx.util import Pt

    for at, line in enumerate(lines or ("",)):
        paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
        run = paragraph.add_run()
        run.text = plain(line)
        run.font.language_id = slide_template.language()
        if size is not None:
            run.font.size = Pt(size)


# ---------------------------------------------------------------- charts


def _chart(page: Any, chart: Chart) -> None:
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE

    data: Any = CategoryChartData(number_format="0%")  # type: ignore[no-untyped-call] # python-pptx has no types
    data.categories = [plain(_label(rate)) for rate in chart.rates]
    shapes = [shape for shape in ORDER if any(rate.shape == shape for rate in chart.rates)]
    words = dict(chart.key)
    for shape in shapes:
        data.add_series(words[shape], [rate.share if rate.shape == shape else None for rate in chart.rates])
    left, top, width, height = map(inches, slide_template.BELOW)
    frame = page.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, left, top, width, height, data)
    frame.name = "Chart"
    describe(frame, chart.title, chart.about)
    _dress(frame.chart, shapes, CHART_FONT if len(chart.rates) <= FEW_ROWS else SMALL_CHART_FONT)
    for series, shape in zip(frame.chart.plots[0].series, shapes, strict=True):
        _dress_series(series, shape)
        if shape in OWN:
            _intervals(series, [rate if rate.shape == shape else None for rate in chart.rates])


def _label(rate: Rate) -> str:
    """A category with its numbers in words, as an interval can't be read off a chart to the point."""
    return f"{rate.label}: {rate.words}" if rate.words else rate.label


def describe(frame: Any, title: str, about: str) -> None:
    """Say in words what a chart or table shows, for those who can't see it."""
    told = frame._element.nvGraphicFramePr.cNvPr
    told.set("title", plain(title))
    told.set("descr", plain(about))


def _dress(chart: Any, shapes: Sequence[Shape], size: int) -> None:
    from pptx.enum.chart import XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION
    from pptx.util import Pt

    chart.font.size, chart.font.name = Pt(size), "Arial"
    chart.has_title = False
    chart.has_legend = True
    chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    chart.plots[0].gap_width, chart.plots[0].overlap = GAP_WIDTH, 100
    chart.category_axis.reverse_order = True
    chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    _every_label(chart.category_axis)
    chart.category_axis.format.line.color.rgb = slide_template.colour(INK)
    axis = chart.value_axis
    axis.minimum_scale, axis.maximum_scale, axis.major_unit = 0, 1, 0.25
    axis.major_gridlines.format.line.color.rgb = slide_template.colour("D8DDE0")
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = "0%", False
    # The first category stands on top, so that the axis of values would too; it is told to cross at the far end.
    axis.tick_label_position = XL_TICK_LABEL_POSITION.HIGH
    assert len(shapes) == len(chart.plots[0].series)  # noqa: S101 - a series was made for each shape


def _every_label(axis: Any) -> None:
    """Write each category, however close they stand: an office program else leaves out every second."""
    from lxml import etree  # type: ignore[import-untyped] # it has none
    from pptx.oxml.ns import qn

    skip = etree.Element(qn("c:tickLblSkip"), val="1")
    axis._element.find(qn("c:noMultiLvlLbl")).addprevious(skip)


def _dress_series(series: Any, shape: Shape) -> None:
    fill = series.format.fill
    fill.solid()
    fill.fore_color.rgb = slide_template.colour(COLOURS[shape])
    series.invert_if_negative = False


def _intervals(series: Any, rates: Sequence[Rate | None]) -> None:
    """The 95% interval of each rate as error bars, which the library has no words for."""
    from lxml import etree
    from pptx.oxml.ns import qn

    def numbers(name: str, values: Sequence[float]) -> Any:
        held = etree.Element(qn(f"c:{name}"))
        literal = etree.SubElement(held, qn("c:numLit"))
        etree.SubElement(literal, qn("c:formatCode")).text = "General"
        etree.SubElement(literal, qn("c:ptCount"), val=str(len(values)))
        for at, value in enumerate(values):
            point = etree.SubElement(literal, qn("c:pt"), idx=str(at))
            etree.SubElement(point, qn("c:v")).text = repr(value)
        return held

    bars = etree.Element(qn("c:errBars"))
    for name, value in (("errBarType", "both"), ("errValType", "cust"), ("noEndCap", "0")):
        etree.SubElement(bars, qn(f"c:{name}"), val=value)
    bars.append(numbers("plus", [_reach(rate, "high") for rate in rates]))
    bars.append(numbers("minus", [_reach(rate, "low") for rate in rates]))
    drawn = etree.SubElement(bars, qn("c:spPr"))
    line = etree.SubElement(drawn, qn("a:ln"), w="28575")
    etree.SubElement(etree.SubElement(line, qn("a:solidFill")), qn("a:srgbClr"), val=INK)
    series._element.find(qn("c:cat")).addprevious(bars)


def _reach(rate: Rate | None, end: str) -> float:
    """How far an interval reaches beyond its rate, to its high or low end."""
    if rate is None or rate.share is None or rate.low is None or rate.high is None:
        return 0.0
    return rate.high - rate.share if end == "high" else rate.share - rate.low


# ---------------------------------------------------------------- tables


def _grid(page: Any, grid: Grid) -> None:
    from pptx.util import Emu, Pt

    left, top, width, _ = map(inches, slide_template.BELOW)
    frame = page.shapes.add_table(1 + len(grid.rows), len(grid.head), left, top, width, inches(0.4))
    frame.name = "Table"
    describe(frame, grid.caption, f"{grid.caption}: {len(grid.rows)} rows.")
    ends = [round(int(width) * sum(grid.widths[:at]) / sum(grid.widths)) for at in range(len(grid.widths) + 1)]
    for column, (start, end) in zip(frame.table.columns, pairwise(ends), strict=True):
        column.width = Emu(end - start)
    for at, cells in enumerate((grid.head, *grid.rows)):
        frame.table.rows[at].height = inches(0.4)
        for cell, text in zip(frame.table.rows[at].cells, cells, strict=True):
            _fill(cell.text_frame, (text,))
            font = cell.text_frame.paragraphs[0].runs[0].font
            font.size, font.bold = Pt(GRID_FONT), at == 0
            font.color.rgb = slide_template.colour("FFFFFF" if at == 0 else INK)
            cell.fill.solid()
            cell.fill.fore_color.rgb = slide_template.colour(BLUE if at == 0 else "FFFFFF" if at % 2 else "E8EDEE")


__all__ = ["PAGE", "describe", "pptx"]
