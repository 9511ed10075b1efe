"""Commands about content: checking it, and recording that a clinician approved it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from consult import approving, checking
from consult.commands.place import EXIT_CODES, Place, actor, count, fail, not_there, on_instance, opened, pass_place
from consult.confirming import NotConfirmed, Review, confirm_leaflet, reviews
from consult.documents import paper as papers
from consult.documents.words import local_time
from consult.in_use import Content, look
from consult.instance import Instance, database_file, exists
from consult.proforma.load import Definition
from consult.proving import read_only
from consult.record import kept
from consult.record.database import SCHEMA_VERSION, Connection
from consult.record.opening import at_rest, check_ours, check_usable
from consult.record.reference import new_reference


@click.command(epilog=EXIT_CODES)
@on_instance()
@pass_place
def check(place: Place) -> None:
    """Check all content: proformas with measures and benchmarks, leaflets, and the settings of the instance.

    Nothing comes into use by being checked.
    """
    found = checking.check_content(place.folder)
    for line in found.right:
        click.echo(f"Right: {line}")
    for problem in found.problems:
        click.echo(str(problem))
    for sentence in checking.overlooked(place.folder):
        click.echo(f"Not read: {sentence}")
    for sentence in found.open:
        click.echo(f"Open: {sentence}")
    if exists(place.folder) and not found.problems:
        with looked_at(place) as (conn, content):
            for point in (
                *checking.same_number(conn, place.folder, content),
                *checking.open_points(conn, content),
            ):
                click.echo(f"Open: {point}")
    if found.problems:
        fail(f"{count(len(found.problems), 'problem')} found; mend what is listed, then run this again.")


@contextmanager
def looked_at(place: Place) -> Iterator[tuple[Connection, Content]]:
    """The record and the content that its files hold, which does not come into use by being checked."""
    file = database_file(place.folder)
    check_usable(file)
    with read_only(file, at_rest(file)) as conn:
        if check_ours(conn, file) == SCHEMA_VERSION:
            yield conn, look(conn, place.folder)
            return
    with opened(place) as instance:  # an older one is brought up to date first
        yield instance.db.read(), instance.content


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.argument("what", type=click.Choice(["proforma", "leaflet", "all"]), required=False)
@click.argument("leaflet", required=False, default="")
@click.option("--name", help="The clinician who approves.")
@click.option("--post", help="That clinician's post.")
@click.option(
    "--digest",
    "digests",
    multiple=True,
    metavar="PREFIX",
    help="How the digest of what was read begins; may be repeated.",
)
@click.option("--yes", is_flag=True, help="Approve without asking, for scripts.")
@pass_place
def approve(
    place: Place,
    what: str | None,
    leaflet: str,
    name: str | None,
    post: str | None,
    digests: tuple[str, ...],
    yes: bool,
) -> None:
    """Record that a named clinician approved content for clinical use here.

    WHAT is proforma, leaflet (with the id of one, if not all of them) or all. Without it, what is in use is listed.

    An approval is of the very text that was read, which its digest stands for: name it with --digest, or compare the
    digests shown and confirm them.
    """
    what = what or ("all" if digests else None)
    if what is not None and not (name and post):
        raise click.UsageError("An approval names the clinician; add --name and --post.")
    if leaflet and what != "leaflet":
        raise click.UsageError("Only leaflet takes an id; leave it out.")
    if what is not None:
        approving.check_loaded(place.folder)
    with opened(place) as instance:
        if sentence := approving.why_not_as_served(instance):
            if what is not None:
                fail(sentence)
            click.echo(sentence, err=True)
        if what is not None:
            named = approving.chosen(instance, what, leaflet)
            named = approving.with_digests(named, digests) if digests else named
            _approve(instance, named, name or "", post or "", asked=bool(digests) or yes)
        _list_approvals(instance)


@click.command(name="confirm", epilog=EXIT_CODES)
@on_instance()
@click.argument("leaflet", required=False, default="")
@click.option("--language", default="en", show_default=True, help="The language of the leaflet.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Until when, such as 2027-01-31.")
@click.option("--reason", default="", help="Why it may still be printed.")
@pass_place
def confirm(place: Place, leaflet: str, language: str, until: datetime | None, reason: str) -> None:
    """Confirm a LEAFLET past its review date for a stated time, three months at most.

    Past its review date a leaflet is not printed. Without LEAFLET the leaflets in use are listed with their dates.
    """
    if leaflet and until is None:
        raise click.UsageError("Say until when it may be printed; add --until.")
    with opened(place) as instance:
        if leaflet and until is not None:
            try:
                confirm_leaflet(instance, leaflet, language, until.date(), reason, actor())
            except NotConfirmed as refusal:
                fail(str(refusal))
        for review in reviews(instance):
            click.echo(_review_line(review))


def _review_line(review: Review) -> str:
    item, known = review.leaflet, review.confirmation
    confirmed = f"; confirmed until {known.until} by {known.by}: {known.reason}" if known else ""
    why_not = f"; does not print: {review.why_not}" if review.why_not else ""
    return f"{item.id} {item.language} {item.version}: review by {item.review_by}{confirmed}{why_not}"


def _approve(instance: Instance, named: dict[str, str], name: str, post: str, asked: bool) -> None:
    click.echo("To be approved:")
    for item, digest in named.items():
        click.echo(f"{digest}  {item}")
    if not asked:
        _confirm(f"Did {name}, {post}, read these very texts, and approve them?")
    new = approving.approve_all(instance, named, name, post, actor())
    click.echo(f"Approved by {name}, {post}: {', '.join(new) or 'nothing new'}.\n")


def _confirm(question: str) -> None:
    try:
        sure = click.confirm(question)
    except click.Abort:
        click.echo()
        fail("Nothing was approved, as nobody confirmed it; answer y, name what was read with --digest, or add --yes.")
    if not sure:
        fail("Nothing was approved; read what is in use first.")


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.option(
    "--copies", type=click.IntRange(1, papers.MOST_COPIES), default=1, show_default=True, help="Cases to print."
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write (HTML)."
)
@click.option("--digest", default="", metavar="PREFIX", help="How the digest of another version kept here begins.")
@click.option("--site", default="", metavar="CODE", help="Only the telephone numbers of this site.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@pass_place
def paper(place: Place, copies: int, output: Path, digest: str, site: str, force: bool) -> None:
    """Write paper forms for a time without computers: a file to print, with a fresh reference for each case.

    The file needs nothing else: keep it, and prints of it, where consultations are held.
    """
    if not force:
        not_there(output)
    with opened(place) as instance:
        chosen = _version(instance, digest)
        known = instance.open_sites
        sites = [s for s in known.values() if site in ("", s.code)]
        if not sites:
            fail(f"There is no open site {site}; use one of {', '.join(known) or 'none: none is set up yet'}.")
        draft = chosen.digest not in instance.approvals or bool(instance.unapproved())
        form = papers.form_of(chosen, sites, instance.leaflets.values(), draft)
    references = [new_reference(chosen.digest) for _ in range(copies)]
    output.write_text(papers.html(form, references), encoding="utf-8")
    click.echo(f"{count(copies, 'case')} of version {chosen.proforma.version} ({chosen.digest[:16]}) in {output}.")


def _version(instance: Instance, prefix: str) -> Definition:
    if not prefix:
        return instance.library.current
    conn = instance.db.read()
    found = [v.digest for v in kept.of_kind(conn, "proforma") if v.digest.startswith(prefix.lower())]
    if len(found) != 1:
        fail(f"{count(len(found), 'version')} kept here with a digest that begins with {prefix}; name exactly one.")
    return instance.library.definition(conn, found[0])


def _list_approvals(instance: Instance) -> None:
    known = instance.approvals
    for item, digest in instance.in_use().items():
        by = known.get(digest)
        click.echo(
            f"{digest}  {item}: {f'approved by {by.name}, {by.post}, {local_time(by.at).date()}' if by else 'draft'}"
        )
