"""Commands that serve pages: a real installation, and the demonstration."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from consult import demo, serving
from consult.accounts import sealing
from consult.accounts.people import ROLES
from consult.commands.place import EXIT_CODES, F, Place, actor, on_instance, pass_place, tell_refused
from consult.instance import Instance, check_there
from consult.record.store import now_utc


def serving_options(command: F) -> F:
    """The options of the commands that serve pages."""
    for option in (
        click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on."),
        click.option("--behind-tls-proxy", is_flag=True, help="A proxy in front speaks TLS; needs --host-name."),
        click.option(
            "--host-name", "host_names", multiple=True, metavar="NAME", help="The public name; may be repeated."
        ),
    ):
        command = option(command)
    return command


@click.command(epilog=EXIT_CODES)
@on_instance()
@serving_options
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0 for any.")
@pass_place
def serve(place: Place, host: str, port: int, behind_tls_proxy: bool, host_names: tuple[str, ...]) -> None:
    """Serve the pages until stopped.

    Plain HTTP is served to this machine only; for others put a TLS proxy in front.
    """
    address = _address(host, port, behind_tls_proxy, host_names)
    check_there(place.folder)
    with serving.listen(host, port) as listener:
        url = serving.url_of(listener)
        serving.serve(place.folder, listener, address, lambda instance: _say_ready(instance, url), actor())


def _say_ready(instance: Instance, url: str) -> None:
    tell_refused(instance)
    if sentence := sealing.unreadable(instance.db.read()):
        click.echo(sentence, err=True)
    click.echo(f"Serving on {url} (stop with Ctrl+C)")
    sys.stdout.flush()


def _address(host: str, port: int, behind_tls: bool, names: tuple[str, ...]) -> serving.Address:
    address = serving.Address(host, port, names, behind_tls)
    if sentence := address.why_refused():
        raise click.UsageError(sentence)
    return address


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
