"""The report to the manager: an allow-list; no word of any other answer ever reaches it unless it was ticked in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.documents.blocks import blocks, text_of
from consult.documents.note import note
from consult.documents.report import Chosen, adjustment_lines, digest, report, tickable, with_names
from consult.proforma.answer import ANSWERED, Answer
from consult.record.consultation import opening_adjustments, report_stands

PLANS = {
    "phased_return": "phased_return_plan",
    "altered_hours": "altered_hours_plan",
    "amended_duties": "amended_duties_plan",
    "workplace_adaptation": "workplace_adaptation_plan",
    "other_adjustment": "other_adjustment_plan",
}


def of(desk, kind="", ticked=(), **written):
    chosen = Chosen(desk.definition.reports.by_id(kind), ticked, written)
    return with_names(report(desk.now, desk.path, chosen), "Zebedee Quillfeather", "Nora Nurse")


def fill_everything(desk):
    """A value with a planted word for every question, twice over, so that what opens later is answered too."""
    for _ in range(2):
        for question in desk.path.questions():
            if question.kind == "text":
                word = {"always": "FOR-THE-REPORT", "ticked": "TICKED"}.get(question.report, "PLANTED")
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


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Half shifts.", "Half shifts, from 1 December 2026"),
        ("Half shifts", "Half shifts, from 1 December 2026"),
        ("Start at 10 a.m.", "Start at 10 a.m., from 1 December 2026"),
        ("No bending, lifting...", "No bending, lifting..., from 1 December 2026"),
    ],
)
def test_what_was_typed_with_its_full_stop_goes_on_to_its_dates_without_it(desk, typed, said):
    plan = {"what": typed, "start": "2026-12-01", "no_end_reason": "The ward decides."}
    desk.give(adjustment_types=["amended_duties"], amended_duties_plan=plan)
    for text in (of(desk), " ".join(note(desk.now, desk.path).split())):
        assert f"{said}, no end date: The ward decides" in text
        assert ".," not in text.replace("a.m.,", "").replace("...,", "")
        assert "decides. (" not in text


def test_no_planted_word_reaches_the_report_but_those_of_the_adjustments(desk):
    fill_everything(desk)
    plans = {plan: {"what": f"ALLOWED-{plan}", "no_end_reason": f"ALLOWED-WHY-{plan}"} for plan in PLANS.values()}
    desk.give(**plans)
    answered = desk.now.answers
    assert len(answered) > 100
    planted = [a for a in answered.values() if str(a.value).startswith(("PLANTED", "TICKED"))]
    assert len(planted) >= 8
    text = of(desk)
    assert "PLANTED" not in text
    assert "TICKED" not in text
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
    assert adjustment_lines(desk.path) == []
    assert "## Temporary adjustments advised\nNone: recorded as not needed.\n" in of(desk)


NOTHING_LISTED = {
    None: "Nothing is recorded about temporary adjustments. This does not say that none is needed.",
    "not_indicated": "None: recorded as not needed.",
    "already_in_place": "Recorded as already in place. No others are advised here.",
}


@pytest.mark.parametrize("kind", ["manager", "ahp_health_and_work", "fit_note_particulars"])
@pytest.mark.parametrize("said", NOTHING_LISTED)
def test_only_an_answer_that_none_is_needed_says_none(desk, kind, said):
    if said:
        desk.give(adjustment_types=[said])
    part = next(part for part in desk.definition.reports.by_id(kind).parts if part.adjustments)
    assert f"## {part.heading}\n{NOTHING_LISTED[said]}\n" in of(desk, kind)


def test_what_stands_for_a_blank_never_says_none_or_no(back_pain):
    blanks = [part.blank for kind in back_pain.reports.types for part in kind.parts if part.blank]
    assert len(blanks) == 6
    for blank in blanks:
        assert "recorded" in blank
        assert not blank.startswith("None")


def test_a_final_report_no_longer_stands_once_it_is_recorded_whether_adjustments_are_needed(desk):
    desk.give(report_consent="given")
    desk.make_report()
    assert report_stands(desk.now, desk.path)
    desk.give(adjustment_types=["not_indicated"])
    assert not report_stands(desk.now, desk.path)


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
    assert "no end date: awaiting a hoist (start date and review date not given)" in duties
    desk.give(amended_duties_plan={"what": "no people handling"})
    assert adjustment_lines(desk.path)[2].endswith("(start date, end date and review date not given)")


def test_the_report_names_the_employee_and_the_day(desk):
    text = of(desk)
    assert "Employee: Zebedee Quillfeather" in text
    assert "22 November 2026" in text
    assert digest(text) == digest(of(desk))


def test_what_an_adjustment_may_hold_is_checked_before_it_can_reach_the_report(desk):
    plan = Answer(ANSWERED, {"what": "mornings", "end": "not a date"})
    with pytest.raises(Exception, match="correct the value"):
        desk.store.save(desk.id, desk.question("altered_hours_plan"), plan, 0, desk.key(), "single", desk.who)


TYPES = ["manager", "ahp_health_and_work", "fit_note_particulars"]


@pytest.fixture(scope="module")
def full(busy_desk):
    """A consultation with a planted word in every answer that can hold one."""
    busy_desk.begin()
    fill_everything(busy_desk)
    return busy_desk


@pytest.mark.parametrize("kind", TYPES)
def test_the_shipped_kinds_of_report_hold_no_planted_word(full, kind):
    text = of(full, kind)
    assert "PLANTED" not in text
    assert "TICKED" not in text
    assert "FOR-THE-REPORT-can_do_at_work" in text
    assert "This report holds no clinical details." in text


@pytest.mark.parametrize("kind", ["manager", "ahp_health_and_work"])
def test_each_answer_ticked_in_is_in_the_report_and_no_other(full, kind):
    may = [q.id for q in tickable(full.path)]
    assert "tasks_limited" in may
    before = of(full, kind).splitlines()
    for question in may:
        text = of(full, kind, ticked=(question,))
        more = [line for line in text.splitlines() if line not in before]
        asked = full.question(question)
        said = f"- {asked.report_as or asked.ask.rstrip('?')}: "
        assert len(more) == 2
        assert more[0] == "## Also recorded, with the employee's consent"
        assert more[1].startswith(said)
        assert "holds no clinical details" not in text
    assert "TICKED-tasks_limited" in of(full, kind, ticked=("tasks_limited",))


def test_what_may_never_enter_is_not_offered_and_is_not_in_it_even_if_it_is_sent(full):
    never = [q.id for q in full.definition.proforma.questions if q.report == "never"]
    assert set(full.definition.proforma.never_in_report) <= set(never)
    assert not set(never) & {q.id for q in tickable(full.path)}
    assert of(full, ticked=never) == of(full)


@pytest.mark.parametrize("question", ["sexual_function_change", "low_mood", "cancer_ever", "employee_concern"])
def test_a_text_with_a_forbidden_tick_is_not_made_final(desk, question):
    desk.give(report_consent="given")
    with pytest.raises(Exception, match="may not enter the report"):
        desk.make_report(ticked=[question])
    assert desk.now.report is None


ABOUT_THE_CAUSE = ("injury_happened_at_work", "work_cause_opinion", "cause_action")
UNRAISED = "employee_does_not_want_it_raised"


@pytest.mark.parametrize("opinion", [None, "caused", "aggravated", "not_work", "uncertain", "not_asked"])
@pytest.mark.parametrize("action", [None, [UNRAISED], ["no_action"], ["manager_asked"], ["incident_report", "other"]])
def test_a_cause_that_the_employee_does_not_want_raised_is_not_offered(on_path, opinion, action):
    words = {"major_injury": "present", "injury_happened_at_work": "present", "tasks_limited": "lifting"}
    path = on_path({**words, "work_cause_opinion": opinion, "cause_action": action})
    unraised = opinion in ("caused", "aggravated") and action == [UNRAISED]
    offered = [q.id for q in tickable(path)]
    assert "tasks_limited" in offered
    may = [id_ for id_ in ABOUT_THE_CAUSE if path.answer(id_) is not None]
    assert [id_ for id_ in ABOUT_THE_CAUSE if id_ in offered] == ([] if unraised else may)


@pytest.mark.parametrize("question", ABOUT_THE_CAUSE)
def test_nor_can_it_enter_and_a_text_that_holds_it_no_longer_stands(desk, question):
    desk.give(major_injury="present", injury_happened_at_work="present", report_consent="given")
    desk.give(work_cause_opinion="caused", cause_action=["manager_asked"], report_copy_choice="no_copy")
    desk.make_report(ticked=[question])
    assert desk.release.stage == "ready_no_copy"
    desk.give(cause_action=[UNRAISED])
    assert desk.release.stage == "wants_no_copy"
    assert "Also recorded" not in of(desk, ticked=(question,))
    with pytest.raises(Exception, match="may not enter the report"):
        desk.make_report(ticked=[question])


def test_lines_typed_for_one_kind_are_in_it(desk):
    desk.give(report_consent="given")
    text = of(desk, "ahp_health_and_work", until="31 December 2026")
    assert "This advice holds until: 31 December 2026" in text
    assert "holds from" not in text
    with pytest.raises(Exception, match="does not have"):
        desk.make_report(until="31 December 2026")


def test_each_part_that_the_manager_is_to_have_is_there(desk):
    desk.give(
        adjustment_types=["altered_hours"],
        altered_hours_plan={"what": "mornings", "start": "2026-12-01", "end": "2026-12-29", "review": "2026-12-20"},
        report_consent="given",
        fitness_for_work="fit_with_changes",
        can_do_at_work="Desk work.\n# Short walks.",
        likely_timescale="About four weeks",
        asked_of_health_and_safety="Look at the height of bench 4",
    )
    assert (
        of(desk)
        == """# Occupational health report to the manager
