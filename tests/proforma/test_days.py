"""A day is year-month-day and nothing else, wherever it is typed."""

from datetime import date

import pytest

from consult.proforma.days import day_in


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
