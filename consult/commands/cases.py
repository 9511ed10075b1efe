"""Commands about cases: case files in and out, and results."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from consult import exports, importing, results_text
from consult.audit import results as audit
from consult.audit import sampling
from consult.commands.place import EXIT_CODES, Place, actor, count, fail, on_instance, opened, pass_place, progress
from consult.commands.rounds import one_round
from consult.exchange import casefile
from consult.instance import only_for_me
from consult.record import ledger

DATE: Final = click.DateTime(["%Y-%m-%d"])


@click.group(epilog=EXIT_CODES)
@on_instance()
def cases() -> None:
    """Case files: the cases as CSV, internal and raw."""


@cases.command(name="export", epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="-")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@pass_place
def cases_export(place: Place, file: Path, force: bool) -> None:
    """Write every case to FILE, or to standard output.

    FILE.head.json is written beside it: digest, number of cases, and the head of the step log it was made at. So
    `consult verify FILE` can tell later whether it is still what the record said then.
    """
    beside = exports.beside(file)
    if str(file) != "-" and not force and (there := [path for path in (file, beside) if path.exists()]):
        fail(f"{there[0]} is there already; choose another name, or add --force.")
    with opened(place) as instance, only_for_me(), instance.db.snapshot() as conn:
        seq, head = ledger.head(conn)
        n, digest = -1, hashlib.sha256()  # the first record is the header
        with click.open_file(str(file), "wb") as stream:
            for record in casefile.export_cases(conn, instance.library.current.dataset):
                stream.write(record.encode())
                digest.update(record.encode())
                n += 1
        if str(file) != "-":
            head_of = exports.Head(file.name, digest.hexdigest(), n, seq, head, instance.provider, instance.store.at())
            beside.write_text(head_of.text, "utf-8")
    click.echo(f"{count(n, 'case')} written; the step log stood at step {seq}, {head}.", err=True)


@cases.command(name="import", epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="Let a row supersede an imported case that differs.")
@pass_place
def cases_import(place: Place, file: Any, replace: bool) -> None:
    """Take in the cases of FILE (- for input); good rows are kept, and every bad row is reported.

    The exit code is 1 if any row was refused.
    """
    content = file.read(casefile.MAX_FILE_BYTES + 1)
    with opened(place) as instance:
        report, new_sites = importing.import_file(instance, content, replace, actor(), progress)
    for bad in report.bad:
        click.echo(str(bad), err=True)
    for site in new_sites:
        click.echo(f"Site {site} was not known and has been added; fill in its urgent routes.", err=True)
    click.echo(
        f"{count(report.rows, 'row')}: {report.added} added, {report.unchanged} there already, "
        f"{report.replaced} replaced, {report.refused} refused."
    )
    if report.refused:
        fail(f"{count(report.refused, 'row')} refused, as listed above; mend them and import the file again.")


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="To read, or as data.",
)
@click.option("--provider", default="", help="Only cases of this provider.")
@click.option("--site", default="", help="Only cases of this site.")
@click.option("--from", "start", type=DATE, metavar="DATE", help="Only consultations from this day on (2026-01-31).")
@click.option("--to", "end", type=DATE, metavar="DATE", help="Only consultations up to this day.")
@click.option("--capture", type=click.Choice(["live", "retrospective", "paper"]), help="Only this capture mode.")
@click.option("--head", "with_head", is_flag=True, help="The head of the step log in the data, for `consult verify`.")
@click.option("--round", "round_", default="", metavar="ROUND", help="The sample of a round, by its id or name.")
@click.option("--cases", "with_cases", is_flag=True, help="Each case with its outcomes, too.")
@pass_place
def results(
    place: Place,
    form: str,
    provider: str,
    site: str,
    start: datetime | None,
    end: datetime | None,
    capture: str | None,
    with_head: bool,
    round_: str,
    with_cases: bool,
) -> None:
    """Count every measure over the cases selected. Capture modes are never pooled."""
    if start and end and start > end:
        raise click.UsageError("--from is later than --to; exchange them.")
    if round_ and (provider or start or end or capture):
        raise click.UsageError(
            "A round has its own provider, dates and capture mode; give --round alone, or with --site."
        )
    first, last = (moment.date().isoformat() if moment else "" for moment in (start, end))
    selection = audit.Selection(provider, site, first, last, capture or "")
    with opened(place) as instance, instance.db.snapshot() as conn:
        dataset = instance.library.current.dataset
        if round_:
            chosen = sampling.sample(conn, instance.measures, dataset, one_round(conn, round_)).selection
            selection = replace(chosen, site=site)
        try:
            found = audit.results(conn, instance.measures, dataset, selection)
        except audit.MixedModes as mixed:
            fail(f"{mixed} Add --capture {' or --capture '.join(mixed.modes)}.")
        if form == "json":
            shape = exports.results_json(instance, conn, found, with_cases)
            head = {"head": exports.head_json(conn, selection)} if with_head else {}
            click.echo(json.dumps(shape | head, ensure_ascii=False, indent=2))
            return
        lines = [*results_text.lines(found, instance.measures, instance.benchmarks)]
        if with_head:
            lines.append("Counted at step {} of the record, {}".format(*ledger.head(conn)))
        if with_cases:
            lines += results_text.case_lines(audit.judged(conn, instance.measures, dataset, selection))
        click.echo("\n".join(lines))
