"""What names an employee in a typed text: what is not found here stays when they are erased."""

from datetime import date

import pytest

from consult.record.identity import Employee, names

BORN = date(1980, 3, 2)


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("Li Wu", "Li Wu rang", True),
        ("Li Wu", "WU, Li", True),
        ("Li Wu", "Li rang, and Wu", False),
        ("Li Wu", "wu", False),
        ("Bo", "Bo rang", True),
        ("Jo de Wit", "Jo de", False),
        ("Ng Ô", "ng o came", True),
    ],
)
def test_a_name_of_short_parts_is_found_as_a_whole(name, text, named):
    assert names(Employee("e", name, BORN, ""), text) == named


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("02 March 1980", True),
        ("2nd March 1980", True),
        ("2 Mar 1980", True),
        ("02-Mar-80", True),
        ("2.3.80", True),
        ("02/3/1980", True),
        ("1980-03-02", True),
        ("3 March 1980", False),
        ("2 March 1981", False),
        ("2/3/81", False),
        ("March 1980", False),
        ("03/02/1980", False),
    ],
)
def test_a_date_of_birth_is_found_however_it_is_written(text, named):
    assert names(Employee("e", "Zebedee Quillfeather", BORN, ""), f"born {text}, as said") == named


@pytest.mark.parametrize(("day", "said"), [(1, "1st"), (3, "3rd"), (11, "11th"), (22, "22nd"), (31, "31st")])
def test_a_day_is_found_with_its_ending(day, said):
    assert names(Employee("e", "Zebedee Quillfeather", date(1980, 5, day), ""), f"born {said} May 1980")
