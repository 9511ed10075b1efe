"""Evidence as pages: each pack in two clicks, growing part by part while it is made, and the same as PDF or CSV.

What makes a paper is read with the first that is asked for: it is much, and no consultation needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, render_template, request, stream_with_context, url_for

from consult.accounts.people import CLINICIANS
from consult.audit import rounds
from consult.audit.rounds import Round
from consult.evidence import EvidenceRefused
from consult.exchange.sheets import csv_records
from consult.record import settings
from consult.record.database import Connection
from consult.web.context import inst, person
from consult.web.rounds import found, leads, not_told

if TYPE_CHECKING:
    from consult.evidence.moment import Made

bp = Blueprint("evidence", __name__, url_prefix="/evidence")
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


@bp.errorhandler(EvidenceRefused)
def _refused(refusal: Exception) -> tuple[str, int]:
    return render_template("refused.html", title="No paper was made", sentence=str(refusal)), 409


@bp.get("")
def index() -> str:
    """What evidence there is, a link each."""
    from consult.evidence.own_figures import live_rounds

    conn, clinician = inst().db.read(), person().role in CLINICIANS
    return render_template(
        "evidence/index.html",
        rounds=list(rounds.standing(conn)),
        sites=settings.sites(conn),
        leads=leads(),
        clinician=clinician,
        own=live_rounds(inst(), conn) if clinician else [],
    )


@bp.get("/rounds/<round_id>/<any('seqohs','mohawk'):pack>")
def pack(round_id: str, pack: str) -> Response:
    """A pack of a round as it may leave the provider."""
    from consult.evidence import indicators, seqohs

    one, make = found(round_id), {"seqohs": seqohs.seqohs, "mohawk": indicators.mohawk}[pack]
    return _sent(lambda conn: make(inst(), conn, one), f"leaving-{pack}")


@bp.get("/rounds/<round_id>/indicators.csv")
def indicators(round_id: str) -> Response:
    """The MoHaWK figures of a round as CSV, as they may leave the provider."""
    from consult.evidence.indicators import mohawk_sheet
    from consult.evidence.moment import Moment

    one = found(round_id)
    with inst().db.snapshot() as conn:
        gone = not_told().get(one.id, frozenset()) if person().outside else frozenset()
        text = "".join(csv_records(mohawk_sheet(Moment(inst(), conn, one, leaves=True), gone)))
    headers = {"Content-Disposition": 'attachment; filename="leaving-indicators.csv"'}
    return Response(text, mimetype="text/csv", headers=headers)


@bp.get("/rounds/<round_id>/report")
def report(round_id: str) -> Response:
    """The audit report of a round, at one site or all; internal."""
    from consult.evidence import report as audit_report
    from consult.evidence.moment import Moment

    one, site = found(round_id), request.args.get("site", "")
    if site and site not in settings.sites(inst().db.read()):
        abort(404)
    return _sent(lambda conn: audit_report.report(Moment(inst(), conn, one, site)), "internal-audit-report")


@bp.get("/rounds/<round_id>/slides")
def deck(round_id: str) -> Response:
    """The slides of a round as a page, as they may leave the provider."""
    from consult.documents import deck as deck_page
    from consult.evidence import slides as slides_of_round

    one = found(round_id)
    with inst().db.snapshot() as conn:
        made = slides_of_round.deck(inst(), conn, one)
    onward = [(url_for("evidence.index"), "Evidence")]
    for name, words in (("slides.pptx", "To edit (.pptx)"), ("slides.html", "To take along (one page, .html)")):
        onward.append((url_for("evidence.slides", round_id=round_id, slides_name=name), words))
    shown = deck_page.pieces(made, lambda name: url_for("static", filename=name), tuple(onward))
    return Response("".join(shown), mimetype="text/html")


@bp.get("/rounds/<round_id>/<any('slides.pptx','slides.html'):slides_name>")
def slides(round_id: str, slides_name: str) -> Response:
    """The slides of a round as a presentation, or as a page that needs nothing else."""
    from consult.documents import deck as deck_page
    from consult.documents import slides as slide_file
    from consult.evidence import slides as slides_of_round

    one = found(round_id)
    with inst().db.snapshot() as conn:
        made = slides_of_round.deck(inst(), conn, one)
    headers = {"Content-Disposition": f'attachment; filename="leaving-{slides_name}"'}
    if slides_name.endswith("html"):
        return Response(deck_page.html(made), mimetype="text/html", headers=headers)
    return Response(slide_file.pptx(made, inst().clock()), mimetype=PPTX, headers=headers)


@bp.get("/own")
def own() -> Response:
    """The figures of one's own live cases, with the form of the profession."""
    from consult.evidence import own_figures

    asked = request.args.get("round", "")
    one: Round | None = found(asked) if asked else None
    return _sent(lambda conn: own_figures.cpd(inst(), conn, person(), one), "own-figures")


def _sent(make: Callable[[Connection], Made], name: str) -> Response:
    """A paper as a PDF, or as a page that is sent part by part as it is made."""
    from consult.documents import evidence as papers
    from consult.evidence.moment import mapping

    mapping(inst())  # what a paper is made of is read part by part, and refused before anything is sent
    if request.args.get("format") == "pdf":
        with inst().db.snapshot() as conn:
            made = make(conn)
            content = papers.pdf(made.paper, made.parts)
        headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
        return Response(content, mimetype="application/pdf", headers=headers)
    with inst().db.snapshot() as conn:
        make(conn)  # what is refused is refused before anything is sent
    return Response(stream_with_context(_pieces(make)), mimetype="text/html")


def _pieces(make: Callable[[Connection], Made]) -> Iterator[str]:
    from consult.documents import evidence as papers

    args = {name: request.args[name] for name in ("site", "round") if name in request.args}
    query = urlencode({**args, "format": "pdf"})
    as_pdf = f"{request.path}?{query}"
    onward = [(url_for("evidence.index"), "Evidence"), (as_pdf, "As a PDF")]
    with inst().db.snapshot() as conn:
        made = make(conn)
        yield from papers.pieces(made.paper, made.parts, url_for("static", filename="evidence.css"), onward)
