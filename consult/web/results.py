"""The results of the audit: each number with its interval, beside the national figures, opening to its cases."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from flask import Blueprint, Response, abort, render_template, request

from consult.audit import results as audit
from consult.audit.benchmarks import Benchmarks, load_benchmarks
from consult.audit.cases import read
from consult.audit.measures import Measure, MeasureSet
from consult.audit.results import Result, Results, Selection
from consult.audit.statistics import position, unreachable
from consult.audit.why import why
from consult.proforma.dataset import Dataset
from consult.record import settings
from consult.web.context import inst

bp = Blueprint("results", __name__, url_prefix="/results")
MODES = {"live": "Live consultations", "retrospective": "Case notes read afterwards", "paper": "Paper, entered later"}
OUTCOMES = {"met": "Met", "not_met": "Not met", "not_applicable": "Not applicable", "missing": "Missing"}
FEW, COMPARABLE = 5, 10


@dataclass(frozen=True)
class Row:
    """One measure of one block: the result, and how it stands beside 2011."""

    measure: Measure
    result: Result
    benchmark: float | None

    @property
    def percent(self) -> str:
        """The rate in words: no percentage under 5 cases."""
        if self.result.applicable < FEW:
            return "too few for a percentage" if self.result.applicable else "no case yet"
        return f"{100 * (self.result.rate or 0):.0f}%"

    @property
    def interval(self) -> str:
        """The 95% interval in words, where there is a percentage."""
        found = self.result.interval
        shown = found is not None and self.result.applicable >= FEW
        return f"{100 * found[0]:.0f}% to {100 * found[1]:.0f}%" if shown and found else ""


def benchmarks() -> Benchmarks:
    """The published figures that results stand beside."""
    app_benchmarks: Benchmarks | None = inst().__dict__.get("benchmarks_read")
    if app_benchmarks is None:
        app_benchmarks = load_benchmarks(inst().content.folder, inst().measures)
        inst().__dict__["benchmarks_read"] = app_benchmarks
    return app_benchmarks


def selection() -> Selection:
    """What the address selects; figures are the own provider's unless another is asked for."""
    args = request.args
    return Selection(
        provider=args.get("provider", inst().provider),
        site=args.get("site", ""),
        start=args.get("from", ""),
        end=args.get("to", ""),
        capture=args.get("capture", ""),
    )


def parts() -> tuple[MeasureSet, Dataset]:
    """The measures and the data set in use."""
    return inst().measures, inst().library.current.dataset


def blocks(chosen: Selection) -> list[Results]:
    """The results of a selection, one block a capture mode, never pooled."""
    conn = inst().db.read()
    measures, dataset = parts()
    return [audit.results(conn, measures, dataset, replace(chosen, capture=mode)) for mode in audit.modes(conn, chosen)]


@bp.get("")
def overview() -> str:
    """All measures, a block for each capture mode."""
    chosen = selection()
    measures, _ = parts()
    found = [(b, rows(b, national=True), rows(b, national=False)) for b in blocks(chosen)]
    return render_template("results/overview.html", blocks=found, **words(chosen, measures))


def rows(block: Results, national: bool) -> list[Row]:
    """The measures of a block in order."""
    measures, _ = parts()
    figures = benchmarks()
    return [
        Row(m, block.measures[m.id], figures.of(m.id).get("2011")) for m in measures.measures if m.national == national
    ]


def words(chosen: Selection, measures: MeasureSet) -> dict[str, object]:
    """What the pages of results share."""
    conn = inst().db.read()
    return {
        "selection": chosen,
        "measures": measures,
        "benchmarks": benchmarks(),
        "modes": MODES,
        "outcomes": OUTCOMES,
        "sites": settings.sites(conn),
        "verdict": verdict,
        "few": FEW,
        "comparable": COMPARABLE,
    }


def verdict(block: Results, row: Row) -> str:
    """How a retrospective result stands beside 2011, in words; "" where no comparison is made."""
    n = row.result.applicable
    if block.capture_mode != "retrospective" or row.benchmark is None:
        return ""
    if n < COMPARABLE:
        return "too few to compare"
    found = position(row.result.met, n, row.benchmark)
    return found if found != "within chance" else "; ".join(["within chance", *unreachable(n, row.benchmark)])


@bp.get("/measures/<measure_id>")
def measure(measure_id: str) -> str:
    """One measure: its definition, and each mode's counts, each opening to its cases."""
    measures, _ = parts()
    if measure_id not in measures.by_id:
        abort(404)
    chosen = selection()
    chosen_measure = measures.by_id[measure_id]
    figures = benchmarks().of(measure_id)
    found = [(b, Row(chosen_measure, b.measures[measure_id], figures.get("2011"))) for b in blocks(chosen)]
    return render_template("results/measure.html", measure=chosen_measure, blocks=found, **words(chosen, measures))


@bp.get("/measures/<measure_id>/cases")
def cases(measure_id: str) -> str:
    """The cases behind one number: one outcome of one measure, each with the rule that decided."""
    measures, dataset = parts()
    outcome = request.args.get("outcome", "met")
    if measure_id not in measures.by_id or outcome not in (*OUTCOMES, "excluded"):
        abort(404)
    chosen = selection()
    conn = inst().db.read()
    if outcome == "excluded":
        found = [j for j in audit.judged(conn, measures, dataset, chosen) if j.excluded]
    else:
        found = list(audit.judged(conn, measures, dataset, chosen, measure_id, outcome))
    explained = [(j, why(measures, dataset, j.case.fields, measure_id)) for j in found[:500]]
    return render_template(
        "results/cases.html",
        measure=measures.by_id[measure_id],
        outcome=outcome,
        total=len(found),
        explained=explained,
        **words(chosen, measures),
    )


@bp.get("/cases/<provider>/<mode>/<case_ref>")
def case(provider: str, mode: str, case_ref: str) -> str:
    """One case: its fields, and its outcome on every measure with the rule that decided."""
    measures, dataset = parts()
    found = read(inst().db.read(), provider, mode, case_ref)
    if found is None:
        abort(404)
    explained = [(m, why(measures, dataset, found.fields, m.id)) for m in measures.measures]
    return render_template(
        "results/case.html", case=found, dataset=dataset, explained=explained, **words(selection(), measures)
    )


@bp.get("/results.json")
def download() -> Response | tuple[str, int]:
    """The documented JSON of the selection; it is internal and raw."""
    measures, dataset = parts()
    chosen = selection()
    try:
        found = audit.results(inst().db.read(), measures, dataset, chosen)
    except audit.SelectionRefused as refusal:
        return render_template("refused.html", title="Choose a capture mode", sentence=str(refusal)), 409
    body = json.dumps(audit.as_json(found, measures, benchmarks()), indent=1)
    return Response(body, mimetype="application/json")
