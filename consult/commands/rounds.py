"""Commands about rounds: their samples and the ascertainment."""

from __future__ import annotations

import json
from typing import Any

import click

from consult.audit import ascertainment, sampling
from consult.audit import rounds as audit_rounds
from consult.audit.cases import named
from consult.audit.rounds import Round
from consult.audit.sampling import Sample
from consult.commands.place import EXIT_CODES, Place, count, fail, on_instance, opened, pass_place
from consult.documents import unfinished
from consult.record.database import Connection


def one_round(conn: Connection, named: str) -> Round:
    """The round of an id or a name; ends the command with a sentence if there is none."""
    known = list(audit_rounds.standing(conn))
    found = next((one for one in known if named == one.id or named.casefold() == one.name.casefold()), None)
    if found is None:
        names = ", ".join(one.name for one in known)
        fail(f"There is no round {named}; {f'the rounds are: {names}' if known else 'the audit lead makes one'}.")
    return found


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
@pass_place
def rounds(place: Place, form: str) -> None:
    """List the rounds: their samples, and what became of every consultation of their periods."""
    with opened(place) as instance:
        conn, dataset = instance.db.read(), instance.library.current.dataset
        found = []
        for one in audit_rounds.standing(conn):
            sample = sampling.sample(conn, instance.measures, dataset, one)
            table = unfinished.ascertainment(instance.store, instance.measures, sample)
            found.append(round_json(sample, ascertainment.as_json(table)))
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, indent=2).encode())  # UTF-8, whatever the console has
        return
    for line in (line for shape in found for line in round_lines(shape)):
        click.echo(line)
    if not found:
        click.echo("There is no round yet; the audit lead makes one on the page Rounds.")


def round_json(sample: Sample, table: dict[str, Any]) -> dict[str, Any]:
    """A round as data: its rule, the dates of its sample, the cases in it, and its ascertainment."""
    one, span = sample.round, sample.span
    return {
        "id": one.id,
        "name": one.name,
        "capture_mode": one.capture,
        "from": one.start,
        "to": one.end,
        "rule": one.rule,
        "n": one.n,
        "sample_from": span[0] if span else None,
        "sample_to": span[1] if span else None,
        "sample": [named(case.key) for case in sample.taken],
        "ascertainment": table,
    }


def round_lines(shape: dict[str, Any]) -> list[str]:
    """A round in three lines: what it is, its sample, and what became of the rest."""
    everything = shape["ascertainment"]["all"]
    span = f", held from {shape['sample_from']} to {shape['sample_to']}" if shape["sample"] else ""
    beyond = everything["before_the_sample"] + everything["after_the_sample"]
    rest = (
        f"{everything['begun']} begun: {everything['captured']} captured, {beyond} beyond the sample, "
        f"{sum(everything['taken_out'].values())} taken out, {sum(everything['excluded'].values())} not eligible, "
        f"{everything['abandoned']} ended without signing, {everything['not_finished']} not finished, "
        f"{everything['entered_in_error']} in error"
    )
    return [
        f"{shape['name']} ({shape['capture_mode']}, {shape['from']} to {shape['to']}), id {shape['id']}",
        f"    {count(len(shape['sample']), 'case')} in the sample{span}",
        f"    {rest}",
    ]
