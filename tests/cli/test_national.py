"""The constructed national set (never the national data): every way out gives exactly the counts it was made with."""

import csv
import io
import json
import re
from collections import Counter

import html5lib
import national
import pytest
from click.testing import CliRunner

from consult.accounts import people, sessions
from consult.audit.counting import plan_of
from consult.audit.measures import OUTCOMES, outcomes, why_excluded
from consult.audit.results import Selection, judged, results, results_by
from consult.cli import main
from consult.instance import open_instance
from consult.record.store import now_utc
from consult.setting_up import SetUp, set_up
from consult.web.app import create_app


@pytest.fixture(scope="module")
def made():
    return national.national(national.shipped_dataset())


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    """An installation that took the case file in by the command line, nothing refused."""
    folder = tmp_path_factory.mktemp("national") / "instance"
    set_up(folder, SetUp("OWN", ("A",), "Anna Berg", "quiet otter paints fences"), "cli:test")
    file = folder.parent / "constructed.csv"
    file.write_text(national.text(national.shipped_dataset(), made), encoding="utf-8", newline="")
    done = CliRunner().invoke(main, ["--instance", str(folder), "cases", "import", str(file)])
    assert "5524 rows: 5524 added, 0 there already, 0 replaced, 0 refused" in done.output.replace(",524", "524")
    return folder


@pytest.fixture(scope="module")
def instance(folder):
    instance = open_instance(folder)
    yield instance
    instance.close()


@pytest.fixture(scope="module")
def counts(made):
    """The generator's own counts, in the order of OUTCOMES."""
    return {measure: [counted[outcome] for outcome in OUTCOMES] for measure, counted in made.counts.items()}


def of_results(found):
    return {id_: [getattr(result, outcome) for outcome in OUTCOMES] for id_, result in found.measures.items()}


def of_judgements(found):
    counted = Counter((measure, outcome) for outcomes_ in found for measure, outcome in outcomes_.items())
    return {m: [counted[m, outcome] for outcome in OUTCOMES] for m in {measure for measure, _ in counted}}


def test_the_set_is_as_large_as_2011_and_says_that_it_is_constructed(made):
    assert len(made.rows) == national.CASES == 5524
    assert len({row["provider"] for row in made.rows}) == 148
    assert {row["capture_mode"] for row in made.rows} == {"retrospective"}
    assert all(row["provider"].startswith("CONSTRUCTED-") for row in made.rows)
    assert all(row["case_ref"].startswith("constructed-not-national-") for row in made.rows)
    assert national.national(national.shipped_dataset()) == made


def test_its_rates_round_to_the_published_figures(instance, counts):
    for measure in instance.measures.national:
        met, not_met, *_ = counts[measure]
        published = instance.benchmarks.of(measure)["2011"]
        assert round(100 * met / (met + not_met)) == round(100 * published) == national.PUBLISHED[measure]


def test_its_context_rounds_to_the_published_figures(made, instance):
    published = {figure.id: figure.value_percent for figure in instance.benchmarks.figures}
    roles = Counter(row["clinician_role"] for row in made.rows)
    for role in ("nurse", "doctor", "physiotherapist"):
        assert round(100 * roles[role] / 5524) == published[f"seen_by_{role}_2011"]
    off_sick = sum(row["off_sick_today"] == "yes" for row in made.rows)
    assert round(100 * off_sick / 5524) == published["off_sick_at_appointment_2011"]
    assert round(100 * sum(row["staff_group"] == "nursing_midwifery" for row in made.rows) / 5524) == 53
    places = {row["provider"] for row in made.rows if row["clinician_role"] == "physiotherapist"}
    assert round(100 * len(places) / 148) == published["sites_with_physiotherapist_cases_2011"]


