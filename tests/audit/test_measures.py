"""The measures: the worked cases, their own examples, and that each example earns its place."""

from itertools import product

import pytest
from mutants import eligibility_mutants, joint_mutants, measure_mutants

from consult.audit.eligibility import ELIGIBLE, excluded
from consult.audit.measures import looker, outcome_of, outcomes, why_excluded
from consult.audit.measures_file import failed, parse_measures
from consult.proforma.load import ContentError

NATIONAL = {
    "red_flags_screened", "yellow_flags_screened", "yellow_flags_action", "symptoms_and_work_impact", "barriers_asked",
    "management_recorded", "activity_discussed", "stay_at_work_advised", "adjustments_advised", "work_cause_asked",
    "work_cause_action", "clear_information",
}  # fmt: skip


def test_every_worked_case_has_exactly_its_outcomes(dataset, measures, example_cases, expected):
    assert {case["case_ref"] for case in example_cases} == expected.keys()
    for case in example_cases:
        wanted = expected[case["case_ref"]]
        assert why_excluded(measures, dataset, case) == wanted.get("excluded", ""), case["case_ref"]
        if "outcomes" in wanted:
            assert outcomes(measures, dataset, case) == wanted["outcomes"], case["case_ref"]


def test_twelve_measures_are_national_and_only_one_has_a_published_definition(measures):
    assert set(measures.national) == NATIONAL
    published = [m.id for m in measures.measures if m.label != "local definition"]
    assert published == ["yellow_flags_screened"]


def test_the_data_set_is_the_documented_one(dataset, example_cases):
    assert [field.name for field in dataset.fields] == list(example_cases[0])
    assert len(dataset.fields) == 62


def test_nobody_is_said_to_have_checked_the_measures(measures):
    assert (measures.author, measures.checked_by) == ("", "")


def _survivors(measure, measures, dataset):
    changes = measure_mutants(measure, measures, dataset) if measure.met else joint_mutants(measure, measures)
    changes = list(changes)
    assert len(changes) > 10
    return [(what, mutant) for what, mutant in changes if not any(failed(measures, dataset, mutant))]


def test_the_examples_of_every_measure_notice_every_change_of_it(dataset, measures):
    """A change that no example notices must be none: the same outcome for all values of all fields that it reads."""
    for measure in measures.measures:
        for what, mutant in _survivors(measure, measures, dataset):
            if measure.met:
                assert _same_measure(measure, mutant, measures, dataset), f"{measure.id}: {what}"
            else:
                assert _adds_nothing(measure, mutant, measures, dataset), f"{measure.id}: {what}"


def _cases_of(names, dataset):
    """Every case that differs in these fields only."""
    assert len(names) <= 6, "too many fields to try all values: write an example that notices this change"
    domains = [["", *dataset.by_name[name].options] for name in names]
    for values in product(*domains):
        yield dict(zip(names, values, strict=True))


def _fields(*measures):
    return sorted({leaf.field for m in measures for rule in m.rules.values() for leaf in rule.leaves()})


def _same_measure(one, other, measures, dataset):
    return all(
        outcome_of(measures, one, looker(dataset, case)) == outcome_of(measures, other, looker(dataset, case))
        for case in _cases_of(_fields(one, other), dataset)
    )


def _adds_nothing(measure, mutant, measures, dataset):
    """Whether the part taken in is implied by another: where it is not met or missing, that one already is."""
    parts = set(measures.parts(measure))
    (extra,) = (measures.by_id[part] for part in mutant.all_of if part not in parts)
    return any(_implies(measures.by_id[part], extra, measures, dataset) for part in parts)


def _implies(part, extra, measures, dataset):
    if not set(_fields(extra)) <= set(_fields(part)):
        return False
    for case in _cases_of(_fields(part), dataset):
        look_up = looker(dataset, case)
        found = outcome_of(measures, extra, look_up)
        if found in ("not_met", "missing") and outcome_of(measures, part, look_up) != found:
            return False
    return True


