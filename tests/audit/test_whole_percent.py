"""A share and a difference as they are printed: whole numbers, halves away from nought, wherever they stand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from consult import results_text
from consult.audit.comparison import percent, points
from consult.audit.results import Result
from consult.documents import audit_report


def test_every_share_of_up_to_four_hundred_cases_is_rounded_as_people_round():
    for n in range(1, 401):
        for k in range(n + 1):
            wanted = (200 * k + n) // (2 * n)  # in whole numbers, in which a half is a half
            assert percent(k / n) == f"{wanted}%", f"{k} of {n}"


def test_every_difference_of_two_samples_is_rounded_the_same_way_up_and_down():
    for before in range(41):
        for after in range(41):
            exact = Fraction(after - before, 40) * 100
            whole = int(abs(exact) + Fraction(1, 2))
            wanted = "0" if not whole else f"{'+' if exact > 0 else '−'}{whole}"
            assert points(after / 40 - before / 40) == wanted, (before, after)


def test_the_report_says_a_change_as_the_page_does():
    assert audit_report.change(Result(20, 20, 0, 0), Result(25, 15, 0, 0)).startswith(f"{points(0.125)} (")
    assert points(0.125) == "+13"


@pytest.mark.parametrize("k", range(5, 41))
def test_the_terminal_says_an_interval_as_the_page_does(k, measures, benchmarks):
    result = Result(k, 40 - k, 0, 0)
    line = results_text._line(measures.measures[0].id, result, benchmarks)
    assert f"{percent(result.interval[0])} to {percent(result.interval[1])}" in line