def test_python_gives_every_case_the_outcomes_it_was_made_with(made, instance, counts):
    measures, dataset = instance.measures, instance.library.current.dataset
    found = {row["case_ref"]: outcomes(measures, dataset, row) for row in made.rows}
    assert found == made.outcomes
    assert {why_excluded(measures, dataset, row) for row in made.rows} == {""}
    assert of_judgements(found.values()) == counts


def test_sql_gives_every_case_the_outcomes_it_was_made_with(made, instance, counts):
    measures, dataset = instance.measures, instance.library.current.dataset
    found = list(judged(instance.db.read(), measures, dataset, Selection()))
    assert {one.case.fields["case_ref"]: one.outcomes for one in found} == made.outcomes
    assert of_judgements(one.outcomes for one in found) == counts


def test_counters_recount_and_the_sums_of_providers_are_the_counts(instance, counts):
    measures, dataset = instance.measures, instance.library.current.dataset
    conn, plan = instance.db.read(), plan_of(measures, dataset)
    whole = results(conn, measures, dataset, Selection())
    assert (whole.eligible, whole.excluded, of_results(whole)) == (5524, {}, counts)
    assert plan.results(plan.recount(conn, "1", (), ())[()]) == whole.measures
    by_provider = results_by(conn, measures, dataset, Selection(), ("provider",))
    assert len(by_provider) == 148
    summed = {measure: [0] * len(OUTCOMES) for measure in counts}
    for one in by_provider.values():
        for measure, found in of_results(one).items():
            summed[measure] = [a + b for a, b in zip(summed[measure], found, strict=True)]
    assert summed == counts


def test_the_command_line_gives_the_counts_and_every_outcome(folder, made, counts, instance):
    done = CliRunner().invoke(main, ["--instance", str(folder), "results", "--format", "json", "--cases"])
    found = json.loads(done.stdout)
    assert (found["eligible"], found["excluded"], found["capture_mode"]) == (5524, {}, "retrospective")
    assert {id_: [one[outcome] for outcome in OUTCOMES] for id_, one in found["measures"].items()} == counts
    assert {case["case_ref"]: case["outcomes"] for case in found["cases"]} == made.outcomes
    for id_, one in found["measures"].items():
        met, not_met, _, missing = counts[id_]
        assert one["rate"] == met / (met + not_met)
        assert one["worst_case_rate"] == met / (met + not_met + missing)
    national_counts = [counts[id_] for id_ in instance.measures.national]
    assert found["opportunity"] == {
        "met": sum(c[0] for c in national_counts),
        "applicable": sum(c[0] + c[1] for c in national_counts),
        "missing": sum(c[3] for c in national_counts),
    }


def test_the_exported_cases_give_the_counts(folder, made, counts, instance):
    done = CliRunner().invoke(main, ["--instance", str(folder), "cases", "export"])
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert sorted(rows, key=lambda row: row["case_ref"]) == made.rows
    measures, dataset = instance.measures, instance.library.current.dataset
    assert of_judgements(outcomes(measures, dataset, row) for row in rows) == counts


def test_the_page_shows_the_counts(instance, counts):
    client = create_app(instance).test_client()
    with instance.db.write() as conn:
        new = people.NewPerson("Lea Lead", "audit_lead", "A", "plainly invented words")
        token = sessions.create(conn, people.add_person(conn, new, "test", instance.store.at()).id, now_utc())
    client.set_cookie("consult_session", token)
    response = client.get("/results?provider=*")
    assert response.status_code == 200
    page = html5lib.parse(response.text, namespaceHTMLElements=False)
    assert "5524 eligible cases" in " ".join("".join(page.itertext()).split()).replace("5,524", "5524")
    shown = {}
    for row in page.iter("tr"):
        link = next((a.get("href", "") for a in row.iter("a")), "")
        if named := re.search(r"/measures/([a-z_]+)", link):
            shown[named[1]] = " ".join("".join(list(row)[1].itertext()).split()).replace(",", "")
    assert shown == {measure: f"{c[0]} of {c[0] + c[1]}" for measure, c in counts.items()}
