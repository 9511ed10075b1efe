"""Rounds, targets, second readings, capture quality, follow-up and the organisational section, as pages."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from itertools import product
from typing import Any

import pages
import pytest
from visiting import CASE, PEOPLE, PERSONAL, Service, Visitor

from consult.accounts import people
from consult.audit import reliability, rounds, sampling, targets
from consult.exchange.casefile import export, import_cases
from consult.exchange.intake import Import
from consult.proforma.answer import Answer
from consult.record.ledger import steps

ELIGIBLE = {
    "back_pain_reason": Answer("answered", "main"),
    "visit_and_episode": Answer("answered", "first_ever_episode"),
}


@pytest.fixture
def lead(service: Service) -> Visitor:
    return service.visitor("audit_lead")


def make_round(service: Service, lead: Visitor, **more: str) -> str:
    today = service.instance.today()
    sent = {
        "name": "Round one",
        "capture": "live",
        "start": (today - timedelta(days=400)).isoformat(),
        "end": today.isoformat(),
        "rule": "first",
        "n": "40",
    }
    response = lead.post("/rounds/new", {**sent, **more})
    assert response.status_code == 302, pages.text(pages.parse(response.text))
    return response.headers["Location"].rpartition("/")[2]


def sitting(visitor: Visitor) -> str:
    return visitor.post("/entry", {"wanted": "40"}).headers["Location"].rpartition("/")[0].rpartition("/")[0]


def enter(visitor: Visitor, at: str, ref: str, **more: str) -> Any:
    draft = f"11111111-1111-4111-8111-{abs(hash(ref)) % 10**12:012}"
    fields = {f"f.{name}": text for name, text in more.items()}
    return visitor.post(f"{at}/cases/{draft}", {**CASE, "f.case_ref": ref, "act": "next", **fields})


def row_of(page: Any, label: str) -> list[str]:
    rows = [[pages.text(cell) for cell in row] for row in page.iter("tr")]
    return next(row for row in rows if row and row[0] == label)


def test_lists_of_cases_name_the_site_as_the_results_do(service: Service) -> None:
    nurse, lead = service.visitor("nurse"), service.visitor("audit_lead")
    at = sitting(nurse)
    enter(nurse, at, "R-1")
    id_ = make_round(service, lead, capture="retrospective", start="2026-01-01", end="2026-12-31")
    case = "cases/DEMO/retrospective/R-1"
    cases = ["met", "not_met", "not_applicable"]
    listed = [f"/results/measures/barriers_asked/cases?outcome={outcome}" for outcome in cases]
    (held,) = [path for path in listed if "R-1" in nurse.ask(path).text]
    for path in (held, f"/results/{case}", f"/rounds/{id_}", f"/rounds/{id_}/{case}", at):
        assert "Site A (invented)" in pages.text(nurse.get(path)), path
    assert row_of(lead.get(f"/rounds/{id_}"), "R-1")[1] == "Site A (invented)"


def test_only_the_report_of_case_notes_has_a_column_for_tests_against_the_published_figures(service: Service) -> None:
    nurse, lead = service.visitor("nurse"), service.visitor("audit_lead")
    service.signed(**ELIGIBLE)
    enter(nurse, sitting(nurse), "R-1")
    year = {"start": "2026-01-01", "end": "2026-12-31"}
    for capture, tested in (("live", False), ("retrospective", True)):
        id_ = make_round(service, lead, capture=capture, name=capture, **year)
        page = lead.get(f"/evidence/rounds/{id_}/report")
        assert ("Beside 2011" in pages.text(page)) == tested
        rows = [[pages.text(cell) for cell in row] for row in page.iter("tr")]
        (head,) = [row for row in rows if "2011, from case notes" in row]
        assert len(next(row for row in rows if row[0] == "Screening for red flags")) == len(head)


# ---------------------------------------------------------------- rounds


def test_a_round_shows_its_sample_and_what_became_of_every_consultation(service: Service, lead: Visitor) -> None:
    service.signed(**ELIGIBLE)
    service.signed(**{**ELIGIBLE, "visit_and_episode": Answer("answered", "later_visit")})
    service.begin()
    abandoned = service.begin()
    service.instance.store.abandon(abandoned, "interrupted", "", "abandoned-by-test-1", service.who["nurse"])
    id_ = make_round(service, lead)
    page = lead.get(f"/rounds/{id_}")
    assert row_of(page, "All")[1:] == ["4", "1", "1", "0", "0", "1", "1", "1", "0"]
    assert row_of(page, "Site A (invented)")[1:] == row_of(page, "All")[1:]
    assert row_of(page, "Occupational health nurse")[1:] == row_of(page, "All")[1:]
    said = pages.text(page)
    assert "Sample: 1 case, held on" in said
    assert "Interrupted and not taken up again".lower() in said
    paper = lead.ask(f"/evidence/rounds/{id_}/report").text
    assert "n = 1 case." in paper
    assert "The sample holds 1 case, taken by rule" in paper


def test_the_same_numbers_stand_on_page_json_and_results_of_the_round(service: Service, lead: Visitor) -> None:
    nurse = service.visitor("nurse")
    at = sitting(nurse)
    for n in range(7):
        more = {"barriers_asked": "yes", "rf_cancer": "unable", "rf_trauma": "absent"} if n < 4 else {}
        assert enter(nurse, at, f"R-{n}", consultation_date=f"2026-03-0{n + 1}", **more).status_code == 302
    id_ = make_round(service, lead, capture="retrospective", n="6", start="2026-01-01", end="2026-12-31")
    found = json.loads(lead.ask(f"/results/results.json?round={id_}").text)
    assert (found["eligible"], found["from"], found["to"]) == (6, "2026-03-01", "2026-03-06")
    one = rounds.rounds(service.instance.db.read())[id_]
    conn, dataset = service.instance.db.read(), service.instance.library.current.dataset
    same = sampling.round_results(conn, service.instance.measures, dataset, one)
    assert {m: (r["met"], r["not_met"]) for m, r in found["measures"].items()} == {
        m: (r.met, r.not_met) for m, r in same.measures.items()
    }
    page = lead.get(f"/rounds/{id_}/results")
    title = service.instance.measures.by_id["barriers_asked"].title
    assert row_of(page, title)[1] == "67% (4 of 6)"
    said = "The sample holds 6 of the 7 eligible cases of the period."
    assert row_of(page, title)[3] == "57% (4 of 7)", "the sample beside all eligible of the period"
    assert said in pages.text(page)
    overview = lead.get(f"/results?round={id_}")
    assert said in pages.text(overview)
    (cells,) = ([pages.text(c) for c in row] for row in overview.iter("tr") if pages.text(row).startswith(title))
    assert "all eligible of the period: 4 of 7 (57%)" in cells
    assert said not in pages.text(lead.get(f"/results?round={id_}&copy=leaving"))
    assert said not in pages.text(lead.get("/results"))
    assert "held from 1 March 2026 to 6 March 2026" in pages.text(page)
    titles = [m.title for m in service.instance.measures.measures]
    rows = [pages.text(row) for row in page.iter("tr")]
    red = next(at for at, row in enumerate(rows) if row.startswith("Screening for red flags"))
    complete = service.instance.measures.by_id["red_flags_complete"].title
    assert rows[red + 1].startswith(f"beside it: {complete}"), "the two stand side by side"
    assert "Of which could not be established: 4." in rows[red]
    any_of_three = service.instance.measures.by_id["clear_information_any"]
    for shown in (rows, [pages.text(row) for row in overview.iter("tr")]):
        (beside,) = [row for row in shown if row.startswith(f"beside it: {any_of_three.title}")]
        assert "The published wording allows all three points or any of them" in beside
        assert "48%" in beside
    assert all(any(title in row for row in rows) for title in titles)
    cases = lead.get(f"/results/measures/barriers_asked/cases?round={id_}&outcome=met")
    assert "Eligible cases held from 1 March 2026 to 6 March 2026." in pages.text(cases)
    for path in (f"/results?round={id_}", f"/results/measures/barriers_asked?round={id_}"):
        assert lead.ask(path).status_code == 200


def test_a_round_names_the_versions_it_is_counted_by_and_was_held_with(service: Service, lead: Visitor) -> None:
    instance = service.instance
    first = instance.library.current
    service.signed(**ELIGIBLE)
    id_, notes = make_round(service, lead), make_round(service, lead, name="Notes", capture="retrospective")
    scored = f"Counted by measures version {instance.measures.version} ({instance.content.measures_digest[:12]})."
    held = f"were held with proforma version {first.proforma.version} ({first.digest[:12]})."
    for page in ("", "/results"):
        said = pages.text(lead.get(f"/rounds/{id_}{page}"))
        assert scored in said
        assert held in said
        assert f"Proforma in use: version {first.proforma.version} ({first.digest[:12]})" in pages.text(
            lead.get(f"/rounds/{notes}{page}")
        )


def test_a_case_is_taken_out_with_reason_and_name_and_taken_back(service: Service, lead: Visitor) -> None:
    ref = service.signed(**ELIGIBLE)
    id_ = make_round(service, lead)
    path = f"/rounds/{id_}/cases/DEMO/live/{ref}"
    assert lead.post(path, {"out": "yes"}).status_code == 422
    assert lead.post(path, {"out": "yes", "reason": "restricted"}).status_code == 302
    page = lead.get(f"/rounds/{id_}")
    assert row_of(page, "All")[1:6] == ["1", "1", "0", "0", "1"]
    assert "asked to keep the record out of audit" in pages.text(page)
    assert PEOPLE["audit_lead"] in pages.text(page)
    assert lead.post(path, {"out": "no", "text": "Withdrawn again"}).status_code == 302
    assert row_of(lead.get(f"/rounds/{id_}"), "All")[3] == "1"
    assert service.visitor("nurse").post(path, {"out": "yes", "reason": "restricted"}).status_code == 403


def test_a_change_of_a_round_shows_why(service: Service, lead: Visitor) -> None:
    id_ = make_round(service, lead)
    seen = pages.value_of(lead.get(f"/rounds/{id_}/change"), "seen")
    change = {"name": "Round two", "start": "2026-01-01", "end": "2026-06-30", "rule": "all", "n": "40", "seen": seen}
    refused = lead.post(f"/rounds/{id_}/change", change)
    assert refused.status_code == 422
    assert pages.value_of(pages.parse(refused.text), "name") == "Round two", "nothing typed is lost"
    assert lead.post(f"/rounds/{id_}/change", {**change, "reason": "Half a year"}).status_code == 302
    assert "changed: Half a year" in pages.text(lead.get(f"/rounds/{id_}"))
    assert lead.post(f"/rounds/{id_}/withdraw", {"reason": "Made twice"}).status_code == 302
    assert lead.ask(f"/rounds/{id_}").status_code == 404
    assert "Made twice" in pages.text(lead.get("/rounds"))


def test_a_site_may_follow_a_rule_of_its_own(service: Service, lead: Visitor) -> None:
    today = service.instance.today().isoformat()
    id_ = make_round(service, lead, **{"rule.A": "first", "n.A": "7", "start.A": today})
    one = rounds.rounds(service.instance.db.read())[id_]
    assert (one.of_site("A").n, one.of_site("A").start) == (7, today)
    assert pages.value_of(lead.get(f"/rounds/{id_}/change"), "n.A") == "7"


def test_targets_show_who_set_them_when_and_why(service: Service, lead: Visitor) -> None:
    sent = {"measure": "barriers_asked", "percent": "80", "reason": "Agreed in May"}
    assert lead.post("/rounds/targets", sent).status_code == 302
    title = service.instance.measures.by_id["barriers_asked"].title
    for visitor in (lead, service.visitor("nurse")):
        row = row_of(visitor.get("/rounds/targets"), title)
        assert row[1] == "80%"
        assert "Agreed in May" in row[2]
        assert PEOPLE["audit_lead"] in row[2]
    for wrong in ({"percent": "0"}, {"percent": "101"}, {"percent": "most"}, {"reason": ""}, {"measure": "none"}):
        assert lead.post("/rounds/targets", {**sent, **wrong}).status_code == 422
    assert service.visitor("nurse").post("/rounds/targets", sent).status_code == 403
    assert targets.targets(service.instance.db.read())["barriers_asked"].share == 0.8


def test_the_helper_says_how_sure_so_many_cases_make_one(lead: Visitor) -> None:
    said = pages.text(lead.get("/rounds/sample-size?n=40&rate=55&width=10"))
    assert "With 40 cases a rate of 55% is known to about 40% to 69%." in said
    assert "To know a rate of 55% to within ± 10 points takes 92 cases" in said
    for query in ("n=0&rate=-1", "n=x&rate=&width=", "n=99999999&rate=1000&width=900", "n=%C2%B2"):
        assert lead.ask(f"/rounds/sample-size?{query}").status_code == 200


# ---------------------------------------------------------------- cases from notes


def test_a_new_installation_is_led_to_the_baseline(service: Service) -> None:
    nurse = service.visitor("nurse")
    assert "enter 40 past cases" in pages.text(nurse.get("/"))
    assert "Before going live: enter 40 past cases from the notes." in pages.text(nurse.get("/entry"))
    service.signed(**ELIGIBLE)
    assert "enter 40 past cases" not in pages.text(nurse.get("/"))


def test_nothing_is_selected_before_somebody_selects_it(service: Service) -> None:
    nurse = service.visitor("nurse")
    page = nurse.get(nurse.post("/entry", {"wanted": "40"}).headers["Location"])
    assert [e for e in page.iter("input") if e.get("checked") is not None] == []
    asked = {e.get("name", "").removesuffix("-day") for tag in ("input", "select") for e in page.iter(tag)}
    names = set(service.instance.library.current.dataset.by_name) - {"provider", "capture_mode"}
    assert {f"f.{name}" for name in names} <= asked
    assert {e.get("value") for e in page.iter("option") if e.get("selected") is not None} == set()


def test_a_sitting_counts_goes_on_and_keeps_what_is_unfinished(service: Service) -> None:
    nurse = service.visitor("nurse")
    at = sitting(nurse)
    assert enter(nurse, at, "R-1", sex="female").status_code == 302
    refused = enter(nurse, at, "R-2", consultation_date="2099-01-01", sex="male")
    assert refused.status_code == 422
    page = pages.parse(refused.text)
    assert pages.value_of(page, "f.sex") == "male", "nothing typed is lost"
    assert "in the future" in pages.text(page)
    here = nurse.get(at)
    assert "1 of 40 cases entered" in pages.text(here)
    (draft,) = [a.get("href") for a in here.iter("a") if pages.text(a) == "R-2"]
    assert pages.value_of(nurse.get(draft or ""), "f.sex") == "male"
    assert nurse.post(f"{draft}/drop", {"reason": ""}).status_code == 422
    assert nurse.post(f"{draft}/drop", {"reason": "Not about back pain"}).status_code == 302
    assert "Unfinished" not in pages.text(nurse.get(at))
    assert service.visitor("doctor").ask(at).status_code == 404


def test_what_is_wrong_with_a_case_is_said_in_the_words_of_the_form_and_leads_to_its_field(service: Service) -> None:
    nurse = service.visitor("nurse")
    refused = nurse.post(f"{sitting(nurse)}/cases/22222222-2222-4222-8222-222222222222", {"act": "next"})
    page = pages.parse(refused.text)
    summary = page.find(".//div[@class='nhsuk-error-summary']")
    assert summary is not None
    said = pages.text(summary)
    fields = service.instance.library.current.dataset.by_name
    assert "“Case reference” is blank, and every case must have it; fill it in." in said
    assert not [name for name in fields if "_" in name and name in said]
    ids = [e.get("id") for e in page.iter() if e.get("id")]
    links = [a.get("href", "").removeprefix("#") for a in summary.iter("a")]
    assert len(links) == 7
    assert [ids.index(link) for link in links] == sorted(ids.index(link) for link in links)
    for link in links[:3]:
        control = next(e for e in page.iter() if e.get("id") == link)
        assert control.get("aria-describedby") in ids


def test_a_case_held_already_is_shown_beside_the_one_typed(service: Service) -> None:
    nurse = service.visitor("nurse")
    at = sitting(nurse)
    enter(nurse, at, "R-1", sex="female")
    draft = "22222222-2222-4222-8222-222222222222"
    refused = nurse.post(f"{at}/cases/{draft}", {**CASE, "f.case_ref": "R-1", "f.sex": "male", "act": "next"})
    assert refused.status_code == 422
    assert row_of(pages.parse(refused.text), "Sex") == ["Sex", "Female", "Male (differs)"]


def test_site_and_clinician_are_kept_only_where_that_is_ticked_and_it_is_said(service: Service) -> None:
    nurse = service.visitor("nurse")
    at = sitting(nurse)
    without = enter(nurse, at, "R-1").headers["Location"]
    assert pages.value_of(nurse.get(without), "f.clinician_role") is None
    draft = "33333333-3333-4333-8333-333333333333"
    ticked = nurse.post(f"{at}/cases/{draft}", {**CASE, "f.case_ref": "R-2", "carry": "yes", "act": "next"})
    page = nurse.get(ticked.headers["Location"])
    assert pages.value_of(page, "f.clinician_role") == "nurse"
    assert pages.value_of(page, "f.site") == "A"
    assert pages.value_of(page, "f.consultation_date") == ""
    assert "Kept from the case before" in pages.text(page)


def test_an_entered_case_is_edited_with_a_reason(service: Service) -> None:
    nurse = service.visitor("nurse")
    enter(nurse, sitting(nurse), "R-1", sex="female")
    path = "/entry/edit/DEMO/retrospective/R-1"
    page = nurse.get(path)
    assert pages.value_of(page, "f.sex") == "female"
    sent = {**CASE, "f.sex": "male", "seen": pages.value_of(page, "seen")}
    assert nurse.post(path, sent).status_code == 422
    assert nurse.post(path, {**sent, "reason": "Misread"}).status_code == 302
    again = nurse.get(path)
    assert pages.value_of(again, "f.sex") == "male"
    assert "Misread" in pages.text(again)
    live = service.signed(**ELIGIBLE)
    assert "addendum" in nurse.ask(f"/entry/edit/DEMO/live/{live}").text


# ---------------------------------------------------------------- second readings


def test_a_second_reading_is_blind_by_somebody_else_and_settled_by_both(service: Service, lead: Visitor) -> None:
    nurse, doctor = service.visitor("nurse"), service.visitor("doctor")
    at = sitting(nurse)
    for n in range(6):
        enter(nurse, at, f"R-{n}", sex="female", staff_group="students")
    id_ = make_round(service, lead, capture="retrospective", start="2026-01-01", end="2026-12-31")
    assert nurse.post(f"/rounds/{id_}/readings/draw").status_code == 403
    assert lead.post(f"/rounds/{id_}/readings/draw").status_code == 302
    assert lead.post(f"/rounds/{id_}/readings/draw").status_code == 422, "drawn once"
    draw = reliability.draws(service.instance.db.read())[id_]
    ref = draw.cases[0].case[2]
    path = f"/rounds/{id_}/readings/DEMO/retrospective/{ref}"
    assert "somebody else" in nurse.ask(path).text
    page = doctor.get(path)
    assert [e for e in page.iter("input") if e.get("checked") is not None] == [], "blind"
    assert "f.case_ref" not in {e.get("name") for e in page.iter("input")}
    reading = {name: text for name, text in CASE.items() if name not in ("f.site", "f.consultation_date")}
    assert doctor.post(path, {**reading, "f.sex": "x"}).status_code == 422
    assert doctor.post(path, {**reading, "f.sex": "male", "f.staff_group": "students"}).status_code == 302
    page = doctor.get(f"/rounds/{id_}/readings")
    said = pages.text(page)
    assert "Disputed items: 1" in said
    assert f"Sex, case {ref}: first reader Female, second reader Male." in said
    assert row_of(page, "Sex")[1] == "0 of 1"
    assert row_of(page, "Staff group")[1] == "1 of 1"
    settle = f"{path}/sex"
    assert doctor.post(settle, {"value": "male"}).status_code == 302
    assert pages.value_of(nurse.get(f"/entry/edit/DEMO/retrospective/{ref}"), "f.sex") == "female"
    assert nurse.post(settle, {"value": "male", "text": "Page two says so"}).status_code == 302
    edited = nurse.get(f"/entry/edit/DEMO/retrospective/{ref}")
    assert pages.value_of(edited, "f.sex") == "male"
    assert "Both readers of the notes agree on sex. Page two says so" in pages.text(edited)
    page = doctor.get(f"/rounds/{id_}/readings")
    assert "Settled: Male." in pages.text(page)
    assert row_of(page, "Sex")[1] == "0 of 1", "the agreement stays as it was"


def test_what_waits_for_a_second_reading_is_kept_from_who_may_read_it(service: Service, lead: Visitor) -> None:
    nurse, doctor = service.visitor("nurse"), service.visitor("doctor")
    at = sitting(nurse)
    enter(nurse, at, "R-1", sex="female", barriers_asked="yes")
    id_ = make_round(service, lead, capture="retrospective", start="2026-01-01", end="2026-12-31")
    case, edit = "/results/cases/DEMO/retrospective/R-1", "/entry/edit/DEMO/retrospective/R-1"
    cases = "/results/measures/barriers_asked/cases?outcome=met"
    assert doctor.ask(case).status_code == 200
    lead.post(f"/rounds/{id_}/readings/draw")
    for path in (case, edit):
        assert "blind reading" in doctor.ask(path).text
        assert "Female" not in doctor.ask(path).text
        assert nurse.ask(path).status_code == 200, "who wrote it knows it"
    assert lead.ask(case).status_code == 200, "the lead reads no notes"
    assert "blind reading" in pages.text(doctor.get(cases))
    assert "Met: " not in pages.text(doctor.get(cases).find(".//table[@class='plain cases']"))
    assert "blind reading" not in pages.text(lead.get(cases))
    reading = {name: text for name, text in CASE.items() if name not in ("f.site", "f.consultation_date")}
    assert doctor.post(f"/rounds/{id_}/readings/DEMO/retrospective/R-1", reading).status_code == 302
    assert doctor.ask(case).status_code == 200
    assert "not blind" not in pages.text(lead.get(f"/rounds/{id_}/readings"))


def test_the_lead_is_told_where_a_second_reading_can_not_be_shown_to_be_blind(service: Service, lead: Visitor) -> None:
    instance = service.instance
    row = {name.removeprefix("f."): text for name, text in CASE.items()} | {"case_ref": "F-1"}
    row |= {"provider": "DEMO", "capture_mode": "retrospective"}
    dataset = instance.library.current.dataset
    how = Import("DEMO", instance.today(), "cli:test", instance.store.at())
    text = "".join(export([dict.fromkeys(dataset.by_name, "") | row], dataset))
    assert import_cases(instance.db, dataset, text, how).added == 1
    id_ = make_round(service, lead, capture="retrospective", start="2026-01-01", end="2026-12-31")
    lead.post(f"/rounds/{id_}/readings/draw")
    reading = {name: text for name, text in CASE.items() if name not in ("f.site", "f.consultation_date")}
    doctor = service.visitor("doctor")
    assert doctor.post(f"/rounds/{id_}/readings/DEMO/retrospective/F-1", reading).status_code == 302
    said = pages.text(lead.get(f"/rounds/{id_}/readings"))
    assert "1 of 1 second readings was not blind, or can’t be shown to have been." in said
    assert "Case F-1: the first entry came with a file, so who read the notes first is not known." in said
    assert "not blind" not in pages.text(doctor.get(f"/rounds/{id_}/readings")), "for the lead only"


# ---------------------------------------------------------------- capture quality, follow-up, organisation


def test_capture_quality_is_ones_own_and_the_lead_sees_no_figures_of_one_or_two(
    service: Service, lead: Visitor
) -> None:
    service.signed(**ELIGIBLE)
    assert row_of(service.visitor("nurse").get("/capture-quality"), "Signed consultations")[1] == "1"
    assert row_of(service.visitor("doctor").get("/capture-quality"), "Signed consultations")[1] == "0"
    page = lead.get("/capture-quality")
    assert "no totals are shown" in pages.text(page)
    assert "Signed consultations" not in pages.text(page)
    for query in ("from=x&to=y", "from=2030-01-01&to=2020-01-01"):
        assert lead.ask(f"/capture-quality?{query}").status_code == 200


def test_follow_up_is_listed_until_filled_in(service: Service) -> None:
    nurse = service.visitor("nurse")
    consultation = service.begin()
    question = next(
        q
        for q in service.instance.library.current.proforma.questions
        if q.kind == "finding" and q.emergency and q.show_if is None
    )
    nurse.save(consultation, {f"a.{question.id}": "present"})
    sent = {"question": question.id, "decision": "same_day_emergency", "reason": "Sent with a letter"}
    assert nurse.decide(consultation, sent).status_code == 302
    nurse.post(f"/consultations/{consultation}/abandon", {"reason": "sent_as_emergency"})
    assert "1 decision or adjustment waits for you to record what became of it" in pages.text(nurse.get("/"))
    page = nurse.get("/follow-up")
    assert "Urgent decisions: 1 without an outcome" in pages.text(page)
    seq = pages.value_of(page, "decision")
    path = f"/follow-up/{consultation}/decisions"
    assert nurse.post(path, {"decision": seq}).status_code == 422
    assert service.visitor("doctor").post(path, {"decision": seq, "outcome": "arrived"}).status_code == 404
    assert nurse.post(path, {"decision": seq, "outcome": "arrived", "text": "Rang"}).status_code == 302
    assert "Urgent decisions: 0 without an outcome" in pages.text(nurse.get("/follow-up"))
    assert "waits for you" not in pages.text(nurse.get("/"))
    assert nurse.ask(f"/consultations/{consultation}/steps").status_code == 200


def test_follow_up_of_a_clinician_who_left_is_seen_to_by_a_colleague(service: Service) -> None:
    nurse, doctor = service.visitor("nurse"), service.visitor("doctor")
    proforma = service.instance.library.current.proforma
    question = next(q for q in proforma.questions if q.kind == "finding" and q.emergency and q.show_if is None)
    consultation = service.begin()
    nurse.save(consultation, {f"a.{question.id}": "present"})
    nurse.decide(consultation, {"question": question.id, "decision": "same_day_emergency", "reason": "Sent by letter"})
    nurse.post(f"/consultations/{consultation}/abandon", {"reason": "sent_as_emergency"})
    assert "have left" not in pages.text(doctor.get("/"))
    with service.instance.db.write() as conn:
        people.set_active(conn, service.who["nurse"].actor, False, "test", service.instance.store.at())
    assert "Follow-up of colleagues who have left: 1 decision or adjustment waits" in pages.text(doctor.get("/"))
    page = doctor.get("/follow-up")
    assert "Of colleagues who have left: 1 to be seen to" in pages.text(page)
    assert "by Nora Nurse" in pages.text(page)
    links = [a.get("href", "") for a in page.iter("a")]
    assert f"/consultations/{consultation}" not in links, "the consultation stays with whoever held it"
    assert [doctor.ask(link).status_code for link in links if link.startswith("/employees/")] == [200]
    sent = {"decision": pages.value_of(page, "decision"), "outcome": "arrived", "text": "Rang the ward"}
    assert doctor.post(f"/follow-up/{consultation}/decisions", sent).status_code == 302
    assert "have left" not in pages.text(doctor.get("/follow-up"))


def test_the_organisational_section_stands_beside_what_was_published_with_its_caveat(
    service: Service, lead: Visitor
) -> None:
    year = service.instance.today().year
    path = f"/organisation/A/{year}"
    assert service.visitor("nurse").ask(path).status_code == 403
    assert lead.post(path, {"q.direct_access": "yes", "q.fast_track_wait": "soon"}).status_code == 422
    assert lead.post(path, {"q.direct_access": "yes", "q.fast_track_wait": "12"}).status_code == 302
    page = lead.get("/organisation")
    assert row_of(page, "Can employees go to physiotherapy directly, without a referral?")[1:] == [
        "Yes",
        "1 of 1",
        "90%",
    ]
    assert row_of(page, "Typical wait for fast-track physiotherapy")[1] == "12 working days"
    assert row_of(page, "Is there fast-track physiotherapy for employees?")[1:] == [
        "Not recorded",
        "none answered",
        "52%",
    ]
    assert pages.text(page).count("whether it counts services or staff is unclear") == 3
    assert lead.ask("/organisation/NOWHERE/2026").status_code == 404
    assert lead.ask("/organisation/A/1066").status_code == 404
    (step,) = steps(service.instance.db.read(), kind="organisation_answered")
    assert step.content is not None
    assert step.content["digest"] == service.instance.content.organisation_digest


def test_nobody_but_the_lead_is_named_on_the_pages_of_the_lead(service: Service, lead: Visitor) -> None:
    ref = service.signed(**ELIGIBLE, employee_concern=Answer("answered", "private"))
    service.begin()
    id_ = make_round(service, lead)
    lead.post(f"/rounds/{id_}/cases/DEMO/live/{ref}", {"out": "yes", "reason": "restricted"})
    clinicians = [name.lower() for role, name in PEOPLE.items() if role != "audit_lead"]
    paths = ["/rounds", f"/rounds/{id_}", f"/rounds/{id_}/results", f"/rounds/{id_}/readings", "/rounds/targets"]
    paths += [f"/rounds/{id_}/cases/DEMO/live/{ref}", "/capture-quality", "/organisation", "/entry"]
    for path in paths:
        text = lead.ask(path).text.lower()
        assert not [word for word in (*PERSONAL, *clinicians, "private") if re.search(rf"\b{word}", text)], path


ROUND_BY_A = {"name": "Round by A", "n": "20", "rule": "all"}
ROUND_BY_B = {"name": "Round by B", "n": "30", "rule": "first"}


@pytest.mark.parametrize(("of_a", "of_b"), list(product(ROUND_BY_A, repeat=2)))
def test_a_change_of_a_round_that_is_out_of_date_is_shown_beside_what_stands_now(
    service: Service, lead: Visitor, of_a: str, of_b: str
) -> None:
    today = service.instance.today()
    dates = {"start": (today - timedelta(days=400)).isoformat(), "end": today.isoformat()}
    id_ = make_round(service, lead)
    as_made = {"name": "Round one", "rule": "first", "n": "40", **dates}
    to_change = lead.get(f"/rounds/{id_}/change")
    known = {name: pages.value_of(to_change, name) or "" for name in ("seen", "key")}
    stale = {**as_made, **known, "key": str(uuid.uuid4()), of_b: ROUND_BY_B[of_b], "reason": "B knows more"}
    done = {**as_made, **known, of_a: ROUND_BY_A[of_a], "reason": "A was first"}
    for _ in range(2):  # sent again it is the same change
        assert lead.post(f"/rounds/{id_}/change", done).status_code == 302
    reply = lead.post(f"/rounds/{id_}/change", stale)
    assert reply.status_code == 409
    stands = rounds.rounds(service.instance.db.read())[id_]
    assert str(getattr(stands, of_a)) == ROUND_BY_A[of_a]
    assert len(stands.history) == 2
    page = pages.parse(reply.text)
    assert (pages.value_of(page, "name"), pages.value_of(page, "reason")) == (stale["name"], "B knows more")
    (beside,) = [e for e in page.iter("dl") if e.get("id") == "as-it-stands"]
    assert "A was first" in pages.text(beside)
    assert stands.name in pages.text(beside)
    seen = {name: pages.value_of(page, name) or "" for name in ("seen", "key")}
    assert lead.post(f"/rounds/{id_}/change", stale | seen).status_code == 302
    assert str(getattr(rounds.rounds(service.instance.db.read())[id_], of_b)) == ROUND_BY_B[of_b]
