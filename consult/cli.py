"""The command line: each command reads its options, calls a module, and says what happened."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click

from consult import approving, backup, checking, demo, doctor, importing, results_text, serving, setting_up, verifying
from consult.accounts.people import ROLES, NewPerson, PersonRefused, add_person, by_username, change_password
from consult.audit import results as audit
from consult.exchange import casefile
from consult.instance import Instance, InstanceRefused, database_file, exists, only_for_me, open_instance
from consult.lock import Held
from consult.proforma.load import ContentError
from consult.progress import silent
from consult.record import ledger
from consult.record.database import DatabaseRefused, sqlite3
from consult.record.store import Refused, now_utc

EXIT_CODES: Final = (
    "Exit codes: 0 all went well; 1 something was refused, failed a check, or went wrong (one sentence says what, and "
    "what to do); 2 the command was not understood."
)
LONG: Final = 50_000_000
LONG_LOG: Final = 20_000
MOST_LISTED: Final = 50
REFUSALS: Final = (
    approving.ApprovalRefused,
    audit.SelectionRefused,
    backup.BackupRefused,
    casefile.CaseFileRefused,
    DatabaseRefused,
    demo.DemoRefused,
    Held,
    InstanceRefused,
    ledger.KeyReused,
    PersonRefused,
    Refused,
)
F = TypeVar("F", bound=Callable[..., Any])


class Commands(click.Group):
    """A group whose commands end in one sentence where something is wrong, never in a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and turn whatever it raises into a sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get("CONSULT_TRACEBACK"):
                raise
            raise click.ClickException(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    if isinstance(error, REFUSALS):
        return str(error)
    if isinstance(error, ContentError):
        for problem in error.problems:
            click.echo(str(problem), err=True)
        return f"Content was refused ({_count(len(error.problems), 'problem')}, listed above); mend it, then try again."
    if isinstance(error, sqlite3.Error):
        locked = "locked" in str(error) or "busy" in str(error)
        do = "wait until the other program has finished, then try again" if locked else "run `consult doctor`"
        return f"The database did not do it ({error}); {do}."
    if isinstance(error, OSError):
        return f"{error.filename or 'The system'}: {error.strerror or error}; mend that, then try again."
    return (
        f"Something unforeseen happened ({type(error).__name__}: {error}); run `consult doctor`, and report it with "
        "the command you gave."
    )


def _ask_for_patience(file: Path) -> None:
    """Say so before all steps of a long record are read."""
    if file.exists() and file.stat().st_size > LONG:
        click.echo(f"Reading all {file.stat().st_size // 1_000_000:,} MB of {file}; this takes a while.", err=True)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun if n == 1 else noun + 's'}"


@dataclass
class Place:
    """The instance folder the command works on."""

    folder: Path