def test_the_examples_of_eligibility_notice_every_change_of_it(dataset, measures):
    examples = [(measures.case_of(e), e.outcome) for reason in measures.eligibility for e in reason.examples]
    for what, reasons in eligibility_mutants(measures, dataset):
        if all((excluded(reasons, looker(dataset, case)) or ELIGIBLE) == wanted for case, wanted in examples):
            assert _same_reasons(measures.eligibility, reasons, dataset), what


def _same_reasons(one, other, dataset):
    names = sorted({leaf.field for reasons in (one, other) for reason in reasons for leaf in reason.when.leaves()})
    return all(
        excluded(one, looker(dataset, case)) == excluded(other, looker(dataset, case))
        for case in _cases_of(names, dataset)
    )


@pytest.fixture(scope="session")
def text(content):
    return (content / "measures.toml").read_text(encoding="utf-8")


BARRIERS = 'met = { field = "barriers_asked", is = "yes"'


@pytest.mark.parametrize(
    ("old", "new", "id_", "words"),
    [
        ('id = "barriers_asked"', 'id = "work_cause_asked"', "work_cause_asked", "2 entries have this id"),
        ('id = "barriers_asked"', 'id = "Barriers-asked"', "Barriers-asked", "snake_case"),
        (BARRIERS, 'met = { field = "barriers_askd", is = "yes"', "barriers_asked", "not in dataset.toml"),
        (BARRIERS, 'met = { question = "x", is = "yes"', "barriers_asked", "names a"),
        (BARRIERS, 'met = { field = "barriers_asked", is = "y"', "barriers_asked",
         "knows no y"),
        (BARRIERS, 'met = { field = "barriers_asked", is = "no"', "barriers_asked",
         "example 1 comes out as not_met, not met"),
        (BARRIERS, 'met = { field = "barriers", is = "yes"', "barriers_asked", "use includes"),
        (BARRIERS, 'mett = { field = "gp", is = "yes"', "barriers_asked", "not known"),
        ('all_of = "national"', "", "all_applicable_met", "either a rule `met` or `all_of`"),
        ('all_of = "national"', 'all_of = ["all_applicable_met"]', "all_applicable_met", "rules of their own"),
        ('shown_with = ["clear_information"]', 'shown_with = ["clear"]', "clear_information_any", "not known"),
        ("Of which could not be established: {k}.", "Not established: {q}.", "red_flags_screened", "{q}"),
        ("Of which could not be established: {k}.", "Not established: {k.", "red_flags_screened", "braces"),
        ('like = "nine_groups_asked"', 'like = "ten_groups_asked"', "red_flags_complete", "not in [cases]"),
        ('outcome = "not_first_consultation"', 'outcome = "not_back_pain"', "not_first_consultation", "a reason needs"),
        ('outcome = "not_applicable"', 'outcome = "met"', "leaflet_given", "no example has the outcome not_applicable"),
        ('when = { field = "back_pain_reason", is = "no"', 'when = { field = "back", is = "no"', "not_back_pain",
         "not in dataset.toml"),
        ('case = { back_pain_reason = "no" }', 'case = { back_pain_reason = "maybe" }', "not_back_pain",
         "knows no maybe"),
        ("[cases.everything_recorded]", '[cases.everything_recorded]\nmood = "good"', "cases.everything_recorded",
         "names field mood"),
        ('when = { field = "rf_action", includes', 'when = { field = "rf_deed", includes', "set_aside",
         "not in dataset.toml"),
        ("emergency care the same day: {k}.", "emergency care: {q}.", "set_aside", "{q}"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_id_and_sentence(text, dataset, old, new, id_, words):
    assert old in text
    with pytest.raises(ContentError) as refused:
        parse_measures(text.replace(old, new), dataset)
    assert any(p.id == id_ and words in p.sentence for p in refused.value.problems), str(refused.value)


def test_all_problems_are_listed_at_once(text, dataset):
    broken = text.replace('is = "discussed"', 'is = "x"').replace('field = "info_form"', 'field = "info_from"')
    with pytest.raises(ContentError) as refused:
        parse_measures(broken, dataset)
    assert {"activity_discussed", "leaflet_given"} <= {p.id for p in refused.value.problems}


def test_broken_toml_is_refused(dataset):
    with pytest.raises(ContentError, match="not valid TOML"):
        parse_measures("[[measures]\n", dataset)
