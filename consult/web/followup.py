"""Follow-up for the clinician: urgent decisions until their outcome is known, adjustments past their review date."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.documents import followup
from consult.record import identity
from consult.record.ledger import Refused
from consult.web.context import inst, person, who
from consult.web.desk import found, own_key, refused
from consult.web.forms import typed

bp = Blueprint("followup", __name__, url_prefix="/follow-up")


def outstanding() -> int:
    """How many of one's own decisions and adjustments wait for a word."""
    decisions, due = followup.listed(inst().store, inst().today(), person().id, open_only=True)
    return sum(one.open for one in decisions) + sum(one.open for one in due)


@bp.get("")
def index() -> str:
    """What waits for a word, and what was filled in."""
    decisions, due = followup.listed(inst().store, inst().today(), person().id)
    employees = [one.consultation.started["employee"] for one in decisions]
    employees += [one.consultation.started["employee"] for one in due]
    return render_template(
        "followup.html",
        decisions=sorted(decisions, key=lambda one: not one.open),
        due=sorted(due, key=lambda one: (not one.open, one.due)),
        arrivals=followup.ARRIVALS,
        reviews=followup.REVIEWS,
        names=identity.employees(inst().db.read(), employees),
    )


@bp.post("/<consultation_id>/decisions")
def decision(consultation_id: str) -> Response:
    """Record what became of an urgent decision."""
    consultation, seq = found(consultation_id), request.form.get("decision", "")
    number = int(seq) if seq.isascii() and seq.isdigit() and len(seq) < 18 else 0
    try:
        outcome = request.form.get("outcome", "")
        followup.follow_up(inst().store, consultation.id, number, outcome, typed("text"), own_key(), who())
    except Refused as refusal:
        return refused(str(refusal), url_for("followup.index"))
    return redirect(url_for("followup.index"))


@bp.post("/<consultation_id>/reviews")
def review(consultation_id: str) -> Response:
    """Record what the review of an adjustment said."""
    consultation = found(consultation_id)
    question, outcome = request.form.get("question", ""), request.form.get("outcome", "")
    try:
        followup.review(inst().store, consultation.id, question, outcome, typed("text"), own_key(), who())
    except Refused as refusal:
        return refused(str(refusal), url_for("followup.index"))
    return redirect(url_for("followup.index"))
