"""The incident log of the tool: who signs in notes what went wrong; lead and administrator add what was done."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from msgspec.structs import asdict
from werkzeug.wrappers import Response

from consult.record import incidents
from consult.record.incidents import Incident
from consult.record.ledger import ChangedSince, Refused
from consult.web.context import inst
from consult.web.desk import BESIDE, STANDS, own_key, seen_here, without_a_name
from consult.web.forms import number, typed
from consult.web.rounds import by

TEXTS = {
    "what": "What happened",
    "effect": "What came of it",
    "done": "What was done (blank while nothing was yet)",
}

bp = Blueprint("incidents", __name__, url_prefix="/incidents")


@bp.get("")
def index() -> str:
    """Every incident of the tool, the newest first, with a form for another."""
    return _page()


@bp.post("")
def note() -> Response | tuple[str, int]:
    """Note an incident."""
    return _noted(None)


@bp.route("/<incident_id>", methods=["GET", "POST"])
def change(incident_id: str) -> Response | str | tuple[str, int]:
    """Change what is noted of an incident, such as what was done about it."""
    one = incidents.incidents(inst().db.read()).get(incident_id)
    if one is None:
        abort(404)
    return _noted(one) if request.method == "POST" else _page(changing=one)


def _noted(one: Incident | None) -> Response | tuple[str, int]:
    try:
        id_, day = one.id if one else "", request.form.get("happened_on", "")
        said, reason = Incident(id_, day, typed("what"), typed("effect"), typed("done")), typed("reason")
        without_a_name(what=said.what, effect=said.effect, done=said.done, reason=reason)
        with inst().db.write() as conn:
            seen = number(request.form.get("seen", ""))
            incidents.note(conn, said, by(), inst().today(), inst().store.at(), own_key(), reason, seen)
    except ChangedSince as refusal:
        stands = incidents.incidents(inst().db.read())[id_]
        return _page(f"{refusal} {BESIDE}", STANDS, stands, beside=True), 409
    except Refused as refusal:
        return _page(str(refusal), refusal.field, one), 422
    return redirect(url_for("incidents.index"))


def _page(problem: str = "", wrong: str = "", changing: Incident | None = None, beside: bool = False) -> str:
    """The log with its form; `beside` shows what stands now beside what was typed."""
    return render_template(
        "incidents.html",
        held=list(incidents.newest_first(inst().db.read())),
        problem=problem,
        wrong=wrong,
        changing=changing,
        beside=beside,
        seen=seen_here(changing.history, beside) if changing else "",
        texts=TEXTS,
        today=inst().today(),
        given=dict(request.form) if request.method == "POST" else asdict(changing) if changing else {},
    )
