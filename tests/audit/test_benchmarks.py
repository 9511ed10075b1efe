"""Benchmarks: every published figure, nothing else; what is not held says so; a service's own rounds stand beside."""

import csv
from pathlib import Path

import pytest
from msgspec.structs import replace

from consult.audit.benchmarks import ADDED, FILE, NOT_HELD, parse_benchmarks, with_added
from consult.audit.figures import against_national, benchmark
from consult.audit.results import Result, Selection, as_json, results
from consult.proforma.load import ContentError

DATA = Path(__file__).parents[1] / "data"
GUIDE = Path(__file__).parents[2] / "docs" / "audit-leads.md"
PUBLISHED = list(csv.DictReader((DATA / "published-figures.csv").read_text("utf-8").splitlines()))
"""What was published, kept apart from the file that ships: one row a figure, words that its source and caveat hold."""

EITHER_READING = {"clear_information_any": "clear_information"}
"""The published wording of one figure allows two readings, so it stands beside both measures."""


def number(text):
    return float(text) if text else None


@pytest.fixture(scope="module")
def by_place(benchmarks):
    return {(figure.measure or figure.name, figure.year): figure for figure in benchmarks.figures}


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row['name']} {row['year']}")
def test_every_published_figure_is_held_with_all_that_was_published_of_it(benchmarks, by_place, row):
    figure = by_place[row["measure"] or row["name"], int(row["year"])]
    assert (figure.name, figure.round, figure.year) == (row["name"], int(row["round"]), int(row["year"]))
    assert figure.value_percent == float(row["value_percent"])
    assert (figure.numerator, figure.denominator) == (number(row["numerator"]), number(row["denominator"]))
    assert (figure.unit, figure.basis) == (row["unit"], row["basis"])
    wanted = row["source"].split("; ")
    assert len(figure.source) == len(wanted)
    for words in wanted:
        assert words in benchmarks.source(figure)
    assert row["caveat"]
    for words in row["caveat"].split("; "):
        assert words in figure.caveat


def test_no_figure_is_held_that_was_not_published(benchmarks, by_place):
    known = {(row["measure"] or row["name"], int(row["year"])) for row in PUBLISHED}
    for (place, year), figure in by_place.items():
        assert (EITHER_READING.get(place, place), year) in known
        if place in EITHER_READING:
            assert replace(figure, id="", measure="") == replace(
                by_place[EITHER_READING[place], year], id="", measure=""
            )
    assert len(by_place) == len(benchmarks.figures) == len(PUBLISHED) + len(EITHER_READING)


def test_the_rounds_say_how_many_cases_and_that_one_number_is_derived(benchmarks):
    rounds = {r.year: r for r in benchmarks.shipped.rounds}
    assert {year: r.cases for year, r in rounds.items()} == {2011: 5524, 2008: 2954}
    assert "derived" in rounds[2008].caveat
    assert pytest.approx(2954, abs=0.5) == 5524 / 1.87


def test_every_measure_has_its_published_figure_or_none(measures, benchmarks):
    for measure in measures.measures:
        of_2011 = [row for row in PUBLISHED if row["measure"] == EITHER_READING.get(measure.id, measure.id)]
        published = float(of_2011[0]["value_percent"]) / 100 if of_2011 else None
        assert benchmarks.of(measure.id) == {"2011": published, "2008": None}
        assert measure.national <= (published is not None)


