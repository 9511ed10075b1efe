"""A copy over several providers: what it says, less what the copies of the others say, is nobody's few cases."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pages
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from visiting import Service, opened

from consult.audit import cases, leaving
from consult.audit.results import Selection, results
from consult.instance import Instance
from consult.record.database import Connection

FULL = {"first_consultation": "yes", "episode_gap": "none_ever", "back_pain_reason": "main", "clinician_role": "nurse"}
MARKED = ["", "present"]


@pytest.fixture(scope="module")
def service(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    found = opened(Path(shutil.copytree(made, tmp_path_factory.mktemp("pooled") / "instance")))
    yield found
    found.instance.close()


def put(conn: Connection, instance: Instance, many: dict[str, list[str]]) -> None:
    """So many cases of each provider as there are marks, each with that yellow flag."""
    conn.execute(f"DELETE FROM {cases.TABLE}")
    for provider, marks in many.items():
        for number, mark in enumerate(marks):
            own = {"provider": provider, "site": "A", "capture_mode": "retrospective", "case_ref": f"{number:03}"}
            blank = dict.fromkeys(instance.library.current.dataset.by_name, "")
            day = {"consultation_date": "2026-03-01"}
            cases.put(conn, {**blank, **FULL, **own, **day, "yf_mood": mark}, step=number)


def counts(instance: Instance, provider: str) -> dict[str, int]:
    """The denominators of a copy that leaves, and how many eligible cases it tells."""
    conn, dataset = instance.db.read(), instance.library.current.dataset
    found = results(conn, instance.measures, dataset, Selection(provider, capture="retrospective"))
    safe = leaving.safe(conn, instance.measures, dataset, found)
    told = {id_: result.applicable for id_, result in leaving.of_results(safe).items()}
    return told | ({"eligible": safe.eligible} if safe.eligible >= 10 else {})


MANY = st.lists(st.lists(st.sampled_from(MARKED), max_size=24), min_size=2, max_size=4)


def test_what_all_have_less_what_some_say_is_never_one_to_nine_cases(service: Service) -> None:
    instance = service.instance

    @settings(max_examples=40)
    @given(MANY)
    def holds(marks: list[list[str]]) -> None:
        many = {f"P{at}": found for at, found in enumerate(marks)}
        with instance.db.write() as conn:
            put(conn, instance, many)
        pool, each = counts(instance, ""), [counts(instance, provider) for provider in many]
        for what, n in pool.items():
            left = n - sum(one.get(what, 0) for one in each)
            assert left == 0 or left >= 10, (what, n, each)

    holds()


def text(service: Service, path: str) -> str:
    return pages.text(service.visitor("audit_lead").get(path))


def rows(reply: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(reply.text)))


def test_pages_and_files_withhold_what_would_tell_of_a_small_provider(service: Service) -> None:
    lead, path = service.visitor("audit_lead"), "/results?provider=*&copy=leaving"
    file = "/results/files/results.csv?provider=*&copy=leaving"
    with service.instance.db.write() as conn:
        put(conn, service.instance, {"P1": ["present"] * 20, "P2": ["present"] * 6})
    assert "20 eligible cases" in text(service, path)
    assert "26" not in {row[1].split(" ")[-1] for row in tables(lead.get(path))}
    assert {int(row["met"]) + int(row["not_met"]) for row in rows(lead.ask(file)) if row["rate"]} == {20}
    with service.instance.db.write() as conn:
        put(conn, service.instance, {"P1": ["present"] * 20, "P2": ["present"] * 4 + [""] * 8})
    held = {row["measure"] for row in rows(lead.ask(file))}
    assert "yellow_flags_screened" in held
    assert "yellow_flags_action" not in held
    assert "32 eligible cases" in text(service, path)
    measure = text(service, f"/results/measures/yellow_flags_screened?{path[9:]}")
    assert "By staff group" not in measure
    assert "By month" not in measure
    assert "By staff group" in text(service, "/results/measures/yellow_flags_screened?provider=P1&copy=leaving")


def tables(page: Any) -> list[list[str]]:
    return [[pages.text(cell) for cell in row] + [""] for row in page.iter("tr")]


def test_a_copy_leads_to_copies_and_back_to_the_page_it_came_from(service: Service) -> None:
    with service.instance.db.write() as conn:
        put(conn, service.instance, {"P1": ["present"] * 20, "P2": ["present"] * 12})
    lead = service.visitor("audit_lead")
    page = lead.get("/results?provider=P1&from=2026-01-01&copy=leaving")
    inner = [e.get("href") or "" for e in page.iter("a") if "/results/measures/" in (e.get("href") or "")]
    assert inner
    assert all("copy=leaving" in href and "provider=P1" in href and "from=2026-01-01" in href for href in inner)
    (back,) = [e.get("href") or "" for e in page.iter("a") if pages.text(e) == "Back to the full page"]
    assert "provider=P1" in back
    assert "from=2026-01-01" in back
    assert "copy" not in back
    measure = lead.get(inner[0])
    (up,) = [e.get("href") or "" for e in measure.iter("a") if pages.text(e) == "All results"]
    assert "copy=leaving" in up
