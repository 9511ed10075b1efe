"""Charts over time: the run chart with its median, and the p-chart with its limits and the four usual rules.

A point is (k, n): k met of n applicable in one period, usually a month. A period without an applicable case is no
point: leave it out before, and the rules look at the points that are left, in their order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Final, Literal

RUN: Final = 7
FEW_POINTS: Final = 12
"""Fewer points than this give limits that still move much: a page draws a run chart then (this project's proposal)."""

Point = tuple[int, int]
Rule = Literal["outside", "run", "trend", "two_of_three"]
RULES: Final[dict[Rule, str]] = {
    "outside": "outside the limits",
    "run": "one of 7 or more in a row on one side of the mean",
    "trend": "one of 7 or more in a row that each rise, or each fall",
    "two_of_three": "one of 2 of 3 in a row near or beyond the same limit",
}


@dataclass(frozen=True)
class Charted:
    """One point of a p-chart: its share and limits (0 to 1), and the rules it is part of."""

    k: int
    n: int
    share: float
    low: float
    high: float
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class PChart:
    """A p-chart: the mean share of the points it is reckoned from, and each point."""

    mean: float
    points: tuple[Charted, ...]


def p_chart(points: Sequence[Point], baseline: int | None = None) -> PChart | None:
    """The p-chart of proportions with varying n; None without a point. `baseline`: how many points make the mean.

    The mean is all met over all applicable (0 to 1); the limits are 3 standard deviations of a share of n round it, cut
    off at 0 and 1. Rules, each with 7 as in the NHS's "Making Data Count":

    * outside: beyond a limit; a point on it is within.
    * run: 7 or more in a row strictly on one side of the mean; a point on the mean ends the run.
    * trend: 7 or more points in a row, each strictly above the one before, or each strictly below.
    * two_of_three: of 3 in a row, 2 or more beyond 2 standard deviations on the same side; those are marked.

    Comparisons are made in whole numbers, so no point is in or out by a rounding error.
    Benneyan JC, Lloyd RC, Plsek PE. Statistical process control as a tool for research and healthcare improvement.
    Qual Saf Health Care 2003;12:458-64. Mohammed MA, Worthington P, Woodall WH. Plotting basic control charts: tutorial
    notes for healthcare practitioners. Qual Saf Health Care 2008;17:137-45.
    """
    if not points:
        return None
    first = points[:baseline] or points
    met, of = sum(k for k, _ in first), sum(n for _, n in first)
    mean = met / of
    rules = _rules(points, met, of)
    charted = []
    for (k, n), found in zip(points, rules, strict=True):
        half = 3 * math.sqrt(mean * (1 - mean) / n)
        charted.append(Charted(k, n, k / n, max(0.0, mean - half), min(1.0, mean + half), found))
    return PChart(mean, tuple(charted))


def _rules(points: Sequence[Point], met: int, of: int) -> list[tuple[Rule, ...]]:
    sides = [_sign(k * of - met * n) for k, n in points]
    by_rule: dict[Rule, set[int]] = {
        "outside": {at for at, point in enumerate(points) if _beyond(point, met, of, 3)},
        "run": _in_runs(sides, RUN),
        "trend": _in_trends(points),
        "two_of_three": _near_limits([side * _beyond(p, met, of, 2) for side, p in zip(sides, points, strict=True)]),
    }
    return [tuple(rule for rule, at_these in by_rule.items() if at in at_these) for at in range(len(points))]


def _beyond(point: Point, met: int, of: int, deviations: int) -> bool:
    """Whether |k/n - mean| > deviations * sqrt(mean (1 - mean) / n), squared and freed of its fractions."""
    k, n = point
    return (k * of - met * n) ** 2 > deviations**2 * met * (of - met) * n


def _in_trends(points: Sequence[Point]) -> set[int]:
    """The points in trends: 7 points are joined by 6 steps in the same direction."""
    steps = [_sign(k2 * n1 - k1 * n2) for (k1, n1), (k2, n2) in pairwise(points)]
    found = _in_runs(steps, RUN - 1)
    return found | {at + 1 for at in found}


def _near_limits(near: Sequence[int]) -> set[int]:
    found = set()
    for start in range(len(near) - 2):
        three = range(start, start + 3)
        for side in (-1, 1):
            on_side = [at for at in three if near[at] == side]
            found |= set(on_side) if len(on_side) >= 2 else set()
    return found


def _in_runs(signs: Sequence[int], length: int) -> set[int]:
    """The places in runs of `length` or more of the same sign; 0 ends a run."""
    found: set[int] = set()
    start = 0
    for at in range(len(signs) + 1):
        if at == len(signs) or signs[at] != signs[start]:
            if at - start >= length and signs[start]:
                found |= set(range(start, at))
            start = at
    return found


def _sign(number: Fraction | int) -> int:
    return (number > 0) - (number < 0)


@dataclass(frozen=True)
class RunChart:
    """A run chart: the median share (0 to 1) and, for each point, whether it is in a run of 7 or more on one side."""

    median: float
    in_run: tuple[bool, ...]


def run_chart(points: Sequence[Point]) -> RunChart | None:
    """The run chart of proportions; None without a point.

    A point on the median neither ends a run nor belongs to it. Perla RJ, Provost LP, Murray SK. The run chart: a simple
    analytical tool for learning from variation in healthcare processes. BMJ Qual Saf 2011;20:46-51 (with 7, the length
    used throughout this product, for their 6).
    """
    if not points:
        return None
    shares = [Fraction(k, n) for k, n in points]
    middle = median(shares)
    off = [at for at, share in enumerate(shares) if share != middle]
    runs = {off[i] for i in _in_runs([_sign(shares[at] - middle) for at in off], RUN)}
    return RunChart(float(middle), tuple(at in runs for at in range(len(points))))
