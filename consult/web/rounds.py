"""Rounds of the audit: their sample, what became of every consultation of the period, results, targets, sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from msgspec import Struct
from werkzeug.wrappers import Response

from consult.audit import (
    ascertainment,
    comparison,
    episode,
    overlapping,
    rounds,
    sampling,
    statistics,
    targets,
    versions,
)
from consult.audit import cases as case_table
from consult.audit import results as audit
from consult.audit.cases import Key
from consult.audit.measures import Measure
from consult.audit.results import Result
from consult.audit.rounds import Round, SiteRule, Wanted
from consult.audit.sampling import Change, Sample
from consult.documents import unfinished
from consult.proforma.wording import beginning
from consult.record import begun as begun_record
from consult.record import settings
from consult.record.ledger import ChangedSince, Refused
from consult.web.context import inst, person
from consult.web.desk import BESIDE, STANDS, own_key, refused, seen_here, without_a_name
from consult.web.forms import number, typed

bp = Blueprint("rounds", __name__, url_prefix="/rounds")
MODES = {mode: beginning(words) for mode, words in rounds.MODES.items()}
SHOWN = 500
SIZES = (10, 20, 40, 60, 80, 100, 150, 200, 400)


def by() -> tuple[str, str]:
    """Who acts and in which role, as the steps of the audit name them."""
    return person().id, person().role


def leads() -> bool:
    """Whether the one who is signed in leads the audit."""
    return person().role == "audit_lead"


def shown() -> dict[str, Round]:
    """The rounds that whoever asks may be shown, by id, the newest first."""
    may_be = rounds.to_show(inst().db.read(), inst().today(), person().outside)
    if not person().outside:
        return may_be
    return {id_: one for id_, one in may_be.items() if id_ not in kept_back()}


def kept_back() -> dict[str, str]:
    """The rounds not shown outside the provider, each with the one it would give few cases away with."""
    if "kept_back" not in g:
        conn = inst().db.read()
        ended = rounds.to_show(conn, inst().today(), outside=True)
        made = [ended[id_] for id_ in rounds.rounds(conn) if id_ in ended]
        g.kept_back = overlapping.kept_back({one.id: [case.key for case in sample_read(one).taken] for one in made})
    return cast(dict[str, str], g.kept_back)


def not_told() -> dict[str, frozenset[str]]:
    """The rounds shown outside the provider that share cases with another, each with the measures that it withholds."""
    if "not_told" not in g:
        conn, known = inst().db.read(), shown()
        samples = {id_: sample_read(known[id_]) for id_ in rounds.rounds(conn) if id_ in known}
        beside = overlapping.sharing({id_: [case.key for case in one.taken] for id_, one in samples.items()})
        chosen = {id_: one.selection for id_, one in samples.items() if id_ in beside}
        applies = overlapping.applying(conn, inst().measures, inst().library.current.dataset, chosen)
        g.not_told = dict.fromkeys(beside, frozenset()) | overlapping.not_told(applies)
    return cast(dict[str, frozenset[str]], g.not_told)


def found(round_id: str) -> Round:
    """The round of an address; 404 if there is none that this person may be shown, or it was withdrawn."""
    return shown().get(round_id) or abort(404)


def sample_of(one: Round) -> Sample:
    """The sample of a round as the cases stand now."""
    return sampling.sample(inst().db.read(), inst().measures, inst().library.current.dataset, one)


def sample_read(one: Round) -> Sample:
    """The same for a page that only reads: taken once, however often the page asks for it."""
    samples: dict[str, Sample] = g.setdefault("samples", {})
    if one.id not in samples:
        samples[one.id] = sample_of(one)
    return samples[one.id]


def shared(one: Round, sample: Sample) -> dict[str, object]:
    """What every page of a round says: its name, its rule, its dates, and how many cases are in the sample."""
    conn = inst().db.read()
    return {
        "round": one,
        "sample": sample,
        "modes": MODES,
        "rules": rounds.RULES,
        "reasons": rounds.EXCLUSION_REASONS,
        "sites": settings.sites(conn),
        "leads": leads(),
        "measures": inst().measures,
        "measures_digest": inst().content.measures_digest[: versions.SHORT],
        "proforma": inst().library.current,
        "held_with": _held_with(sample),
    }


def _held_with(sample: Sample) -> list[tuple[str, str, int]]:
    """The versions of the proforma that the consultations of a sample were held with: number, digest, how many."""
    conn = inst().db.read()
    held = begun_record.held_with(conn, [case.consultation for case in sample.taken if case.consultation])
    return [
        (inst().library.definition(conn, digest).proforma.version, digest[: versions.SHORT], n)
        for digest, n in held.items()
    ]


@bp.get("")
def index() -> str:
    """Every round, with the size and the dates of its sample."""
    conn = inst().db.read()
    held = [(one, sample_of(one)) for one in rounds.standing(conn)]
    withdrawn = [one for one in rounds.rounds(conn).values() if one.withdrawn]
    return render_template("rounds/index.html", held=held, withdrawn=withdrawn, modes=MODES, leads=leads())


@bp.route("/new", methods=["GET", "POST"])
def new() -> Response | str | tuple[str, int]:
    """Make a round."""
    return _edit(None)


@bp.route("/<round_id>/change", methods=["GET", "POST"])
def change(round_id: str) -> Response | str | tuple[str, int]:
    """Change a round, with the reason."""
    return _edit(found(round_id))


def _edit(one: Round | None) -> Response | str | tuple[str, int]:
    known = one.id if one else ""
    if request.method != "POST":
        return _edit_page(one)
    try:
        return redirect(url_for("rounds.show", round_id=_set(one, known)))
    except ChangedSince as refusal:
        return _edit_page(found(known), f"{refusal} {BESIDE}", STANDS, beside=True), 409
    except Refused as refusal:
        return _edit_page(one, str(refusal), refusal.field), 422


def _set(one: Round | None, known: str) -> str:
    """Make or change a round as it was sent; its id."""
    seen, wanted = number(request.form.get("seen", "")), _wanted(one)
    without_a_name(name=wanted.name, reason=wanted.reason)
    with inst().db.write() as conn:
        return rounds.set_round(conn, wanted, by(), inst().store.at(), own_key(), known, seen)


def _edit_page(one: Round | None, problem: str = "", wrong: str = "", beside: bool = False) -> str:
    """The form of a round with what was typed; `beside` shows the round as somebody else made it meanwhile."""
    given, sites = _given(one), settings.sites(inst().db.read())
    return render_template(
        "rounds/edit.html",
        round=one,
        problem=problem,
        wrong=wrong,
        beside=beside,
        seen=seen_here(one.changes, beside) if one else "",
        modes=MODES,
        rules=rounds.RULES,
        usual=rounds.USUAL,
        sites=sites,
        given=given,
        differs=any(given.get(f"rule.{code}") for code in sites),
    )


def _wanted(one: Round | None) -> Wanted:
    """The round as it was sent; a site is named only where its rule differs from that of the round."""
    sent = {
        code: SiteRule(rule, _whole(f"n.{code}", 0), request.form.get(f"start.{code}", ""))  # type: ignore[arg-type] # checked
        for code in settings.sites(inst().db.read())
        if (rule := request.form.get(f"rule.{code}", ""))
    }
    return Wanted(
        name=typed("name"),
        provider=one.provider if one else inst().provider,
        capture=one.capture if one else request.form.get("capture", ""),
        start=request.form.get("start", ""),
        end=request.form.get("end", ""),
        rule=request.form.get("rule", ""),
        n=_whole("n", 0),
        sites=sent,
        reason=typed("reason"),
    )


def _given(one: Round | None) -> dict[str, str]:
    """What the fields of the form hold: what was sent, else the round as it is."""
    if request.method == "POST":
        return {name: request.form[name] for name in request.form}
    if one is None:
        return {"n": str(rounds.USUAL)}
    own = {"name": one.name, "start": one.start, "end": one.end, "rule": one.rule, "n": str(one.n)}
    for site, rule in one.sites.items():
        own |= {f"rule.{site}": rule.rule, f"n.{site}": str(rule.n or ""), f"start.{site}": rule.start}
    return own


def _whole(name: str, default: int) -> int:
    text = request.values.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else default


@bp.get("/<round_id>")
def show(round_id: str) -> str:
    """One round: its sample, and what became of every consultation of its period."""
    one = found(round_id)
    sample = sample_of(one)
    begun = unfinished.unfinished(inst().store, inst().measures, one)
    return render_template(
        "rounds/show.html",
        table=ascertainment.table(sample, begun),
        not_signed=begun,
        against=dict(episode.by_dates(inst().db.read(), sample)),
        places=ascertainment.PLACES,
        so_far=ascertainment.ELIGIBLE_SO_FAR,
        eligibility={reason.id: reason.label for reason in inst().measures.eligibility},
        shown=SHOWN,
        abandoned_because=inst().content.definition.proforma.reasons.without_signing,
        gives_away=rounds.rounds(inst().db.read()).get(kept_back().get(one.id, "")),
        **shared(one, sample),
    )


@bp.post("/<round_id>/withdraw")
def withdraw(round_id: str) -> Response:
    """Take a round off the list, with the reason."""
    one = rounds.rounds(inst().db.read()).get(round_id) or abort(404)
    try:
        without_a_name(reason=typed("reason"))
        with inst().db.write() as conn:
            rounds.withdraw(conn, one.id, typed("reason"), by(), inst().store.at(), own_key())
    except Refused as refusal:
        back = url_for("rounds.index") if one.withdrawn else url_for("rounds.show", round_id=one.id)
        return refused(str(refusal), back)
    return redirect(url_for("rounds.index"))


@bp.get("/<round_id>/cases/<provider>/<mode>/<case_ref>")
def case(round_id: str, provider: str, mode: str, case_ref: str) -> str:
    """One case of a round: where it stands, and what was said of it before."""
    return _case_page(found(round_id), (provider, mode, case_ref))


@bp.post("/<round_id>/cases/<provider>/<mode>/<case_ref>")
def exclude(round_id: str, provider: str, mode: str, case_ref: str) -> Response | tuple[str, int]:
    """Take one case out of the sample or back in, with the reason."""
    one, key = found(round_id), (provider, mode, case_ref)
    if case_table.read(inst().db.read(), *key) is None:
        abort(404)
    try:
        _exclude(one, key)
    except Refused as refusal:
        return _case_page(one, key, str(refusal), refusal.field), 422
    return redirect(url_for("rounds.show", round_id=one.id, _anchor="taken-out"))


def _case_page(one: Round, key: Key, problem: str = "", wrong: str = "") -> str:
    if case_table.read(inst().db.read(), *key) is None:
        abort(404)
    sample = sample_of(one)
    return render_template(
        "rounds/case.html",
        key=key,
        placed=next((case for case in sample.cases if case.key == key), None),
        problem=problem,
        wrong=wrong,
        told=one.exclusions.get(key, ()),
        places=ascertainment.PLACES,
        **shared(one, sample),
    )


def _exclude(one: Round, key: Key) -> None:
    out, why = request.form.get("out") == "yes", (request.form.get("reason", ""), typed("text"))
    without_a_name(text=why[1])
    with inst().db.write() as conn:
        rounds.exclude(conn, one.id, key, out, why, by(), inst().store.at(), own_key())


class Row(Struct, frozen=True):
    """One measure of a round: its result, the service's target, and the change from the round it is shown beside."""

    measure: Measure
    result: Result
    target: targets.Target | None
    change: Change | None
    under: bool = False


