"""The figures on the page of a measure: beside the national ones, over time, by site and by group, and item by item."""

from __future__ import annotations

from consult import planning
from consult.audit import actions, figures
from consult.audit import leaving as may_leave
from consult.audit.breakdowns import Close, close
from consult.audit.figures import Figure
from consult.audit.measures import Measure
from consult.audit.results import Result, Results
from consult.web.context import inst, site_name
from consult.web.results import aims, beside_another, leaving, parts


def figures_of(block: Results, one: Measure) -> list[Figure]:
    """The figures of one measure in one capture mode, in the order of its page."""
    measures, dataset = parts()
    taken = close(inst().db.read(), measures, dataset, block.selection, one)
    aim, mode = aims().get(one.id), block.capture_mode
    lines = figures.levels(one.id, inst().benchmarks, aim)
    beside = [(measures.by_id[other], block.measures[other]) for other in one.shown_with]
    result = block.measures[one.id]
    found = [figures.benchmark(one, result, beside, inst().benchmarks, mode, aim, leaving=leaving())]
    done = [] if leaving() else planning.marks(actions.actions(inst().db.read()).values(), one.id, block.selection.site)
    found.append(figures.trend(one, taken.months, lines, done, leaving=leaving()))
    found += _items(block, one, taken)
    if leaving() and (may_leave.pooled(inst().db.read(), block.selection) or beside_another(block.selection)):
        return [found[0], *_items(block, one, taken)]
    if not leaving():
        found.append(figures.over_sites(one, _named(taken.sites), lines, _name_of_selected(block)))
    return found + _breakdowns(one, taken)


def _items(block: Results, one: Measure, taken: Close) -> list[Figure]:
    measures, _ = parts()
    if ids := measures.parts(one):
        shown = [(measures.by_id[id_], block.measures[id_]) for id_ in ids]
        return [figures.of_parts(one, shown, leaving=leaving())]
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
    here = provider == inst().provider
    name = site_name(site) if here else site
    return f"{provider}, {name}" if several else name


def _name_of_selected(block: Results) -> str:
    chosen = block.selection
    return _site_name(chosen.provider, chosen.site, several=not chosen.provider) if chosen.site else ""
