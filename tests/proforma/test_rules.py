"""Rules: two-valued `holds`, and `might_hold` against every way in which the open answers could still turn out."""

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from consult.proforma.rules import OFF_PATH, Rule, expand_tags, holds, is_answered, might_hold
from consult.proforma.strict import Faulty, read

FINDINGS = ("f1", "f2", "f3", "f4")
CHOICES = ("c1", "c2")
NUMBERS = ("n1",)
CODES = ("a", "b", "c")
OPEN = (None, "unsure", "declined", "not_asked")
CODE_LISTS = tuple([*codes] for n in (1, 2, 3) for codes in itertools.combinations(CODES, n))
COMPLETIONS = {
    **dict.fromkeys(FINDINGS, ("present", "absent")),
    **dict.fromkeys(CHOICES, CODE_LISTS),
    **dict.fromkeys(NUMBERS, (0, 3, 10)),
}


leaves = st.one_of(
    st.builds(lambda q, s: Rule(question=q, is_=s), st.sampled_from(FINDINGS),
              st.sampled_from(("present", "absent"))),
    st.builds(lambda q, s: Rule(question=q, in_=s), st.sampled_from(FINDINGS),
              st.sampled_from((("present",), ("present", "absent"), ("present", "unsure", "declined")))),
    st.builds(lambda q, c: Rule(question=q, includes=c), st.sampled_from(CHOICES),
              st.sampled_from(CODES)),
    st.builds(lambda n: Rule(question="n1", at_least=n), st.sampled_from((1, 5))),
)  # fmt: skip


def joints(rules):
    some = st.lists(rules, min_size=1, max_size=3)
    return st.one_of(
        some.map(lambda parts: Rule(all_=tuple(parts))),
        some.map(lambda parts: Rule(any_=tuple(parts))),
        rules.map(lambda part: Rule(not_=part)),
        st.tuples(some, st.integers(1, 3)).map(
            lambda pair: Rule(count=tuple(pair[0]), at_least=min(pair[1], len(pair[0])))
        ),
    )


rules = st.recursive(leaves, joints, max_leaves=7)
with_answered = st.recursive(
    st.one_of(
        leaves,
        st.builds(
            lambda q, yes: Rule(question=q, answered=yes),
            st.sampled_from((*FINDINGS, *CHOICES, *NUMBERS)),
            st.booleans(),
        ),
    ),
    joints,
    max_leaves=7,
)
values = st.fixed_dictionaries({q: st.sampled_from((*COMPLETIONS[q], *OPEN, OFF_PATH)) for q in COMPLETIONS})


def plain(rule, known):
    """The oracle of `holds`: the rule read as ordinary logic, written without a look at the code."""
    if rule.parts:
        parts = [plain(part, known) for part in rule.parts]
        if rule.not_ is not None:
            return not parts[0]
        return sum(parts) >= {"all": len(parts), "any": 1}.get(joint_of(rule), rule.at_least)
    value = known[rule.question]
    if rule.answered is not None:
        nothing = value is None or value == "" or value == "not_asked" or value == []
        return rule.answered != nothing
    if value is None or value == "":
        return False
    if rule.at_least is not None:
        return isinstance(value, int) and value >= rule.at_least
    if rule.includes is not None:
        return isinstance(value, list) and rule.includes in value
    return value in ((rule.is_,) if rule.is_ is not None else rule.in_)


def joint_of(rule):
    return "all" if rule.all_ is not None else "any" if rule.any_ is not None else "count"


def could_be(rule, known):
    """Whether any way of filling in what is open makes the rule true."""
    names = sorted({part.question for part in rule.leaves()})
    ways = [(*COMPLETIONS[n], known[n]) if known[n] in OPEN and not is_off(known[n]) else (known[n],) for n in names]
    return any(plain(rule, known | dict(zip(names, way, strict=True))) for way in itertools.product(*ways))


def is_off(value):
    return value is OFF_PATH


