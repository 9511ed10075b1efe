"""What the open page says of when something was done: with its day, where that is not the day on which it began.

Pieces of the page are kept by their look, so the day of one consultation must never stand in another.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from visiting import Service

from consult.documents.words import when
from consult.web import drawing

AGREED = {
    "a.report_consent": "given",
    "a.report_copy_choice": "no_copy",
    "a.stay_or_return_advice": "given",
}


@pytest.fixture
def resumed(service: Service) -> str:
    """A consultation that is taken up again on the day after it was begun; nothing of it was drawn before."""
    drawing.forget()
    id_ = service.begin()
    service.clock.ahead += timedelta(days=1)
    return id_


def test_an_answer_is_told_with_its_day_and_in_no_other_consultation(service: Service, resumed: str) -> None:
    nurse = service.visitor("nurse")
    told = [nurse.save(id_, {"a.low_mood": "absent"}, htmx=True).text for id_ in (resumed, service.begin())]
    last = service.consultation(resumed).last("low_mood")
    assert last is not None
    first, second = (re.findall(r">(Saved [^<,]+)", reply) for reply in told)
    assert first == [f"Saved {when(last.at)}"]
    assert re.fullmatch(r"Saved \d\d:\d\d", *second)


def test_a_report_is_told_with_its_day_and_in_no_other_consultation(service: Service, resumed: str) -> None:
    nurse, said = service.visitor("nurse"), list[str]()
    for id_ in (resumed, service.begin()):
        nurse.save(id_, AGREED)
        assert nurse.post(f"/consultations/{id_}/report", {"kind": "manager", "act": "final"}).status_code == 302
        reply = nurse.save(id_, {"a.low_mood": "absent"}, htmx=True).text
        said += re.findall(r"Final since ([^<]+)<", reply)
    report = service.consultation(resumed).report
    assert report is not None
    assert said[0] == when(report["at"])
    assert re.fullmatch(r"\d\d:\d\d", said[1])


def test_a_decision_that_fell_is_told_with_the_day_on_which_it_was_made(service: Service, resumed: str) -> None:
    nurse = service.visitor("nurse")
    nurse.save(resumed, {"a.saddle_feeling_change": "present"})
    decided = {"question": "saddle_feeling_change", "decision": "same_day_emergency", "reason": "Rang", "told": ""}
    assert nurse.decide(resumed, decided | {"key": "the-key-of-a-decision"}).status_code == 302
    made = service.consultation(resumed).decisions["saddle_feeling_change"]
    page = nurse.save(resumed, {"a.saddle_feeling_change": "unsure"}, htmx=True).text
    assert "Earlier decision" in page
    assert f"Recorded {when(made.at)}." in page


def test_of_several_givings_each_button_that_takes_one_back_names_its_day(service: Service, resumed: str) -> None:
    nurse = service.visitor("nurse")
    given = {"format": "a4", "language": "en", "form": "printed"}
    for number in range(2):
        sent = given | {"key": f"the-key-of-leaflet-{number}"}
        nurse.post(f"/consultations/{resumed}/leaflets/back-pain-core/given", sent)
    steps = [step for step in service.consultation(resumed).documents if step.kind == "leaflet_given"]
    page = nurse.client.get(f"/consultations/{resumed}").text
    assert len(steps) == 2
    assert all(f"on paper, {when(step.at)})" in page for step in steps)


def test_what_another_window_decided_is_told_with_its_day(service: Service, resumed: str) -> None:
    nurse = service.visitor("nurse")
    nurse.save(resumed, {"a.saddle_feeling_change": "present"})
    decided = {"question": "saddle_feeling_change", "decision": "same_day_emergency", "reason": "Rang", "told": ""}
    stale = {"shown.saddle_feeling_change": "as no page shows it", "key": "the-key-of-another-window"}
    assert nurse.decide(resumed, decided | {"key": "the-key-of-a-decision"}).status_code == 302
    made = service.consultation(resumed).decisions["saddle_feeling_change"]
    reply = nurse.decide(resumed, decided | stale)
    assert reply.status_code == 422
    assert f"In another window, on {when(made.at)}, the decision became" in reply.text
