"""Golden texts: the papers of the three consultations of the specification, word for word as they were read and agreed.

Where a change of words is meant, run this with CONSULT_WRITE_GOLDEN=1, read the difference, and commit it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from consult.documents.letter import letter
from consult.documents.note import note
from consult.documents.pdf import Facts, Lines, Paragraph, Piece, Table
from consult.documents.report import Chosen, report, with_names
from consult.documents.sheets import Made, Named, letter_sheet
from consult.proforma.answer import ANSWERED, Answer
from consult.record.settings import ROUTE_LABELS, Site

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
ONE_BY_ONE = (
    *("bladder_emptying_change", "bowel_control_change", "saddle_feeling_change", "sexual_function_change"),
    *("both_legs_affected", "one_leg_weakness", "cord_signs", "sudden_severe_pain_or_collapse", "fever_or_very_ill"),
    *("major_injury", "cancer_ever"),
)


def ordinary(desk) -> None:
    """Off sick, one yellow flag, adjustments."""
    desk.give(
        back_pain_reason="main",
        visit_and_episode="first_visit_gap_28_or_more",
        pain_sites=["low_back"],
        leg_symptoms=["neither"],
        work_status="off_sick",
        everyday_activity=["bending_and_dressing"],
        **dict.fromkeys(ONE_BY_ONE, "absent"),
    )
    desk.store.rest(desk.id, "rest_of_red_flags", desk.key(), desk.who)
    desk.give(
        neuro_examination="not_done_no_leg_symptoms",
        harm_belief="absent",
        return_expectation=8,
        stopped_activities="present",
        low_mood="absent",
        passive_expectation="absent",
        yellow_flag_action=["activity_plan"],
        anything_in_the_way_of_work="absent",
        work_cause_opinion="not_work",
        current_management=["self_care"],
        activity_advice="discussed_agrees",
        stay_or_return_advice="given",
        told_mostly_settles="given",
        told_work_matters="given",
        told_body_and_mind_matter="given",
        adjustment_types=["amended_duties"],
        report_consent="given",
    )


def red_flag(desk) -> None:
    """Changed saddle feeling, and a decision."""
    desk.give(saddle_feeling_change="present")
    desk.decide("saddle_feeling_change", reason="Sent by ambulance")


def work_related(desk) -> None:
    """Caused by work, and what was done about it; phased return and amended duties with their dates."""
    desk.give(
        back_pain_reason="main",
        visit_and_episode="first_ever_episode",
        pain_sites=["low_back", "stiffness"],
        leg_symptoms=["pain"],
        work_status="at_work_after_time_off",
        tasks_limited="Lifting boxes from the floor",
        **dict.fromkeys((*ONE_BY_ONE, "spreading_numbness_or_weakness"), "absent"),
    )
    desk.give(
        neuro_examination="not_possible_pain",
        anything_in_the_way_of_work="present",
        work_barriers=["physical_demand"],
        work_cause_opinion="caused",
        cause_action=["incident_report", "risk_assessment_review"],
        adjustment_types=["phased_return", "amended_duties"],
    )
    desk.give(
        phased_return_plan=plan("Half shifts, then full", "2031-03-03", "2031-03-17"),
        amended_duties_plan=plan("Nothing from the floor", "2031-03-03", "2031-03-31"),
        report_consent="given",
        fitness_for_work="fit_with_changes",
    )


def plan(what: str, start: str, end: str) -> Answer:
    return Answer(ANSWERED, {"what": what, "start": start, "end": end, "review": "2031-03-17"})


JOURNEYS = {"ordinary": ordinary, "red-flag": red_flag, "work-related": work_related}


def plain(piece: Piece) -> str:
    """The words of a piece of a letter."""
    if isinstance(piece, Paragraph):
        return "".join(run.text for run in piece.runs)
    if isinstance(piece, Table):
        return "\n".join(" | ".join(cells) for cells in (piece.head, *piece.rows))
    if isinstance(piece, Facts):
        return "\n".join(": ".join(pair) for pair in piece.pairs)
    assert isinstance(piece, Lines)
    return "\n".join(piece.words)


def papers(desk) -> str:
    """Note, letter and each kind of report, as they leave; the times of day are left out."""
    site = Site("S1", "Site S1 (invented)", {route: f"01632 960 00{n}" for n, route in enumerate(ROUTE_LABELS)})
    found = [note(desk.now, desk.path)]
    urgent = letter_sheet(
        letter(desk.now, desk.path, site),
        Named("An employee", "a day"),
        "a day",
        "a nurse",
        Made("a4", "a day", 1, "", True),
    )
    found.append("\n".join(line for part in urgent.sections for line in (part.heading, *map(plain, part.pieces))))
    for kind in desk.definition.reports.types:
        text = report(desk.now, desk.path, Chosen(kind, (), {}))
        found.append(with_names(text, "An employee", "A clinician"))
    return re.sub(r"\b\d\d:\d\d\b", "hh:mm", "\n\n----\n\n".join(found)).rstrip() + "\n"


@pytest.mark.parametrize("journey", JOURNEYS)
def test_the_papers_of_a_journey_are_word_for_word_those_agreed(desk, journey: str) -> None:
    JOURNEYS[journey](desk)
    made, file = papers(desk), GOLDEN / f"{journey}.txt"
    if os.environ.get("CONSULT_WRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(made, "utf-8", newline="\n")
    assert made == file.read_text("utf-8")
