"""Commands that make evidence: packs for SEQOHS and for appraisal, MoHaWK figures, and the audit report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from consult.accounts import people
from consult.audit.rounds import Round
from consult.commands.cases import hand_out, not_there
from consult.commands.place import EXIT_CODES, Place, fail, on_instance, opened, pass_place, progress
from consult.commands.rounds import one_round
from consult.documents import evidence as papers
from consult.documents.evidence import Part
from consult.evidence import indicators, own_figures, report, seqohs
from consult.evidence.moment import Made, Moment
from consult.exchange.sheets import csv_records
from consult.instance import Instance, only_for_me
from consult.record.database import Connection

KINDS = ("seqohs", "cpd", "mohawk", "report")


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--round", "round_", default="", metavar="ROUND", help="The round, by its id or name.")
@click.option("--site", default="", help="Only this site (report).")
@click.option("--person", default="", metavar="NAME", help="The sign-in name of the clinician (cpd).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "pdf", "csv"]),
    default="html",
    show_default=True,
    help="A page that needs nothing else, a tagged PDF, or the indicators alone (mohawk).",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default="-", help="Write to this file.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@pass_place
def evidence(
    place: Place, /, kind: str, round_: str, site: str, person: str, form: str, output: Path, force: bool
) -> None:
    """Make a paper of evidence from the record as it is now: seqohs, cpd, mohawk or report.

    The packs seqohs and mohawk are made to leave the provider: the whole service, from 10 cases on, small numbers of
    groups withheld, and nobody named but who approved content. The report is internal. Of cpd, the figures are of the
    clinician's own live cases only, and the boxes for reflection are always empty.
    """
    _check(kind, round_, site, person, form)
    if not force:
        not_there(output)
    with opened(place) as instance, only_for_me(), instance.db.snapshot() as conn:
        of = one_round(conn, round_) if round_ else None
        if form == "csv" and of:
            hand_out(
                output, "".join(csv_records(indicators.mohawk_sheet(Moment(instance, conn, of, leaves=True)))).encode()
            )
            return
        made = _made(instance, conn, kind, of, site, person)
        with progress(len(made.paper.titles), "Parts") as done:
            write = papers.pdf if form == "pdf" else _html
            content = write(made.paper, _told(made, done))
        hand_out(output, content)


def _html(paper: papers.Paper, parts: Iterator[Part]) -> bytes:
    return papers.html(paper, parts).encode()


def _told(made: Made, done: Callable[[int], None]) -> Iterator[Part]:
    for part in made.parts:
        yield part
        done(1)


def _check(kind: str, round_: str, site: str, person: str, form: str) -> None:
    if kind != "cpd" and not round_:
        raise click.UsageError("Name the round with --round.")
    if site and kind != "report":
        raise click.UsageError("--site is for report: nothing of one site leaves the provider.")
    if bool(person) != (kind == "cpd"):
        raise click.UsageError("--person is for cpd, which needs it.")
    if form == "csv" and kind != "mohawk":
        raise click.UsageError("--format csv is for mohawk.")


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
