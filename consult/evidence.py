"""Evidence made from the record at one moment: the audit report, packs for SEQOHS and for appraisal, MoHaWK figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from consult import planning
from consult.accounts import people
from consult.accounts.people import CLINICIANS, ROLES, Person
from consult.audit import figures, leaving, own, quality, reliability, sampling, targets
from consult.audit.breakdowns import Close, close
from consult.audit.results import Result, Results, Selection, results
from consult.audit.rounds import Round, standing
from consult.audit.suppression import LEAVES_FROM
from consult.documents import audit_report, evidence, unfinished
from consult.documents.audit_report import MODES, Basis, count_of_people
from consult.documents.evidence import Block, Box, Mapping, Paper, Part, Points, Stamp, Table, Words
from consult.documents.words import local_time, uk_date, when
from consult.exchange.resultsfile import MOHAWK
from consult.exchange.sheets import Sheet
from consult.instance import Instance
from consult.proforma.load import read_text
from consult.record import capture, incidents, ledger, settings
from consult.record.database import Connection

TOO_FEW: Final = "fewer than 10"
EVENTS: Final = {
    "consultation_viewed": "A consultation was opened by the clinician who holds it (once a visit)",
    "consultation_taken_over": "A consultation was taken over by a colleague, with a reason",
    "addendum_added": "An addendum was added to a signed consultation",
    "entered_in_error": "A consultation was marked as entered in error",
    "case_edited": "A case from notes was edited, with a reason",
    "report_released": "A report to a manager was released",
    "content_redacted": "A text was redacted, with a reason",
    "database_restored": "The record was restored from a backup",
}


class EvidenceRefused(Exception):
    """No paper was made; the message says why and what to do."""


@dataclass(frozen=True)
class Made:
    """A paper, and its parts as they are made one by one."""

    paper: Paper
    parts: Iterator[Part]


def mapping(instance: Instance) -> Mapping:
    """What packs are made of: the installation's own evidence.toml, else that of the proforma; ContentError."""
    own_file, shipped = instance.folder / evidence.FILE, instance.content.folder / evidence.FILE
    file = own_file if own_file.exists() else shipped
    return evidence.parse_mapping(read_text(file), instance.measures, instance.library.current.dataset)


@dataclass
class Moment:
    """The record at one moment, a round, a site ("" for all), and whether what is made may leave the provider."""

    instance: Instance
    conn: Connection
    round: Round
    site: str = ""
    leaves: bool = False

    @cached_property
    def map(self) -> Mapping:
        """What packs are made of."""
        return mapping(self.instance)

    @cached_property
    def sample(self) -> sampling.Sample:
        """The sample of the round."""
        return self._sample_of(self.round)

    def _sample_of(self, of: Round) -> sampling.Sample:
        dataset = self.instance.library.current.dataset
        return sampling.sample(self.conn, self.instance.measures, dataset, of)

    @cached_property
    def selection(self) -> Selection:
        """The cases of the sample, at the site."""
        return replace(self.sample.selection, site=self.site)

    def count(self, selection: Selection) -> Results:
        """The results of a selection by the measures in use."""
        return results(self.conn, self.instance.measures, self.instance.library.current.dataset, selection)

    @cached_property
    def before(self) -> Round | None:
        """The newest round of the same way of capture that ended before this one began: it can share no case."""
        mine = self.round
        known = (one for one in standing(self.conn) if one.capture == mine.capture and one.provider == mine.provider)
        return next((one for one in known if one.end < mine.start), None)

    @cached_property
    def basis(self) -> Basis:
        """What the parts of the audit report are made of."""
        earlier = replace(self._sample_of(self.before).selection, site=self.site) if self.before else None
        aims = {m: t.share for m, t in targets.targets(self.conn).items() if t.share is not None}
        return Basis(
            self.instance.measures,
            self.instance.library.current.dataset,
            self.instance.benchmarks,
            self.count(self.selection),
            self.count(earlier) if earlier else None,
            self.before.name if self.before else "",
            self.leaves,
            aims,
        )

    @cached_property
    def taken(self) -> dict[str, Close]:
        """The national headings, each taken apart."""
        known = self.instance.measures
        dataset = self.instance.library.current.dataset
        wanted = [m for m in self.basis.shown() if m.national]
        return {m.id: close(self.conn, known, dataset, self.selection, m) for m in wanted}

    def stamp(self, n: int, leaves: bool) -> Stamp:
        """What every page bears."""
        held = f"n = {TOO_FEW} cases" if leaves and n < LEAVES_FROM else f"n = {n} cases"
        mode = MODES[self.round.capture]
        return Stamp(
            self.place,
            f"{self.round.name}: {uk_date(self.round.start)} to {uk_date(self.round.end)}, {mode}",
            held,
            self.version,
            leaving.LEAVES if leaves else leaving.INTERNAL,
            when(self.instance.store.at()),
            *ledger.head(self.conn),
        )

    @property
    def place(self) -> str:
        """The provider and, for one site, the site in words."""
        known = settings.sites(self.conn).get(self.site)
        return (
            f"{self.instance.provider}, {known.name if known else self.site}" if self.site else self.instance.provider
        )

    @property
    def version(self) -> str:
        """The measures that results are counted by."""
        return f"Measures {self.instance.measures.version}, digest {self.instance.content.measures_digest[:16]}"


