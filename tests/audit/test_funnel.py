"""The funnel: exact limits against sums of fractions, where a site lies, and the test for over-dispersion."""

import random
from fractions import Fraction
from itertools import accumulate
from math import comb, sqrt

import pytest

from consult.audit.funnel import dispersion, funnel, limits
from consult.audit.statistics import FAR_OUTSIDE, UNUSUAL, chi_square_tail

SEED = 20050428
TAILS = (UNUSUAL, FAR_OUTSIDE)


def second_limits(n, pooled, tail):
    """The counts inside, by adding up from either end in whole numbers: the chances are these over whole ** n."""
    (hit, whole), bound = Fraction(pooled).as_integer_ratio(), Fraction(tail)
    chances = [comb(n, k) * hit**k * (whole - hit) ** (n - k) for k in range(n + 1)]
    below, above = list(accumulate(chances)), list(accumulate(reversed(chances)))
    assert below[n] == above[n] == whole**n
    inside = [k for k in range(n + 1) if min(below[k], above[n - k]) > bound * whole**n]
    return inside[0], inside[-1], inside


@pytest.mark.parametrize("tail", TAILS)
def test_limits_equal_exact_sums(tail):
    draw = random.Random(SEED)
    for number in range(400):
        n, pooled = draw.randint(1, 60), draw.choice([draw.random(), draw.random() * 0.1, 1 - draw.random() * 0.1])
        found = limits(n, pooled, tail)
        low, high, inside = second_limits(n, pooled, tail)
        assert (found.low, found.high) == (low, high), (SEED, number, n, pooled)
        assert inside == list(range(low, high + 1))


def test_limits_at_forty_round_the_national_rates():
    assert (limits(40, 0.55, UNUSUAL).low, limits(40, 0.55, UNUSUAL).high) == (16, 28)
    assert (limits(40, 0.95, UNUSUAL).low, limits(40, 0.95, UNUSUAL).high) == (35, 40)
    assert limits(40, 0.55, FAR_OUTSIDE).low_share == 0.3


def test_a_certain_rate_has_no_room():
    assert (limits(12, 1.0, UNUSUAL).low, limits(12, 1.0, UNUSUAL).high) == (12, 12)
    assert (limits(12, 0.0, UNUSUAL).low, limits(12, 0.0, UNUSUAL).high) == (0, 0)


def test_where_a_site_lies():
    found = funnel([("A", 22, 40), ("B", 15, 40), ("C", 10, 40), ("D", 41, 40 + 1), ("E", 0, 0), ("F", 22, 39)])
    assert found.pooled == 110 / 200
    assert {site.name: site.place for site in found.sites} == {
        "A": "inside",
        "B": "outside 95%",
        "C": "outside 99.8%",
        "D": "outside 99.8%",
        "F": "inside",
    }
    assert funnel([("E", 0, 0)]) is None


def test_sites_that_vary_more_than_chance_are_said_to():
    spread = dispersion([(10, 40), (30, 40), (12, 40), (28, 40)])
    assert spread.too_narrow
    assert (spread.df, spread.phi) == (3, spread.chi_square / 3)
    assert not dispersion([(20, 40), (21, 40), (19, 40)]).too_narrow
    assert dispersion([(20, 40)]) is None
    assert dispersion([(40, 40), (40, 40)]) is None
    assert dispersion([(1, 2), (1, 2)]).rough
    assert not dispersion([(20, 40), (21, 40)]).rough


def test_chi_square_of_two_sites_is_the_squared_z_of_their_difference():
    """A textbook identity: for two groups, Pearson's chi-square is the pooled z test squared."""
    pooled = 65 / 120
    z = (45 / 80 - 20 / 40) / sqrt(pooled * (1 - pooled) * (1 / 80 + 1 / 40))
    assert dispersion([(45, 80), (20, 40)]).chi_square == pytest.approx(z * z)


@pytest.mark.parametrize(("x", "df", "p"), [(3.841458820694124, 1, 0.05), (5.991464547107979, 2, 0.05), (0, 7, 1.0)])
def test_chi_square_tail_at_the_tabled_points(x, df, p):
    assert chi_square_tail(x, df) == pytest.approx(p, abs=1e-12)
