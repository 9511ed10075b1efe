"""The results pages say what the results are, open every number, and name nobody."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pages
import pytest
from msgspec.structs import replace
from visiting import PEOPLE, PERSONAL, Service, Visitor

from consult.exchange.casefile import import_cases
from consult.exchange.intake import Import
from consult.proforma.answer import Answer
from consult.web.explain import outside_groups

EXAMPLES = Path(__file__).parents[1] / "data" / "example-cases.csv"
OUTCOMES = ("met", "not_met", "not_applicable", "missing")


@pytest.fixture
def lead(service: Service) -> Visitor:
    """The audit lead, over the example cases."""
    instance = service.instance
    how = Import("ELSEWHERE", instance.today(), "cli:test", instance.store.at())
    report = import_cases(instance.db, instance.library.current.dataset, EXAMPLES.read_text("utf-8"), how)
    assert report.added > 20
    return service.visitor("audit_lead")


def as_json(visitor: Visitor, query: str) -> dict[str, Any]:
    response = visitor.ask(f"/results/results.json?{query}")
    assert response.status_code == 200, response.text
    return json.loads(response.text)


def modes_of(visitor: Visitor) -> list[str]:
    page = visitor.get("/results?provider=*")
    return [
        (e.get("id") or "").removeprefix("mode-") for e in page.iter("h2") if (e.get("id") or "").startswith("mode-")
    ]


def test_the_page_says_what_the_documented_results_say(lead: Visitor) -> None:
    found = modes_of(lead)
    assert found
    for mode in found:
        results = as_json(lead, f"provider=*&capture={mode}")
        page = lead.get(f"/results?provider=*&capture={mode}")
        said = pages.text(page)
        assert f"{results['eligible']} eligible case" in said
        for reason, n in results["excluded"].items():
            assert f"{n} {reason.replace('_', ' ')}" in said
        rows = {row_measure(row): [pages.text(cell) for cell in row] for row in page.iter("tr") if row_measure(row)}
        assert set(rows) == set(results["measures"])
        for measure, result in results["measures"].items():
            applicable = result["met"] + result["not_met"]
            assert rows[measure][1] == f"{result['met']} of {applicable}"
            if applicable >= 5:
                assert rows[measure][2].startswith(f"{result['rate']:.0%}")
                assert f"{result['interval'][0]:.0%} to {result['interval'][1]:.0%}" in rows[measure][2]


def row_measure(row: Any) -> str:
    links = [a.get("href", "") for a in row.iter("a")]
    found = re.search(r"/measures/([a-z_]+)", links[0]) if links else None
    return found[1] if found else ""


def test_every_number_opens_to_as_many_cases(lead: Visitor) -> None:
    for mode in modes_of(lead):
        results = as_json(lead, f"provider=*&capture={mode}")
        for measure in ("red_flags_screened", "yellow_flags_action", "clear_information"):
            for outcome in OUTCOMES:
                path = f"/results/measures/{measure}/cases?provider=*&capture={mode}&outcome={outcome}"
                page = lead.get(path)
                rows = page.findall(".//table[@class='plain cases']/tbody/tr")
                assert len(rows) == results["measures"][measure][outcome]
                assert all(pages.text(list(row)[4]) for row in rows)


def test_every_case_opens_with_the_rule_that_decided_each_measure(service: Service, lead: Visitor) -> None:
    page = lead.get("/results/measures/red_flags_screened/cases?provider=*&outcome=met")
    links = [a.get("href", "") for a in page.iter("a") if "/results/cases/" in (a.get("href") or "")]
    assert links
    for link in links[:5]:
        case = lead.get(link)
        assert len(list(case.findall(".//tbody/tr"))) == len(service.instance.measures.measures)


def test_suspicion_or_action_without_a_group_that_is_present_is_said_and_no_more(service: Service) -> None:
    answers = {
        "blood_in_urine_or_loin_pain": Answer("absent"),
        "something_else_worries": Answer("present"),
        "serious_pathology_suspected": Answer("answered", "yes"),
    }
    outside = service.signed(**answers)
    unknown = {"first_back_pain_under_20_or_over_55": Answer("unsure")}
    unsure = service.signed(serious_pathology_suspected=Answer("answered", "yes"), **unknown)
    grouped = {"first_back_pain_under_20_or_over_55": Answer("present")}
    inside = service.signed(serious_pathology_suspected=Answer("answered", "yes"), **grouped)
    lead = service.visitor("audit_lead")
    said = "is recorded, though none of the nine groups is present."
    for one in (outside, unsure):
        text = pages.text(lead.get(f"/results/cases/DEMO/live/{one}"))
        assert said in text
        assert "finding outside" not in text
    assert said not in pages.text(lead.get(f"/results/cases/DEMO/live/{inside}"))


def test_nobody_is_named_on_any_page_of_results(service: Service) -> None:
    signed = service.signed(back_pain_reason=Answer("answered", "main"), employee_concern=Answer("answered", "private"))
    lead = service.visitor("audit_lead")
    clinicians = [name.lower() for role, name in PEOPLE.items() if role != "audit_lead"]
    paths = ["/results", "/results/results.json?capture=live", f"/results/cases/DEMO/live/{signed}"]
    for measure in service.instance.measures.measures:
        paths.append(f"/results/measures/{measure.id}")
        paths += [f"/results/measures/{measure.id}/cases?outcome={outcome}" for outcome in (*OUTCOMES, "excluded")]
    seen = False
    for path in paths:
        text = lead.ask(path).text.lower()
        seen = seen or signed[:13] in text
        assert not [word for word in (*PERSONAL, *clinicians, "private") if word in text], path
    assert seen


def test_capture_modes_are_never_pooled(service: Service, lead: Visitor) -> None:
    service.signed(back_pain_reason=Answer("answered", "main"))
    assert len(modes_of(lead)) > 1
    response = lead.ask("/results/results.json?provider=*")
    assert response.status_code == 409
    assert "never pooled" in response.text


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "to=2026-13-45",
        "capture=telepathy",
        "site=NOWHERE",
        "provider=%27%3B--",
        "provider=*&site=A",
        "from=2030-01-01&to=2020-01-01",
        "outcome=splendid",
    ],
)
@pytest.mark.parametrize("path", ["/results", "/results/measures/red_flags_screened", "/results/results.json"])
def test_a_selection_that_makes_no_sense_does_no_harm(lead: Visitor, path: str, query: str) -> None:
    assert lead.ask(f"{path}?{query}").status_code < 500


def test_the_number_moves_when_a_consultation_is_signed(service: Service) -> None:
    lead = service.visitor("audit_lead")
    assert "No case is selected yet" in pages.text(lead.get("/results"))
    answers = {
        "back_pain_reason": Answer("answered", "main"),
        "visit_and_episode": Answer("answered", "first_ever_episode"),
    }
    service.signed(**answers)
    assert "1 eligible case" in pages.text(lead.get("/results"))


def test_a_data_set_without_suspicion_and_action_says_nothing_of_them(service: Service) -> None:
    dataset = service.instance.library.current.dataset
    group = {"rf_cancer": "absent"}
    assert not outside_groups(group, replace(dataset, fields=()))
    assert outside_groups({**group, "rf_action": "emergency_same_day"}, replace(dataset, fields=()))


def test_a_rate_and_its_interval_are_not_parted_over_two_lines(lead: Visitor) -> None:
    """Beside an interval that ends in "over 99%" the rate stood alone in its line."""
    cells = [e for e in lead.get("/results?provider=*").iter("td") if re.match(r"\d+% \(", pages.text(e).strip())]
    assert cells
    assert {e.get("class") for e in cells} == {"nobreak"}
