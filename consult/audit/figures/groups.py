"""One measure taken apart: by the items inside it, by a field of the case, by way of capture; and measures in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from consult.audit import charts
from consult.audit.breakdowns import ItemResult
from consult.audit.comparison import COMPARE_FROM, NO_COMPARISON, PERCENT_FROM, interval, rate, recorded
from consult.audit.figures.said import TOO_FEW, Figure, as_rate, told
from consult.audit.leaving import leaves
from consult.audit.measures import Measure
from consult.audit.results import Result
from consult.audit.suppression import LEAVES_FROM, withheld
from consult.proforma.dataset import Field
from consult.proforma.wording import inside

OF_FEW: Final = "The cases of a group are those of one or two clinicians, so its figures would be theirs."
FEW_GONE: Final = f"Withheld: fewer than {LEAVES_FROM} cases."
GONE: Final = "Withheld: a count of 1 to 4, and at least one further group so that none can be had by subtraction."


def of_items(measure: Measure, found: Sequence[ItemResult]) -> Figure:
    """The items inside a measure, in the order of its rule, among the cases it applies to."""
    unable = any(one.unable for one in found)
    rows = [
        (one.item.label, recorded(one.result), rate(one.result), interval(one.result), str(one.unable))[
            : 5 if unable else 4
        ]
        for one in found
    ]
    head = ("Item", "Recorded", "Rate", "95% interval", "Of which not established")[: 5 if unable else 4]
    n = found[0].result.applicable if found else 0
    drawn = [as_rate(one.item.label, one.result) for one in found]
    return Figure(
        id="items",
        title="Item by item",
        describes=f"{measure.title}: the rate of each item inside it with its 95% interval, on a line from 0 to 100%.",
        finding=_items_finding([(one.item.label, one.result) for one in found], n),
        head=head,
        rows=tuple(rows),
        charts=charts.row_charts(drawn) if n >= PERCENT_FROM else (),
        key=(("dot", "rate with its 95% interval"),) if n >= PERCENT_FROM else (),
    )


def of_parts(measure: Measure, parts: Sequence[tuple[Measure, Result]], *, leaving: bool = False) -> Figure:
    """The measures that a joint one is made of, each among the cases it applies to itself.

    `leaving`: made for a copy that leaves the provider, with what is of under ten cases withheld.
    """
    shown = [(m.short, r) for m, r in parts if leaves(r) or not leaving]
    drawn = any(r.applicable >= PERCENT_FROM for _, r in shown)
    return Figure(
        id="items",
        title="Heading by heading",
        describes=f"{measure.title}: the rate of each heading with its 95% interval, on a line from 0 to 100%.",
        finding=_items_finding(shown, max((r.applicable for _, r in shown), default=0)),
        head=("Heading", "Recorded", "Rate", "95% interval"),
        rows=tuple((m.title, *told(r, leaving)) for m, r in parts),
        charts=charts.row_charts([as_rate(label, r) for label, r in shown]) if drawn else (),
        key=(("dot", "rate with its 95% interval"),) if drawn else (),
        notes=(FEW_GONE,) if len(shown) < len(parts) else (),
    )


def _items_finding(found: Sequence[tuple[str, Result]], n: int) -> str:
    known = [(label, r) for label, r in found if r.rate is not None]
    if n < PERCENT_FROM or not known:
        return f"Item by item: {TOO_FEW}."
    most = max(known, key=lambda one: one[1].rate or 0)
    least = min(known, key=lambda one: one[1].rate or 0)
    if most[1].rate == least[1].rate:
        alike = len({r.applicable for _, r in known}) == 1
        return f"Each item is recorded as often as the others: {(recorded if alike else rate)(most[1])}."
    return f"Least often recorded: {least[0]} ({recorded(least[1])}); most often: {most[0]} ({recorded(most[1])})."


def by_field(
    measure: Measure, field: Field, by: Mapping[str, Result], *, leaving: bool = False, of_few: bool = False
) -> Figure:
    """One measure by the codes of a field, in the order of the data set.

    Only groups of 10 or more are drawn. `leaving`: made for a copy that leaves the provider, with small numbers and one
    further group withheld. `of_few`: a group is of one or two clinicians, so none is shown.
    """
    order = {code: at for at, code in enumerate(field.options)}
    groups = sorted(
        ((code, r) for code, r in by.items() if r.applicable and not of_few),
        key=lambda one: (order.get(one[0], -1), one[0]),
    )
    gone = withheld([(r.met, r.not_met) for _, r in groups]) if leaving else frozenset()
    said = [(field.words(code), r) for code, r in groups]
    rows = tuple(
        (label, "withheld", "", "", "") if at in gone else (label, recorded(r), rate(r), interval(r), _few(r))
        for at, (label, r) in enumerate(said)
    )
    shown = [(label, r) for at, (label, r) in enumerate(said) if at not in gone and r.applicable >= COMPARE_FROM]
    return Figure(
        id=f"by-{field.name.replace('_', '-')}",
        title=f"By {inside(field.title)}",
        describes=(
            f"{measure.title} by {field.title.lower()}: the rate of each group with its 95% interval, from 0 to 100%."
        ),
        finding="Not shown." if of_few else _groups_finding(shown),
        head=(field.title, "Recorded", "Rate", "95% interval", "Note"),
        rows=rows,
        charts=charts.row_charts([as_rate(label, r, COMPARE_FROM) for label, r in shown]) if len(shown) > 1 else (),
        key=(("dot", "rate with its 95% interval"),) if len(shown) > 1 else (),
        notes=(OF_FEW,) if of_few else (GONE,) if gone else (),
    )


def by_mode(measure: Measure, found: Sequence[tuple[str, Result]]) -> Figure:
    """One measure by way of capture: side by side, with no total and no verdict."""
    return Figure(
        id="by-mode",
        title="By way of capture",
        describes=(
            f"{measure.title} by way of capture: the rate of each with its 95% interval, on a line from 0 to 100%."
        ),
        finding="Ways of capture are never added up: a screen that prompts reads higher without any change in care.",
        head=("Captured", "Recorded", "Rate", "95% interval"),
        rows=tuple((label, recorded(r), rate(r), interval(r)) for label, r in found),
        charts=charts.row_charts([as_rate(label, r) for label, r in found]),
        key=(("dot", "rate with its 95% interval"),),
    )


def _few(result: Result) -> str:
    return NO_COMPARISON if result.applicable < COMPARE_FROM else ""


def _groups_finding(shown: Sequence[tuple[str, Result]]) -> str:
    if len(shown) < 2:
        return f"Between groups: {TOO_FEW}. It takes two groups with {COMPARE_FROM} or more cases."
    most = max(shown, key=lambda one: one[1].rate or 0)
    least = min(shown, key=lambda one: one[1].rate or 0)
    if most[1].rate == least[1].rate:
        return f"Each group with {COMPARE_FROM} or more cases has the same rate: {rate(most[1])}."
    between = f"from {rate(least[1])} ({least[0]}) to {rate(most[1])} ({most[0]})"
    return f"Among groups with {COMPARE_FROM} or more cases: {between}."


def ranked(
    found: Sequence[tuple[Measure, Result]], many: int = 3
) -> tuple[list[tuple[Measure, Result]], list[tuple[Measure, Result]]]:
    """The most and the least often recorded of some measures, with 10 or more cases each; none in both lists."""
    known = sorted(
        ((m, r) for m, r in found if r.applicable >= COMPARE_FROM), key=lambda one: one[1].rate or 0, reverse=True
    )
    many = min(many, len(known) // 2)
    return known[:many], known[len(known) - many :][::-1]
