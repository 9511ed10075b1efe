"""Dates are typed as the British do, in three boxes or pasted whole; what is no date stays as it was typed."""

import itertools
import random
import re
from datetime import date, time, timedelta
from pathlib import Path

import pytest
from visiting import Service, Visitor
from werkzeug.datastructures import MultiDict

from consult.proforma.days import no_such_day, read
from consult.web.dates import BOXES, WithDates, boxes, read_time, written

TEMPLATES = Path(__file__).parents[2] / "consult" / "templates"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("27/3/2026", "2026-03-27"),
        ("27-03-2026", "2026-03-27"),
        ("27.3.2026", "2026-03-27"),
        ("27 3 2026", "2026-03-27"),
        (" 1 March 2026 ", "2026-03-01"),
        ("1st Mar 2026", "2026-03-01"),
        ("3 sept. 2026", "2026-09-03"),
        ("2026-03-27", "2026-03-27"),
        ("27032026", "2026-03-27"),
        ("29/2/2024", "2024-02-29"),
    ],
)
def test_each_british_way_of_writing_a_date_is_read(text, day):
    assert read(text) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "31/2/2026", "29/2/2026", "3/27/2026", "27/3/26", "27/3", "20260327", "1 Ma 2026", "0/1/2026"],
)
def test_what_is_no_date_or_could_be_two_is_not_read(text):
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31/2/2026", "31 February 2026"),
        ("29/2/2026", "29 February 2026"),
        ("31 April 2026", "31 April 2026"),
        ("31092026", "31 September 2026"),
        ("0/1/2026", "0 January 2026"),
        ("29/2/2024", ""),
        ("3/27/2026", ""),
        ("31/2/26", ""),
        ("1/1/0000", ""),
        ("31 Ma 2026", ""),
        ("tomorrow", ""),
        ("", ""),
    ],
)
def test_a_day_that_its_month_does_not_have_is_named(text, day):
    assert no_such_day(text) == day


def test_every_minute_of_the_day_is_read_however_it_is_written_and_nothing_else():
    for hour, minute in itertools.product(range(24), range(60)):
        for text in (f"{hour}:{minute:02}", f"{hour:02}.{minute:02}", f"{hour:02}{minute:02}", f" {hour} {minute:02} "):
            assert read_time(text) == time(hour, minute)
    assert [read_time(text) for text in ("", "24:00", "10:60", "10", "10:4", "10:42 pm", "1:2:3", "noon")] == [None] * 8


def test_every_day_comes_back_from_its_boxes_and_from_every_order_of_zeros():
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(500):
        day = date(1900, 1, 1) + timedelta(days=rng.randrange(73_000))
        assert written(boxes(day.isoformat())) == day.isoformat()
        assert written((f"{day:%d}", f"{day:%m}", f"{day.year:04}")) == day.isoformat()
        assert written((f"{day:%d} {day:%B} {day.year:04}", "", "")) == day.isoformat()


def test_what_was_typed_and_is_no_date_shows_again_as_it_was():
    assert boxes(written(("31", "2", "2026"))) == ("31", "2", "2026")
    assert boxes(written(("31", "", "2026"))) == ("31", "", "2026")
    assert boxes(written(("soon", "", ""))) == ("soon", "", "")
    assert boxes("") == boxes(None) == ("", "", "")


def test_boxes_become_one_field_and_a_field_sent_whole_stands():
    sent = [
        ("a-day", "1"),
        ("a-month", "2"),
        ("a-year", "2026"),
        ("b", "2026-05-06"),
        ("b-day", ""),
        ("c", "x"),
        ("c", "y"),
    ]
    read_as = WithDates(MultiDict(sent))
    assert read_as["a"] == "2026-02-01"
    assert read_as["b"] == "2026-05-06"
    assert read_as.getlist("c") == ["x", "y"]
    assert not any(name.endswith(BOXES) for name in read_as)
    assert WithDates(iter(sent)) == read_as


def test_no_page_shows_the_date_field_of_the_browser_whose_order_is_not_british():
    for template in TEMPLATES.rglob("*.html"):
        assert not re.search(r"type=[\"']?date", template.read_text("utf-8")), template.name


def in_boxes(name: str, day: str, month: str, year: str) -> dict[str, str]:
    return dict(zip([name + box for box in BOXES], (day, month, year), strict=True))


def test_an_employee_is_registered_by_boxes_and_a_wrong_day_is_said_and_kept(nurse: Visitor, service: Service):
    about = {"name": "Mara Made-Up", "local_number": "", "go": "yes"}
    refused = nurse.post("/employees/new", about | in_boxes("date_of_birth", "31", "2", "1984"))
    assert refused.status_code == 422
    page = refused.text
    assert "There is no 31 February 1984; correct the date." in page
    assert 'name="date_of_birth-day" value="31"' in page
    assert nurse.post("/employees/new", about | in_boxes("date_of_birth", "15", "3", "1984")).status_code == 302
    born = service.instance.db.read().execute("SELECT date_of_birth FROM employee WHERE name = 'Mara Made-Up'")
    assert born.fetchone()[0] == "1984-03-15"


def test_results_are_chosen_by_boxes_in_the_address(service: Service):
    query = {**in_boxes("from", "1", "2", "2026"), **in_boxes("to", "2026-03-31", "", "")}
    page = service.visitor("audit_lead").ask("/results", query_string=query).text
    for shown in ('name="from-month" value="2"', 'name="to-day" value="31"', 'name="to-year" value="2026"'):
        assert shown in page
