"""A share and a difference as they are printed: whole numbers, halves away from nought, wherever they stand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from consult import results_text
from consult.audit.comparison import interval, percent, points
from consult.audit.figures import over_sites, over_time
from consult.audit.results import Result, Results, Selection
from consult.documents import audit_report
from consult.web.results import Row


def test_every_share_of_up_to_four_hundred_cases_is_rounded_as_people_round():
    for n in range(1, 401):
        for k in range(n + 1):
            wanted = (200 * k + n) // (2 * n)  # in whole numbers, in which a half is a half
            said = {0: "under 1%", 100: "over 99%"}.get(wanted, "") if 0 < k < n else ""
            assert percent(k / n) == (said or f"{wanted}%"), f"{k} of {n}"


@pytest.mark.parametrize("n", [5, 40, 300, 2000, 100_000])
def test_a_limit_is_said_to_be_all_or_none_only_where_it_is(n):
    for k in {0, 1, 2, n // 2, n - 2, n - 1, n}:
        for limit, said in zip(
            Result(k, n - k, 0, 0).interval, interval(Result(k, n - k, 0, 0)).split(" to "), strict=True
        ):
            assert (said == "100%") == (limit == 1), (k, n)
            assert (said == "0%") == (limit == 0), (k, n)


def test_a_limit_that_a_calculation_leaves_a_hair_short_is_still_all_or_none():
    assert [percent(1 - 1e-12), percent(1e-12)] == ["100%", "0%"]


def test_page_and_terminal_say_the_limits_of_two_thousand_cases_without_all_or_none(measures, benchmarks):
    result, measure = Result(1999, 1, 0, 0), measures.measures[0]
    assert interval(result) == Row(measure, result, None, "live").interval == "over 99% to over 99%"
    assert interval(result) in results_text._line(measure.id, result, benchmarks)


def test_limits_of_chance_over_time_and_between_sites_are_not_said_to_be_all(measures):
    charted = over_time._Charted([(9_999 + at % 2, 10_000) for at in range(12)], "month", 10)
    assert {charted.limits_said(at) for at in range(12)} == {"over 99% to 100%"}
    assert "the mean was over 99%;" in charted.finding([str(at) for at in range(12)])
    sites = {"North": Result(19_990, 10, 0, 0), "South": Result(20_000, 0, 0, 0)}
    figure = over_sites(measures.measures[0], sites)
    said = {cell for row in figure.rows for cell in row[4:6]}
    assert said == {"over 99% to 100%", "over 99% to over 99%"}
    assert "together, over 99%;" in figure.finding


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


def test_each_column_of_the_terminal_stands_below_its_heading(measures, benchmarks):
    each = {measure.id: Result(1999, 1, 0, 7) for measure in measures.measures}
    found = Results(Selection(), "live", 2007, {}, each, (0, 0, 0))
    printed = list(results_text.lines(found, measures, benchmarks, "digest"))
    (head,) = [line for line in printed if "95% interval" in line]
    (row,) = [line for line in printed if line.startswith(f"  {measures.measures[0].id} ")]
    for heading, cell in {
        "Measure": " ",
        "Recorded": "over 99%",
        "95% interval": "over 99% to",
        "missing": "7",
    }.items():
        assert row[head.index(heading) :].startswith(cell), heading
