"""What a clinician waits for asks the record by its indexes: as quick after years as on the first day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from visiting import Service, Visitor

from consult.proforma.answer import Answer
from consult.proforma.path import blank_emergencies
from consult.record.database import Connection, Database

GROWS = re.compile(r"SCAN (?:s|step|c|case_row|consultation|employee|identity)\b(?! USING (?:COVERING )?INDEX)")
"""Tables that grow with the years; to read one along an index, in its order and up to a limit, is another matter."""
LAST = re.compile(r"FROM step ORDER BY seq DESC LIMIT 1$")
"""The last step by its own order, of which no more than one is read."""


@contextmanager
def traced(db: Database) -> Iterator[list[str]]:
    """Every statement run on any connection of a database meanwhile."""
    said: list[str] = []
    for conn in {db._writer, db.read()}:
        conn.set_trace_callback(said.append)
    yield said
    for conn in {db._writer, db.read()}:
        conn.set_trace_callback(None)


def scans(conn: Connection, said: list[str]) -> list[str]:
    """The statements among these that read a growing table from end to end."""
    found = []
    for statement in dict.fromkeys(said):
        if not statement.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            continue
        plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {statement}")]
        found += [f"{step}: {statement}" for step in plan if GROWS.search(step) and not LAST.search(statement)]
    return found


@pytest.fixture
def consultation(service: Service) -> str:
    service.signed(harm_belief=Answer("present"))
    return service.begin()


def test_an_answer_a_page_and_a_signature_read_no_growing_table_from_end_to_end(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    nurse.csrf()
    with traced(service.instance.db) as said:
        nurse.save(consultation, {"a.harm_belief": "present", "key": "k" * 20}, htmx=True)
        nurse.get(f"/consultations/{consultation}")
        store, known = service.instance.store, service.consultation(consultation)
        questions = [q.id for q in blank_emergencies(store.path_of(known))]
        reason = {"reason": "out_of_time", "text": "", "questions": questions}
        store.note(consultation, "blank_emergencies_explained", reason, "r" * 20, service.who["nurse"])
        nurse.post(f"/consultations/{consultation}/sign", {"key": "s" * 20})
        nurse.get("/")
    assert service.consultation(consultation).state == "signed"
    assert any(statement.startswith("INSERT INTO case_row") for statement in said)
    assert scans(service.instance.db.read(), said) == []


def test_control_a_query_that_its_index_does_not_serve_is_found(service: Service) -> None:
    conn = service.instance.db.read()
    assert scans(conn, ["SELECT signed FROM case_row WHERE consultation = 'x'"])
    assert scans(conn, ["SELECT seq FROM step WHERE actor = 'x'"])
    assert not scans(conn, ["SELECT signed FROM case_row WHERE consultation = 'x' AND consultation <> ''"])
