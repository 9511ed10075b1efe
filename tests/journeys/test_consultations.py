"""Three whole consultations, from signing in to the results, each with JavaScript and without."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from effort import Counter, Effort, written
from hands import HANDS, Hand
from playwright.sync_api import Page, expect
from service import Service
from talks import ordinary, red_flag, work_related
from watching import Visit

from consult.audit import cases
from consult.audit.measures import outcomes
from consult.documents import signing

pytestmark = pytest.mark.browser

MOST_CLICKS = 45
AT_MOST_MORE = 1.1


@dataclass
class Held:
    """A consultation that was held: its id, the hand that held it, and what was seen on the way."""

    id: str
    hand: Hand
    seen: dict[str, Any] = field(default_factory=dict)


JOURNEYS: dict[str, tuple[str, Callable[[Hand, Service], dict[str, Any]]]] = {
    "nurse, ordinary": ("nurse", ordinary),
    "doctor, red flag": ("doctor", red_flag),
    "physiotherapist, work-related": ("physiotherapist", work_related),
}
EITHER = pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without JavaScript"])
EACH = pytest.mark.parametrize("journey", JOURNEYS)


@pytest.fixture(scope="module")
def hold(service: Service, open_visit: Visit) -> Callable[[str, bool], Held]:
    """Hold one of the consultations; what was held once is not held again in this module."""
    known: dict[tuple[str, bool], Held] = {}

    def once(journey: str, scripted: bool) -> Held:
        if (journey, scripted) not in known:
            known[journey, scripted] = held(journey, scripted)
        return known[journey, scripted]

    def held(journey: str, scripted: bool) -> Held:
        role, talk = JOURNEYS[journey]
        watch = open_visit(scripted=scripted)
        if journey == "doctor, red flag":
            watch.expected.append("409 (CONFLICT)")  # signing is held: the browser notes the status of the page
        counter = Counter(watch.context)
        hand = HANDS[scripted](watch.page())
        hand.sign_in(role)
        before = counts(hand.page)
        hand.page.goto("/")
        counter.begin()
        hand.register(*service.new_person())
        consultation = hand.start()
        counter.opened()
        hand.on_change = counter.answered
        seen = talk(hand, service)
        hand.sign()
        expect(hand.page.get_by_role("heading", name="Signed and locked")).to_be_visible()
        if scripted:
            hand.click(hand.page.get_by_role("button", name="Copy the note"))
            expect(hand.page.locator("#copy-state")).to_have_text("Copied")
            seen["effort"] = counter.total(hand)
            seen["clipboard"] = hand.page.evaluate("navigator.clipboard.readText()")
        seen |= {"clicks": hand.clicks, "before": before, "after": counts(hand.page)}
        seen["opened"] = opened(hand.page, consultation)
        watch.context.close()
        assert watch.complaints == []
        return Held(consultation, hand, seen)

    return once


def counts(page: Page) -> tuple[int, int]:
    """How many cases the results page counts as eligible, and how many as left out."""
    page.goto("/results")
    text = page.locator("main").inner_text()
    eligible = re.search(r"(\d+) eligible cases?", text)
    left_out = re.search(r"left out: ([^.]*)\.", text)
    return (
        int(eligible[1]) if eligible else 0,
        sum(int(n) for n in re.findall(r"\d+", left_out[1])) if left_out else 0,
    )


OF_ALL = "One rule decided each of them."
"""Where the rule is said once, above the cases."""


def opened(page: Page, consultation: str) -> dict[str, str]:
    """From a number of the results page to the case behind it: the rule on both pages."""
    with page.expect_navigation():  # what is counted at once must be of the page that comes
        page.get_by_role("link", name="Screening for red flags", exact=True).click()
    outcomes_of_it = page.locator("table a")
    for at in range(outcomes_of_it.count()):
        with page.expect_navigation():
            outcomes_of_it.nth(at).click()
        link = page.locator(f'a[href*="{consultation}"]')
        if link.count():
            of_all = page.get_by_text(OF_ALL)
            own = page.locator("tr", has=link).locator("td").nth(4)
            rule = (of_all if of_all.count() else own).inner_text().removeprefix(OF_ALL).strip()
            assert rule
            with page.expect_navigation():
                link.click()
            return {"rule": rule, "case": page.locator("h1").inner_text(), "page": page.locator("main").inner_text()}
        page.go_back()
    return {}


@EITHER
@EACH
def test_a_consultation_is_held_from_signing_in_to_the_results(
    hold: Callable[..., Held], service: Service, journey: str, scripted: bool
) -> None:
    held = hold(journey, scripted)
    assert service.consultation(held.id).state == "signed"
    assert sum(held.seen["after"]) == sum(held.seen["before"]) + 1
    assert held.seen["opened"]["case"] == f"Case {held.id}"
    assert held.seen["opened"]["rule"] in held.seen["opened"]["page"]


@EACH
def test_with_and_without_javascript_the_same_is_recorded(
    hold: Callable[..., Held], service: Service, journey: str
) -> None:
    with_script, without = (recorded(service, hold(journey, scripted).id) for scripted in (True, False))
    assert with_script == without
    assert with_script[0]


def recorded(service: Service, consultation_id: str) -> tuple[Any, ...]:
    """The answers that stand with how they were given, the decisions, the papers, the case without its reference."""
    consultation = service.consultation(consultation_id)
    last = {question: records[-1] for question, records in consultation.history.items() if records[-1].answer}
    answers = {q: (r.answer.state, r.answer.value, r.answer.reason, r.via) for q, r in last.items() if r.answer}
    decisions = {q: (d.state, d.level, d.decision, d.reason, d.told) for q, d in consultation.decisions.items()}
    papers = [(s.kind, (s.content or {}).get("form")) for s in consultation.documents if s.kind != "note_copied"]
    return answers, decisions, papers, case_of(service, consultation_id) | {"case_ref": ""}


def case_of(service: Service, consultation_id: str) -> dict[str, str]:
    row = cases.read(service.instance.db.read(), "DEMO", "live", consultation_id)
    assert row is not None
    return row.fields


def test_the_ordinary_consultation_takes_no_more_clicks_than_the_budget(
    hold: Callable[..., Held], capsys: pytest.CaptureFixture[str]
) -> None:
    held, other = hold("nurse, ordinary", True), hold("nurse, ordinary", False)
    with capsys.disabled():
        print(f"\nordinary consultation: {held.seen['clicks']} clicks, {held.hand.moves} moves to another section,")
        print(f"{held.seen['rows']} questions on the screen; without JavaScript {other.seen['clicks']} clicks")
    assert held.seen["clicks"] <= MOST_CLICKS


PUBLISHED = {
    "Nurse, ordinary consultation": "nurse, ordinary",
    "Physiotherapist, caused by work": "physiotherapist, work-related",
}


@pytest.mark.parametrize("persona", PUBLISHED)
def test_a_consultation_costs_the_hands_no_more_than_the_guide_says(hold: Callable[..., Held], persona: str) -> None:
    effort, said = hold(PUBLISHED[persona], True).seen["effort"], written()[persona]
    assert no_dearer(effort, said), f"{effort}, and the guide says {said}: mend it, or run effort.py and say why"
    assert 0 < effort.first <= 3


def no_dearer(effort: Effort, said: Effort) -> bool:
    """Within a tenth of what the guide says, and not so far below it that the guide is out of date."""
    spent, known = effort.clicks + effort.keys, said.clicks + said.keys
    return spent <= AT_MOST_MORE * known and known <= AT_MOST_MORE * spent and effort.moves <= AT_MOST_MORE * said.moves


@EITHER
def test_the_ordinary_consultation_meets_every_national_measure_that_applies(
    hold: Callable[..., Held], service: Service, scripted: bool
) -> None:
    instance = service.instance
    fields = case_of(service, hold("nurse, ordinary", scripted).id)
    found = outcomes(instance.measures, instance.library.current.dataset, fields)
    national = {m: found[m] for m in instance.measures.national}
    assert set(national.values()) <= {"met", "not_applicable"}, national
    assert found["red_flags_complete"] == "met"
    assert [m for m, outcome in national.items() if outcome == "not_applicable"] == ["work_cause_action"]


def test_the_copied_note_is_the_signed_note(hold: Callable[..., Held], service: Service) -> None:
    held = hold("nurse, ordinary", True)
    consultation = service.consultation(held.id)
    assert consultation.ended is not None
    assert consultation.ended.hash in held.seen["clipboard"]
    assert "note_copied" in [s.kind for s in consultation.documents]


@EITHER
def test_a_red_flag_holds_signing_until_a_decision_and_the_rest_may_stay_blank(
    hold: Callable[..., Held], service: Service, scripted: bool
) -> None:
    held = hold("doctor, red flag", scripted)
    assert "between the legs" in held.seen["held"]
    assert "01632 960 000" in held.seen["letter"]
    assert held.seen["actions"] == 1
    consultation = service.consultation(held.id)
    assert list(consultation.answers) == ["saddle_feeling_change"]
    assert [s.kind for s in consultation.documents if s.kind != "note_copied"] == ["letter_printed"]
    case = case_of(service, held.id)
    assert (case["rf_cauda_equina"], case["rf_action"]) == ("present", "same_day_emergency")
    assert case["rf_neurology"] == ""


@EITHER
def test_the_report_holds_the_adjustments_with_their_dates_and_nothing_of_health(
    hold: Callable[..., Held], service: Service, scripted: bool
) -> None:
    held = hold("physiotherapist, work-related", scripted)
    report = held.seen["report"]
    assert "Phased return" in report
    assert "Half shifts, then full" in report
    assert "Nothing from the floor" in report
    assert "pain" not in report.lower()
    case = case_of(service, held.id)
    assert case["adjustments_in_written_advice"] == "yes"
    assert case["cause_view"] == "caused"
    assert set(case["cause_action"].split(";")) == {"incident_report", "risk_assessment_review"}
    assert case == signing.case_of(service.instance.store, service.consultation(held.id))
