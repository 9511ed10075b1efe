"""One page a measure: beside the national figures, over time, by site and by group, and item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, render_template
from msgspec import Struct

from consult.audit import targets
from consult.audit.breakdowns import span
from consult.audit.results import Results
from consult.web.context import inst
from consult.web.results import Row, blocks, bp, leaving, parts, row, selection, whole_if_leaving, words
from consult.web.rounds import MODES

if TYPE_CHECKING:
    from consult.audit.figures import Figure


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
    from consult.audit.figures import by_mode  # figures are much to read, and only these pages have any
    from consult.web.measure_figures import figures_of

    measures, dataset = parts()
    if measure_id not in measures.by_id:
        abort(404)
    chosen = whole_if_leaving(selection())
    one = measures.by_id[measure_id]
    conn = inst().db.read()
    found = []
    for block in blocks(chosen):
        dates = span(conn, measures, dataset, block.selection)
        found.append(Block(block, row(block, measure_id), dates, figures_of(block, one)))
    modes = [(MODES[b.results.capture_mode], b.row.result) for b in found if b.shown]
    all_modes = by_mode(one, modes) if len(modes) > 1 else None
    return render_template(
        "results/measure.html",
        measure=one,
        target=targets.targets(conn).get(one.id),
        blocks=found,
        by_mode=all_modes,
        **words(chosen, measures),
    )
