"""Erasing, holds, backups and restores in every order that matters: the last word about an employee is kept to.

Each letter is one event. B and b: a backup is made. E: erased. H: put on hold. L: the hold is ended. X: the backup B is
restored where no list is, as on another machine. A: erased again by the list. R and r: B or b is restored where the
list is.
"""

import shutil
from contextlib import closing
from datetime import date

import pytest

from consult import backup, erasing
from consult.instance import database_file, open_instance
from consult.proving import read_only
from consult.record import identity, ledger
from consult.record.store import Who, now_utc

VERBS = {"E": ("erase", "--yes"), "H": ("hold",), "L": ("end-hold",)}
NURSE = Who("person-nurse", "nurse")
ORDERS = {
    "BEXAR": "10100",  # the control is X: without the list all of it is back
    "BHLER": "11100",
    "HBLERXA": "1110010",  # the backup holds a hold that was ended before the erasing
    "BEXHAARRLA": "1011111110",  # the hold is the later word, also where it stands in the record whose place B takes
    "BEXHALR": "1011110",
    "BEXHLAR": "1011100",
    "BEXHbLArr": "101111000",  # erased again after the hold that the backup holds
    "BEXHbLErXA": "1011110010",
    "BEXHAbLrR": "101111111",  # after the hold nobody said that they are to be erased again: it is named, as it was
}
"""Each order, and after each event whether the employee is there."""


class World:
    """One employee in one installation, whose list of the erased also lies in a second place."""

    def __init__(self, consult, folder, aside):
        self.consult, self.folder, self.aside = consult, folder, aside
        with closing(open_instance(folder)) as instance:
            found = instance.store.register("Zebedee Quillfeather", date(1980, 3, 2), "LOCAL-777", NURSE)
        self.id, self.list = found.id, folder / erasing.LIST

    def do(self, event):
        if event in "Bb":
            with closing(open_instance(self.folder)) as instance:
                backup.backup(instance, self.aside / event)
        elif event in "XRr":
            if event == "X":
                shutil.move(self.list, self.aside / "list")
            backup.restore(self.folder, self.aside / ("b" if event == "r" else "B"), now_utc())
        elif event == "A":
            self.consult(self.folder, "employee", "erase-again", self.aside / "list")
        else:
            self.consult(self.folder, "employee", *VERBS[event], self.id, "--reason", "Plainly invented")

    def is_there(self):
        with read_only(database_file(self.folder)) as conn:
            return "01"[identity.employee(conn, self.id) is not None]


@pytest.mark.parametrize(("order", "there"), ORDERS.items())
def test_the_last_word_is_kept_to(consult, real, tmp_path, order, there):
    world = World(consult, real, tmp_path)
    assert "".join(world.do(event) or world.is_there() for event in order) == there


def test_the_words_of_every_line_about_an_employee_go(desk):
    """Erased, brought back by a backup, and erased again with more words: the first line alone names none of them."""
    desk.give(employee_concern="Plainly invented")
    (typed,) = ledger.steps(desk.db.read(), kind="answer_given")
    lines = [
        erasing.Erased(desk.employee.id, "2026-01-01T09:00:00.000Z", "Asked by letter", ()),
        erasing.Erased(desk.employee.id, "2026-01-02T09:00:00.000Z", "Asked again", ((typed.seq, typed.hash),)),
    ]
    with desk.db.write() as conn:
        erasing.again(conn, desk.definition.dataset, lines, "test", desk.store.at())
    assert next(ledger.steps(desk.db.read(), seq=typed.seq)).content is None
