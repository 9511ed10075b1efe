"""Actions of the audit: the list, one with its steps, and (for the audit lead) making, changing and moving them on.

What counts for the plan is read when it is asked for: a start can do without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for
from msgspec.structs import asdict
from werkzeug.wrappers import Response

from consult.accounts import people
from consult.audit import actions, rounds
from consult.audit.actions import Action, Wanted
from consult.audit.rounds import Round
from consult.record import settings
from consult.record.ledger import ChangedSince, Refused
from consult.web.context import inst
from consult.web.desk import BESIDE, STANDS, own_key, refused, seen_here, without_a_name
from consult.web.forms import number, typed
from consult.web.rounds import by, leads

if TYPE_CHECKING:
    from consult.planning import Planned

bp = Blueprint("actions", __name__, url_prefix="/actions")
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def found(action_id: str) -> Action:
    """The action of an address; 404 if there is none."""
    one = actions.actions(inst().db.read()).get(action_id)
    if one is None:
        abort(404)
    return one


def asked_round() -> Round | None:
    """The round that the address asks for; None for all of them, 404 if there is no such round."""
    if not (asked := request.args.get("round", "")):
        return None
    one = rounds.rounds(inst().db.read()).get(asked)
    if one is None or one.withdrawn:
        abort(404)
    return one


@bp.get("")
def index() -> str:
    """The action plan: every action, or those that one round shows."""
    from consult import planning

    one = asked_round()
    with inst().db.snapshot() as conn:
        shown = planning.plan(inst(), conn, one)
        known = list(rounds.standing(conn))
    return render_template(
        "actions/index.html",
        open_=[p for p in shown if p.action.open],
        ended=[p for p in shown if not p.action.open],
        round=one,
        rounds=known,
        states=actions.STATES,
        today=inst().today(),
        leads=leads(),
    )


@bp.get("/plan.docx")
def plan() -> Response:
    """The action plan as a text document: internal, or as it may leave the provider."""
    from consult import planning

    one, leaving = asked_round(), request.args.get("copy") == "leaving"
    with inst().db.snapshot() as conn:
        content = planning.document(inst(), conn, one, leaves=leaving)
    name = f"{'leaving' if leaving else 'internal'}-action-plan.docx"
    return Response(content, mimetype=DOCX, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@bp.route("/new", methods=["GET", "POST"])
def new() -> Response | str | tuple[str, int]:
    """Make an action about a gap."""
    return _edit(None)


@bp.get("/<action_id>")
def show(action_id: str) -> str:
    """One action with everything that was ever said of it."""
    one = found(action_id)
    conn = inst().db.read()
    return render_template(
        "actions/show.html",
        planned=_planned(one),
        states=actions.STATES,
        moves=[state for state in actions.STATES if state in actions.MOVES[one.state]],
        may_reaudit=actions.may_reaudit(rounds.standing(conn), one),
        rounds=rounds.rounds(conn),
        today=inst().today(),
        leads=leads(),
    )


def _planned(one: Action) -> Planned:
    from consult import planning

    with inst().db.snapshot() as conn:
        return next(p for p in planning.plan(inst(), conn, None) if p.action.id == one.id)


@bp.route("/<action_id>/change", methods=["GET", "POST"])
def change(action_id: str) -> Response | str | tuple[str, int]:
    """Change an action, with the reason."""
    return _edit(found(action_id))


def _edit(one: Action | None) -> Response | str | tuple[str, int]:
    problem, wrong, code, beside, known = "", "", 200, False, one.id if one else ""
    if request.method == "POST":
        try:
            wanted, reason = _wanted(one), typed("reason")
            without_a_name(**{name: getattr(wanted, name) for name in (*actions.TEXTS, "post")}, reason=reason)
            with inst().db.write() as conn:
                seen = number(request.form.get("seen", ""))
                id_ = actions.set_action(conn, wanted, by(), inst().store.at(), own_key(), known, reason, seen)
            return redirect(url_for("actions.show", action_id=id_))
        except ChangedSince as refusal:
            problem, wrong, one, code, beside = f"{refusal} {BESIDE}", STANDS, found(known), 409, True
        except Refused as refusal:
            problem, wrong, code = str(refusal), refusal.field, 422
    conn = inst().db.read()
    page = render_template(
        "actions/edit.html",
        action=one,
        problem=problem,
        wrong=wrong,
        beside=_planned(one) if beside and one else None,
        seen=seen_here(one.history, beside) if one else "",
        given=_given(one),
        measure_names=[(m.id, m.title) for m in inst().measures.measures],
        round_names=[(r.id, r.name) for r in rounds.standing(conn)],
        site_names=[(code, site.name) for code, site in settings.sites(conn).items()],
        person_names=[(p.id, f"{p.name}, {p.role_label.lower()}") for p in people.people(conn) if p.active],
    )
    return (page, code) if problem else page


def _wanted(one: Action | None) -> Wanted:
    measure, owner = request.form.get("measure", ""), request.form.get("owner", "")
    site = request.form.get("site", "")
    conn = inst().db.read()
    if one is None and measure not in inst().measures.by_id:
        raise Refused("Choose the measure that shows the gap.", "measure")
    if owner and people.person(conn, owner) is None:
        raise Refused("Choose the owner from the list, or write a post.", "owner")
    if site and site not in settings.sites(conn):
        raise Refused("Choose a site from the list, or all sites.", "site")
    return Wanted(
        measure=measure,
        round=request.form.get("round", ""),
        site=site,
        cause=typed("cause"),
        what=typed("what"),
        owner=owner,
        post=typed("post"),
        due=request.form.get("due", ""),
        evidence=typed("evidence"),
    )


def _given(one: Action | None) -> dict[str, str]:
    """What the fields of the form hold: what was sent, what the address names, or the action as it is."""
    if request.method == "POST":
        return {name: request.form[name] for name in request.form}
    if one is not None:
        return asdict(one.wanted)
    return {name: request.args[name] for name in ("measure", "round", "site") if name in request.args}


@bp.post("/<action_id>/move")
def move(action_id: str) -> Response:
    """Say that an action is under way, done, closed after a re-audit, given up, or taken up again."""
    one, text = found(action_id), ""
    back = url_for("actions.show", action_id=one.id)
    try:
        text = typed("text")
        without_a_name(text=text)
        with inst().db.write() as conn:
            state, reaudit = request.form.get("state", ""), request.form.get("reaudit", "")
            actions.move(conn, one.id, state, text, reaudit, by(), inst().store.at(), own_key())
    except Refused as refusal:
        return refused(str(refusal), back)
    return redirect(back)
