"""The statistics give the reference values of the measures' specification, and hold at their edges."""

from fractions import Fraction
from math import comb

import pytest

from consult.audit.statistics import (
    FAR_OUTSIDE,
    UNUSUAL,
    agreement,
    high_limit,
    low_limit,
    lower_tail,
    newcombe,
    position,
    unreachable,
    upper_tail,
    wilson,
)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (20, 40, 0.3520, 0.6480),
        (30, 40, 0.5981, 0.8581),
        (40, 40, 0.9124, 1.0),
        (81, 263, 0.2553, 0.3662),
        (22, 40, 0.3983, 0.6929),
    ],
)
def test_wilson_interval(k, n, low, high):
    assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)


def test_no_interval_without_cases():
    assert wilson(0, 0) is None
    assert newcombe(0, 0, 1, 2) is None
    assert agreement([[0, 0], [0, 0]]) is None


def test_newcombe_difference():
    assert newcombe(56, 70, 48, 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert newcombe(32, 40, 20, 40) == pytest.approx((0.3, 0.091, 0.476), abs=5e-4)


@pytest.mark.parametrize(
    ("percent", "low", "high", "far_low", "far_high"),
    [
        (55, 15, 29, 11, 32), (47, 12, 26, 8, 29), (63, 18, 32, 15, 35), (91, 32, 40, 29, None), (69, 21, 34, 17, 37),
        (82, 27, 38, 24, 40), (87, 29, 40, 26, None), (95, 34, None, 32, None), (78, 25, 37, 21, 39),
        (65, 19, 33, 15, 36), (48, 12, 26, 9, 30),
    ],
)  # fmt: skip
def test_limits_at_forty(percent, low, high, far_low, far_high):
    p = percent / 100
    assert (low_limit(40, p, UNUSUAL), high_limit(40, p, UNUSUAL)) == (low, high)
    assert (low_limit(40, p, FAR_OUTSIDE), high_limit(40, p, FAR_OUTSIDE)) == (far_low, far_high)


@pytest.mark.parametrize(("k", "n", "p"), [(0, 1, 0.5), (7, 12, 0.55), (39, 40, 0.95), (60, 200, 0.47)])
def test_tails_are_exact(k, n, p):
    exact = Fraction(p)
    below = sum(comb(n, i) * exact**i * (1 - exact) ** (n - i) for i in range(k + 1))
    assert lower_tail(k, n, p) == pytest.approx(float(below), rel=1e-9)
    assert upper_tail(k + 1, n, p) == pytest.approx(float(1 - below), rel=1e-9)


def test_tails_of_certain_things():
    assert lower_tail(4, 5, 1.0) == 0
    assert upper_tail(5, 5, 1.0) == 1
    assert lower_tail(0, 5, 0.0) == 1


def test_position_beside_a_national_value():
    assert position(22, 40, 0.55) == "within chance"
    assert position(15, 40, 0.55) == "unusually low"
    assert position(16, 40, 0.55) == "within chance"
    assert position(11, 40, 0.55) == "far outside, low"
    assert position(29, 40, 0.55) == "unusually high"
    assert position(32, 40, 0.55) == "far outside, high"


def test_small_numbers_cannot_be_unusual():
    assert unreachable(40, 0.95) == ["n too small to be unusually high"]
    assert unreachable(2, 0.55) == ["n too small to be unusually low", "n too small to be unusually high"]
    assert unreachable(40, 0.55) == []


def test_agreement_of_two_auditors():
    assert agreement([[20, 5], [10, 15]]) == pytest.approx((0.70, 0.40, 50))
    assert agreement([[36, 2], [1, 1]]) == pytest.approx((0.925, 0.3617, 40), abs=5e-5)
    assert agreement([[9, 0], [0, 0]]) == (1.0, None, 9)
