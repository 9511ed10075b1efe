"""One number, however it is asked for: Python, SQL, counters, pages, JSON, CSV and workbook agree on random cases."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode
from xml.etree.ElementTree import Element

import pages
import pytest
import random_cases
import workbooks
from click.testing import CliRunner
from visiting import Service, Visitor, opened

from consult.audit import tally
from consult.audit.counting import plan_of
from consult.audit.measures import OUTCOMES, outcomes, why_excluded
from consult.audit.results import Selection, judged, results
from consult.cli import main
from consult.exchange.casefile import export, import_cases
from consult.exchange.intake import Import
from consult.proforma.answer import Answer
from consult.proforma.path import blank_emergencies

SEED, MANY = 20_261_127, 420
SELECTIONS = [
    {"provider": "DEMO", "capture": "retrospective"},
    {"provider": "*", "capture": "retrospective"},
    {"provider": "*", "capture": "paper", "from": "2025-09-13", "to": "2026-03-31"},
    {"provider": "ELSEWHERE", "site": "A", "capture": "live"},
    {"provider": "ELSEWHERE", "site": "C", "capture": "retrospective", "from": "2026-01-01"},
    {"provider": "FARAWAY", "capture": "live", "to": "2026-02-14"},
    {"provider": "DEMO", "site": "B", "capture": "paper", "from": "2026-02-11", "to": "2026-03-12"},
]
Found = tuple[int, Counter[str], dict[str, list[int]]]
"""How many cases are eligible, how many are left out for which reason, and the four counts of each measure."""


@pytest.fixture(scope="module")
def rows(shared: Service) -> list[dict[str, str]]:
    """The cases as they were made: what every way out must tell of."""
    return list(random_cases.random_cases(shared.instance.library.current.dataset, MANY, SEED))


@pytest.fixture(scope="module")
def shared(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = opened(Path(shutil.copytree(made, tmp_path_factory.mktemp("one") / "instance")))
    instance = running.instance
    dataset = instance.library.current.dataset
    cases = random_cases.random_cases(dataset, MANY, SEED)
    how = Import("DEMO", random_cases.FIRST.replace(year=2027), "cli:test", instance.store.at())
    report = import_cases(instance.db, dataset, "".join(export(cases, dataset)), how)
    assert (report.added, report.bad) == (MANY, []), SEED
    yield running
    instance.close()


@pytest.fixture(scope="module")
def lead(shared: Service) -> Visitor:
    return shared.visitor("audit_lead")


@pytest.fixture(params=SELECTIONS, ids=lambda chosen: "-".join(chosen.values()))
def chosen(request: pytest.FixtureRequest) -> dict[str, str]:
    """What is asked for."""
    return dict(request.param)


def taken(rows: list[dict[str, str]], chosen: dict[str, str]) -> list[dict[str, str]]:
    """The cases that a selection takes, without asking the database."""
    return [
        row
        for row in rows
        if chosen["provider"] in ("*", row["provider"])
        and chosen.get("site", row["site"]) == row["site"]
        and chosen["capture"] == row["capture_mode"]
        and chosen.get("from", "") <= row["consultation_date"] <= chosen.get("to", "9999")
    ]


def selection(chosen: dict[str, str]) -> Selection:
    provider = "" if chosen["provider"] == "*" else chosen["provider"]
    site, start, end = (chosen.get(name, "") for name in ("site", "from", "to"))
    return Selection(provider, site, start, end, chosen["capture"])


def expected(shared: Service, rows: list[dict[str, str]]) -> Found:
    """What Python finds, one case after the other."""
    measures, dataset = shared.instance.measures, shared.instance.library.current.dataset
    excluded: Counter[str] = Counter()
    found = {measure.id: Counter[str]() for measure in measures.measures}
    for row in rows:
        reason = why_excluded(measures, dataset, row)
        excluded[reason] += 1
        for id_, outcome in ({} if reason else outcomes(measures, dataset, row)).items():
            found[id_][outcome] += 1
    return excluded.pop("", 0), excluded, {id_: [n[outcome] for outcome in OUTCOMES] for id_, n in found.items()}


def of_json(shape: dict[str, Any]) -> Found:
    counted = {id_: [r[outcome] for outcome in OUTCOMES] for id_, r in shape["measures"].items()}
    return shape["eligible"], Counter(shape["excluded"]), counted


# ---------------------------------------------------------------- the same counts


def test_sql_counters_and_recount_find_what_python_finds(
    shared: Service, rows: list[dict[str, str]], chosen: dict[str, str]
) -> None:
    measures, dataset = shared.instance.measures, shared.instance.library.current.dataset
    conn = shared.instance.db.read()
    eligible, excluded, counts = expected(shared, taken(rows, chosen))
    assert eligible + sum(excluded.values()) > 0
    by_case: dict[str, list[int]] = {id_: [0] * len(OUTCOMES) for id_ in counts}
    for one in judged(conn, measures, dataset, selection(chosen)):
        for id_, outcome in one.outcomes.items():
            by_case[id_][OUTCOMES.index(outcome)] += 1
    assert by_case == counts
    plan = plan_of(measures, dataset)
    assert tally.kept(conn, plan)
    assert tally.off(conn, plan) == []
    counted = results(conn, measures, dataset, selection(chosen))
    assert (counted.eligible, Counter(counted.excluded)) == (eligible, excluded)
    where, values = selection(chosen).where()
    recounted = plan.results(plan.recount(conn, where, values, ()).get((), Counter()))
    for found in (counted.measures, recounted):
        assert {id_: [getattr(r, outcome) for outcome in OUTCOMES] for id_, r in found.items()} == counts


def test_json_csv_and_workbook_say_what_python_finds(
    shared: Service, lead: Visitor, rows: list[dict[str, str]], chosen: dict[str, str]
) -> None:
    eligible, excluded, counts = expected(shared, taken(rows, chosen))
    query = urlencode(chosen)
    assert of_json(json.loads(lead.ask(f"/results/results.json?{query}").text)) == (eligible, excluded, counts)
    table = csv.DictReader(io.StringIO(lead.ask(f"/results/files/results.csv?{query}").text, newline=""))
    book = workbooks.sheets(lead.ask(f"/results/files/results.xlsx?{query}").data)["Results"]
    for found in (list(table), book):
        known = {row["measure"]: row for row in found}
        together = known.pop("opportunity")
        for name in ("met", "not_met", "missing"):
            at = OUTCOMES.index(name)
            assert int(together[name]) == sum(counts[id_][at] for id_ in shared.instance.measures.national)
        assert {id_: [int(row[outcome]) for outcome in OUTCOMES] for id_, row in known.items()} == counts
        assert {int(row["eligible"]) for row in known.values()} == {eligible}
        assert {int(row["excluded"]) for row in known.values()} == {sum(excluded.values())}


def test_the_overview_says_what_python_finds(
    shared: Service, lead: Visitor, rows: list[dict[str, str]], chosen: dict[str, str]
) -> None:
    eligible, excluded, counts = expected(shared, taken(rows, chosen))
    page = lead.get(f"/results?{urlencode(chosen)}")
    (section,) = (s for s in page.iter("section") if s.get("aria-labelledby") == f"mode-{chosen['capture']}")
    said = pages.text(next(section.iter("p")))
    assert said.startswith(f"{eligible} eligible case")
    left_out = re.findall(r"(\d+) ([a-z0-9 ]+)", said.partition("left out: ")[2].replace(".", ""))
    assert Counter({words.strip().replace(" ", "_"): int(n) for n, words in left_out}) == excluded
    seen = {id_: numbers for table in section.iter("table") for id_, numbers in table_rows(table)}
    assert set(seen) == set(counts)
    for id_, (met, not_met, _, missing) in counts.items():
        assert seen[id_] == (met, met + not_met, missing), id_


def table_rows(table: Element) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Of each row of the overview: the measure, met, met or not met, and missing."""
    for row in table.iter("tr"):
        links = [a.get("href", "") for a in row.iter("a") if "/results/measures/" in a.get("href", "")]
        if links:
            heading, recorded, *_ = map(pages.text, row)
            met, n = map(int, re.fullmatch(r"(\d+) of (\d+)", recorded).groups())
            missing = re.search(r"(\d+) missing\.", heading)
            yield links[0].split("?")[0].split("/")[3], (met, n, int(missing[1]) if missing else 0)


