"""Something that is there for each part of every address, so that a test can open them all."""

from __future__ import annotations

from visiting import Service, Visitor
from werkzeug.routing import Rule

from consult.proforma.answer import Answer
from consult.record import incidents


def values_of(shared: Service) -> dict[str, str]:
    """A consultation, a case, a round and all else that an address may name."""
    return audit_values(shared) | {
        "consultation_id": shared.begin(),
        "employee_id": shared.employee("Somebody Else", number="9"),
        "block_id": "rest_of_red_flags",
        "section_id": "red_flags",
        "question_id": "cord_signs",
        "leaflet_id": "back-pain-core",
        "short": shared.instance.leaflets["back-pain-core", "en"].digest[:20],
        "step": "1",
        "done": "discussed",
        "act": "choose_look",
        "event": "agreed",
        "measure_id": "red_flags_screened",
        "provider": "DEMO",
        "mode": "live",
        "case_ref": shared.signed(back_pain_reason=Answer("answered", "main")),
        "code": "A",
        "filename": "consult.css",
        "file_name": "results.csv",
        "cases_name": "cases.csv",
        "digest": shared.instance.library.current.digest,
        "person_id": shared.newcomer(),
    }


def audit_values(shared: Service) -> dict[str, str]:
    """A round that was made, a sitting of the nurse, and an unfinished case of it."""
    lead, nurse = shared.visitor("audit_lead"), shared.visitor("nurse")
    made = {"name": "Table", "capture": "live", "start": "2026-01-01", "end": "2026-12-31", "rule": "all", "n": "40"}
    round_ = lead.post("/rounds/new", made).headers["Location"].rpartition("/")[2]
    sitting = nurse.post("/entry", {"wanted": "40"}).headers["Location"].split("/")[2]
    return {
        "round_id": round_,
        "sitting_id": sitting,
        "draft_id": "11111111-1111-4111-8111-111111111111",
        "field": "sex",
        "site": "A",
        "year": "2026",
        **_planned(lead, round_),
        "pack": "seqohs",
        "slides_name": "slides.pptx",
    }


def _planned(lead: Visitor, round_id: str) -> dict[str, str]:
    """An action about the round, and an incident of the tool."""
    gap = {"measure": "red_flags_screened", "round": round_id, "post": "Lead nurse", "due": "2026-12-31"}
    texts = {"cause": "No place on the form", "what": "A line on the form", "evidence": "A look at 20"}
    action = lead.post("/actions/new", gap | texts).headers["Location"].rpartition("/")[2]
    lead.post("/incidents", {"happened_on": "2026-01-02", "what": "It was away", "effect": "Nothing"})
    incident = next(iter(incidents.incidents(lead.service.instance.db.read())))
    return {"action_id": action, "incident_id": incident}


def rules(service: Service) -> list[Rule]:
    return list(service.app.url_map.iter_rules())


def address(service: Service, rule: Rule, values: dict[str, str]) -> str:
    places = service.app.url_map.bind("localhost")
    return places.build(rule.endpoint, {name: values[name] for name in rule.arguments})


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})
