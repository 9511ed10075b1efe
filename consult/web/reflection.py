"""Capture quality: a clinician's own figures to reflect on; the audit lead sees totals, and nobody by name."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template, request

from consult.accounts.people import CLINICIANS
from consult.audit import comparison, quality
from consult.audit.own import FEWEST
from consult.documents import followup
from consult.documents.words import local_time
from consult.proforma.days import day_in
from consult.record import capture
from consult.web.context import inst, person
from consult.web.rounds import MODES

bp = Blueprint("reflection", __name__, url_prefix="/capture-quality")
A_YEAR = timedelta(days=365)


@bp.get("")
def show() -> str:
    """The figures of a period: one's own for a clinician, the totals of the service for the audit lead."""
    start, end = _period()
    own = person().role in CLINICIANS
    whose = person().id if own else ""
    captured = list(capture.signed(inst().db.read(), start, end, whose))
    withheld = not own and 0 < len({one.clinician for one in captured}) < FEWEST
    decisions, due = followup.listed(inst().store, inst().today(), whose)
    return render_template(
        "reflection.html",
        withheld=withheld,
        fewest=FEWEST,
        q=_figures(captured),
        kinds=_modes(start, end, whose),
        start=start,
        end=end,
        own=own,
        modes=MODES,
        percent=comparison.percent,
        open_decisions=sum(one.open for one in decisions),
        decisions=len(decisions),
        open_reviews=sum(one.open for one in due),
        reviews=len(due),
    )


def _period() -> tuple[str, str]:
    """The period asked for; the last year where none is, or one that is no date."""
    today = inst().today()
    start, end = day_in(request.args.get("from", "")), day_in(request.args.get("to", ""))
    return (start or today - A_YEAR).isoformat(), (end or today).isoformat()


def _figures(captured: list[capture.Captured]) -> quality.Quality:
    return quality.quality(captured, lambda at: local_time(at).date())


def _modes(start: str, end: str, clinician: str = "") -> dict[str, int]:
    return quality.by_mode(inst().db.read(), inst().provider, start, end, clinician)
