"""The report to the manager: an allow-list; no word of any other answer ever reaches it."""

import pytest

from consult.documents.report import adjustment_lines, digest, report
from consult.proforma.answer import ANSWERED, Answer

PLANS = {
    "phased_return": "phased_return_plan",
    "altered_hours": "altered_hours_plan",
    "amended_duties": "amended_duties_plan",
    "workplace_adaptation": "workplace_adaptation_plan",
    "other_adjustment": "other_adjustment_plan",
}


def of(desk):
    return report(desk.now, desk.path, "Zebedee Quillfeather")


def fill_everything(desk):
    """A value with a planted word for every question, twice over, so that what opens later is answered too."""
    for _ in range(2):
        for question in desk.path.questions():
            if question.kind == "text":
                word = "FOR-THE-REPORT" if question.report == "always" else "PLANTED"
                desk.give(**{question.id: f"{word}-{question.id}"})
            elif question.kind == "finding":
                desk.give(**{question.id: "present"})
            elif question.kind == "number":
                desk.give(**{question.id: question.max})
            elif question.kind == "date":
                desk.give(**{question.id: "2031-07-29"})
            elif question.kind == "choice" and question.id not in ("stay_or_return_advice", "neuro_examination"):
                desk.give(**{question.id: question.options[0].code})
            elif question.kind == "choices":
                chosen = [o.code for o in question.options if not o.alone and desk.path.offers(o)]
                desk.give(**{question.id: chosen})
        desk.give(stay_or_return_advice="not_appropriate", neuro_examination="done")


def test_no_planted_word_reaches_the_report_but_those_of_the_adjustments(desk):
    fill_everything(desk)
    plans = {plan: {"what": f"ALLOWED-{plan}", "no_end_reason": f"ALLOWED-WHY-{plan}"} for plan in PLANS.values()}
    desk.give(**plans)
    answered = desk.now.answers
    assert len(answered) > 100
    assert len([a for a in answered.values() if isinstance(a.value, str) and a.value.startswith("PLANTED")]) >= 8
    text = of(desk)
    assert "PLANTED" not in text
    assert "2031" not in text
    for plan in plans.values():
        assert plan["what"] in text
        assert plan["no_end_reason"] in text
    for question in desk.definition.proforma.questions:
        if question.kind != "arrangement" and question.report != "always":
            assert question.ask.rstrip("?") not in text
            assert question.id not in text
            labels = [o.label for o in question.options if len(o.label) > 12]
            assert not [label for label in labels if label in text and question.report == "never"]
    for panel in (p for q in desk.definition.proforma.questions for p in q.panels):
        assert panel.text not in text


CLINICAL = [
    "flag",
    "mood",
    "sexual",
    "bladder",
    "cancer",
    "drug",
    "pregnan",
    "claim",
    "depress",
    "diagnos",
    "pain",
    "harm",
]


def test_the_report_holds_no_clinical_word(desk):
    fill_everything(desk)
    assert not [word for word in CLINICAL if word in of(desk).lower()]


def test_a_parked_adjustment_is_not_in_the_report(desk):
    desk.give(adjustment_types=["altered_hours"], altered_hours_plan={"what": "wombat mornings"})
    assert "wombat" in of(desk)
    desk.give(adjustment_types=["amended_duties"])
    assert "wombat" not in of(desk)
    desk.give(adjustment_types=["not_indicated"])
    assert adjustment_lines(desk.path) == ["- None"]


def test_each_adjustment_is_said_with_its_dates_and_what_is_missing(desk):
    desk.give(
        adjustment_types=["altered_hours", "amended_duties", "phased_return"],
        altered_hours_plan={"what": "later start", "start": "2026-12-01", "end": "2027-01-12", "review": "2026-12-20"},
        amended_duties_plan={"what": "no people handling", "no_end_reason": "awaiting a hoist"},
    )
    phased, hours, duties = adjustment_lines(desk.path)
    assert "details, start, end and review to be agreed" in phased
    assert "later start, from 1 December 2026, until 12 January 2027, review on 20 December 2026" in hours
    assert "not given" not in hours
    assert "no end date because awaiting a hoist" in duties
    desk.give(amended_duties_plan={"what": "no people handling"})
    assert adjustment_lines(desk.path)[2].endswith("(end date and review date not given)")


def test_the_report_names_the_employee_and_the_day(desk):
    text = of(desk)
    assert "Employee: Zebedee Quillfeather" in text
    assert "22 November 2026" in text
    assert digest(text) == digest(of(desk))


def test_what_an_adjustment_may_hold_is_checked_before_it_can_reach_the_report(desk):
    plan = Answer(ANSWERED, {"what": "mornings", "end": "not a date"})
    with pytest.raises(Exception, match="correct the value"):
        desk.store.save(desk.id, desk.question("altered_hours_plan"), plan, 0, desk.key(), "single", desk.who)
