"""Commands that set an installation up and add the people who sign in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from consult import security_log, setting_up
from consult.accounts import factors, passwords, people, sealing, sessions, single_sign_on
from consult.accounts.people import ROLES, NewPerson, Person, add_person, by_username, change_password
from consult.commands.place import EXIT_CODES, F, Place, actor, count, on_instance, opened, pass_place
from consult.instance import Instance
from consult.record.database import Connection


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.option("--provider", prompt="Code of the provider", metavar="CODE", help="The code of your own service.")
@click.option("--site", "sites", multiple=True, metavar="CODE", help="The code of a site; may be repeated.")
@click.option("--admin", prompt="Name of the first administrator", metavar="NAME", help="The first administrator.")
@click.option("--username", default="", help="The administrator's sign-in name; made from the name if left out.")
@click.option(
    "--password-file", type=click.File("rb"), metavar="FILE", help="The administrator's password (- for input)."
)
@pass_place
def init(place: Place, provider: str, sites: tuple[str, ...], admin: str, username: str, password_file: Any) -> None:
    """Set up a real installation: its provider, its sites, its first administrator.

    What is not given as an option is asked for, but for the sign-in name.
    """
    sites = sites or tuple(click.prompt("Codes of the sites, separated by spaces").split())
    wanted = setting_up.SetUp(provider.strip(), sites, admin, password_from(password_file), username)
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


def proved(required: bool) -> Callable[[F], F]:
    """The option that says how somebody made sure who asks."""
    words = "; ".join(f"{code.replace('_', '-')}: {text.lower()}" for code, text in people.PROOFS.items())
    codes = {code.replace("_", "-"): code for code in people.PROOFS}
    return click.option(
        "--proved",
        "how",
        type=click.Choice(list(codes)),
        callback=lambda _ctx, _option, value: codes.get(value),
        required=required,
        help=f"How you made sure who asks ({words}).",
    )


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
        known = instance.open_sites
        if site and site not in known:
            raise click.ClickException(f"There is no open site {site}; use one of: {', '.join(known) or 'none yet'}.")
        new = NewPerson(name, role, site or next(iter(known), ""), password_from(password_file), username)
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
        known, words = _named(instance, username), password_from(password_file)  # nobody waits while it is typed
        with instance.db.write() as conn:
            change_password(conn, known.id, words, actor(), instance.store.at())
    click.echo(f"{known.name} has a new password.")


def _named(instance: Instance, username: str) -> Person:
    known = by_username(instance.db.read(), username.strip().casefold())
    if known is None:
        raise click.ClickException(f"Nobody signs in as {username}; `consult person list` lists the people.")
    return known


@person.command(name="list", epilog=EXIT_CODES)
@on_instance()
@pass_place
def person_list(place: Place) -> None:
    """List the people: sign-in name, name, role, site, and how they stand."""
    with opened(place) as instance:
        conn = instance.db.read()
        starting, held = people.starting(conn), factors.held(conn)
        for one in people.people(conn):
            state = "stopped" if not one.active else "has not started" if one.id in starting else "may sign in"
            second = "second factor" if one.id in held else "no second factor"
            click.echo(f"{one.username}: {one.name}, {one.role_label}, site {one.site}, {state}, {second}")


@person.command(name="start", epilog=EXIT_CODES)
@on_instance()
@click.argument("username")
@proved(required=False)
@pass_place
def person_start(place: Place, username: str, how: str | None) -> None:
    """Give a person a start password, which is printed once and must be changed at the first sign-in."""
    with opened(place) as instance:
        known, words = _named(instance, username), passwords.start_words()
        until = int((instance.store.clock() + sessions.START).timestamp())
        with instance.db.write() as conn:
            if how:
                people.prove_identity(conn, known.id, how, actor(), instance.store.at())
            change_password(conn, known.id, words, actor(), instance.store.at(), until)
    click.echo(f"{known.name} signs in as {known.username}, within {sessions.START.days} days, with: {words}")


@contextmanager
def _changing(place: Place, username: str) -> Iterator[tuple[Connection, Person, str]]:
    """One transaction in which somebody is changed: the person of a sign-in name, and the time."""
    with opened(place) as instance:
        known = _named(instance, username)
        with instance.db.write() as conn:
            yield conn, known, instance.store.at()


@person.command(name="second-factor", epilog=EXIT_CODES)
@on_instance()
@click.argument("username")
@proved(required=True)
@pass_place
def person_second_factor(place: Place, username: str, how: str) -> None:
    """Take away every second factor, passkeys too, of a person who lost them; ends every sign-in of theirs.

    How you made sure who asks is recorded.
    """
    with _changing(place, username) as (conn, known, at):
        people.prove_identity(conn, known.id, how, actor(), at)
        factors.remove(conn, known.id, actor(), at)
        people.end_all(conn, known.id)
    click.echo(f"{known.name} has no second factor now; the password alone signs in.")


@person.command(name="new-factor-key", epilog=EXIT_CODES)
@on_instance()
@pass_place
def person_new_factor_key(place: Place) -> None:
    """Encrypt the secrets of all second factors under a new key; a running server goes on.

    Where the keys stand in the environment, put the new one first there, run this, then take the old one away.
    """
    with opened(place) as instance:
        n = sealing.renew(instance.db)
        where = sealing.place_of(instance.db.read()).words
    click.echo(f"{count(n, 'secret')} encrypted under the key that stands first in {where}. Keep a copy of it apart.")


@person.command(name="place", epilog=EXIT_CODES)
@on_instance()
@click.argument("username")
@click.option("--role", type=click.Choice(list(ROLES)), help="Another role.")
@click.option("--site", metavar="CODE", help="Another site.")
@pass_place
def person_place(place: Place, username: str, role: str | None, site: str | None) -> None:
    """Give a person another role or site, for instance to make somebody an administrator again."""
    with opened(place) as instance:
        known = _named(instance, username)
        if site and site not in {**instance.open_sites, known.site: None}:
            raise click.ClickException(f"There is no open site {site}; use one of: {', '.join(instance.open_sites)}.")
        with instance.db.write() as conn:
            people.place(conn, known.id, role or known.role, site or known.site, actor(), instance.store.at())
    click.echo(f"{known.name} is {ROLES[role or known.role]} at site {site or known.site}.")


@person.command(name="link", epilog=EXIT_CODES)
@on_instance()
@click.argument("username")
@click.argument("subject")
@pass_place
def person_link(place: Place, username: str, subject: str) -> None:
    """Link a person to their account at the provider of single sign-on, by the subject (sub) it is known by there."""
    with _changing(place, username) as (conn, known, at):
        there = single_sign_on.provider(conn)
        if there is None:
            raise click.ClickException("No provider is set up; run `consult sign-on set` first.")
        single_sign_on.link(conn, known.id, single_sign_on.subject_hash(there.issuer, subject), actor(), at)
    click.echo(f"{known.name} signs in with {there.label}.")


@person.command(name="unlink", epilog=EXIT_CODES)
@on_instance()
@click.argument("username")
@pass_place
def person_unlink(place: Place, username: str) -> None:
    """Take away the link of a person to an account at the provider; ends every sign-in of theirs."""
    with _changing(place, username) as (conn, known, at):
        single_sign_on.unlink(conn, known.id, actor(), at)
        people.end_all(conn, known.id)
    click.echo(f"{known.name} is linked to no account.")


@person.command(name="link-code", epilog=EXIT_CODES)
@on_instance()
@click.argument("username")
@pass_place
def person_link_code(place: Place, username: str) -> None:
    """Make a code, printed once, with which a person links their account at the provider."""
    with opened(place) as instance:
        known, now = _named(instance, username), instance.store.clock()
        with instance.db.write() as conn:
            words = single_sign_on.make_code(conn, known.id, now, actor(), instance.store.at())
    days = single_sign_on.CODE_STANDS.days
    click.echo(f"{known.name} signs in at the provider, within {days} days, and types: {words}")


@person.command(name="let-in", epilog=EXIT_CODES)
@on_instance()
@click.argument("username")
@pass_place
def person_let_in(place: Place, username: str) -> None:
    """Let a person whose sign-in was stopped sign in again."""
    with _changing(place, username) as (conn, known, at):
        people.set_active(conn, known.id, True, actor(), at)
    click.echo(f"{known.name} may sign in.")


@click.command(name="security-log", epilog=EXIT_CODES)
@on_instance()
@click.option("--most", type=click.IntRange(1, 100_000), default=200, show_default=True, help="How many lines at most.")
@click.option("--person", "username", metavar="USERNAME", help="Only of this person.")
@click.option("--event", type=click.Choice(list(security_log.EVENTS)), help="Only of this kind.")
@pass_place
def security_log_command(place: Place, most: int, username: str | None, event: str | None) -> None:
    """List who signed in, who could not, and what was refused, the newest first."""
    with opened(place) as instance:
        conn = instance.db.read()
        of = _named(instance, username).id if username else ""
        names = {one.id: one.username for one in people.people(conn)}
        for one in security_log.newest(place.folder, most, of, event or ""):
            who = names.get(one.person, one.person) or "nobody signed in"
            click.echo(f"{one.at}  {who}: {one.words}" + (f" ({one.method} {one.page})" if one.page else ""))
