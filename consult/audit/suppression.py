"""Small numbers: which rows of a breakdown by a personal characteristic are withheld before it leaves the provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

SMALL: Final = range(1, 5)
LEAVES_FROM: Final = 10
"""A measure of the whole service leaves the provider from this denominator on, whatever its numerator."""

Row = Sequence[int]


def count_of_people(n: int) -> str:
    """A number of people as it may be said anywhere: 1 to 4 are not told apart."""
    return "1 to 4" if n in SMALL else str(n)


def withheld(rows: Sequence[Row]) -> frozenset[int]:
    """The places of the rows to withhold: a row is the counts of one group, such as (met, not met); totals are shown.

    Withheld are every row with a count of 1 to 4 and at least one further row, so that a withheld count can't be had by
    subtracting what is shown from the totals. A row is withheld as a whole, its sum too: where only two counts make up
    a row, one of them and the sum would give the other.

    The further row is the smallest of the others that is not empty, and with it every row as large: it is chosen by
    size alone, never by place, so that even who knows this rule can't tell which of the withheld rows is which. More
    rows follow, again by size, while some column has the same count in all of them (two rows with nobody "not met"
    would give that away). Where no row is left, the whole breakdown is withheld.
    """
    chosen = {at for at, row in enumerate(rows) if any(count in SMALL for count in row)}
    return _with_further(rows, chosen) if chosen else frozenset()


def withheld_together(*breakdowns: Sequence[int]) -> tuple[frozenset[int], ...]:
    """The places of the counts to withhold in each of several breakdowns that have one and the same total.

    What is withheld in one of them could be had from the total, which any other one gives. So where one has a count of
    1 to 4, no other is shown whole either: there too the smallest are withheld, and the total with them.
    """
    tables = [[(count,) for count in counts] for counts in breakdowns]
    if not any(withheld(rows) for rows in tables):
        return tuple(frozenset() for _ in tables)
    return tuple(withheld(rows) or _with_further(rows, set()) for rows in tables)


def _with_further(rows: Sequence[Row], chosen: set[int]) -> frozenset[int]:
    """The places chosen, and those that are withheld beside them so that nothing can be had by subtraction."""
    others = sorted({_size(row) for at, row in enumerate(rows) if at not in chosen}, key=lambda size: (size == 0, size))
    for size in others:
        chosen |= {at for at, row in enumerate(rows) if _size(row) == size}
        if _all_differ([rows[at] for at in chosen]):
            break
    return frozenset(chosen)


def _size(row: Row) -> int:
    return sum(row)


def _all_differ(rows: Sequence[Row]) -> bool:
    """Whether no column has one and the same count in every row."""
    return all(len(set(column)) > 1 for column in zip(*rows, strict=True))