@pytest.mark.parametrize("chosen", [SELECTIONS[2], SELECTIONS[5]])
def test_the_page_of_each_measure_says_what_python_finds(
    shared: Service, lead: Visitor, rows: list[dict[str, str]], chosen: dict[str, str]
) -> None:
    eligible, excluded, counts = expected(shared, taken(rows, chosen))
    for id_ in shared.instance.measures.national:
        page = lead.get(f"/results/measures/{id_}?{urlencode(chosen)}")
        (section,) = (s for s in page.iter("div") if s.get("aria-labelledby") == f"explain-{chosen['capture']}")
        numbers = [int(pages.text(list(row)[1])) for row in section.find(".//tbody").iter("tr")]
        assert numbers == [*counts[id_], sum(excluded.values()), eligible + sum(excluded.values())], id_


def test_the_command_line_says_what_python_finds(shared: Service, rows: list[dict[str, str]]) -> None:
    chosen = SELECTIONS[4]
    options = {"provider": "--provider", "site": "--site", "capture": "--capture", "from": "--from", "to": "--to"}
    words = [word for name, value in chosen.items() for word in (options[name], value)]
    of = ["--instance", str(shared.instance.folder), "results", *words, "--format", "json", "--cases"]
    shape = json.loads(CliRunner().invoke(main, of).stdout)
    assert of_json(shape) == expected(shared, taken(rows, chosen))
    measures, dataset = shared.instance.measures, shared.instance.library.current.dataset
    for case in shape["cases"]:
        (row,) = (row for row in rows if row["case_ref"] == case["case_ref"])
        reason = why_excluded(measures, dataset, row)
        assert case.get("excluded", "") == reason
        assert case.get("outcomes", {}) == ({} if reason else outcomes(measures, dataset, row))


