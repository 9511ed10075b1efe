"""One meaning, two evaluators: Python for one case and SQL for many give the same on random cases and random rules."""

from hypothesis import given, settings
from hypothesis import strategies as st

from consult.audit import cases, sql
from consult.audit.case import value_of
from consult.audit.measures import outcomes, why_excluded
from consult.audit.results import Selection, judged
from consult.proforma.dataset import Dataset
from consult.proforma.rules import Rule, holds
from consult.record.database import sqlite3

IDENTITY = {"provider": "P", "site": "A", "consultation_date": "2026-03-02", "capture_mode": "paper"}


def texts(field):
    """Values of one field, blanks as often as anything else."""
    if field.type == "choices":
        chosen = st.lists(st.sampled_from(field.options), unique=True, max_size=4).map(";".join)
        return st.one_of(st.just(""), st.just("none"), chosen)
    return st.one_of(st.just(""), st.sampled_from(field.options))


def random_cases(dataset: Dataset):
    """A case with any code of any field, more often an eligible one than chance would give."""
    fields = {f.name: texts(f) for f in dataset.fields if f.options and f.name not in IDENTITY}
    likely = {"back_pain_reason": "main", "clinician_role": "nurse", "first_consultation": "yes"}
    for name, value in (likely | {"episode_gap": "none_ever"}).items():
        fields[name] = st.one_of(st.just(value), st.just(value), fields[name])
    return st.fixed_dictionaries(fields)


def fresh(dataset):
    conn = sqlite3.connect(":memory:", isolation_level=None)
    conn.row_factory = sqlite3.Row
    cases.ensure(conn, dataset)
    return conn


def test_outcomes_are_the_same_on_random_cases(dataset, measures):
    conn = fresh(dataset)

    @settings(max_examples=60, deadline=None, print_blob=True)
    @given(st.lists(random_cases(dataset), min_size=1, max_size=12))
    def same(batch):
        conn.execute("DELETE FROM case_row")
        for number, case in enumerate(batch):
            whole = dict.fromkeys((f.name for f in dataset.fields), "")
            cases.put(conn, whole | IDENTITY | case | {"case_ref": f"{number:03}"}, step=number)
        found = list(judged(conn, measures, dataset, Selection()))
        assert len(found) == len(batch)
        for one, case in zip(found, batch, strict=True):
            reason = why_excluded(measures, dataset, case)
            assert one.excluded == reason
            assert one.outcomes == ({} if reason else outcomes(measures, dataset, case))

    same()


def leaves(dataset: Dataset):
    def of(field):
        if field.type == "choices":
            tests = [st.builds(lambda v: {"includes": v}, st.sampled_from(field.options))]
        else:
            some = st.lists(st.sampled_from(field.options), min_size=1, max_size=4, unique=True)
            tests = [
                st.builds(lambda v: {"is_": v}, st.sampled_from(field.options)),
                some.map(lambda v: {"in_": tuple(v)}),
            ]
        tests.append(st.booleans().map(lambda v: {"answered": v}))
        return st.one_of(tests).map(lambda test: Rule(field=field.name, **test))

    return st.one_of([of(f) for f in dataset.fields if f.options and f.name not in IDENTITY])


def rules(dataset: Dataset):
    def joints(parts):
        several = st.lists(parts, min_size=1, max_size=4).map(tuple)
        return st.one_of(
            several.map(lambda p: Rule(all_=p)),
            several.map(lambda p: Rule(any_=p)),
            parts.map(lambda p: Rule(not_=p)),
            several.flatmap(lambda p: st.integers(1, len(p)).map(lambda n: Rule(count=p, at_least=n))),
        )

    return st.recursive(leaves(dataset), joints, max_leaves=12)


def test_any_rule_means_the_same_in_python_and_in_sql(dataset):
    conn = fresh(dataset)

    @settings(max_examples=200, deadline=None, print_blob=True)
    @given(rules(dataset), random_cases(dataset))
    def same(rule, case):
        conn.execute("DELETE FROM case_row")
        whole = dict.fromkeys((f.name for f in dataset.fields), "") | IDENTITY | case
        cases.put(conn, whole | {"case_ref": "1"}, step=1)
        row = conn.execute(f"SELECT {sql.condition(rule, dataset)} FROM case_row").fetchone()
        assert bool(row[0]) == holds(rule, lambda name: value_of(dataset, whole, name))

    same()


def test_a_quotation_mark_in_a_code_ends_no_literal():
    assert sql.literal("it's") == "'it''s'"
    conn = sqlite3.connect(":memory:")
    assert conn.execute(f"SELECT {sql.literal(chr(39) + '; DROP TABLE x --')}").fetchone()[0] == "'; DROP TABLE x --"
