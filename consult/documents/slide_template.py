"""The template of the slides: 16:9, Arial, two layouts, each with places for title, text, foot and number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Final

BLUE: Final = "005EB8"
DARK: Final = "003087"
LIGHT: Final = "41B6E6"
GREY: Final = "768692"
GREEN: Final = "00703C"
INK: Final = "212B32"
PAGE: Final = (13.333, 7.5)
"""Width and height of a slide, in inches."""
TITLE: Final = (0.6, 0.35, 12.13, 0.85)
WIDE: Final = (0.6, 1.5, 12.13, 4.95)
STRIP: Final = (0.6, 1.2, 12.13, 1.3)
BELOW: Final = (0.6, 2.5, 12.13, 3.95)
"""Where a chart or a table stands, below the strip that says what it shows."""
FOOT: Final = (0.6, 6.6, 11.3, 0.7)
NUMBER: Final = (12.03, 6.6, 0.7, 0.7)
STRIP_SIZE: Final = 16
FULL_STRIP_SIZE: Final = 13
STRIP_LINES: Final = 4
STRIP_LETTERS: Final = 115
"""How many lines the strip has room for in its usual size, and how many letters fit in one."""
WIDE_SIZE: Final = 24
KEPT: Final = ("Title and Content", "Title Only")
Place = tuple[float, float, float, float]


def strip_size(lines: Sequence[str]) -> int:
    """The size of the words above a chart: smaller where there are many."""
    needed = sum(math.ceil(len(line) / STRIP_LETTERS) for line in lines)
    return STRIP_SIZE if needed <= STRIP_LINES else FULL_STRIP_SIZE


def inches(length: float) -> Any:
    """A length as the file has it."""
    from pptx.util import Inches

    return Inches(length)


def colour(value: str) -> Any:
    """A colour of six hexadecimal digits as the library has it."""
    from pptx.dml.color import RGBColor

    made: Any = RGBColor
    return made(*bytes.fromhex(value))


def language() -> Any:
    """The language of all that is written on slides."""
    from pptx.enum.lang import MSO_LANGUAGE_ID

    return MSO_LANGUAGE_ID.ENGLISH_UK


def presentation() -> Any:
    """An empty presentation of the template."""
    from pptx import Presentation

    made: Any = Presentation()
    made.slide_width, made.slide_height = map(inches, PAGE)
    for known in list(made.slide_layouts):
        if known.name not in KEPT:
            made.slide_layouts.remove(known)
    words, shown = (made.slide_layouts.get_by_name(name) for name in KEPT)
    shown.name, words.name = "Title, finding and chart", "Title and words"
    _strip(words, shown)
    for holder, body in ((made.slide_master, WIDE), (words, WIDE), (shown, STRIP)):
        _arrange(holder, body)
    _dress_master(made.slide_master)
    _theme(made.slide_master)
    return made


def layout(made: Any, wide: bool) -> Any:
    """The layout for words alone (`wide`), or for a chart or table under a strip of words."""
    return made.slide_layouts.get_by_name("Title and words" if wide else "Title, finding and chart")


def _strip(words: Any, shown: Any) -> None:
    """Give the layout for charts a place for the words above the chart, as the other layout has one."""
    body = next(p for p in words.placeholders if p.placeholder_format.idx == 1)
    title = next(p for p in shown.placeholders if p.placeholder_format.idx == 0)
    title._element.addnext(deepcopy(body._element))


def _arrange(holder: Any, body: Place) -> None:
    from pptx.enum.shapes import PP_PLACEHOLDER as KIND

    places = {KIND.TITLE: TITLE, KIND.BODY: body, KIND.OBJECT: body, KIND.FOOTER: FOOT, KIND.SLIDE_NUMBER: NUMBER}
    for place in list(holder.placeholders):
        known = places.get(place.placeholder_format.type)
        if known is None:
            place._element.getparent().remove(place._element)
            continue
        place.left, place.top, place.width, place.height = map(inches, known)
    for place in holder.placeholders:
        _write(place, STRIP_SIZE if body == STRIP else WIDE_SIZE)


def _write(place: Any, body_size: int) -> None:
    """The size, colour and seat of the text of a place, wherever the text is written in it."""
    from lxml import etree  # type: ignore[import-untyped] # it has none
    from pptx.enum.shapes import PP_PLACEHOLDER as KIND
    from pptx.oxml.ns import qn

    kind = place.placeholder_format.type
    sizes = {KIND.TITLE: 34, KIND.FOOTER: 9, KIND.SLIDE_NUMBER: 12}
    styles = place._element.txBody.find(qn("a:lstStyle"))
    for old in list(styles):
        styles.remove(old)
    body = kind in (KIND.BODY, KIND.OBJECT)
    bulleted = body and body_size > STRIP_SIZE
    edge = {"marL": "342900", "indent": "-342900"} if bulleted else {"marL": "0", "indent": "0"}
    level = etree.SubElement(styles, qn("a:lvl1pPr"), algn="r" if kind == KIND.SLIDE_NUMBER else "l", **edge)
    if body:
        after = etree.SubElement(level, qn("a:spcBef"))
        etree.SubElement(after, qn("a:spcPts"), val="1200" if bulleted else "300")
        if bulleted:
            etree.SubElement(level, qn("a:buFont"), typeface="Arial")
            etree.SubElement(level, qn("a:buChar"), char="•")
        else:
            etree.SubElement(level, qn("a:buNone"))
    run = etree.SubElement(level, qn("a:defRPr"), sz=str(100 * sizes.get(kind, body_size)))
    run.set("b", "1" if kind == KIND.TITLE else "0")
    fill = etree.SubElement(run, qn("a:solidFill"))
    etree.SubElement(fill, qn("a:srgbClr"), val=DARK if kind == KIND.TITLE else INK)
    seat = place._element.txBody.find(qn("a:bodyPr"))
    for name in ("lIns", "rIns"):
        seat.set(name, "0")
    seat.set("anchor", "t" if body or kind == KIND.FOOTER else "ctr" if kind == KIND.TITLE else "t")
    for fit in list(seat):
        seat.remove(fit)
    etree.SubElement(seat, qn("a:noAutofit"))


def _dress_master(master: Any) -> None:
    """A blue line above the title and a grey one above the foot, marked as decoration by an empty description."""
    from pptx.enum.shapes import MSO_SHAPE
    from pptx.util import Emu

    for top, height, shade in ((0.0, 0.14, BLUE), (6.52, 0.02, GREY)):
        left, width = (0.0, PAGE[0]) if top == 0 else (TITLE[0], TITLE[2])
        bar = _rectangle(master, MSO_SHAPE.RECTANGLE, tuple(map(inches, (left, top, width, height))))
        bar.fill.solid()
        bar.fill.fore_color.rgb = colour(shade)
        bar.line.width = Emu(0)
        bar.line.fill.background()
        bar.name = "Line"


def _rectangle(master: Any, kind: Any, place: tuple[Any, ...]) -> Any:
    """A shape of the master, which the library lets only slides have."""
    from pptx.shapes.autoshape import AutoShapeType, Shape

    tree = master.shapes._spTree
    ids = [int(known.get("id")) for known in tree.iter() if known.get("id", "").isdigit()]
    return Shape(tree.add_autoshape(max(ids) + 1, "Line", AutoShapeType(kind).prst, *place), master.shapes)


def _theme(master: Any) -> None:
    """Our fonts and colours in place of those of the library's own template."""
    from lxml import etree
    from pptx.opc.constants import RELATIONSHIP_TYPE
    from pptx.oxml.ns import qn

    part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    root = etree.fromstring(part.blob)
    root.set("name", "OH back pain consult")
    for font in root.iter(qn("a:latin")):
        font.set("typeface", "Arial")
    accents = {"dk2": DARK, "accent1": BLUE, "accent2": GREY, "accent3": GREEN}
    for name, value in accents.items():
        for known in root.iter(qn(f"a:{name}")):
            for old in list(known):
                known.remove(old)
            etree.SubElement(known, qn("a:srgbClr"), val=value)
    part._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def put_foot(page: Any, text: str) -> None:
    """What every slide bears, and its number: the library copies these places from no layout."""
    from pptx.enum.shapes import PP_PLACEHOLDER as KIND

    for place in page.slide_layout.placeholders:
        if place.placeholder_format.type in (KIND.FOOTER, KIND.SLIDE_NUMBER):
            copy = deepcopy(place._element)
            for own in ("xfrm",):
                for old in copy.spPr.findall(f".//{{*}}{own}"):
                    copy.spPr.remove(old)
            page.shapes._spTree.append(copy)
    for place in page.placeholders:
        if place.placeholder_format.type == KIND.FOOTER:
            place.text_frame.text = text
            place.text_frame.paragraphs[0].runs[0].font.language_id = language()