# ---------------------------------------------------------------- five groups


def test_the_five_groups_on_the_pages_hold_each_case_once(
    shared: Service, lead: Visitor, rows: list[dict[str, str]]
) -> None:
    """Of each national measure: the cases behind the five numbers are those of Python, and together all of them."""
    chosen = SELECTIONS[3]
    measures, dataset = shared.instance.measures, shared.instance.library.current.dataset
    of = taken(rows, chosen)
    assert len(of) > 10
    for id_ in measures.national:
        wanted: dict[str, set[str]] = {group: set() for group in (*OUTCOMES, "excluded")}
        for row in of:
            reason = why_excluded(measures, dataset, row)
            group = "excluded" if reason else outcomes(measures, dataset, row)[id_]
            wanted[group].add(row["case_ref"])
        for group, refs in wanted.items():
            page = lead.get(f"/results/measures/{id_}/cases?{urlencode({**chosen, 'outcome': group})}")
            links = [a.get("href", "") for a in page.iter("a") if a.get("href", "").startswith("/results/cases/")]
            assert sorted(unquote(link.split("?")[0].split("/")[5]) for link in links) == sorted(refs), (id_, group)
        assert sum(map(len, wanted.values())) == len(of)


# ---------------------------------------------------------------- parked answers

BRANCHES = [
    ("areas_to_explore", ["advice_and_tests"], ["people_at_home"], "conflicting_or_frightening_advice", "present"),
    ("areas_to_explore", ["advice_and_tests"], ["work_harming"], "waiting_for_scan_or_cure", "absent"),
    ("areas_to_explore", ["people_at_home"], ["advice_and_tests"], "people_at_home_hinder", "present"),
    ("areas_to_explore", ["work_harming"], ["people_at_home"], "work_will_harm", "unsure"),
    ("return_expectation", 3, None, "return_expectation_concern", "present"),
    ("work_cause_opinion", "caused", "not_work", "cause_action", ["incident_report"]),
]
"""A question, the answer that opens a branch, the one that shuts it (None: taken away), and what is answered inside."""

ELIGIBLE = {"back_pain_reason": "main", "visit_and_episode": "first_ever_episode"}


def test_answers_that_are_parked_move_no_number(made: Path, tmp_path: Path) -> None:
    """Consultations in which a branch was opened, answered and shut again count as if it had never been opened."""
    shapes = {}
    for way in ("straight", "open", "parked"):
        service = opened(Path(shutil.copytree(made, tmp_path / way)))
        for branch in BRANCHES:
            sign_by_way_of(service, branch, way)
        lead = service.visitor("audit_lead")
        shapes[way] = json.loads(lead.ask("/results/results.json?capture=live").text)
        assert shapes[way]["eligible"] == len(BRANCHES)
        for id_ in service.instance.measures.national:
            met = shapes[way]["measures"][id_]["met"]
            page = lead.get(f"/results/measures/{id_}/cases?capture=live&outcome=met")
            assert pages.text(page.find(".//h1")).startswith(f"Met: {met} case")
        service.instance.close()
    assert shapes["parked"] == shapes["straight"]
    assert shapes["open"] != shapes["straight"]


def sign_by_way_of(service: Service, branch: tuple[str, Any, Any, str, Any], way: str) -> None:
    """Sign a consultation whose branch was never opened, is open, or was opened, answered and shut again."""
    parent, opening, shutting, child, inside = branch
    given = {"straight": [(parent, shutting)], "open": [(parent, opening), (child, inside)]}
    given["parked"] = [*given["open"], *given["straight"]]
    consultation_id = service.begin()
    for at, (question, value) in enumerate([*ELIGIBLE.items(), *given[way]]):
        give(service, consultation_id, question, value, f"{consultation_id}:{at}")
    store = service.instance.store
    now = service.consultation(consultation_id)
    assert (child in store.path_of(now)) == (way == "open")
    assert (child in now.answers) == (way != "straight")
    blank = {"reason": "out_of_time", "text": "", "questions": [q.id for q in blank_emergencies(store.path_of(now))]}
    store.note(consultation_id, "blank_emergencies_explained", blank, f"{consultation_id}:blank", service.who["nurse"])
    sent = service.visitor("nurse").post(f"/consultations/{consultation_id}/sign", {"on_purpose": "yes"})
    assert sent.status_code == 302


def give(service: Service, consultation_id: str, question_id: str, value: Any, key: str) -> None:
    store, known = service.instance.store, service.consultation(consultation_id)
    question = store.library.current.proforma.by_id[question_id]
    state = isinstance(value, str) and value in question.offered_states()
    answer = None if value is None else Answer(value) if state else Answer("answered", value)
    store.save(consultation_id, question, answer, known.seen(question_id), key, "single", service.who["nurse"])
