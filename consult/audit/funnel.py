"""The funnel plot over sites: exact binomial limits round the pooled local rate, and whether they are too narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from consult.audit import statistics

TAILS: Final = {"95%": statistics.UNUSUAL, "99.8%": statistics.FAR_OUTSIDE}
"""The two pairs of limits, each with the tail beyond either of its limits."""
OVER_DISPERSED: Final = 0.05
Place = Literal["inside", "outside 95%", "outside 99.8%"]


@dataclass(frozen=True)
class Limits:
    """The counts still inside at one n: `low` to `high` of n; the limit cannot be crossed where it is 0 or n itself."""

    n: int
    low: int
    high: int

    @property
    def low_share(self) -> float:
        """The lower limit as a share (0 to 1)."""
        return self.low / self.n

    @property
    def high_share(self) -> float:
        """The upper limit as a share (0 to 1)."""
        return self.high / self.n


def limits(n: int, pooled: float, tail: float) -> Limits:
    """The counts k of n (n from 1) that are inside: both their lower and their upper tail are larger than `tail`.

    Binomial counts are discrete, so the convention is said: a limit is the last count inside, nothing is interpolated,
    and a site is outside where the chance of its count or one further out is at most `tail` (2.5% or 0.1% a side). A
    site at the pooled rate is therefore inside with at least 95% or 99.8% chance.
    Spiegelhalter DJ. Funnel plots for comparing institutional performance. Stat Med 2005;24:1185-202.
    """
    low, high = statistics.low_limit(n, pooled, tail), statistics.high_limit(n, pooled, tail)
    return Limits(n, 0 if low is None else low + 1, n if high is None else high - 1)


@dataclass(frozen=True)
class Site:
    """One site in the funnel: its count and n, its limits by name ("95%", "99.8%"), and where it lies."""

    name: str
    k: int
    n: int
    limits: dict[str, Limits]
    place: Place


@dataclass(frozen=True)
class Dispersion:
    """Whether sites vary more than chance: chi-square over df, its p, and phi, which is 1 where chance is all.

    `rough` says that many expected counts are under 5, where the chi-square is only roughly right (Cochran WG. Some
    methods for strengthening the common chi-square tests. Biometrics 1954;10:417-51).
    """

    chi_square: float
    df: int
    p: float
    phi: float
    rough: bool

    @property
    def too_narrow(self) -> bool:
        """Whether the limits are too narrow for these sites: p under 5%, and more than chance varies them."""
        return self.p < OVER_DISPERSED and self.phi > 1


@dataclass(frozen=True)
class Funnel:
    """The funnel over sites: pooled rate (0 to 1), the sites in the order given, and the test where it can be made."""

    pooled: float
    sites: tuple[Site, ...]
    dispersion: Dispersion | None


def funnel(sites: Sequence[tuple[str, int, int]]) -> Funnel | None:
    """The funnel of sites (name, k, n) of one capture mode; those with n = 0 are left out, None where all are."""
    counted = [(name, k, n) for name, k, n in sites if n]
    if not counted:
        return None
    pooled = sum(k for _, k, _ in counted) / sum(n for _, _, n in counted)
    drawn = []
    for name, k, n in counted:
        found = {called: limits(n, pooled, tail) for called, tail in TAILS.items()}
        drawn.append(Site(name, k, n, found, _place(k, found)))
    return Funnel(pooled, tuple(drawn), dispersion([(k, n) for _, k, n in counted]))


def _place(k: int, found: dict[str, Limits]) -> Place:
    if not found["99.8%"].low <= k <= found["99.8%"].high:
        return "outside 99.8%"
    return "inside" if found["95%"].low <= k <= found["95%"].high else "outside 95%"


def dispersion(counts: Sequence[tuple[int, int]]) -> Dispersion | None:
    """The test of over-dispersion over sites (k, n), n from 1; None under two sites, or where all or none are met.

    Pearson's chi-square of the sites round their pooled rate, df = sites - 1; phi = chi-square / df, the factor by
    which the variance exceeds the binomial one. Spiegelhalter DJ. Handling over-dispersion of performance indicators.
    Qual Saf Health Care 2005;14:347-51 (who divides by the number of sites, his target being known beforehand).
    """
    met, of = sum(k for k, _ in counts), sum(n for _, n in counts)
    if len(counts) < 2 or met in (0, of):
        return None
    pooled = met / of
    chi_square = sum((k - n * pooled) ** 2 / (n * pooled * (1 - pooled)) for k, n in counts)
    df = len(counts) - 1
    expected = [n * share for _, n in counts for share in (pooled, 1 - pooled)]
    rough = 5 * sum(e < 5 for e in expected) > len(expected) or min(expected) < 1
    return Dispersion(chi_square, df, statistics.chi_square_tail(chi_square, df), chi_square / df, rough)
