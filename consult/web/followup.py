"""Follow-up for the clinician: urgent decisions until their outcome is known, adjustments past their review date."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts import people
from consult.documents import followup
from consult.documents.followup import DueReview, UrgentDecision
from consult.record import identity, own
from consult.record.consultation import Consultation
from consult.record.ledger import Refused
from consult.web import guard
from consult.web.context import inst, person, who
from consult.web.desk import found, listed_employees, own_key, refused
from consult.web.forms import number, typed

SHOWN: Final = 30
"""Consultations of which what was filled in is still listed; what waits is always listed."""

bp = Blueprint("followup", __name__, url_prefix="/follow-up")


def outstanding() -> int:
    """How many of one's own decisions and adjustments wait for a word."""
    decisions, due = followup.listed(inst().store, inst().today(), person().id, open_only=True)
    return sum(one.open for one in decisions) + sum(one.open for one in due)


def left() -> frozenset[str]:
    """The clinicians who have left: those who may no longer sign in."""
    return frozenset(p.id for p in people.people(inst().db.read()) if p.clinician and not p.active)


def left_behind() -> tuple[list[UrgentDecision], list[DueReview]]:
    """What those who have left have not filled in: every clinician sees to it, but for what is about themselves."""
    decisions, due = followup.left_behind(inst().store, inst().today(), sorted(left()))
    if not own.of_person(inst().db.read(), person().id):
        return decisions, due
    return [one for one in decisions if not _own(one)], [one for one in due if not _own(one)]


def _own(one: UrgentDecision | DueReview) -> bool:
    return guard.is_own(one.consultation.started["employee"])


def _own_or_left(consultation_id: str) -> Consultation:
    """A consultation of one's own, or of a clinician who has left; 404 for any other."""
    consultation = inst().store.consultation(consultation_id)
    return consultation if consultation is not None and consultation.owner in left() else found(consultation_id)


@bp.get("")
def index() -> str:
    """What waits for a word, what waits longest first, and what was filled in; below it what those who left did not."""
    waiting = followup.listed(inst().store, inst().today(), person().id, open_only=True)
    recent = followup.listed(inst().store, inst().today(), person().id, newest=SHOWN)
    decisions = [one for one in waiting[0] if one.open] + [one for one in recent[0] if not one.open]
    due = [one for one in waiting[1] if one.open] + [one for one in recent[1] if not one.open]
    decisions_left, due_left = left_behind()
    theirs: list[UrgentDecision | DueReview] = [*decisions_left, *due_left]
    employees = [one.consultation.started["employee"] for one in [*decisions, *due, *theirs]]
    listed_employees((one.consultation.started["employee"] for one in theirs), "left_behind")
    return render_template(
        "followup.html",
        decisions=sorted(decisions, key=lambda one: (not one.open, one.decision.seq)),
        due=sorted(due, key=lambda one: (not one.open, one.due)),
        decisions_left=sorted(decisions_left, key=lambda one: one.decision.seq),
        due_left=sorted(due_left, key=lambda one: one.due),
        newest=SHOWN,
        arrivals=followup.ARRIVALS,
        reviews=followup.REVIEWS,
        names=identity.employees(inst().db.read(), employees),
    )


@bp.post("/<consultation_id>/decisions")
def decision(consultation_id: str) -> Response:
    """Record what became of an urgent decision."""
    consultation, step = _own_or_left(consultation_id), number(request.form.get("decision", ""))
    try:
        outcome = request.form.get("outcome", "")
        followup.follow_up(inst().store, consultation.id, step, outcome, typed("text"), own_key(), who(), left())
    except Refused as refusal:
        return refused(str(refusal), url_for("followup.index"))
    return redirect(url_for("followup.index"))


@bp.post("/<consultation_id>/reviews")
def review(consultation_id: str) -> Response:
    """Record what the review of an adjustment said."""
    consultation = _own_or_left(consultation_id)
    question, outcome = request.form.get("question", ""), request.form.get("outcome", "")
    try:
        followup.review(inst().store, consultation.id, question, outcome, typed("text"), own_key(), who(), left())
    except Refused as refusal:
        return refused(str(refusal), url_for("followup.index"))
    return redirect(url_for("followup.index"))
