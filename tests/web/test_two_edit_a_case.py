"""Two people edit one case: what the first saved is not written over by the second, however often they press."""

import pages
import pytest
from visiting import CASE, Service

from consult.audit import cases

AT = "/entry/edit/DEMO/retrospective/R-1"


@pytest.fixture
def entered(service: Service) -> None:
    nurse = service.visitor("nurse")
    begun = nurse.post("/entry", {"wanted": "40"}).headers["Location"]
    assert nurse.post(begun, {**CASE, "f.case_ref": "R-1", "f.sex": "female", "act": "next"}).status_code == 302


def test_saving_again_writes_over_nobody(service: Service, entered: None) -> None:
    nurse, doctor = service.visitor("nurse"), service.visitor("doctor")
    page = nurse.get(AT)
    mine = {**CASE, "f.sex": "male", "seen": pages.value_of(page, "seen"), "reason": "Misread"}
    theirs = {**CASE, "f.sex": "female", "f.staff_group": "students", "seen": mine["seen"], "reason": "It was left out"}
    assert doctor.post(AT, theirs).status_code == 302
    for _ in range(3):
        refused = nurse.post(AT, mine)
        assert refused.status_code == 422
        mine["seen"] = pages.value_of(pages.parse(refused.text), "seen")
    now = cases.read(service.instance.db.read(), "DEMO", "retrospective", "R-1")
    assert now is not None
    assert (now.fields["sex"], now.fields["staff_group"]) == ("female", "students")
    again = pages.value_of(nurse.get(AT), "seen")
    assert nurse.post(AT, {**mine, "f.staff_group": "students", "seen": again}).status_code == 302


def test_asking_for_the_head_alone_changes_nothing(service: Service, entered: None) -> None:
    assert service.visitor("nurse").client.head(AT).status_code == 200
