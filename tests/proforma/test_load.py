"""The loader: malformed content is refused whole, all problems at once, with file, id and a sentence; never a crash."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.proforma.load import MAX_BYTES, ContentError, load_definition, parse_definition, read_text
from consult.proforma.path import Path as ThroughIt

TINY = Path(__file__).parents[1] / "definitions" / "tiny.toml"
TEXT = TINY.read_text(encoding="utf-8")
FIRST = 'id = "first"\n'


@pytest.fixture(scope="module")
def dataset_text(back_pain):
    return back_pain.texts["dataset.toml"]


@pytest.fixture(scope="module")
def problems_of(dataset_text):
    def problems(text, dataset=dataset_text):
        try:
            parse_definition({"proforma.toml": text, "dataset.toml": dataset})
        except ContentError as error:
            return [(p.file, p.id, p.sentence) for p in error.problems]
        return []

    return problems


def test_the_tiny_proforma_is_right(problems_of):
    assert problems_of(TEXT) == []
    assert problems_of(against(TWO)) == []
    assert problems_of(against(TWO, more=DECIDED)) == []
    assert problems_of(against(ONE, more=DECIDED)) == []


def add(id_, line):
    """The tiny proforma with one more line in an entry."""
    return TEXT.replace(f'id = "{id_}"\n', f'id = "{id_}"\n{line}\n', 1)


def put(old, new):
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def nested(depth):
    return "{ not = " * depth + '{ question = "first", is = "absent" }' + " }" * depth


def against(when, id_="odd", source="TEST", more=""):
    """The tiny proforma with a contradiction put before its questions."""
    entry = (
        f'[[contradictions]]\nid = "{id_}"\nwhen = {when}\ntext = "They do not agree."\nsource = ["{source}"]\n{more}'
    )
    return TEXT.replace("[[questions]]", f"{entry}\n[[questions]]", 1)


TWO = '{ all = [{ question = "first", is = "present" }, { question = "second", is = "one" }] }'
ONE = '{ question = "first", is = "present" }'
DECIDED = 'decided = ["other"]\n'
NOBODY = '{ question = "nobody", is = "present" }'
LATER = '{ question = "fourth", at_least = 3 }'
MALFORMED = {
    "an unknown key at the top": ('colour = "red"\n' + TEXT, "", "colour: this key is not known"),
    "an unknown key of a question": (add("first", 'colour = "red"'), "first", "colour: this key is not known"),
    "an unknown key of a panel": (put('level = "U0"', 'level = "U0"\nhue = 1'), "third", "hue: this key is not known"),
    "an unknown key of a rule": (put('is = "present" }', 'is = "present", perhaps = 1 }'), "second", "not known"),
    "an unknown key of an option": (put('label = "One"', 'label = "One", hue = 1'), "second", "not known"),
    "a missing key": (put('ask = "First?"\n', ""), "first", "ask: this key is missing"),
    "a duplicate question": (put('id = "second"', 'id = "first"'), "first", "2 entries have this question id"),
    "a duplicate section": (TEXT + '[[sections]]\nid = "part"\ntitle = "P"\n', "part", "2 entries"),
    "a duplicate block": (TEXT + '[[blocks]]\nid = "block"\nsection = "part"\ntitle = "B"\n', "block", "2 entries"),
    "an id that is not snake_case": (put('id = "fourth"', 'id = "Fourth one"'), "Fourth one", "snake_case"),
    "an unknown block": (
        put('block = "block"\nkind = "number"', 'block = "none"\nkind = "number"'),
        "fourth",
        "block none",
    ),
    "an unknown section": (put('section = "part"', 'section = "whole"'), "block", "section whole is not known"),
    "an unknown kind": (put('kind = "number"', 'kind = "smell"'), "fourth", "kind: "),
    "a rule on an unknown question": (
        put('question = "first", is = "present" }\noptions', 'question = "frist", is = "present" }\noptions'),
        "second",
        "question frist, which is not known",
    ),
    "a show_if on a later question": (
        add("first", f"show_if = {LATER}"),
        "first",
        "fourth is not earlier; put this one below",
    ),
    "a show_if on itself": (add("fourth", f"show_if = {LATER}"), "fourth", "fourth is not earlier; name another"),
    "a show_if on a tag that comes later": (
        put('ask = "Fourth?"', 'ask = "Fourth?"\ntags = ["late"]').replace(
            FIRST, FIRST + 'show_if = { tagged = "late", answered = true }\n', 1
        ),
        "first",
        "some tagged late come later",
    ),
    "a value that can never be": (
        put('is = "present" }\noptions', 'is = "red" }\noptions'),
        "second",
        "can never be; use one of present, absent, unsure, declined, not_asked",
    ),
    "an option that can never be": (
        add("third", 'show_if = { question = "second", is = "three" }').replace("U0", "U2").replace("U1", "U3"),
        "third",
        "with three, which it can never be",
    ),
    "a word for a number": (
        TEXT + '[[questions]]\nid = "fifth"\nblock = "block"\nkind = "finding"\nask = "Fifth?"\nsource = ["TEST"]\n'
        'show_if = { question = "fourth", is = "high" }\n',
        "fifth",
        "a rule compares fourth with high, which it can never be; write at_least or answered",
    ),
    "includes on a choice": (
        add("fourth", 'show_if = { question = "second", includes = "one" }'),
        "fourth",
        "includes is for questions of kind choices, and second is a choice; write is or in",
    ),
    "at_least on a finding": (
        add("fourth", 'show_if = { question = "first", at_least = 1 }'),
        "fourth",
        "at_least is for numbers, and first is a finding; write is or in",
    ),
    "a field in a rule": (add("fourth", 'show_if = { field = "sex", is = "male" }'), "fourth", "not field sex"),
    "two tests in one rule": (
        add("fourth", 'show_if = { question = "first", is = "present", answered = true }'),
        "fourth",
        "exactly one of",
    ),
    "an empty all": (add("fourth", "show_if = { all = [] }"), "fourth", "at least one rule"),
    "a choice without options": (put('kind = "number"', 'kind = "choice"'), "fourth", "a choice needs options"),
    "options of a finding": (
        add("first", 'options = [{ code = "a", label = "A" }]'),
        "first",
        "only choice and choices take options",
    ),
    "an option used twice": (put('code = "two"', 'code = "one"'), "second", "option one is used twice"),
    "an option named like a state": (put('code = "two"', 'code = "unsure"'), "second", "name of a state"),
    "a number without limits": (put("max = 10\n", ""), "fourth", "a number needs min and max"),
    "limits the wrong way round": (put("min = 0", "min = 11"), "fourth", "min not above max"),
    "states of a finding": (add("first", 'states = ["unsure"]'), "first", "a finding has all five states"),
    "an unknown field": (put("sets = { sex", "sets = { shoe_size"), "second", "field shoe_size is not in dataset.toml"),
    "an unknown code": (put('sets = { sex = "male" }', 'sets = { sex = "purple" }'), "second", "sex knows no purple"),
    "sets on a list": (
        put('sets = { sex = "male" }', 'sets = { barriers = "other" }'),
        "second",
        "use adds",
    ),
    "adds on a single choice": (put('sets = { sex = "male" }', 'adds = { sex = ["male"] }'), "second", "use sets"),
    "an unknown group": (put('group = "rf_cancer"', 'group = "rf_bad_luck"'), "first", "counts names rf_bad_luck"),
    "copies into a choice": (add("fourth", 'copies = "sex"'), "fourth", "not a text"),
    "copies into nothing": (add("fourth", 'copies = "tune"'), "fourth", "copies names field tune"),
    "asked of no field": (add("first", 'asked = ["sung"]'), "first", "field sung is not in dataset.toml"),
    "an unknown source": (put('source = ["TEST"]', 'source = ["HEARSAY"]'), "first", "source HEARSAY"),
    "an unknown source of a panel": (
        put('text = "Kept text."\nsource = ["TEST"]', 'text = "Kept text."\nsource = ["HEARSAY"]'),
        "third",
        "source HEARSAY",
    ),
    "no source": (put('source = ["TEST"]\ntags', "tags"), "first", "a question needs at least one source"),
    "an unknown route": (put('"same_day"', '"taxi"'), "third", "route taxi is not known"),
    "an unknown tag": (
        add("fourth", 'show_if = { tagged = "nobody", is = "present" }'),
        "fourth",
        "no question bears the tag nobody",
    ),
    "an unknown level": (put('level = "U1"', 'level = "U9"'), "third", "level"),
    "panels out of order": (put('level = "U0"', 'level = "U3"'), "third", "from the highest level (U0) down"),
    "a panel that can never show": (
        put('when = { question = "first", is = "present" }\ntext', "text"),
        "third",
        "only the last panel may do without",
    ),
    "a contradiction of one answer": (
        against(ONE),
        "odd",
        "answers to two questions contradict each other; name both in when, or a decision in decided",
    ),
    "a contradiction with no decision": (against(ONE, more="decided = []\n"), "odd", "answers to two questions"),
    "a contradiction with a decision that is none": (
        against(ONE, more='decided = ["other", "postponed"]\n'),
        "odd",
        "decided names postponed, which is not in [decisions]",
    ),
    "a contradiction with a decision by tag": (
        against(ONE.replace('question = "first"', 'tagged = "fever"'), more=DECIDED),
        "odd",
        "no tag is taken here",
    ),
    "a decision in the rule of a contradiction": (
        against('{ all = [{ question = "first", is = "present" }, { decided = "other" }] }'),
        "odd",
        "decided: this key is not known",
    ),
    "a decision in the rule of a question": (
        add("fourth", 'show_if = { decided = "other" }'),
        "fourth",
        "decided: this key is not known",
    ),
    "a decision beside the rule of a panel": (
        put('level = "U1"', 'level = "U1"\ndecided = ["other"]'),
        "third",
        "decided: this key is not known",
    ),
    "a contradiction of a question that is none": (against(TWO.replace("first", "fifth")), "odd", "fifth"),
    "a contradiction by tag": (
        against(TWO.replace('question = "first"', 'tagged = "fever"')),
        "odd",
        "no tag is taken here",
    ),
    "a contradiction without a known source": (against(TWO, source="NOWHERE"), "odd", "source NOWHERE is not in"),
    "an empty panel": (put('text = "Kept text."', 'text = " "'), "third", "a panel needs its text"),
    "a panel for nothing": (
        put('level = "U1"', 'level = "U1"\nfor = ["maybe"]'),
        "third",
        "a panel is for maybe, which third can never be; use present, absent",
    ),
    "an emergency hidden by another finding": (
        add("third", 'show_if = { question = "first", is = "absent" }'),
        "third",
        "may be hidden only while another question is absent",
    ),
    "an emergency hidden by a choice": (
        add("third", 'show_if = { question = "second", is = "one" }'),
        "third",
        "may be hidden only while",
    ),
    "an emergency hidden by two findings at once": (
        add(
            "third", 'show_if = { all = [{ question = "first", is = "present" }, { question = "second", is = "one" }] }'
        ),
        "third",
        "may be hidden only while",
    ),
    "an emergency hidden by a positive": (
        add("third", 'show_if = { not = { question = "first", is = "present" } }'),
        "third",
        "may be hidden only while",
    ),
    "two setters of one field": (
        add("first", 'sets = { present = { sex = "other" } }'),
        "second",
        "field sex is set by first and second",
    ),
    "sets by no state": (add("first", 'sets = { maybe = { sex = "other" } }'), "first", "go by state, not maybe"),
    "an unknown state in labels": (
        add("first", 'labels = { maybe = "Maybe" }'),
        "first",
        "labels knows no state maybe",
    ),
    "a wrong type": (put("min = 0", 'min = "none"'), "fourth", "min: "),
    "a number for a text": (put('ask = "First?"', "ask = 7"), "first", "ask: "),
    "a list for a table": (
        put('show_if = { question = "first", is = "present" }', "show_if = [1]"),
        "second",
        "show_if",
    ),
    "a date that is none": (put("2030-01-01", '"soon"'), "", "review_by"),
    "a status of its own": (put('"draft"', '"approved"'), "", "status"),
    "questions that are no list": (re.sub(r"\[\[questions\]\][\s\S]*", "[questions]\nid = 3\n", TEXT), "", "questions"),
    "a fact of an unknown field": (put("info_form", "info_shape"), "leaflet_given_printed", "field info_shape"),
    "a fact that cannot come about": (
        put('fact = "leaflet_given_printed"', 'fact = "song_sung"'),
        "song_sung",
        "no such fact can come about",
    ),
    "an emergency decision that is none": (
        put('status = "draft"', 'status = "draft"\nemergency_decisions = ["panic"]'),
        "panic",
        "not in [decisions]",
    ),
    "an option under a rule on an unknown question": (
        put('label = "One"', f'label = "One", show_if = {NOBODY}'),
        "second",
        "question nobody, which is not known",
    ),
    "a group gesture under a rule on an unknown question": (
        add("first", f"one_by_one_if = {NOBODY}"),
        "first",
        "question nobody, which is not known",
    ),
    "a report under a rule on an unknown question": (
        add("second", f"report_unless = {NOBODY}"),
        "second",
        "question nobody, which is not known",
    ),
    "a count under a rule on an unknown question": (
        put('group = "rf_cancer"', f'group = "rf_cancer", when = {NOBODY}'),
        "first",
        "question nobody, which is not known",
    ),
    "a text under a rule on an unknown question": (
        put('when = { question = "first", is = "present" }\ntext', f"when = {NOBODY}\ntext"),
        "third",
        "question nobody, which is not known",
    ),
    "a fact under a rule on an unknown question": (
        put('fact = "leaflet_given_printed"', f'fact = "leaflet_given_printed"\nwhen = {NOBODY}'),
        "leaflet_given_printed",
        "question nobody, which is not known",
    ),
    "a report asked for under a rule on an unknown question": (
        put('status = "draft"', f'status = "draft"\nreport_when = {NOBODY}'),
        "report_when",
        "question nobody, which is not known",
    ),
    "two contradictions of one name": (
        against(TWO, more=f'[[contradictions]]\nid = "odd"\nwhen = {TWO}\ntext = "Nor do they."\nsource = ["TEST"]\n'),
        "odd",
        "2 contradictions have this id",
    ),
    "a question without words": (put('ask = "First?"', 'ask = " "'), "first", "a question needs its words"),
    "an option without words": (put('label = "One"', 'label = ""'), "second", "each option in label"),
    "a state that sets an unknown code": (
        add("first", 'sets = { present = { sex = "purple" } }'),
        "first",
        "sex knows no purple",
    ),
    "a state that adds an unknown code": (
        add("first", 'adds = { present = { barriers = ["luck"] } }'),
        "first",
        "barriers knows no luck",
    ),
    "a count by an option that is not there": (
        add("second", 'counts = [{ as = "primary", group = "rf_cancer", present = ["three"], absent = ["one"] }]'),
        "second",
        "needs present and absent as option codes",
    ),
    "broken TOML": (put('ask = "First?"', "ask = First?"), "", "This is not valid TOML"),
    "the same key twice": (add("first", FIRST), "", "This is not valid TOML"),
    "a rule nested without end": (add("fourth", f"show_if = {nested(3000)}"), "", "This is not valid TOML"),
    "a rule nested too deep": (add("fourth", f"show_if = {nested(250)}"), "", "nested too deeply"),
    "tables nested without end": (TEXT + f"\n[{'.'.join('a' * 5000)}]\n", "", "This is not valid TOML"),
    "a number of thousands of digits": (put("max = 10", "max = " + "9" * 5000), "", "This is not valid TOML"),
    "a time of day": (put("max = 10", "max = 07:32:00"), "fourth", "max: "),
    "not a number": (put("max = 10", "max = nan"), "fourth", "max: "),
    "an empty file": ("", "", "this key is missing"),
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_malformed_content_is_refused_with_file_id_and_a_sentence(problems_of, fault):
    text, entry, sentence = MALFORMED[fault]
    found = problems_of(text)
    assert found, "it was accepted"
    assert {file for file, _, _ in found} == {"proforma.toml"}
    assert any(id_ == entry and sentence in words for _, id_, words in found), found
    assert all(len(words.split()) >= 3 for _, _, words in found)


def test_a_rule_of_ordinary_depth_is_read(dataset_text):
    text = add("fourth", f"show_if = {nested(20)}")
    loaded = parse_definition({"proforma.toml": text, "dataset.toml": dataset_text})
    assert "fourth" not in ThroughIt(loaded.proforma, {})


def test_all_problems_are_listed_at_once(problems_of):
    text = TEXT.replace('"same_day"', '"taxi"').replace("max = 10", "max = -1").replace("rf_cancer", "rf_bad_luck")
    text = text.replace('sex = "male"', 'sex = "purple"')
    assert {id_ for _, id_, _ in problems_of(text)} == {"first", "second", "third", "fourth"}
    shapes = add("first", "hue = 1").replace('ask = "Second?"\n', "").replace("min = 0", 'min = "a"')
    assert {id_ for _, id_, _ in problems_of(shapes)} == {"first", "second", "fourth"}


def test_a_problem_reads_as_file_id_sentence(dataset_text):
    with pytest.raises(ContentError) as refused:
        parse_definition({"proforma.toml": put('"same_day"', '"taxi"'), "dataset.toml": dataset_text})
    line = TEXT[: TEXT.index('id = "third"')].count("\n") + 1
    assert str(refused.value).startswith(f"proforma.toml, line {line}: third: route taxi is not known; use ")


@pytest.mark.parametrize(("old", "new"), [
    ('name = "sex"', 'nom = "sex"'), ('type = "date"', 'type = "moon"'), ("[[fields]]", "[[fields"),
])  # fmt: skip
def test_a_malformed_data_set_is_refused_by_its_own_name(problems_of, dataset_text, old, new):
    assert old in dataset_text
    assert {file for file, _, _ in problems_of(TEXT, dataset_text.replace(old, new, 1))} == {"dataset.toml"}


LONE = """
[[fields]]
name = "lone_working"
section = "work"
type = "choice"
options = ["yes", "no"]
"""
NO_FIELDS = {
    "a name twice": ('"lone_working"', '"sex"', "sex", "2 fields have this name; give each its own"),
    "a name of the program": ('"lone_working"', '"step"', "step", "keeps something else under this name"),
    "a name with a space": ('"lone_working"', '"lone working"', "lone working", "snake_case"),
    "a name in capitals": ('"lone_working"', '"SEX"', "SEX", "snake_case"),
    "no options": ('options = ["yes", "no"]', "", "lone_working", "a choice needs options"),
    "options of a text": ('"choice"', '"text"', "lone_working", "only choice and choices take options"),
    "an option twice": ('"no"]', '"yes"]', "lone_working", "option yes stands twice; keep one"),
    "an option with a semicolon": ('"no"]', '"no;none"]', "lone_working", 'option "no;none" is no code'),
    "an option with a space": ('"no"]', '"not at all"]', "lone_working", 'option "not at all" is no code'),
    "a blank option": ('"no"]', '""]', "lone_working", 'option "" is no code'),
    "a blank that is none": ('"no"]', '"no"]\nblank_as = "unknown"', "lone_working", "blank_as names unknown"),
}


def test_a_new_field_is_right(problems_of, dataset_text):
    assert problems_of(TEXT, dataset_text + LONE) == []


@pytest.mark.parametrize("fault", NO_FIELDS)
def test_what_can_be_no_field_of_a_case_is_refused(problems_of, dataset_text, fault):
    old, new, name, sentence = NO_FIELDS[fault]
    found = problems_of(TEXT, dataset_text + LONE.replace(old, new, 1))
    assert any((file, id_) == ("dataset.toml", name) and sentence in words for file, id_, words in found), found


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(("content", "sentence"), [
    (b"id = 'a'\0", "NUL bytes"), (b"\xff\xfe\x00", "NUL bytes"), (b"\xff\xfeid", "line 1: .* not UTF-8"),
    (b"title = '\xe9'", "line 1: .* not UTF-8"),
    ("id = 1\n\ntitle = \u201cCaf\xe9".encode("cp1252"), "line 3: .* not UTF-8"),
    (b"id = 1\r\n\r\ntitle = '\xe9'", "line 3: .* not UTF-8"), (b"id = 1\rtitle = '\xe9'", "line 2: .* not UTF-8"),
])  # fmt: skip
def test_a_file_that_is_no_text_is_refused(tmp_path, content, sentence):
    file = tmp_path / "proforma.toml"
    file.write_bytes(content)
    with pytest.raises(ContentError, match=sentence):
        read_text(file)
    with pytest.raises(ContentError, match=r"^proforma\.toml(, line \d+)?: "):
        load_definition(tmp_path)


def test_a_file_of_50_mb_is_refused_unread(tmp_path):
    file = tmp_path / "proforma.toml"
    with file.open("wb") as big:
        big.truncate(50_000_000)
    with pytest.raises(ContentError, match=rf"larger than {MAX_BYTES:,} bytes"):
        load_definition(tmp_path)


def test_a_file_that_is_missing_or_a_folder_is_refused(tmp_path):
    with pytest.raises(ContentError, match="cannot be read"):
        load_definition(tmp_path)
    (tmp_path / "proforma.toml").mkdir()
    with pytest.raises(ContentError, match="cannot be read"):
        load_definition(tmp_path)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_endings_do_not_make_another_version(tmp_path, back_pain, end):
    for name, text in back_pain.texts.items():
        (tmp_path / name).write_bytes(text.replace("\n", end).encode())
    assert load_definition(tmp_path).digest == back_pain.digest


@pytest.mark.parametrize("name", ["proforma.toml", "dataset.toml"])
def test_any_change_of_a_text_is_another_version(back_pain, name):
    texts = dict(back_pain.texts)
    texts[name] += "# a remark\n"
    assert parse_definition(texts).digest != back_pain.digest


# ---------------------------------------------------------------- anything at all


def loads_or_is_refused(texts):
    """A definition, or None where it was refused with problems; anything else fails."""
    try:
        return parse_definition(texts)
    except ContentError as error:
        problems = error.problems
    assert problems
    assert all(problem.file in texts and problem.sentence for problem in problems)
    return None


@given(text=st.text(max_size=200))
def test_any_text_is_refused_without_a_crash(dataset_text, text):
    assert loads_or_is_refused({"proforma.toml": text, "dataset.toml": dataset_text}) is None


@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused_without_a_crash(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp() / "bytes"
    folder.mkdir(exist_ok=True)
    (folder / "proforma.toml").write_bytes(content)
    with pytest.raises(ContentError):
        load_definition(folder)


FRAGMENTS = [
    '"',
    "{",
    "}",
    "[",
    "]",
    "=",
    "\n",
    "true",
    "-1",
    '"present"',
    '"first"',
    "not",
    "[[questions]]",
    "1e9",
    "#",
]


@settings(max_examples=150)
@given(data=st.data())
def test_a_mutation_of_the_tiny_file_is_loaded_or_refused_and_what_is_loaded_can_be_used(dataset_text, data):
    text = TEXT
    for _ in range(data.draw(st.integers(1, 3))):
        lines = text.splitlines()
        at = data.draw(st.integers(0, len(lines) - 1))
        way = data.draw(st.sampled_from(["drop", "double", "swap", "insert", "replace word"]))
        if way == "drop":
            del lines[at]
        elif way == "double":
            lines.insert(at, lines[at])
        elif way == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif way == "insert":
            where = data.draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:where] + data.draw(st.sampled_from(FRAGMENTS)) + lines[at][where:]
        else:
            words = lines[at].split(" ")
            words[data.draw(st.integers(0, len(words) - 1))] = data.draw(st.sampled_from(FRAGMENTS))
            lines[at] = " ".join(words)
        text = "\n".join(lines) + "\n"
    definition = loads_or_is_refused({"proforma.toml": text, "dataset.toml": dataset_text})
    if definition is not None:
        path = ThroughIt(definition.proforma, {})
        assert all(path.level(q.id) == "none" for q in path.questions())


@settings(max_examples=12)
@given(data=st.data())
def test_a_mutation_of_the_real_file_is_loaded_or_refused(back_pain, data):
    lines = back_pain.texts["proforma.toml"].splitlines()
    for _ in range(3):
        at = data.draw(st.integers(0, len(lines) - 1))
        if data.draw(st.booleans()):
            lines[at] = lines[at].replace(data.draw(st.sampled_from(["present", "U0", "question", "=", '"'])), "absent")
        else:
            del lines[at]
    loads_or_is_refused(back_pain.texts | {"proforma.toml": "\n".join(lines)})
