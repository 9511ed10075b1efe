"""The slides of a round, as they may leave the provider: what stands on each, in the order of evidence.toml."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from consult import planning
from consult.audit import figures, leaving
from consult.audit.actions import STATES
from consult.audit.charts import Rate, Shape
from consult.audit.comparison import percent
from consult.audit.measures import Measure
from consult.audit.rounds import MODES, Round, standing
from consult.audit.suppression import LEAVES_FROM
from consult.documents.deck import Chart, Deck, Grid, Slide
from consult.documents.evidence import MappedSlide
from consult.documents.words import INVENTED, uk_date
from consult.evidence.moment import TOO_FEW, Moment
from consult.evidence.taken import sample_said
from consult.instance import Instance
from consult.planning import Planned
from consult.record.database import Connection

MOST_MEASURES: Final = 4
"""Measures on one slide, each with its published figure, what is always shown with it, and what is not known of it."""
MOST_LETTERS: Final = 140
"""Letters of a text in a table of a slide; what is longer stands whole in the notes."""
MOST_LINES: Final = 12
"""Lines of text that the rows of a table may take up together."""
ACTIONS: Final = {"Gap": 3.6, "Action": 4.6, "Owner": 2.0, "Due": 1.7, "Status": 1.9}
"""The columns of the actions, each with its share of the width."""
LETTERS_A_SHARE: Final = 7.5
"""How many letters fit in a line of a column, for each share of its width."""
WORDS: Final[dict[Shape, str]] = {"dot": "this round, with its 95% interval", "square": "the round before"}
NO_DATE: Final = "No re-audit date is set yet: a later round is made on the page Rounds"
WITHHELD: Final = f"Withheld, as fewer than {LEAVES_FROM} cases apply."


def deck(instance: Instance, conn: Connection, of: Round) -> Deck:
    """The slides of a round from the record at this moment: the whole service, from 10 cases on, nobody named."""
    at = Moment(instance, conn, of, leaves=True)
    slides = tuple(slide for mapped in at.map.slides for slide in MADE[mapped.kind](at, mapped))
    stamp = at.stamp(at.basis.found.eligible, leaves=True)
    return Deck(f"Clinical audit of back pain: {of.name}", stamp, at.key("slides"), slides, bool(instance.unapproved()))


def _title(at: Moment, mapped: MappedSlide) -> Iterator[Slide]:
    invented = (INVENTED,) if at.instance.demonstration else ()
    lines = (*invented, f"{at.place}. {at.round.name}: {_period(at.round)}", *mapped.lines)
    yield Slide(mapped.title, lines, notes=tuple(at.map.report.caveats))


def _words(at: Moment, mapped: MappedSlide) -> Iterator[Slide]:
    yield Slide(mapped.title, mapped.lines, notes=tuple(at.map.report.caveats))


def _standards(at: Moment, mapped: MappedSlide) -> Iterator[Slide]:
    national = [m for m in at.basis.measures.measures if m.national]
    yield Slide(mapped.title, (*mapped.lines, *_targets(at)), notes=_definitions(at, national))


def _targets(at: Moment) -> tuple[str, ...]:
    aims = at.basis.targets
    found = [f"{m.short} {percent(aims[m.id])}" for m in at.basis.measures.measures if m.id in aims]
    return (f"Targets of this service: {'; '.join(found)}",) if found else ("This service has set no target",)


def _method(at: Moment, mapped: MappedSlide) -> Iterator[Slide]:
    n = at.basis.found.eligible
    said = TOO_FEW if n < LEAVES_FROM else str(n)
    lines = (
        *mapped.lines,
        f"Period: {_period(at.round)}",
        f"n = {said} eligible cases, {sample_said(at).removesuffix('.')}",
        f"Captured from {MODES[at.round.capture]}; ways of capture are never added up",
        "Each rate bears its 95% interval (Wilson). Fewer than 10 cases are withheld",
    )
    notes = (*at.map.report.caveats, *_eligibility(at), at.version + ".")
    yield Slide(mapped.title, lines, notes=notes)


def _eligibility(at: Moment) -> Iterator[str]:
    yield f"Not eligible, by rule: {'; '.join(reason.label for reason in at.instance.measures.eligibility)}."


def _overview(at: Moment, mapped: MappedSlide) -> Iterator[Slide]:
    shown = [m for m in at.basis.shown() if m.national]
    gone = [m.short for m in at.basis.measures.measures if m.national and m not in shown]
    left = f"Withheld, as fewer than {LEAVES_FROM} cases apply: {', '.join(gone)}." if gone else ""
    if not shown:
        yield Slide(mapped.title, (*mapped.lines, WITHHELD))
        return
    many = math.ceil(len(shown) / MOST_MEASURES)
    each = math.ceil(len(shown) / many)
    for number in range(many):
        some = shown[number * each : (number + 1) * each]
        title = f"{mapped.title} ({number + 1} of {many})" if many > 1 else mapped.title
        rates = [rate for one in some for rate in (*_with_published(at, one), *_shown_with(at, one))]
        lines = tuple(filter(None, (*mapped.lines, _not_known(at, some), _beside_said(at, some), left)))
        about = f"Each heading with its rate and 95% interval, and the published figure below it. {_said(rates)}"
        yield Slide(title, lines, _chart(title, about, rates), _definitions(at, some))


def _beside_said(at: Moment, some: Sequence[Measure]) -> str:
    """Which rounds the published figures on a slide are of; "" where none is held of what stands there."""
    held = at.instance.benchmarks
    years = [year for year in reversed(held.years) if any(held.figure(measure.id, year) for measure in some)]
    rounds = "; ".join(map(held.label, years))
    return f"Beside it stand published figures ({rounds}); what is not held is left out." if years else ""


def _not_known(at: Moment, some: Sequence[Measure]) -> str:
    """What must be known beside these rates: the first of the lines that each measure has beside it."""
    said = [(m.short, *at.basis.found.measures[m.id].beside[:1]) for m in some]
    return " ".join(f"{short}: {line[:1].lower()}{line[1:]}" for short, *lines in said for line in lines)


def _local_beside(at: Moment, measure: Measure) -> list[Measure]:
    """The local measures that are always shown with a national one."""
    others = [at.instance.measures.by_id[id_] for id_ in measure.shown_with]
    return [other for other in others if other in at.basis.shown() and measure.national and not other.national]


def _shown_with(at: Moment, measure: Measure) -> Iterator[Rate]:
    for other in _local_beside(at, measure):
        yield from _with_published(at, other)


def _with_published(at: Moment, measure: Measure) -> Iterator[Rate]:
    """A measure of this round, and the published figures that are held."""
    yield figures.as_rate(measure.short, at.basis.found.measures[measure.id])
    for year in at.instance.benchmarks.years:
        if held := at.instance.benchmarks.figure(measure.id, year):
            yield Rate(f"{year}", held.value, words=f"{held.value_percent:g}%", shape="diamond")


def _measure(at: Moment, mapped: MappedSlide) -> Iterator[Slide]:
    measure = at.instance.measures.by_id[mapped.measure]
    result = at.basis.found.measures[measure.id]
    if not leaving.leaves(result):
        yield Slide(mapped.title, (*mapped.lines, WITHHELD), notes=_definitions(at, [measure]))
        return
    finding = figures.against_national(measure, result, at.instance.benchmarks, at.basis.found.capture_mode)
    rates = [*_own(at, measure), *_shown_with(at, measure), *_inside(at, measure)]
    lines = tuple(filter(None, (*mapped.lines, finding, _not_known(at, [measure]), _inside_finding(at, measure))))
    about = f"{measure.title}: its rate with the 95% interval, what it stands beside, and its items. {_said(rates)}"
    parts = [at.instance.measures.by_id[id_] for id_ in at.instance.measures.parts(measure)]
    yield Slide(mapped.title, lines, _chart(measure.title, about, rates), _definitions(at, [measure, *parts]))


def _own(at: Moment, measure: Measure) -> Iterator[Rate]:
    now, *published = _with_published(at, measure)
    yield now
    before = at.basis.before(measure.id)
    if before is not None:
        yield figures.as_rate(at.basis.earlier_name, before, shape="square")
    yield from published
    if (aim := at.basis.targets.get(measure.id)) is not None:
        yield Rate("Target", aim, words=percent(aim), shape="triangle")


def _inside(at: Moment, measure: Measure) -> Iterator[Rate]:
    """The measures that a joint one is made of, or else the items inside a measure."""
    if parts := at.instance.measures.parts(measure):
        known = [(at.instance.measures.by_id[id_], at.basis.found.measures[id_]) for id_ in parts]
        yield from (figures.as_rate(m.short, r) for m, r in known if leaving.leaves(r))
    elif measure.id in at.taken:
        yield from (figures.as_rate(one.item.label, one.result) for one in at.taken[measure.id].items)


def _inside_finding(at: Moment, measure: Measure) -> str:
    if at.instance.measures.parts(measure) or measure.id not in at.taken or not at.taken[measure.id].items:
        return ""
    return figures.of_items(measure, at.taken[measure.id].items).finding


def _actions(at: Moment, mapped: MappedSlide) -> Iterator[Slide]:
    planned = planning.plan(at.instance, at.conn, at.round, leaves=True)
    if not planned:
        yield Slide(mapped.title, (*mapped.lines, "No action about a gap of this round is recorded yet."))
        return
    pages = list(_paged([(one, _row(at, one)) for one in planned]))
    for number, some in enumerate(pages, 1):
        title = f"{mapped.title} ({number} of {len(pages)})" if len(pages) > 1 else mapped.title
        grid = Grid("Actions of this round", tuple(ACTIONS), tuple(row for _, row in some), tuple(ACTIONS.values()))
        notes = tuple(_whole(one) for one, _ in some)
        open_ = sum(one.action.open for one in planned)
        lines = (*mapped.lines, f"{len(planned)} in all, {open_} of them open. Causes and evidence stand in the plan.")
        yield Slide(title, lines, grid, notes)


def _row(at: Moment, one: Planned) -> tuple[str, ...]:
    known = at.instance.measures.by_id.get(one.action.wanted.measure)
    name = known.short if known else one.measure
    carried = " (carried over)" if one.carried else ""
    after = f". Re-audit: {one.reaudit_said}" if one.reaudit_said else ""
    status = STATES[one.action.state]
    cells = (f"{name}: {one.gap_said}{carried}{after}", one.what, one.owner, uk_date(one.action.wanted.due), status)
    return tuple(_shortened(cell) for cell in cells)


def _shortened(text: str) -> str:
    """A text as a slide has room for it, cut at a word; the notes have it whole."""
    if len(text) <= MOST_LETTERS:
        return text
    return f"{text[:MOST_LETTERS].rsplit(' ', 1)[0]} …"


def _whole(one: Planned) -> str:
    row = planning.row(one)
    after = "" if row.reaudit == "not yet" else f" Re-audit: {row.reaudit}."
    said = f"{row.gap}. Likely cause: {row.cause}. Action: {row.what}. Owner: {row.owner}, due {row.due}."
    return f"{said} Evidence wanted: {row.evidence}. {row.status}.{after}"


def _paged(rows: Sequence[tuple[Planned, tuple[str, ...]]]) -> Iterator[list[tuple[Planned, tuple[str, ...]]]]:
    """As many rows on a slide as it has room for."""
    page: list[tuple[Planned, tuple[str, ...]]] = []
    used = 0
    for one, row in rows:
        lines = max(
            math.ceil(len(cell) / (share * LETTERS_A_SHARE)) or 1
            for cell, share in zip(row, ACTIONS.values(), strict=True)
        )
        if page and used + lines > MOST_LINES:
            yield page
            page, used = [], 0
        page.append((one, row))
        used += lines
    yield page


def _next(at: Moment, mapped: MappedSlide) -> Iterator[Slide]:
    later = [one for one in standing(at.conn) if one.capture == at.round.capture and one.start > at.round.end]
    following = min(later, key=lambda one: one.start, default=None)
    planned = planning.plan(at.instance, at.conn, at.round, leaves=True)
    days = [one.action.wanted.due for one in planned if one.action.open]
    lines = [*mapped.lines, f"Re-audit: {following.name}, {_period(following)}" if following else NO_DATE]
    lines += [f"Open actions: {len(days)}; the last is due on {uk_date(max(days))}"] if days else ["No action is open"]
    closed = sum(one.action.state == "closed" for one in planned)
    lines += [f"Closed after a re-audit: {closed}"] if closed else []
    notes = tuple(f"{one.measure}: {one.reaudit_said}" for one in planned if one.reaudit_said)
    yield Slide(mapped.title, tuple(lines), notes=notes)


MADE: Final[dict[str, Callable[[Moment, MappedSlide], Iterator[Slide]]]] = {
    "title": _title,
    "words": _words,
    "standards": _standards,
    "method": _method,
    "overview": _overview,
    "measure": _measure,
    "actions": _actions,
    "next": _next,
}


def _chart(title: str, about: str, rates: Sequence[Rate]) -> Chart:
    words = {
        **WORDS,
        "diamond": "published figure",
        "triangle": "target of this service",
    }
    there = dict.fromkeys(rate.shape for rate in rates)
    return Chart(title, about, tuple(rates), tuple((shape, words[shape]) for shape in there))


def _said(rates: Sequence[Rate]) -> str:
    """The numbers of a chart in words."""
    return "; ".join(f"{rate.label}: {rate.words}" for rate in rates) + "."


def _definitions(at: Moment, some: Sequence[Measure]) -> tuple[str, ...]:
    """What each measure counts, with those shown beside it, what is known of it, and the caveats of its figures."""
    every = list({one.id: one for m in some for one in (m, *_local_beside(at, m))}.values())
    found = [f"{m.title}. Counted as met: {m.numerator}. Of: {m.denominator}. Definition: {m.label}." for m in every]
    found += dict.fromkeys(m.note for m in every if m.note)
    known = [(m.short, at.basis.found.measures[m.id].beside) for m in some if m in at.basis.shown()]
    found += [f"{short}: {line[:1].lower()}{line[1:]}" for short, lines in known for line in lines]
    held = [at.instance.benchmarks.figure(m.id, year) for m in every for year in at.instance.benchmarks.years]
    caveats = dict.fromkeys(figure.caveat for figure in held if figure and figure.caveat)
    return (*found, *caveats, at.version + ".")


def _period(one: Round) -> str:
    return f"{uk_date(one.start)} to {uk_date(one.end)}"
