"""The results of the audit: each number with its interval, beside the national figures, opening to its cases."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from flask import Blueprint, Response, abort, render_template, request

from consult.audit import comparison, rounds, sampling
from consult.audit import results as audit
from consult.audit.cases import read
from consult.audit.measures import Measure, MeasureSet
from consult.audit.results import Result, Results, Selection
from consult.audit.why import why
from consult.proforma.dataset import Dataset
from consult.record import settings
from consult.web.context import inst

bp = Blueprint("results", __name__, url_prefix="/results")
MODES = {"live": "Live consultations", "retrospective": "Case notes read afterwards", "paper": "Paper, entered later"}
OUTCOMES = {"met": "Met", "not_met": "Not met", "not_applicable": "Not applicable", "missing": "Missing"}
ALL = "*"


@dataclass(frozen=True)
class Row:
    """One measure of one block: the result, and the 2011 value it stands beside."""

    measure: Measure
    result: Result
    benchmark: float | None
    mode: str
    under: bool = False

    @property
    def percent(self) -> str:
        """The rate in words: no percentage under 5 cases."""
        if not self.drawn:
            return "too few for a percentage" if self.result.applicable else "no case yet"
        return comparison.percent(self.result.rate or 0)

    @property
    def drawn(self) -> bool:
        """Whether there are enough cases for a percentage and its interval."""
        return self.result.applicable >= comparison.PERCENT_FROM

    @property
    def interval(self) -> str:
        """The 95% interval in words, where there is a percentage."""
        found = self.result.interval if self.drawn else None
        return f"{comparison.percent(found[0])} to {comparison.percent(found[1])}" if found else ""

    @property
    def standing(self) -> str:
        """How a retrospective result stands beside 2011, in words; "" where no comparison is made."""
        return comparison.standing(self.result, self.benchmark, self.mode)

    @property
    def aside(self) -> str:
        """The second line: the rate without the cases sent as an emergency the same day."""
        met, n = self.result.without_aside
        if n == self.result.applicable:
            return ""
        text = inst().measures.set_aside.text.format(k=self.result.aside_not_met, n=self.result.not_met)
        return f"{text} Without all of them: {met} of {n}."


def selection() -> Selection:
    """What the address selects; figures are the own provider's unless another is asked for."""
    args = request.args
    if args.get("round"):
        return _of_round(args["round"])
    asked = args.get("provider", inst().provider)
    return Selection(
        provider="" if asked == ALL else asked,
        site=args.get("site", ""),
        start=args.get("from", ""),
        end=args.get("to", ""),
        capture=args.get("capture", ""),
    )


def _of_round(round_id: str) -> Selection:
    """The sample of a round, at one site if one is asked for; 404 if there is no such round."""
    one = rounds.rounds(inst().db.read()).get(round_id)
    if one is None or one.withdrawn:
        abort(404)
    found = sampling.sample(inst().db.read(), *parts(), one).selection
    return replace(found, site=request.args.get("site", ""))


def parts() -> tuple[MeasureSet, Dataset]:
    """The measures and the data set in use."""
    return inst().measures, inst().library.current.dataset


def blocks(chosen: Selection) -> list[Results]:
    """The results of a selection, one block a capture mode, never pooled."""
    conn = inst().db.read()
    measures, dataset = parts()
    return [audit.results(conn, measures, dataset, replace(chosen, capture=mode)) for mode in audit.modes(conn, chosen)]


@bp.errorhandler(audit.SelectionRefused)
def _refused(refusal: audit.SelectionRefused) -> tuple[str, int]:
    return render_template("refused.html", title="Choose other cases", sentence=str(refusal)), 409


@bp.get("")
def overview() -> str:
    """All measures, a block for each capture mode."""
    chosen = selection()
    measures, _ = parts()
    found = [(b, national_rows(b), local_rows(b)) for b in blocks(chosen)]
    return render_template("results/overview.html", blocks=found, **words(chosen, measures))


def row(block: Results, measure_id: str, under: bool = False) -> Row:
    """One measure of a block."""
    figure = inst().benchmarks.of(measure_id).get("2011")
    return Row(inst().measures.by_id[measure_id], block.measures[measure_id], figure, block.capture_mode, under)


def national_rows(block: Results) -> list[Row]:
    """The national measures, each followed by the local ones that must stand beside it."""
    measures = inst().measures
    found = []
    for measure_id in measures.national:
        found.append(row(block, measure_id))
        beside = [m for m in measures.by_id[measure_id].shown_with if not measures.by_id[m].national]
        found += [row(block, m, under=True) for m in beside]
    return found


def local_rows(block: Results) -> list[Row]:
    """The local measures that do not stand beside a national one."""
    measures = inst().measures
    shown = {r.measure.id for r in national_rows(block)}
    found = []
    for measure in measures.measures:
        if measure.id not in shown:
            found.append(row(block, measure.id))
            beside = [m for m in measure.shown_with if not measures.by_id[m].national]
            found += [row(block, m, under=True) for m in beside]
    return found


def words(chosen: Selection, measures: MeasureSet) -> dict[str, object]:
    """What the pages of results share."""
    conn = inst().db.read()
    return {
        "selection": chosen,
        "measures": measures,
        "benchmarks": inst().benchmarks,
        "modes": MODES,
        "outcomes": OUTCOMES,
        "sites": settings.sites(conn),
        "chosen": chosen_again,
        "chance_note": comparison.CHANCE_NOTE,
        "providers": [] if len(held := audit.providers(conn, Selection())) < 2 else held,
    }


def chosen_again(chosen: Selection) -> dict[str, str]:
    """The parts of an address that select the same cases again; the capture mode is left to each link."""
    if chosen.round:
        return {"round": chosen.round} | ({"site": chosen.site} if chosen.site else {})
    provider = chosen.provider or ALL
    named = {"site": chosen.site, "from": chosen.start, "to": chosen.end}
    return {n: v for n, v in named.items() if v} | ({"provider": provider} if provider != inst().provider else {})


@bp.get("/measures/<measure_id>")
def measure(measure_id: str) -> str:
    """One measure: its definition, and each mode's counts, each opening to its cases."""
    measures, _ = parts()
    if measure_id not in measures.by_id:
        abort(404)
    chosen = selection()
    chosen_measure = measures.by_id[measure_id]
    found = [(b, row(b, measure_id)) for b in blocks(chosen)]
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
        "results/case.html",
        case=found,
        dataset=dataset,
        explained=explained,
        outside_groups=outside_groups(found.fields, dataset),
        **words(selection(), measures),
    )


def outside_groups(fields: dict[str, str], dataset: Dataset) -> bool:
    """Whether a case holds an urgent finding though none of the red-flag groups is present."""
    concluded = fields["serious_pathology_suspected"] == "yes" or fields["rf_action"] not in ("", "none")
    groups = [f.name for f in dataset.fields if f.section == "red_flags" and "unable" in f.options]
    return concluded and all(fields[group] != "present" for group in groups)


@bp.get("/results.json")
def download() -> Response | tuple[str, int]:
    """The documented JSON of the selection; it is internal and raw."""
    measures, dataset = parts()
    chosen = selection()
    found = audit.results(inst().db.read(), measures, dataset, chosen)
    body = json.dumps(audit.as_json(found, measures, inst().benchmarks), indent=1)
    return Response(body, mimetype="application/json")
