"""Explain a number: five groups that add up to all cases, each opening to its cases and to what decided."""

from __future__ import annotations

from itertools import islice
from typing import Final

from flask import abort, render_template, request
from msgspec import Struct

from consult.audit import results as audit
from consult.audit.breakdowns import span
from consult.audit.cases import Key, read
from consult.audit.in_error import taken_out
from consult.audit.results import Judged, Results, Selection
from consult.audit.why import Why, why
from consult.proforma.dataset import Dataset
from consult.web import blind
from consult.web.context import inst
from consult.web.results import OUTCOMES, blocks, bp, parts, selection, words
from consult.web.rounds import MODES

EXCLUDED: Final = "excluded"
GROUPS: Final = {**OUTCOMES, EXCLUDED: "Excluded"}
PAGE: Final = 50


class Partition(Struct, frozen=True):
    """Every case selected of one capture mode, in the five groups of one measure."""

    mode: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


def partition(block: Results, measure_id: str) -> Partition:
    """The five groups of a block."""
    result = block.measures[measure_id]
    counts = {outcome: int(getattr(result, outcome)) for outcome in OUTCOMES}
    return Partition(block.capture_mode, {**counts, EXCLUDED: sum(block.excluded.values())})


@bp.get("/measures/<measure_id>/cases")
def cases(measure_id: str) -> str:
    """The cases of one of the five groups, a page at a time, each with the rule and the answers that decided."""
    measures, dataset = parts()
    outcome = request.args.get("outcome", "met")
    if measure_id not in measures.by_id or outcome not in GROUPS:
        abort(404)
    chosen = selection()
    found = [partition(block, measure_id) for block in blocks(chosen)]
    total = sum(one.counts[outcome] for one in found)
    pages = max(1, -(-total // PAGE))
    page = min(max(request.args.get("page", 1, int), 1), pages)
    explained = _explained(chosen, measure_id, outcome, start=(page - 1) * PAGE)
    waiting = blind.waiting()
    return render_template(
        "results/cases.html",
        measure=measures.by_id[measure_id],
        outcome=outcome,
        groups=GROUPS,
        partitions=found,
        total=total,
        page=page,
        pages=pages,
        first=(page - 1) * PAGE + 1,
        dataset=dataset,
        blind=waiting,
        rule=one_rule([reason.sentence for one, reason in explained if one.case.key not in waiting]),
        dates=span(inst().db.read(), measures, dataset, chosen),
        explained=explained,
        **words(chosen, measures),
    )


def _explained(chosen: Selection, measure_id: str, outcome: str, start: int) -> list[tuple[Judged, Why]]:
    """A page of the cases of one group, from a place in it on, each with what decided."""
    measures, dataset = parts()
    behind = () if outcome == EXCLUDED else (measure_id, outcome)
    judged = audit.judged(inst().db.read(), measures, dataset, chosen, *behind)
    these = (one for one in judged if outcome != EXCLUDED or one.excluded)
    shown = islice(these, start, start + PAGE)
    return [(one, why(measures, dataset, one.case.fields, measure_id)) for one in shown]


def one_rule(sentences: list[str]) -> str:
    """The rule that decided several cases, where it is the same for all, to be said once; "" where it is not."""
    return sentences[0] if len(sentences) > 1 and len(set(sentences)) == 1 else ""


@bp.get("/cases/<provider>/<mode>/<case_ref>")
def case(provider: str, mode: str, case_ref: str) -> str | tuple[str, int]:
    """One case: its fields, and its outcome on every measure with the rule that decided."""
    measures, dataset = parts()
    found = read(inst().db.read(), provider, mode, case_ref)
    if found is None:
        return _taken_out((provider, mode, case_ref)), 410
    if blind.hidden(found.key):
        return render_template("refused.html", title="Kept for a blind reading", sentence=blind.WAITS), 409
    explained = [(m, why(measures, dataset, found.fields, m.id)) for m in measures.measures]
    return render_template(
        "results/case.html",
        case=found,
        dataset=dataset,
        explained=explained,
        excluded=one_rule([w.sentence for _, w in explained if w.outcome not in OUTCOMES]),
        groups=GROUPS,
        came_from=measures.by_id.get(request.args.get("measure", "")),
        outcome=_group({m.id: w.outcome for m, w in explained}),
        mode_words=MODES.get(mode, mode),
        outside_groups=outside_groups(found.fields, dataset),
        **words(selection(), measures),
    )


def _group(outcomes: dict[str, str]) -> str:
    """The group of a measure whose list led here; where the address names none, the one that this case is in."""
    led_by, own = request.args.get("outcome", ""), outcomes.get(request.args.get("measure", ""), "")
    return next((one for one in (led_by, own) if one in GROUPS), EXCLUDED)


def _taken_out(key: Key) -> str:
    """What stands in the place of a case that was taken out as entered in error; 404 if it never was here."""
    one = next(taken_out(inst().db.read(), key), None) or abort(404)
    return render_template("results/taken_out.html", one=one)


def outside_groups(fields: dict[str, str], dataset: Dataset) -> bool:
    """Whether serious pathology was suspected, or an action recorded, though none of the red-flag groups is present."""
    suspected, action = fields.get("serious_pathology_suspected", ""), fields.get("rf_action", "")
    concluded = suspected == "yes" or action not in ("", "none")
    groups = [f.name for f in dataset.fields if f.section == "red_flags" and "unable" in f.options]
    return concluded and all(fields[group] != "present" for group in groups)
