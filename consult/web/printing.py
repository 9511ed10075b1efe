"""How a PDF is sent, and what is said where none can be made."""

from __future__ import annotations

from collections.abc import Mapping

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from consult.documents.leaflet import FORMATS, Format
from consult.documents.pdf import NotSet, Sheet, pdf
from consult.documents.sheets import Made
from consult.documents.words import uk_date
from consult.record.ledger import head
from consult.web.context import content_is_approved, inst


def wants_pdf() -> bool:
    """Whether the address asks for the PDF instead of the page."""
    return request.args.get("as") == "pdf"


def asked_format(sent: Mapping[str, str] | None = None) -> Format:
    """The format of a letter that the address or a form asks for: A4 where none was, or none that there is."""
    return next((f for f in FORMATS if f == (request.args if sent is None else sent).get("format")), "a4")


def shown_format(wanted: str) -> Format:
    """The format that the address asks for, else the one that is wanted, else A4."""
    return asked_format(request.args if request.args.get("format") else {"format": wanted})


def made_now(format_: Format) -> Made:
    """How a paper is printed at this step of the record."""
    step, hash_ = head(inst().db.read())
    return Made(format_, uk_date(inst().today()), step, hash_, not content_is_approved())


def sheet_reply(sheet: Sheet, name: str) -> Response:
    """The sheet as PDF, or a page that says why not and leads to the page to be printed instead."""
    try:
        return pdf_reply(pdf(sheet), name)
    except NotSet as refusal:
        return why_not(refusal)


def pdf_reply(made: bytes, name: str) -> Response:
    """A PDF to be read or printed, under a file name that names nobody."""
    shown = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(made, mimetype="application/pdf", headers=shown)


def why_not(refusal: NotSet) -> Response:
    """The page that says why there is no PDF."""
    page = render_template("refused.html", title="No PDF was made", sentence=str(refusal), onward=request.path)
    return make_response(page, 422)
