"""Rounds and samples: consecutive by rule, nothing dropped without a reason, and everything adds up."""

import uuid
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from consult.audit import ascertainment, cases, rounds, sampling, targets
from consult.audit.ascertainment import Unfinished
from consult.audit.results import results
from consult.audit.rounds import SiteRule, Wanted
from consult.record.begun import Begun
from consult.record.ledger import Refused, seen_of, steps
from consult.record.opening import open_database

LEAD = ("person-lead", "audit_lead")
AT = "2026-11-20T10:00:00.000Z"
DAY = date(2026, 1, 1)
ELIGIBLE = {"back_pain_reason": "main", "first_consultation": "yes", "episode_gap": "none_ever"}


@pytest.fixture
def db(tmp_path, dataset):
    db = open_database(tmp_path / "consult.sqlite3")
    with db.write() as conn:
        cases.ensure(conn, dataset)
    yield db
    db.close()


@pytest.fixture(scope="module")
def shared_db(tmp_path_factory, dataset):
    db = open_database(tmp_path_factory.mktemp("rounds") / "consult.sqlite3")
    with db.write() as conn:
        cases.ensure(conn, dataset)
    yield db
    db.close()


def key():
    return str(uuid.uuid4())


def make(db, **more):
    base = {
        "name": f"Round {uuid.uuid4()}",
        "provider": "P1",
        "capture": "retrospective",
        "start": "2026-01-01",
        "end": "2026-12-31",
        "rule": "first",
        "n": 3,
    }
    with db.write() as conn:
        return rounds.set_round(conn, Wanted(**{**base, **more}), LEAD, AT, key())


def hold(conn, dataset, ref, day, **fields):
    base = {"case_ref": ref, "provider": "P1", "site": "A", "capture_mode": "retrospective", "clinician_role": "nurse"}
    row = dict.fromkeys(dataset.by_name, "") | base | ELIGIBLE | {"consultation_date": day} | fields
    cases.put(conn, row, step=0)


def held(db):
    return list(rounds.standing(db.read()))


# ---------------------------------------------------------------- the round itself


def test_a_round_made_is_the_round_read(db):
    id_ = make(db, name=" Baseline ", sites={"B": SiteRule("all")})
    found = rounds.rounds(db.read())[id_]
    assert (found.name, found.capture, found.start, found.end) == (
        "Baseline",
        "retrospective",
        "2026-01-01",
        "2026-12-31",
    )
    assert found.of_site("A") == SiteRule("first", 3, "2026-01-01")
    assert found.of_site("B") == SiteRule("all", 3, "2026-01-01")


def test_the_same_request_makes_one_round(db):
    wanted = Wanted("Once", "P1", "live", "2026-01-01", "2026-02-01")
    with db.write() as conn:
        one, again = (rounds.set_round(conn, wanted, LEAD, AT, "key-one") for _ in range(2))
    assert one == again
    assert len(held(db)) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"capture": "all"}, "never pooled"),
        ({"capture": ""}, "never pooled"),
        ({"start": "2026-13-01"}, "as dates"),
        ({"start": "", "end": ""}, "as dates"),
        ({"start": "2026-02-02", "end": "2026-02-01"}, "exchange"),
        ({"rule": "some"}, "how the sample"),
        ({"n": 0}, "between 1 and"),
        ({"n": 10_001}, "between 1 and"),
        ({"sites": {"A": SiteRule("some")}}, "how the sample"),
        ({"sites": {"A": SiteRule("first", 20_000)}}, "between 1 and"),
        ({"sites": {"A": SiteRule("first", 4, "2027-01-01")}}, "inside the period"),
        ({"sites": {"A": SiteRule("first", 4, "soon")}}, "inside the period"),
    ],
)
def test_a_round_that_makes_no_sense_is_refused_whole(db, wrong, said):
    with pytest.raises(Refused, match=said):
        make(db, **wrong)
    assert held(db) == []


