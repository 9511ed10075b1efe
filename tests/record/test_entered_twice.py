"""Somebody entered twice is one employee also where needs are counted and where a hold is set, shown and ended."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from consult.record import erasing, merging, reading
from consult.record.ledger import Refused
from consult.record.reading import Need

AT = "2026-11-22T10:00:00.000Z"
NURSE = ("person-nurse", "nurse")
TODAY = date(2026, 11, 22)


@pytest.fixture
def three(desk):
    """Three entries of one employee, the first of which is kept: the third was merged into the second before."""
    second, third = (
        desk.store.register(f"Zeb Quillfeather {n}", date(1980, 3, 2), f"E 200{n}", desk.who) for n in "23"
    )
    desk.explain_blanks()
    desk.sign()
    return desk.employee.id, second.id, third.id


def merge_all(desk, three):
    first, second, third = three
    with desk.db.write() as conn:
        merging.merge(conn, second, third, *NURSE, AT)
        merging.merge(conn, first, second, *NURSE, AT)


def tell(desk, employee, need):
    with desk.db.write() as conn:
        reading.tell(conn, employee, need, NURSE, AT, desk.key())


def test_an_employee_counts_once_with_what_was_told_last(desk, three):
    first, second, third = three
    tell(desk, third, Need("some", size="large"))
    tell(desk, second, Need("none"))
    tell(desk, first, Need("some", language="pl"))
    assert reading.counted(desk.db.read()).answers == {"some": 2, "none": 1}
    merge_all(desk, three)
    counted = reading.counted(desk.db.read())
    assert (counted.answers, counted.needs) == ({"some": 1}, {"language:pl": 1})
    tell(desk, second, Need("declined"))
    counted = reading.counted(desk.db.read())
    assert (counted.answers, counted.needs) == ({"declined": 1}, {})
    with desk.db.write() as conn:
        merging.undo(conn, second, *NURSE, AT)
    assert reading.counted(desk.db.read()).answers == {"some": 1, "declined": 1}


@pytest.mark.parametrize("held", range(3))
@pytest.mark.parametrize("asked", range(3))
def test_a_hold_on_any_entry_is_seen_and_ended_by_any(desk, three, held, asked):
    with desk.db.write() as conn:
        erasing.set_hold(conn, three[held], "A claim is open", None, NURSE[0], AT)
    merge_all(desk, three)
    conn = desk.db.read()
    assert erasing.standing(conn, TODAY).keys() == {three[0]}
    with pytest.raises(Refused, match="on hold"):
        erasing.check_may_go(conn, three[asked], TODAY)
    with desk.db.write() as conn:
        erasing.end_hold(conn, three[asked], "The claim is settled", NURSE[0], AT)
    conn = desk.db.read()
    assert erasing.standing(conn, TODAY) == erasing.holds(conn) == {}
    assert erasing.check_may_go(conn, three[asked], TODAY).id == three[0]
    with pytest.raises(Refused, match="No hold"), desk.db.write() as conn:
        erasing.end_hold(conn, three[asked], "Once more", NURSE[0], AT)


def test_a_hold_whose_day_has_passed_stands_no_more_beside_one_that_does(desk, three):
    with desk.db.write() as conn:
        erasing.set_hold(conn, three[0], "A claim is open", TODAY, NURSE[0], AT)
        erasing.set_hold(conn, three[1], "Another claim", TODAY + timedelta(days=1), NURSE[0], AT)
    merge_all(desk, three)
    held = [erasing.standing(desk.db.read(), TODAY + timedelta(days=days)) for days in (1, 2)]
    assert [[hold.reason for hold in one.values()] for one in held] == [["Another claim"], []]
