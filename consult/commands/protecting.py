"""Commands of data protection: what is held about one employee, erasing, holds, what is due, and the whole record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

import click

from consult import access, erasing, handing_over
from consult.commands.keeping import FILE, say_held
from consult.commands.place import EXIT_CODES, Place, actor, count, fail, on_instance, opened, pass_place
from consult.documents import everything as pages
from consult.instance import Instance, only_for_me
from consult.proforma.days import day_in
from consult.record import about, identity
from consult.record import erasing as record
from consult.record.database import Connection, sqlite3
from consult.record.ledger import Step
from consult.record.settings import keeping

REASON = click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept with the step.")


@click.group(epilog=EXIT_CODES)
@on_instance()
def employee() -> None:
    """What data protection asks for about one employee, who is named by the opaque id in the address of their page."""


@employee.command(name="access", epilog=EXIT_CODES)
@on_instance()
@click.argument("employee_id", metavar="ID")
@REASON
@click.option(
    "--format", "form", type=click.Choice(["html", "json"]), default="html", show_default=True, help="As what."
)
@click.option("--output", type=FILE, required=True, metavar="FILE", help="Write to this new file.")
@pass_place
def employee_access(place: Place, employee_id: str, reason: str, form: str, output: Path) -> None:
    """Put together everything held about an employee: a page to read, or data.

    It holds identity, every consultation with its note, reports and steps in plain words, leaflets, how the employee
    needs to read, and who recorded, changed and looked. A step says who asked for it and why. It names the employee:
    hand it over, and remove the file.
    """
    if output.exists():
        fail(f"{output} is there already and is not written over; choose another name.")
    with opened(place) as instance:
        made = access.everything(instance, employee_id, reason, form, actor())
        text = access.as_json(made) if form == "json" else pages.html(made)
        with only_for_me():
            output.write_text(text, encoding="utf-8")
    click.echo(f"{output}: {count(len(made.consultations), 'consultation')}, {count(len(made.data['steps']), 'step')}.")


@employee.command(name="erase", epilog=EXIT_CODES)
@on_instance()
@click.argument("employee_id", metavar="ID")
@REASON
@click.option(
    "--words",
    type=click.Choice(list(erasing.WHICH)),
    default="naming",
    show_default=True,
    help="Which typed words go too: those that name the employee, all, or none.",
)
@click.option("--yes", is_flag=True, help="Do it; without this it only says what would go.")
@pass_place
def employee_erase(place: Place, employee_id: str, reason: str, words: erasing.Which, yes: bool) -> None:
    """Erase who an employee is, and words that were typed about them; the step log stays whole.

    The steps keep the opaque id, which then names nobody. Refused while a hold stands or a consultation is open. A line
    is added to the list erased.jsonl of the instance, which names nobody: a restored backup is erased again by it. Keep
    a copy of that list in a second place. Nothing can bring back what was erased but a backup.
    """
    with opened(place) as instance:
        known = record.check_may_go(instance.db.read(), employee_id, instance.today())
        found = erasing.typed_about(instance.db.read(), instance.library, known)
        going = erasing.chosen(found, words)
        _say(found, going)
        if not yes:
            click.echo("Nothing was erased. Give --yes to do it.")
            return
        _erase(instance, employee_id, reason, words)
    click.echo(f"Erased. The step log stays; words went from {count(len(going), 'step')} of it.")


MOST_NAMED: Final = 20
"""Steps that are named by their numbers before something is erased."""


def _say(found: list[erasing.Words], going: list[Step]) -> None:
    """Say in how many steps words were typed, and from which of them they go."""
    naming = sum(1 for one in found if one.naming)
    click.echo(f"Words were typed in {count(len(found), 'step')} about this employee; {naming:,} name the employee.")
    numbers = ", ".join(str(step.seq) for step in going[:MOST_NAMED]) + (
        ", and more" if len(going) > MOST_NAMED else ""
    )
    click.echo(f"They go from {count(len(going), 'step')}: {numbers}." if going else "They go from none of these.")


def _erase(instance: Instance, employee_id: str, reason: str, words: erasing.Which) -> None:
    """Erase in one transaction, the lines of the list on the disk before it is kept.

    So a kill at any moment lets nobody come back who was erased. Between the two it leaves the line of somebody who is
    still there, whom a later restore erases: that was asked for and a reason given, while nothing puts right that an
    erased person is in use again. Where the transaction fails, its lines are taken back.
    """

    def one(conn: Connection) -> list[list[erasing.Erased]]:
        known = record.check_may_go(conn, employee_id, instance.today())
        going = erasing.chosen(erasing.typed_about(conn, instance.library, known), words)
        dataset, at = instance.library.current.dataset, instance.store.at()
        return [erasing.take_out(conn, dataset, employee_id, reason, going, actor(), at)]

    _listed(instance, one)


def _listed(instance: Instance, erase: Callable[[Connection], list[list[erasing.Erased]]]) -> int:
    """Erase, the lines of each employee on the list before it is kept; returns how many employees were."""
    lines: list[erasing.Erased] = []
    try:
        with instance.db.write() as conn:
            of_each = erase(conn)
            lines += [line for of_one in of_each for line in of_one]
            with only_for_me():
                for line in lines:
                    erasing.write_down(instance.folder, line)
    except BaseException:
        _take_back(instance, lines)
        raise
    instance.db.settle()
    return len(of_each)


def _take_back(instance: Instance, lines: list[erasing.Erased]) -> None:
    """Take lines back of whoever is still there: an interrupt may come when all was kept. If in doubt they stand."""
    with suppress(OSError, sqlite3.Error):
        conn = instance.db.read()
        erasing.take_back(instance.folder, [line for line in lines if identity.entered(conn, line.employee)])


@employee.command(name="erase-again", epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=FILE)
@pass_place
def employee_erase_again(place: Place, file: Path) -> None:
    """Erase whoever of the list FILE is there again, after a backup was restored elsewhere.

    A restore into the same instance folder does so by itself. Whoever was put on hold after the erasing stays, and is
    named.
    """
    if not file.exists():
        fail(f"There is no file {file}; name the list that was kept of what was erased.")
    listed = erasing.read_list(file)
    with opened(place) as instance:
        _keep(instance, listed)  # before, as in `_erase`: all of the list were erased once
        dataset, at = instance.library.current.dataset, instance.store.at()
        n = _listed(instance, lambda conn: erasing.again(conn, dataset, listed, actor(), at))
        click.echo(f"{count(len(listed), 'line')} in the list; {count(n, 'employee')} erased again.")
        say_held(instance.db.read(), listed)


def _keep(instance: Instance, listed: list[erasing.Erased]) -> None:
    known = erasing.read_list(instance.folder / erasing.LIST)
    with only_for_me():
        for line in listed:
            if line not in known:
                erasing.write_down(instance.folder, line)


@employee.command(name="hold", epilog=EXIT_CODES)
@on_instance()
@click.argument("employee_id", metavar="ID")
@REASON
@click.option("--until", default="", metavar="DATE", help="The last day; left out, until the hold is ended.")
@pass_place
def employee_hold(place: Place, employee_id: str, reason: str, until: str) -> None:
    """Keep an employee's record from being erased, for instance while a claim is open."""
    day = _day(until)
    with opened(place) as instance, instance.db.write() as conn:
        record.set_hold(conn, employee_id, reason, day, actor(), instance.store.at())
    click.echo(f"On hold{f' until {until}' if until else ' until it is ended'}.")


