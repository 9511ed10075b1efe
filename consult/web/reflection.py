"""Capture quality: a clinician's own figures to reflect on; the audit lead sees totals, and nobody by name."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, render_template, request

from consult.accounts.people import CLINICIANS
from consult.audit import comparison, quality
from consult.documents import followup
from consult.documents.words import local_time
from consult.record import capture
from consult.web.context import inst, person
from consult.web.rounds import MODES

bp = Blueprint("reflection", __name__, url_prefix="/capture-quality")
A_YEAR = timedelta(days=365)


@bp.get("")
def show() -> str:
    """The figures of a period: one's own for a clinician, and the totals of the service."""
    start, end = _period()
    own = person().role in CLINICIANS
    conn = inst().db.read()
    everybody = list(capture.signed(conn, start, end))
    mine = [one for one in everybody if one.clinician == person().id]
    blocks = [("Your own consultations", _figures(mine), _modes(start, end, person().id))] if own else []
    blocks.append(("The whole service", _figures(everybody), _modes(start, end)))
    decisions, due = followup.listed(inst().store, inst().today(), person().id if own else "")
    return render_template(
        "reflection.html",
        blocks=blocks,
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
    start, end = _date(request.args.get("from", "")), _date(request.args.get("to", ""))
    return (start or today - A_YEAR).isoformat(), (end or today).isoformat()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _figures(captured: list[capture.Captured]) -> quality.Quality:
    return quality.quality(captured, lambda at: local_time(at).date())


def _modes(start: str, end: str, clinician: str = "") -> dict[str, int]:
    return quality.by_mode(inst().db.read(), inst().provider, start, end, clinician)