def test_two_rounds_have_two_names(db):
    make(db, name="Spring")
    with pytest.raises(Refused, match="already"):
        make(db, name="SPRING")


def test_a_change_needs_a_reason_and_keeps_what_was(db):
    id_ = make(db)
    wanted = Wanted("Changed", "P1", "retrospective", "2026-01-01", "2026-06-30", "all")
    with pytest.raises(Refused, match="why"), db.write() as conn:
        rounds.set_round(conn, wanted, LEAD, AT, key(), id_, seen_of(rounds.rounds(conn)[id_].changes))
    with db.write() as conn:
        moved = replace(wanted, reason="The service moved in July")
        rounds.set_round(conn, moved, LEAD, AT, key(), id_, seen_of(rounds.rounds(conn)[id_].changes))
    found = rounds.rounds(db.read())[id_]
    assert (found.name, found.end, found.rule) == ("Changed", "2026-06-30", "all")
    assert [step.content["reason"] for step in found.history] == ["", "The service moved in July"]


def test_a_withdrawn_round_is_kept_with_its_reason(db):
    id_ = make(db)
    with pytest.raises(Refused, match="why"), db.write() as conn:
        rounds.withdraw(conn, id_, " ", LEAD, AT, key())
    with db.write() as conn:
        rounds.withdraw(conn, id_, "Made twice", LEAD, AT, key())
    assert held(db) == []
    assert rounds.rounds(db.read())[id_].withdrawn == "Made twice"


# ---------------------------------------------------------------- the sample


@st.composite
def many_cases(draw):
    """Cases of two sites over a month, some not eligible, some on one day."""
    found = []
    for n in range(draw(st.integers(0, 25))):
        day = DAY + timedelta(days=draw(st.integers(0, 30)))
        gap = draw(st.sampled_from(["none_ever", "none_ever", "ge_28_days", "lt_28_days", "unknown"]))
        fields = {"site": draw(st.sampled_from("AB")), "episode_gap": gap}
        fields["clinician_role"] = draw(st.sampled_from(["nurse", "doctor", "physiotherapist", "other"]))
        found.append((f"case-{draw(st.integers(0, 9))}-{n}", day.isoformat(), fields))
    return found


STATES = st.sampled_from(["open", "abandoned", "entered_in_error"])
REASONS = st.sampled_from(["", ascertainment.UNKNOWN, "not_new_episode", "not_back_pain"])


