"""The demonstration: made up, complete, held through the product's own code, and never mixed with real data."""

import re
from collections import Counter
from datetime import UTC, date, datetime

import pytest

from consult import demo
from consult.audit import cases
from consult.instance import open_instance
from consult.record import ledger
from consult.record.consultation import fold
from consult.record.identity import employee

NOW = datetime(2026, 11, 23, 0, 5, tzinfo=UTC)


@pytest.fixture
def instance(demo_copy):
    opened = open_instance(demo_copy)
    yield opened
    opened.close()


def consultations(instance):
    rows = instance.db.read().execute("SELECT id FROM consultation")
    return [instance.store.consultation(row["id"]) for row in rows]


def test_every_answer_of_the_script_finds_its_place_in_the_proforma(demo_made):
    _, unplaced = demo_made
    assert unplaced == []


def test_the_consultations_end_as_the_script_says(instance):
    ends = Counter(talk["ends"] for talk in demo.script()["consultations"])
    assert Counter(c.state for c in consultations(instance)) == ends
    assert ends["signed"] >= 3
    assert ends["open"] == 1


def test_each_signed_one_has_a_case_and_the_constructed_ones_say_so(instance):
    rows = list(cases.iterate(instance.db.read()))
    live = [row for row in rows if row.fields["capture_mode"] == "live"]
    signed = [c for c in consultations(instance) if c.state == "signed"]
    assert {row.consultation for row in live} == {c.id for c in signed}
    others = [row.fields for row in rows if row not in live]
    assert len(others) == demo.script()["constructed_cases"]
    assert all(f["capture_mode"] == "retrospective" and f["case_ref"].startswith("constructed-") for f in others)
    assert {row.fields["provider"] for row in rows} == {"DEMO"}


def test_every_heading_of_the_audit_has_cases_that_meet_it_and_some_that_do_not(consult, demo_copy):
    said = consult(demo_copy, "results", "--capture", "retrospective").stdout
    assert "Eligible: " in said
    rates = re.findall(r"(\d+) of (\d+)\)", said)
    assert any(0 < int(met) < int(n) for met, n in rates)


def test_the_steps_are_chained_in_order_of_time_and_lie_in_the_past(instance):
    conn = instance.db.read()
    assert ledger.verify(conn) is None
    times = [step.at for step in ledger.steps(conn)]
    assert times == sorted(times)
    assert times[-1] < instance.store.at()


def test_the_fold_of_each_consultation_is_what_the_store_says(instance):
    for consultation in consultations(instance):
        again = fold(consultation.id, ledger.steps(instance.db.read(), consultation=consultation.id))
        assert again.answers == consultation.answers


def test_names_are_plainly_made_up_and_numbers_are_those_kept_for_drama(instance):
    for site in instance.sites.values():
        assert "made up" in site.name
        assert site.blank_routes == []
        assert all(re.search(r"01632 960 \d{3}$", number) for number in site.routes.values())
    for consultation in consultations(instance):
        assert employee(instance.db.read(), consultation.started["employee"]).local_number.startswith("DEMO-")


def test_a_live_consultation_may_begin_in_the_demonstration_though_nothing_is_approved(instance):
    assert instance.unapproved()
    assert [instance.why_no_live(site) for site in instance.sites] == [None] * len(instance.sites)


def test_the_constructed_cases_are_the_same_each_time():
    day = date(2026, 11, 22)
    assert list(demo.constructed(day)) == list(demo.constructed(day))


def test_it_can_be_made_at_any_time_of_the_day(tmp_path):
    assert demo.prepare(tmp_path / "i", NOW) == []
    instance = open_instance(tmp_path / "i")
    assert max(step.at for step in ledger.steps(instance.db.read())) < NOW.isoformat()
    instance.close()


def test_a_second_call_leaves_it_as_it_is(consult, demo_copy):
    before = consult(demo_copy, "verify").stdout
    assert "ready" in consult(demo_copy, "demo", "--prepare").stdout
    assert consult(demo_copy, "verify").stdout == before


def test_it_is_refused_where_real_data_stand(consult, real):
    before = consult(real, "verify").stdout
    said = consult(real, "demo", "--prepare", code=1)
    assert "real data of provider ACME" in said.stderr
    assert "never mixed" in said.stderr
    assert consult(real, "verify").stdout == before


def test_one_that_was_interrupted_is_made_anew(tmp_path, consult):
    folder = tmp_path / "i"

    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.prepare(folder, NOW, stop)
    assert not (folder / "consult.db").exists()
    consult(folder, "demo", "--prepare", "--small")
    assert "The record is whole" in consult(folder, "verify").stdout
