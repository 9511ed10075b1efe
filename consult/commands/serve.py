"""The command that serves the pages of an installation."""

from __future__ import annotations

import sys

import click

from consult import serving
from consult.accounts import sealing
from consult.commands.place import EXIT_CODES, F, Place, actor, on_instance, pass_place, tell_refused
from consult.instance import Instance, check_there


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
