"""Charts are what their numbers say: every mark lies where its share is, and inside the frame."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.audit.breakdowns import ItemResult
from consult.audit.charts import (
    BOTTOM,
    TOP,
    Action,
    Band,
    Level,
    Period,
    Place,
    Rate,
    funnel_charts,
    row_charts,
    time_charts,
)
from consult.audit.comparison import percent
from consult.audit.figures import (
    against_national,
    as_rate,
    benchmark,
    by_field,
    in_periods,
    of_items,
    over_sites,
    ranked,
    trend,
)
from consult.audit.figures.over_time import letter
from consult.audit.items import Item
from consult.audit.results import Result
from consult.proforma.rules import Rule

SHARES = st.floats(0, 1, allow_nan=False)
RESULTS = st.builds(lambda met, not_met: Result(met, not_met, 0, 0), st.integers(0, 60), st.integers(0, 60))
MONTHS = st.dictionaries(
    st.sampled_from([f"202{y}-{m:02}" for y in (4, 5) for m in range(1, 13)]), RESULTS, max_size=24
)


def across(x, frame):
    return (x - frame.left) / frame.room


def up(y, frame):
    return 1 - (y - TOP) / (frame.height - TOP - BOTTOM)


def inside(chart, texts):
    """Every text begins inside the picture and, by the usual width of its letters, ends there."""
    height = getattr(chart, "height", chart.frame.height)
    for text in texts:
        width = 6.0 * len(text.words)
        left = text.x - {"start": 0, "middle": width / 2, "end": width}[text.anchor]
        assert left > -14, text
        assert left + width < chart.frame.width + 14, text
        assert 0 <= text.y <= height, text


@given(st.lists(st.tuples(SHARES, SHARES, SHARES), min_size=1, max_size=12), st.lists(SHARES, max_size=2))
def test_rows_lie_where_their_shares_are(triples, lines):
    rates = [Rate(f"Row {i}", *sorted(t)[1:2], min(t), max(t), "55% (40% to 69%)") for i, t in enumerate(triples)]
    for chart in row_charts(rates, [Level("x", share, "national") for share in lines]):
        assert [across(row.x, chart.frame) for row in chart.rows] == pytest.approx([r.share for r in rates])
        assert [across(row.x_low, chart.frame) for row in chart.rows] == pytest.approx([r.low for r in rates])
        assert [across(row.x_high, chart.frame) for row in chart.rows] == pytest.approx([r.high for r in rates])
        assert [across(x, chart.frame) for _, x in chart.levels] == pytest.approx(lines)
        ys = [row.y for row in chart.rows]
        assert ys == sorted(set(ys))
        assert all(chart.top < y < chart.bottom < chart.height for y in ys)
        inside(chart, [*chart.ticks, *(text for row in chart.rows for text in row.texts)])


def test_a_row_without_a_share_has_words_and_no_mark():
    for chart in row_charts([Rate("Too few", None, words="2 of 3")]):
        (row,) = chart.rows
        assert (row.x, row.x_low, row.x_high) == (None, None, None)
        assert "2 of 3" in [text.words for text in row.texts]


@given(st.dictionaries(st.integers(0, 40), st.tuples(SHARES, SHARES, SHARES), min_size=1), st.lists(SHARES, max_size=4))
def test_periods_lie_where_their_time_and_share_are(found, lines):
    periods = [
        Period(at, f"P{at}", sorted(t)[1], min(t), max(t), limits=(min(t), max(t))) for at, t in sorted(found.items())
    ]
    actions = [Action(periods[0].at - 3.0, "A"), Action(2.5, "B")]
    for chart in time_charts(periods, [Level(f"line {i}", s, "mean") for i, s in enumerate(lines)], actions):
        frame = chart.frame
        assert [up(d.y, frame) for d in chart.dots] == pytest.approx([p.share for p in periods])
        assert [up(d.y_low, frame) for d in chart.dots] == pytest.approx([p.low for p in periods])
        step = frame.room / (periods[-1].at + 1)
        assert [(d.x - frame.left) / step - 0.5 for d in chart.dots] == pytest.approx([p.at for p in periods], abs=1e-6)
        assert all(frame.left <= d.x <= frame.width - frame.right for d in chart.dots)
        assert all(frame.left <= x <= frame.width - frame.right for x, _ in chart.actions)
        assert sorted(up(a.y, frame) for a in chart.across) == pytest.approx(sorted(lines))
        labels = [a.label.y for a in chart.across if a.label]
        assert all(b - a >= 14.9 for a, b in itertools.pairwise(labels))
        drawn = sum(len(c.points.split()) for c in chart.curves if c.kind == "trend")
        assert drawn == len(periods)


def test_a_period_left_out_breaks_the_line():
    periods = [Period(at, str(at), 0.5) for at in (0, 1, 4)]
    for chart in time_charts(periods, []):
        assert [len(c.points.split()) for c in chart.curves if c.kind == "trend"] == [2, 1]


@given(st.lists(st.tuples(st.integers(1, 6000), SHARES), min_size=1, max_size=30))
def test_sites_lie_where_their_n_and_share_are(sites):
    places = [Place(n, share, "ring", "1") for n, share in sites]
    for chart in funnel_charts(places, [Band("inner", ((1, 0.0), (5, 1.0)))], []):
        frame = chart.frame
        most = int(chart.x_ticks[-1].words)
        assert most >= max(n for n, _ in sites)
        assert [across(d.x, frame) * most for d in chart.dots] == pytest.approx([n for n, _ in sites])
        assert [up(d.y, frame) for d in chart.dots] == pytest.approx([s for _, s in sites])
        ticks = [int(t.words) for t in chart.x_ticks]
        assert ticks[0] == 0
        assert len({b - a for a, b in itertools.pairwise(ticks)}) == 1
        assert len(ticks) <= 13


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([2, 15, 150]))
def test_labels_of_sites_lie_on_no_other_label_and_inside_the_picture(seed, many):
    draw = random.Random(seed)
    words = [str(at) if draw.random() < 0.5 else "" for at in range(many)]
    places = [Place(draw.randint(10, 60), draw.random(), "square", said) for said in words]
    for chart in funnel_charts(places, [], []):
        dots = {d.label: d for d in chart.dots}
        for one, other in itertools.combinations(chart.labels, 2):
            assert not one.box.meets(other.box), (seed, one, other)
        for label in chart.labels:
            dot = dots[label.words]
            assert abs(label.x - dot.x) <= 8 + 1e-9
            assert abs(label.y - dot.y) <= 20 + 1e-9
            assert label.box.left >= chart.frame.left
            assert label.box.right <= chart.frame.left + chart.frame.room
        inside(chart, chart.labels)
        wanted = sum(bool(place.label) for place in places)
        assert len(chart.labels) == wanted if many == 2 else len(chart.labels) >= wanted / 4


def test_the_labels_of_two_sites_in_one_place_are_both_read():
    for chart in funnel_charts([Place(40, 0.5, "ring", "1"), Place(40, 0.5, "ring", "2")], [], []):
        assert [label.words for label in chart.labels] == ["1", "2"]


def test_of_many_sites_outside_the_limits_a_few_are_named_and_the_table_marks_all(measures):
    """A hundred and fifty sites that differ widely: the sentence stays one that can be read."""
    draw = random.Random(150)
    rates = [draw.choice((0.05, 0.5, 0.95)) for _ in range(150)]
    sites = {f"Site {at:03}": Result(round(40 * share), 40 - round(40 * share), 0, 0) for at, share in enumerate(rates)}
    figure = over_sites(measures.measures[0], sites)
    outside = [row[0] for row in figure.rows if row[6].startswith("outside")]
    assert len(outside) > 50
    assert figure.finding.count("Site 0") + figure.finding.count("Site 1") == 8
    assert f"and {len(outside) - 8} more, marked in the table" in figure.finding
    assert len(figure.finding) < 500
    assert "where there is room" in figure.notes[-1]


def test_letters_of_actions_never_stand_on_each_other():
    periods = [Period(at, str(at), 0.5) for at in range(24)]
    actions = [Action(3 + at / 40, letter(at)) for at in range(30)] + [Action(20, letter(30))]
    for chart in time_charts(periods, [], actions):
        said = [(x, words) for x, words in chart.actions if words]
        assert [words for _, words in said] == ["A to AD", "AE"]
        assert len(chart.actions) == 31, "each action keeps its line"
    (near, far) = ([Action(3, "A"), Action(3.1, "B")], [Action(3, "A"), Action(18, "B")])
    assert [words for _, words in time_charts(periods, [], near)[0].actions] == ["A, B", ""]
    assert [words for _, words in time_charts(periods, [], far)[0].actions] == ["A", "B"]


def test_after_z_comes_aa():
    assert [letter(at) for at in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


# ---------------------------------------------------------------- figures: the table says what the chart shows


def marked(figure):
    """The rates drawn, as the table would print them, from the places of the marks of each frame."""
    for chart in figure.charts:
        if figure.planar:
            yield [percent(round(up(dot.y, chart.frame), 9)) for dot in chart.dots]
        else:
            yield [percent(round(across(row.x, chart.frame), 9)) for row in chart.rows if row.x is not None]


@pytest.mark.parametrize(("few", "size"), [(2, 1), (3, 1), (4, 3), (6, 3)])
def test_it_goes_by_quarter_where_most_months_hold_too_few(few, size):
    months = {f"2026-{n:02}": Result(2, 2 if n <= few else 3, 0, 0) for n in range(1, 7)}
    assert in_periods(months)[0] == size
    assert len(in_periods(months)[1]) == 6 / size


@given(MONTHS)
def test_the_table_of_a_trend_says_what_its_chart_shows(measures, months):
    figure = trend(measures.measures[0], months)
    _size, periods = in_periods(months)
    assert sum(r.applicable for _, r in periods) == sum(r.applicable for r in months.values())
    assert len(figure.rows) == len(periods)
    shown = [cells[2] for cells in figure.rows if "%" in cells[2]]
    assert len(shown) == sum(r.applicable >= 5 for _, r in periods)
    assert bool(figure.charts) == (len(shown) >= 3)
    assert all(found == shown for found in marked(figure))
    if len(shown) < 3:
        assert "too few to say" in figure.finding
    if 3 <= len(shown) < 12:
        assert figure.finding.endswith("So few tell no change from chance, which takes 12 or more.")
    assert ("Limits of chance" in figure.head) == (len(shown) >= 12)
    assert all(len(cells) == len(figure.head) for cells in figure.rows)
    assert any(any(cells[4:]) for cells in figure.rows) == (len(shown) >= 12)


@given(st.dictionaries(st.sampled_from([f"Site {n}" for n in range(30)]), RESULTS, max_size=20))
def test_the_table_of_a_funnel_says_what_its_chart_shows(measures, sites):
    figure = over_sites(measures.measures[0], sites)
    names = [cells[0].split(". ", 1)[-1] for cells in figure.rows]
    assert names == sorted(name for name, r in sites.items() if r.applicable)  # by name: never ranked
    compared = [cells for cells in figure.rows if int(cells[1].split()[-1]) >= 10]
    assert bool(figure.charts) == (len(compared) >= 2)
    if figure.charts:
        assert all(found == [cells[2] for cells in compared] for found in marked(figure))
        assert all("no comparison" in cells[6] for cells in figure.rows if cells not in compared)
    assert "unusual" not in figure.finding + " ".join(figure.notes)


@given(st.lists(RESULTS, min_size=1, max_size=9), st.integers(0, 8))
def test_the_table_of_items_says_what_its_chart_shows(measures, results, unable):
    n = results[0].applicable
    same = [Result(min(r.met, n), n - min(r.met, n), 0, 0) for r in results]
    found = [ItemResult(Item(f"Item {i}", Rule(field="x", is_="y")), r, unable) for i, r in enumerate(same)]
    figure = of_items(measures.measures[0], found)
    assert bool(figure.charts) == (n >= 5)
    assert all(drawn == [cells[2] for cells in figure.rows] for drawn in marked(figure))
    assert all(len(cells) == len(figure.head) == (5 if unable else 4) for cells in figure.rows)


@given(st.dictionaries(st.sampled_from(["nursing_midwifery", "medical_dental", "students", "other"]), RESULTS))
def test_groups_are_drawn_from_ten_and_small_numbers_stay_inside(measures, dataset, by):
    field = dataset.by_name["staff_group"]
    own = by_field(measures.measures[0], field, by)
    counted = {code: r for code, r in by.items() if r.applicable}
    assert [cells[0] for cells in own.rows] == [field.words(c) for c in field.options if c in counted]
    for cells in own.rows:
        n = int(cells[1].split()[-1])
        assert ("%" in cells[2]) == (n >= 5)
        assert bool(cells[4]) == (n < 10)
    large = [cells[2] for cells in own.rows if not cells[4]]
    assert all(drawn == large for drawn in marked(own))
    assert bool(own.charts) == (len(large) > 1)
    leaving = by_field(measures.measures[0], field, by, leaving=True)
    small = {field.words(c) for c, r in counted.items() if 0 < r.met < 5 or 0 < r.not_met < 5}
    withheld = {cells[0] for cells in leaving.rows if cells[1] == "withheld"}
    assert small <= withheld
    assert not withheld or len(withheld) > len(small) or len(withheld) == len(counted)
    assert all(not any(cells[2:]) for cells in leaving.rows if cells[1] == "withheld")
    rates = {r.rate for r in counted.values() if r.applicable >= 10}
    assert own.finding.startswith("Each group") == (len(large) > 1 and len(rates) == 1)
    of_few = by_field(measures.measures[0], field, by, of_few=True)
    assert (of_few.rows, of_few.charts, of_few.finding) == ((), (), "Not shown.")
    assert "one or two clinicians" in of_few.notes[0]


@given(RESULTS, st.sampled_from(["live", "paper", "retrospective"]))
def test_a_verdict_is_only_for_case_notes_with_ten_cases(measures, benchmarks, result, mode):
    for measure in measures.measures:
        said = against_national(measure, result, benchmarks, mode)
        verdict = [word for word in ("unusual", "far outside", "within chance") if word in said]
        allowed = mode == "retrospective" and result.applicable >= 10 and benchmarks.figure(measure.id, 2011)
        assert bool(verdict) == bool(allowed)
        assert ("%" in said) == (result.applicable >= 5)
        figure = benchmark(measure, result, [], benchmarks, mode, 0.8)
        assert figure.finding == said
        assert "not held" in [cells[2] for cells in figure.rows if cells[0].startswith("2008")]
        assert all(d == [c[2] for c in figure.rows if "%" in c[2]] for d in marked(figure))


@given(st.lists(RESULTS, max_size=12))
def test_strongest_and_weakest_have_ten_cases_and_are_never_the_same(measures, results):
    national = [measures.by_id[id_] for id_ in measures.national]
    found = list(zip(national, results, strict=False))
    best, worst = ranked(found)
    enough = [r for _, r in found if r.applicable >= 10]
    assert len(best) == len(worst) == min(3, len(enough) // 2)
    assert not {m.id for m, _ in best} & {m.id for m, _ in worst}
    if best:
        rates = sorted(r.rate for r in enough)
        assert [r.rate for _, r in worst] == rates[: len(worst)]
        assert [r.rate for _, r in best] == rates[::-1][: len(best)]


def test_the_counts_of_a_million_cases_are_not_cut_off():
    for chart in row_charts([as_rate("A heading", Result(630_000, 370_000, 0, 0))]):
        (said,) = (text for text in chart.rows[0].texts if text.words.endswith("1000000"))
        assert said.x + 6.6 * len(said.words) <= chart.frame.width


def test_under_five_a_rate_has_no_mark():
    assert as_rate("x", Result(2, 2, 0, 0)).share is None
    assert as_rate("x", Result(3, 2, 0, 0)).share == 0.6


def test_actions_are_marked_where_they_were_taken(measures):
    from datetime import date

    months = {f"2026-{m:02}": Result(10, 10, 0, 0) for m in range(1, 7)}
    figure = trend(measures.measures[0], months, (), [(date(2026, 3, 1), "Prompt put into the notes")])
    assert figure.notes[0] == "A: 1 Mar 2026, Prompt put into the notes"
    for chart in figure.charts:
        ((x, letter),) = chart.actions
        assert letter == "A"
        assert chart.dots[1].x < x < chart.dots[2].x


@pytest.mark.parametrize(
    ("when", "inside"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-06-30", True), ("2026-07-01", False), ("2027-03-05", False)],
)
def test_an_action_before_or_after_the_chart_is_named_and_not_drawn_at_its_edge(measures, when, inside):
    from datetime import date

    months = {f"2026-{m:02}": Result(10, 10, 0, 0) for m in range(1, 7)}
    day = date.fromisoformat(when)
    figure = trend(measures.measures[0], months, (), [(day, "Session held"), (date(2026, 3, 1), "Card printed")])
    assert all(len(chart.actions) == 1 + inside for chart in figure.charts)
    said = [note for note in figure.notes if "Session held" in note]
    assert said[0].startswith("A: " if inside else "Outside the time of the chart: ")
    assert any(note.startswith("B: " if inside else "A: ") and "Card printed" in note for note in figure.notes)