class Beside(Struct, frozen=True):
    """The earlier round that one is shown beside, with the change since then, or why none is worked out."""

    round: Round | None = None
    changes: Mapping[str, Change] = {}
    refused_because: str = ""


def _beside(one: Round, others: Iterable[Round]) -> Beside:
    """What was asked for beside a round; nothing where none of the others was."""
    earlier = next((other for other in others if other.id == request.args.get("beside", "")), None)
    if earlier is None:
        return Beside()
    try:
        measures, dataset = inst().measures, inst().library.current.dataset
        return Beside(earlier, sampling.change(inst().db.read(), measures, dataset, earlier, one))
    except sampling.NotComparable as refusal:
        return Beside(earlier, refused_because=str(refusal))


def _rows(block: audit.Results, changes: Mapping[str, Change]) -> dict[str, list[Row]]:
    """The rows of the national headings, and of the measures that stand under none of them."""
    measures, aims = inst().measures, targets.targets(inst().db.read())

    def row(measure: Measure, under: bool) -> Row:
        return Row(measure, block.measures[measure.id], aims.get(measure.id), changes.get(measure.id), under)

    return {"headings": [row(*one) for one in measures.headings()], "local": [row(*one) for one in measures.others()]}


@bp.get("/<round_id>/results")
def results(round_id: str) -> str:
    """The results of a sample, beside the targets and, if asked, beside another round of the same capture mode."""
    one = found(round_id)
    conn, measures, dataset = inst().db.read(), inst().measures, inst().library.current.dataset
    block = sampling.round_results(conn, measures, dataset, one)
    every = audit.results(conn, measures, dataset, sampling.context(one))
    others = [r for r in rounds.standing(conn) if r.capture == one.capture and r.id != one.id]
    other = _beside(one, others)
    return render_template(
        "rounds/results.html",
        every=every if every.eligible > block.eligible else None,
        beside=other.round,
        refused_because=other.refused_because,
        beside_sample=sample_of(other.round) if other.round else None,
        others=others,
        shown_rate=comparison.shown_rate,
        percent=comparison.percent,
        percent_from=comparison.PERCENT_FROM,
        points=comparison.points,
        benchmarks=inst().benchmarks,
        **_rows(block, other.changes),
        **shared(one, sample_of(one)),
    )


