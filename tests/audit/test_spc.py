"""Charts over time: the four rules on worked series, and everything against a second implementation in fractions."""

import random
from fractions import Fraction

import pytest

from consult.audit.spc import p_chart, run_chart

SEED = 20260311


def rules_at(points, rule, **options):
    return [at for at, point in enumerate(p_chart(points, **options).points) if rule in point.rules]


def test_mean_and_limits_of_a_worked_series():
    chart = p_chart([(10, 40), (20, 40), (30, 40)])
    assert chart.mean == 0.5
    assert chart.points[0].share == 0.25
    assert (chart.points[0].low, chart.points[0].high) == pytest.approx((0.5 - 0.23717082, 0.5 + 0.23717082))


def test_limits_are_cut_off_at_nothing_and_all():
    chart = p_chart([(1, 40), (0, 10), (5, 5)])
    assert all(0 <= point.low <= point.high <= 1 for point in chart.points)


def test_outside_is_beyond_a_limit_and_on_it_is_within():
    on_it, beyond = (9, 36), (8, 36)  # mean 18/36, 3 standard deviations are 9/36
    assert rules_at([on_it, (27, 36)], "outside") == []
    assert rules_at([beyond, (28, 36)], "outside") == [0, 1]


def test_a_run_is_seven_on_one_side_and_a_point_on_the_mean_ends_it():
    high, low, mean = (11, 20), (9, 20), (10, 20)
    assert rules_at([high] * 7 + [low] * 7, "run") == list(range(14))
    assert rules_at([high] * 6 + [low] * 6, "run") == []
    assert rules_at([high] * 6 + [mean] + [high] * 6 + [low, high] * 6 + [low] * 12, "run") == list(range(25, 37))


def test_a_trend_is_seven_points_that_each_go_the_same_way():
    rising = [(k, 40) for k in range(17, 24)]
    assert rules_at(rising, "trend") == list(range(7))
    assert rules_at(rising[:6], "trend") == []
    assert rules_at([*rising[:5], rising[4], *rising[5:]], "trend") == []
    assert rules_at([*reversed(rising), (20, 40)], "trend") == list(range(7))


def test_two_of_three_near_the_same_limit():
    mid, up, down = (50, 100), (62, 100), (38, 100)  # one standard deviation is 5 of 100
    assert rules_at([mid, up, mid, up, mid, down], "two_of_three", baseline=1) == [1, 3]
    assert rules_at([mid, up, down, mid], "two_of_three", baseline=1) == []
    assert rules_at([mid, up, mid, mid, up], "two_of_three", baseline=1) == []


def test_a_baseline_keeps_later_points_out_of_the_mean():
    assert p_chart([(1, 2), (2, 2), (2, 2)], baseline=1).mean == 0.5
    assert p_chart([]) is None
    assert run_chart([]) is None


def test_a_point_on_the_median_neither_ends_a_run_nor_belongs_to_it():
    high, low, middle = (3, 4), (1, 4), (2, 4)
    chart = run_chart([high, high, high, middle, high, high, high, high] + [low] * 7 + [middle])
    assert chart.median == 0.5
    assert [at for at, found in enumerate(chart.in_run) if found] == [0, 1, 2, 4, 5, 6, 7, *range(8, 15)]
    assert not any(run_chart([high] * 6 + [low] * 6).in_run)


# A second implementation: fractions throughout, each rule read off its definition window by window.


def second_rules(points, baseline):
    first = points[:baseline] if baseline else points
    mean = Fraction(sum(k for k, _ in first), sum(n for _, n in first))
    shares = [Fraction(k, n) for k, n in points]
    tiny = Fraction(1, 10**12)  # where the mean leaves no room, whatever differs from it is outside
    off = [(s - mean) ** 2 * n / (mean * (1 - mean) or tiny) for s, (_, n) in zip(shares, points, strict=True)]
    found = [{"outside"} if square > 9 else set() for square in off]
    for rule, at_these in (
        *(("run", w) for w in windows(points, 7) if len({shares[i] > mean for i in w}) == 1 and off_mean(w, off)),
        *(("trend", w) for w in windows(points, 7) if one_way([shares[i] for i in w])),
        *(("two_of_three", n) for w in windows(points, 3) for n in near(w, shares, mean, off) if len(n) >= 2),
    ):
        for at in at_these:
            found[at].add(rule)
    return float(mean), found


def windows(points, length):
    return [range(start, start + length) for start in range(len(points) - length + 1)]


def off_mean(window, off):
    return all(off[i] > 0 for i in window)


def one_way(shares):
    return len(set(shares)) == len(shares) and shares in (sorted(shares), sorted(shares, reverse=True))


def near(window, shares, mean, off):
    for above in (True, False):
        yield [i for i in window if off[i] > 4 and (shares[i] > mean) == above]


def second_runs(points):
    shares = sorted(Fraction(k, n) for k, n in points)
    half = len(shares) // 2
    middle = shares[half] if len(shares) % 2 else (shares[half - 1] + shares[half]) / 2
    useful = [(at, Fraction(k, n) > middle) for at, (k, n) in enumerate(points) if Fraction(k, n) != middle]
    marked = set()
    for start in range(len(useful) - 6):
        window = useful[start : start + 7]
        if len({above for _, above in window}) == 1:
            marked |= {at for at, _ in window}
    return float(middle), marked


def series(draw):
    level = draw.choice([0.05, 0.3, 0.5, 0.8, 0.97])
    drift = draw.choice([0, 0, 0.004, -0.004, 0.02])
    for month in range(draw.randint(1, 40)):
        n = draw.choice([draw.randint(1, 12), draw.randint(5, 60), 40, 400])
        p = min(1.0, max(0.0, level + drift * month + draw.gauss(0, 0.08)))
        yield sum(draw.random() < p for _ in range(n)) if n < 61 else round(n * p), n


def check_series(many):
    draw = random.Random(SEED)
    seen = set()
    for number in range(many):
        points = list(series(draw))
        baseline = draw.choice([None, None, 1, 12])
        chart = p_chart(points, baseline)
        mean, rules = second_rules(points, baseline)
        assert chart.mean == pytest.approx(mean, abs=1e-12), (SEED, number)
        assert [set(point.rules) for point in chart.points] == rules, (SEED, number, points)
        for point in chart.points:
            half = 3 * (mean * (1 - mean) / point.n) ** 0.5
            assert (point.low, point.high) == pytest.approx((max(0, mean - half), min(1, mean + half)), abs=1e-9)
        runs = run_chart(points)
        middle, marked = second_runs(points)
        assert (runs.median, {at for at, found in enumerate(runs.in_run) if found}) == (middle, marked), (SEED, number)
        seen |= {rule for point in chart.points for rule in point.rules} | ({"median"} if marked else set())
    assert seen == {"outside", "run", "trend", "two_of_three", "median"}


def test_charts_equal_a_second_implementation():
    check_series(1_500)


@pytest.mark.soak
def test_charts_equal_a_second_implementation_over_ten_thousand_series():
    check_series(10_000)