def report(at: Moment) -> Made:
    """The audit report of a site, or of all of them, for a round; internal unless it is made to leave."""
    builders = list(_report_parts(at))
    titles = tuple(title for title, _ in builders)
    about = (
        f"{at.place}. Round {at.round.name}: {uk_date(at.round.start)} to {uk_date(at.round.end)}.",
        f"Captured from: {MODES[at.round.capture]}.",
        *at.map.report.caveats,
    )
    paper = _paper(at, "report", f"Audit report: {at.round.name}, {at.place}", about, titles)
    parts = (Part(f"r{n}", title, tuple(make())) for n, (title, make) in enumerate(builders, 1))
    return Made(paper, parts)


def _paper(at: Moment, kind: str, title: str, about: tuple[str, ...], titles: tuple[str, ...]) -> Paper:
    stamp = at.stamp(at.basis.found.eligible, at.leaves)
    return Paper(kind, title, about, stamp, titles, bool(at.instance.unapproved()))


def _report_parts(at: Moment) -> Iterator[tuple[str, Callable[[], list[Block]]]]:
    yield "The sample", lambda: _sample_part(at)
    yield "Whom the cases are of", lambda: _context_part(at)
    yield "Results", lambda: _results_part(at)
    yield "Recorded most and least often", lambda: audit_report.ends(at.basis)
    yield "Item by item", lambda: audit_report.item_blocks(at.basis, at.taken)
    yield "Compared by group", lambda: audit_report.group_tables(at.basis, at.taken, at.map.report.compare_by)
    yield "Reliability", lambda: _reliability_part(at)
    yield "Definitions and versions", lambda: _definitions_part(at)
    yield "Action plan", lambda: [_plan_table(at)]


def _sample_part(at: Moment) -> list[Block]:
    found = at.basis.found
    rule = (
        f"the first {at.round.n} consecutive eligible cases of a site"
        if at.round.rule == "first"
        else "all eligible cases"
    )
    n = found.eligible
    said = TOO_FEW if at.leaves and n < LEAVES_FROM else str(n)
    first = Words(f"The sample holds {said} cases, taken by rule: {rule}. Nobody picks cases.")
    if at.leaves:
        return [
            first,
            Words("What became of every other consultation of the period is counted in the service's own report."),
        ]
    table = unfinished.ascertainment(at.instance.store, at.instance.measures, at.sample)
    rows = [row for row in table.sites if not at.site or row.name[1] == at.site] if at.site else [table.all]
    why = {reason.id: reason.label for reason in at.instance.measures.eligibility}
    blocks: list[Block] = [first]
    for row in rows:
        blocks += audit_report.sample_table(row, why, [] if at.site else table.roles, ROLES)[: 1 if at.site else 2]
    return blocks