def _day(text: str) -> date | None:
    day = day_in(text) if text else None
    if text and day is None:
        fail(f"{text!r} is no date; give the day as 2030-12-31.")
    return day


@employee.command(name="end-hold", epilog=EXIT_CODES)
@on_instance()
@click.argument("employee_id", metavar="ID")
@REASON
@pass_place
def employee_end_hold(place: Place, employee_id: str, reason: str) -> None:
    """End a hold on an employee's record."""
    with opened(place) as instance, instance.db.write() as conn:
        record.end_hold(conn, employee_id, reason, actor(), instance.store.at())
    click.echo("The hold is ended.")


@employee.command(name="due", epilog=EXIT_CODES)
@on_instance()
@pass_place
def employee_due(place: Place) -> None:
    """List, without names, whose last consultation is longer ago than the setting `retention_years`, and every hold.

    Nothing is erased by itself: somebody decides about each, and erases or sets a hold.
    """
    with opened(place) as instance:
        conn = instance.db.read()
        years, today = keeping(conn, "retention_years"), instance.today()
        holds, standing = record.holds(conn), record.standing(conn, today)
        due = erasing.due(about.last_seen(conn), years, today)
    for id_, last in due:
        on_hold = f", on hold ({standing[id_].reason})" if id_ in standing else ""
        click.echo(f"{id_}  last seen {last}{on_hold}")
    click.echo(
        f"{count(len(due), 'employee')} due: last seen {years} years ago or longer."
        if years
        else "No rule is set; set one with `consult settings set retention_years YEARS`."
    )
    for hold in holds.values():
        state = "holds" if hold.stands(today) else "has passed"
        click.echo(f"Hold on {hold.employee}, {hold.reason}, until {hold.until or 'ended'}, by {hold.by}: {state}.")


@click.command(name="hand-over", epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=FILE)
@click.option("--check", is_flag=True, help="Only prove the file FILE, which is there; no instance is needed.")
@pass_place
def hand_over(place: Place, file: Path, check: bool) -> None:
    """Write the whole record to FILE as documented lines (JSON), for a change of supplier, and prove the file.

    It holds every step, version of content, employee, person and case, and no password. It holds personal data of
    everybody: encrypt it on its way.
    """
    if check:
        if not file.exists():
            fail(f"There is no file {file}; name the file that was handed over.")
        found = handing_over.prove(file)
    else:
        with opened(place) as instance:
            found = handing_over.write(instance, file)
    said = ", ".join(count(found.counts[of], of) for of in handing_over.TYPES)
    click.echo(f"{file}: {said}, proved.")
    click.echo(f"Head of the step log: {found.hash}")
