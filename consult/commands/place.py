"""What every command shares: the instance it works on, who acts, and how it ends in one sentence."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar, cast

import click
from msgspec import Struct

from consult import setting_up
from consult.instance import Instance, open_instance
from consult.proforma.load import ContentError
from consult.progress import silent
from consult.proving import telling_damage
from consult.record.database import in_a_line, sqlite3

EXIT_CODES: Final = (
    "Exit codes: 0 all went well; 1 something was refused, failed a check, or went wrong (one sentence says what, and "
    "what to do); 2 the command was not understood."
)
LONG: Final = 50_000_000
LONG_LOG: Final = 20_000
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
    from consult.commands.refusals import REFUSALS  # they are of all parts, most of which a command can do without

    if isinstance(error, REFUSALS):
        return str(error)
    if isinstance(error, ContentError):
        for problem in error.problems:
            click.echo(str(problem), err=True)
        return f"Content was refused ({count(len(error.problems), 'problem')}, listed above); mend it, then try again."
    if isinstance(error, sqlite3.Error):
        locked = "locked" in str(error) or "busy" in str(error)
        do = "wait until the other program has finished, then try again" if locked else "run `consult doctor`"
        return f"The database did not do it ({in_a_line(error)}); {do}."
    if isinstance(error, OSError):
        return f"{error.filename or 'The system'}: {error.strerror or error}; mend that, then try again."
    return (
        f"Something unforeseen happened ({type(error).__name__}: {error}); run `consult doctor`, and report it with "
        "the command you gave."
    )


def ask_for_patience(file: Path) -> None:
    """Say so before all steps of a long record are read."""
    try:
        size = file.stat().st_size
    except OSError:
        return  # whoever reads it says why it can't be read
    if size > LONG:
        click.echo(f"Reading all {size // 1_000_000:,} MB of {file}; this takes a while.", err=True)


def count(n: int, noun: str) -> str:
    return f"{n:,} {noun if n == 1 else noun + 's'}"


class Place(Struct):
    """The instance folder the command works on."""

    folder: Path


def _set_place(ctx: click.Context, _: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        ctx.obj = Place(folder)


def on_instance(**more: Any) -> Callable[[F], F]:
    """The option --instance, which stands before or after the command."""
    return click.option(
        "--instance",
        type=click.Path(file_okay=False, readable=False, path_type=Path),
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
        tell_refused(instance)
        with telling_damage(instance.db.file):
            yield instance
    finally:
        instance.close()


def tell_refused(instance: Instance) -> None:
    """Name the files of content that were refused."""
    for problem in instance.problems:
        click.echo(f"Refused, so an older version stays in use: {problem}", err=True)


_with_place = click.make_pass_decorator(Place)


def pass_place(command: F) -> F:
    """Hand a command its place, but to root in a folder of another account."""

    @_with_place
    @wraps(command)
    def run(place: Place, *arguments: Any, **options: Any) -> Any:
        _check_owner(place.folder)
        return command(place, *arguments, **options)

    return cast("F", run)


def _check_owner(folder: Path) -> None:
    """Refuse root where the folder is another's: that account, and so the server, could not open what root makes."""
    if sys.platform == "win32" or os.geteuid() != 0 or not folder.exists() or folder.stat().st_uid == 0:
        return
    account, do = _account(folder.stat().st_uid)
    fail(f"{folder} belongs to the account {account}, which could not open what root writes there; {do}.")


def _account(number: int) -> tuple[str, str]:
    """What an account is called, and how root runs a command as it."""
    from pwd import getpwuid  # not there on Windows

    try:
        name = getpwuid(number).pw_name
    except KeyError:
        return str(number), "run this as that account"
    return name, f"run this as that account: begin the command with `runuser -u {name} --`"


def fail(sentence: str) -> NoReturn:
    """End with exit code 1 and a sentence."""
    raise click.ClickException(sentence)


def not_there(*files: Path) -> None:
    """Refuse to write over a file."""
    if there := [file for file in files if str(file) != "-" and file.exists()]:
        fail(f"{there[0]} is there already; choose another name, or add --force.")


def hand_out(file: Path, content: bytes) -> None:
    """Write a file, or standard output; a workbook is never written on a screen."""
    if str(file) == "-" and content.startswith(b"PK") and sys.stdout.isatty():
        fail("A workbook can't be shown here; name a file to write it to.")
    with click.open_file(str(file), "wb") as stream:
        stream.write(content)


@contextmanager
def progress(length: int, label: str) -> Iterator[Callable[[int], None]]:
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update


def progress_if_long(length: int, label: str) -> AbstractContextManager[Callable[[int], None]]:
    return progress(length, label) if length > LONG_LOG else silent(length, label)
