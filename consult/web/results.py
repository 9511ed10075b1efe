"""The results of the audit: each number with its interval, beside the national figures, opening to its cases.

What draws figures, and what makes and proves files of results, is read with the first that is asked for.
"""

from __future__ import annotations

import json
from typing import cast

from flask import Blueprint, Response, abort, g, render_template, request
from msgspec import Struct
from msgspec.structs import replace

from consult.audit import comparison, gesture, rounds, sampling, targets, versions
from consult.audit import leaving as may_leave
from consult.audit import results as audit
from consult.audit.breakdowns import span
from consult.audit.gesture import Share
from consult.audit.measures import Measure, MeasureSet
from consult.audit.results import Result, Results, Selection
from consult.audit.suppression import LEAVES_FROM
from consult.audit.versions import VersionRefused
from consult.exchange import resultsfile
from consult.exchange.resultsfile import Version
from consult.exchange.sheets import SheetRefused, csv_records, workbook
from consult.proforma.dataset import Dataset
from consult.proforma.days import day_in
from consult.record import settings
from consult.web.context import inst, person
from consult.web.rounds import MODES, not_told, sample_read, shown

bp = Blueprint("results", __name__, url_prefix="/results")
OUTCOMES = {"met": "Met", "not_met": "Not met", "not_applicable": "Not applicable", "missing": "Missing"}
ALL = "*"


class Row(Struct, frozen=True):
    """One measure of one block: the result, and the national value it is compared with."""

    measure: Measure
    result: Result
    benchmark: float | None
    mode: str
    under: bool = False
    target: float | None = None

    @property
    def leaves(self) -> bool:
        """Whether it may stand in a copy that leaves the provider: from 10 in the denominator, whatever is met."""
        return may_leave.leaves(self.result)

    @property
    def percent(self) -> str:
        """The rate in words: no percentage under 5 cases."""
        return comparison.rate(self.result) if self.result.applicable else "no case yet"

    @property
    def drawn(self) -> bool:
        """Whether there are enough cases for a percentage and its interval."""
        return self.result.applicable >= comparison.PERCENT_FROM

    @property
    def interval(self) -> str:
        """The 95% interval in words, where there is a percentage."""
        return comparison.interval(self.result)

    @property
    def standing(self) -> str:
        """How a retrospective result stands beside the national value, in words; "" where no comparison is made."""
        return comparison.standing(self.result, self.benchmark, self.mode)

    @property
    def aside(self) -> str:
        """The second line: the rate without the cases sent as an emergency the same day."""
        met, n = self.result.without_aside
        if n == self.result.applicable:
            return ""
        text = parts()[0].set_aside.text.format(k=self.result.aside_not_met, n=self.result.not_met)
        return f"{text} Leaving out all cases that were sent so, it was met in {met} of {n}."


def selection() -> Selection:
    """What the address selects; figures are the own provider's unless another is asked for."""
    args = request.args
    if args.get("round") or person().outside:
        return _of_round(args.get("round", ""))
    asked = args.get("provider", inst().provider)
    start, end = _period()
    return Selection("" if asked == ALL else asked, args.get("site", ""), start, end, args.get("capture", ""))


def _period() -> tuple[str, str]:
    """The first and the last day asked for; refused where one is no date, as text it would select other cases."""
    days = [request.args.get(name, "").strip() for name in ("from", "to")]
    for day in days:
        if day and day_in(day) is None:
            raise audit.SelectionRefused(f"“{day}” is no date; go back, and give the day, the month and the year.")
    start, end = days
    if start and end and start > end:
        raise audit.SelectionRefused("The period ends before it begins; go back, and exchange its two dates.")
    return start, end


def _of_round(round_id: str) -> Selection:
    """The sample of a round ("": the newest), at one site if one is asked for; 404 if there is no such round.

    It is taken by the measures in use, whatever version then scores it: scoring again changes no sample.
    """
    known = shown()
    if not round_id and not known:
        raise NoRoundYet
    one = known.get(round_id or next(iter(known))) or abort(404)
    return replace(sample_read(one).selection, site=request.args.get("site", ""))


def parts() -> tuple[MeasureSet, Dataset]:
    """The measures that cases are scored by here, those in use or the version asked for, and the data set in use."""
    return scoring().measures, scoring().dataset


