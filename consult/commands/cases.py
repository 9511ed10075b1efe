"""Commands about cases: case files in and out, and results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct
from msgspec.structs import replace

from consult import exports, importing, results_text
from consult.audit import results as audit
from consult.audit import sampling
from consult.audit.rounds import MODES
from consult.commands.place import (
    EXIT_CODES,
    Place,
    actor,
    count,
    fail,
    hand_out,
    not_there,
    on_instance,
    opened,
    pass_place,
    progress,
)
from consult.commands.rounds import one_round
from consult.exchange import caselines, resultsfile
from consult.exchange.casefile import ImportReport
from consult.exchange.resultsfile import Version
from consult.exchange.sheets import csv_records, workbook
from consult.instance import Instance, only_for_me
from consult.record import ledger
from consult.record.database import Connection

MOST_NAMED: Final = 20
DATE: Final = click.DateTime(["%Y-%m-%d"])


@click.group(epilog=EXIT_CODES)
@on_instance()
def cases() -> None:
    """Case files: the cases as CSV, internal and raw."""


@cases.command(name="export", epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="-")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "xlsx"]),
    default="csv",
    show_default=True,
    help="A text, or a workbook.",
)
@click.option("--leaving", is_flag=True, help="As cases may leave the provider; such a file can't be imported again.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@pass_place
def cases_export(place: Place, file: Path, form: str, leaving: bool, force: bool) -> None:
    """Write every case to FILE, or to standard output.

    With CSV, FILE.head.json is written beside it: digest, number of cases, and the head of the step log it was made
    at. So `consult verify FILE` can tell later whether it is still what the record said then.

    What is written is internal and raw, unless --leaving is given: then it has no reference of a clinician and no free
    text, and of each date the month only. Every number can be counted from such rows, also those that are withheld
    from results that leave.
    """
    beside = exports.beside(file)
    with_head = form == "csv" and not leaving and str(file) != "-"
    if not force:
        not_there(file, *([beside] if with_head else []))
    with opened(place) as instance, only_for_me(), instance.db.snapshot() as conn:
        sheet = resultsfile.cases_sheet(conn, instance.library.current.dataset, audit.Selection(), leaves=leaving)
        if form == "xlsx":
            hand_out(file, workbook([sheet], instance.clock(), exports.about_file(instance)))
            return
        seq, head = ledger.head(conn)
        n, digest = -1, hashlib.sha256()  # the first record is the header
        with click.open_file(str(file), "wb") as stream:
            for record in csv_records(sheet):
                stream.write(record.encode())
                digest.update(record.encode())
                n += 1
        if with_head:
            head_of = exports.Head(file.name, digest.hexdigest(), n, seq, head, instance.provider, instance.store.at())
            beside.write_text(head_of.text, "utf-8")
    click.echo(f"{count(n, 'case')} written; the step log stood at step {seq}, {head}.", err=True)


@cases.command(name="import", epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="Let a row supersede an imported case that differs.")
@click.option("--reason", default="", help="With --replace: why; it is kept with each case that is superseded.")
@pass_place
def cases_import(place: Place, file: Any, replace: bool, reason: str) -> None:
    """Take in the cases of FILE (- for input); good rows are kept, and every bad row is reported.

    The exit code is 1 if any row was refused.
    """
    content = file.read(caselines.MAX_FILE_BYTES + 1)
    with opened(place) as instance:
        report, new_sites = importing.import_file(instance, content, replace, reason, actor(), progress)
        own = instance.provider
    for bad in report.bad:
        click.echo(str(bad), err=True)
    for site in new_sites:
        click.echo(f"Site {site} was not known and has been added; fill in its urgent routes.", err=True)
    click.echo(
        f"{count(report.rows, 'row')}: {report.added} added, {report.unchanged} there already, "
        f"{report.replaced} replaced, {report.refused} refused."
    )
    for line in islice(_whose(report, own), MOST_NAMED):
        click.echo(line)
    if len(report.held) > MOST_NAMED:
        click.echo(f"And {len(report.held) - MOST_NAMED} more.")
    if report.refused:
        fail(f"{count(report.refused, 'row')} refused, as listed above; mend them and import the file again.")


def _whose(report: ImportReport, own: str) -> Iterator[str]:
    """Whose cases a file held, by provider and way of capture, with their dates."""
    for (provider, mode), days in report.held.items():
        whose = f"{provider} (your own)" if provider == own else provider
        yield f"Of {whose}, {mode}: {count(len(days), 'case')}, held from {min(days)} to {max(days)}."


@cases.command(name="take-out", epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=click.File("rb"))
@click.option("--reason", required=True, help="Why; it is kept with each case that is taken out.")
@click.option("--yes", is_flag=True, help="Do it; without this it only says what would go.")
@pass_place
def cases_take_out(place: Place, file: Any, reason: str, yes: bool) -> None:
    """Undo an import: take out, as entered in error, the cases of FILE that are still as FILE says.

    A case that was changed since, or that comes from a consultation signed here stays, and is listed. The steps stay
    too: rounds count the cases as entered in error, and FILE can be imported again.
    """
    if not reason.strip():
        raise click.UsageError("--reason is blank; say why the cases are taken out.")
    content = file.read(caselines.MAX_FILE_BYTES + 1)
    with opened(place) as instance:
        done = importing.take_out_file(instance, content, reason.strip(), actor(), yes)
    for kept in done.kept:
        click.echo(str(kept), err=True)
    out = f"{done.out} {'taken out' if yes else 'to take out'}"
    click.echo(f"{count(done.rows, 'row')}: {out}, {done.absent} not there, {len(done.kept)} kept.")
    if not yes:
        click.echo("Nothing was taken out yet; add --yes to do it.")
    if done.kept:
        fail(f"{count(len(done.kept), 'case')} kept, as listed above; look at each on its own page.")


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv", "xlsx", "mohawk"]),
    default="text",
    show_default=True,
    help="To read, or as data; mohawk is one row a site and measure.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default="-", help="Write to this file.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--leaving", is_flag=True, help="As results may leave the provider (csv or xlsx).")
@click.option(
    "--measures-version", "version", default="", metavar="VERSION", help="Score by these measures: number or digest."
)
@click.option("--provider", default="", help="Only cases of this provider.")
@click.option("--site", default="", help="Only cases of this site.")
@click.option("--from", "start", type=DATE, metavar="DATE", help="Only consultations from this day on (2026-01-31).")
@click.option("--to", "end", type=DATE, metavar="DATE", help="Only consultations up to this day.")
@click.option("--capture", type=click.Choice(list(MODES)), help="Only this capture mode.")
@click.option("--head", "with_head", is_flag=True, help="The head of the step log in the data, for `consult verify`.")
@click.option("--round", "round_", default="", metavar="ROUND", help="The sample of a round, by its id or name.")
@click.option("--cases", "with_cases", is_flag=True, help="Each case with its outcomes, too.")
@pass_place
def results(
    place: Place,
    /,
    form: str,
    output: Path,
    version: str,
    provider: str,
    site: str,
    start: datetime | None,
    end: datetime | None,
    capture: str | None,
    round_: str,
    **more: bool,
) -> None:
    """Count every measure over the cases selected. Capture modes are never pooled.

    What is written is internal and raw, unless --leaving is given: then it holds the whole service only, and measures
    of 10 or more cases.
    """
    asked = Asked(form, version, more["leaving"], more["with_head"], more["with_cases"])
    first, last = (moment.date().isoformat() if moment else "" for moment in (start, end))
    selection = audit.Selection(provider, site, first, last, capture or "")
    _check_asked(asked, selection, round_)
    if not more["force"]:
        not_there(output)
    with opened(place) as instance, only_for_me(), instance.db.snapshot() as conn:
        if round_:
            selection = _of_round(instance, conn, round_, site)
        for note in _notes(instance, conn, selection):
            click.echo(note, err=True)
        hand_out(output, _made(instance, conn, selection, asked))


def _of_round(instance: Instance, conn: Connection, round_: str, site: str) -> audit.Selection:
    """The sample of a round, named by its id or name, at one site or all."""
    dataset = instance.library.current.dataset
    chosen = sampling.sample(conn, instance.measures, dataset, one_round(conn, round_)).selection
    return replace(chosen, site=site)


def _notes(instance: Instance, conn: Connection, selection: audit.Selection) -> Iterator[str]:
    """What is said beside results: a code that nothing has, and providers that are counted as if they were one."""
    held = audit.providers(conn, audit.Selection())
    if selection.provider and selection.provider not in {*held, instance.provider}:
        yield f"No case of provider {selection.provider} is held; the cases are of {', '.join(held) or 'none'}."
    elif selection.site and not audit.modes(conn, audit.Selection(selection.provider, selection.site)):
        yield f"No case of site {selection.site} is held here; capital and small letters count in a code."
    elif not selection.provider and len(several := audit.providers(conn, selection)) > 1:
        yield f"Counted together are the cases of {', '.join(several)}; add --provider for those of one."


class Asked(Struct, frozen=True):
    """How results are to be written."""

    form: str
    version: str
    leaving: bool
    with_head: bool
    with_cases: bool


def _check_asked(asked: Asked, selection: audit.Selection, round_: str) -> None:
    if asked.leaving and (asked.form not in ("csv", "xlsx") or selection.site or asked.with_cases):
        raise click.UsageError(
            "--leaving is for --format csv or xlsx, of the whole service, without --site and --cases."
        )
    if asked.with_head and asked.form not in ("text", "json"):
        raise click.UsageError("--head is for --format text or json.")
    if asked.with_cases and asked.form in ("csv", "mohawk"):
        raise click.UsageError("--cases is for --format text, json or xlsx.")
    if selection.start and selection.end and selection.start > selection.end:
        raise click.UsageError("--from is later than --to; exchange them.")
    if round_ and (selection.provider or selection.start or selection.end or selection.capture):
        raise click.UsageError(
            "A round has its own provider, dates and capture mode; give --round alone, or with --site."
        )


def _made(instance: Instance, conn: Connection, selection: audit.Selection, asked: Asked) -> bytes:
    """The results as asked for."""
    try:
        scoring = instance.scoring(conn, asked.version)
        found = audit.results(conn, scoring.measures, scoring.dataset, selection)
        if asked.form == "json":
            return _as_json(instance, conn, found, scoring, asked)
        if asked.form == "text":
            return _as_text(instance, conn, found, scoring, asked)
        return exports.results_file(instance, conn, found, scoring, asked.form, asked.leaving, asked.with_cases)
    except audit.MixedModes as mixed:
        fail(f"{mixed} Add --capture {' or --capture '.join(mixed.modes)}.")


def _as_json(instance: Instance, conn: Connection, found: audit.Results, scoring: Version, asked: Asked) -> bytes:
    shape = exports.results_json(instance, conn, found, asked.with_cases, scoring, asked.version)
    if asked.with_head:
        shape["head"] = exports.head_json(conn, found.selection)
    return (json.dumps(shape, ensure_ascii=False, indent=2) + "\n").encode()


def _as_text(instance: Instance, conn: Connection, found: audit.Results, scoring: Version, asked: Asked) -> bytes:
    lines = [*results_text.lines(found, scoring.measures, instance.benchmarks, scoring.digest)]
    if asked.with_head:
        lines.append("Counted at step {} of the record, {}".format(*ledger.head(conn)))
    if asked.with_cases:
        lines += results_text.case_lines(audit.judged(conn, scoring.measures, scoring.dataset, found.selection))
    return ("\n".join(lines) + "\n").encode()