@bp.get("/targets")
def targets_page() -> str:
    """The target of each measure, who set it, when and why."""
    return _targets()


@bp.post("/targets")
def set_target() -> Response | tuple[str, int]:
    """Set a target, or take it back, with the reason."""
    try:
        _set_target()
    except Refused as refusal:
        return _targets(str(refusal), refusal.field), 422
    return redirect(url_for("rounds.targets_page", _anchor=f"m-{request.form['measure']}"))


def _targets(problem: str = "", wrong: str = "") -> str:
    return render_template(
        "rounds/targets.html",
        measures=inst().measures,
        told=targets.history(inst().db.read()),
        problem=problem,
        wrong=wrong,
        percent=comparison.percent,
        leads=leads(),
    )


def _set_target() -> None:
    measure, text = request.form.get("measure", ""), request.form.get("percent", "").strip().removesuffix("%").strip()
    if measure not in inst().measures.by_id:
        raise Refused("Choose a measure.", "measure")
    if text and not (text.isascii() and text.isdigit() and len(text) <= 3):
        sentence = "Write the target as a whole percentage, such as 80; leave it blank to take the target back."
        raise Refused(sentence, "percent")
    without_a_name(reason=typed("reason"))
    with inst().db.write() as conn:
        share = int(text) / 100 if text else None
        targets.set_target(conn, measure, share, typed("reason"), by(), inst().store.at(), own_key())


@bp.get("/sample-size")
def sample_size() -> str:
    """How sure so many cases can make one, and how many are needed to be so sure."""
    n = min(max(_whole("n", rounds.USUAL), 1), rounds.MOST)
    rate = min(max(_whole("rate", 55), 0), 100)
    width = min(max(_whole("width", 10), 1), 49)
    return render_template(
        "rounds/sample_size.html",
        n=n,
        rate=rate,
        width=width,
        known=statistics.precision(n, rate / 100),
        needed=statistics.cases_needed(width / 100, rate / 100),
        worst=statistics.cases_needed(width / 100),
        rows=[(size, statistics.precision(size, rate / 100)) for size in SIZES],
        percent=comparison.percent,
    )
