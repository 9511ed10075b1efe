"""What may never enter a report is refused when the proforma is checked, and kinds of report name only what may."""

from __future__ import annotations

import pytest

from consult.proforma.load import ContentError, parse_definition


def problems(definition, file, old, new):
    assert old in definition.texts[file]
    with pytest.raises(ContentError) as refused:
        parse_definition({**definition.texts, file: definition.texts[file].replace(old, new, 1)})
    return [(p.file, p.id, p.sentence) for p in refused.value.problems]


def question(definition, id_, how):
    """The text of one question, as it is and with another word on reports."""
    text = definition.texts["proforma.toml"]
    start = text.index(f'id = "{id_}"')
    end = text.index("[[questions]]", start)
    return text[start:end], text[start:end].replace('report = "never"', f'report = "{how}"')


@pytest.mark.parametrize("how", ["ticked", "always"])
@pytest.mark.parametrize(
    "id_",
    [
        *("sexual_function_change", "injected_drugs", "pregnant_or_might_be", "hopelessness_or_self_harm"),
        *("self_harm_intent_or_plan", "claim_or_grievance", "low_mood", "cancer_ever", "harm_belief", "leg_symptoms"),
    ],
)
def test_the_list_and_every_flag_are_refused(back_pain, id_, how):
    old, new = question(back_pain, id_, how)
    assert old != new
    found = problems(back_pain, "proforma.toml", old, new)
    assert [(file, name) for file, name, _ in found] == [("proforma.toml", id_)]
    assert "may not enter a report" in found[0][2]


def test_a_question_that_does_not_say_is_never_in_a_report(back_pain):
    old, new = question(back_pain, "employee_concern", "never")
    text = back_pain.texts["proforma.toml"].replace(old, new.replace('report = "never"\n', ""))
    definition = parse_definition({**back_pain.texts, "proforma.toml": text})
    assert definition.proforma.by_id["employee_concern"].report == "never"


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("proforma.toml", '  "sexual_function_change", "injected', '  "no_such_thing", "injected', "is not known"),
        ("proforma.toml", 'release = ["copy_before"]', 'release = ["copy_first"]', "release knows no copy_first"),
        ("reports.toml", '["can_do_at_work"]', '["cancer_ever"]', "leave it to be ticked"),
        ("reports.toml", '["can_do_at_work"]', '["tasks_limited"]', "leave it to be ticked"),
        ("reports.toml", '["can_do_at_work"]', '["no_such_thing"]', "is not known"),
        ("reports.toml", 'id = "ahp_health_and_work"', 'id = "manager"', "2 kinds of report have this id"),
        ("reports.toml", 'questions = ["likely_timescale"]', "", "a part holds one of"),
        ("reports.toml", "ticked = true", "tick = true", "this key is not known"),
        (
            "reports.toml",
            '"adjustment_types", includes = "not_indicated"',
            '"low_mood", is = "absent"',
            "never enter a report",
        ),
        ("reports.toml", 'question = "adjustment_types"', 'question = "no_such_thing"', "is not known"),
        (
            "reports.toml",
            'question = "adjustment_types", includes = "not_indicated"',
            'tagged = "red_flag", is = "absent"',
            "by id",
        ),
    ],
)
def test_a_mistake_is_named(back_pain, file, old, new, sentence):
    assert any(sentence in said for _, _, said in problems(back_pain, file, old, new))


def test_the_kinds_of_report_belong_to_the_version(back_pain):
    texts = {**back_pain.texts, "reports.toml": back_pain.texts["reports.toml"].replace("None: ", "No: ")}
    assert parse_definition(texts).digest != back_pain.digest
    without = parse_definition({n: t for n, t in back_pain.texts.items() if n != "reports.toml"})
    assert without.reports.types == ()
