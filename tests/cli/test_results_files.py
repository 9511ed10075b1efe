"""Results and cases as files: the same numbers everywhere, from one moment, and only what is listed may leave."""

import csv
import io
import json
import random
import shutil
from pathlib import Path

import pytest
from workbooks import sheets

from consult.audit import leaving
from consult.exchange.casefile import export, import_cases
from consult.exchange.intake import Import
from consult.instance import open_instance

DATA = Path(__file__).parents[1] / "data" / "example-cases.csv"
MODES = ("live", "retrospective", "paper")
COUNTED = ("met", "not_met", "not_applicable", "missing")
SEED = 20_261_127


def add(folder, text):
    instance = open_instance(folder)
    how = Import("ELSEWHERE", instance.today(), "cli:test", instance.store.at())
    report = import_cases(instance.db, instance.library.current.dataset, text, how)
    assert report.added > 20
    assert not report.bad
    instance.close()


def random_cases(folder):
    draw = random.Random(SEED)
    instance = open_instance(folder)
    dataset = instance.library.current.dataset
    instance.close()
    rows = []
    for n in range(120):
        row = {f.name: draw.choice(["", *f.options]) if f.type == "choice" else "" for f in dataset.fields}
        listed = {f.name: draw.choice(["", *f.options]) for f in dataset.fields if f.type == "choices"}
        known = {
            "case_ref": f"r{n}",
            "provider": "ACME",
            "site": draw.choice("AB"),
            "capture_mode": draw.choice(MODES[1:]),
        }
        usual = {"back_pain_reason": "main", "first_consultation": "yes", "episode_gap": "none_ever"}
        roles = {
            "clinician_role": draw.choice(["nurse", "doctor"]),
            "consultation_date": f"2026-0{draw.randint(1, 9)}-11",
        }
        free = {"clinician_ref": f"person-{n}", "stay_reason": draw.choice(["=1+1", "words of somebody"])}
        rows.append(row | listed | known | usual | roles | free)
    add(folder, "".join(export(rows, dataset)))


@pytest.fixture(scope="module")
def with_cases(real_made, tmp_path_factory):
    """An installation with the example cases and random ones; only to be copied."""
    folder = shutil.copytree(real_made, tmp_path_factory.mktemp("cases") / "instance")
    add(folder, DATA.read_text("utf-8"))
    random_cases(folder)
    return folder


@pytest.fixture
def folder(with_cases, tmp_path):
    return shutil.copytree(with_cases, tmp_path / "real")


