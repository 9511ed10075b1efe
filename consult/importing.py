"""Taking in a case file: demonstration and real cases kept apart, sites not known yet added."""

from __future__ import annotations

from functools import partial

from consult.exchange import in_error
from consult.exchange.casefile import ImportReport, import_cases
from consult.exchange.caselines import read_text
from consult.exchange.intake import REPLACED, Import
from consult.instance import Instance
from consult.progress import Progress
from consult.setting_up import DEMO_PROVIDER


def import_file(
    instance: Instance, content: bytes, replace: bool, reason: str, actor: str, progress: Progress
) -> tuple[ImportReport, list[str]]:
    """Take in the cases of a file; returns the report, and the sites of the own provider that were added."""
    text = read_text(content)
    dataset = instance.library.current.dataset
    settings = Import(
        provider=instance.provider,
        today=instance.today(),
        actor=actor,
        at=instance.store.at(),
        replace=replace,
        reason=reason.strip() or REPLACED,
        why_not=partial(why_not_taken, instance.demonstration),
        add_sites=True,
    )
    done = 0
    with progress(text.count("\n"), "Cases") as advance:

        def report_rows(rows: int) -> None:
            nonlocal done
            advance(rows - done)
            done = rows

        report = import_cases(instance.db, dataset, text, settings, report_rows)
    return report, sorted(report.new_sites)


def take_out_file(instance: Instance, content: bytes, reason: str, actor: str, write: bool) -> in_error.Undone:
    """Take the cases of a file out again; without `write` it is only said what would go."""
    settings = Import(instance.provider, instance.today(), actor, instance.store.at())
    dataset = instance.library.current.dataset
    return in_error.take_out_file(instance.db, dataset, read_text(content), settings, reason, write)


def why_not_taken(demonstration: bool, provider: str) -> str:
    """Why no case of a provider is taken into a demonstration, or into a real installation; "" if they are."""
    of_demonstration = provider.casefold() == DEMO_PROVIDER.casefold()
    if demonstration and not of_demonstration:
        return "This is the demonstration, which takes no real cases; import them where `consult init` was run."
    if of_demonstration and not demonstration:
        return "This is a case of the demonstration, and those are never mixed with real ones; leave it out."
    return ""
