"""The rule of the new episode from dates: exactly 28 days is new, and dates only ever speak beside the record."""

from datetime import date, timedelta

import pytest

from consult.audit.episode import beside_earlier, contradicts, gap_code

BEGAN = date(2026, 3, 29)


@pytest.mark.parametrize(
    ("days", "code"),
    [
        (0, "lt_28_days"),
        (1, "lt_28_days"),
        (27, "lt_28_days"),
        (28, "ge_28_days"),
        (29, "ge_28_days"),
        (400, "ge_28_days"),
    ],
)
def test_exactly_28_days_is_a_new_episode(days, code):
    assert gap_code(BEGAN - timedelta(days=days), BEGAN) == code


@pytest.mark.parametrize("gap", ["none_ever", "ge_28_days", "lt_28_days", "unknown"])
@pytest.mark.parametrize("first", ["yes", "no", "unknown"])
@pytest.mark.parametrize("days", [None, 0, 27, 28, 300])
def test_an_earlier_consultation_speaks_only_where_it_leaves_no_room(gap, first, days):
    said = contradicts(gap, first, days)
    no_room = days is not None and days < 28
    assert bool(said) == (no_room and (gap in ("none_ever", "ge_28_days") or first == "yes"))
    assert not said or f"{days} days before" in said


def test_a_data_set_without_the_fields_of_episodes_says_nothing_of_dates():
    here, earlier = {"consultation_date": "2026-03-29"}, {"consultation_date": "2026-03-19"}
    assert beside_earlier(here, earlier) == ""
    assert "10 days before" in beside_earlier({**here, "episode_gap": "none_ever"}, earlier)
    assert "10 days before" in beside_earlier({**here, "first_consultation": "yes"}, earlier)
