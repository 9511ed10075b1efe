"""What is said of a chart over time names the number of cases that its points have, also in a copy that leaves."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.audit.comparison import PERCENT_FROM
from consult.audit.figures import trend
from consult.audit.figures.over_time import in_periods
from consult.audit.results import Result
from consult.audit.suppression import LEAVES_FROM

ENOUGH = {PERCENT_FROM: 7, LEAVES_FROM: 12}


@pytest.mark.parametrize("least", ENOUGH)
@pytest.mark.parametrize("drawn", [0, 2, 3, 11, 12, 20])
def test_the_finding_says_which_periods_are_points(measures, least, drawn):
    """Beside the months that are drawn stand as many with one case fewer than it takes."""
    months = {}
    for at in range(max(drawn, 2)):
        months[f"20{10 + at // 12}-{at % 12 + 1:02}"] = Result(
            4, (ENOUGH[least] if at < drawn else least - 1) - 4, 0, 0
        )
    figure = trend(measures.measures[0], months, leaving=least == LEAVES_FROM)
    if "quarter" in figure.title:  # so few by the month
        assert (least, drawn) == (PERCENT_FROM, 0)
        return
    said = re.findall(r"with (\d+) or more cases", figure.finding)
    assert said == [str(least)]
    counted = re.search(r"Over (\d+) months with", figure.finding)
    assert bool(figure.charts) == (drawn >= 3)
    assert (int(counted[1]) if counted else drawn) == drawn


COUNTS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=1, max_size=18)


@given(COUNTS)
def test_what_a_copy_leaves_out_of_a_chart_is_never_one_to_nine_cases(measures, counts):
    """The total of a measure leaves; less the months (or quarters) that are shown it is nobody's few cases."""
    months = {f"20{10 + at // 12}-{at % 12 + 1:02}": Result(*met, 0, 0) for at, met in enumerate(counts)}
    figure = trend(measures.measures[0], months, leaving=True)
    shown = [int(cells[1].split(" of ")[1]) for cells in figure.rows]
    left = sum(map(sum, counts)) - sum(shown)
    assert left == 0 or left >= LEAVES_FROM or sum(map(sum, counts)) < LEAVES_FROM
    assert all(n >= LEAVES_FROM for n in shown)
    said = any(note.startswith("Left out is each") for note in figure.notes)
    assert said == (len(shown) < len(in_periods(months)[1]))


def test_one_small_month_takes_the_smallest_other_with_it_and_none_where_all_are_large(measures):
    def shown(*sizes):
        months = {f"2026-{at + 1:02}": Result(n - 1, 1, 0, 0) for at, n in enumerate(sizes)}
        return [cells[1] for cells in trend(measures.measures[0], months, leaving=True).rows]

    assert shown(20, 15, 4) == ["19 of 20"]
    assert shown(20, 15, 15, 4) == ["19 of 20"], "by size alone: which of the two would tell"
    assert shown(20, 15, 4, 6) == ["19 of 20", "14 of 15"], "ten together"
    assert shown(20, 15) == ["19 of 20", "14 of 15"]
