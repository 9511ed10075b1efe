"""The action plan as a text document: one table, a row an action, with what it was made from on every page."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import astuple

HEAD: Final = ("Gap", "Likely cause", "Action", "Owner", "Due", "Evidence wanted", "Status", "Re-audit result")
WIDTHS_MM: Final = (42, 33, 48, 28, 22, 34, 24, 36)
A4_MM: Final = (297, 210)
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Row(Struct, frozen=True):
    """One action in words, in the order of HEAD."""

    gap: str
    cause: str
    what: str
    owner: str
    due: str
    evidence: str
    status: str
    reaudit: str


class About(Struct, frozen=True):
    """What stands above and below the plan: title, provider, whether it may leave, day, measures, head of the log.

    `warning` is what stands first of all, on every page too.
    """

    title: str
    provider: str
    use: str
    made: str
    measures: str
    head: str
    key: str
    at: datetime
    warning: str = ""


def docx(rows: Sequence[Row], about: About) -> bytes:
    """The plan as a Word document, A4 across; every cell is plain text, and nothing in it is a field or a link."""
    from docx import Document

    document = Document()
    _set_up(document, about)
    document.add_heading(about.title, 1)
    if about.warning:
        document.add_paragraph().add_run(about.warning).bold = True
    document.add_paragraph(f"Provider {about.provider}, {about.made}. Use: {about.use}. Counted by {about.measures}.")
    document.add_paragraph(
        "Each figure is counted from the sample of its round: met of those it applies to, with the 95% interval."
    )
    if not rows:
        document.add_paragraph("There is no action yet.")
    else:
        _table(document, rows)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _set_up(document: Any, about: About) -> None:
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm, Pt

    section = document.sections[0]
    section.orientation, (section.page_width, section.page_height) = WD_ORIENT.LANDSCAPE, map(Mm, A4_MM)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(15)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Arial", Pt(10)
    for level in (1, 2):
        _plain_heading(document.styles[f"Heading {level}"])
    known = document.core_properties
    known.title, known.author, known.comments, known.keywords = about.title, about.provider, "", about.key
    known.created = known.modified = about.at.replace(tzinfo=None)
    foot = f"{about.title}. {about.use.capitalize()}. {about.measures}. {about.head}"
    section.footer.paragraphs[0].text = f"{about.warning} {foot}".strip()
    section.footer.paragraphs[0].style.font.size = Pt(8)


def _plain_heading(style: Any) -> None:
    """Arial in black: the fonts and colour of a theme, which an office program puts first, are taken out."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    style.font.name, style.font.color.rgb = "Arial", RGBColor(0x21, 0x2B, 0x32)
    style.paragraph_format.space_before = Pt(0)
    fonts = style.element.rPr.rFonts
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)


def _table(document: Any, rows: Sequence[Row]) -> None:
    from docx.oxml import OxmlElement
    from docx.shared import Mm, Pt

    table = document.add_table(rows=1, cols=len(HEAD), style="Table Grid")
    table.autofit = False
    for column, width in zip(table.columns, WIDTHS_MM, strict=True):
        column.width = Mm(width)
    repeated = OxmlElement("w:tblHeader")
    table.rows[0]._tr.get_or_add_trPr().append(repeated)
    for cells in (HEAD, *map(astuple, rows)):
        line = table.rows[0] if cells is HEAD else table.add_row()
        whole = OxmlElement("w:cantSplit")
        line._tr.get_or_add_trPr().append(whole)
        for at, (cell, text) in enumerate(zip(line.cells, cells, strict=True)):
            cell.width = Mm(WIDTHS_MM[at])
            run = cell.paragraphs[0].add_run(plain(text))
            run.font.size, run.bold = Pt(9), cells is HEAD


def plain(text: str) -> str:
    """A text without the characters that no office file can hold."""
    return _NO_XML.sub("\ufffd", text)
