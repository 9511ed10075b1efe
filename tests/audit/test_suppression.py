"""Small numbers: what is shown, with the totals and the rule itself known, never gives a withheld count away."""

import random
from itertools import product

import pytest

from consult.audit.suppression import withheld

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


def shown(rows):
    """What leaves: the rows that are not withheld, and the totals."""
    hidden = withheld(rows)
    return [None if at in hidden else row for at, row in enumerate(rows)], [
        sum(column) for column in zip(*rows, strict=True)
    ]


def tables_that_look_so(rows):
    """Every table of whole numbers that an onlooker who knows the rule could not tell from this one."""
    seen, totals = shown(rows)
    hidden = sorted(withheld(rows))
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
    hidden = withheld(rows)
    for at, row in enumerate(rows):
        assert at in hidden or not any(1 <= count <= 4 for count in row)
    if not hidden or len(hidden) == len(rows):
        return False
    possible = list(tables_that_look_so(rows))
    assert rows in possible
    for at in hidden:
        for column in range(len(rows[0])):
            if sum(row[column] for row in rows):  # else the total itself, which is shown, says so
                assert len({table[at][column] for table in possible}) > 1, (SEED, rows, at, column)
    return True


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
