"""The leaflets on screen, in print and as PDF: those in use, and by digest the very text that was given."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.documents.given import SHORT, by_short
from consult.documents.leaflet import FORMAT_LABELS, Format, Leaflet
from consult.documents.leaflet_pdf import Look, foot_of, leaflet_pdf
from consult.documents.leaflet_text import picture_address
from consult.documents.pdf import NotSet, Picture
from consult.documents.qr import code_for
from consult.documents.words import uk_date
from consult.web.context import inst
from consult.web.printing import pdf_reply, wants_pdf, why_not

AnyReply = Response | str | tuple[str, int]

bp = Blueprint("leaflets", __name__, url_prefix="/leaflets")


@bp.get("")
def index() -> str:
    """The leaflets in use."""
    return render_template(
        "leaflets/index.html",
        leaflets=inst().leaflets.values(),
        given=inst().approvals,
        why_not={item.digest: inst().why_not_print(item) for item in inst().leaflets.values()},
        labels=FORMAT_LABELS,
    )


@bp.get("/<leaflet_id>")
def show(leaflet_id: str) -> AnyReply:
    """One leaflet, ready to print; past its review date it is refused."""
    leaflet = inst().leaflets.get((leaflet_id, request.args.get("language", "en")))
    if leaflet is None:
        abort(404)
    format_ = leaflet_format(leaflet, request.args.get("format", ""))
    if why_not := inst().why_not_print(leaflet):
        return render_template("refused.html", title="This leaflet is not printed", sentence=why_not), 409
    return printed(leaflet, format_)


@bp.get("/text/<leaflet_id>/<short>")
def read(leaflet_id: str, short: str) -> AnyReply:
    """The very text of a printed leaflet, for whoever holds it: what its code leads to, without a sign-in.

    A leaflet is made to be given away and names nobody; whoever scans the code has no account here.
    """
    leaflet = by_short(inst().db.read(), leaflet_id, short)
    if leaflet is None:
        abort(404)
    return printed(leaflet, leaflet_format(leaflet, request.args.get("format", "")), notice=_not_current(leaflet))


def _not_current(leaflet: Leaflet) -> str:
    now = inst().leaflets.get((leaflet.id, leaflet.language))
    if now is None or now.digest != leaflet.digest:
        return "This is the text that was given to you. There is a newer one by now: ask the service for it."
    if inst().why_not_print(leaflet):
        return "This is the text that was given to you. It is due to be looked at again: ask the service about it."
    return ""


def leaflet_format(leaflet: Leaflet, wanted: str) -> Format:
    """The format wanted ("": the first there is); 404 where the leaflet does not have it."""
    found = next((f for f in leaflet.formats if f == (wanted or leaflet.formats[0])), None)
    if found is None:
        abort(404)
    return found


def printed(leaflet: Leaflet, format_: Format, *, reprint: str = "", notice: str = "") -> AnyReply:
    """A leaflet as the address asks for it: a page, or with as=pdf a PDF."""
    approval = inst().approvals.get(leaflet.digest)
    printed_on, code = uk_date(inst().today()), code_of(leaflet)
    if wants_pdf():
        approved_by = approval.name if approval else leaflet.approved_by
        look = Look(format_, printed_on, approval is None, approved_by, code, reprint)
        try:
            made = leaflet_pdf(leaflet, look)
        except NotSet as refusal:
            return why_not(refusal)
        return pdf_reply(made, f"{leaflet.id}-{leaflet.language}-{leaflet.version}-{format_}")
    return render_template(
        "leaflet_page.html",
        leaflet=leaflet,
        icon=url_for("static", filename="icon.svg"),
        html=leaflet.html,
        format=format_,
        draft=approval is None,
        printed_on=printed_on,
        printing=bool(request.args.get("printing")),
        reprint=reprint,
        notice=notice,
        code=code,
        code_image=picture_address(code.svg) if code else "",
        foot=foot_of(leaflet, printed_on),
        query=f"language={leaflet.language}&" if "language" in request.args else "",
    )


def code_of(leaflet: Leaflet) -> Picture | None:
    """The QR code to this very text on this server."""
    scheme = "https" if inst().behind_tls else request.scheme
    path = url_for("leaflets.read", leaflet_id=leaflet.id, short=leaflet.digest[:SHORT])
    return code_for(f"{scheme}://{request.host}{path}")
