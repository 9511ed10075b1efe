"""A day is year-month-day and nothing else, wherever it is typed."""

from datetime import date

import pytest

from consult.proforma.days import day_in, may_mean, to_correct


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-02", date(2026, 3, 2)),
        ("2024-02-29", date(2024, 2, 29)),
        *[(text, None) for text in ("", "2026-02-30", "20260302", "2026-W10-1", "2026-3-2", " 2026-03-02", "2 March")],
    ],
)
def test_only_year_month_day_is_a_day(text, day):
    assert day_in(text) == day


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2/3/80", ["1980-03-02", "2080-03-02"]),
        ("29 Feb 00", ["2000-02-29"]),
        ("2/3/1980", ["1980-03-02"]),
        ("1980-03-02", ["1980-03-02"]),
        *[(text, []) for text in ("31/2/80", "2/3", "80", "March 80", "2/3/198", "")],
    ],
)
def test_a_year_of_two_digits_may_be_of_either_century(text, days):
    assert [day.isoformat() for day in may_mean(text)] == days


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("31/2/1980", "There is no 31 February 1980; correct the date."),
        ("2/3/80", "Write the year with four digits."),
        ("2 March 80", "Write the year with four digits."),
        *[(text, "") for text in ("2/3/1980", "2/3", "soon", "")],
    ],
)
def test_what_to_correct_in_a_date_is_said_where_it_can_be_told(text, words):
    assert to_correct(text) == words
