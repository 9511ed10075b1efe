"""Commands about the measures: the versions kept, and what differs between two of them."""

from __future__ import annotations

from collections import Counter

import click

from consult.audit import versions
from consult.audit.results import Selection
from consult.audit.rounds import MODES
from consult.commands.place import EXIT_CODES, Place, count, on_instance, opened, pass_place


@click.group(epilog=EXIT_CODES)
@on_instance()
def measures() -> None:
    """The versions of the measures: each one ever used is kept."""


@measures.command(name="list", epilog=EXIT_CODES)
@on_instance()
@pass_place
def measures_list(place: Place) -> None:
    """List the versions kept, the one used last first."""
    with opened(place) as instance, instance.db.snapshot() as conn:
        for one in versions.kept(conn):
            used = ", in use" if one.digest == instance.content.measures_digest else ""
            click.echo(f"{one.version}  {one.digest}  first used {one.first_used}{used}")


@measures.command(name="compare", epilog=EXIT_CODES)
@on_instance()
@click.argument("one")
@click.argument("other")
@click.option("--provider", default="", help="Only cases of this provider.")
@click.option("--capture", type=click.Choice(list(MODES)), help="Only this capture mode.")
@pass_place
def measures_compare(place: Place, one: str, other: str, provider: str, capture: str | None) -> None:
    """List the cases whose outcome differs between two versions, by number or digest, with both rules.

    Every case is scored under both, whatever version was in use at its time. Nothing is changed.
    """
    with opened(place) as instance, instance.db.snapshot() as conn:
        a, b = instance.scoring(conn, one), instance.scoring(conn, other)
        click.echo(f"One: {a.measures.version} ({a.digest}). Other: {b.measures.version} ({b.digest}).")
        selection = Selection(provider=provider, capture=capture or "")
        seen: Counter[str] = Counter()
        cases = set()
        for found in versions.compare(conn, a.measures, b.measures, a.dataset, selection):
            seen[found.measure] += 1
            cases.add(found.case)
            click.echo(f"{' / '.join(found.case)}: {found.measure}: {found.first}, then {found.second}")
        for measure, n in sorted(seen.items()):
            click.echo(f"\n{measure}: {count(n, 'case')}")
            click.echo(f"  one:   {versions.rule_words(a.measures, measure, a.dataset)}")
            click.echo(f"  other: {versions.rule_words(b.measures, measure, b.dataset)}")
        click.echo(f"\n{count(len(cases), 'case')} with an outcome that differs.")
