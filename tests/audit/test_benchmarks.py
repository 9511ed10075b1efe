"""Benchmarks: every published figure, nothing else, and what is not held says so."""

import pytest

from consult.audit.benchmarks import NOT_HELD, parse_benchmarks
from consult.proforma.load import ContentError

PUBLISHED_2011 = {
    "red_flags_screened": 0.55, "yellow_flags_screened": 0.47, "yellow_flags_action": 0.78,
    "symptoms_and_work_impact": 0.82, "barriers_asked": 0.63, "management_recorded": 0.91, "activity_discussed": 0.69,
    "stay_at_work_advised": 0.87, "adjustments_advised": 0.95, "work_cause_asked": 0.78, "work_cause_action": 0.65,
    "clear_information": 0.48, "clear_information_any": 0.48,
}  # fmt: skip
CONTEXT = {
    ("Consultation with OH doctor", 2011): 27, ("Consultation with OH nurse", 2011): 60,
    ("Consultation with OH physiotherapist", 2011): 12, ("Off sick at time of OH appointment", 2008): 69,
    ("Off sick at time of OH appointment", 2011): 62, ("Sites entering physiotherapist cases", 2011): 16,
    ("Direct access to physiotherapy for staff", 2011): 90, ("Fast-track physiotherapy", 2011): 52,
    ("Physiotherapist employed in the OH team", 2011): 26, ("Cases who were nurses", 2011): 53,
    ("Had taken time off sick because of this back pain", 2011): 59, ("OH providers taking part", 2011): 86,
    ("Trusts covered by the data of the providers taking part", 2011): 57,
}  # fmt: skip


def test_every_measure_has_its_published_figure_or_none(measures, benchmarks):
    for measure in measures.measures:
        assert benchmarks.of(measure.id) == {"2011": PUBLISHED_2011.get(measure.id), "2008": None}


def test_the_context_figures_are_the_published_ones(benchmarks):
    assert {(figure.name, figure.year): figure.value_percent for figure in benchmarks.context()} == CONTEXT


def test_a_figure_is_printed_with_its_year_and_method(benchmarks):
    assert benchmarks.words("red_flags_screened", 2011) == "55% (2011, from case notes)"
    assert benchmarks.words("red_flags_screened", 2008) == NOT_HELD
    assert benchmarks.words("red_flags_complete", 2011) == NOT_HELD


def test_second_hand_figures_say_where_they_are_from(benchmarks):
    by_name = {figure.name: figure for figure in benchmarks.context()}
    assert "press release" in by_name["Cases who were nurses"].caveat
    for name in ("Direct access to physiotherapy for staff", "Fast-track physiotherapy"):
        assert "professional body's news" in by_name[name].caveat
        assert by_name[name].unit == "unclear"
    assert "both readings" in benchmarks.figure("clear_information_any", 2011).caveat


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('measure = "red_flags_screened"', 'measure = "red_flag"', "not in measures.toml"),
        ("value_percent = 55", "value_percent = 155", "between 0 and 100"),
        ('source = ["csp"]', 'source = ["blog"]', "not in [sources]"),
        ("round = 2\nyear = 2011", "round = 3\nyear = 2013", "not in [[rounds]]"),
        ('id = "barriers_asked_2011"', 'id = "red_flags_screened_2011"', "another figure"),
        ("value_percent = 55", 'value_percent = "55"', "valid number"),
    ],
)
def test_a_wrong_file_is_refused(content, measures, old, new, words):
    text = (content / "benchmarks.toml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ContentError) as refused:
        parse_benchmarks(text.replace(old, new, 1), measures)
    assert words in str(refused.value)
