"""Commands that set an installation up and add the people who sign in."""

from __future__ import annotations

from typing import Any

import click

from consult import setting_up
from consult.accounts.people import ROLES, NewPerson, add_person, by_username, change_password
from consult.commands.place import EXIT_CODES, Place, actor, on_instance, opened, pass_place


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.option("--provider", prompt="Code of the provider", metavar="CODE", help="The code of your own service.")
@click.option("--site", "sites", multiple=True, metavar="CODE", help="The code of a site; may be repeated.")
@click.option("--admin", prompt="Name of the first administrator", metavar="NAME", help="The first administrator.")
@click.option(
    "--password-file", type=click.File("rb"), metavar="FILE", help="The administrator's password (- for input)."
)
@pass_place
def init(place: Place, provider: str, sites: tuple[str, ...], admin: str, password_file: Any) -> None:
    """Set up a real installation: its provider, its sites, its first administrator.

    What is not given as an option is asked for.
    """
    sites = sites or tuple(click.prompt("Codes of the sites, separated by spaces").split())
    wanted = setting_up.SetUp(provider.strip(), sites, admin, password_from(password_file))
    person = setting_up.set_up(place.folder, wanted, actor())
    click.echo(f"Set up for provider {wanted.provider} in {place.folder}. Sign in as {person.username}.")
    click.echo("Next: `consult serve`, fill in each site's urgent routes, and have the content approved.")


def password_from(file: Any) -> str:
    if file is None:
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    try:
        lines = file.read(10_000).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise click.ClickException("The password file is not UTF-8; save it as plain text.") from error
    if not lines:
        raise click.ClickException("The password file is empty; write the password on its first line.")
    return str(lines[0])


@click.group(epilog=EXIT_CODES)
@on_instance()
def person() -> None:
    """Add people who sign in, and help those who cannot."""


@person.command(name="add", epilog=EXIT_CODES)
@on_instance()
@click.argument("name")
@click.option("--role", type=click.Choice(list(ROLES)), required=True, help="What this person is; decides what opens.")
@click.option("--site", default="", metavar="CODE", help="The site where this person works.")
@click.option("--username", default="", help="The sign-in name; made from the name if left out.")
@click.option("--password-file", type=click.File("rb"), metavar="FILE", help="The password (- for input).")
@pass_place
def person_add(place: Place, name: str, role: str, site: str, username: str, password_file: Any) -> None:
    """Add a person who signs in."""
    with opened(place) as instance:
        if site and site not in instance.sites:
            raise click.ClickException(
                f"There is no site {site}; use one of: {', '.join(instance.sites) or 'none yet'}."
            )
        new = NewPerson(name, role, site or next(iter(instance.sites), ""), password_from(password_file), username)
        with instance.db.write() as conn:
            added = add_person(conn, new, actor(), instance.store.at())
    click.echo(f"Added {added.name} ({added.role_label}); the sign-in name is {added.username}.")


@person.command(name="password", epilog=EXIT_CODES)
@on_instance()
@click.argument("username")
@click.option("--password-file", type=click.File("rb"), metavar="FILE", help="The new password (- for input).")
@pass_place
def person_password(place: Place, username: str, password_file: Any) -> None:
    """Give a person a new password, for instance when it was lost; ends every sign-in of theirs."""
    with opened(place) as instance:
        known = by_username(instance.db.read(), username.strip().casefold())
        if known is None:
            raise click.ClickException(f"Nobody signs in as {username}; the settings page lists the people.")
        with instance.db.write() as conn:
            change_password(conn, known.id, password_from(password_file), actor(), instance.store.at())
    click.echo(f"{known.name} has a new password.")
