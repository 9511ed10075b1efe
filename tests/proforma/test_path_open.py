"""A higher text that stands only because answers are open says which."""

from consult.proforma.path import Path


def ids(questions):
    return {q.id for q in questions}


def test_the_open_answers_behind_a_higher_text_are_named(back_pain, say):
    path = Path(back_pain.proforma, say({"one_leg_weakness": "present"}))
    assert path.level("one_leg_weakness") == "U0"
    assert ids(path.still_open("one_leg_weakness")) == {"one_leg_weakness_severe"}


def test_none_is_named_once_the_rule_holds_or_the_lower_text_stands(back_pain, say):
    for severe, level in (("present", "U0"), ("absent", "U1")):
        path = Path(back_pain.proforma, say({"one_leg_weakness": "present", "one_leg_weakness_severe": severe}))
        assert path.level("one_leg_weakness") == level
        assert path.still_open("one_leg_weakness") == []


def test_past_cancer_names_what_was_not_answered_yet(back_pain, say):
    path = Path(back_pain.proforma, say({"cancer_ever": "present", "saddle_feeling_change": "absent"}))
    named = ids(path.still_open("cancer_ever"))
    assert "bladder_emptying_change" in named
    assert "saddle_feeling_change" not in named