def _set_place(ctx: click.Context, _: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        ctx.obj = Place(folder)


def on_instance(**more: Any) -> Callable[[F], F]:
    """The option --instance, which stands before or after the command."""
    return click.option(
        "--instance",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        callback=_set_place,
        expose_value=False,
        **{"help": "The instance folder.", **more},
    )


def actor() -> str:
    """Who acts on the command line, as the steps name it."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:uid-{os.getuid()}" if sys.platform != "win32" else "cli:unknown"


@contextmanager
def opened(place: Place, set_up: bool = True) -> Iterator[Instance]:
    """The instance of this command, opened, and set up if need be; files that were refused are named."""
    instance = (setting_up.open_set_up if set_up else open_instance)(place.folder, actor=actor())
    try:
        for problem in instance.problems:
            click.echo(f"Refused, so an older version stays in use: {problem}", err=True)
        yield instance
    finally:
        instance.close()


pass_place = click.make_pass_decorator(Place)


@click.group(cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@on_instance(
    envvar="CONSULT_INSTANCE",
    default=Path("instance"),
    show_default=True,
    help="The instance folder.",
    show_envvar=True,
)
@click.version_option(package_name="oh-back-pain-consult", prog_name="consult")
def main() -> None:
    """Back-pain consultations in occupational health: held, written down and audited in one go."""


# --- serving -----------------------------------------------------------------------------------------------


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


@main.command(epilog=EXIT_CODES)
@on_instance()
@serving_options
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0 for any.")
@pass_place
def serve(place: Place, host: str, port: int, behind_tls_proxy: bool, host_names: tuple[str, ...]) -> None:
    """Serve the pages until stopped.

    Plain HTTP is served to this machine only; for others put a TLS proxy in front.
    """
    address = _address(host, port, behind_tls_proxy, host_names)
    with opened(place):
        pass
    with serving.listen(host, port) as listener:
        url = serving.url_of(listener)
        serving.serve(place.folder, listener, address, lambda: click.echo(f"Serving on {url} (stop with Ctrl+C)"))


def _address(host: str, port: int, behind_tls: bool, names: tuple[str, ...]) -> serving.Address:
    address = serving.Address(host, port, names, behind_tls)
    if sentence := address.why_refused():
        raise click.UsageError(sentence)
    return address


@main.command(name="demo", epilog=EXIT_CODES)
@on_instance()
@click.option("--port", type=click.IntRange(0, 65535), help="The port (8000, or any free one if that is taken).")
@click.option("--no-open", is_flag=True, help="Do not open the browser.")
@click.option("--prepare", is_flag=True, help="Only make the demonstration's data, without serving it.")
@pass_place
def demo_command(place: Place, port: int | None, no_open: bool, prepare: bool) -> None:
    """Open a demonstration: a fictitious service with fictitious people and a few consultations.

    It is made on first use, and never mixed with real data.
    """
    if prepare:
        _prepare_demo(place.folder)
        click.echo(f"The demonstration is ready in {place.folder}; open it with `consult demo`.")
        return
    with serving.listen_near("127.0.0.1", 8000) if port is None else serving.listen("127.0.0.1", port) as listener:
        _prepare_demo(place.folder)
        url = serving.url_of(listener)
        serving.serve(place.folder, listener, serving.Address(), lambda: _demo_is_ready(url, not no_open))


def _prepare_demo(folder: Path) -> None:
    if demo.is_there(folder):
        return
    click.echo("Preparing the demonstration; this takes a few seconds.", err=True)
    with click.progressbar(length=demo.amount(), file=sys.stderr, label="Consultations") as bar:
        demo.prepare(folder, now_utc(), bar.update)


def _demo_is_ready(url: str, browser: bool) -> None:
    click.echo(f"\nThe demonstration is open at {url}\nEverything in it is made up. Sign in as one of:\n")
    for person in demo.people():
        click.echo(f"  {person.username:<10} {demo.password()}   {ROLES[person.role]}, {person.name}")
    click.echo("\nStop it with Ctrl+C.")
    sys.stdout.flush()
    if browser:
        serving.open_browser(url)


# --- setting up --------------------------------------------------------------------------------------------


@main.command(epilog=EXIT_CODES)
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
    wanted = setting_up.SetUp(provider.strip(), sites, admin, _password(password_file))
    person = setting_up.set_up(place.folder, wanted, actor())
    click.echo(f"Set up for provider {wanted.provider} in {place.folder}. Sign in as {person.username}.")
    click.echo("Next: `consult serve`, fill in each site's urgent routes, and have the content approved.")


def _password(file: Any) -> str:
    if file is None:
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    try:
        lines = file.read(10_000).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise click.ClickException("The password file is not UTF-8; save it as plain text.") from error
    if not lines:
        raise click.ClickException("The password file is empty; write the password on its first line.")
    return str(lines[0])


@main.group(epilog=EXIT_CODES)
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
        new = NewPerson(name, role, site or next(iter(instance.sites), ""), _password(password_file), username)
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
            change_password(conn, known.id, _password(password_file), actor(), instance.store.at())
    click.echo(f"{known.name} has a new password.")


# --- content -----------------------------------------------------------------------------------------------


@main.command(epilog=EXIT_CODES)
@on_instance()
@pass_place
def check(place: Place) -> None:
    """Check all content: proformas with measures and benchmarks, leaflets, and the settings of the instance."""
    found = checking.check_content(place.folder)
    for line in found.right:
        click.echo(f"Right: {line}")
    for problem in found.problems:
        click.echo(str(problem))
    if exists(place.folder) and not found.problems:
        with opened(place) as instance:
            for point in checking.open_points(instance):
                click.echo(f"Open: {point}")
    if found.problems:
        fail(f"{_count(len(found.problems), 'problem')} found; mend what is listed, then run this again.")


def fail(sentence: str) -> NoReturn:
    """End with exit code 1 and a sentence."""
    raise click.ClickException(sentence)


@main.command(epilog=EXIT_CODES)
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
        if what is not None:
            named = approving.chosen(instance, what, leaflet)
            named = approving.with_digests(named, digests) if digests else named
            _approve(instance, named, name or "", post or "", asked=bool(digests) or yes)
        elif sentence := approving.why_not_as_served(instance):
            click.echo(sentence, err=True)
        _list_approvals(instance)


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


def _list_approvals(instance: Instance) -> None:
    known = instance.approvals
    for item, digest in instance.in_use().items():
        by = known.get(digest)
        click.echo(f"{digest}  {item}: {f'approved by {by.name}, {by.post}, {by.at[:10]}' if by else 'draft'}")


# --- cases and results -------------------------------------------------------------------------------------


@main.group(epilog=EXIT_CODES)
@on_instance()
def cases() -> None:
    """Case files: the cases as CSV, internal and raw."""


@cases.command(name="export", epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="-")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@pass_place
def cases_export(place: Place, file: Path, force: bool) -> None:
    """Write every case to FILE, or to standard output."""
    if str(file) != "-" and file.exists() and not force:
        fail(f"{file} is there already; choose another name, or add --force.")
    with opened(place) as instance, only_for_me():
        conn = instance.db.read()
        seq, head = ledger.head(conn)
        n = -1  # the first record is the header
        with click.open_file(str(file), "wb") as stream:
            for record in casefile.export_cases(conn, instance.library.current.dataset):
                stream.write(record.encode())
                n += 1
    click.echo(f"{_count(n, 'case')} written; the step log stood at step {seq}, {head}.", err=True)


@cases.command(name="import", epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="Let a row supersede an imported case that differs.")
@pass_place
def cases_import(place: Place, file: Any, replace: bool) -> None:
    """Take in the cases of FILE (- for input); good rows are kept, and every bad row is reported.

    The exit code is 1 if any row was refused.
    """
    content = file.read(casefile.MAX_FILE_BYTES + 1)
    with opened(place) as instance:
        report, new_sites = importing.import_file(instance, content, replace, actor(), _progress)
    for bad in report.bad:
        click.echo(str(bad), err=True)
    for site in new_sites:
        click.echo(f"Site {site} was not known and has been added; fill in its urgent routes.", err=True)
    click.echo(
        f"{_count(report.rows, 'row')}: {report.added} added, {report.unchanged} there already, "
        f"{report.replaced} replaced, {report.refused} refused."
    )
    if report.refused:
        fail(f"{_count(report.refused, 'row')} refused, as listed above; mend them and import the file again.")


@contextmanager
def _progress(length: int, label: str) -> Iterator[Callable[[int], None]]:
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update


def _progress_if_long(length: int, label: str) -> AbstractContextManager[Callable[[int], None]]:
    return _progress(length, label) if length > LONG_LOG else silent(length, label)


DATE = click.DateTime(["%Y-%m-%d"])


@main.command(epilog=EXIT_CODES)
@on_instance()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="To read, or as data.",
)
@click.option("--provider", default="", help="Only cases of this provider.")
@click.option("--site", default="", help="Only cases of this site.")
@click.option("--from", "start", type=DATE, metavar="DATE", help="Only consultations from this day on (2026-01-31).")
@click.option("--to", "end", type=DATE, metavar="DATE", help="Only consultations up to this day.")
@click.option("--capture", type=click.Choice(["live", "retrospective", "paper"]), help="Only this capture mode.")
@click.option("--cases", "with_cases", is_flag=True, help="Each case with its outcomes, too.")
@pass_place
def results(
    place: Place,
    form: str,
    provider: str,
    site: str,
    start: datetime | None,
    end: datetime | None,
    capture: str | None,
    with_cases: bool,
) -> None:
    """Count every measure over the cases selected. Capture modes are never pooled."""
    if start and end and start > end:
        raise click.UsageError("--from is later than --to; exchange them.")
    first, last = (moment.date().isoformat() if moment else "" for moment in (start, end))
    selection = audit.Selection(provider, site, first, last, capture or "")
    with opened(place) as instance:
        conn, dataset = instance.db.read(), instance.library.current.dataset
        try:
            found = audit.results(conn, instance.measures, dataset, selection)
        except audit.MixedModes as mixed:
            fail(f"{mixed} Add --capture {' or --capture '.join(mixed.modes)}.")
        if form == "json":
            shape = audit.as_json(found, instance.measures, instance.benchmarks)
            if with_cases:
                shape["cases"] = audit.cases_json(conn, instance.measures, dataset, selection)
            click.echo(json.dumps(shape, ensure_ascii=False, indent=2))
            return
        lines = [*results_text.lines(found, instance.measures, instance.benchmarks)]
        if with_cases:
            lines += results_text.case_lines(audit.judged(conn, instance.measures, dataset, selection))
        click.echo("\n".join(lines))


# --- looking after the record ------------------------------------------------------------------------------


@main.command(epilog=EXIT_CODES)
@on_instance()
@pass_place
def rebuild(place: Place) -> None:
    """Make the lists, cases and settings anew from the step log, which alone is the record.

    People get back the role and site it gives them.
    """
    _ask_for_patience(database_file(place.folder))
    with opened(place, set_up=False) as instance:  # that it is set up may be what has to be made anew
        n_consultations, n_cases = verifying.rebuild(instance)
    click.echo(f"Rebuilt from the step log: {_count(n_consultations, 'consultation')}, {_count(n_cases, 'case')}.")


@main.command(epilog=EXIT_CODES)
@on_instance()
@pass_place
def verify(place: Place) -> None:
    """Prove the record: the database is undamaged, and each step follows from the one before.

    Lists, cases, settings, people's roles and the kept versions of content are what the steps say.
    """
    if not exists(place.folder):
        fail(f"There is no instance in {place.folder}; run `consult init` or `consult demo` first.")
    _ask_for_patience(database_file(place.folder))
    proof, differing = verifying.verify(place.folder, _progress_if_long)
    for sentence in differing[:MOST_LISTED]:
        click.echo(sentence, err=True)
    if differing:
        more = len(differing) - MOST_LISTED
        fail(
            f"{_count(len(differing), 'difference')} from the steps found, listed above"
            f"{f' but for {more:,}' if more > 0 else ''}; do what is written beside each."
        )
    click.echo(f"The record is whole: {_count(proof.last_step, 'step')}, {_count(proof.rows['case_row'], 'case')}.")
    click.echo(f"Head of the step log: {proof.head}")


@main.command(name="backup", epilog=EXIT_CODES)
@on_instance()
@click.argument("target", type=click.Path(path_type=Path), required=False)
@pass_place
def backup_command(place: Place, target: Path | None) -> None:
    """Write a backup to TARGET (a new file, or a folder), by default in the instance; the tool may be running.

    The copy is opened and proved before it gets its name. It holds personal data: keep it as you keep the record.
    """
    _ask_for_patience(database_file(place.folder))
    with opened(place) as instance:
        file, proof = backup.backup(instance, target)
    click.echo(
        f"{file}: {_count(proof.last_step, 'step')}, {_count(proof.rows['consultation'], 'consultation')}, proved."
    )
    click.echo(f"Head of the step log: {proof.head}")


@main.command(epilog=EXIT_CODES)
@on_instance()
@click.argument("file", type=click.Path(path_type=Path))
@pass_place
def restore(place: Place, file: Path) -> None:
    """Put the backup FILE in the place of the record; what was there is kept under another name.

    The backup is proved first, and nothing is done while a server runs.
    """
    _ask_for_patience(file)
    proof, kept = backup.restore(place.folder, file, now_utc())
    click.echo(f"Restored: {_count(proof.last_step, 'step')}, {_count(proof.rows['consultation'], 'consultation')}.")
    if kept:
        click.echo(f"What was there is kept as {kept}.")


@main.command(name="doctor", epilog=EXIT_CODES)
@on_instance()
@pass_place
def doctor_command(place: Place) -> None:
    """Look the installation over; each finding is a sentence with what to do. Exit code 1 if there is a fault."""
    marks = {"fine": "fine ", "note": "note ", "fault": "FAULT"}
    faults = 0
    _ask_for_patience(database_file(place.folder))
    for finding in doctor.examine(place.folder):
        click.echo(f"{marks[finding.weight]}  {finding.about}: {finding.sentence}")
        faults += finding.weight == "fault"
    if faults:
        fail(f"{_count(faults, 'fault')} found; do what is written beside each.")


if __name__ == "__main__":
    main()
