"""Commands that look after the record: proving it, backing it up, making it anew, looking it over."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from consult import backup, doctor, encrypting, erasing, proving_exports, rehearsing, tending, verifying, witnessing
from consult.accounts import breached
from consult.commands.place import (
    EXIT_CODES,
    Place,
    actor,
    ask_for_patience,
    count,
    fail,
    on_instance,
    opened,
    pass_place,
    progress_if_long,
)
from consult.instance import check_there, database_file
from consult.lock import server_lock
from consult.proving import read_only
from consult.record import cipher
from consult.record import settings as kept
from consult.record.database import Connection
from consult.record.opening import put_guards_back
from consult.record.store import now_utc
from consult.record.timekeeping import stamp

GENTLY: Final = 10
"""Steps of priority that are given up, of 19."""
MOST_LISTED: Final = 50
FILE: Final = click.Path(dir_okay=False, path_type=Path)


def witness_of(conn: Connection) -> Path | None:
    """The witness in the settings; None if there is none."""
    named = kept.keeping(conn, "witness")
    return Path(named) if named else None


@click.command(epilog=EXIT_CODES)
@on_instance()
@pass_place
def rebuild(place: Place) -> None:
    """Make the lists, cases and settings anew from the step log, which alone is the record.

    People get back the role and site it gives them.
    """
    ask_for_patience(database_file(place.folder))
    with opened(place, set_up=False) as instance:  # that it is set up may be what has to be made anew
        n_consultations, n_cases = verifying.rebuild(instance)
    click.echo(f"Rebuilt from the step log: {count(n_consultations, 'consultation')}, {count(n_cases, 'case')}.")


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.option("--witness", "witness_file", type=FILE, metavar="FILE", help="This witness, not the one in the settings.")
@click.argument("files", nargs=-1, type=FILE)
@pass_place
def verify(place: Place, witness_file: Path | None, files: tuple[Path, ...]) -> None:
    """Prove the record: the database is undamaged, and each step follows from the one before.

    Lists, cases, settings, people's roles and the kept versions of content are what the steps say, and each employee
    who was registered is there until erased. Names, dates of birth and passwords stand in no step, so that what they
    say is not proved. Each head that a witness saw is still a step of the log: so it was not cut short, made anew, or
    put back to an older copy.

    FILES are proved against the record by the head they carry: case files, results counted with --head, signed notes
    saved as text, and papers of evidence, each of which is made again from the record as it was at its head: packs,
    reports, slides and action plans, as page, PDF or office file. What was changed in them is named.
    """
    check_there(place.folder)
    ask_for_patience(database_file(place.folder))
    proof, differing = verifying.verify(place.folder, progress_if_long)
    for sentence in differing[:MOST_LISTED]:
        click.echo(sentence, err=True)
    if differing:
        more = len(differing) - MOST_LISTED
        fail(
            f"{count(len(differing), 'difference')} from the steps found, listed above"
            f"{f' but for {more:,}' if more > 0 else ''}; do what is written beside each."
        )
    click.echo(f"The record is whole: {count(proof.last_step, 'step')}, {count(proof.rows['case_row'], 'case')}.")
    click.echo(f"Head of the step log: {proof.head}")
    tell_of_witness(place, witness_file)
    if [file for file in files if not holds(place, file)]:
        fail("Not every file is as the record says, as listed above; trust the record, and ask who changed the file.")


def holds(place: Place, file: Path) -> bool:
    """Hold a file against the record, and say what was found."""
    found = proving_exports.check(place.folder, file)
    click.echo(f"{file}: {found.what}{'' if found.wrong else ', as the record says.'}")
    for sentence in found.wrong[:MOST_LISTED]:
        click.echo(f"  {sentence}", err=True)
    if (more := len(found.wrong) - MOST_LISTED) > 0:
        click.echo(f"  And {more:,} more.", err=True)
    for sentence in found.since:
        click.echo(f"  {sentence}")
    return not found.wrong


def tell_of_witness(place: Place, file: Path | None) -> None:
    """Prove the log against a witness, by default the one in the settings, and say so; also where there is none."""
    with read_only(database_file(place.folder)) as conn:
        if named := file or witness_of(conn):
            seen = witnessing.prove(conn, named)
            click.echo(
                f"Witness {named}: {count(len(seen), 'head')}, all of them steps of this log; last {seen[-1].at}."
            )
            return
    click.echo("No witness was asked, so a log cut short or made anew would not show; see `consult witness`.")


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.option("--to", "file", type=FILE, metavar="FILE", help="This file, not the one in the settings.")
@pass_place
def witness(place: Place, file: Path | None) -> None:
    """Add the head of the step log to a witness: a file in a second place, such as another machine's disk.

    `consult verify` then finds a log that was cut short, made anew, or put back to an older copy. A running server adds
    a head each day and after each of its backups, if the setting `witness` names the file.
    """
    check_there(place.folder)
    with read_only(database_file(place.folder)) as conn:
        named = file or witness_of(conn)
        if named is None:
            fail("No witness is set; name a file with --to, or set one with `consult settings set witness FILE`.")
        seen = witnessing.append(conn, named, stamp(now_utc()))
    click.echo(f"{named}: step {seen.step}, {seen.head}")


@click.group(invoke_without_command=True, epilog=EXIT_CODES)
@on_instance()
@click.pass_context
def settings(context: click.Context) -> None:
    """Settings about backups, the witness and how long is kept, each with its value and what it means."""
    if context.invoked_subcommand is None:
        with opened(context.find_object(Place) or Place(Path("instance"))) as instance:
            for name, known in kept.KEEPING.items():
                value = kept.keeping(instance.db.read(), name)
                click.echo(f"{name} = {value if value != '' else '(blank)'}\n    {known.meaning}")


@settings.command(name="set", epilog=EXIT_CODES)
@on_instance()
@click.argument("name")
@click.argument("value")
@pass_place
def settings_set(place: Place, name: str, value: str) -> None:
    """Change the setting NAME to VALUE; a step of the log says who did it."""
    with opened(place) as instance, instance.db.write() as conn:
        value_now = kept.set_keeping(conn, name, value, actor(), instance.store.at())
        _check_serves(conn, name, str(value_now))
    click.echo(f"{name} = {value_now if value_now != '' else '(blank)'}")


def _check_serves(conn: Connection, name: str, value: str) -> None:
    """Refuse a file in which the doctor would find a fault; a witness that is not there yet is made later."""
    if name == "witness" and value:
        witnessing.read_to_add(conn, Path(value))
    if name == breached.SETTING and value and (sentence := breached.why_not(Path(value))):
        fail(f"{sentence.removesuffix(breached.MEND)}Nothing was changed; name the right file.")


@click.command(name="backup", epilog=EXIT_CODES)
@on_instance()
@click.argument("target", type=click.Path(path_type=Path), required=False)
@pass_place
def backup_command(place: Place, target: Path | None) -> None:
    """Write a backup to TARGET (a new file, or a folder), by default in the instance; the tool may be running.

    The copy is opened and proved before it gets its name. It holds personal data: keep it as you keep the record.
    """
    ask_for_patience(database_file(place.folder))
    with opened(place) as instance:
        file, proof = backup.backup(instance, target)
    click.echo(
        f"{file}: {count(proof.last_step, 'step')}, {count(proof.rows['consultation'], 'consultation')}, proved."
    )
    click.echo(f"Head of the step log: {proof.head}")


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=click.Path(path_type=Path))
@pass_place
def restore(place: Place, file: Path) -> None:
    """Put the backup FILE in the place of the record; what was there is kept under another name.

    The backup is proved first, and nothing is done while a server runs.
    """
    ask_for_patience(file)
    proof, kept = backup.restore(place.folder, file, now_utc(), actor())
    click.echo(f"Restored: {count(proof.last_step, 'step')}, {count(proof.rows['consultation'], 'consultation')}.")
    if kept:
        click.echo(f"What was there is kept as {kept}.")
    with read_only(database_file(place.folder)) as conn:
        say_held(conn, erasing.read_list(place.folder / erasing.LIST))


def say_held(conn: Connection, listed: list[erasing.Erased]) -> None:
    """Say who of a list was not erased again, as a hold was set later."""
    for id_ in erasing.held_since(conn, listed, stamp(now_utc())):
        click.echo(
            f"{id_} was not erased again, as a hold was set later; once it is ended, give `consult employee erase` "
            "for this id.",
            err=True,
        )


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.option("--gently", is_flag=True, help="Leave the processor to other programs first.")
@pass_place
def tend(place: Place, gently: bool) -> None:
    """Do what is due by the settings: a backup, the removal of old ones, and a head for the witness.

    A running server does this by itself; call it from a timetable of the system if none runs.
    """
    check_there(place.folder)
    if gently and hasattr(os, "nice"):
        os.nice(GENTLY)
    done = tending.tend(place.folder, now_utc())
    for what, went in done.items():
        click.echo(f"{what}: {went.sentence}", err=not went.well)
    if not done:
        click.echo("Nothing is due.")
    if wrong := [what for what, went in done.items() if not went.well]:
        fail(f"It did not work: {', '.join(wrong)}; mend what is written above.")


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=FILE, required=False)
@pass_place
def rehearse(place: Place, file: Path | None) -> None:
    """Restore a backup aside, prove it in full, hold it against the log in use, and remove it again.

    It is FILE, or else the newest in the place where backups go. The record in use is not touched.
    """
    check_there(place.folder)
    begun = now_utc()
    found = rehearsing.rehearse(place.folder, file, begun, progress_if_long)
    click.echo(found.sentence)
    click.echo(f"It took {(now_utc() - begun).total_seconds():.1f} seconds.")


@click.command(name="doctor", epilog=EXIT_CODES)
@on_instance()
@pass_place
def doctor_command(place: Place) -> None:
    """Look the installation over; each finding is a sentence with what to do. Exit code 1 if there is a fault."""
    marks = {"fine": "fine ", "note": "note ", "fault": "FAULT"}
    faults = 0
    ask_for_patience(database_file(place.folder))
    for finding in doctor.examine(place.folder):
        click.echo(f"{marks[finding.weight]}  {finding.about}: {finding.sentence}")
        faults += finding.weight == "fault"
    if faults:
        fail(f"{count(faults, 'fault')} found; do what is written beside each.")


@click.command(epilog=EXIT_CODES)
@on_instance()
@pass_place
def guard(place: Place) -> None:
    """Put missing guards of the step log back, once the log has been proved; a step says who did it.

    A start is refused while guards are missing, since steps may have been changed.
    """
    file = database_file(place.folder)
    check_there(place.folder)
    ask_for_patience(file)
    with server_lock(place.folder):
        put_back = put_guards_back(file, actor())
    click.echo(f"Put back: {', '.join(put_back)}; the log holds." if put_back else "Every guard is in its place.")
    if put_back:
        click.echo("Now run `consult verify`, which also compares lists, cases and settings with the steps.")


@click.command(epilog=EXIT_CODES)
@on_instance()
@click.option("--old-key-file", type=FILE, metavar="FILE", help="The key that the database has now, if any.")
@pass_place
def encrypt(place: Place, old_key_file: Path | None) -> None:
    """Encrypt the database with SQLCipher, under the key in CONSULT_DATABASE_KEY or CONSULT_DATABASE_KEY_FILE.

    Where the file that is named is not there yet, a new key is made in it. Stop the server before. Backups made from
    then on are encrypted, too; those made before are not, and are listed.
    """
    proof, made = encrypting.encrypt(place.folder, old_key_file)
    if made:
        click.echo(f"{made}: a new key was made. Keep a copy of it apart: without it nobody can read the record.")
    click.echo(f"Encrypted under the key in {cipher.place()}: {count(proof.last_step, 'step')}, proved.")
    for file in encrypting.plain_copies(place.folder):
        click.echo(f"Not encrypted: {file}. Move it to where it is safe, or remove it.")


@click.command(epilog=EXIT_CODES)
@on_instance()
@pass_place
def decrypt(place: Place) -> None:
    """Write the database without encryption again, given its key. Stop the server before; then take the key away."""
    proof = encrypting.decrypt(place.folder)
    click.echo(
        f"No longer encrypted: {count(proof.last_step, 'step')}, proved. Take {cipher.IN_ENVIRONMENT} and "
        f"{cipher.FILE_IN_ENVIRONMENT} out of the environment before the next start."
    )