def scoring() -> Version:
    """What cases are scored by on this page: the measures in use, or the kept version that the address names.

    Who is outside the provider chooses none: two versions side by side would tell of the few cases they differ in.
    """
    if "scoring" not in g:
        asked = "" if person().outside else request.args.get("measures", "")
        g.scoring = inst().scoring(inst().db.read(), asked)
    return cast(Version, g.scoring)


def blocks(chosen: Selection) -> list[Results]:
    """The results of a selection, one block a capture mode, never pooled."""
    conn = inst().db.read()
    measures, dataset = parts()
    found = [
        audit.results(conn, measures, dataset, replace(chosen, capture=mode)) for mode in audit.modes(conn, chosen)
    ]
    return [as_told(may_leave.safe(conn, measures, dataset, one)) for one in found] if leaving() else found


def as_told(found: Results) -> Results:
    """Results as whoever asks may be told them: outside without what two rounds together would tell of few cases."""
    return may_leave.without(found, not_told().get(found.selection.round, ())) if person().outside else found


def beside_another(chosen: Selection) -> bool:
    """Whether somebody outside is shown another round that shares cases with this one."""
    return person().outside and chosen.round in not_told()


class NoRoundYet(Exception):
    """There is nothing that somebody outside the provider may be shown."""


@bp.errorhandler(NoRoundYet)
def _no_round_yet(_: NoRoundYet) -> str:
    sentence = "No round of the audit has ended here yet; its figures can be read on this page from the day after."
    return render_template("refused.html", title="No results yet", sentence=sentence)


@bp.errorhandler(SheetRefused)
@bp.errorhandler(VersionRefused)
@bp.errorhandler(audit.SelectionRefused)
def _refused(refusal: Exception) -> tuple[str, int]:
    return render_template("refused.html", title="Choose other cases", sentence=str(refusal)), 409


class Block(Struct, frozen=True):
    """The results of one capture mode as the overview shows them."""

    results: Results
    span: tuple[str, str] | None
    national: list[Row]
    local: list[Row]
    strongest: list[Row]
    weakest: list[Row]
    share: Share | None
    every: Results | None = None
    """All eligible cases of the period, where the block is a sample of them."""

    @property
    def together(self) -> bool:
        """Whether the sum over the national measures is shown: in a copy that leaves, only if each of them leaves."""
        return not leaving() or may_leave.opportunity_leaves(self.results, parts()[0])


@bp.get("")
def overview() -> str:
    """All measures, a block for each capture mode."""
    from consult.audit.figures import ranked

    chosen = whole_if_leaving(selection())
    measures, dataset = parts()
    conn = inst().db.read()
    found = []
    for block in blocks(chosen):
        rows = national_rows(block)
        by_id = {r.measure.id: r for r in rows}
        best, worst = ranked([(r.measure, r.result) for r in rows if r.measure.national])
        ends = ([by_id[m.id] for m, _ in best], [by_id[m.id] for m, _ in worst])
        share = gesture.share(conn, measures, dataset, block.selection) if block.capture_mode == "live" else None
        dates = span(conn, measures, dataset, block.selection)
        found.append(Block(block, dates, rows, local_rows(block), *ends, share, _every(block)))
    gestured = {m.id for m in measures.measures if asks_by_gesture(m)}
    return render_template("results/overview.html", blocks=found, gestured=gestured, **words(chosen, measures))


def _every(block: Results) -> Results | None:
    """Every eligible case of the period that a sample was taken from; None where the sample holds them all."""
    one = rounds.rounds(inst().db.read()).get(block.selection.round)
    if one is None or leaving():
        return None
    found = audit.results(inst().db.read(), *parts(), sampling.context(one, block.selection.site))
    return found if found.eligible > block.eligible else None


def leaving() -> bool:
    """Whether a copy is asked for that may leave the provider; whoever is outside it sees no other."""
    return request.args.get("copy") == "leaving" or person().outside


def whole_if_leaving(chosen: Selection) -> Selection:
    """The whole service for a copy that leaves it: no result of one site does."""
    return may_leave.whole(chosen) if leaving() else chosen


def asks_by_gesture(measure: Measure) -> bool:
    """Whether a measure counts findings that "No to the rest" can answer."""
    proforma = inst().library.current.proforma
    blocks_with = [block.id for block in proforma.blocks if block.rest]
    filled = {count.group for block in blocks_with for q in proforma.in_block(block) for count in q.counts}
    return measure.met is not None and any(leaf.field in filled for leaf in measure.met.leaves())


