"""The SEQOHS pack of a round: every part of the mapping, as it may leave the provider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from msgspec import Struct

from consult import planning
from consult.accounts import people
from consult.accounts.people import ROLES
from consult.accounts.without_names import without_names
from consult.audit import quality
from consult.audit.rounds import MODES, Round, standing
from consult.audit.suppression import LEAVES_FROM, count_of_people, withheld_together
from consult.documents import evidence
from consult.documents.audit_report import WITHHELD
from consult.documents.evidence import Block, Box, Part, Table, Words
from consult.documents.words import uk_date
from consult.evidence.moment import TOO_FEW, Made, Moment, paper_of
from consult.evidence.report import parts, plan_table
from consult.instance import Instance
from consult.proforma.wording import beginning
from consult.record import incidents, ledger
from consult.record.capture import Captured
from consult.record.database import Connection
from consult.record.timekeeping import between

EVENTS: Final = {
    "consultation_viewed": "A consultation was opened by the clinician who holds it (once a visit)",
    "employee_viewed": "The page of an employee was opened (once a visit)",
    "employee_listed": "A search or a list showed somebody who an employee is (once a visit)",
    "paper_viewed": "A note, letter, report or list of steps was opened (once a visit)",
    "access_reasoned": "A clinician of another site opened a record, with a reason",
    "consultation_taken_over": "A consultation was taken over by a colleague, with a reason",
    "consultation_handed_over": "An administrator handed a consultation over to another clinician",
    "addendum_added": "An addendum was added to a signed consultation",
    "entered_in_error": "A consultation was marked as entered in error",
    "case_edited": "A case from notes was edited, with a reason",
    "case_in_error": "A case from notes was taken out as entered in error, with a reason",
    "report_released": "A report to a manager was released",
    "content_redacted": "A text was redacted, with a reason",
    "database_restored": "The record was restored from a backup",
}


GONE_TOGETHER: Final = (
    "Withheld: a count of 1 to 4 in this table or in the other one of the same consultations, and further counts in "
    "both, so that none can be had from the total."
)
FROM_NOTES: Final = "retrospective"
"""The way of capture that is no consultation held in the tool."""


def seqohs(instance: Instance, conn: Connection, of: Round) -> Made:
    """The SEQOHS pack of a round: every part of the mapping, as it may leave the provider."""
    at = Moment(instance, conn, of, leaves=True)
    chosen = at.map
    titles = tuple(part.title for part in chosen.parts)
    routine = "the demonstration" if instance.demonstration else "routine consultations"
    about = (
        f"Evidence of {instance.provider} for: {chosen.standards.name}. {chosen.standards.note}",
        f"Made from the record of {routine}. Mapping version {chosen.version}.",
    )
    paper = paper_of(at, "seqohs", f"Evidence pack: {chosen.standards.name}", about, titles)
    return Made(paper, (_seqohs_part(at, part) for part in chosen.parts))


def _seqohs_part(at: Moment, part: evidence.MappedPart) -> Part:
    made: dict[str, Callable[[Moment], list[Block]]] = {
        "protocol": _protocol,
        "audit_report": _whole_report,
        "action_plan": lambda at: [plan_table(at)],
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
        rows.append((what, versions.get(what, ""), digest[:16], by, uk_date(one.at) if one else ""))
    widths = (2.0, 1, 1.5, 2, 1.2)
    return [
        Words(
            "What clinicians are shown and what employees are handed, in the versions in use, with the named approver."
        ),
        Table("In use", ("What", "Version", "Digest", "Approved by", "Approved on"), tuple(rows), (), widths),
    ]


def _whole_report(at: Moment) -> list[Block]:
    blocks: list[Block] = [Words(caveat) for caveat in at.map.report.caveats]
    for title, make in list(parts(at))[:-1]:
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
        n = len(at.sample_of(one).taken)
        state = "planned" if one.start > today else "under way" if one.end >= today else "complete"
        size = "" if state == "planned" else TOO_FEW if n < LEAVES_FROM else str(n)
        rows.append((one.name, uk_date(one.start), uk_date(one.end), MODES[one.capture], state, size))
    years = Counter(one.start[:4] for one in known)
    said = "; ".join(f"{year}: {n}" for year, n in sorted(years.items()))
    head = ("Round", "First day", "Last day", "Cases from", "State", "Cases in the sample")
    return [Table("Rounds of this audit", head, tuple(rows)), Words(f"Rounds begun in each calendar year: {said}.")]


class _Held(Struct, frozen=True):
    """The consultations of the period by role, and the cases by way of capture, as they may be told; none of 0."""

    by_role: dict[str, str]
    by_mode: dict[str, str]

    @property
    def notes(self) -> tuple[str, ...]:
        """What stands below a table of them."""
        return (GONE_TOGETHER,) if WITHHELD in self.by_role.values() else ()


def _held(at: Moment) -> _Held:
    """Live and paper cases are the consultations of all roles: either table gives the total of the other."""
    roles = {one.id: one.role for one in people.people(at.conn)}
    by_role = Counter(roles[one.clinician] for one in _in_period(at))
    counted = quality.by_mode(at.conn, at.instance.provider, at.round.start, at.round.end)
    by_mode = {mode: n for mode, n in counted.items() if mode != FROM_NOTES}
    gone = withheld_together([*by_role.values()], [*by_mode.values()])
    said = {mode: count_of_people(n) for mode, n in counted.items()}
    return _Held(_shown(by_role, gone[0]), said | _shown(by_mode, gone[1]))


def _shown(counts: Mapping[str, int], gone: frozenset[int]) -> dict[str, str]:
    return {name: WITHHELD if place in gone else str(n) for place, (name, n) in enumerate(counts.items())}


def _in_period(at: Moment) -> list[Captured]:
    return [one for one in at.signed_ever if at.round.start <= one.held_on <= at.round.end]


def _use(at: Moment) -> list[Block]:
    held = _held(at)
    rows = tuple(_of_role(at, role, held.by_role.get(role, "0")) for role in ROLES)
    notes = (*USE_NOTES, *held.notes)
    return [
        Table("Who uses the tool, by role", USE_HEAD, rows, notes, USE_WIDTHS),
        Words(
            "The tool knows of training what an administrator entered as a day for each person. What was taught, by "
            "whom, and any training that was not entered, is filled in below by hand."
        ),
    ]


USE_HEAD: Final = (
    "Role",
    "May sign in",
    "Signed in this period",
    "Consultations",
    "First use",
    "Last use",
    "Training day entered for",
    "Latest training",
)
USE_WIDTHS: Final = (2.0, 1, 1, 1, 1.2, 1.2, 1, 1.2)
USE_NOTES: Final = (
    "May sign in, and training: people as they are at this moment.",
    "Signed: people who signed a consultation held in the period, and how many of those.",
    "First and last use: months of the first and last signed consultation of the role.",
    "1 to 4 are not told apart; nobody is named.",
)


def _of_role(at: Moment, role: str, consultations: str) -> tuple[str, ...]:
    known = people.people(at.conn)
    active = [one.id for one in known if one.role == role and one.active]
    ids = {one.id for one in known if one.role == role}
    held = [one for one in at.signed_ever if one.clinician in ids]
    now = {one.clinician for one in _in_period(at)} & ids
    days, trained = [one.held_on for one in held], people.trained(at.conn)
    taught = [trained[id_] for id_ in active if id_ in trained]
    return (
        ROLES[role],
        count_of_people(len(active)),
        count_of_people(len(now)),
        consultations,
        _month(min(days, default="")),
        _month(max(days, default="")),
        count_of_people(len(taught)),
        _month(max(taught, default="")),
    )


def _month(day: str) -> str:
    """The month of a date: of a date that leaves the provider no more is said."""
    return f"{date.fromisoformat(day):%B %Y}" if day else "none"


def _incidents(at: Moment) -> list[Block]:
    colleagues = people.people(at.conn)
    rows = tuple(
        (uk_date(one.happened_on), *(without_names(text, colleagues) for text in _told(one)))
        for one in incidents.newest_first(at.conn)
    )
    head = ("Day", "What happened", "What came of it", "What was done")
    return [Table("Everything that was noted as having gone wrong with the tool", head, rows, (), (1, 3, 2, 2))]


def _told(one: incidents.Incident) -> tuple[str, str, str]:
    return one.what, one.effect, one.done or "nothing yet"


def _access(at: Moment) -> list[Block]:
    kinds, held = ledger.counted(at.conn, *between(at.round.start, at.round.end)), _held(at)
    cases = tuple((beginning(MODES[mode]), said) for mode, said in held.by_mode.items())
    events = tuple((words, count_of_people(kinds.get(kind, 0))) for kind, words in EVENTS.items())
    notes = ("Every step is kept for ever and chained to the one before; 1 to 4 are not told apart.",)
    return [
        Table("Cases of the period by way of capture, never pooled", ("Captured", "Cases"), cases, held.notes),
        Table("What happened to records in the period", ("", "Times"), events, notes, (4, 1)),
    ]
