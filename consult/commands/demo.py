"""The command that opens the demonstration, made on first use."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from consult import demo, serving
from consult.accounts.people import ROLES
from consult.commands.place import EXIT_CODES, Place, on_instance, pass_place
from consult.record.store import now_utc


@click.command(name="demo", epilog=EXIT_CODES)
@on_instance()
@click.option("--port", type=click.IntRange(0, 65535), help="The port (8000, or any free one if that is taken).")
@click.option("--no-open", is_flag=True, help="Do not open the browser.")
@click.option("--prepare", is_flag=True, help="Only make the demonstration's data, without serving it.")
@click.option("--small", is_flag=True, help="Make a few consultations only, where none are there yet.")
@pass_place
def demo_command(place: Place, port: int | None, no_open: bool, prepare: bool, small: bool) -> None:
    """Open a demonstration: a fictitious service with fictitious people and months of fictitious work.

    It is made on first use, and never mixed with real data.
    """
    if prepare:
        _prepare_demo(place.folder, small)
        click.echo(f"The demonstration is ready in {place.folder}; open it with `consult demo`.")
        return
    with serving.listen_near("127.0.0.1", 8000) if port is None else serving.listen("127.0.0.1", port) as listener:
        people = _prepare_demo(place.folder, small)
        url = serving.url_of(listener)
        serving.serve(place.folder, listener, serving.Address(), lambda _: _demo_is_ready(people, url, not no_open))


def _prepare_demo(folder: Path, small: bool) -> list[demo.DemoPerson]:
    if there := demo.found(folder):
        return there
    click.echo("Preparing the demonstration; this takes some ten seconds, once.", err=True)
    with click.progressbar(length=demo.amount(small), file=sys.stderr, label="Consultations") as bar:
        demo.prepare(folder, now_utc(), bar.update, small=small)
    return demo.people(small)


def _demo_is_ready(people: list[demo.DemoPerson], url: str, browser: bool) -> None:
    click.echo(f"\nThe demonstration is open at {url}\nEverything in it is made up. Sign in as one of:\n")
    for person in people:
        click.echo(f"  {person.username:<11} {demo.password()}   {ROLES[person.role]}, {person.name}")
    click.echo("\nStop it with Ctrl+C.")
    sys.stdout.flush()
    if browser:
        serving.open_browser(url)