def _context_part(at: Moment) -> list[Block]:
    dataset = at.instance.library.current.dataset
    fields = at.map.report.context
    counted = own.context(at.conn, at.instance.measures, dataset, at.selection, fields)
    return audit_report.context_tables(counted, dataset, at.leaves)


def _results_part(at: Moment) -> list[Block]:
    known: list[Block] = [
        audit_report.results_table(at.basis, "National headings", True),
        audit_report.results_table(at.basis, "Local measures", False),
    ]
    if at.basis.targets and not at.site:
        words = [
            f"{m.title}: {at.basis.targets[m.id]:.0%}" for m in at.basis.measures.measures if m.id in at.basis.targets
        ]
        known += [Words("Targets that this service has set itself", strong=True), Points(tuple(words))]
    return known


def _reliability_part(at: Moment) -> list[Block]:
    draw, dataset = reliability.draws(at.conn).get(at.round.id), at.instance.library.current.dataset
    done = draw.done if draw else []
    return audit_report.reliability_blocks(reliability.by_item(done, dataset), len(done), dataset, at.leaves)


def _definitions_part(at: Moment) -> list[Block]:
    return audit_report.definitions(at.instance.measures, at.instance.content.measures_digest)


PLAN_HEAD: Final = ("Gap", "Likely cause", "Action", "Owner", "Due", "Evidence wanted", "Status", "Re-audit result")


def _plan_table(at: Moment) -> Table:
    shown = planning.plan(at.instance, at.conn, at.round, leaves=at.leaves)
    here = [p for p in shown if not at.site or p.action.wanted.site in ("", at.site)]
    rows = tuple(tuple(vars(planning.row(one)).values()) for one in here)
    return Table("Actions of this round, and those carried over", PLAN_HEAD, rows, (), (2, 1.5, 2, 1.2, 1, 1.5, 1, 1.5))


# ---------------------------------------------------------------- SEQOHS


def seqohs(instance: Instance, conn: Connection, of: Round) -> Made:
    """The SEQOHS pack of a round: every part of the mapping, as it may leave the provider."""
    at = Moment(instance, conn, of, leaves=True)
    chosen = at.map
    titles = tuple(part.title for part in chosen.parts)
    about = (
        f"Evidence of {instance.provider} for: {chosen.standards.name}. {chosen.standards.note}",
        f"Made from the record of routine consultations. Mapping version {chosen.version}.",
    )
    paper = _paper(at, "seqohs", f"Evidence pack: {chosen.standards.name}", about, titles)
    return Made(paper, (_seqohs_part(at, part) for part in chosen.parts))


def _seqohs_part(at: Moment, part: evidence.MappedPart) -> Part:
    made: dict[str, Callable[[Moment], list[Block]]] = {
        "protocol": _protocol,
        "audit_report": _whole_report,
        "action_plan": lambda at: [_plan_table(at)],
        "closed_loop": _closed_loop,
        "calendar": _calendar,
        "use": _use,
        "incidents": _incidents,
        "access": _access,
    }
    reference = f" Reference of the service: {part.reference}." if part.reference else ""
    blocks = (*made[part.id](at), *map(Box, part.box))
    return Part(part.id, part.title, blocks, f"Offered for: {part.domain}.{reference}")


def _protocol(at: Moment) -> list[Block]:
    approved, content = at.instance.approvals, at.instance.content
    proforma = at.instance.library.current.proforma
    versions = {f"proforma {proforma.id}": proforma.version}
    versions |= {f"leaflet {item.id} {item.language}": item.version for item in content.leaflets.values()}
    rows = []
    for what, digest in at.instance.in_use().items():
        one = approved.get(digest)
        by = f"{one.name}, {one.post}" if one else "not approved here: draft"
        rows.append((what, versions.get(what, ""), digest[:16], by, uk_date(local_time(one.at).date()) if one else ""))
    widths = (2.0, 1, 1.5, 2, 1.2)
    return [
        Words(
            "What clinicians are shown and what employees are handed, in the versions in use, with the named approver."
        ),
        Table("In use", ("What", "Version", "Digest", "Approved by", "Approved on"), tuple(rows), (), widths),
    ]


