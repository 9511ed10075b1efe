"""The audit report of a site, or of all of them, for a round."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import asdict

from consult import planning
from consult.accounts.people import ROLES
from consult.audit import own, reliability
from consult.audit.comparison import percent
from consult.audit.rounds import MODES
from consult.audit.suppression import LEAVES_FROM
from consult.documents import action_plan, audit_report, unfinished
from consult.documents.evidence import Block, Part, Points, Table, Words
from consult.documents.words import uk_date
from consult.evidence.moment import TOO_FEW, Made, Moment, paper_of
from consult.evidence.taken import sample_said


def report(at: Moment) -> Made:
    """The audit report of a site, or of all of them, for a round; internal unless it is made to leave."""
    builders = list(parts(at))
    titles = tuple(title for title, _ in builders)
    about = (
        f"{at.place}. Round {at.round.name}: {uk_date(at.round.start)} to {uk_date(at.round.end)}.",
        f"Captured from: {MODES[at.round.capture]}.",
        *at.map.report.caveats,
    )
    paper = paper_of(at, "report", f"Audit report: {at.round.name}, {at.place}", about, titles)
    made = (Part(f"r{n}", title, tuple(make())) for n, (title, make) in enumerate(builders, 1))
    return Made(paper, made)


def parts(at: Moment) -> Iterator[tuple[str, Callable[[], list[Block]]]]:
    """The heading of each part, and what makes its blocks."""
    yield "The sample", lambda: _sample_part(at)
    yield "Whom the cases are of", lambda: _context_part(at)
    yield "Results", lambda: _results_part(at)
    yield "Recorded most and least often", lambda: audit_report.ends(at.basis)
    yield "Item by item", lambda: audit_report.item_blocks(at.basis, at.taken)
    yield "Compared by group", lambda: audit_report.group_tables(at.basis, at.taken, at.map.report.compare_by)
    yield "Reliability", lambda: _reliability_part(at)
    yield "Definitions and versions", lambda: definitions_part(at)
    yield "Action plan", lambda: [plan_table(at)]


def _sample_part(at: Moment) -> list[Block]:
    found = at.basis.found
    n = found.eligible
    said = TOO_FEW if at.leaves and n < LEAVES_FROM else str(n)
    first = Words(f"The sample holds {said} {'case' if said == '1' else 'cases'}, {sample_said(at)}")
    if at.leaves:
        return [
            first,
            Words("What became of every other consultation of the period is counted in the service's own report."),
        ]
    table = unfinished.ascertainment(at.instance.store, at.instance.measures, at.sample)
    rows = [row for row in table.sites if not at.site or row.name[1] == at.site] if at.site else [table.all]
    why = {reason.id: reason.label for reason in at.instance.measures.eligibility}
    blocks: list[Block] = [first]
    for row in rows:
        blocks += audit_report.sample_table(row, why, [] if at.site else table.roles, ROLES)[: 1 if at.site else 2]
    return blocks


def _context_part(at: Moment) -> list[Block]:
    dataset = at.instance.library.current.dataset
    fields = at.map.report.context
    counted = own.context(at.conn, at.instance.measures, dataset, at.selection, fields)
    return audit_report.context_tables(counted, dataset, at.leaves)


def _results_part(at: Moment) -> list[Block]:
    known: list[Block] = [
        audit_report.results_table(at.basis, "National headings", True),
        audit_report.results_table(at.basis, "Local measures", False),
    ]
    if at.basis.targets:
        words = [
            f"{m.title}: {percent(at.basis.targets[m.id])}"
            for m in at.basis.measures.measures
            if m.id in at.basis.targets
        ]
        known += [Words("Targets that this service has set itself", strong=True), Points(tuple(words))]
    return known


def _reliability_part(at: Moment) -> list[Block]:
    draw, dataset = reliability.draws(at.conn).get(at.round.id), at.instance.library.current.dataset
    done, left_out = (draw.done, len(draw.left_out)) if draw else ([], 0)
    items = reliability.by_item(done, dataset)
    return audit_report.reliability_blocks(items, len(done), left_out, dataset, at.leaves)


def definitions_part(at: Moment) -> list[Block]:
    """What each measure counts."""
    return audit_report.definitions(at.instance.measures, at.instance.content.measures_digest)


def plan_table(at: Moment) -> Table:
    """The actions of the round as the paper may show them."""
    shown = planning.plan(at.instance, at.conn, at.round, leaves=at.leaves)
    here = [p for p in shown if not at.site or p.action.wanted.site in ("", at.site)]
    rows = tuple(tuple(asdict(planning.row(one)).values()) for one in here)
    return Table(
        "Actions of this round, and those carried over", action_plan.HEAD, rows, (), (2, 1.5, 2, 1.2, 1, 1.5, 1, 1.5)
    )
