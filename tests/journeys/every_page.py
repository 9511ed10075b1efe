"""Every kind of page, by a name and with the role that opens it, and what must be there to fill each of them."""

from __future__ import annotations

from service import Service

from consult.audit import actions, cases, reliability, rounds, sampling
from consult.documents import signing
from consult.exchange import entry, in_error
from consult.exchange.intake import Import
from consult.proforma.answer import Answer
from consult.proforma.path import blank_emergencies
from consult.record import incidents
from consult.record.database import Connection
from consult.record.store import Who


def make(service: Service) -> dict[str, str]:
    """Consultations in the states that pages show: just begun, with a red flag, and signed."""
    store, who = service.instance.store, service.who("nurse")
    begun, urgent, signed = (service.begin() for _ in range(3))
    proforma = store.library.current.proforma
    for consultation in (urgent, signed):
        state = "present" if consultation == urgent else "absent"
        for question in ("saddle_feeling_change", "cord_signs"):
            key = f"{consultation}:{question}"
            store.save(consultation, proforma.by_id[question], Answer(state), 0, key, "single", who)
    consultation = store.consultation(signed)
    assert consultation is not None
    blank = [q.id for q in blank_emergencies(store.path_of(consultation))]
    reason = {"reason": "out_of_time", "text": "", "questions": blank}
    store.note(signed, "blank_emergencies_explained", reason, "reason", who)
    signing.sign(store, signed, who, False, "sign")
    employee = store.consultation(urgent)
    assert employee is not None
    seen = {"begun": begun, "urgent": urgent, "signed": signed, "employee": employee.started["employee"]}
    known = {"nurse": who.actor, "digest": service.instance.library.current.digest, **seen}
    return known | audit_ids(service)


def audit_ids(service: Service) -> dict[str, str]:
    """A round of cases from notes, some read again with disputes, one taken out; a sitting; an addressed year."""
    store, dataset = service.instance.store, service.instance.library.current.dataset
    nurse, doctor, lead = service.who("nurse"), service.who("doctor"), service.who("audit_lead")
    by = (lead.actor, lead.role)
    fields = dict.fromkeys(dataset.by_name, "") | {"site": "A", "clinician_role": "nurse", "sex": "female"}
    fields |= {"back_pain_reason": "main", "first_consultation": "yes", "episode_gap": "none_ever"}
    with store.db.write() as conn:
        at, enterer = store.at(), Who(nurse.actor, nurse.role)
        rules = Import("DEMO", service.instance.today(), nurse.actor, at)
        id_ = entry.begin(conn, 40, enterer, at, "sitting-of-this-test")
        for n in range(6):
            typed = fields | {"case_ref": f"R-{n}", "consultation_date": f"2026-03-0{n + 1}"}
            about = (entry.sittings(conn)[id_], f"draft-{n}")
            entry.enter(conn, dataset, typed, about, rules, {"A"}, enterer, f"entered-{n}")
        wanted = rounds.Wanted("Round", "DEMO", "retrospective", "2026-01-01", "2026-12-31", n=6)
        round_ = rounds.set_round(conn, wanted, by, at, "round-of-this-test")
        sample = sampling.sample(conn, service.instance.measures, dataset, rounds.rounds(conn)[round_])
        rounds.exclude(conn, round_, sample.taken[0].key, True, ("restricted", ""), by, at, "exclusion")
        reliability.draw(conn, round_, [c.key for c in sample.taken[1:]], "seed", by, at, "draw")
        draw = reliability.draws(conn)[round_]
        second = {"sex": "male", "clinician_role": "nurse"}
        for case in draw.cases[:2]:
            again = (doctor.actor, doctor.role)
            reliability.reenter(conn, draw, case.case, second, again, at, f"again-{case.case[2]}", set())
        gone = cases.read(conn, *draw.cases[2].case)
        assert gone is not None
        in_error.take_out(conn, gone, "Entered twice", enterer, at, "taken-out-of-this-test", gone.step)
    unread = draw.cases[4].case[2]
    with store.db.write() as conn:
        planned = {"action": planned_action(conn, round_, by, at), "incident": noted_incident(conn, by, service)}
    year = str(service.instance.today().year)
    made = {"round": round_, "sitting": id_, "unread": unread, "gone": gone.key[2], "year": year}
    return made | planned


def planned_action(conn: Connection, round_: str, by: tuple[str, str], at: str) -> str:
    """An action about a gap of the round."""
    gap = ("red_flags_screened", round_, "", "No place on the form", "A line on the form", "", "Lead nurse")
    wanted = actions.Wanted(*gap, due="2026-12-31", evidence="A look at 20")
    return actions.set_action(conn, wanted, by, at, "action-of-this-test")


def noted_incident(conn: Connection, by: tuple[str, str], service: Service) -> str:
    """An incident of the tool."""
    today, at = service.instance.today(), service.instance.store.at()
    said = incidents.Incident("", today.isoformat(), "It was away", "Nothing", "It came back")
    return incidents.note(conn, said, by, today, at, "incident-of-this-test")


