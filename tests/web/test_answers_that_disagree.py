"""Two answers that do not agree: pointed out at both questions once they are given, and again before signing."""

from __future__ import annotations

import pytest
from lxml import html
from visiting import Service, Visitor

SAID = "These answers do not agree"
ORDERS = (
    ({"a.pain_sites": "mid_or_upper_back"}, {"a.upper_back_pain": "absent"}),
    ({"a.upper_back_pain": "absent"}, {"a.pain_sites": "mid_or_upper_back"}),
)


def below(page: str, question: str) -> str:
    """What stands below the answer of a question, on the page or in a reply."""
    found = html.fromstring(f"<div>{page}</div>").xpath(f'//*[@id="panel-{question}"]')
    return " ".join(found[0].text_content().split()) if found else ""


@pytest.mark.parametrize("order", ORDERS)
def test_it_is_said_at_both_questions_whichever_was_answered_last(
    service: Service, nurse: Visitor, order: tuple[dict[str, str], ...]
) -> None:
    talk = service.begin()
    nurse.save(talk, order[0])
    assert SAID not in nurse.ask(f"/consultations/{talk}").text
    reply = nurse.save(talk, order[1], htmx=True).text
    page = nurse.ask(f"/consultations/{talk}").text
    for question, other in (("pain_sites", "upper_back_pain"), ("upper_back_pain", "pain_sites")):
        for shown in (below(reply, question), below(page, question)):
            assert SAID in shown
            assert "Symptoms: where is it: Middle or upper back." in shown
            assert "Pain in the upper or middle back: No." in shown
        assert f'href="#q-{other}"' in reply


def test_it_goes_from_both_when_one_is_changed(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    nurse.save(talk, ORDERS[0][0] | ORDERS[0][1])
    known = str(service.consultation(talk).seen("upper_back_pain"))
    sent = {"a.upper_back_pain": "present", "seen.upper_back_pain": known}
    reply = nurse.post(f"/consultations/{talk}/answers", sent, htmx=True).text
    assert 'id="panel-pain_sites"' in reply
    assert SAID not in reply
    assert SAID not in nurse.ask(f"/consultations/{talk}").text


def test_it_is_read_before_signing_with_a_way_to_each(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    assert SAID not in nurse.ask(f"/consultations/{talk}/sign").text
    nurse.save(talk, ORDERS[0][0] | ORDERS[0][1])
    page = nurse.ask(f"/consultations/{talk}/sign").text
    assert SAID in page
    for question in ("pain_sites", "upper_back_pain"):
        assert f'href="/consultations/{talk}?whole=yes#q-{question}"' in page
    letter = nurse.ask(f"/consultations/{talk}/letter").text
    assert SAID in letter
    assert "Pain in the upper or middle back: No." in letter


FIT = {
    "a.report_consent": "given",
    "a.fitness_for_work": "fit",
    "a.adjustment_types": "phased_return",
    "a.leg_symptoms": "pain",
    "a.neuro_examination": "not_done_no_leg_symptoms",
}


def test_the_page_of_the_report_says_what_of_it_does_not_agree_and_leads_there(
    service: Service, nurse: Visitor
) -> None:
    talk = service.begin()
    nurse.save(talk, {"a.report_consent": "given"})
    nurse.save(talk, FIT)
    page = nurse.ask(f"/consultations/{talk}/report").text
    assert "fit for usual work, and advise adjustments" in page
    assert f'href="/consultations/{talk}?whole=yes#q-fitness_for_work"' in page
    assert "for want of leg symptoms" not in page
    letter = nurse.ask(f"/consultations/{talk}/letter").text
    assert "for want of leg symptoms" in letter
    assert "fit for usual work" not in letter
    nurse.save(talk, {"a.fitness_for_work": "fit_with_changes"})
    assert "do not agree" not in nurse.ask(f"/consultations/{talk}/report").text