def row(block: Results, measure_id: str, under: bool = False) -> Row:
    """One measure of a block."""
    figure = inst().benchmarks.national(measure_id)
    aim = aims().get(measure_id)
    measure = parts()[0].by_id[measure_id]
    value = figure.value if figure else None
    return Row(measure, block.measures[measure_id], value, block.capture_mode, under, aim)


def aims() -> dict[str, float]:
    """What the service aims at, as shares by measure."""
    if "aims" not in g:
        standing = targets.targets(inst().db.read())
        g.aims = {measure: target.share for measure, target in standing.items() if target.share is not None}
    return cast(dict[str, float], g.aims)


def national_rows(block: Results) -> list[Row]:
    """The national measures, each followed by the local ones that must stand beside it."""
    return [row(block, m.id, under) for m, under in parts()[0].headings()]


def local_rows(block: Results) -> list[Row]:
    """The local measures that do not stand beside a national one."""
    return [row(block, m.id, under) for m, under in parts()[0].others()]


def words(chosen: Selection, measures: MeasureSet) -> dict[str, object]:
    """What the pages of results share."""
    conn = inst().db.read()
    return {
        "selection": chosen,
        "measures": measures,
        "digest": scoring().digest,
        "versions": versions.kept(conn),
        "benchmarks": inst().benchmarks,
        "modes": MODES,
        "outcomes": OUTCOMES,
        "sites": settings.sites(conn),
        "chosen": chosen_again,
        "leaving": leaving(),
        "pooled": may_leave.pooled(conn, chosen),
        "beside_another": beside_another(chosen),
        "leaves_from": LEAVES_FROM,
        "percent": comparison.percent,
        "aims": aims(),
        "round_shown": shown().get(chosen.round),
        "rounds": list(shown().values()) if person().outside or not leaving() else [],
        "outside": person().outside,
        "chance_note": comparison.CHANCE_NOTE,
        "providers": [] if len(held := audit.providers(conn, Selection())) < 2 else held,
    }


def chosen_again(chosen: Selection) -> dict[str, str]:
    """The parts of an address that select the same cases again; the capture mode is left to each link."""
    by = {"measures": request.args["measures"]} if request.args.get("measures") else {}
    by |= {"copy": "leaving"} if leaving() and not person().outside else {}
    if chosen.round:
        return {"round": chosen.round} | ({"site": chosen.site} if chosen.site else {}) | by
    provider = chosen.provider or ALL
    named = {"site": chosen.site, "from": chosen.start, "to": chosen.end}
    return {n: v for n, v in named.items() if v} | ({"provider": provider} if provider != inst().provider else {}) | by


@bp.get("/results.json")
def download() -> Response | tuple[str, int]:
    """The documented JSON of the selection; it is internal and raw."""
    from consult import exports

    with inst().db.snapshot() as conn:
        found = audit.results(conn, *parts(), selection())
        shape = exports.results_json(inst(), conn, found, False, scoring(), request.args.get("measures", ""))
    body = json.dumps(shape, indent=1)
    return Response(body, mimetype="application/json")


WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILES = {"results.csv": "csv", "results.xlsx": "xlsx", "indicators.csv": "mohawk"}


@bp.get("/files/<any('results.csv','results.xlsx','indicators.csv'):file_name>")
def file(file_name: str) -> Response:
    """The same numbers as a file: internal and raw, or as they may leave the provider; indicators are internal."""
    from consult import exports

    if leaving() and FILES[file_name] == "mohawk":
        abort(404)
    with inst().db.snapshot() as conn:
        found = as_told(audit.results(conn, *parts(), whole_if_leaving(selection())))
        content = exports.results_file(inst(), conn, found, scoring(), FILES[file_name], leaving())
    return _attached(content, file_name)


@bp.get("/files/<any('cases.csv','cases.xlsx'):cases_name>")
def case_file(cases_name: str) -> Response:
    """The cases selected as a file: internal and raw, or as they may leave the provider."""
    from consult import exports

    with inst().db.snapshot() as conn:
        sheet = resultsfile.cases_sheet(conn, parts()[1], whole_if_leaving(selection()), leaves=leaving())
        as_book = cases_name.endswith(".xlsx")
        about = exports.about_file(inst())
        content = workbook([sheet], inst().clock(), about) if as_book else "".join(csv_records(sheet)).encode()
    return _attached(content, cases_name)


def _attached(content: bytes, name: str) -> Response:
    said = f"{'leaving' if leaving() else 'internal'}-{name}"
    kind = WORKBOOK if name.endswith(".xlsx") else "text/csv"
    return Response(content, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{said}"'})
