"""What is said and recorded in a consultation, in the order of a talk, by whichever hand holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from hands import Hand, quiet
from keys import Keys
from playwright.sync_api import expect
from service import Service

NOTHING: Mapping[str, Callable[[], None]] = {}
ONE_BY_ONE = [
    "bladder_emptying_change",
    "bladder_feeling_change",
    "new_leaking_or_pads",
    "saddle_feeling_change",
    "bowel_control_change",
    "sexual_function_change",
    "both_legs_affected",
    "one_leg_weakness",
    "cord_signs",
    "sudden_severe_pain_or_collapse",
    "fever_or_very_ill",
    "major_injury",
    "cancer_ever",
]


def ordinary(hand: Hand, service: Service, between: Mapping[str, Callable[[], None]] = NOTHING) -> dict[str, Any]:
    """The ordinary consultation of the specification, in its order: off sick, one yellow flag, adjustments.

    `between` are interruptions: what happens before a question.
    """
    hand.tick("back_pain_reason", "main")
    hand.tick("visit_and_episode", "first_visit_gap_28_or_more")
    hand.tick("pain_sites", "low_back")
    hand.tick("leg_symptoms", "neither")
    hand.tick("work_status", "off_sick")
    between.get("everyday_activity", quiet)()
    hand.tick("everyday_activity", "bending_and_dressing")
    for question in ONE_BY_ONE:
        hand.tick(question, "absent")
    hand.no_to_the_rest("rest_of_red_flags")
    hand.tick("neuro_examination", "not_done_no_leg_symptoms")
    hand.tick("harm_belief", "absent")
    hand.tick("return_expectation", "8")
    hand.tick("stopped_activities", "present")
    hand.tick("low_mood", "absent")
    hand.tick("passive_expectation", "absent")
    hand.tick("yellow_flag_action", "activity_plan")
    hand.tick("anything_in_the_way_of_work", "absent")
    between.get("work_cause_opinion", quiet)()
    hand.tick("work_cause_opinion", "not_work")
    hand.tick("current_management", "self_care")
    hand.tick("activity_advice", "discussed_agrees")
    hand.tick("stay_or_return_advice", "given")
    hand.tick("told_mostly_settles", "given")
    hand.tick("told_work_matters", "given")
    hand.tick("told_body_and_mind_matter", "given")
    hand.tick("adjustment_types", "amended_duties")
    hand.tick("report_consent", "given")
    hand.press("Make the report final")
    hand.print_leaflet()
    hand.settle()
    leaflet = hand.page.locator(".paper", has_text="Leaflet: Back pain and your work")
    hand.click(leaflet.get_by_role("button", name="Given on paper"))
    return {"rows": hand.page.locator(".q").count()}


def red_flag(hand: Hand, service: Service) -> dict[str, Any]:
    """Changed saddle feeling: signing is held, the letter is one action away, a decision releases it."""
    hand.tick("saddle_feeling_change", "present")
    hand.settle()
    hand.press("Sign and lock")
    page = hand.page
    expect(page.get_by_role("heading", name="Not signed yet")).to_be_visible()
    held = page.locator(".decide__list").inner_text()
    page.get_by_role("link", name="Back to the consultation").click()
    panel = page.locator("#panel-saddle_feeling_change")
    before = hand.clicks
    hand.click(panel.get_by_role("link", name="Referral letter and numbers"))
    page.wait_for_url("**/letter")
    actions = hand.clicks - before
    letter = page.locator("article").inner_text()
    hand.click(page.get_by_role("button", name="Print this letter"))
    page.wait_for_url(lambda url: "/letter?" in url and url.endswith("printing=yes"))
    page.get_by_role("link", name="Back to the consultation").click()
    panel.get_by_label("Your decision").select_option("same_day_emergency")
    panel.get_by_label("Reason").fill("Sent by ambulance")
    panel.get_by_label("Who was told").fill("Emergency department")
    hand.click(panel.get_by_role("button", name="Record decision"))
    expect(panel.locator(".kept__decision")).to_contain_text("Sent by ambulance")
    return {"held": held, "letter": letter, "actions": actions}


def work_related(hand: Hand, service: Service) -> dict[str, Any]:
    """Caused by work; what was done about it; phased return and amended duties with their dates; a final report."""
    today = service.instance.today()
    day = [(today + timedelta(days=n)).isoformat() for n in (1, 15, 29)]
    hand.tick("back_pain_reason", "main")
    hand.tick("visit_and_episode", "first_ever_episode")
    hand.tick("pain_sites", "low_back", "stiffness")
    hand.tick("leg_symptoms", "pain")
    hand.tick("work_status", "at_work_after_time_off")
    hand.write("tasks_limited", "Lifting boxes from the floor")
    for question in [*ONE_BY_ONE, "spreading_numbness_or_weakness"]:
        hand.tick(question, "absent")
    hand.not_asked("long_lasting_began_before_45", "out_of_time")
    hand.tick("neuro_examination", "not_possible_pain")
    hand.tick("anything_in_the_way_of_work", "present")
    hand.tick("work_barriers", "physical_demand")
    hand.tick("work_cause_opinion", "caused")
    hand.tick("cause_action", "incident_report", "risk_assessment_review")
    hand.tick("adjustment_types", "phased_return", "amended_duties")
    hand.arrange("phased_return_plan", what="Half shifts, then full", start=day[0], end=day[1], review=day[1])
    hand.arrange("amended_duties_plan", what="Nothing from the floor", start=day[0], end=day[2], review=day[1])
    hand.tick("report_consent", "given")
    hand.tick("fitness_for_work", "fit_with_changes")
    hand.press("Make the report final")
    expect(hand.page.locator("#finish")).to_contain_text("Final since")
    hand.page.get_by_role("link", name="See what would leave").click()
    report = hand.page.locator("article").inner_text()
    hand.page.get_by_role("link", name="Back to the consultation").click()
    return {"report": report, "days": day}


def complex_talk(hand: Hand, service: Service) -> dict[str, Any]:
    """A leg is weak, cancer was had, fear and low mood stand in the way: examined, decided, referred, adjusted."""
    today = service.instance.today()
    day = [(today + timedelta(days=n)).isoformat() for n in (1, 15)]
    hand.tick("back_pain_reason", "main")
    hand.write("employee_concern", "Afraid that it is the cancer again")
    hand.tick("who_is_present", "employee_only")
    hand.tick("visit_and_episode", "first_visit_gap_28_or_more")
    hand.tick("pain_sites", "low_back", "buttock_or_hip")
    hand.tick("leg_symptoms", "pain", "pins_or_numbness")
    hand.tick("work_status", "off_sick")
    hand.write("tasks_limited", "Standing at the line")
    hand.tick("everyday_activity", "bending_and_dressing", "sleep")
    urgent = {"one_leg_weakness", "cancer_ever"}
    for question in ONE_BY_ONE:
        hand.tick(question, "present" if question in urgent else "absent")
    hand.tick("one_leg_weakness_severe", "absent")
    hand.tick("spreading_numbness_or_weakness", "absent")
    hand.tick("night_pain", "unsure")
    hand.no_to_the_rest("rest_of_red_flags")
    for question in ("one_leg_weakness", "cancer_ever", "night_pain"):
        decide(hand, question)
    hand.tick("neuro_examination", "not_done_other")
    hand.tick("harm_belief", "present")
    hand.tick("stopped_activities", "present")
    hand.tick("low_mood", "present")
    hand.tick("hopelessness_or_self_harm", "absent")
    hand.tick("passive_expectation", "absent")
    hand.tick("yellow_flag_action", "explained", "talking_therapy")
    hand.tick("anything_in_the_way_of_work", "present")
    hand.tick("work_barriers", "physical_demand")
    hand.tick("work_cause_opinion", "not_work")
    hand.tick("current_management", "gp", "medicines")
    hand.tick("activity_advice", "discussed_agrees")
    hand.tick("stay_or_return_advice", "given")
    hand.tick("told_mostly_settles", "given")
    hand.tick("told_work_matters", "given")
    hand.tick("adjustment_types", "amended_duties")
    hand.arrange("amended_duties_plan", what="Seated work", start=day[0], end=day[1], review=day[1])
    hand.tick("report_consent", "given")
    hand.press("Make the report final")
    hand.print_leaflet()
    return {}


def decide(hand: Hand, question: str) -> None:
    """Record a decision where the kept text of an answer asks for one."""
    hand.settle()
    panel = hand.page.locator(f"#panel-{question}")
    if not panel.get_by_label("Your decision").count():
        return
    panel.get_by_label("Your decision").select_option("urgent_referral")
    hand.listed()
    panel.get_by_label("Reason").fill("Referred today")
    panel.get_by_label("Who was told").fill("Spinal service")
    hand.click(panel.get_by_role("button", name="Record decision"))
    expect(hand.page.locator(f"#panel-{question} .kept__decision")).to_contain_text("Referred today")


def ordinary_by_keys(keys: Keys, first_answer: Callable[[], None]) -> None:
    """The ordinary consultation without a mouse, to the copied note."""
    keys.press("Tab", "Enter")  # "Skip to the questions"
    keys.choose("back_pain_reason", "main")
    first_answer()
    keys.choose("visit_and_episode", "first_visit_gap_28_or_more")
    keys.tick("pain_sites", "low_back")
    keys.tick("leg_symptoms", "neither")
    keys.choose("work_status", "off_sick")
    keys.tick("everyday_activity", "bending_and_dressing")
    for question in ONE_BY_ONE:
        keys.choose(question, "absent")
    keys.no_to_the_rest("rest_of_red_flags")
    keys.choose("neuro_examination", "not_done_no_leg_symptoms")
    keys.choose("harm_belief", "absent")
    keys.choose("return_expectation", "8")
    keys.choose("stopped_activities", "present")
    keys.choose("low_mood", "absent")
    keys.choose("passive_expectation", "absent")
    keys.tick("yellow_flag_action", "activity_plan")
    keys.choose("anything_in_the_way_of_work", "absent")
    keys.choose("work_cause_opinion", "not_work")
    keys.tick("current_management", "self_care")
    keys.choose("activity_advice", "discussed_agrees")
    keys.choose("stay_or_return_advice", "given")
    keys.tick("adjustment_types", "amended_duties")
    keys.choose("report_consent", "given")
    for question in ("told_mostly_settles", "told_work_matters", "told_body_and_mind_matter"):
        keys.choose(question, "given")
    keys.settle()
    keys.to_the_papers()
    core = "leaflet-back-pain-core-en"
    with keys.page.context.expect_page() as opened:
        keys.press_button("Print A4", core)
    opened.value.wait_for_load_state()
    opened.value.close()
    for words, within, then in (
        ("Given on paper", core, "Leaflet given"),
        ("Make the report final", "", "Final since"),
    ):
        keys.press_button(words, within)
        expect(keys.page.locator("#finish")).to_contain_text(then)
    keys.press_button("Sign and lock")
    expect(keys.page.get_by_role("heading", name="Signed and locked")).to_be_visible()
    keys.skip()
    keys.press_button("Copy the note")
    expect(keys.page.locator("#copy-state")).to_have_text("Copied")
