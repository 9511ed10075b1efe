"""Commands that set single sign-on up, show it, try whether the provider answers, and take it away."""

from __future__ import annotations

import click
from msgspec.structs import asdict

from consult.accounts import provider as outside
from consult.accounts import single_sign_on
from consult.accounts.people import ROLES
from consult.accounts.single_sign_on import ALGORITHMS, Provider
from consult.commands.place import EXIT_CODES, Place, actor, on_instance, opened, pass_place
from consult.instance import Instance


@click.group(name="sign-on", epilog=EXIT_CODES)
@on_instance()
def sign_on() -> None:
    """Single sign-on by OpenID Connect; until it is set up, this program asks no other system for anything."""


@sign_on.command(name="set", epilog=EXIT_CODES)
@on_instance()
@click.option("--issuer", required=True, metavar="URL", help="The issuer, letter by letter as the provider writes it.")
@click.option("--client-id", required=True, metavar="ID", help="The client id that the provider gave.")
@click.option("--label", required=True, metavar="NAME", help="The name on the button.")
@click.option("--secret", default="", metavar="WHERE", help="Where the secret lies: env:NAME, file:PATH or key:PATH.")
@click.option("--key-id", default="", metavar="KID", help="The id of the private key at the provider.")
@click.option("--key-algorithm", default="RS256", type=click.Choice(ALGORITHMS), help="How the private key signs.")
@click.option("--scope", default="openid", show_default=True, metavar="WORDS", help="The scope to ask for.")
@click.option("--acr-values", default="", metavar="WORDS", help="The strength of signing in to ask for.")
@click.option("--require", multiple=True, metavar="CLAIM=VALUES", help="What the token must say; may be repeated.")
@click.option(
    "--no-password-for",
    multiple=True,
    type=click.Choice(list(ROLES)),
    help="Roles that sign in there only, once linked.",
)
@click.option("--leeway", default=60, show_default=True, metavar="SECONDS", help="How much clocks may differ.")
@pass_place
def sign_on_set(
    place: Place, /, require: tuple[str, ...], no_password_for: tuple[str, ...], leeway: int, **words: str
) -> None:
    """Set the provider up, or change it."""
    wanted = single_sign_on.requirements(" ".join(require))
    there = Provider(**words, require=wanted, no_password_for=list(no_password_for), leeway=leeway)
    with opened(place) as instance, instance.db.write() as conn:
        single_sign_on.set_provider(conn, there, actor(), instance.store.at())
    click.echo(f"People whose account is linked sign in with {there.label}. Next: `consult sign-on check`.")


def _there(instance: Instance) -> Provider:
    found = single_sign_on.provider(instance.db.read())
    if found is None:
        raise click.ClickException("No provider is set up; run `consult sign-on set` first.")
    return found


@sign_on.command(name="show", epilog=EXIT_CODES)
@on_instance()
@pass_place
def sign_on_show(place: Place) -> None:
    """Show what is set up, and how many people are linked."""
    with opened(place) as instance:
        there, conn = _there(instance), instance.db.read()
        for name, value in asdict(there).items():
            click.echo(f"{name}: {value}")
        click.echo(f"linked people: {len(single_sign_on.links(conn))}")


@sign_on.command(name="check", epilog=EXIT_CODES)
@on_instance()
@pass_place
def sign_on_check(place: Place) -> None:
    """Ask the provider what it says of itself, and say whether people could sign in with it."""
    with opened(place) as instance:
        there = _there(instance)
        try:
            about = outside.discovered(there, instance.store.clock(), anew=True)
        except outside.NotReached as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{there.label} answers as {about['issuer']}.")


@sign_on.command(name="off", epilog=EXIT_CODES)
@on_instance()
@pass_place
def sign_on_off(place: Place) -> None:
    """Take single sign-on away: everybody signs in with name and password or a passkey again; links are kept."""
    with opened(place) as instance, instance.db.write() as conn:
        single_sign_on.set_provider(conn, None, actor(), instance.store.at())
    click.echo("Single sign-on is off.")
