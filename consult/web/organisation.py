"""The organisational section: the yearly answers about each site, beside what was published."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.audit import organisation
from consult.audit.organisation import OrganisationQuestion, WrongAnswers
from consult.record import settings
from consult.record.ledger import ChangedSince, Refused, seen_of
from consult.web.context import inst, person
from consult.web.desk import own_key
from consult.web.forms import clean, number
from consult.web.rounds import by

bp = Blueprint("organisation", __name__, url_prefix="/organisation")
About = tuple[str, str, int]
"""A provider, a site and a year."""


@bp.get("")
def index() -> str:
    """The answers of one year, site by site, beside the published figures."""
    conn, section = inst().db.read(), inst().organisation
    told = organisation.answered(conn)
    asked = request.args.get("year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else inst().today().year
    here = {site: one for (provider, site, y), one in told.items() if (provider, y) == (inst().provider, year)}
    figures = {figure.id: figure for figure in inst().benchmarks.figures}
    return render_template(
        "organisation/index.html",
        section=section,
        year=year,
        years=sorted({y for _, _, y in told} | {inst().today().year, inst().today().year - 1, year}, reverse=True),
        sites={code: site for code, site in settings.sites(conn).items() if code in asked_in(year) or code in here},
        told=here,
        figures=figures,
        source=inst().benchmarks.source,
        tally=lambda question: organisation.tally(question, list(here.values())),
        leads=person().role == "audit_lead",
    )


@bp.route("/<site>/<int:year>", methods=["GET", "POST"])
def answer(site: str, year: int) -> Response | str | tuple[str, int]:
    """Answer the questions about one site for one year."""
    section = inst().organisation
    held = organisation.YEARS[0] <= year <= organisation.YEARS[1]
    if not held or site not in asked_in(year) or not section.questions:
        abort(404)
    about = (inst().provider, site, year)
    if request.method != "POST":
        return _page(about)
    given = {q.id: clean(request.form.get(f"q.{q.id}", "")) for q in section.questions}
    try:
        _answered(about, given)
    except WrongAnswers as wrong:
        problems = [(_place(q), wrong.problems[q.id]) for q in section.questions if q.id in wrong.problems]
        return _page(about, given, problems), 422
    except Refused as refusal:
        again = " Open it again, then make your change." if isinstance(refusal, ChangedSince) else ""
        return _page(about, given, [("main", f"{refusal}{again}")]), 409 if again else 422
    return redirect(url_for("organisation.index", year=year))


def _answered(about: About, given: dict[str, str]) -> None:
    digest, seen = inst().content.organisation_digest, number(request.form.get("seen", ""))
    with inst().db.write() as conn:
        organisation.answer(
            conn, inst().organisation, about, given, digest, by(), inst().store.at(), own_key(), max(seen, 0)
        )


def _page(about: About, given: dict[str, str] | None = None, problems: Sequence[tuple[str, str]] = ()) -> str:
    """The form about a site and a year; sent again, it is as old as when it was first shown."""
    conn, (_, site, year) = inst().db.read(), about
    before = organisation.answered(conn).get(about)
    return render_template(
        "organisation/answer.html",
        section=inst().organisation,
        site=settings.sites(conn)[site],
        year=year,
        given=(dict(before.answers) if before else {}) if given is None else given,
        seen=request.form.get("seen", seen_of(organisation.history(conn, about))),
        problems=problems,
        yes_no=organisation.YES_NO,
        before=before,
    )


def asked_in(year: int) -> set[str]:
    """The sites that are asked about a year, by code: those that were not closed before it."""
    conn = inst().db.read()
    closed = settings.closed_sites(conn)
    return {code for code in settings.sites(conn) if code not in closed or closed[code].on.year >= year}


def _place(question: OrganisationQuestion) -> str:
    """The id of the control of a question: of a choice the first there is."""
    return f"q.{question.id}" + (f".{next(iter(organisation.YES_NO))}" if question.kind == "yes_no" else "")
