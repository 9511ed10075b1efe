"""What is said of a chart over time names the number of cases that its points have, also in a copy that leaves."""

from __future__ import annotations

import re

import pytest

from consult.audit.comparison import PERCENT_FROM
from consult.audit.figures import trend
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
    figure = trend(measures.measures[0], months, least=least)
    if "quarter" in figure.title:  # so few by the month
        assert (least, drawn) == (PERCENT_FROM, 0)
        return
    said = re.findall(r"with (\d+) or more cases", figure.finding)
    assert said == [str(least)]
    counted = re.search(r"Over (\d+) months with", figure.finding)
    assert bool(figure.charts) == (drawn >= 3)
    assert (int(counted[1]) if counted else drawn) == drawn
