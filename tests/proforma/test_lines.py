"""Each slip of a person is told with the line it stands on, in words that say what to write."""

import re
from pathlib import Path

import pytest

from consult.proforma.load import ContentError, Problem, parse_definition

TEXT = (Path(__file__).parents[1] / "definitions" / "tiny.toml").read_text(encoding="utf-8")
ENTRY = """
[[questions]]
id = "fifth"
block = "block"
kind = "choice"
ask = "Fifth?"
source = ["TEST"]
show_if = { question = "first", is = "present" }
options = [
  { code = "one", label = "One" },
  # a note
  { code = "two", label = "Two" },
]
[[questions.panels]]
level = "U3"
for = ["two"]
text = "Kept text."
source = ["TEST"]
"""
SLIPS = {
    "a key misspelt": ('ask = "Fifth', 'aks = "Fifth', "fifth: aks: this key is not known"),
    "a key of a panel misspelt": ("level =", "levle =", "fifth: panels number 1.levle: this key is not known"),
    "a key of an option misspelt": ('label = "Two"', 'lable = "Two"', "fifth: options number 2.lable: this key"),
    "a number as text": ("for =", "for = 3 #", "fifth: panels number 1.for: write a list in square brackets"),
    "a text for a list": ('["two"]', '"two"', "fifth: panels number 1.for: write a list"),
    "a list of tables misspelt": ("[[questions.panels]]", "[[panels]]", "panels: this key is not known"),
    "a rule with no test": ('{ question = "first", is = "present" }', "{ }", "fifth: show_if: a rule names one of"),
    "a kind that is none": ('kind = "choice"', 'kind = "pick"', 'fifth: kind: write one of "finding"'),
    "an unclosed text": ('"Fifth?"', '"Fifth?', "a text has no closing quotation mark"),
    "a text over two lines": ("Fifth?", "Fif\nth?", "a text has no closing quotation mark"),
    "no quotation marks": ('"Fifth?"', "Fifth?", "no value can be read here; put a text in quotation marks"),
    "a quotation mark inside": ("Fifth?", 'The "fifth"?', "more stands on the line than one value"),
    "curly quotation marks": ('"Fifth?"', "\u201cFifth?\u201d", "curly quotation marks stand here; write straight"),
    "a hard space": ("ask =", "ask\u00a0=", "a space or mark stands here that only looks like one"),
    "a mark that is not seen": ("ask =", "\ufeffask =", "a space or mark stands here that only looks like one"),
    "a colon": ('ask = "Fifth', 'ask: "Fifth', "no equals sign follows the key"),
    "a capital True": ('ask = "Fifth?"', 'ask = "Fifth?"\nretired = True', "write true or false in small letters"),
    "a key twice": ('ask = "Fifth?"', 'ask = "Fifth?"\nask = "Sixth?"', "the same key stands there twice; keep one"),
    "a backslash": ("Fifth?", "Fif\\dth?", "a backslash stands alone in a text"),
    "one bracket": ("[[questions]]", "[questions]", "write an entry of a list with two brackets"),
    "a bracket too few": ("[[questions]]", "[[questions]", "the brackets of a heading are not closed"),
    "no comma in a list": ('["two"]', '["two" "one"]', "a list is not closed; put commas between"),
    "no comma in braces": ('"first", is', '"first" is', "braces are not closed; put commas between"),
}
BELOW = {"a capital True": 1, "a key twice": 1}
"""On how many lines below the first that was changed the slip stands."""


@pytest.fixture(scope="module")
def problems_of(back_pain):
    def problems(text):
        with pytest.raises(ContentError) as refused:
            parse_definition({"proforma.toml": text, "dataset.toml": back_pain.texts["dataset.toml"]})
        return refused.value.problems

    return problems


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_with_its_line_and_what_to_write(problems_of, slip):
    old, new, sentence = SLIPS[slip]
    assert ENTRY.count(old) == 1
    line = (TEXT + ENTRY[: ENTRY.index(old)]).count("\n") + 1 + BELOW.get(slip, 0)
    told = [str(problem) for problem in problems_of(TEXT + ENTRY.replace(old, new))]
    assert any(one.startswith(f"proforma.toml, line {line}: ") and sentence in one for one in told), told
    assert not re.search(r"[Cc]haracter '|namespace|inline|\bat line\b", " ".join(told)), "words of the reader of TOML"


@pytest.mark.parametrize("unfinished", ['source = ["TEST"', "sets = { present = { sex = 'male'"])
def test_what_is_never_closed_is_told_with_a_line_and_how_to_close_it(problems_of, unfinished):
    (told,) = problems_of(TEXT + f"[[questions]]\n{unfinished}\n[[questions]]\n")
    begun = TEXT.count("\n") + 2
    assert begun <= told.lines[0] <= begun + 1
    assert "not closed; put commas between" in told.sentence
    assert " at " in told.sentence


def test_what_a_reader_of_toml_cannot_number_is_told_in_words(problems_of):
    for text in (TEXT.replace("max = 10", "max = " + "9" * 5000), TEXT + f"x = {'[' * 5000}"):
        (told,) = problems_of(text)
        assert told.lines == ()
        assert re.search("write fewer", told.sentence)


def test_a_problem_of_one_entry_is_told_with_its_line_and_of_two_with_both(problems_of):
    text = TEXT + ENTRY.replace('block = "block"', 'block = "nowhere"')
    (told,) = problems_of(text)
    assert told.lines == (text[: text.index('id = "fifth"')].count("\n") + 1,)
    twice = problems_of(TEXT + ENTRY + ENTRY)
    first = (TEXT + ENTRY[: ENTRY.index("id =")]).count("\n") + 1
    assert twice[0].lines == (first, first + ENTRY.count("\n"))
    assert str(twice[0]).startswith(
        f"proforma.toml, lines {first} and {first + ENTRY.count(chr(10))}: fifth: 2 entries"
    )
    assert str(Problem("a", "b", "c", (1, 2, 3))) == "a, lines 1, 2 and 3: b: c"


def test_a_question_that_stands_twice_is_told_once_and_not_by_what_follows_from_it(problems_of):
    """Rules that name it were told to be out of order, which led away from the slip."""
    second = TEXT[TEXT.index('[[questions]]\nid = "first"') :].split("[[questions]]\n")[1]
    (told,) = problems_of(TEXT + "[[questions]]\n" + second.split("\n[[")[0] + "\n")
    assert told.sentence == "2 entries have this question id; give each its own"


def test_the_same_is_not_said_twice(problems_of):
    text = TEXT.replace('name = "', 'name = "') + ENTRY.replace(
        'label = "One" }', 'label = "One", adds = { sung = ["a"] } }'
    ).replace('label = "Two" }', 'label = "Two", adds = { sung = ["a"] } }')
    assert [problem.sentence for problem in problems_of(text)] == [
        "field sung is not in dataset.toml; correct the name"
    ]
