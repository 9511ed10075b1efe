"""The files of the results pages: the numbers of the page, and only the listed outputs may leave the provider."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pages
import pytest
from visiting import Service, Visitor

from consult.audit import leaving
from consult.exchange.casefile import import_cases
from consult.exchange.intake import Import
from consult.proforma.answer import Answer

EXAMPLES = Path(__file__).parents[1] / "data" / "example-cases.csv"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lead(service: Service) -> Visitor:
    """The audit lead, over the example cases."""
    instance = service.instance
    how = Import("ELSEWHERE", instance.today(), "cli:test", instance.store.at())
    import_cases(instance.db, instance.library.current.dataset, EXAMPLES.read_text("utf-8"), how)
    return service.visitor("audit_lead")


def rows(visitor: Visitor, name: str, query: str) -> list[dict[str, str]]:
    response = visitor.ask(f"/results/files/{name}?{query}")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


def test_the_file_holds_the_numbers_of_the_page(lead: Visitor) -> None:
    query = "provider=ELSEWHERE&capture=retrospective"
    known = json.loads(lead.ask(f"/results/results.json?{query}").text)
    said = pages.text(lead.get(f"/results?{query}"))
    for row in rows(lead, "results.csv", query):
        if row["measure"] != "opportunity":
            result = known["measures"][row["measure"]]
            assert (int(row["met"]), int(row["not_met"])) == (result["met"], result["not_met"])
            assert f"{row['met']} of {int(row['met']) + int(row['not_met'])}" in said
    assert len(rows(lead, "results.csv", query)) == len(known["measures"]) + 1


def test_a_page_links_its_files_and_each_is_there(lead: Visitor) -> None:
    page = lead.get("/results?provider=ELSEWHERE&capture=retrospective")
    links = [a.get("href") or "" for a in page.iter("a") if "/results/files/" in (a.get("href") or "")]
    assert {link.split("?")[0].rpartition("/")[2] for link in links} == {
        "results.csv",
        "results.xlsx",
        "indicators.csv",
        "cases.csv",
        "cases.xlsx",
    }
    for link in links:
        assert lead.ask(link).status_code == 200


def test_rows_are_offered_beside_internal_results_only_and_what_they_tell_is_said(lead: Visitor) -> None:
    query, said = "provider=ELSEWHERE&capture=retrospective", "Whoever has the rows can count every number"
    page, copy = lead.get(f"/results?{query}"), lead.get(f"/results?{query}&copy=leaving")
    rows_of = [a.get("href") or "" for a in page.iter("a") if "/results/files/cases." in (a.get("href") or "")]
    assert sorted("copy=leaving" in link for link in rows_of) == [False, False, True, True]
    assert {lead.ask(link).status_code for link in rows_of} == {200}
    assert said in pages.text(page)
    assert not [a for a in copy.iter("a") if "/results/files/cases." in (a.get("href") or "")]
    assert said not in pages.text(copy)


def test_a_copy_reminds_who_makes_it_that_overlapping_copies_tell_of_few(lead: Visitor, service: Service) -> None:
    query, said = "provider=ELSEWHERE&capture=retrospective", "Of copies that share most of their cases hand on one"
    for path in ("/results", "/results/measures/red_flags_screened"):
        assert said in pages.text(lead.get(f"{path}?{query}&copy=leaving"))
        assert said not in pages.text(lead.get(f"{path}?{query}"))
    assert said not in pages.text(service.visitor("coordinator").get("/results"))


def test_each_way_of_capture_has_its_files_where_several_stand_on_one_page(service: Service, lead: Visitor) -> None:
    service.signed(back_pain_reason=Answer("answered", "main"))
    links = [a.get("href", "") for a in lead.get("/results?provider=*").iter("a") if "results.csv" in a.get("href", "")]
    modes = [link.split("capture=")[1].split("&")[0] for link in links]
    assert len(modes) > 1
    assert len(modes) == len(set(modes))
    for link, mode in zip(links, modes, strict=True):
        assert {row["capture_mode"] for row in csv.DictReader(io.StringIO(lead.ask(link).text))} == {mode}


def test_case_files_are_for_the_audit_lead(service: Service, lead: Visitor) -> None:
    assert service.visitor("nurse").ask("/results/files/cases.csv").status_code == 403


def test_nothing_but_the_listed_outputs_may_leave(lead: Visitor) -> None:
    """Asked for a copy that leaves, every other address of results gives what it always gives, or nothing."""
    of_results = {"results.overview", "results.measure", "results.file", "results.case_file"}
    papers = {f"evidence.{name}" for name in ("pack", "indicators", "own", "deck", "slides")}
    packs = {"actions.plan", *papers}  # see the tests of their pages
    assert set(leaving.OUTPUTS) == of_results | packs
    query = "provider=ELSEWHERE&capture=retrospective"
    for path in ("/results", "/results/measures/red_flags_screened"):
        assert "Copy that may leave the provider" in pages.text(lead.get(f"{path}?{query}&copy=leaving"))
    assert lead.ask(f"/results/files/indicators.csv?{query}&copy=leaving").status_code == 404
    others = ["/rounds", "/organisation", "/actions", "/evidence"]
    others += ["/results/measures/red_flags_screened/cases?outcome=met"]
    for path in others:
        mark = "&" if "?" in path else "?"
        response = lead.ask(f"{path}{mark}{query}&copy=leaving")
        assert "may leave the provider: the whole service" not in response.text
    assert all(
        row["use"].startswith(f"{leaving.LEAVES};") for row in rows(lead, "results.csv", f"{query}&copy=leaving")
    )
    assert not {"clinician_ref", "stay_reason"} & set(rows(lead, "cases.csv", f"{query}&copy=leaving")[0])


def test_only_one_module_makes_what_leaves() -> None:
    """The words that mark an output as one that leaves stand in one module."""
    marking = [p for p in (ROOT / "consult").rglob("*.py") if '"may leave the provider"' in p.read_text("utf-8")]
    assert [p.name for p in marking] == ["leaving.py"]


def test_a_copy_that_leaves_gives_no_withheld_measure_away(lead: Visitor) -> None:
    """Neither by the sum over all measures nor by the counts of what was left out."""
    query = "provider=ELSEWHERE&capture=retrospective"
    known = json.loads(lead.ask(f"/results/results.json?{query}").text)
    national = [r for r in known["measures"].values() if r["benchmarks"]["2011"] is not None]
    assert any(r["met"] + r["not_met"] < 10 for r in national)
    said = pages.text(lead.get(f"/results?{query}&copy=leaving"))
    assert "All headings together: withheld" in said
    assert "left out" not in said


def test_rows_that_leave_are_of_whole_months_so_that_no_day_can_be_told(lead: Visitor) -> None:
    chosen = "provider=ELSEWHERE&capture=retrospective"
    everything = [row["case_ref"] for row in rows(lead, "cases.csv", chosen)]

    def of(day: str, more: str) -> list[str]:
        return [row["case_ref"] for row in rows(lead, "cases.csv", f"{chosen}&from={day}&to={day}{more}")]

    for day in ("2026-03-01", "2026-03-02", "2026-03-03", "2026-03-31"):
        assert of(day, "&copy=leaving") == everything
        assert of(day, "") == (everything if day == "2026-03-02" else []), (
            "the cases of a day are for the service alone"
        )
    for day in ("2026-02-28", "2026-04-01"):
        assert of(day, "&copy=leaving") == []