def _whole_report(at: Moment) -> list[Block]:
    blocks: list[Block] = [Words(caveat) for caveat in at.map.report.caveats]
    for title, make in list(_report_parts(at))[:-1]:
        blocks += [Words(title, strong=True), *make()]
    return blocks


def _closed_loop(at: Moment) -> list[Block]:
    closed = [p for p in planning.plan(at.instance, at.conn, None, leaves=at.leaves) if p.action.state == "closed"]
    rows = tuple((p.measure, f"{p.round}, {p.site}: {p.gap_said}", p.what, p.reaudit_said) for p in closed)
    head = ("Measure", "Before", "What was done", "After re-audit")
    return [Table("Gaps that were looked at again after something was done", head, rows, (), (1.5, 2, 2.5, 2))]


def _calendar(at: Moment) -> list[Block]:
    today = at.instance.today().isoformat()
    known = sorted(standing(at.conn), key=lambda one: one.start)
    rows = []
    for one in known:
        n = len(at._sample_of(one).taken)
        state = "planned" if one.start > today else "under way" if one.end >= today else "complete"
        size = "" if state == "planned" else TOO_FEW if n < LEAVES_FROM else str(n)
        rows.append((one.name, uk_date(one.start), uk_date(one.end), MODES[one.capture], state, size))
    years = Counter(one.start[:4] for one in known)
    said = "; ".join(f"{year}: {n}" for year, n in sorted(years.items()))
    head = ("Round", "First day", "Last day", "Cases from", "State", "Cases in the sample")
    return [Table("Rounds of this audit", head, tuple(rows)), Words(f"Rounds begun in each calendar year: {said}.")]


def _use(at: Moment) -> list[Block]:
    start, end = at.round.start, at.round.end
    active = Counter(person.role for person in people.people(at.conn) if person.active)
    roles = tuple((label, count_of_people(active[role])) for role, label in ROLES.items())
    signed = list(capture.signed(at.conn, start, end, ""))
    users = len({one.clinician for one in signed})
    return [
        Table("People who may sign in now, by role", ("Role", "People"), roles, ("1 to 4 people are not told apart.",)),
        Words(
            f"In the period, {count_of_people(users)} clinicians signed "
            f"{count_of_people(len(signed))} consultations held in this tool."
        ),
        Words("The tool keeps no record of training; it is entered below by hand."),
    ]


def _incidents(at: Moment) -> list[Block]:
    colleagues = people.people(at.conn)
    rows = tuple(
        (uk_date(one.happened_on), *(planning.without_names(text, colleagues) for text in _told(one)))
        for one in incidents.newest_first(at.conn)
    )
    head = ("Day", "What happened", "What came of it", "What was done")
    return [Table("Everything that was noted as having gone wrong with the tool", head, rows, (), (1, 3, 2, 2))]


def _told(one: incidents.Incident) -> tuple[str, str, str]:
    return one.what, one.effect, one.done or "nothing yet"


def _access(at: Moment) -> list[Block]:
    start, end = at.round.start, at.round.end
    kinds = ledger.counted(at.conn, start, end)
    by_mode = quality.by_mode(at.conn, at.instance.provider, start, end)
    held = tuple((MODES[mode][:1].upper() + MODES[mode][1:], count_of_people(n)) for mode, n in by_mode.items())
    events = tuple((words, count_of_people(kinds.get(kind, 0))) for kind, words in EVENTS.items())
    notes = ("Every step is kept for ever and chained to the one before; 1 to 4 are not told apart.",)
    return [
        Table("Cases of the period by way of capture, never pooled", ("Captured", "Cases"), held),
        Table("What happened to records in the period", ("", "Times"), events, notes, (4, 1)),
    ]


# ---------------------------------------------------------------- appraisal and revalidation


