"""A clinician's own figures hold the cases that they signed or entered, also where somebody else changed them later."""

import pages
from visiting import CASE, Service

from consult import erasing
from consult.audit import quality
from consult.proforma.answer import Answer
from consult.record.ledger import steps

YEAR = ("DEMO", "2025-01-01", "2027-12-31")


def by_mode(service: Service, role: str) -> dict[str, int]:
    return quality.by_mode(service.instance.db.read(), *YEAR, service.who[role].actor)


def test_a_case_from_notes_is_of_whoever_entered_it(service: Service) -> None:
    nurse, doctor = service.visitor("nurse"), service.visitor("doctor")
    begun = nurse.post("/entry", {"wanted": "40"}).headers["Location"]
    nurse.post(begun, {**CASE, "f.case_ref": "R-1", "f.sex": "female", "act": "next"})
    assert (by_mode(service, "nurse"), by_mode(service, "doctor")) == ({"retrospective": 1}, {})
    path = "/entry/edit/DEMO/retrospective/R-1"
    seen = pages.value_of(doctor.get(path), "seen")
    assert doctor.post(path, {**CASE, "f.sex": "male", "reason": "Misread", "seen": seen}).status_code == 302
    assert (by_mode(service, "nurse"), by_mode(service, "doctor")) == ({"retrospective": 1}, {})


def test_a_case_stays_of_whoever_signed_it_once_the_employee_is_erased(service: Service) -> None:
    id_ = service.signed(
        back_pain_reason=Answer("answered", "main"), visit_and_episode=Answer("answered", "first_ever_episode")
    )
    assert by_mode(service, "nurse") == {"live": 1}
    employee, here = service.consultation(id_).started["employee"], service.instance
    with here.db.write() as conn:
        words = [step for step in steps(conn, consultation=id_) if step.kind == "consultation_signed"]
        dataset, at = here.library.current.dataset, here.store.at()
        erasing.take_out(conn, dataset, employee, "The employee asked", words, "cli:test", at)
    assert by_mode(service, "nurse") == {"live": 1}