Employee: Zebedee Quillfeather
Date of the consultation: 22 November 2026
From: Nora Nurse, occupational health nurse
## Fitness for work
Fit with temporary changes
## What the employee can do
Desk work.
Short walks.
## Likely timescale
About four weeks
## Temporary adjustments advised
- Altered hours: mornings, from 1 December 2026, until 29 December 2026, review on 20 December 2026
These adjustments are temporary. Please agree with the employee how they will work, and look at them again on the \
review dates. Whether they can be made is for you as the manager to decide.
## Asked of health and safety
Look at the height of bench 4
## Consent
This report holds no clinical details.
It was made with the employee's consent.
"""
    )


@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))))
def test_the_blocks_of_a_paper_are_its_text(lines):
    text = "".join(f"{line}\n" for line in lines) or "\n"
    assert text_of(blocks(text)) == text


def test_what_opens_adjustments_is_not_ticked_in_beside_them(desk):
    desk.give(adjustment_types=["amended_duties"], work_status="off_sick")
    assert [q.id for q in tickable(desk.path)] == ["work_status"]


def test_a_kind_without_room_for_ticked_answers_still_says_that_it_holds_no_clinical_details(desk):
    desk.give(tasks_limited="PLANTED")
    for kind in desk.definition.reports.types:
        text = report(desk.now, desk.path, Chosen(kind, ("tasks_limited",), {}))
        assert ("PLANTED" in text) == any(part.ticked for part in kind.parts)
        assert ("holds no clinical details" in text) == ("PLANTED" not in text)


def test_each_question_that_may_be_ticked_in_reads_in_the_report_as_a_statement(desk):
    """A prompt for the clinician, such as "discussed, and does the employee agree?", is no line of a report."""
    anyway = {q.id for q in opening_adjustments(desk.path)}
    ticked = [q for q in desk.definition.proforma.asked if q.report == "ticked" and q.id not in anyway]
    assert ticked
    assert [q.id for q in ticked if "?" in q.ask and not q.report_as] == []
