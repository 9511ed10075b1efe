"""The statistics of results: intervals, exact tails, differences between proportions, agreement of two auditors.

Small, plain functions of counts; tests/audit/test_statistics_reference.py holds them equal to scipy and statsmodels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

Z: Final = NormalDist().inv_cdf(0.975)
UNUSUAL: Final = 0.025
FAR_OUTSIDE: Final = 0.001

Interval = tuple[float, float]


def wilson(k: int, n: int) -> Interval | None:
    """The 95% score interval of a proportion k of n; None where n is 0.

    Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc 1927;22:209-12.
    """
    if n == 0:
        return None
    p = k / n
    middle = p + Z * Z / (2 * n)
    half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    whole = 1 + Z * Z / n
    low = 0.0 if k == 0 else (middle - half) / whole
    high = 1.0 if k == n else (middle + half) / whole
    return low, high


def newcombe(k1: int, n1: int, k2: int, n2: int) -> tuple[float, float, float] | None:
    """The difference k1/n1 - k2/n2 with its 95% interval (difference, low, high); None where an n is 0.

    Method 10 of Newcombe RG. Interval estimation for the difference between independent proportions: comparison of
    eleven methods. Stat Med 1998;17:873-90.
    """
    one, two = wilson(k1, n1), wilson(k2, n2)
    if one is None or two is None:
        return None
    p1, p2 = k1 / n1, k2 / n2
    low = math.hypot(p1 - one[0], two[1] - p2)
    high = math.hypot(one[1] - p1, p2 - two[0])
    return p1 - p2, p1 - p2 - low, p1 - p2 + high


def _probability(k: int, n: int, p: float) -> float:
    """The chance of exactly k of n; accurate to some 1e-15 of itself at any n.

    Loader C. Fast and accurate computation of binomial probabilities, 2000 (the saddle-point form).
    """
    if not 0 <= k <= n:
        return 0.0
    if p in (0.0, 1.0):
        return float(k == n * p)
    if k == 0:
        return math.exp(n * math.log1p(-p))
    if k == n:
        return math.exp(n * math.log(p))
    error = _stirling_error(n) - _stirling_error(k) - _stirling_error(n - k)
    exponent = error - _deviance(k, n * p) - _deviance(n - k, n * (1 - p))
    return math.exp(exponent) * math.sqrt(n / (2 * math.pi * k * (n - k)))


def _stirling_error(n: int) -> float:
    """By how much log n! exceeds Stirling's formula."""
    if n < 16:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - 0.5 * math.log(2 * math.pi)
    square = n * n
    inner = 1 / 1260 - (1 / 1680 - (1 / 1188 - 691 / 360360 / square) / square) / square
    return (1 / 12 - (1 / 360 - inner / square) / square) / n


def _deviance(x: float, mean: float) -> float:
    """x log(x / mean) + mean - x, without the loss of digits where x is near the mean."""
    if abs(x - mean) >= 0.1 * (x + mean):
        return x * math.log(x / mean) + mean - x
    ratio = (x - mean) / (x + mean)
    found, term, i = (x - mean) * ratio, 2 * x * ratio, 1
    while True:
        term *= ratio * ratio
        more = found + term / (2 * i + 1)
        if more == found:
            return found
        found, i = more, i + 1


def lower_tail(k: int, n: int, p: float) -> float:
    """The chance of k or fewer of n, when each has chance p (exact binomial; Clopper and Pearson, Biometrika 1934)."""
    if k < 0 or k >= n:
        return float(k >= n)
    return _sum_down(k, n, p) if k <= n * p else max(0.0, 1 - _sum_down(n - k - 1, n, 1 - p))


def upper_tail(k: int, n: int, p: float) -> float:
    """The chance of k or more of n, when each has chance p (exact binomial)."""
    return lower_tail(n - k, n, 1 - p)


def _sum_down(k: int, n: int, p: float) -> float:
    """The chances of k, k - 1, ... of n together, for a k not above the mean, where they only get smaller."""
    term = _probability(k, n, p)
    total, q = term, 1 - p
    while k > 0 and term > total * 1e-17:
        term *= k * q / ((n - k + 1) * p)
        total += term
        k -= 1
    return min(1.0, total)


def low_limit(n: int, p: float, tail: float) -> int | None:
    """The largest k of n whose lower tail is at most `tail`; None where even 0 of n is within chance."""
    outside, inside = _bracket(n, p, tail)
    while inside - outside > 1:
        middle = (inside + outside) // 2
        if lower_tail(middle, n, p) <= tail:
            outside = middle
        else:
            inside = middle
    return None if outside < 0 else outside


