"""A clinician's own figures, with the form of the profession for appraisal or revalidation."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from consult.accounts.people import CLINICIANS, ROLES, Person
from consult.audit import comparison, leaving, own
from consult.audit.results import Result, Results
from consult.audit.rounds import Round, standing
from consult.audit.suppression import LEAVES_FROM
from consult.documents import audit_report, evidence
from consult.documents.evidence import Block, Box, Paper, Part, Table, Words
from consult.evidence import EvidenceRefused
from consult.evidence.moment import TOO_FEW, Made, Moment
from consult.evidence.report import definitions_part
from consult.instance import Instance
from consult.record.database import Connection


def live_rounds(instance: Instance, conn: Connection) -> list[Round]:
    """The live rounds that have begun, the newest first: each has own figures."""
    return [one for one in standing(conn) if one.capture == "live" and one.start <= instance.today().isoformat()]


def cpd(instance: Instance, conn: Connection, person: Person, of: Round | None = None) -> Made:
    """A clinician's own figures with the form of the profession: own cases only, and boxes that stay empty.

    `of` is a live round; without it the newest live round that has begun. EvidenceRefused where there is none.
    """
    if person.role not in CLINICIANS:
        raise EvidenceRefused("Only a nurse, doctor or physiotherapist has own cases; choose a clinician.")
    chosen = of or next(iter(live_rounds(instance, conn)), None)
    if chosen is None or chosen.capture != "live":
        raise EvidenceRefused("Own figures are of live consultations; the audit lead makes a live round first.")
    at = Moment(instance, conn, chosen)
    form = at.map.form_of(person.role)
    if form is None:
        raise EvidenceRefused(f"{evidence.FILE} has no form for this role; add one there.")
    mine = at.count(own.own(conn, at.selection, person.id))
    stamp = at.stamp(mine.eligible, True)
    stamp = replace(stamp, use="the clinician's own paper", n=stamp.n.replace("cases", "own cases"))
    about = (
        form.body,
        f"{person.name}, {ROLES[person.role].lower()}",
        f"Source of the headings: {form.source}.",
        *form.facts,
    )
    titles = ("Own figures", "Definitions", "Reflection")
    paper = Paper("cpd", form.title, about, stamp, titles, at.key("cpd", person.id), bool(instance.unapproved()))
    return Made(paper, _cpd_parts(at, person, mine, form))


def _cpd_parts(at: Moment, person: Person, mine: Results, form: evidence.Form) -> Iterator[Part]:
    yield Part("own", "Own figures", tuple(_own_blocks(at, person, mine)))
    yield Part("definitions", "Definitions", tuple(definitions_part(at)))
    yield Part("reflection", "Reflection", tuple(map(Box, form.boxes)))


def _own_blocks(at: Moment, person: Person, mine: Results) -> Iterator[Block]:
    before = at.count(own.own(at.conn, at.sample_of(at.before).selection, person.id)) if at.before else None
    whole = at.count(at.selection) if own.clinicians(at.conn, at.selection) >= own.FEWEST else None
    n = TOO_FEW if mine.eligible < LEAVES_FROM else str(mine.eligible)
    yield Words(f"Own eligible cases in this round: {n}.")
    held = at.instance.benchmarks
    earlier = (f"Own, {at.before.name}", "Change, points") if at.before else ()
    head = ("Measure", "Own: applies to", "Own: recorded", "Own: rate, 95% interval", *earlier, "Service")
    head = (*head, *map(held.label, held.years))
    rows = tuple(_own_row(at, m.id, mine, before, whole) for m in at.instance.measures.measures)
    notes = (
        f"Under {LEAVES_FROM} own cases nothing but their number is said: too few to compare.",
        f"The service stands beside only where {own.FEWEST} or more clinicians have cases in the sample.",
        held.said_of_added(),
        *audit_report.notes_of(at.instance.measures.measures),
        *at.map.report.caveats,
    )
    yield Table("Own cases first, then what they stand beside", head, rows, notes, (3.0, *(1.0 for _ in head[1:])))


def _own_row(at: Moment, id_: str, mine: Results, before: Results | None, whole: Results | None) -> tuple[str, ...]:
    result, service = mine.measures[id_], whole.measures[id_] if whole else None
    known = at.instance.measures.by_id[id_]
    enough = leaving.leaves(result)
    counts = [comparison.recorded(result), _rate(result)] if enough else [audit_report.TOO_FEW, ""]
    cells = [known.title, str(result.applicable) if enough else f"n = {result.applicable}", *counts]
    if at.before and before:
        then = before.measures[id_]
        said = comparison.whole_rate(then) if leaving.leaves(then) else f"n = {then.applicable}, too few to compare"
        cells += [said, audit_report.change(then, result)]
    cells.append(comparison.whole_rate(service) if service and leaving.leaves(service) else "not given")
    held = at.instance.benchmarks
    return (*cells, *(held.percent(id_, year) for year in held.years))


def _rate(result: Result) -> str:
    return f"{comparison.rate(result)} ({comparison.interval(result)})"
