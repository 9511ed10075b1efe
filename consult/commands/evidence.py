"""The command that makes evidence: packs, MoHaWK figures, the audit report, slides and the action plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from consult import planning
from consult.accounts import people
from consult.audit.rounds import Round
from consult.commands.place import (
    EXIT_CODES,
    Place,
    fail,
    hand_out,
    not_there,
    on_instance,
    opened,
    pass_place,
    progress,
)
from consult.commands.rounds import one_round
from consult.documents import deck as deck_page
from consult.documents import evidence as papers
from consult.documents import slides as slide_file
from consult.documents.evidence import Part
from consult.evidence import indicators, own_figures, report, seqohs, slides
from consult.evidence.moment import Made, Moment
from consult.exchange.sheets import csv_records
from consult.instance import Instance, only_for_me
from consult.record.database import Connection

FORMATS = {
    "seqohs": ("html", "pdf"),
    "cpd": ("html", "pdf"),
    "mohawk": ("html", "pdf", "csv"),
    "report": ("html", "pdf"),
    "slides": ("pptx", "html"),
    "plan": ("docx",),
}
"""In what each paper can be had; the first is what is made if none is asked for."""


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.argument("kind", type=click.Choice(list(FORMATS)))
@click.option("--round", "round_", default="", metavar="ROUND", help="The round, by its id or name.")
@click.option("--site", default="", help="Only this site (report).")
@click.option("--person", default="", metavar="NAME", help="The sign-in name of the clinician (cpd).")
@click.option("--leaving", is_flag=True, help="The plan as it may leave the provider (plan).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "pdf", "csv", "pptx", "docx"]),
    default=None,
    help="A page that needs nothing else (html), a tagged PDF, the indicators alone (csv, mohawk), slides to edit "
    "(pptx) or a text document (docx, plan). By default html, of slides pptx, of the plan docx.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default="-", help="Write to this file.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@pass_place
def evidence(
    place: Place,
    /,
    kind: str,
    round_: str,
    site: str,
    person: str,
    leaving: bool,
    form: str | None,
    output: Path,
    force: bool,
) -> None:
    """Make a paper of evidence from the record as it is now: seqohs, cpd, mohawk, report, slides or plan.

    seqohs, mohawk and slides are made to leave the provider: the whole service, from 10 cases on, small numbers of
    groups withheld, and nobody named but who approved content. The report is internal, and so is the action plan unless
    it is asked for with --leaving. Of cpd, the figures are of the clinician's own live cases only, and the boxes for
    reflection are always empty.
    """
    chosen = form or FORMATS[kind][0]
    _check(kind, round_, site, person, leaving, chosen)
    if not force:
        not_there(output)
    with opened(place) as instance, only_for_me(), instance.db.snapshot() as conn:
        of = one_round(conn, round_) if round_ else None
        hand_out(output, _content(instance, conn, kind, of, site, person, leaving, chosen))


def _content(
    instance: Instance, conn: Connection, kind: str, of: Round | None, site: str, person: str, leaving: bool, form: str
) -> bytes:
    if kind == "plan":
        return planning.document(instance, conn, of, leaves=leaving)
    if of and kind == "slides":
        deck = slides.deck(instance, conn, of)
        return deck_page.html(deck).encode() if form == "html" else slide_file.pptx(deck, instance.clock())
    if of and form == "csv":
        return "".join(csv_records(indicators.mohawk_sheet(Moment(instance, conn, of, leaves=True)))).encode()
    made = _made(instance, conn, kind, of, site, person)
    with progress(len(made.paper.titles), "Parts") as done:
        write = papers.pdf if form == "pdf" else _html
        return write(made.paper, told(made, done))


def _html(paper: papers.Paper, parts: Iterator[Part]) -> bytes:
    return papers.html(paper, parts).encode()


def told(made: Made, done: Callable[[int], None]) -> Iterator[Part]:
    """The parts of a paper; `done` hears of each once it was taken up."""
    for part in made.parts:
        yield part
        done(1)


def _check(kind: str, round_: str, site: str, person: str, leaving: bool, form: str) -> None:
    if kind not in ("cpd", "plan") and not round_:
        raise click.UsageError("Name the round with --round.")
    if site and kind != "report":
        raise click.UsageError("--site is for report: nothing of one site leaves the provider.")
    if bool(person) != (kind == "cpd"):
        raise click.UsageError("--person is for cpd, which needs it.")
    if leaving and kind != "plan":
        raise click.UsageError("--leaving is for plan; what else may leave is made so already.")
    if form not in FORMATS[kind]:
        raise click.UsageError(f"{kind} can be had as {' or '.join(FORMATS[kind])}.")


def _made(instance: Instance, conn: Connection, kind: str, of: Round | None, site: str, person: str) -> Made:
    if kind == "cpd":
        known = people.by_username(conn, person)
        if known is None:
            fail(f"Nobody signs in as {person}; `consult person list` names everybody.")
        return own_figures.cpd(instance, conn, known, of)
    if of is None:
        fail("Name the round with --round.")
    if kind == "report":
        if site and site not in instance.sites:
            fail(f"There is no site {site}; the sites are: {', '.join(instance.sites)}.")
        return report.report(Moment(instance, conn, of, site))
    return seqohs.seqohs(instance, conn, of) if kind == "seqohs" else indicators.mohawk(instance, conn, of)
