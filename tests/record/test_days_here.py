"""The day of a time is that of the place: in summer the first hour of a day is still the day before in the steps."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from consult import erasing, planning
from consult.audit.actions import Action, Wanted
from consult.documents.words import uk_date, uk_month, when
from consult.record import ledger, timekeeping
from consult.record.ledger import Draft
from consult.record.timekeeping import between, stamp

pytestmark = pytest.mark.usefixtures("in_london")
JUST_PAST_MIDNIGHT = "2026-06-30T23:30:00.000Z"
"""Half past midnight of the first of July."""


def test_a_date_in_words_is_the_day_that_the_time_beside_it_says():
    assert when(JUST_PAST_MIDNIGHT) == "1 July 2026 at 00:30"
    assert uk_date(JUST_PAST_MIDNIGHT) == "1 July 2026"
    assert uk_month(JUST_PAST_MIDNIGHT) == "July 2026"
    assert uk_date("2026-06-30") == uk_date(date(2026, 6, 30)) == "30 June 2026"
    assert uk_date("2026-12-31T23:30:00.000Z") == "31 December 2026"


def test_an_action_is_marked_on_the_day_it_was_done():
    wanted = Wanted("m", "r", "", "Cause", "Done something", "", "A post", "2026-07-31", "None")
    action = Action("a", wanted, "planned", "", JUST_PAST_MIDNIGHT, "p", ())
    assert planning.marks([action], "m", "") == [(date(2026, 7, 1), "planned: Done something")]


@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29", "2026-03-30", "2026-06-30", "2026-10-25", "2026-12-31"])
def test_the_steps_of_a_period_are_those_of_its_days_here(desk, day):
    """Also of the days that have 23 and 25 hours."""
    since, before = between(day, day)
    last = datetime.fromisoformat(before) - timedelta(milliseconds=1)
    moments = [datetime.fromisoformat(since), last, datetime.fromisoformat(before)]
    assert [str(one.astimezone().date()) == day for one in moments] == [True, True, False]
    with desk.db.write() as conn:
        for at in (moments[0] - timedelta(milliseconds=1), *moments):
            ledger.append(conn, Draft("case_draft_dropped", {"draft": "d", "reason": "r"}, "p", stamp(at)))
    assert ledger.counted(desk.db.read(), since, before)["case_draft_dropped"] == 2


def test_a_period_may_reach_to_either_end_of_the_calendar(desk):
    n = ledger.head(desk.db.read())[0]
    assert sum(ledger.counted(desk.db.read(), *between("0001-01-01", "9999-12-31")).values()) == n


def test_a_day_that_the_system_does_not_know_is_refused_as_one_beyond_the_calendar(monkeypatch):
    """Windows knows no zone of a day before 1970, and says so by OSError; a clock stands in for it."""

    class Windows(datetime):
        def astimezone(self, tz=None):
            if tz is None and self.year < 1970:
                raise OSError(22, "Invalid argument")
            return super().astimezone(tz)

    monkeypatch.setattr(timekeeping, "datetime", Windows)
    with pytest.raises(ValueError, match="1960-02-03"):
        timekeeping.begins(date(1960, 2, 3))
    assert between("1960-02-03", "1960-02-03") == ("", "~")
    assert between("2026-06-30", "2026-06-30") == ("2026-06-29T23:00:00.000Z", "2026-06-30T23:00:00.000Z")


@pytest.mark.parametrize(
    ("seen", "years", "today", "is_due"),
    [
        (JUST_PAST_MIDNIGHT, 8, date(2034, 6, 30), False),
        (JUST_PAST_MIDNIGHT, 8, date(2034, 7, 1), True),
        ("2020-02-29T10:00:00.000Z", 8, date(2028, 2, 28), False),
        ("2020-02-29T10:00:00.000Z", 8, date(2028, 2, 29), True),
        ("2020-02-29T10:00:00.000Z", 7, date(2027, 2, 28), False),
        ("2020-02-29T10:00:00.000Z", 7, date(2027, 3, 1), True),
        ("2019-02-28T10:00:00.000Z", 9, date(2028, 2, 29), True),
        ("2019-03-01T10:00:00.000Z", 9, date(2028, 2, 29), False),
        ("2019-03-01T10:00:00.000Z", 0, date(2028, 2, 29), False),
    ],
)
def test_who_is_due_was_last_seen_whole_years_ago(seen, years, today, is_due):
    assert [id_ for id_, _ in erasing.due({"e": seen}, years, today)] == (["e"] if is_due else [])
