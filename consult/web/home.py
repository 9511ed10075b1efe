"""The first page of each role, and the health address."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts.people import CLINICIANS
from consult.audit.sampling import baseline_begun
from consult.proforma.days import read
from consult.record import identity, lists
from consult.record.lists import NEWEST, Place
from consult.record.timekeeping import begins
from consult.web import followup
from consult.web.context import inst, person

SHOWN: Final = 20
"""Ended consultations on one page."""


def home() -> Response | str:
    """A clinician's open consultations and the search; others go to what is theirs."""
    if person().role == "administrator":
        return redirect(url_for("admin.settings"))
    if person().role not in CLINICIANS:
        return redirect(url_for("results.overview"))
    conn, me = inst().db.read(), person().id
    open_now, ended = lists.open_of(conn, me), lists.ended_of(conn, me, SHOWN + 1, _before())
    taken = lists.taken_from(conn, me)
    listed = [*open_now, *ended, *(t.summary for t in taken)]
    return render_template(
        "home.html",
        open_now=open_now,
        ended=ended[:SHOWN],
        older=lists.place_of(ended[SHOWN - 1]) if len(ended) > SHOWN else None,
        until=request.args.get("until", ""),
        taken=taken,
        names=identity.employees(conn, [s.employee for s in listed]),
        why_not=inst().why_no_live(person().site),
        waiting=followup.outstanding(),
        left_behind=sum(len(one) for one in followup.left_behind()),
        no_baseline=not baseline_begun(conn, inst().provider),
    )


def _before() -> Place:
    """The place before which the list of ended consultations begins: of a day that was asked for, or of a page."""
    if not (day := read(request.args.get("until", ""))):
        asked = request.args.get("before", "")
        return Place(asked, request.args.get("id", "")) if asked else NEWEST
    try:
        return Place(begins(day + timedelta(days=1)))
    except (OverflowError, ValueError):  # the first and the last day there are have none beside them
        return NEWEST


def tour() -> str:
    """The first-use tour, on one page."""
    return render_template("tour.html")


def health() -> tuple[dict[str, str], int]:
    """Whether the database answers."""
    inst().db.read().execute("SELECT 1").fetchone()
    return {"state": "running"}, 200