PAGES = {
    "sign-in": ("", "/sign-in"),
    "home": ("nurse", "/"),
    "find": ("nurse", "/employees"),
    "who looked": ("nurse", "/employees/{employee}/looks"),
    "another site": ("nurse", "/employees/{employee}/reason"),
    "entered twice": ("nurse", "/employees/{employee}/merge"),
    "who looked at records": ("administrator", "/settings/looks"),
    "register": ("nurse", "/employees/new"),
    "employee": ("nurse", "/employees/{employee}"),
    "fresh consultation": ("nurse", "/consultations/{begun}"),
    "consultation with a U0 panel": ("nurse", "/consultations/{urgent}"),
    "why it is asked": ("nurse", "/consultations/{begun}/why/cord_signs"),
    "leaflet shown": ("nurse", "/consultations/{begun}/leaflets/back-pain-core/shown"),
    "tour": ("nurse", "/tour"),
    "sign": ("nurse", "/consultations/{urgent}/sign"),
    "signed": ("nurse", "/consultations/{signed}"),
    "addendum": ("nurse", "/consultations/{signed}/addendum"),
    "end without signing": ("nurse", "/consultations/{begun}/abandon"),
    "steps": ("nurse", "/consultations/{signed}/steps"),
    "letter": ("nurse", "/consultations/{urgent}/letter"),
    "report": ("nurse", "/consultations/{begun}/report"),
    "results": ("audit_lead", "/results"),
    "measure": ("audit_lead", "/results/measures/red_flags_screened"),
    "cases": ("audit_lead", "/results/measures/red_flags_screened/cases?outcome=excluded"),
    "case": ("audit_lead", "/results/cases/DEMO/live/{signed}"),
    "case taken out": ("audit_lead", "/results/cases/DEMO/retrospective/{gone}"),
    "rounds": ("audit_lead", "/rounds"),
    "new round": ("audit_lead", "/rounds/new"),
    "round": ("audit_lead", "/rounds/{round}"),
    "results of a round": ("audit_lead", "/rounds/{round}/results"),
    "case of a round": ("audit_lead", "/rounds/{round}/cases/DEMO/retrospective/R-0"),
    "second readings": ("doctor", "/rounds/{round}/readings"),
    "second reading": ("doctor", "/rounds/{round}/readings/DEMO/retrospective/{unread}"),
    "targets": ("audit_lead", "/rounds/targets"),
    "sample size": ("audit_lead", "/rounds/sample-size"),
    "baseline": ("nurse", "/entry"),
    "sitting": ("nurse", "/entry/{sitting}"),
    "case from notes": ("nurse", "/entry/{sitting}/cases/11111111-1111-4111-8111-111111111111"),
    "edit a case": ("nurse", "/entry/edit/DEMO/retrospective/R-1"),
    "capture quality": ("nurse", "/capture-quality"),
    "follow-up": ("nurse", "/follow-up"),
    "organisational section": ("audit_lead", "/organisation"),
    "organisational answers": ("audit_lead", "/organisation/A/{year}"),
    "settings": ("administrator", "/settings"),
    "people": ("administrator", "/settings/people"),
    "person": ("administrator", "/settings/people/{nurse}"),
    "account": ("nurse", "/account"),
    "proforma": ("administrator", "/settings/content"),
    "leaflets": ("nurse", "/leaflets"),
    "leaflet": ("nurse", "/leaflets/back-pain-core?format=a4"),
    "entered in error": ("nurse", "/consultations/{begun}/in-error"),
    "take over": ("doctor", "/consultations/{begun}/take-over"),
    "everything held": ("nurse", "/employees/{employee}/everything"),
    "evidence": ("audit_lead", "/evidence"),
    "evidence of a round": ("audit_lead", "/evidence/rounds/{round}/seqohs"),
    "report of a round": ("audit_lead", "/evidence/rounds/{round}/report"),
    "actions": ("audit_lead", "/actions"),
    "new action": ("audit_lead", "/actions/new?measure=red_flags_screened&round={round}"),
    "action": ("audit_lead", "/actions/{action}"),
    "change an action": ("audit_lead", "/actions/{action}/change"),
    "change a round": ("audit_lead", "/rounds/{round}/change"),
    "published figures": ("nurse", "/results/published"),
    "incidents": ("nurse", "/incidents"),
    "incident": ("administrator", "/incidents/{incident}"),
    "reading needs": ("administrator", "/reading-needs"),
    "employees entered twice": ("administrator", "/settings/entered-twice"),
    "security log": ("administrator", "/settings/security"),
    "forms on paper": ("nurse", "/paper"),
    "form on paper": ("nurse", "/paper/{digest}"),
    "not found": ("nurse", "/employees/nobody"),
}
