"""The projection of answers to the case, on a small proforma with one question for each way to fill a field."""

from datetime import date
from pathlib import Path

import pytest

from consult.audit.case import age_band, case_fields, codes
from consult.proforma.answer import Answer
from consult.proforma.load import parse_definition

SMALL = Path(__file__).parents[1] / "definitions" / "small.toml"
PRESENT, ABSENT, UNSURE, DECLINED = (Answer(state) for state in ("present", "absent", "unsure", "declined"))
NOT_ASKED = Answer("not_asked", reason="other")


def chose(*chosen):
    return Answer("answered", list(chosen))


def one(code):
    return Answer("answered", code)


@pytest.fixture(scope="session")
def small(content):
    dataset = (content / "dataset.toml").read_text(encoding="utf-8")
    return parse_definition({"proforma.toml": SMALL.read_text(encoding="utf-8"), "dataset.toml": dataset})


@pytest.fixture(scope="session")
def filled(small):
    def fill(*facts, mode="retrospective", **answers):
        return case_fields(small, answers, facts, {"case_ref": "1", "provider": "P", "capture_mode": mode})

    return fill


def test_a_case_has_every_field_in_order(filled, dataset):
    case = filled()
    assert list(case) == [field.name for field in dataset.fields]
    assert {name: text for name, text in case.items() if text} == {
        "case_ref": "1",
        "provider": "P",
        "capture_mode": "retrospective",
        "first_consultation": "unknown",
        "episode_gap": "unknown",
        "back_pain_reason": "unknown",
        "barriers_asked": "not_recorded",
    }


def test_an_option_sets_fields_and_a_blank_eligibility_field_is_unknown(filled):
    case = filled(episode=one("later"))
    assert (case["first_consultation"], case["episode_gap"]) == ("no", "unknown")


@pytest.mark.parametrize(
    ("bladder", "saddle", "exam", "state"),
    [
        (None, None, None, ""),
        (ABSENT, ABSENT, None, "absent"),
        (ABSENT, ABSENT, NOT_ASKED, "absent"),
        (ABSENT, None, None, "not_asked"),
        (ABSENT, NOT_ASKED, None, "not_asked"),
        (NOT_ASKED, NOT_ASKED, None, "not_asked"),
        (UNSURE, None, None, "not_asked"),
        (ABSENT, UNSURE, None, "unable"),
        (DECLINED, UNSURE, None, "unable"),
        (DECLINED, NOT_ASKED, None, "not_asked"),
        (PRESENT, None, None, "present"),
        (PRESENT, DECLINED, None, "present"),
        (None, None, PRESENT, "present"),
        (ABSENT, ABSENT, PRESENT, "present"),
        (None, None, ABSENT, ""),
        (PRESENT, ABSENT, ABSENT, "present"),
    ],
)
def test_group_states(filled, bladder, saddle, exam, state):
    given = {"bladder": bladder, "saddle": saddle, "exam": exam}
    assert filled(**{q: a for q, a in given.items() if a})["rf_cauda_equina"] == state


@pytest.mark.parametrize(
    ("answer", "asked"),
    [(PRESENT, "yes"), (ABSENT, "yes"), (UNSURE, "yes"), (DECLINED, "yes"), (NOT_ASKED, "no"), (None, "not_recorded")],
)
def test_barriers_are_asked_by_their_own_question_only(filled, answer, asked):
    answers = {"obstacle": answer} if answer else {}
    assert filled(**answers, flag=PRESENT)["barriers_asked"] == asked


def test_lists_are_in_the_order_of_the_data_set(filled):
    assert (
        filled(obstacle=PRESENT, obstacles=chose("travel", "lifting"))["barriers"] == "physical_demands;travel_or_home"
    )


def test_none_stands_only_where_nothing_else_does(filled):
    assert filled(obstacle=ABSENT)["barriers"] == "none"
    assert filled(obstacle=ABSENT, flag=PRESENT)["barriers"] == "manager_or_team"
    assert filled(obstacle=PRESENT)["barriers"] == ""
    assert filled(adjustments=chose("none"))["adjustment_types"] == "none"


def test_parked_answers_are_left_out(filled):
    assert filled(obstacle=ABSENT, obstacles=chose("travel"))["barriers"] == "none"
    assert filled(advice=one("given"), why_unfit=one("pain"))["stay_reason"] == ""
    assert filled(advice=one("unfit"), why_unfit=one("pain"))["stay_reason"] == "pain"


def test_a_yes_wins_over_a_no_whatever_the_order(filled):
    assert filled(off_sick=PRESENT, time_off=ABSENT)["time_off_this_episode"] == "yes"
    assert filled(off_sick=ABSENT, time_off=PRESENT)["time_off_this_episode"] == "yes"
    assert filled(off_sick=NOT_ASKED, time_off=UNSURE)["impact_work_asked"] == "yes"
    assert filled(off_sick=UNSURE, time_off=NOT_ASKED)["impact_work_asked"] == "yes"
    assert filled(off_sick=NOT_ASKED)["impact_work_asked"] == "no"


def test_a_choice_that_was_not_asked_sets_nothing(filled):
    assert filled(advice=NOT_ASKED)["stay_or_return"] == ""


def test_what_was_done_adds_to_what_was_said(filled):
    assert filled("leaflet_given_printed", advice=one("given"))["info_form"] == "verbal;printed_leaflet"
    assert filled(advice=one("given"))["info_form"] == "verbal"
    assert filled("leaflet_printed")["info_form"] == ""


def test_written_advice_is_no_only_where_adjustments_were_to_be_written(filled):
    assert filled("report_with_adjustments", adjustments=chose("hours"))["adjustments_in_written_advice"] == "yes"
    assert filled(adjustments=chose("hours"))["adjustments_in_written_advice"] == "no"
    assert filled(adjustments=chose("none"))["adjustments_in_written_advice"] == ""
    assert filled()["adjustments_in_written_advice"] == ""


def test_live_capture_never_sets_what_belongs_to_case_notes(filled):
    assert filled(considered=one("yes"))["rf_overall"] == "yes"
    assert filled(considered=one("yes"), mode="live")["rf_overall"] == ""


@pytest.mark.parametrize(
    ("born", "on", "band"),
    [
        ("2010-03-02", "2026-03-02", "16-24"),
        ("2010-03-03", "2026-03-02", "not_recorded"),
        ("2001-03-03", "2026-03-02", "16-24"),
        ("2001-03-02", "2026-03-02", "25-34"),
        ("1991-03-02", "2026-03-02", "35-44"),
        ("1981-03-02", "2026-03-02", "45-54"),
        ("1971-03-02", "2026-03-02", "55-64"),
        ("1961-03-03", "2026-03-02", "55-64"),
        ("1961-03-02", "2026-03-02", "65+"),
        ("1900-01-01", "2026-03-02", "65+"),
        ("2000-02-29", "2025-02-28", "16-24"),
        ("2000-02-29", "2025-03-01", "25-34"),
    ],
)
def test_age_bands(born, on, band):
    assert age_band(date.fromisoformat(born), date.fromisoformat(on)) == band


def test_no_date_of_birth_gives_no_age():
    assert age_band(None, date(2026, 3, 2)) == "not_recorded"


def test_codes_of_a_list():
    assert codes(" verbal; link ;;") == ["verbal", "link"]
    assert codes("") == []
