"""The command line: the commands of each area, joined into one."""

from __future__ import annotations

import sys
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Final

import click

from consult.footprint import for_good

with for_good():
    from consult.commands.place import EXIT_CODES, Commands, on_instance

ALL: Final = {
    "serve": ("serve", "serve"),
    "demo": ("demo", "demo_command"),
    "init": ("people", "init"),
    "person": ("people", "person"),
    "sign-on": ("sign_on", "sign_on"),
    "security-log": ("people", "security_log_command"),
    "check": ("content", "check"),
    "approve": ("content", "approve"),
    "confirm": ("content", "confirm"),
    "paper": ("content", "paper"),
    "cases": ("cases", "cases"),
    "results": ("cases", "results"),
    "measures": ("measures", "measures"),
    "rounds": ("rounds", "rounds"),
    "evidence": ("evidence", "evidence"),
    "employee": ("protecting", "employee"),
    "hand-over": ("protecting", "hand_over"),
    "rebuild": ("keeping", "rebuild"),
    "verify": ("keeping", "verify"),
    "witness": ("keeping", "witness"),
    "settings": ("keeping", "settings"),
    "backup": ("keeping", "backup_command"),
    "restore": ("keeping", "restore"),
    "guard": ("keeping", "guard"),
    "rehearse": ("keeping", "rehearse"),
    "tend": ("keeping", "tend"),
    "doctor": ("keeping", "doctor_command"),
    "encrypt": ("keeping", "encrypt"),
    "decrypt": ("keeping", "decrypt"),
}
"""Each command, with the module and the name that it has there."""


class Joined(Commands):
    """All commands, of which only the one that is called is read: a server needs no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """The names of all."""
        return sorted(ALL)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as click calls it
        """The command of a name; None if there is none."""
        if cmd_name not in ALL:
            return None
        module, name = ALL[cmd_name]
        with for_good():
            command: click.Command = getattr(import_module(f"consult.commands.{module}"), name)
        return command


@click.group(cls=Joined, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file under Windows knows the letters of one code page only
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
