"""Random answers that a question can have, drawn from the proforma itself."""

import time
from functools import lru_cache

import pytest
from hypothesis import strategies as st

from consult.proforma.answer import ANSWERED, Answer


def values_of(question):
    codes = [o.code for o in question.options]
    alone = [[o.code] for o in question.options if o.alone]
    together = [o.code for o in question.options if not o.alone]
    return {
        "finding": st.nothing(),
        "choice": st.sampled_from(codes) if codes else st.nothing(),
        "choices": st.one_of(
            st.lists(st.sampled_from(together), min_size=1, max_size=3, unique=True) if together else st.nothing(),
            st.sampled_from(alone) if alone else st.nothing(),
        ),
        "number": st.integers(question.min or 0, question.max or 0),
        "date": st.dates().map(lambda day: day.isoformat()),
        "text": st.text(min_size=1, max_size=20),
        "arrangement": st.fixed_dictionaries({"what": st.just("no lifting"), "end": st.just("2026-12-24")}),
    }[question.kind]


def answers_of(question):
    """Every answer this question can have, states and values."""
    states = [Answer(s, None, "other" if s == "not_asked" else "") for s in question.offered_states()]
    given = values_of(question).map(lambda value: Answer(ANSWERED, value))
    return st.one_of(st.sampled_from(states), given) if states else given


@pytest.fixture(scope="session")
def some_answers(back_pain):
    """Draws answers to a random set of questions; those that open or hide others come up often."""
    by_id = back_pain.proforma.by_id
    named = {leaf.subject for q in by_id.values() if q.show_if for leaf in q.show_if.leaves()}
    openers = [q.id for q in by_id.values() if q.id in named or q.emergency]
    pool = st.one_of(st.sampled_from(openers), st.sampled_from(list(by_id)))
    answers = {id_: answers_of(question) for id_, question in by_id.items()}
    some = lru_cache(lambda size: st.lists(pool, max_size=size, unique=True))  # each is looked over once, not each time

    def draw(data, size=30):
        chosen = data.draw(some(size), label="questions")
        return {q: data.draw(answers[q], label=q) for q in chosen}

    return draw


@pytest.fixture
def in_london(monkeypatch):
    """The machine stands in London for one test."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system has one zone for all programs")
    monkeypatch.setenv("TZ", "Europe/London")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
