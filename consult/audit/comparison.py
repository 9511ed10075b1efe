"""How a result is said in words, and what may be said of it beside a national value."""

from __future__ import annotations

import math
from typing import Final

from consult.audit import statistics
from consult.audit.results import Result

PERCENT_FROM: Final = 5
COMPARE_FROM: Final = 10
NO_COMPARISON: Final = f"fewer than {COMPARE_FROM}: no comparison"
COMPARED_MODE: Final = "retrospective"
CHANCE_NOTE: Final = "Of twelve measures an average site shows at least one by chance about one time in three."


def percent(share: float) -> str:
    """A share as a whole percentage, halves rounded up as people round: 0.625 is 63%; 100% only of all, 0% of none."""
    whole, exact = _hundredths(share), round(share, 9)
    if whole == 0 and exact > 0:
        return "under 1%"
    return "over 99%" if whole == 100 and exact < 1 else f"{whole}%"


def points(share: float) -> str:
    """A difference of shares in whole percentage points with its sign, rounded the same way: 0.125 is +13."""
    whole = _hundredths(abs(share))
    return f"{'+' if share > 0 else '−'}{whole}" if whole else "0"


def _hundredths(share: float) -> int:
    """Whole hundredths. Halves are looked for among decimals: as a binary fraction 23 of 40 lies below 57.5%."""
    return math.floor(round(100 * share, 9) + 0.5)


def recorded(result: Result) -> str:
    """The count: "22 of 40"."""
    return f"{result.met} of {result.applicable}"


def rate(result: Result) -> str:
    """The rate in words; no percentage under 5 cases."""
    if result.applicable < PERCENT_FROM or result.rate is None:
        return "too few for a percentage" if result.applicable else "no case"
    return percent(result.rate)


def interval(result: Result) -> str:
    """The 95% interval in words, where there is a percentage."""
    if result.applicable < PERCENT_FROM or result.interval is None:
        return ""
    return f"{percent(result.interval[0])} to {percent(result.interval[1])}"


def whole_rate(result: Result) -> str:
    """Rate, interval and count as one phrase: "55% (40% to 69%), 22 of 40"."""
    said = f"{rate(result)} ({interval(result)})" if interval(result) else ""
    return ", ".join(filter(None, [said, recorded(result)])) if result.applicable else rate(result)


def shown_rate(result: Result) -> str:
    """A rate for the screen: "55% (22 of 40)"; below 5 in the denominator only "k of n"."""
    return f"{rate(result)} ({recorded(result)})" if interval(result) else recorded(result)


def standing(result: Result, national: float | None, capture_mode: str) -> str:
    """Where a result stands beside the national value, or why nothing is said; "" where no test is allowed.

    Only case notes read afterwards are compared (the national value comes from such), only from 10 cases on, and the
    national value is taken as fixed.
    """
    if national is None or capture_mode != COMPARED_MODE:
        return ""
    n = result.applicable
    if n < COMPARE_FROM:
        return NO_COMPARISON
    found = statistics.position(result.met, n, national)
    too_small = statistics.unreachable(n, national) if found == "within chance" else []
    return "; ".join([found, *too_small])
