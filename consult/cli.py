"""The command line: the commands of each area, joined into one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from consult.footprint import for_good

with for_good():
    from consult.commands import (
        cases,
        content,
        evidence,
        keeping,
        measures,
        people,
        protecting,
        rounds,
        serve,
        sign_on,
    )
    from consult.commands.place import EXIT_CODES, Commands, on_instance

ALL: Final = (
    serve.serve,
    serve.demo_command,
    people.init,
    people.person,
    sign_on.sign_on,
    people.security_log_command,
    content.check,
    content.approve,
    content.confirm,
    content.paper,
    cases.cases,
    cases.results,
    measures.measures,
    rounds.rounds,
    evidence.evidence,
    protecting.employee,
    protecting.hand_over,
    keeping.rebuild,
    keeping.verify,
    keeping.witness,
    keeping.settings,
    keeping.backup_command,
    keeping.restore,
    keeping.guard,
    keeping.rehearse,
    keeping.tend,
    keeping.doctor_command,
    keeping.encrypt,
    keeping.decrypt,
)


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


for command in ALL:
    main.add_command(command)


if __name__ == "__main__":
    main()