def read(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


@pytest.mark.parametrize("provider", ["ELSEWHERE", "ACME", ""])
@pytest.mark.parametrize("mode", MODES)
def test_json_csv_workbook_and_indicators_give_the_same_numbers(consult, folder, tmp_path, provider, mode):
    chosen = ("--capture", mode, *(["--provider", provider] if provider else []))

    def made(form):
        file = tmp_path / f"{form}.out"
        consult(folder, "results", "--format", form, "--output", file, *chosen)
        return file.read_bytes()

    known = json.loads(made("json"))
    table = {row["measure"]: row for row in read(made("csv"))}
    book = {row["measure"]: row for row in sheets(made("xlsx"))["Results"]}
    indicators = read(made("mohawk"))
    assert set(table) == set(book) == set(known["measures"]) | {"opportunity"}
    for id_, result in known["measures"].items():
        for rows in (table, book):
            row = rows[id_]
            assert [int(row[name]) for name in COUNTED] == [result[name] for name in COUNTED]
            assert int(row["eligible"]) == known["eligible"]
            assert int(row["excluded"]) == sum(known["excluded"].values())
            rates = [row.get("rate"), row.get("interval_low"), row.get("interval_high"), row.get("worst_case_rate")]
            low, high = result["interval"] or (None, None)
            for said, expected in zip(rates, [result["rate"], low, high, result["worst_case_rate"]], strict=True):
                assert bool(said) == (expected is not None)
                assert expected is None or float(said) == pytest.approx(expected, rel=1e-14)
            assert row["use"] == "internal"
            assert row["measures_version"] == known["measures_version"]
        of = [row for row in indicators if row["indicator"] == id_]
        assert sum(int(row["numerator"]) for row in of) == result["met"]
        assert sum(int(row["denominator"]) for row in of) == result["met"] + result["not_met"]
        assert sum(int(row["missing"]) for row in of) == result["missing"]
        assert sum(int(row["excluded"]) for row in of) == sum(known["excluded"].values())
        assert len({row["site"] for row in of}) == len(of)
    assert int(table["opportunity"]["met"]) == known["opportunity"]["met"]


def test_the_indicators_are_shaped_as_documented(consult, folder):
    found = read(
        consult(folder, "results", "--format", "mohawk", "--provider", "ACME", "--capture", "paper").stdout_bytes
    )
    assert list(found[0]) == [
        "period", "site", "indicator", "definition_version", "numerator", "denominator", "excluded", "missing",
    ]  # fmt: skip
    assert {row["site"] for row in found} == {"A", "B"}
    assert {row["period"] for row in found} == {"2026-01-11/2026-09-11"}


def test_ways_of_capture_are_not_pooled_in_a_file(consult, folder):
    for form in ("csv", "mohawk", "xlsx"):
        said = consult(folder, "results", "--format", form, "--provider", "ACME", code=1).stderr
        assert "never pooled" in said


def test_a_file_is_not_written_over_and_odd_wishes_are_refused(consult, folder, tmp_path):
    file = tmp_path / "out.csv"
    words = ("results", "--format", "csv", "--provider", "ELSEWHERE", "--output", file)
    consult(folder, *words)
    assert "is there already" in consult(folder, *words, code=1).stderr
    consult(folder, *words, "--force")
    assert (file.stat().st_mode & 0o077) == 0
    consult(folder, "results", "--leaving", code=2)
    consult(folder, "results", "--leaving", "--format", "csv", "--site", "A", code=2)
    consult(folder, "results", "--format", "csv", "--head", code=2)
    consult(folder, "results", "--format", "mohawk", "--cases", code=2)


def test_cases_are_the_same_as_csv_and_as_workbook(consult, folder, tmp_path):
    consult(folder, "cases", "export", tmp_path / "c.csv")
    consult(folder, "cases", "export", "--format", "xlsx", tmp_path / "c.xlsx")
    table, book = read((tmp_path / "c.csv").read_bytes()), sheets((tmp_path / "c.xlsx").read_bytes())["Cases"]
    assert len(table) == len(book) > 140
    for one, other in zip(table, book, strict=True):
        assert {name: value for name, value in one.items() if value} == {n: v for n, v in other.items() if v}


def test_an_export_of_all_cases_is_taken_back_unchanged(consult, folder, tmp_path):
    file = tmp_path / "c.csv"
    consult(folder, "cases", "export", file)
    n = len(read(file.read_bytes()))
    assert f"0 added, {n} there already, 0 replaced, 0 refused" in consult(folder, "cases", "import", file).stdout


def test_case_rows_that_leave_have_no_clinician_no_free_text_and_months_only(consult, folder, tmp_path):
    file = tmp_path / "c.csv"
    consult(folder, "cases", "export", "--leaving", file)
    rows = read(file.read_bytes())
    assert not set(rows[0]) & {"clinician_ref", "stay_reason"}
    assert all(len(row["consultation_date"]) == 7 for row in rows)
    assert "person-" not in file.read_text()
    assert "words of somebody" not in file.read_text()
    assert not list(tmp_path.glob("*.head.json"))
    consult(folder, "cases", "export", "--leaving", "--format", "xlsx", tmp_path / "c.xlsx")
    book = sheets((tmp_path / "c.xlsx").read_bytes())
    assert list(book) == ["Cases"]
    assert [row["consultation_date"] for row in book["Cases"]] == [row["consultation_date"] for row in rows]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("provider", ["ELSEWHERE", "ACME"])
def test_results_that_leave_are_whole_service_measures_of_ten_or_more(consult, folder, tmp_path, form, provider):
    words = ("results", "--provider", provider, "--capture", "retrospective")
    known = json.loads(consult(folder, *words, "--format", "json").stdout)
    file = tmp_path / f"r.{form}"
    consult(folder, *words, "--format", form, "--leaving", "--output", file)
    book = {"Results": read(file.read_bytes())} if form == "csv" else sheets(file.read_bytes())
    assert list(book) == ["Results"]
    rows = {row["measure"]: row for row in book["Results"]}
    big = {id_ for id_, r in known["measures"].items() if r["met"] + r["not_met"] >= 10}
    assert set(rows) - {"opportunity"} == big
    national = {id_ for id_, r in known["measures"].items() if r["benchmarks"]["2011"] is not None}
    assert ("opportunity" in rows) == (national <= big)
    assert not {"eligible", "excluded"} & set(book["Results"][0] if book["Results"] else {})
    assert {row["use"] for row in rows.values()} <= {leaving.LEAVES}
    assert not any(row.get("site") for row in rows.values())
