"""The command line gives a round's results and its ascertainment, the same as the pages."""

import json
import uuid

import pytest

from consult.accounts import people
from consult.audit import rounds
from consult.instance import open_instance


@pytest.fixture
def with_round(demo_copy):
    instance = open_instance(demo_copy)
    lead = next(p for p in people.people(instance.db.read()) if p.role == "audit_lead")
    wanted = rounds.Wanted(
        "Baseline 1", "DEMO", "retrospective", "2000-01-01", instance.today().isoformat(), "first", 8
    )
    with instance.db.write() as conn:
        id_ = rounds.set_round(conn, wanted, (lead.id, lead.role), instance.store.at(), str(uuid.uuid4()))
    instance.close()
    return demo_copy, id_


def test_results_of_a_round_are_those_of_its_sample(consult, with_round):
    folder, id_ = with_round
    (shape,) = json.loads(consult(folder, "rounds", "--format", "json").stdout)
    by_id = json.loads(consult(folder, "results", "--round", id_, "--format", "json", "--cases").stdout)
    by_name = json.loads(consult(folder, "results", "--round", "baseline 1", "--format", "json", "--cases").stdout)
    assert by_id == by_name
    assert by_id["eligible"] == len(shape["sample"]) == shape["ascertainment"]["all"]["captured"]
    assert (by_id["from"], by_id["to"]) == (shape["sample_from"], shape["sample_to"])
    names = ("provider", "capture_mode", "case_ref")
    assert [[c[n] for n in names] for c in by_id["cases"]] == sorted(
        ([c[n] for n in names] for c in by_id["cases"]), key=[[c[n] for n in names] for c in shape["sample"]].index
    )
    sites = [
        json.loads(consult(folder, "results", "--round", id_, "--site", s, "--format", "json").stdout)
        for s in ("NORTH", "HARBOUR")
    ]
    assert sum(site["eligible"] for site in sites) == by_id["eligible"]
    assert all(site["eligible"] <= 8 for site in sites)


def test_the_list_of_rounds_adds_up_and_can_be_read(consult, with_round):
    folder, _ = with_round
    said = consult(folder, "rounds").stdout
    assert "Baseline 1 (retrospective" in said
    assert "25 begun" in said


def test_a_round_that_is_not_there_is_said(consult, with_round):
    folder, _ = with_round
    assert "the rounds are: Baseline 1" in consult(folder, "results", "--round", "nowhere", code=1).stderr


def test_without_a_round_the_list_says_so(consult, demo_copy):
    assert "no round yet" in consult(demo_copy, "rounds").stdout


def test_a_round_goes_with_no_other_choice_but_a_site(consult, with_round):
    folder, id_ = with_round
    consult(folder, "results", "--round", id_, "--capture", "live", code=2)


def test_a_record_with_rounds_is_proved_and_rebuilt(consult, with_round):
    folder, id_ = with_round
    before = consult(folder, "results", "--round", id_, "--format", "json").stdout
    consult(folder, "verify")
    consult(folder, "rebuild")
    consult(folder, "verify")
    assert consult(folder, "results", "--round", id_, "--format", "json").stdout == before
