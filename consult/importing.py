"""Taking in a case file: demonstration and real cases kept apart, sites not known yet added."""

from __future__ import annotations

from itertools import islice

from consult.exchange.casefile import Import, ImportReport, columns, import_cases, read_text, records, unguarded
from consult.instance import Instance
from consult.progress import Progress
from consult.setting_up import DEMO_PROVIDER, add_unknown_sites


class ImportRefused(Exception):
    """The file was not taken in; the message says why and what to do."""


def import_file(
    instance: Instance, content: bytes, replace: bool, actor: str, progress: Progress
) -> tuple[ImportReport, list[str]]:
    """Take in the cases of a file; returns the report, and the sites of the own provider that were added."""
    text = read_text(content)
    dataset = instance.library.current.dataset
    _check_not_mixed(instance, _providers(instance, text))
    settings = Import(instance.provider, instance.today(), actor, instance.store.at(), replace)
    done = 0
    with progress(text.count("\n"), "Cases") as advance:

        def report_rows(rows: int) -> None:
            nonlocal done
            advance(rows - done)
            done = rows

        report = import_cases(instance.db, dataset, text, settings, report_rows)
    own = [site for provider, site in report.sites if provider == instance.provider]
    return report, add_unknown_sites(instance, own, actor)


def _providers(instance: Instance, text: str) -> set[str]:
    """The providers that the rows of a file name; rows that cannot be read are reported later."""
    names = columns(next(records(text), None), instance.library.current.dataset)
    at = names.index("provider")
    rows = islice(records(text, len(names)), 1, None)
    return {unguarded(row.cells[at]).strip().upper() for row in rows if len(row.cells) == len(names)} - {""}


def _check_not_mixed(instance: Instance, providers: set[str]) -> None:
    if instance.demonstration and (others := providers - {DEMO_PROVIDER}):
        raise ImportRefused(
            f"This is the demonstration, and the file holds cases of {', '.join(sorted(others))}; "
            "import them into a real installation (`consult init`)."
        )
    if not instance.demonstration and DEMO_PROVIDER in providers:
        raise ImportRefused(
            "The file holds cases of the demonstration, which are never mixed with real ones; leave them out."
        )
