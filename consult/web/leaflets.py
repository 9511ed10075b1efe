"""The leaflets on screen and in print."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request, url_for

from consult.documents.words import uk_date
from consult.web.context import inst

bp = Blueprint("leaflets", __name__, url_prefix="/leaflets")


@bp.get("")
def index() -> str:
    """The leaflets in use."""
    return render_template("leaflets/index.html", leaflets=inst().leaflets.values(), given=inst().approvals)


@bp.get("/<leaflet_id>")
def show(leaflet_id: str) -> str | tuple[str, int]:
    """One leaflet, ready to print; past its review date it is refused."""
    leaflet = inst().leaflets.get((leaflet_id, request.args.get("language", "en")))
    format_ = request.args.get("format", "a4")
    if leaflet is None or format_ not in leaflet.formats:
        abort(404)
    if why_not := leaflet.may_print(inst().today()) or leaflet.moved_on(inst().leaflets):
        return render_template("refused.html", title="This leaflet is not printed", sentence=why_not), 409
    return render_template(
        "leaflet_page.html",
        leaflet=leaflet,
        icon=url_for("static", filename="icon.svg"),
        html=leaflet.html,
        format=format_,
        draft=leaflet.digest not in inst().approvals,
        printed_on=uk_date(inst().today()),
        printing=bool(request.args.get("printing")),
    )
