"""Score a trial with clinicians: `python3 tools/sus.py FILE.csv`, as docs/trying-it-out.md tells.

Standard library only. One row a person; a row that is not whole is refused in one sentence and never mended. The scale
and its scoring: J. Brooke, "SUS: a 'quick and dirty' usability scale", in P. W. Jordan and others (eds), Usability
Evaluation in Industry, Taylor & Francis 1996.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

STATEMENTS = 10
COLUMNS = ("person", "role", *(f"s{n}" for n in range(1, STATEMENTS + 1)), "tasks", "unaided")
ROLES = ("nurse", "doctor", "physiotherapist")
ANSWERS = ("1", "2", "3", "4", "5")
FEWEST_TASKS, MOST_TASKS = 7, 9
FEWEST_PEOPLE, MEAN_WANTED, PERCENT_WANTED = 8, 80, 90
WANTED = f"a mean of {MEAN_WANTED} or more, {PERCENT_WANTED}% of tasks unaided, at least {FEWEST_PEOPLE} people"


class Refused(Exception):
    """What can't be counted, and why, in one sentence."""


@dataclass(frozen=True)
class Person:
    """Who took part, as far as the table says it."""

    number: str
    role: str
    answers: tuple[int, ...]
    tasks: int
    unaided: int

    @property
    def score(self) -> float:
        """From 0 to 100: agreeing counts for the odd statements, disagreeing for the even ones."""
        return 2.5 * sum(a - 1 if n % 2 else 5 - a for n, a in enumerate(self.answers, start=1))


def read(rows: Iterable[Sequence[str]]) -> tuple[list[Person], list[str]]:
    """Those who count, and a sentence for each row that is refused; Refused if it is no such table."""
    numbered = enumerate(rows, start=1)
    _, first = next(numbered, (1, ()))
    if tuple(first) != COLUMNS:
        raise Refused(f"The first row must read {','.join(COLUMNS)}.")
    counted: list[Person] = []
    refused: list[str] = []
    seen: set[str] = set()
    for at, row in numbered:
        if row:
            try:
                counted.append(_person(row, seen))
            except Refused as why:
                refused.append(f"Row {at}: {why}, so the row is not counted.")
    return counted, refused


def _person(row: Sequence[str], seen: set[str]) -> Person:
    """The person of one row; the number is taken also where the rest is refused."""
    if len(row) != len(COLUMNS):
        raise Refused(f"it has {len(row)} cells and not {len(COLUMNS)}")
    number, role, *rest = (cell.strip() for cell in row)
    if not number or number in seen:
        raise Refused(f"person {number} stands in an earlier row" if number else "the number of the person is blank")
    seen.add(number)
    if role not in ROLES:
        raise Refused(f"the role must be one of {', '.join(ROLES)}")
    answers = tuple(_answer(n, said) for n, said in enumerate(rest[:STATEMENTS], start=1))
    tasks = _number("tasks", rest[STATEMENTS], FEWEST_TASKS, MOST_TASKS)
    return Person(number, role, answers, tasks, _number("unaided", rest[STATEMENTS + 1], 0, tasks))


def _answer(statement: int, said: str) -> int:
    if said not in ANSWERS:
        raise Refused(f"the answer to statement {statement} is {'not 1 to 5' if said else 'blank'}")
    return int(said)


def _number(column: str, said: str, least: int, most: int) -> int:
    if not said.isdecimal() or not said.isascii() or not least <= int(said) <= most:
        raise Refused(f"{column} must be a whole number from {least} to {most}")
    return int(said)


def report(counted: Sequence[Person], refused: Sequence[str]) -> Iterator[str]:
    """What is known of the trial, line by line, and last whether anything may be claimed."""
    yield from refused
    yield from (f"Person {p.number}, {p.role}: {p.score:g}" for p in counted)
    yield f"People counted: {len(counted)}. Rows refused: {len(refused)}."
    if counted:
        scores = [p.score for p in counted]
        known = f"mean {mean(scores):.2f}, median {median(scores):g}, lowest {min(scores):g}, highest {max(scores):g}"
        yield f"System Usability Scale: {known}."
        unaided, tasks = _done(counted)
        yield f"Tasks done unaided: {unaided} of {tasks} ({100 * unaided // tasks}%)."
    yield verdict(counted)


def _done(counted: Sequence[Person]) -> tuple[int, int]:
    return sum(p.unaided for p in counted), sum(p.tasks for p in counted)


def verdict(counted: Sequence[Person]) -> str:
    """Whether the expectation is met; with too few people nothing is said of it."""
    if len(counted) < FEWEST_PEOPLE:
        return f"Nothing may be claimed: it takes {FEWEST_PEOPLE} people, and {len(counted)} are counted."
    unaided, tasks = _done(counted)
    short = []
    if mean(p.score for p in counted) < MEAN_WANTED:
        short.append(f"the mean is below {MEAN_WANTED}")
    if 100 * unaided < PERCENT_WANTED * tasks:
        short.append(f"fewer than {PERCENT_WANTED}% of tasks were done unaided")
    return f"The expectation ({WANTED}) is {'not met: ' + ', and '.join(short) if short else 'met'}."


def main(arguments: Sequence[str]) -> int:
    """0 where every row counts, 1 where one is refused, 2 where there is no table to read."""
    try:
        (name,) = arguments
        with Path(name).open(encoding="utf-8-sig", newline="") as file:
            counted, refused = read(csv.reader(file, strict=True))
    except Refused as why:
        print(why)
        return 2
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        print(f"{name} can't be read as a table ({error}); save it as CSV in UTF-8.")
        return 2
    except ValueError:
        print("Name one file: python3 tools/sus.py FILE.csv")
        return 2
    print(*report(counted, refused), sep="\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
