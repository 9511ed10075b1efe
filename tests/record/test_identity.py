"""Who the employees are: near-duplicates are shown before a second is made; finding by name, number, date of birth."""

from datetime import date

import pytest

from consult.record import identity
from consult.record.opening import open_database

BORN = date(1980, 3, 2)


@pytest.fixture
def conn(tmp_path):
    db = open_database(tmp_path / "consult.sqlite3")
    with db.write() as conn:
        for name, born, number in (
            ("José Ångström", BORN, "E1001"),
            ("Maria Anna Testcase", date(1975, 11, 30), "E1002"),
            ("Oona O'Sample-Jones", date(1990, 6, 15), ""),
        ):
            identity.add_employee(conn, name, born, number, "2026-11-22T10:00:00Z")
        yield conn
    db.close()


@pytest.mark.parametrize(("name", "born", "number", "shown"), [
    ("José Ångström", BORN, "", ["José Ångström"]),
    ("jose angstrom", BORN, "", ["José Ångström"]),
    ("Angstrom, Jose", BORN, "", ["José Ångström"]),
    ("José Ångström", date(1980, 2, 3), "", ["José Ångström"]),
    ("José Angstrøm", BORN, "", ["José Ångström"]),
    ("Jose Angstrm", date(1980, 2, 3), "", ["José Ångström"]),
    ("JOSÉ ÅNGSTRÖM", date(1955, 1, 1), "", ["José Ångström"]),
    ("Somebody Else", date(2000, 1, 1), " e1001 ", ["José Ångström"]),
    ("Anna Maria Testcase", date(1975, 11, 30), "", ["Maria Anna Testcase"]),
    ("Maria Newname", date(1975, 11, 30), "", ["Maria Anna Testcase"]),
    ("Oona OSample Jones", date(1990, 6, 15), "", ["Oona O'Sample-Jones"]),
    ("Pat Different", BORN, "", []),
    ("Maria Testcase", date(1976, 11, 30), "", []),
    ("José Other", date(1981, 3, 2), "", []),
    ("Somebody Else", date(2000, 1, 1), "", []),
    ("Somebody Else", date(2000, 1, 1), "E100", []),
])  # fmt: skip
def test_who_may_be_the_same_person(conn, name, born, number, shown):
    assert [e.name for e in identity.near_duplicates(conn, name, born, number)] == shown


@pytest.mark.parametrize(("words", "found"), [
    ("angstrom", ["José Ångström"]),
    ("ÅNGSTRÖM josé", ["José Ångström"]),
    ("ang jo", ["José Ångström"]),
    ("E1001", ["José Ångström"]),
    (" e1002 ", ["Maria Anna Testcase"]),
    ("02/03/1980", ["José Ångström"]),
    ("2 March 1980", ["José Ångström"]),
    ("2 Mar 1980", ["José Ångström"]),
    ("1980-03-02", ["José Ångström"]),
    ("30.11.1975", ["Maria Anna Testcase"]),
    ("2-3-1980", ["José Ångström"]),
    ("2 3 1980", ["José Ångström"]),
    ("2nd March 1980", ["José Ångström"]),
    ("02031980", ["José Ångström"]),
    ("2/3/80", ["José Ångström"]),
    ("2.3.80", ["José Ångström"]),
    ("2 mar 80", ["José Ångström"]),
    ("o'sample", ["Oona O'Sample-Jones"]),
    ("anna jose", []),
    ("E9999", []),
    ("", []),
    ("  ", []),
    ("%", []),
    ("_", []),
    ("'; DROP TABLE employee; --", []),
    ("31/02/1980", []),
])  # fmt: skip
def test_finding_by_name_number_or_date_of_birth(conn, words, found):
    assert [e.name for e in identity.find(conn, words)] == found


@pytest.mark.parametrize("words", ["ab " * 3000, "\uac00" * 9000, "a" * 10_000, "%" * 10_000, "1" * 10_000])
def test_a_text_longer_than_any_name_finds_nobody_and_is_no_fault_of_the_record(conn, words):
    assert identity.find(conn, words) == []


@pytest.mark.parametrize("letters", ["ab ", "\uac00 ", "\uac00", "a"])
def test_the_longest_text_that_is_searched_for_is_asked_whole(conn, letters):
    assert identity.find(conn, (letters * identity.LONGEST_SEARCH)[: identity.LONGEST_SEARCH]) == []


def test_an_employee_is_read_back_by_the_opaque_id_only(conn):
    employee = identity.find(conn, "E1001")[0]
    assert identity.employee(conn, employee.id) == employee
    assert identity.employee(conn, "nobody") is None
    assert identity.employees(conn, [employee.id, "nobody"]) == {employee.id: employee}
    assert "1001" not in employee.id