@settings(max_examples=60)
@given(
    many_cases(),
    st.integers(1, 6),
    st.sampled_from(["first", "all"]),
    st.data(),
    st.lists(st.tuples(STATES, REASONS, st.sampled_from("AB")), max_size=8),
)
def test_the_sample_is_consecutive_and_everything_adds_up(shared_db, dataset, measures, some, n, rule, data, others):
    db = shared_db
    with db.write() as conn:
        conn.execute("DELETE FROM case_row")
        for ref, day, fields in some:
            hold(conn, dataset, ref, day, **fields)
    start = data.draw(st.sampled_from(["", "2026-01-10"]), label="site A begins")
    id_ = make(db, n=n, rule=rule, sites={"A": SiteRule(rule, n, start)} if start else {})
    first = sampling.sample(db.read(), measures, dataset, rounds.rounds(db.read())[id_])
    out = data.draw(st.sets(st.sampled_from(first.taken), max_size=3), label="out") if first.taken else set()
    with db.write() as conn:
        for case in out:
            rounds.exclude(conn, id_, case.key, True, ("duplicate", ""), LEAD, AT, key())
    sample = sampling.sample(db.read(), measures, dataset, rounds.rounds(db.read())[id_])

    judged = {
        ref: f["episode_gap"] in ("none_ever", "ge_28_days") and f["clinician_role"] != "other" for ref, _, f in some
    }
    for site in "AB":
        begins = start if site == "A" and start else "2026-01-01"
        order = sorted((day, ref) for ref, day, f in some if f["site"] == site and judged[ref] and day >= begins)
        due = [ref for _, ref in order][: n if rule == "first" else None]
        taken = [case.key[2] for case in sample.taken if case.site == site]
        gone = [case.key[2] for case in out if case.site == site]
        assert taken == [ref for ref in due if ref not in gone], "consecutive, and no later case moved up"

    unfinished = [
        Unfinished(Begun(f"c-{i}", "P1", site, "nurse", "2026-01-05", state, "other"), excluded)
        for i, (state, excluded, site) in enumerate(others)
    ]
    table = ascertainment.table(sample, unfinished)
    everything = table.all
    assert everything.begun == len(some) + len(others)
    assert everything.cases == len(some)
    assert everything.eligible == (
        everything.captured
        + everything.places["before_the_sample"]
        + everything.places["after_the_sample"]
        + everything.places["taken_out"]
        + everything.eligible_unfinished
    )
    assert everything.begun == (
        everything.eligible_cases
        + sum(everything.not_eligible.values())
        + everything.of_state("abandoned")
        + everything.of_state("open")
        + everything.in_error
    )
    assert everything.captured == len(sample.taken)
    assert sum(everything.taken_out.values()) == len(out)
    assert sum(everything.abandoned_why.values()) == everything.of_state("abandoned")
    for lines in (table.sites, table.roles):
        for number in ("begun", "cases", "eligible", "captured", "in_error"):
            assert sum(getattr(row, number) for row in lines) == getattr(everything, number)

    counted = results(db.read(), measures, dataset, sample.selection)
    assert counted.eligible == len(sample.taken)
    assert counted.excluded == {}


def test_ties_go_by_order_of_signing_then_by_reference(db, dataset, measures):
    with db.write() as conn:
        for ref, signed in (("c", 7), ("a", 9), ("b", 8)):
            row = dict.fromkeys(dataset.by_name, "") | ELIGIBLE
            row |= {"case_ref": ref, "provider": "P1", "site": "A", "capture_mode": "live", "clinician_role": "nurse"}
            cases.put(conn, row | {"consultation_date": "2026-03-01"}, step=signed, consultation=ref, signed=signed)
        for ref in ("z", "y", "x"):
            hold(conn, dataset, ref, "2026-03-01")
    live, notes = make(db, capture="live", n=2), make(db, n=2)
    found = {r.id: sampling.sample(db.read(), measures, dataset, r) for r in held(db)}
    assert [case.key[2] for case in found[live].taken] == ["c", "b"]
    assert [case.key[2] for case in found[notes].taken] == ["x", "y"]


def test_a_round_holds_cases_of_its_own_mode_provider_and_period_only(db, dataset, measures):
    with db.write() as conn:
        hold(conn, dataset, "in", "2026-03-01")
        hold(conn, dataset, "first-day", "2026-02-01")
        hold(conn, dataset, "last-day", "2026-03-31")
        hold(conn, dataset, "early", "2026-01-31")
        hold(conn, dataset, "late", "2026-04-01")
        hold(conn, dataset, "paper", "2026-03-01", capture_mode="paper")
        hold(conn, dataset, "else", "2026-03-01", provider="P2")
    id_ = make(db, start="2026-02-01", end="2026-03-31", rule="all")
    sample = sampling.sample(db.read(), measures, dataset, rounds.rounds(db.read())[id_])
    assert [case.key[2] for case in sample.cases] == ["first-day", "in", "last-day"]
    assert sample.span == ("2026-02-01", "2026-03-31")
    assert sample.by_site() == {("P1", "A"): (3, ("2026-02-01", "2026-03-31"))}


