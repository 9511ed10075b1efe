"""One page a measure: beside the national figures, over time, by site and by group, and item by item."""

from __future__ import annotations

from flask import abort, render_template
from msgspec import Struct

from consult import planning
from consult.audit import actions, figures, targets
from consult.audit.breakdowns import Close, close, span
from consult.audit.comparison import PERCENT_FROM
from consult.audit.figures import Figure
from consult.audit.measures import Measure
from consult.audit.results import Result, Results
from consult.audit.suppression import LEAVES_FROM
from consult.record import settings
from consult.web.context import inst
from consult.web.results import MODES, Row, aims, blocks, bp, leaving, parts, row, selection, whole_if_leaving, words


class Block(Struct, frozen=True):
    """One measure of one capture mode, as its page shows it."""

    results: Results
    row: Row
    span: tuple[str, str] | None
    figures: list[Figure]

    @property
    def shown(self) -> bool:
        """Whether anything is shown at all: a copy that leaves the provider withholds what has few cases."""
        return self.row.leaves or not leaving()


@bp.get("/measures/<measure_id>")
def measure(measure_id: str) -> str:
    """One measure: its definition, and each mode's figures and counts, each count opening to its cases."""
    measures, dataset = parts()
    if measure_id not in measures.by_id:
        abort(404)
    chosen = whole_if_leaving(selection())
    one = measures.by_id[measure_id]
    conn = inst().db.read()
    found = []
    for block in blocks(chosen):
        dates = span(conn, measures, dataset, block.selection)
        found.append(Block(block, row(block, measure_id), dates, _figures(block, one)))
    modes = [(MODES[b.results.capture_mode], b.row.result) for b in found if b.shown]
    by_mode = figures.by_mode(one, modes) if len(modes) > 1 else None
    return render_template(
        "results/measure.html",
        measure=one,
        target=targets.targets(conn).get(one.id),
        blocks=found,
        by_mode=by_mode,
        **words(chosen, measures),
    )


def _figures(block: Results, one: Measure) -> list[Figure]:
    measures, dataset = parts()
    taken = close(inst().db.read(), measures, dataset, block.selection, one)
    lines = figures.levels(one.id, inst().benchmarks, aims().get(one.id))
    beside = [(measures.by_id[other], block.measures[other]) for other in one.shown_with]
    result = block.measures[one.id]
    found = [figures.benchmark(one, result, beside, inst().benchmarks, block.capture_mode, aims().get(one.id))]
    done = [] if leaving() else planning.marks(actions.actions(inst().db.read()).values(), one.id, block.selection.site)
    found.append(figures.trend(one, taken.months, lines, done, LEAVES_FROM if leaving() else PERCENT_FROM))
    found += _items(block, one, taken)
    if not leaving():
        found.append(figures.over_sites(one, _named(taken.sites), lines, _name_of_selected(block)))
    return found + _breakdowns(one, taken)


def _items(block: Results, one: Measure, taken: Close) -> list[Figure]:
    measures, _ = parts()
    if ids := measures.parts(one):
        return [figures.of_parts(one, [(measures.by_id[id_], block.measures[id_]) for id_ in ids])]
    return [figures.of_items(one, taken.items)] if taken.items else []


def _breakdowns(one: Measure, taken: Close) -> list[Figure]:
    measures, dataset = parts()
    shown = [b for b in measures.breakdowns if b.personal or not leaving()]
    return [
        figures.by_field(
            one, dataset.by_name[b.field], taken.by[b.field], leaving=leaving(), of_few=b.field in taken.of_few
        )
        for b in shown
    ]


def _named(sites: dict[tuple[str, str], Result]) -> dict[str, Result]:
    """The results of sites by the name that tells them apart: with the provider where there are several."""
    several = len({provider for provider, _ in sites}) > 1
    return {_site_name(provider, site, several): result for (provider, site), result in sites.items()}


def _site_name(provider: str, site: str, several: bool) -> str:
    known = settings.sites(inst().db.read()).get(site)
    name = known.name if known and provider == inst().provider else site
    return f"{provider}, {name}" if several else name


def _name_of_selected(block: Results) -> str:
    chosen = block.selection
    return _site_name(chosen.provider, chosen.site, several=not chosen.provider) if chosen.site else ""
