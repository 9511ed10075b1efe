"""The organisational section: the yearly answers about each site, beside what was published."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.audit import organisation
from consult.audit.organisation import Answered, OrganisationQuestion, WrongAnswers
from consult.record import settings
from consult.record.ledger import Refused
from consult.web.context import inst, person
from consult.web.desk import own_key
from consult.web.forms import clean
from consult.web.rounds import by

bp = Blueprint("organisation", __name__, url_prefix="/organisation")


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
    conn, section = inst().db.read(), inst().organisation
    known = settings.sites(conn)
    if (
        site not in asked_in(year)
        or not organisation.YEARS[0] <= year <= organisation.YEARS[1]
        or not section.questions
    ):
        abort(404)
    about = (inst().provider, site, year)
    before: Answered | None = organisation.answered(conn).get(about)
    given = dict(before.answers) if before else {}
    problems: list[tuple[str, str]] = []
    if request.method == "POST":
        given = {q.id: clean(request.form.get(f"q.{q.id}", "")) for q in section.questions}
        try:
            with inst().db.write() as writing:
                digest = inst().content.organisation_digest
                organisation.answer(writing, section, about, given, digest, by(), inst().store.at(), own_key())
            return redirect(url_for("organisation.index", year=year))
        except WrongAnswers as wrong:
            problems = [(_place(q), wrong.problems[q.id]) for q in section.questions if q.id in wrong.problems]
        except Refused as refusal:
            problems = [("main", str(refusal))]
    page = render_template(
        "organisation/answer.html",
        section=section,
        site=known[site],
        year=year,
        given=given,
        problems=problems,
        yes_no=organisation.YES_NO,
        before=before,
    )
    return (page, 422) if problems else page


def asked_in(year: int) -> set[str]:
    """The sites that are asked about a year, by code: those that were not closed before it."""
    conn = inst().db.read()
    closed = settings.closed_sites(conn)
    return {code for code in settings.sites(conn) if code not in closed or closed[code].on.year >= year}


def _place(question: OrganisationQuestion) -> str:
    """The id of the control of a question: of a choice the first there is."""
    return f"q.{question.id}" + (f".{next(iter(organisation.YES_NO))}" if question.kind == "yes_no" else "")