def test_a_case_leaves_only_with_a_reason_and_a_name_and_can_come_back(db, dataset, measures):
    with db.write() as conn:
        for n in range(5):
            hold(conn, dataset, f"c{n}", f"2026-01-0{n + 1}")
    id_, case = make(db, n=3), ("P1", "retrospective", "c1")

    def taken():
        return [c.key[2] for c in sampling.sample(db.read(), measures, dataset, rounds.rounds(db.read())[id_]).taken]

    for reason in (("", ""), ("looks bad", ""), ("other", " ")):
        with pytest.raises(Refused), db.write() as conn:
            rounds.exclude(conn, id_, case, True, reason, LEAD, AT, key())
    assert taken() == ["c0", "c1", "c2"]
    with db.write() as conn:
        rounds.exclude(conn, id_, case, True, ("not_found", ""), LEAD, AT, once := key())
    assert taken() == ["c0", "c2"]
    with db.write() as conn:
        rounds.exclude(conn, id_, case, True, ("not_found", ""), LEAD, AT, once)
    with pytest.raises(Refused, match="already"), db.write() as conn:
        rounds.exclude(conn, id_, case, True, ("not_found", ""), LEAD, AT, key())
    with pytest.raises(Refused, match="why"), db.write() as conn:
        rounds.exclude(conn, id_, case, False, ("", ""), LEAD, AT, key())
    with db.write() as conn:
        rounds.exclude(conn, id_, case, False, ("", "The notes turned up"), LEAD, AT, key())
    assert taken() == ["c0", "c1", "c2"]
    told = rounds.rounds(db.read())[id_].exclusions[case]
    assert [(one.out, one.reason, one.text, one.by) for one in told] == [
        (True, "not_found", "", "person-lead"),
        (False, "", "The notes turned up", "person-lead"),
    ]
    assert len(list(steps(db.read(), kind="sample_exclusion"))) == 2


# ---------------------------------------------------------------- change between rounds


def test_change_is_within_one_mode_and_between_separate_samples(db, dataset, measures):
    with db.write() as conn:
        for n in range(10):
            hold(conn, dataset, f"old-{n}", "2026-01-05", barriers_asked="yes" if n < 4 else "no")
            hold(conn, dataset, f"new-{n}", "2026-07-05", barriers_asked="yes" if n < 9 else "no")
    early = make(db, start="2026-01-01", end="2026-06-30", rule="all")
    late = make(db, start="2026-07-01", end="2026-12-31", rule="all")
    whole, live = make(db, rule="all"), make(db, rule="all", capture="live")
    known = rounds.rounds(db.read())

    def change(one, other):
        return sampling.change(db.read(), measures, dataset, known[one], known[other])

    found = change(early, late)["barriers_asked"]
    assert (found.earlier, found.later) == ((4, 10), (9, 10))
    assert found.difference == pytest.approx(0.5)
    assert found.low < 0.5 < found.high
    assert change(late, early)["barriers_asked"].difference == pytest.approx(-0.5)
    assert change(early, late)["yellow_flags_action"].difference is None
    with pytest.raises(sampling.NotComparable, match="share 10 cases"):
        change(early, whole)
    with pytest.raises(sampling.NotComparable, match="different ways"):
        change(early, live)


# ---------------------------------------------------------------- targets


def test_a_target_keeps_who_when_why_and_what_was_before(db):
    def say(share, reason, who=LEAD):
        with db.write() as conn:
            targets.set_target(conn, "barriers_asked", share, reason, who, AT, key())

    say(0.8, "Agreed")
    say(0.9, "The first was reached", ("person-other", "audit_lead"))
    (standing,) = targets.targets(db.read()).values()
    assert (standing.share, standing.by, standing.reason) == (0.9, "person-other", "The first was reached")
    assert [one.share for one in targets.history(db.read())["barriers_asked"]] == [0.8, 0.9]
    say(None, "Given up")
    assert targets.targets(db.read()) == {}
    for wrong in ((0, "x"), (1.01, "x"), (-0.1, "x"), (0.5, " ")):
        with pytest.raises(Refused):
            say(*wrong)


def test_the_places_of_the_ascertainment_are_all_named():
    placed = Counter(ascertainment.PLACES)
    assert set(placed) == {"in_sample", "taken_out", "before_the_sample", "after_the_sample"}