def _bracket(n: int, p: float, tail: float) -> tuple[int, int]:
    """Two counts, -1 to n, between which the lower tail passes `tail`; narrow, as the normal curve is near it."""
    guess = n * p + NormalDist().inv_cdf(tail) * math.sqrt(n * p * (1 - p))
    outside = inside = min(n, max(-1, int(guess)))
    width = 1
    while outside >= 0 and lower_tail(outside, n, p) > tail:
        outside, width = max(-1, outside - width), 2 * width
    while inside < n and lower_tail(inside, n, p) <= tail:
        inside, width = min(n, inside + width), 2 * width
    return outside, inside


def high_limit(n: int, p: float, tail: float) -> int | None:
    """The smallest k of n whose upper tail is at most `tail`; None where even n of n is within chance."""
    mirrored = low_limit(n, 1 - p, tail)
    return None if mirrored is None else n - mirrored


def position(k: int, n: int, p: float) -> str:
    """Where k of n stands beside a fixed national value p: far outside, unusual, or within chance; low or high."""
    low = k < n * p
    chance = lower_tail(k, n, p) if low else upper_tail(k, n, p)
    side = "low" if low else "high"
    if chance <= FAR_OUTSIDE:
        return f"far outside, {side}"
    return f"unusually {side}" if chance <= UNUSUAL else "within chance"


def unreachable(n: int, p: float) -> list[str]:
    """The sentences for the tails that no result of this n could reach."""
    limits = {"low": low_limit(n, p, UNUSUAL), "high": high_limit(n, p, UNUSUAL)}
    return [f"n too small to be unusually {side}" for side, limit in limits.items() if limit is None]


def precision(n: int, share: float) -> Interval | None:
    """How sure n cases can make one: the 95% score interval if a share (0 to 1) of them turns out met.

    `share * n` need not be whole. None where n is 0. 40 cases at a half: 0.352 to 0.648. Wilson, as above.
    """
    if n == 0:
        return None
    whole = 1 + Z * Z / n
    middle = (share + Z * Z / (2 * n)) / whole
    half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / whole
    return max(0.0, middle - half), min(1.0, middle + half)


def half_width(n: int, share: float) -> float | None:
    """Half the width of `precision`: what a page prints after a plus-minus sign. None where n is 0."""
    found = precision(n, share)
    return (found[1] - found[0]) / 2 if found else None


def cases_needed(half: float, share: float = 0.5) -> int:
    """The smallest n whose `half_width` at that share is at most `half`, which lies between 0 and 0.5."""
    if not 0 < half < 0.5:
        raise ValueError("a half-width lies between 0 and 0.5")
    too_few, enough = 0, 1
    while (half_width(enough, share) or 0) > half:
        too_few, enough = enough, 2 * enough
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if (half_width(middle, share) or 0) > half:
            too_few = middle
        else:
            enough = middle
    return enough


def chi_square_tail(x: float, df: int) -> float:
    """The chance of a chi-square of x or more with df degrees of freedom (a whole number from 1).

    Abramowitz M, Stegun IA. Handbook of mathematical functions, 1964: 26.4.4 and 26.4.5.
    """
    if x <= 0:
        return 1.0
    half, odd = x / 2, df % 2
    terms = (math.exp((i + odd / 2) * math.log(half) - half - math.lgamma(i + odd / 2 + 1)) for i in range(df // 2))
    return min(1.0, math.fsum(terms) + (math.erfc(math.sqrt(half)) if odd else 0.0))


def agreement(table: Sequence[Sequence[int]]) -> tuple[float, float | None, int] | None:
    """Agreement, kappa and n of a square table of two auditors' counts; None for an empty one.

    Cohen J. A coefficient of agreement for nominal scales. Educ Psychol Meas 1960;20:37-46. Kappa is None where
    both auditors used one and the same category throughout. Print all three: kappa alone misleads on rare findings.
    """
    n = sum(map(sum, table))
    if n == 0:
        return None
    observed = sum(table[i][i] for i in range(len(table))) / n
    expected = sum(sum(row) * sum(r[i] for r in table) for i, row in enumerate(table)) / (n * n)
    return observed, None if expected == 1 else (observed - expected) / (1 - expected), n