def cpd(instance: Instance, conn: Connection, person: Person, of: Round | None = None) -> Made:
    """A clinician's own figures with the form of the profession: own cases only, and boxes that stay empty.

    `of` is a live round; without it the newest live round that has begun. EvidenceRefused where there is none.
    """
    if person.role not in CLINICIANS:
        raise EvidenceRefused("Only a nurse, doctor or physiotherapist has own cases; choose a clinician.")
    live = [one for one in standing(conn) if one.capture == "live" and one.start <= instance.today().isoformat()]
    chosen = of or next(iter(live), None)
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
    paper = Paper("cpd", form.title, about, stamp, titles, bool(instance.unapproved()))
    return Made(paper, _cpd_parts(at, person, mine, form))


def _cpd_parts(at: Moment, person: Person, mine: Results, form: evidence.Form) -> Iterator[Part]:
    yield Part("own", "Own figures", tuple(_own_blocks(at, person, mine)))
    yield Part("definitions", "Definitions", tuple(_definitions_part(at)))
    yield Part("reflection", "Reflection", tuple(map(Box, form.boxes)))


def _own_blocks(at: Moment, person: Person, mine: Results) -> Iterator[Block]:
    before = at.count(own.own(at.conn, at._sample_of(at.before).selection, person.id)) if at.before else None
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
        *at.map.report.caveats,
    )
    yield Table("Own cases first, then what they stand beside", head, rows, notes, (3.0, *(1.0 for _ in head[1:])))


def _own_row(at: Moment, id_: str, mine: Results, before: Results | None, whole: Results | None) -> tuple[str, ...]:
    result, service = mine.measures[id_], whole.measures[id_] if whole else None
    known = at.instance.measures.by_id[id_]
    enough = leaving.leaves(result)
    counts = [figures.recorded(result), _rate(result)] if enough else [audit_report.TOO_FEW, ""]
    cells = [known.title, str(result.applicable) if enough else f"n = {result.applicable}", *counts]
    if at.before and before:
        then = before.measures[id_]
        said = figures.whole_rate(then) if leaving.leaves(then) else f"n = {then.applicable}, too few to compare"
        cells += [said, audit_report.change(then, result)]
    cells.append(figures.whole_rate(service) if service and leaving.leaves(service) else "not given")
    held = at.instance.benchmarks
    return (*cells, *(held.percent(id_, year) for year in held.years))


def _rate(result: Result) -> str:
    return f"{figures.rate(result)} ({figures.interval(result)})"


# ---------------------------------------------------------------- MoHaWK


def mohawk_sheet(at: Moment) -> Sheet:
    """Indicators in the shape of MoHaWK as they may leave: the whole service, and denominators of 10 or more."""
    found = at.basis.found
    period = f"{at.round.start}/{at.round.end}"
    rows = [
        [period, at.instance.provider, id_, at.instance.measures.version, result.met, result.applicable, None, None]
        for id_, result in leaving.of_results(found).items()
    ]
    return Sheet("Indicators", MOHAWK, rows)


def mohawk(instance: Instance, conn: Connection, of: Round) -> Made:
    """The MoHaWK figures of a round as a paper; its CSV is `mohawk_sheet`."""
    at = Moment(instance, conn, of, leaves=True)
    sheet = mohawk_sheet(at)
    rows = tuple(
        (instance.measures.by_id[str(row[2])].title, str(row[2]), str(row[3]), str(row[4]), str(row[5]))
        for row in sheet.rows
    )
    head = ("Indicator", "Id", "Definition version", "Numerator", "Denominator")
    notes = (
        "Numerator: met. Denominator: met and not met. What was excluded or is missing is counted in the service only.",
    )
    titles = ("Indicators", "Definitions")
    about = (f"The whole service, {MODES[of.capture]}. Indicators with a denominator of {LEAVES_FROM} or more.",)
    paper = _paper(at, "mohawk", f"MoHaWK figures: {of.name}", about, titles)
    parts = (
        Part("indicators", "Indicators", (Table("", head, rows, notes, (3, 2, 1, 1, 1)),)),
        Part("definitions", "Definitions", tuple(_definitions_part(at))),
    )
    return Made(paper, iter(parts))
