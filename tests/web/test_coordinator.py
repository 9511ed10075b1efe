"""A national coordinator sees what may leave the provider, of rounds that have ended, and nothing else."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pages
import pytest
from addresses import address, methods, rules, values_of
from audited import LEAD, Audited, filled
from msgspec.structs import replace
from visiting import EMPLOYEE, PEOPLE, Visitor

from consult.accounts.policy import POLICY, PUBLIC, allowed
from consult.audit import rounds

ENDED = ("Before", "After", "Day")
WIDER = (
    {"site": "N"},
    {"provider": "*"},
    {"provider": "ELSEWHERE"},
    {"from": "2026-01-01", "to": "2026-01-02"},
    {"capture": "retrospective"},
    {"copy": "internal"},
    {"copy": ""},
    {"measures": "no-such-version"},
)
FILES = ("results.csv", "results.xlsx")


@pytest.fixture(scope="module")
def known(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """A service with three rounds that have ended and one that has not begun."""
    found = filled(made, tmp_path_factory.mktemp("coordinated") / "instance")
    yield found
    found.service.instance.close()


@pytest.fixture
def coordinator(known: Audited) -> Visitor:
    return known.service.visitor("coordinator")


@pytest.fixture
def lead(known: Audited) -> Visitor:
    return known.service.visitor("audit_lead")


def rows(visitor: Visitor, path: str, **query: str) -> list[list[str]]:
    """The tables of a page of results, cell by cell."""
    page = visitor.get(f"{path}?{urlencode(query)}")
    return [[pages.text(cell) for cell in row] for row in page.iter("tr")]


def test_the_first_page_is_the_newest_round_that_has_ended(known: Audited, coordinator: Visitor) -> None:
    assert coordinator.ask("/").headers["Location"] == "/results"
    here = rows(coordinator, "/results")
    assert here
    assert here == rows(coordinator, "/results", round=known.rounds["Day"])
    shown = {e.get("value") for e in coordinator.get("/results").iter("option")}
    assert shown == {known.rounds[name] for name in ENDED}


@pytest.mark.parametrize("name", ENDED)
def test_each_number_is_that_of_the_copy_that_may_leave(
    known: Audited, coordinator: Visitor, lead: Visitor, name: str
) -> None:
    round_id = known.rounds[name]
    pages_of = ["/results", *(f"/results/measures/{one.id}" for one in known.service.instance.measures.measures)]
    for path in pages_of:
        mine = rows(coordinator, path, round=round_id)
        assert mine == rows(lead, path, round=round_id, copy="leaving"), path
    assert any(row[1:2] == ["withheld"] for row in rows(coordinator, "/results", round=known.rounds["Day"]))


@pytest.mark.parametrize("name", ENDED)
def test_nothing_in_the_address_shows_more(known: Audited, coordinator: Visitor, name: str) -> None:
    round_id, measure = known.rounds[name], known.service.instance.measures.measures[0].id
    for path in ("/results", f"/results/measures/{measure}"):
        said = rows(coordinator, path, round=round_id)
        for more in WIDER:
            assert rows(coordinator, path, round=round_id, **more) == said, (path, more)
    for file in FILES[:1]:
        held = coordinator.ask(f"/results/files/{file}?round={round_id}").text
        for more in WIDER:
            assert coordinator.ask(f"/results/files/{file}?{urlencode({'round': round_id, **more})}").text == held


def test_without_a_round_the_address_chooses_no_days_either(coordinator: Visitor) -> None:
    said = rows(coordinator, "/results")
    for more in WIDER:
        assert rows(coordinator, "/results", **more) == said


def test_how_many_and_when_are_told_from_ten_cases_on_and_by_the_month(
    known: Audited, coordinator: Visitor, lead: Visitor
) -> None:
    measure = known.service.instance.measures.measures[0].id
    seen = set()
    for name in ENDED:
        n = known.counted(known.rounds[name]).eligible
        seen.add(n < 10)
        for path in ("/results", f"/results/measures/{measure}"):
            for visitor, copy in ((coordinator, ""), (lead, "&copy=leaving")):
                page = visitor.get(f"{path}?round={known.rounds[name]}{copy}")
                (said,) = {pages.text(e) for e in page.iter("p") if e.get("class") == "span"}
                expected = (
                    r"Fewer than 10 eligible cases\." if n < 10 else rf"{n} eligible cases, held (in|from) [A-Z].+"
                )
                assert re.fullmatch(expected, said), said
                assert not re.search(r"\d+ [A-Z][a-z]+ \d{4}", said)
        whole = coordinator.ask(f"/results/files/results.csv?round={known.rounds[name]}").text
        days = [row[key] for row in csv.DictReader(io.StringIO(whole)) for key in ("from", "to")]
        assert all(re.fullmatch(r"\d{4}-\d\d", day) for day in days)
    assert seen == {True, False}


@pytest.mark.parametrize("name", ENDED)
def test_the_files_are_those_that_may_leave(known: Audited, coordinator: Visitor, lead: Visitor, name: str) -> None:
    round_id = known.rounds[name]
    mine = coordinator.ask(f"/results/files/results.csv?round={round_id}")
    assert mine.text == lead.ask(f"/results/files/results.csv?round={round_id}&copy=leaving").text
    assert "leaving-results.csv" in mine.headers["Content-Disposition"]
    assert coordinator.ask(f"/results/files/results.xlsx?round={round_id}").status_code == 200
    assert coordinator.ask(f"/results/files/indicators.csv?round={round_id}").status_code == 404
    path = f"/evidence/rounds/{round_id}/indicators.csv"
    assert coordinator.ask(path).text == lead.ask(path).text
    assert path in {e.get("href") for e in coordinator.get(f"/results?round={round_id}").iter("a")}


def test_a_round_that_runs_or_was_withdrawn_is_not_there(known: Audited, coordinator: Visitor, lead: Visitor) -> None:
    service = known.service
    with service.instance.db.write() as conn:
        today = service.instance.today().isoformat()
        wanted = rounds.Wanted("Runs until today", "DEMO", "retrospective", "2026-11-01", today)
        runs = rounds.set_round(conn, wanted, LEAD, service.instance.store.at(), "key-of-a-round-12345")
        wanted = replace(wanted, name="Withdrawn", end="2026-11-02")
        gone = rounds.set_round(conn, wanted, LEAD, service.instance.store.at(), "key-of-a-round-67890")
        rounds.withdraw(conn, gone, "No longer wanted", LEAD, service.instance.store.at(), "key-of-its-end-12345")
    measure = service.instance.measures.measures[0].id
    for round_id in (runs, gone, known.rounds["Again"], "no-such-round"):
        for path in ("/results", f"/results/measures/{measure}", "/results/files/results.csv"):
            assert coordinator.ask(f"{path}?round={round_id}").status_code == 404, (path, round_id)
        assert coordinator.ask(f"/evidence/rounds/{round_id}/indicators.csv").status_code == 404
    assert lead.ask(f"/results?round={runs}").status_code == 200


def test_no_page_names_anybody_or_leads_to_what_is_not_theirs(known: Audited, coordinator: Visitor) -> None:
    values, opened = values_of(known.service), 0
    others = [name.casefold() for role, name in PEOPLE.items() if role != "coordinator"]
    adapter = known.service.app.url_map.bind("localhost")
    for rule in rules(known.service):
        if "GET" not in methods(rule) or not allowed("coordinator", rule.endpoint) or rule.endpoint in PUBLIC:
            continue
        reply = coordinator.ask(address(known.service, rule, values))
        if reply.status_code != 200 or reply.mimetype != "text/html":
            continue
        opened += 1
        assert not [one for one in (*others, EMPLOYEE[0].casefold()) if one in reply.text.casefold()], rule.rule
        for link in pages.parse(reply.text).iter("a"):
            href = (link.get("href") or "").partition("?")[0]
            if href.startswith("/"):
                assert allowed("coordinator", adapter.match(href)[0]), (rule.rule, href)
    assert opened >= 5


def test_before_a_round_has_ended_the_page_says_so(made: Path, tmp_path: Path) -> None:
    found = filled(made, tmp_path / "instance")
    with found.service.instance.db.write() as conn:
        for name in ENDED:
            how = (LEAD, found.service.instance.store.at(), f"key-of-the-end-of-{name}")
            rounds.withdraw(conn, found.rounds[name], "No longer wanted", *how)
    visitor = found.service.visitor("coordinator")
    for path in ("/results", f"/results/measures/{found.service.instance.measures.measures[0].id}"):
        assert "No round of the audit has ended here yet" in pages.text(visitor.get(path))
    found.service.instance.close()


def test_who_is_outside_the_provider_opens_nothing_but_what_leaves_and_what_is_given_away() -> None:
    mine = {endpoint for endpoint in POLICY if allowed("coordinator", endpoint)} - PUBLIC
    theirs = {one for one in mine if not one.startswith(("account.", "passkeys."))}
    assert theirs == {
        *("home", "sign_out", "lock", "choose_look", "leaflets.index", "leaflets.show"),
        *("results.overview", "results.measure", "results.file", "evidence.indicators"),
    }