@given(rule=with_answered, known=values)
def test_holds_is_ordinary_logic_in_which_a_blank_is_false(rule, known):
    assert holds(rule, known.get) == plain(rule, known)


@given(rule=rules, known=values)
def test_might_hold_never_misses_a_way_in_which_it_could_be_true(rule, known):
    if could_be(rule, known):
        assert might_hold(rule, known.get)


@given(rule=rules, known=values)
def test_might_hold_is_exact_where_no_question_stands_twice(rule, known):
    names = [part.question for part in rule.leaves()]
    assume(len(set(names)) == len(names))
    assert might_hold(rule, known.get) == could_be(rule, known)


@given(rule=with_answered, known=values)
def test_what_holds_might_hold(rule, known):
    if holds(rule, known.get):
        assert might_hold(rule, known.get)


@given(rule=rules, known=st.fixed_dictionaries({q: st.sampled_from(COMPLETIONS[q]) for q in COMPLETIONS}))
def test_where_nothing_is_open_the_two_are_the_same(rule, known):
    assert might_hold(rule, known.get) == holds(rule, known.get)


@given(rule=rules)
def test_what_is_off_the_path_is_never_a_might_be(rule):
    off = dict.fromkeys(COMPLETIONS, OFF_PATH)
    assert might_hold(rule, off.get) == holds(rule, off.get)


TAGS = {"red": ["f1", "f2"], "one": ["f3"]}
tagged = st.recursive(
    st.one_of(
        leaves,
        st.builds(
            lambda t, s: Rule(tagged=t, in_=(s,)),
            st.sampled_from(list(TAGS)),
            st.sampled_from(("present", "absent")),
        ),
    ),
    joints,
    max_leaves=6,
)


@given(rule=tagged, known=values)
def test_a_tag_means_any_of_its_questions(rule, known):
    def read(part):
        if part.tagged is not None:
            return any(known[q] in part.in_ for q in TAGS[part.tagged])
        if not part.parts:
            return plain(part, known)
        found = [read(p) for p in part.parts]
        if part.not_ is not None:
            return not found[0]
        return sum(found) >= {"all": len(found), "any": 1}.get(joint_of(part), part.at_least)

    expanded = expand_tags(rule, TAGS.__getitem__)
    assert not [part for part in expanded.leaves() if part.tagged is not None]
    assert holds(expanded, known.get) == read(rule)


def test_a_tag_that_no_question_bears_is_refused():
    with pytest.raises(ValueError, match="no question bears the tag blue"):
        expand_tags(Rule(not_=Rule(tagged="blue", is_="present")), lambda _: [])


@pytest.mark.parametrize("form", [
    {},
    {"question": "a"},
    {"question": "a", "field": "b", "is": "x"},
    {"question": "a", "is": "x", "in": ["y"]},
    {"question": "a", "is": "x", "at_least": 2},
    {"question": "a", "is": "x", "all": [{"question": "b", "is": "y"}]},
    {"all": []},
    {"any": []},
    {"all": [{"question": "a", "is": "x"}], "is": "y"},
    {"count": [{"question": "a", "is": "x"}]},
    {"count": [{"question": "a", "is": "x"}], "at_least": 2},
    {"count": [{"question": "a", "is": "x"}], "at_least": 0},
    {"question": "a", "is": 3},
    {"question": "a", "contains": "x"},
])  # fmt: skip
def test_a_rule_of_another_form_is_refused(form):
    with pytest.raises(Faulty):
        read(Rule, form)


@pytest.mark.parametrize(("value", "answered"), [
    (None, False), ("", False), ("not_recorded", False), ("not_asked", False), ([], False), (OFF_PATH, False),
    ("present", True), ("absent", True), ("unsure", True), ("declined", True), (0, True), (["a"], True), ("x", True),
])  # fmt: skip
def test_what_counts_as_answered(value, answered):
    assert is_answered(value) == answered
