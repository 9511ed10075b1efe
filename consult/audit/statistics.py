"""The statistics of results: intervals, exact tails, differences between proportions, agreement of two auditors."""

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
    if p in (0.0, 1.0):
        return float(k == n * p)
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p))


def lower_tail(k: int, n: int, p: float) -> float:
    """The chance of k or fewer of n, when each has chance p (exact binomial; Clopper and Pearson, Biometrika 1934)."""
    return min(1.0, math.fsum(_probability(i, n, p) for i in range(k + 1)))


def upper_tail(k: int, n: int, p: float) -> float:
    """The chance of k or more of n, when each has chance p (exact binomial)."""
    return min(1.0, math.fsum(_probability(i, n, p) for i in range(k, n + 1)))


def low_limit(n: int, p: float, tail: float) -> int | None:
    """The largest k of n whose lower tail is at most `tail`; None where even 0 of n is within chance."""
    total, limit = 0.0, None
    for k in range(n + 1):
        total += _probability(k, n, p)
        if total > tail:
            break
        limit = k
    return limit


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