def test_a_figure_is_printed_with_its_year_and_method(benchmarks):
    assert benchmarks.words("red_flags_screened", 2011) == "2011, from case notes: 55%"
    assert benchmarks.words("red_flags_screened", 2008) == f"2008, from case notes: {NOT_HELD}"
    assert benchmarks.words("red_flags_complete", 2011) == f"2011, from case notes: {NOT_HELD}"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('measure = "red_flags_screened"', 'measure = "red_flag"', "not in measures.toml"),
        ("value_percent = 55", "value_percent = 155", "between 0 and 100"),
        ('source = ["csp"]', 'source = ["blog"]', "not in [sources]"),
        ("round = 2\nyear = 2011", "round = 3\nyear = 2013", "not in [[rounds]]"),
        ('id = "barriers_asked_2011"', 'id = "red_flags_screened_2011"', "another figure"),
        (
            "value_percent = 55",
            'value_percent = "55"',
            "value_percent: write a number without",
        ),
        ('source = ["csp"]', "source = []", "has no source"),
        ('cases = 5524\nsource = ["round_2"]', 'cases = 5524\nsource = ["blog"]', "round 2: source blog is not in"),
        ('measure = "barriers_asked"', 'measure = "red_flags_screened"', "two figures are of this measure"),
        ("number = 1\nyear = 2008", "number = 1\nyear = 2011", "another round has this number or year"),
        ("numerator = 148", "numerator = 173", "lies between 0 and it"),
        ("numerator = 148", "numerator = 98", "57.0%, not 86%"),
        ("denominator = 172", "denominator = 0", "1 or more"),
        ("denominator = 172", "", "a numerator stands with its denominator"),
        ('code = "doctor"', 'code = "surgeon"', "clinician_role surgeon is no field with a code"),
        ('field = "off_sick_today"', 'field = "off_sick"', "off_sick yes is no field with a code"),
        (
            'measure = "barriers_asked"',
            'measure = "barriers_asked"\nfield = "sex"\ncode = "male"',
            "stands beside the",
        ),
    ],
)
def test_a_wrong_file_is_refused(content, measures, dataset, old, new, words):
    text = (content / "benchmarks.toml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ContentError) as refused:
        parse_benchmarks(text.replace(old, new, 1), measures, dataset)
    assert words in str(refused.value)


def test_a_file_without_a_round_is_refused(content, measures, dataset):
    """What stands beside a result is of its newest round."""
    text = (content / "benchmarks.toml").read_text(encoding="utf-8")
    with pytest.raises(ContentError, match="there is no round"):
        parse_benchmarks("rounds = []\nfigures = []\n" + text.partition("[[rounds]]")[0], measures, dataset)


def own(guide=GUIDE):
    """The example of the guide: the file of a service that adds a round."""
    return guide.read_text("utf-8").split(f"```toml {ADDED}\n")[1].split("```")[0]


def test_the_example_of_the_guide_adds_a_round_beside_the_shipped_ones(benchmarks, measures, dataset):
    both = with_added(benchmarks, own(), measures, dataset)
    (added,) = both.added.rounds
    assert both.years == [added.year, 2011, 2008]
    assert both.shipped == benchmarks.shipped
    for measure in measures.measures:
        mine = both.of(measure.id)
        assert mine.pop(str(added.year)) == {"barriers_asked": 0.7, "red_flags_screened": 0.61}.get(measure.id)
        assert mine == benchmarks.of(measure.id)
    assert both.words("barriers_asked", added.year) == f"{both.label(added.year)}: 70%"
    assert "invented" in both.label(added.year) + both.said_of_added()


def test_an_added_figure_stands_on_the_chart_with_its_source_and_without_a_verdict(benchmarks, measures, dataset):
    both = with_added(benchmarks, own(), measures, dataset)
    measure, result = measures.by_id["barriers_asked"], Result(20, 20, 0, 0)
    assert against_national(measure, result, both, "retrospective") == against_national(
        measure, result, benchmarks, "retrospective"
    )
    figure = benchmark(measure, result, [], both, "retrospective")
    year = both.added.rounds[0].year
    assert (both.label(year), "140 of 200", "70%", "") in figure.rows
    assert [rate.words for rate in (row.rate for row in figure.charts[0].rows)][1:] == ["70%", "63%", "not held"]
    newest, national = figure.notes
    assert newest.startswith(f"{both.label(year)}: 70%. ")
    assert "Source: " in newest
    assert both.figure("barriers_asked", year).caveat in newest
    assert benchmarks.source(benchmarks.national("barriers_asked")) in national


def test_json_gives_the_added_round_beside_the_shipped_ones(benchmarks, measures, conn, dataset):
    both = with_added(benchmarks, own(), measures, dataset)
    shape = as_json(results(conn, measures, dataset, Selection()), measures, both)
    assert list(shape["measures"]["barriers_asked"]["benchmarks"].values()) == [0.7, 0.63, None]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("number = 3", "number = 2", "2 of 2011; 1 of 2008) and is not replaced"),
        ("year = 2019", "year = 2011", "2 of 2011; 1 of 2008) and is not replaced"),
        ('id = "barriers_asked_2019"', 'id = "barriers_asked_2011"', "held already and is not replaced"),
        ("[sources]", '[sources]\nround_2 = "another"', "this source is held already"),
        ('caveat = "Invented', 'caveat = "" # "Invented', "it has no caveat"),
        ('measure = "barriers_asked"', 'measure = "barriers"', "not in measures.toml"),
        ("value_percent = 70", "value_percent = 71", "70.0%, not 71%"),
        ('method = "', 'way = "', "this key is missing"),
    ],
)
def test_an_added_file_that_replaces_or_is_wrong_is_refused(benchmarks, measures, dataset, old, new, words):
    assert old in own()
    with pytest.raises(ContentError) as refused:
        with_added(benchmarks, own().replace(old, new), measures, dataset)
    assert words in str(refused.value)
    assert all(problem.file == ADDED for problem in refused.value.problems)


def test_every_problem_of_an_added_file_is_named(benchmarks, measures, dataset, content):
    """The shipped file, put there whole, replaces nothing: each round, figure and source of it is named."""
    shipped = (content / FILE).read_text("utf-8")
    with pytest.raises(ContentError) as refused:
        with_added(benchmarks, shipped, measures, dataset)
    named = {problem.id for problem in refused.value.problems}
    assert named >= {figure.id for figure in benchmarks.figures} | set(benchmarks.shipped.sources)
    assert named >= {f"round {r.number}" for r in benchmarks.shipped.rounds}
