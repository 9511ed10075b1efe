"""What was done about obstacles that are no yellow flag stands beside the national heading, from live talks too."""

from __future__ import annotations

import pytest

from consult.audit.results import Selection, results

TALK = {
    "back_pain_reason": "main",
    "visit_and_episode": "first_ever_episode",
    **dict.fromkeys(("harm_belief", "stopped_activities", "low_mood", "passive_expectation"), "absent"),
    "areas_to_explore": ["job_demands"],
    "job_demands_too_high": "present",
    "flags_in_the_way_of_work": ["job_demands"],
}
ACTIONS = {
    "none_because": "none",
    "explained": "explained",
    "activity_plan": "goals_or_graded_activity",
    "return_plan": "case_management_plan",
    "early_review": "early_review",
    "staff_support": "psychological_support",
    "physiotherapy": "physiotherapy",
    "meeting_with_manager": "worker_manager_meeting",
    "manager_advice": "other",
    "hr_or_union": "other",
    "stress_risk_assessment": "other",
    "gp_or_medicines_review": "other",
    "access_to_work": "other",
    "other": "other",
}


def finish(desk, **more):
    desk.begin()
    desk.give(**TALK, **more)
    desk.explain_blanks()
    desk.sign()


def test_every_action_there_is_stands_in_the_table(back_pain):
    question = back_pain.proforma.by_id["other_obstacle_action"]
    assert {option.code for option in question.options} == set(ACTIONS)


def said(k, m):
    start = f"Where it did not apply, barriers to work were recorded in {k}"
    return f"{start}; in {m} of these an action on another obstacle was."


def test_a_barrier_of_work_alone_is_not_called_another_obstacle(desk, national):
    """A case does not say which of its barriers is of the work itself, so the line names both."""
    desk.begin()
    desk.give(back_pain_reason="main", visit_and_episode="first_ever_episode", harm_belief="absent")
    desk.give(anything_in_the_way_of_work="present", work_barriers=["travel_or_parking"])
    assert "other_obstacle_action" not in desk.path
    desk.explain_blanks()
    desk.sign()
    found = results(desk.db.read(), national, desk.definition.dataset, Selection()).measures["yellow_flags_action"]
    assert found.beside[1] == said(1, 0)


@pytest.mark.parametrize("code", ACTIONS)
def test_an_action_on_another_obstacle_is_in_the_case_and_leaves_the_heading_not_applicable(desk, national, code):
    finish(desk, other_obstacle_action=[code])
    assert desk.case["yf_action"] == ACTIONS[code]
    found = results(desk.db.read(), national, desk.definition.dataset, Selection()).measures["yellow_flags_action"]
    assert (found.not_applicable, found.met, found.not_met) == (1, 0, 0)
    m = 0 if code == "none_because" else 1
    assert found.beside[1] == said(1, m)


def test_a_yellow_flag_that_comes_later_parks_it(desk):
    desk.begin()
    desk.give(**TALK, other_obstacle_action=["early_review"])
    desk.give(harm_belief="present")
    assert desk.case["yf_action"] == ""


@pytest.mark.parametrize("question", ["yellow_flag_action", "other_obstacle_action"])
def test_no_action_asks_why(desk, question):
    desk.begin()
    yellow = {"harm_belief": "present"} if question == "yellow_flag_action" else {}
    desk.give(**{**TALK, **yellow})
    assert "no_action_on_flags_reason" not in desk.path
    desk.give(**{question: ["explained"]})
    assert "no_action_on_flags_reason" not in desk.path
    desk.give(**{question: ["none_because"]})
    assert "no_action_on_flags_reason" in desk.path
