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


def test_a_further_answer_is_said_at_the_other_question_too(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    nurse.save(talk, ORDERS[0][0] | ORDERS[0][1])
    reply = nurse.save(talk, {"a.pain_sites": ["low_back", "mid_or_upper_back"]}, htmx=True).text
    assert "Symptoms: where is it: Low back; Middle or upper back." in below(reply, "upper_back_pain")


def test_no_action_and_a_decision_on_one_is_said_at_both_until_one_is_changed(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    nurse.save(talk, {"a.saddle_feeling_change": "present", "a.bladder_emptying_change": "present"})
    nurse.save(talk, {"a.red_flag_action": "none"})
    sent = {"question": "saddle_feeling_change", "decision": "gp_letter", "reason": "Written today", "key": "first"}
    assert SAID not in nurse.ask(f"/consultations/{talk}").text
    assert nurse.decide(talk, sent).status_code == 302
    page = nurse.ask(f"/consultations/{talk}").text
    for question, other in (("red_flag_action", "saddle_feeling_change"), ("saddle_feeling_change", "red_flag_action")):
        shown = below(page, question)
        assert SAID in shown
        assert "What was done about it: No action." in shown
        assert "Decision on Any numbness or altered feeling between the legs" in shown
        assert ": Letter to the GP." in shown
        assert f'<a href="#q-{other}">' in page
    assert SAID not in below(page, "bladder_emptying_change")
    before_signing = nurse.ask(f"/consultations/{talk}/sign").text
    for question in ("red_flag_action", "saddle_feeling_change"):
        assert f'href="/consultations/{talk}?whole=yes#q-{question}">Go to' in before_signing
    assert "What was done about it: No action." in nurse.ask(f"/consultations/{talk}/letter").text
    reply = nurse.save(talk, {"a.saddle_feeling_change": "unsure"}, htmx=True).text
    assert 'id="panel-red_flag_action"' in reply
    assert SAID not in reply
    assert SAID not in nurse.ask(f"/consultations/{talk}").text


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
