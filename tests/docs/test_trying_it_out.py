"""The guide to a trial with clinicians: its scores are counted rightly, and what it tells people to do can be done."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_clinical_safety import tool
from test_expectations import rows as expectations

from consult import demo

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "trying-it-out.md"
TEXT = PAGE.read_text("utf-8")
WORDS = " ".join(TEXT.split())
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BEST, WORST = (5, 1) * 5, (1, 5) * 5
STATEMENTS = [
    "I think that I would like to use this system frequently",
    "I found the system unnecessarily complex",
    "I thought the system was easy to use",
    "I think that I would need the support of a technical person to be able to use this system",
    "I found the various functions in this system were well integrated",
    "I thought there was too much inconsistency in this system",
    "I would imagine that most people would learn to use this system very quickly",
    "I found the system very cumbersome to use",
    "I felt very confident using the system",
    "I needed to learn a lot of things before I could get going with this system",
]
sus = tool("sus")
answers = st.lists(st.integers(1, 5), min_size=10, max_size=10)


def row(
    person: str = "1", role: str = "nurse", said: Sequence[object] = BEST, tasks: object = 7, unaided: object = 7
) -> list[str]:
    return [person, role, *map(str, said), str(tasks), str(unaided)]


def counted(*rows: Sequence[str]) -> tuple[list[float], list[str]]:
    """The scores and the sentences of a table of these rows."""
    people, refused = sus.read([sus.COLUMNS, *rows])
    return [person.score for person in people], refused


def score(said: Sequence[int]) -> float:
    ((one,), refused) = counted(row(said=said))
    assert refused == []
    return one


def last_line(*rows: Sequence[str]) -> str:
    return list(sus.report(*sus.read([sus.COLUMNS, *rows])))[-1]


def people(n: int, **of: object) -> list[list[str]]:
    return [row(str(at), **of) for at in range(1, n + 1)]


# ---------------------------------------------------------------- the score


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (BEST, 100),
        (WORST, 0),
        ([1] * 10, 50),
        ([2] * 10, 50),
        ([3] * 10, 50),
        ([4] * 10, 50),
        ([5] * 10, 50),
        ([4, 2] * 5, 75),
        ([2, 4] * 5, 25),
        ([5, 1, 5, 1, 5, 1, 5, 1, 5, 5], 90),
        ([4, 2, 4, 1, 4, 2, 5, 2, 4, 2], 80),
    ],
)
def test_the_score_is_counted_as_its_author_counts_it(said: Sequence[int], wanted: float) -> None:
    assert score(said) == wanted


@pytest.mark.parametrize("statement", range(1, 11))
@pytest.mark.parametrize("before", [1, 2, 3, 4])
def test_one_statement_moved_by_one_moves_the_score_by_two_and_a_half(statement: int, before: int) -> None:
    said = [3] * 10
    said[statement - 1] = before
    more = [*said]
    more[statement - 1] += 1
    assert score(more) - score(said) == (2.5 if statement % 2 else -2.5)


@given(answers)
def test_every_score_is_from_nothing_to_a_hundred_in_steps_of_two_and_a_half(said: list[int]) -> None:
    found = score(said)
    assert 0 <= found <= 100
    assert (found / 2.5).is_integer()
    assert score([6 - one for one in said]) == 100 - found


# ---------------------------------------------------------------- rows that are refused


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (row(said=[*BEST[:4], "", *BEST[5:]]), "the answer to statement 5 is blank"),
        (row(said=["0", *BEST[1:]]), "the answer to statement 1 is not 1 to 5"),
        (row(said=[*BEST[:9], "6"]), "the answer to statement 10 is not 1 to 5"),
        (row(said=[*BEST[:9], "3.5"]), "the answer to statement 10 is not 1 to 5"),
        (row(said=[*BEST[:9], "five"]), "the answer to statement 10 is not 1 to 5"),
        (row(said=[*BEST[:9], "３"]), "the answer to statement 10 is not 1 to 5"),
        (row(role="manager"), "the role must be one of nurse, doctor, physiotherapist"),
        (row(role=""), "the role must be one of nurse, doctor, physiotherapist"),
        (row(person=""), "the number of the person is blank"),
        (row(tasks=""), "tasks must be a whole number from 7 to 9"),
        (row(tasks=6, unaided=6), "tasks must be a whole number from 7 to 9"),
        (row(tasks=10), "tasks must be a whole number from 7 to 9"),
        (row(unaided=8), "unaided must be a whole number from 0 to 7"),
        (row(unaided=-1), "unaided must be a whole number from 0 to 7"),
        (row(unaided=""), "unaided must be a whole number from 0 to 7"),
        (row()[:-1], "it has 13 cells and not 14"),
        ([*row(), "more"], "it has 15 cells and not 14"),
    ],
)
def test_a_row_that_is_not_whole_is_refused_with_its_number_and_nothing_is_guessed(
    wrong: list[str], sentence: str
) -> None:
    scores, refused = counted(row("before"), wrong, row("after", said=WORST))
    assert scores == [100, 0]
    assert refused == [f"Row 3: {sentence}, so the row is not counted."]


def test_nobody_counts_twice_and_a_refused_row_is_not_entered_again() -> None:
    scores, refused = counted(row("1"), row("1"), row("2", role=""), row("2"))
    assert scores == [100]
    assert [one.partition(":")[0] for one in refused] == ["Row 3", "Row 4", "Row 5"]
    assert "person 1 stands in an earlier row" in refused[0]


def test_an_empty_line_is_no_row_and_spaces_are_no_answer() -> None:
    assert counted([], row(said=[f" {one} " for one in BEST]), []) == ([100], [])
    assert counted(row(said=[*BEST[:9], "  "]))[0] == []


@pytest.mark.parametrize("first", [[], ["person", "role"], [*sus.COLUMNS, "name"], [*sus.COLUMNS[::-1]]])
def test_a_table_of_other_columns_is_no_table(first: list[str]) -> None:
    with pytest.raises(sus.Refused, match="The first row must read person,role,s1"):
        sus.read([first, row()])
    with pytest.raises(sus.Refused):
        sus.read([])


# ---------------------------------------------------------------- what may be claimed


def test_with_fewer_than_eight_nothing_may_be_claimed_however_good() -> None:
    assert last_line() == "Nothing may be claimed: it takes 8 people, and 0 are counted."
    assert last_line(*people(7)) == "Nothing may be claimed: it takes 8 people, and 7 are counted."
    assert "7 are counted" in last_line(*people(7), row("8", said=[*BEST[:9], ""]))


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (people(8), "is met."),
        (people(8, said=(4, 2, 4, 1, 4, 2, 5, 2, 4, 2)), "is met."),
        ([*people(7), row("8", said=WORST)], "is met."),
        ([*people(6), *(row(f"low {n}", said=WORST) for n in range(2))], "is not met: the mean is below 80."),
        (people(9, unaided=6), "is not met: fewer than 90% of tasks were done unaided."),
        (
            people(10, said=(4, 2) * 5, unaided=0),
            "the mean is below 80, and fewer than 90% of tasks were done unaided.",
        ),
        ([*people(3), *(row(f"p{n}", unaided=6) for n in range(7))], "is met."),
        ([*people(2), *(row(f"p{n}", unaided=6) for n in range(8))], "fewer than 90% of tasks were done unaided."),
    ],
)
def test_the_expectation_is_met_only_where_mean_and_share_both_are(rows: list[list[str]], wanted: str) -> None:
    assert last_line(*rows).endswith(wanted)


def test_mean_median_lowest_highest_and_the_share_are_told() -> None:
    rows = [row("1"), row("2", said=WORST, unaided=0), row("3", said=[3] * 10, tasks=8, unaided=8), row("4")]
    told = list(sus.report(*sus.read([sus.COLUMNS, *rows])))
    assert "System Usability Scale: mean 62.50, median 75, lowest 0, highest 100." in told
    assert "Tasks done unaided: 22 of 29 (75%)." in told


# ---------------------------------------------------------------- as a program


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "sus.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


def block(info: str) -> str:
    (text,) = [text for known, text in FENCE.findall(TEXT) if known == info]
    return str(text)


def test_the_example_of_the_guide_gives_what_the_guide_prints(tmp_path: Path) -> None:
    (tmp_path / "trial.csv").write_text(block("csv trial.csv"), "utf-8")
    done = run("trial.csv", folder=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == (block("text"), "", 1)
    assert "\npython3 tools/sus.py trial.csv\n" in TEXT


def test_a_table_as_a_spreadsheet_saves_it_is_read(tmp_path: Path) -> None:
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerows([sus.COLUMNS, *people(8)])
    (tmp_path / "trial.csv").write_bytes(b"\xef\xbb\xbf" + made.getvalue().encode())
    done = run("trial.csv", folder=tmp_path)
    assert done.returncode == 0
    assert done.stdout.endswith("is met.\n")


def test_what_is_no_table_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_bytes(b"person\xff")
    (tmp_path / "names.csv").write_text("name,score\n", "utf-8")
    for arguments in ((), ("a", "b"), ("not-there.csv",), ("sheet.csv",), ("names.csv",)):
        done = run(*arguments, folder=tmp_path)
        assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (2, "", 1), arguments


# ---------------------------------------------------------------- the guide


def table(heading: str) -> list[list[str]]:
    """The numbered rows of the tables below a heading."""
    part = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [[c.strip() for c in line.strip("|").split("|")] for line in part.splitlines() if re.match(r"\| \d", line)]


def test_the_ten_statements_stand_word_for_word_in_their_order_with_their_source() -> None:
    assert [one[:2] for one in table("The System Usability Scale")] == [
        [str(n), words] for n, words in enumerate(STATEMENTS, start=1)
    ]
    assert "J. Brooke" in WORDS
    assert "Taylor & Francis 1996" in WORDS


def test_the_sheet_has_the_tasks_and_the_script_takes_as_many() -> None:
    tasks, sheet = table("The tasks"), table("The observer's sheet")
    assert [one[:2] for one in sheet] == [one[:2] for one in tasks]
    assert [one[0] for one in tasks] == [str(n) for n in range(1, sus.MOST_TASKS + 1)]
    assert all(len(one) == 4 and all(one) for one in tasks)
    only = [one for one in tasks if " only: " in one[2]]
    assert len(tasks) - len(only) == sus.FEWEST_TASKS
    assert f"Everybody gets tasks 1 to {sus.FEWEST_TASKS}" in WORDS


def test_what_the_guide_says_may_be_claimed_is_what_the_script_says() -> None:
    assert (sus.FEWEST_PEOPLE, sus.MEAN_WANTED, sus.PERCENT_WANTED) == (8, 80, 90)
    for words in ("Below eight people who count: nothing", "a mean of 80 or more, and 90% of the tasks done unaided"):
        assert words in WORDS
    assert "No such test has been held, and no figure is claimed" in WORDS


def test_everybody_it_names_is_in_the_demonstration_and_known_to_the_role() -> None:
    script = demo.script()
    of = {person["username"]: person for person in script["people"]}
    keys = {employee["name"]: employee["key"] for employee in script["employees"]}
    named = re.findall(r"^\| (\w+) \| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)
    assert [role for role, *_ in named] == list(sus.ROLES)
    for role, username, *employees in named:
        assert of[username]["role"] == role
        for name in employees:
            seen = [talk for talk in script["consultations"] if talk["employee"] == keys[name.strip()]]
            assert any(of[talk["clinician"]]["site"] == of[username]["site"] for talk in seen), "no reason is asked"
            assert not any(talk["ends"] == "open" for talk in seen)
    assert {"auditlead": "audit_lead", "admin": "administrator"}.items() <= {
        u: p["role"] for u, p in of.items()
    }.items()


def test_the_words_it_quotes_from_the_screen_stand_there() -> None:
    shown = " ".join(
        file.read_text("utf-8")
        for folder in (ROOT / "consult", ROOT / "proformas")
        for file in folder.rglob("*")
        if file.suffix in (".html", ".py", ".js", ".toml") and "vendor" not in file.parts
    )
    tasks = TEXT.partition("## The tasks")[2].partition("### What the player says")[0]
    quoted = set(re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", tasks))
    assert len(quoted) >= 20
    begun = {words[0].lower() + words[1:]: words for words in quoted}  # a page may begin a line with words kept small
    assert [words for small, words in sorted(begun.items()) if words not in shown and small not in shown] == []
    assert "Back pain and your work" in (ROOT / "leaflets" / "back-pain-core" / "en.md").read_text("utf-8")


def test_the_expectation_that_it_answers_is_not_met_and_names_it() -> None:
    (found,) = [one for one in expectations() if one[0] == "U39"]
    assert found[2] == "not met"
    assert "(trying-it-out.md)" in found[3]
    assert "(docs/trying-it-out.md)" in (ROOT / "README.md").read_text("utf-8")
