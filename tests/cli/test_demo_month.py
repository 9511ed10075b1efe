"""The full demonstration: months of made-up work with the audit round it, recorded through the product's own code."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from consult import demo, demo_draw, planning
from consult.audit import actions, cases, organisation, reliability, results, rounds, sampling, targets
from consult.demo_talk import answer_of
from consult.documents import followup, unfinished
from consult.instance import open_instance
from consult.proforma.fits import fits
from consult.record import incidents, ledger
from consult.record.identity import employee
from consult.record.store import now_utc

SCRIPT = demo.month_script()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("month") / "instance"
    held = []
    unplaced = demo.prepare(folder, now_utc(), held.append, small=False)
    return folder, unplaced, sum(held)


@pytest.fixture(scope="module")
def instance(made):
    opened = open_instance(made[0])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def conn(instance):
    return instance.db.read()


@pytest.fixture(scope="module")
def by_name(conn):
    return {one.name.split(",")[0]: one for one in rounds.standing(conn)}


def states(conn):
    return Counter(row["state"] for row in conn.execute("SELECT state FROM consultation"))


def test_every_answer_finds_its_place_and_progress_counts_every_consultation(made):
    _, unplaced, held = made
    assert unplaced == []
    assert held == demo.amount(small=False)


def test_the_record_is_whole_in_order_of_time_and_lies_in_the_past(made, instance, conn, consult):
    assert "The record is whole" in consult(made[0], "verify").stdout
    times = [step.at for step in ledger.steps(conn)]
    assert times == sorted(times)
    assert times[-1] < instance.store.at()
    assert "clock_jumped" not in {step.kind for step in ledger.steps(conn)}


def test_there_is_work_of_each_profession_at_three_sites(conn):
    signed = conn.execute("SELECT DISTINCT site, clinician FROM consultation WHERE state = 'signed'").fetchall()
    assert 60 <= states(conn)["signed"] <= 120
    assert {row["site"] for row in signed} == {"NORTH", "HARBOUR", "MILL"}
    roles = {row[0] for row in conn.execute("SELECT DISTINCT clinician_role FROM case_row WHERE capture_mode = 'live'")}
    assert roles == {"nurse", "doctor", "physiotherapist"}


def test_what_came_to_no_case_has_its_reason(instance, conn, by_name):
    assert states(conn)["entered_in_error"] == 1
    assert states(conn)["open"] == 1
    both = [
        one.begun.reason
        for name in ("First live round", "Second live round")
        for one in unfinished.unfinished(instance.store, instance.measures, by_name[name])
    ]
    assert len({reason for reason in both if reason}) >= 4


def test_the_baseline_is_forty_constructed_cases_of_which_five_were_read_again(instance, conn, by_name):
    dataset, baseline = instance.library.current.dataset, by_name["Baseline"]
    sample = sampling.sample(conn, instance.measures, dataset, baseline)
    assert len(sample.taken) == 40
    assert all(case.key[2].startswith("constructed-") for case in sample.cases)
    assert any(case.place == "after_the_sample" for case in sample.cases)
    draw = reliability.draws(conn)[baseline.id]
    assert len(draw.done) == len(draw.cases) == 5
    disputes = reliability.disputes(draw, dataset)
    assert {bool(dispute.settled) for dispute in disputes} == {True, False}


def test_constructed_cases_are_never_live_and_live_ones_never_constructed(conn):
    for row in cases.iterate(conn):
        constructed = row.fields["case_ref"].startswith("constructed-")
        assert constructed == (row.fields["capture_mode"] == "retrospective")
        assert row.fields["provider"] == "DEMO"


@pytest.mark.parametrize("capture", ["live", "retrospective"])
def test_every_heading_of_the_audit_has_cases_that_meet_it_and_some_that_do_not(instance, conn, capture):
    selection = results.Selection("DEMO", "", "1900-01-01", "9999-12-31", capture)
    found = results.results(conn, instance.measures, instance.library.current.dataset, selection)
    national = [found.measures[m.id] for m in instance.measures.measures if m.national]
    assert sum(0 < result.met < result.applicable for result in national) >= 10


def test_actions_stand_in_every_way_and_on_the_chart_of_their_measure(instance, conn, by_name):
    held = actions.actions(conn)
    assert {one.state for one in held.values()} == set(actions.STATES)
    assert any(one.overdue(instance.today()) for one in held.values())
    shown = planning.plan(instance, conn, by_name["Second live round"])
    assert any(one.carried and one.action.open for one in shown)
    closed = next(one for one in shown if one.action.state == "closed")
    assert closed.reaudit.met > 0
    assert planning.marks(held.values(), closed.action.wanted.measure, "")
    assert len(targets.targets(conn)) >= 3


def test_follow_ups_are_filled_in_part(instance, conn):
    decided, due = followup.listed(instance.store, instance.today())
    assert {one.open for one in decided} == {True, False}
    assert {one.open for one in due} == {True, False}


def test_incidents_and_the_yearly_section_are_there(instance, conn):
    assert {bool(one.done) for one in incidents.incidents(conn).values()} == {True, False}
    years = {year for _, _, year in organisation.answered(conn)}
    assert len(years) == 2


def test_employees_are_plainly_made_up(conn):
    family = SCRIPT["employees"]["family"]
    for row in conn.execute("SELECT DISTINCT employee FROM consultation"):
        known = employee(conn, row["employee"])
        assert known.local_number.startswith("DEMO-")
        assert any(known.name.endswith(name) for name in family) or known.local_number.startswith("DEMO-0")
    for site in SCRIPT["sites"]:
        assert "made up" in site["name"]
        assert all(re.search(r"01632 960 \d{3}$", number) for number in site["routes"].values())


def test_whatever_can_be_drawn_is_an_answer_of_the_proforma(instance):
    proforma, today = instance.library.current.proforma, date(2026, 1, 31)
    for rule in SCRIPT["draws"]:
        if not rule["name"].startswith(demo_draw.OF_THE_TALK):
            question = proforma.by_id[rule["name"]]
            for _, value in (*rule["of"], *rule.get("later_of", [])):
                answer = answer_of(question, value, today)
                known = value == "" or answer.state in question.offered_states() or fits(question, answer.value)
                assert known, f"{question.id}: {value}"


@pytest.mark.parametrize("days", range(7))
def test_it_is_drawn_the_same_each_time_and_never_ahead_of_now(days):
    now = datetime(2026, 11, 23, 0, 5, tzinfo=UTC) + timedelta(days=days)
    clinicians = {p["username"]: {"role": "nurse", "site": p["site"]} for p in SCRIPT["clinicians"]}
    drawn = demo_draw.consultations(SCRIPT, clinicians, now)
    assert drawn == demo_draw.consultations(SCRIPT, clinicians, now)
    assert len(drawn) == SCRIPT["work"]["consultations"]
    assert all(one.when < now and one.when.weekday() < demo_draw.SATURDAY for one in drawn)
    assert [one.when for one in drawn] == sorted(one.when for one in drawn)
