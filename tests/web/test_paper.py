"""A consultation held on paper: entered with its reference and its true time, once, and never as a live one."""

from __future__ import annotations

import time
from datetime import timedelta

import pages
import pytest
from visiting import Service, Visitor

from consult.record.ledger import Refused
from consult.record.reference import new_reference, read_reference


def sent(service: Service, **more: str) -> dict[str, str]:
    held = service.clock().astimezone() - timedelta(days=2)
    reference = new_reference(service.instance.library.current.digest)
    given = {"paper": reference, "date": f"{held:%Y-%m-%d}", "time": "10:42", "attendance": "in_person"}
    return {"employee": service.employee(), **given, **more}


def test_both_times_are_kept_and_the_same_paper_is_refused_twice(service: Service, nurse: Visitor) -> None:
    data = sent(service)
    location = nurse.post("/consultations/start-on-paper", data).headers["Location"]
    started = service.consultation(location.rpartition("/")[2]).started
    assert (started["capture_mode"], started["paper"], started["held_on"]) == ("paper", data["paper"], data["date"])
    page = pages.text(nurse.get(location))
    assert f"at 10:42 on paper {data['paper']}, entered" in page
    assert "I asked each of these" not in page
    again = nurse.post("/consultations/start-on-paper", data)
    assert again.status_code == 422
    assert "was entered already" in again.text


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"date": "2999-01-01"}, "lies in the future"),
        ({"date": ""}, "Enter the date"),
        ({"paper": "AAAA"}, "no reference of a paper form"),
        ({"attendance": ""}, "how the employee was seen"),
    ],
)
def test_what_is_not_right_is_said(service: Service, nurse: Visitor, wrong: dict[str, str], says: str) -> None:
    reply = nurse.post("/consultations/start-on-paper", sent(service, **wrong))
    assert reply.status_code == 422
    assert says in reply.text


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_refused_in_every_zone(
    service: Service, nurse: Visitor, monkeypatch: pytest.MonkeyPatch, zone: str, day: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert nurse.post("/consultations/start-on-paper", sent(service, date=day, time="00:01")).status_code == 422
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_mistyped_letter_of_a_reference_is_found() -> None:
    reference = new_reference("0123abcd")
    assert read_reference(reference.lower().replace("-", " ")).text == reference
    with pytest.raises(Refused):
        read_reference(("3" if reference[0] == "2" else "2") + reference[1:])


def test_every_question_stands_on_the_form(service: Service, nurse: Visitor) -> None:
    digest = service.instance.library.current.digest
    text = nurse.client.get(f"/paper/{digest}?copies=2").text
    said = pages.text(pages.parse(text))
    proforma = service.instance.library.current.proforma
    assert not [q.id for q in proforma.questions if not q.retired and " ".join(q.ask.split()) not in said]
    assert said.count("Case reference of this paper") == 2
