"""What pages say of themselves: the reasons for which signing is held, that a text is draft, and sentences that end."""

from __future__ import annotations

import re
from pathlib import Path

import pages
import pytest
from lxml import html
from msgspec.structs import fields
from visiting import Service, Visitor

from consult.approving import approve_all, note_served
from consult.audit.measures import MeasureSet
from consult.proforma.answer import Answer
from consult.record.consultation import Gate
from consult.web import drawing
from consult.web.context import site_name

GUIDE = Path(__file__).parents[2] / "docs" / "clinicians.md"
REASONS = {
    "undecided": "an urgent answer without a decision",
    "blank": "an emergency question left blank without a reason",
    "no_longer": "a red-flag answer that was changed until you tick that this was on purpose",
}


def words(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def test_tour_and_guide_name_every_reason_for_which_signing_is_held(nurse: Visitor) -> None:
    assert [field.name for field in fields(Gate)] == list(REASONS)
    for text in (pages.text(nurse.get("/tour")), GUIDE.read_text("utf-8")):
        said = " ".join(text.split())
        assert "It is held for three reasons only:" in said
        assert [reason for reason in REASONS.values() if reason not in said] == []


def level_of(page: str, question: str) -> str:
    return words(html.fromstring(page).xpath(f'//*[@id="panel-{question}"]//*[@class="kept__level"]')[0])


def test_a_kept_text_says_itself_that_it_is_draft_until_the_content_is_approved(
    service: Service, nurse: Visitor
) -> None:
    talk = service.begin()
    nurse.save(talk, {"a.saddle_feeling_change": "present", "a.cancer_ever": "present"})
    drawing.forget()
    page = nurse.ask(f"/consultations/{talk}").text
    assert level_of(page, "saddle_feeling_change") == "Text kept for this answer: emergency now · draft"
    assert page.count('class="kept__level"') == len(re.findall(r'class="kept__level">[^<]* · draft<', page))


def test_it_no_longer_does_once_it_is(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    nurse.save(talk, {"a.saddle_feeling_change": "present"})
    assert "· draft" in nurse.ask(f"/consultations/{talk}").text
    note_served(service.instance)
    approve_all(service.instance, service.instance.in_use(), "Dr A. Prover", "consultant", "test")
    page = nurse.ask(f"/consultations/{talk}").text
    assert level_of(page, "saddle_feeling_change") == "Text kept for this answer: emergency now"
    assert "· draft" not in page


@pytest.mark.parametrize(
    ("reason", "told"), [("Cannot feel the paper", "Dr Invented"), ("Agreed.", "A&E!"), ("Sent", "")]
)
def test_a_decision_on_the_screen_ends_each_of_its_sentences_once(
    service: Service, nurse: Visitor, reason: str, told: str
) -> None:
    talk = service.begin()
    nurse.save(talk, {"a.saddle_feeling_change": "present"})
    sent = {"question": "saddle_feeling_change", "decision": "same_day_emergency", "reason": reason, "told": told}
    assert nurse.decide(talk, sent).status_code == 302
    page = html.fromstring(nurse.ask(f"/consultations/{talk}").text)
    (said,) = page.xpath('//*[@class="kept__decision"]')
    closed = reason if reason.endswith(".") else f"{reason}."
    after = f" Told: {told if told.endswith('!') else told + '.'}" if told else ""
    assert words(said).startswith(f"Decision: Sent to emergency care now. {closed}{after} Saved ")


def test_an_earlier_decision_is_said_where_a_new_one_is_asked_for(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    nurse.save(talk, {"a.saddle_feeling_change": "present"})
    sent = {"question": "saddle_feeling_change", "decision": "urgent_referral", "reason": "Rang", "told": "Dr Invented"}
    assert nurse.decide(talk, sent).status_code == 302
    nurse.save(talk, {"a.saddle_feeling_change": "absent"})
    nurse.save(talk, {"a.saddle_feeling_change": "present"})
    page = html.fromstring(nurse.ask(f"/consultations/{talk}").text)
    (said,) = page.xpath('//*[@id="panel-saddle_feeling_change"]//*[@class="kept__decision"]')
    earlier = "Earlier decision (the answer changed since): Urgent referral made; Rang. Told: Dr Invented. Recorded "
    assert words(said).startswith(earlier)
    assert page.xpath('//*[@id="panel-saddle_feeling_change"]//*[@name="decide-saddle_feeling_change~decision"]')


def test_a_longer_word_for_not_asked_has_room(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    nurse.save(talk, {"a.neuro_examination": "done"})
    page = html.fromstring(nurse.ask(f"/consultations/{talk}").text)
    for question, room in (("exam_significant_deficit", True), ("exam_power_reduced", True), ("cancer_ever", False)):
        (reasons,) = page.xpath(f'//select[@name="reason.{question}"]')
        assert ("sel--long" in reasons.get("class").split()) == room


def test_no_question_tells_the_screen_what_to_do(service: Service) -> None:
    asks = [q.ask for q in service.instance.library.current.proforma.asked]
    assert [ask for ask in asks if re.search(r"\b(tick|opens?)\b", ask, re.IGNORECASE)] == []


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (1, 9), (3, 9)])
def test_what_is_set_aside_reads_right_for_any_number(service: Service, k: int, n: int) -> None:
    measures: MeasureSet = service.instance.measures
    said = measures.set_aside.text.format(k=k, n=n)
    assert said == f"Of the cases in which it was not met ({n}), sent to emergency care the same day: {k}."


def test_the_page_that_holds_says_which_decision_makes_a_reason_for_blanks_unnecessary(
    service: Service, nurse: Visitor
) -> None:
    talk = service.begin()
    said = "No reason is needed for them where the decision above is “Sent to emergency care now”."
    assert said not in pages.text(nurse.get(f"/consultations/{talk}/sign"))
    nurse.save(talk, {"a.saddle_feeling_change": "present"})
    assert said in pages.text(nurse.get(f"/consultations/{talk}/sign"))


def test_sentences_name_a_site_as_people_do(service: Service, nurse: Visitor) -> None:
    signed = service.signed()
    assert "occupational health nurse, Site A (invented)." in pages.text(nurse.get("/account"))
    case = pages.text(service.visitor("audit_lead").get(f"/results/cases/DEMO/live/{signed}"))
    assert "Live consultations, Site A (invented), " in case


def test_a_site_of_another_provider_is_never_taken_for_one_of_this_service(service: Service) -> None:
    with service.visitor("nurse").client.application.test_request_context("/"):
        said = [site_name("A"), site_name("A", "DEMO"), site_name("A", "ELSE"), site_name("Q")]
    assert said == ["Site A (invented)", "Site A (invented)", "site A of ELSE", "site Q"]


def case_page(service: Service, signed: str) -> html.HtmlElement:
    return html.fromstring(service.visitor("audit_lead").ask(f"/results/cases/DEMO/live/{signed}").text)


def test_a_case_is_shown_in_words_without_codes_or_raw_dates(service: Service) -> None:
    page = case_page(service, service.signed(back_pain_reason=Answer("answered", "main")))
    shown = [words(cell) for cell in page.xpath("//dl//dd")]
    assert len(shown) == 62
    assert page.xpath("//main//code") == []
    assert [one for one in shown if re.search(r"\d{4}-\d{2}-\d{2}$|^[a-z]+_[a-z_]+$", one)] == []


def test_the_reason_why_a_case_counts_for_nothing_is_said_once(service: Service) -> None:
    page = case_page(service, service.signed())
    assert words(page).count("Not an audit case") == 1
    assert page.xpath("//table") == []


def test_references_of_cases_are_never_cut(service: Service) -> None:
    signed, lead = service.signed(), service.visitor("audit_lead")
    there = lead.ask("/results/measures/red_flags_screened/cases?outcome=excluded").text
    assert [words(a) for a in html.fromstring(there).xpath(f"//td/a[contains(@href, '{signed}')]")] == [signed]
