"""The counters: after any changes of the cases they give what a recount gives, and that is what Python finds."""

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from test_evaluators import random_cases

from consult.audit import cases, tally
from consult.audit.counting import plan_of
from consult.audit.measures import OUTCOMES, outcomes, why_excluded
from consult.audit.measures_file import parse_measures
from consult.audit.results import MixedModes, Selection, results, results_by
from consult.proforma.load import read_text

PLACES = [("P", "A"), ("P", "B"), ("Q", "A"), ("Q", "C")]
DAYS = ["2025-12-31", "2026-01-01", "2026-01-15", "2026-01-31", "2026-02-01", "2026-02-28", "2026-03-02"]
MODES = ["live", "paper", "retrospective"]
CHANGES = ("put", "put", "put", "delete", "update")


@pytest.fixture
def plan(conn, measures, dataset):
    plan = plan_of(measures, dataset)
    tally.ensure(conn, plan)
    return plan


def changed(conn, dataset, draw, fields):
    """Make one random change: a case put (new, or in the place of another), removed, or altered in place."""
    whole = dict.fromkeys((f.name for f in dataset.fields), "") | fields
    provider, site = draw.choice(PLACES)
    whole |= {"provider": provider, "site": site, "consultation_date": draw.choice(DAYS)}
    whole |= {"capture_mode": draw.choice(MODES), "case_ref": f"{draw.randint(1, 12)}"}
    change = draw.choice(CHANGES)
    if change == "put":
        cases.put(conn, whole, step=1, consultation=whole["case_ref"])
    elif change == "delete":
        cases.delete(conn, whole["case_ref"])
    else:
        conn.execute(
            "UPDATE case_row SET site = ?, rf_cancer = ?, episode_gap = ? WHERE case_ref = ?",
            (site, whole["rf_cancer"], whole["episode_gap"], whole["case_ref"]),
        )


def selections(draw):
    provider, site = draw.choice([*PLACES, ("", ""), ("P", "")])
    start, end = draw.choice(["", *DAYS, "2026-02-14"]), draw.choice(["", *DAYS, "2026-02-10", "2025-11-30"])
    return Selection(provider, site, start, end, draw.choice(MODES))


def by_python(conn, measures, dataset, selection):
    """The same counts, one case after the other through the Python evaluator."""
    where, values = selection.where()
    found = {measure.id: Counter() for measure in measures.measures}
    excluded = Counter()
    for row in cases.iterate(conn, where, tuple(values)):
        reason = why_excluded(measures, dataset, row.fields)
        excluded[reason] += 1
        for id_, outcome in ({} if reason else outcomes(measures, dataset, row.fields)).items():
            found[id_][outcome] += 1
    eligible = excluded.pop("", 0)
    return eligible, dict(excluded), {id_: [n[o] for o in OUTCOMES] for id_, n in found.items()}


def by_sql(found):
    counted = {id_: [getattr(result, outcome) for outcome in OUTCOMES] for id_, result in found.measures.items()}
    return found.eligible, found.excluded, counted


def test_counters_recount_and_python_give_the_same_after_any_changes(conn, plan, measures, dataset):
    @settings(max_examples=40, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(random_cases(dataset), min_size=1, max_size=15), st.integers())
    def same(batch, seed):
        draw = random.Random(seed)
        conn.execute("DELETE FROM case_row")
        for fields in batch:
            changed(conn, dataset, draw, fields)
        assert tally.off(conn, plan) == []
        assert tally.kept(conn, plan)
        for _ in range(3):
            selection = selections(draw)
            found = results(conn, measures, dataset, selection)
            assert by_sql(found) == by_python(conn, measures, dataset, selection), selection
            where, values = selection.where()
            recounted = plan.recount(conn, where, values, ())
            assert found.measures == plan.results(recounted.get((), Counter()))

    same()


def test_groups_add_up_to_the_whole(conn, plan, measures, dataset, example_cases):
    draw = random.Random(4)
    for number in range(300):
        provider, site = draw.choice(PLACES)
        cases.put(
            conn,
            draw.choice(example_cases)
            | {"provider": provider, "site": site, "consultation_date": draw.choice(DAYS), "case_ref": str(number)},
            step=1,
        )
    for selection in (Selection(), Selection(start="2026-01-10"), Selection(provider="P", end="2026-02-02")):
        whole = results(conn, measures, dataset, selection)
        for by in (("provider", "site"), ("month",), ("capture_mode",), ("provider", "site", "month")):
            groups = results_by(conn, measures, dataset, selection, by)
            assert len(groups) > (by != ("capture_mode",))
            assert sum(group.eligible for group in groups.values()) == whole.eligible
            for id_, result in whole.measures.items():
                assert sum(group.measures[id_].met for group in groups.values()) == result.met
        assert list(groups) == sorted(groups)
    months = results_by(conn, measures, dataset, Selection(start="2026-01-10"), ("month",))
    assert list(months) == [("2026-01",), ("2026-02",), ("2026-03",)]


def test_modes_are_grouped_apart_or_not_at_all(conn, plan, measures, dataset, example_cases):
    cases.put(conn, example_cases[0] | {"provider": "P", "case_ref": "1"}, step=1)
    cases.put(conn, example_cases[0] | {"provider": "P", "capture_mode": "paper"}, step=1)
    with pytest.raises(MixedModes):
        results_by(conn, measures, dataset, Selection(), ("month",))
    assert len(results_by(conn, measures, dataset, Selection(), ("capture_mode", "month"))) == 2


def test_other_measures_are_recounted_until_the_counters_are_theirs(conn, plan, content, dataset, example_cases):
    text = read_text(content / "measures.toml")
    other = parse_measures(text.replace('version = "2026.1"', 'version = "2026.2"'), dataset)
    other = replace(other, eligibility=other.eligibility[:1])
    for case in example_cases:
        cases.put(conn, case | {"provider": "P"}, step=1)
    assert not tally.kept(conn, plan_of(other, dataset))
    recounted = results(conn, other, dataset, Selection())
    assert recounted.eligible > results(conn, plan.measures, dataset, Selection()).eligible
    assert tally.ensure(conn, plan_of(other, dataset))
    assert results(conn, other, dataset, Selection()) == recounted
    assert not tally.ensure(conn, plan_of(other, dataset))
    assert tally.off(conn, plan_of(other, dataset)) == []


@pytest.mark.parametrize(
    ("level", "place"),
    [
        (tally.SITE, "retrospective / P / A"),
        (tally.MONTH_OF_SITE, "retrospective / P / A / 2026-03"),
        (tally.DAY_OF_PROVIDER, "retrospective / P / 2026-03-02"),
        (tally.FIELD_OF_SITE, "retrospective / P / A / nurse"),
    ],
)
def test_a_counter_that_was_changed_by_hand_is_found(conn, plan, example_cases, level, place):
    cases.put(conn, example_cases[0] | {"provider": "P", "clinician_role": "nurse"}, step=1)
    assert tally.off(conn, plan) == []
    conn.execute("UPDATE case_tally SET n9 = n9 + 1 WHERE level = ?", [level])
    assert tally.off(conn, plan) == [place]


@pytest.mark.parametrize("start", ["2026", "not a day", "20260101", "2026-02-30"])
def test_what_is_no_date_selects_as_text_did(conn, plan, measures, dataset, example_cases, start):
    cases.put(conn, example_cases[0] | {"provider": "P"}, step=1)
    found = results(conn, measures, dataset, Selection(start=start))
    assert by_sql(found) == by_python(conn, measures, dataset, Selection(start=start))
