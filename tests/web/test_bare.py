"""What spares work in the tests of pages hides nothing: what is taken away of a page, an application used again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pages
import pytest
from bare import bare, outline
from html5lib.html5parser import ParseError
from visiting import Again, Service, opened

from consult.instance import KEY_FILE

PAGE = """<!DOCTYPE html>
<html lang="en-GB">
<head><meta charset="utf-8"><meta name="token" content="abc"><title>A page &amp; more</title>
<link rel="stylesheet" href="/static/consult.css?v=1"><script src="/a.js" defer></script></head>
<body hx-headers='{"X-CSRFToken": "abc"}'>
<main id="main"><h1 class="top">What it is</h1>
<form method="post" action="/here" id="one"><input type="hidden" name="csrf_token" value="abc">
<label for="age">How old</label> <input class="box" id="age" name="age" value="4 &amp; 5" autocomplete="off">
<label>What <select name="what"><option value="">None</option><option value="a" selected>Any</option></select></label>
<input name="more" aria-label="More of it"><textarea name="text" aria-labelledby="said">It's so, "they" say</textarea>
<p id="said">Said &lt;b&gt; and done</p><button>Send</button></form>
<table><tr><th>Year</th></tr><tr><td>2025</td></tr><tr><td>2026</td></tr></table>
<svg role="img" aria-labelledby="t"><title id="t">A line</title><path d="M0 0L1 1"/></svg>
<p>Done <a href="/there" title="There">there</a>.</p></main>
</body></html>
"""
FAULTS: dict[str, Callable[[str], str]] = {
    "two headings": lambda page: page.replace("<p>Done", "<h1>Again</h1><p>Done"),
    "no heading": lambda page: page.replace("h1", "h2"),
    "a title that says nothing": lambda page: page.replace("A page &amp; more", " "),
    "a title of a blank that is written": lambda page: page.replace("A page &amp; more", "\xa0"),
    "no title": lambda page: page.replace("<title>A page &amp; more</title>", ""),
    "an id twice": lambda page: page.replace('id="age"', 'id="said"').replace('for="age"', 'for="said"'),
    "an id twice in other letters": lambda page: page.replace('<p id="said">', '<p ID="main">'),
    "a label that points nowhere": lambda page: page.replace('for="age"', 'for="old"'),
    "one of two that point nowhere": lambda page: page.replace('="said">It', '="said nothing">It'),
    "a drawing whose words are not there": lambda page: page.replace('<title id="t">', "<title>"),
    "a form that is not there": lambda page: page.replace('name="more"', 'name="more" form="two"'),
    "a field without a label": lambda page: page.replace(' aria-label="More of it"', ""),
    "a label that says nothing": lambda page: page.replace('aria-label="More of it"', 'aria-label=""'),
    "a field that is hidden no more": lambda page: page.replace('type="hidden"', 'type="text"'),
    "a form without a token": lambda page: page.replace("csrf_token", "token"),
    "a token in no field": lambda page: page.replace('<input type="hidden" name="csrf', '<a name="csrf'),
    "a choice that says nothing": lambda page: page.replace(">Any<", "> <"),
    "a choice of blanks": lambda page: page.replace(">Any<", ">\xa0<"),
    "a button that says nothing": lambda page: page.replace(">Send<", "><"),
    "a link that says nothing": lambda page: page.replace(">there<", "><"),
    "a hidden field that is filled in": lambda page: page.replace('type="hidden"', 'type="hidden" autocomplete="off"'),
    "a style": lambda page: page.replace('class="top"', 'style="top: 0"'),
    "a script": lambda page: page.replace('class="top"', 'onclick="go()"'),
    "a script in other letters": lambda page: page.replace('class="top"', 'onClick=""'),
    "an attribute twice": lambda page: page.replace('class="top"', 'class="top" class="top"'),
    "an attribute twice in other letters": lambda page: page.replace('class="top"', 'class="top" CLASS="x"'),
    "no space between two": lambda page: page.replace('class="box" id', 'class="box"id'),
    "a quotation mark too many": lambda page: page.replace('class="top"', 'class="top""'),
    "a quotation mark that ends nowhere": lambda page: page.replace('class="top"', 'class="top'),
    "a quotation mark in a value without": lambda page: page.replace('class="top"', "class=to'p"),
    "a value that is missing": lambda page: page.replace('class="top"', "class="),
    "a less-than sign in a name": lambda page: page.replace('class="top"', "cla<ss"),
    "an entity that is none": lambda page: page.replace("&amp; 5", "&nothing; 5"),
    "an entity that does not end": lambda page: page.replace("&lt;b", "&ltb"),
    "a number that is no character": lambda page: page.replace("&lt;b", "&#0;b"),
    "a control character": lambda page: page.replace("Done", "Do\x01ne"),
    "a control character in an attribute": lambda page: page.replace("There", "The\x01re"),
    "no character at all": lambda page: page.replace("Done", "Do\ufffene"),
    "a NUL": lambda page: page.replace("Done", "Do\0ne"),
    "a less-than sign in a text": lambda page: page.replace("Done", "Do < ne <3"),
    "a tag that never ends": lambda page: page.replace("</body></html>", "<p"),
    "an end without a beginning": lambda page: page.replace("Done", "Done</b>"),
    "a beginning without an end": lambda page: page.replace("Done", "<b>Done"),
    "two that cross": lambda page: page.replace("Done", "<b>Do<i>n</b>e</i>"),
    "a field in a table": lambda page: page.replace("<td>2025</td>", '<input aria-label="x">'),
    "an end with an attribute": lambda page: page.replace("</main>", '</main class="x">'),
    "an element that cannot end itself": lambda page: page.replace('<h1 class="top">', '<h1 class="top"/>'),
    "a form in a form": lambda page: page.replace("<p id=", '<form action="/x"></form><p id='),
    "no kind of document": lambda page: page.replace("<!DOCTYPE html>", ""),
    "a comment that ends wrongly": lambda page: page.replace("Done", "<!-- a -- b --!> Done"),
    "a fault behind a comment": lambda page: page.replace("Done", "<!-- > --> </b>"),
    "a fault behind a tag in a text": lambda page: page.replace("It's so", "<b x='").replace("Done", "</i>"),
    "a script with something like a tag": lambda page: page.replace("defer>", "defer>a<b c='").replace(
        "Done", "Do'></b>"
    ),
}


def test_a_page_without_fault_has_none_without_what_does_not_matter() -> None:
    assert pages.wrong_with(PAGE) == pages.wrong_with(bare(PAGE)) == pages.wrong_with_bare(bare(PAGE)) == []
    assert len(bare(PAGE)) < len(PAGE) * 2 / 3


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_is_taken_away(fault: str) -> None:
    page = FAULTS[fault](PAGE)
    assert page != PAGE
    assert pages.wrong_with(page)
    assert pages.wrong_with(bare(page))
    assert pages.wrong_with_bare(bare(page))


ASTRAY = {
    "an end of nothing": "</b>",
    "two that cross": "<b><i>x</b></i>",
    "a link in a link": '<a href="/">x<a href="/">x</a></a>',
    "a form in a form": "<form><form></form></form>",
    "a part of a list that stays open": "<ul><li>x<ul></li></ul></ul>",
    "what no paragraph holds": "<p>x<div>x</div></p>",
    "words where only rows are": "<table>x<tr><td>x</td></tr></table>",
    "two that differ": "<table><tr><td>x</td></tr></table><table><td>x</td></table>",
}


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("fault", ASTRAY)
def test_no_fault_is_taken_away_among_many_that_are_equal(fault: str, before: int) -> None:
    """At the first, the last or between, also where the fault itself stands twice."""
    equal = '<section><h2>x</h2> <ul class="u"><li>x</li> <li>x</li></ul><table><tr><td>x</td></tr></table></section>\n'
    for times in (1, 2):
        page = PAGE.replace("<p>Done", equal * before + ASTRAY[fault] * times + equal * (3 - before) + "<p>Done")
        assert pages.wrong_with(page)
        assert pages.wrong_with_bare(bare(page))
    sound = PAGE.replace("<p>Done", equal * 3 + "<p>Done")
    assert outline(bare(sound))[0] == outline(bare(PAGE.replace("<p>Done", equal + "<p>Done")))[0]
    assert pages.wrong_with_bare(bare(sound)) == []


LONG = "<em>x</em> <small>x</small> <code>x</code> <q>x</q> <cite>x</cite>"
"""Words enough for an element to be known again."""


@pytest.mark.parametrize("place", ["<p>Done", "<p id=", "2026"])
@pytest.mark.parametrize("fault", ASTRAY)
def test_what_was_found_sound_in_one_place_is_not_taken_for_sound_in_another(fault: str, place: str) -> None:
    """Each element of a fault was found sound by itself, in a page; the same elements in each other are not."""
    for alone in ("<p>x</p>", "<form>x</form>", '<a href="/">x</a>', "<ul><li>x</li></ul>", "<div>x</div>", "<b>x</b>"):
        sound = PAGE.replace("<p>Done", f"<section>{alone}</section>{alone}<p>Done".replace(">x<", f">{LONG}<"))
        assert pages.wrong_with_bare(bare(sound)) == []
    page = PAGE.replace(place, ASTRAY[fault].replace("x", LONG) + place)
    assert pages.wrong_with(page)
    assert pages.wrong_with_bare(bare(page))


def test_of_a_page_only_what_is_new_is_parsed_strictly() -> None:
    first = "<section><h2>x</h2><ul><li><b>x</b> <i>x</i></li></ul></section>"
    found = outline(bare(PAGE.replace("<p>Done", first + "<p>Done")))[1]
    new, marks = outline(
        bare(PAGE.replace("<p>Done", first + "<section><p>x</p></section><p>Done")), found.__contains__
    )
    assert "<ul>" not in new
    assert "<section><p>x</p></section>" in new
    assert marks


@pytest.mark.parametrize("fault", ["two that cross", "an entity that is none", "no kind of document"])
def test_a_page_that_nobody_looked_over_is_parsed_strictly_before_it_is_read(fault: str) -> None:
    with pytest.raises(ParseError):
        pages.parse(FAULTS[fault](PAGE))


def test_a_page_is_read_as_the_strict_parser_does() -> None:
    assert pages.alike(pages.strict(PAGE), pages.read(PAGE))
    for old, new in (("Done", "Don"), ('id="age"', 'id="old"'), ("<p>Done", "<p><b></b>Done"), (" selected", "")):
        assert not pages.alike(pages.strict(PAGE), pages.read(PAGE.replace(old, new)))


def test_what_one_process_found_sound_the_others_take_up_and_nothing_else(tmp_path: Path) -> None:
    one, other = pages.Sound(), pages.Sound()
    one.file = other.file = tmp_path / "sound"
    page, pieces = pages.shape(PAGE, whole=True), pages.shape("<p>Said</p>", whole=False)
    assert page not in other
    one.add(page)
    assert page in other
    assert pages.shape(PAGE, whole=False) not in other
    other.add(pieces)
    assert pieces in one
    assert pages.shape(FAULTS["two headings"](PAGE), whole=True) not in one


def test_an_application_that_is_put_over_another_instance_keeps_nothing_of_the_one_before(
    made: Path, tmp_path: Path
) -> None:
    again = Again()
    first, second = (opened(Path(shutil.copytree(made, tmp_path / name)), again) for name in ("first", "second"))
    assert first.app is second.app
    first.instance.close()
    first.app.extensions["of the first"] = first.app.config["OF_THE_FIRST"] = True
    first.app.config["TRUSTED_HOSTS"] = ["first.example"]
    folder = Path(shutil.copytree(made, tmp_path / "third"))
    (folder / KEY_FILE).unlink()
    third = opened(folder, again)
    assert third.app.extensions["consult"] is third.instance
    assert third.app.secret_key == third.instance.secret_key != second.instance.secret_key
    assert "of the first" not in third.app.extensions
    assert "OF_THE_FIRST" not in third.app.config
    assert third.app.before_request_funcs[None][0] == third.hurry
    assert second.hurry not in third.app.before_request_funcs[None]
    assert third.visitor("nurse").ask("/").status_code == 200
    for service in (second, third):
        service.instance.close()


def test_pages_that_differ_in_what_they_say_leave_the_same_and_in_how_they_are_made_do_not() -> None:
    other = PAGE.replace("2025", "1999").replace("What it is", "What was").replace("said", "told").replace("abc", "d-e")
    assert bare(other) == bare(PAGE)
    for old, new in (('for="age"', 'for="main"'), ("</h1>", "</h1><p>More</p>"), ('type="hidden"', 'type="radio"')):
        assert bare(PAGE.replace(old, new)) != bare(PAGE)


def test_of_the_product_s_own_pages_nearly_all_is_taken_away(service: Service) -> None:
    nurse = service.visitor("nurse")
    for path in ("/", "/account", f"/consultations/{service.begin()}", "/results"):
        text = nurse.ask(path).text
        assert len(bare(text)) < len(text) / 2
        assert len(outline(bare(text))[0]) < len(bare(text))
        assert pages.alike(pages.strict(bare(text)), pages.read(bare(text)))
