"""A leaflet on the screen that is turned to the employee: large, with nothing else, and one way back."""

from __future__ import annotations

from flask import abort, render_template, request
from werkzeug.wrappers import Response

from consult.web.context import inst
from consult.web.desk import bp, found, refused, way_back_to


@bp.get("/<consultation_id>/leaflets/<leaflet_id>/shown")
def leaflet_shown(consultation_id: str, leaflet_id: str) -> Response | str:
    """A leaflet to read together. Showing is no step: printed, given and discussed are recorded on their own."""
    found(consultation_id)
    leaflet = inst().leaflets.get((leaflet_id, request.args.get("language", "en")))
    if leaflet is None:
        abort(404)
    back = way_back_to(consultation_id, leaflet)
    if why_not := inst().why_not_print(leaflet):
        return refused(why_not, back, "This leaflet is not shown")
    return render_template("consultations/leaflet_shown.html", leaflet=leaflet, back=back)
