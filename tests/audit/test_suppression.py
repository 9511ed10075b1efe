"""Small numbers: what is shown, with the totals and the rule itself known, never gives a withheld count away."""

import random
from functools import cache
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consult.audit.suppression import SMALL, withheld, withheld_together

SEED = 31


@pytest.mark.parametrize(
    ("rows", "hidden"),
    [
        ([(10,), (20,), (0,)], set()),
        ([(3,), (20,), (9,), (0,)], {0, 2}),
        ([(1,), (4,), (9,), (30,)], {0, 1, 2}),  # the further one, though two are withheld: 1 + 4 or 2 + 3 or 4 + 1
        ([(3,), (5,), (5,)], {0, 1, 2}),  # as large as each other: choosing by place would tell which
        ([(3,), (0,), (0,)], {0, 1, 2}),
        ([(3,)], {0}),
        ([(12, 3), (30, 9), (40, 40)], {0, 1}),
        ([(3, 0), (7, 0), (20, 15)], {0, 1, 2}),  # else nobody "not met" would follow for both
        ([(3, 9), (9, 9), (6, 7)], {0, 2}),
    ],
)
def test_which_rows_are_withheld(rows, hidden):
    assert withheld(rows) == hidden


@cache
def hidden_of(*rows):
    """The rows that are withheld: asked of the same table over and over, as it looks like many others."""
    return withheld(rows)


def shown(rows):
    """What leaves: the rows that are not withheld, and the totals."""
    hidden = hidden_of(*rows)
    return [None if at in hidden else row for at, row in enumerate(rows)], [
        sum(column) for column in zip(*rows, strict=True)
    ]


def tables_that_look_so(rows):
    """Every table of whole numbers that an onlooker who knows the rule could not tell from this one."""
    seen, totals = shown(rows)
    hidden = sorted(hidden_of(*rows))
    missing = [
        total - sum(row[c] for row in seen if row is not None) for c, total in enumerate(totals)
    ]  # what the withheld rows have together
    for columns in product(*(splits(total, len(hidden)) for total in missing)):
        table = list(seen)
        for at, row in zip(hidden, zip(*columns, strict=True), strict=True):
            table[at] = row
        if shown(table) == (seen, totals):
            yield table


def splits(total, parts):
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in splits(total - first, parts - 1))


def check(rows):
    hidden = hidden_of(*rows)
    for at, row in enumerate(rows):
        assert at in hidden or not any(1 <= count <= 4 for count in row)
    if not hidden or len(hidden) == len(rows):
        return False
    columns = [column for column in range(len(rows[0])) if sum(row[column] for row in rows)]  # else the total says so
    certain = {(at, column) for at in hidden for column in columns}
    for table in tables_that_look_so(rows):
        certain -= {(at, column) for at, column in certain if table[at][column] != rows[at][column]}
        if not certain:
            return True
    raise AssertionError((SEED, rows, certain))


def test_no_withheld_count_can_be_computed_in_one_column():
    draw = random.Random(SEED)
    pick = (0, 0, 1, 2, 3, 4, 5, 5, 6, 7, 9, 12)
    assert sum(check([(draw.choice(pick),) for _ in range(draw.randint(2, 6))]) for _ in range(400)) > 100


def test_no_withheld_count_can_be_computed_in_two_columns():
    draw = random.Random(SEED + 1)
    pick = (0, 0, 1, 3, 5, 5, 6, 8)
    tables = [[(draw.choice(pick), draw.choice(pick)) for _ in range(draw.randint(2, 4))] for _ in range(250)]
    assert sum(check(table) for table in tables) > 20


def test_every_small_table_of_one_column():
    """All tables of up to four groups of 0 to 7: where a part is shown, nothing withheld is certain."""
    for size in range(1, 5):
        for counts in product(range(8), repeat=size):
            check([(count,) for count in counts])


def pictures(counts, gone):
    """What is shown of each breakdown."""
    return [
        [None if at in hidden else n for at, n in enumerate(known)] for known, hidden in zip(counts, gone, strict=True)
    ]


def filled_in(picture, total):
    """Every breakdown of a total that looks so."""
    rest, places = total - sum(n or 0 for n in picture), [at for at, n in enumerate(picture) if n is None]
    if not places or rest < 0:
        return [picture] if not places and rest == 0 else []
    found = []
    for parts in splits(rest, len(places)):
        if all(parts):  # that a group is not empty is known from the list of them
            filled = list(picture)
            for at, n in zip(places, parts, strict=True):
                filled[at] = n
            found.append(filled)
    return found


def possible(picture):
    """Every pair of breakdowns of one total that an onlooker who knows the rule could not tell from these."""
    for total in range(max(sum(n or 0 for n in shown) for shown in picture), 2 + 45):
        pairs = product(*(filled_in(shown, total) for shown in picture))
        yield from (pair for pair in pairs if pictures(pair, withheld_together(*pair)) == picture)


@st.composite
def of_one_total(draw):
    """Two breakdowns of the same consultations, of up to three groups each."""
    total = draw(st.integers(3, 24))
    cuts = st.lists(st.integers(1, total - 1), max_size=2, unique=True).map(sorted)
    return [[b - a for a, b in zip([0, *at], [*at, total], strict=True)] for at in (draw(cuts), draw(cuts))]


@settings(max_examples=150, deadline=None)
@given(of_one_total())
@example([[12, 6, 3], [21]])
@example([[9, 6, 5], [18, 2]])
@example([[20], [19, 1]])
@example([[5, 5, 5], [14, 1]])
def test_no_withheld_count_can_be_computed_from_another_breakdown_of_the_same(counts):
    gone = withheld_together(*counts)
    for known, hidden in zip(counts, gone, strict=True):
        assert all(at in hidden for at, n in enumerate(known) if n in SMALL)
        assert bool(hidden) == any(n in SMALL for every in counts for n in every)
    if not any(gone):
        return
    seen = [[set() for _ in known] for known in counts]
    for pair in possible(pictures(counts, gone)):
        for known, values in zip(pair, seen, strict=True):
            for n, value in zip(known, values, strict=True):
                value.add(n)
        if all(len(seen[of][at]) > 1 for of, hidden in enumerate(gone) for at in hidden):
            return
    raise AssertionError((counts, gone, seen))


def test_two_tables_of_the_same_consultations_give_nothing_away():
    """29, 6 and 10 by role are 45; with 43 of them live, 2 would be from paper."""
    assert withheld_together([29, 6, 10], [43, 2]) == ({1, 2}, {0, 1})
    assert withheld_together([29, 6, 10], [40, 5]) == (set(), set())
