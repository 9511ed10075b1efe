"""A clinician's ended consultations, page by page and up to a day: each once, and each page read from its index."""

import re
import uuid
from datetime import timedelta

import pytest
from visiting import Service

from consult.record import lists
from consult.record.store import Start

AMOUNT = 45


@pytest.fixture
def at_once(service: Service) -> list[str]:
    """The ids of many that began in the same millisecond, such as a busy computer may bring about."""
    now, store = service.clock(), service.instance.store
    start = Start(service.employee(), "A", "DEMO", "in_person", "45-54")
    store.clock = lambda: now
    found = [store.start(start, service.who["nurse"]) for _ in range(AMOUNT)]
    for id_ in found:
        store.abandon(id_, "interrupted", "", str(uuid.uuid4()), service.who["nurse"])
    return found


@pytest.fixture
def ended(service: Service) -> list[str]:
    """The ids of many ended consultations, the newest first, one an hour apart."""
    who, employee = service.who["nurse"], service.employee()
    found = []
    for number in range(AMOUNT):
        service.clock.ahead = timedelta(hours=number)
        id_ = service.instance.store.start(Start(employee, "A", "DEMO", "in_person", "45-54"), who)
        service.instance.store.abandon(id_, "interrupted", "", str(uuid.uuid4()), who)
        found.insert(0, id_)
    return found


def listed(text: str) -> list[str]:
    return re.findall(r'href="/consultations/([0-9a-f-]{36})"', text)


def all_pages(service: Service) -> list[str]:
    """The first page of a nurse, and each that "Older" leads to."""
    nurse, found, at = service.visitor("nurse"), [], "/"
    while at:
        found.append(nurse.ask(at).text)
        older = re.search(r'href="(/\?before=[^"]+)">Older', found[-1])
        at = older[1].replace("&amp;", "&") if older else ""
    return found


def test_every_one_is_on_exactly_one_page_and_newest_leads_back(service: Service, ended: list[str]) -> None:
    pages = all_pages(service)
    assert [id_ for page in pages for id_ in listed(page)] == ended
    assert 'href="/">Newest' in pages[-1]


def test_those_begun_in_the_same_millisecond_are_all_found(service: Service, at_once: list[str]) -> None:
    found = [id_ for page in all_pages(service) for id_ in listed(page)]
    assert sorted(found) == sorted(at_once)


def test_up_to_a_day_nothing_later_is_listed(service: Service, ended: list[str]) -> None:
    nurse = service.visitor("nurse")
    started = {id_: service.consultation(id_).started["held_on"] for id_ in ended}
    day = min(started.values())
    year, month, of_month = day.split("-")
    page = nurse.ask("/", query_string={"until-day": of_month, "until-month": month, "until-year": year}).text
    assert listed(page) == [id_ for id_ in ended if started[id_] == day][:20]
    assert 'name="until-month" value="' + str(int(month)) in page
    assert "None was begun so early" in nurse.ask("/?until=2001-01-01").text
    for first_or_last in ("0001-01-01", "9999-12-31"):
        assert nurse.ask(f"/?until={first_or_last}").status_code == 200


def test_a_colleague_sees_none_of_them(service: Service, ended: list[str]) -> None:
    assert listed(service.visitor("doctor").ask("/").text) == []


def test_a_page_is_read_from_the_index_however_many_there_are(service: Service) -> None:
    conn, asked = service.instance.db.read(), []
    conn.set_trace_callback(asked.append)
    lists.ended_of(service.instance.db.read(), service.who["nurse"].actor)
    conn.set_trace_callback(None)
    plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {asked[0]}")]
    reads = [step for step in plan if "consultation" in step]
    assert len(reads) == 3
    assert all("consultation_of_clinician (clinician=? AND state=? AND started_at<?)" in step for step in reads)
