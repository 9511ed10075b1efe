"""Every published figure with its source and caveat, and whom the cases here are of beside whom those were of."""

from __future__ import annotations

from flask import render_template
from msgspec import Struct
from msgspec.structs import replace

from consult.audit import own
from consult.audit import results as audit
from consult.audit.comparison import PERCENT_FROM, percent
from consult.audit.published import Figure
from consult.proforma.rules import BLANKS
from consult.web.context import inst
from consult.web.results import bp, parts, selection, words
from consult.web.rounds import MODES


class Beside(Struct, frozen=True):
    """What a published figure of the context stands beside: the share of the cases here, by way of capture."""

    figure: Figure
    here: list[str]


@bp.get("/published")
def published() -> str:
    """The published figures by round, and those of the context beside the eligible cases selected."""
    chosen = selection()
    measures, dataset = parts()
    conn = inst().db.read()
    context = [figure for figure in inst().benchmarks.context() if figure.field]
    fields = list(dict.fromkeys(figure.field for figure in context))
    modes = audit.modes(conn, chosen)
    counted = [own.context(conn, measures, dataset, replace(chosen, capture=mode), fields) for mode in modes]
    return render_template(
        "results/published.html",
        beside=[Beside(one, [_said(found[one.field], one.code) for found in counted]) for one in context],
        captured=[MODES[mode] for mode in modes],
        rounds_held=inst().benchmarks.rounds(),
        dataset=dataset,
        **words(chosen, measures),
    )


def _said(counted: dict[str, int], code: str) -> str:
    """A share of all cases as k of n, with a percentage from 5 on, and in how many of them nothing was recorded."""
    k, n = counted.get(code, 0), sum(counted.values())
    blank = sum(counted.get(nothing, 0) for nothing in BLANKS)
    if blank == n:
        return f"not recorded in any of {n}" if n else "no case"
    share = f"{k} of {n} ({percent(k / n)})" if n >= PERCENT_FROM else f"{k} of {n}"
    return f"{share}; not recorded in {blank}" if blank else share
