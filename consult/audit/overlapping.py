"""Which rounds may be shown beside each other outside the provider.

Two samples that share most of their cases give away the few in which they differ: what is counted in one, less what is
counted in the other, is the result of those few. So of rounds from which fewer than ten cases could be told like that,
the one made first is shown, and the later ones are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from itertools import product
from typing import Final

from consult.audit.cases import Key
from consult.audit.measures import MeasureSet
from consult.audit.results import Selection, judged
from consult.audit.suppression import LEAVES_FROM
from consult.proforma.dataset import Dataset
from consult.record.database import Connection

MOST_TOGETHER: Final = 7
"""Rounds that share cases are tried in every way of adding and subtracting; of more than these a further one waits."""

Cases = Collection[Key]


def kept_back(samples: Mapping[str, Cases]) -> dict[str, str]:
    """The rounds not to be shown, each with one that it shares cases with; `samples` are by id, the first made first.

    A sample of fewer than ten cases shows no number, so nothing is had by subtracting it.
    """
    shown: dict[str, frozenset[Key]] = {}
    gone: dict[str, str] = {}
    for id_, cases in samples.items():
        mine = frozenset(cases)
        near = _sharing(mine, shown)
        if len(mine) >= LEAVES_FROM and near and _tells_of_few([mine, *(shown[one] for one in near)]):
            gone[id_] = near[0]
        elif len(mine) >= LEAVES_FROM:
            shown[id_] = mine
    return gone


def sharing(samples: Mapping[str, Cases]) -> frozenset[str]:
    """The samples, by id, that share a case with another, of those large enough to show a number."""
    large = {id_: frozenset(cases) for id_, cases in samples.items() if len(frozenset(cases)) >= LEAVES_FROM}
    held = Counter(case for cases in large.values() for case in cases)
    return frozenset(id_ for id_, cases in large.items() if any(held[case] > 1 for case in cases))


def applying(
    conn: Connection, measures: MeasureSet, dataset: Dataset, chosen: Mapping[str, Selection]
) -> dict[str, dict[str, list[Key]]]:
    """The cases that each measure applies to, met or not, by measure and the id of a selection."""
    applies: dict[str, dict[str, list[Key]]] = {m.id: {id_: [] for id_ in chosen} for m in measures.measures}
    for id_, selection in chosen.items():
        for one in judged(conn, measures, dataset, selection):
            for measure, outcome in one.outcomes.items():
                if outcome in ("met", "not_met"):
                    applies[measure][id_].append(one.case.key)
    return applies


def not_told(applies: Mapping[str, Mapping[str, Cases]]) -> dict[str, frozenset[str]]:
    """The measures not to be told of each round: of the few cases that set two rounds apart, some apply to fewer still.

    `applies` are by measure the cases it applies to in each round, the first made first.
    """
    found = cache(lambda samples: tuple(kept_back(dict(samples))))  # many measures apply to the same cases
    gone = [(id_, measure) for measure, samples in applies.items() for id_ in found(_frozen(samples))]
    return {id_: frozenset(measure for one, measure in gone if one == id_) for id_, _ in gone}


def _frozen(samples: Mapping[str, Cases]) -> tuple[tuple[str, frozenset[Key]], ...]:
    return tuple((id_, frozenset(cases)) for id_, cases in samples.items())


def _sharing(mine: frozenset[Key], shown: Mapping[str, frozenset[Key]]) -> list[str]:
    """The rounds shown that share cases with one, or with another that does; the nearest first."""
    found: list[str] = []
    reach = mine
    while more := [id_ for id_, cases in shown.items() if id_ not in found and reach & cases]:
        found += more
        reach = reach.union(*(shown[id_] for id_ in more))
    return found


def _tells_of_few(samples: list[frozenset[Key]]) -> bool:
    """Whether adding and subtracting the counts of others to the first's can leave those of one to nine cases."""
    if len(samples) > MOST_TOGETHER:
        return True
    parts = Counter(tuple(case in sample for sample in samples) for case in frozenset().union(*samples))
    for signs in product((1,), *[(-1, 0, 1)] * (len(samples) - 1)):
        left = sum(n for part, n in parts.items() if sum(s for s, held in zip(signs, part, strict=True) if held))
        if 0 < left < LEAVES_FROM:
            return True
    return False
