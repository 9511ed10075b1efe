"""Cases in and out on the command line, and the results of them."""

import csv
import io
import json
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from consult.audit import cases
from consult.exchange.intake import REPLACED
from consult.importing import import_file
from consult.instance import open_instance
from consult.progress import silent
from consult.record.ledger import steps

DATA = Path(__file__).parents[1] / "data"
EXAMPLES = DATA / "example-cases.csv"


def shape(consult, folder, *more):
    return json.loads(consult(folder, "results", "--format", "json", *more).stdout)


def changed(tmp_path, change, name="changed.csv"):
    """A copy of the example cases with each row passed through `change`."""
    rows = list(csv.DictReader(io.StringIO(EXAMPLES.read_text("utf-8"))))
    file = tmp_path / name
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(change(dict(row)) for row in rows)
    return file


def test_every_worked_case_gets_exactly_its_outcomes(consult, real):
    consult(real, "cases", "import", EXAMPLES)
    expected = json.loads((DATA / "example-cases-expected.json").read_text("utf-8"))
    found = shape(consult, real, "--cases")
    for case in found["cases"]:
        wanted = expected[case["case_ref"]]
        assert case.get("outcomes") == wanted.get("outcomes")
        assert case.get("excluded") == wanted.get("excluded")
        assert (case["provider"], case["site"], case["capture_mode"]) == ("ACME", "A", "retrospective")
    assert {case["case_ref"] for case in found["cases"]} == set(expected)


def test_the_same_file_again_adds_nothing(consult, real):
    n = len(EXAMPLES.read_text("utf-8").splitlines()) - 1
    assert f"{n} rows: {n} added" in consult(real, "cases", "import", EXAMPLES).stdout
    before = consult(real, "verify").stdout
    assert f"0 added, {n} there already" in consult(real, "cases", "import", EXAMPLES).stdout
    assert consult(real, "verify").stdout == before


def test_an_import_says_whose_cases_they_are_how_they_were_captured_and_of_which_days(consult, real, tmp_path):
    n = len(EXAMPLES.read_text("utf-8").splitlines()) - 1
    days = sorted(row["consultation_date"] for row in csv.DictReader(io.StringIO(EXAMPLES.read_text("utf-8"))))
    dates = f"held from {days[0]} to {days[-1]}."
    assert f"Of ACME (your own), retrospective: {n} cases, {dates}" in consult(real, "cases", "import", EXAMPLES).stdout
    other = changed(tmp_path, lambda row: row | {"provider": "OTHER"})
    for _ in ("new", "there already"):
        assert f"Of OTHER, retrospective: {n} cases, {dates}" in consult(real, "cases", "import", other).stdout
    many = changed(tmp_path, lambda row: row | {"provider": f"P{row['case_ref']}"[:20].replace("_", "-"), "site": "A"})
    said = consult(real, "cases", "import", many).stdout
    assert said.count("\nOf P") == 20
    assert "\nAnd " in said
    assert "Of " not in consult(real, "cases", "import", changed(tmp_path, lambda r: r | {"sex": "?"}), code=1).stdout


def test_what_is_exported_is_imported_as_it_was(consult, real, tmp_path, password_file):
    consult(real, "cases", "import", EXAMPLES)
    consult(real, "cases", "export", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").stat().st_mode & 0o077 == 0
    words = ("--provider", "ACME", "--site", "A", "--admin", "Anna Berg", "--password-file", password_file)
    consult(tmp_path / "again", "init", *words)
    consult(tmp_path / "again", "cases", "import", tmp_path / "out.csv")
    written = consult(tmp_path / "again", "cases", "export").stdout_bytes
    assert written == (tmp_path / "out.csv").read_bytes()


def test_an_export_writes_over_nothing_unless_told(consult, real, tmp_path):
    (tmp_path / "out.csv").write_text("mine")
    consult(real, "cases", "export", tmp_path / "out.csv", code=1)
    assert (tmp_path / "out.csv").read_text() == "mine"
    consult(real, "cases", "export", tmp_path / "out.csv", "--force")
    assert (tmp_path / "out.csv").read_text().startswith("case_ref,")


def test_standard_output_holds_the_file_and_nothing_else(consult, real):
    consult(real, "cases", "import", EXAMPLES)
    said = consult(real, "cases", "export")
    rows = list(csv.DictReader(io.StringIO(said.stdout)))
    assert len(rows) == len(EXAMPLES.read_text("utf-8").splitlines()) - 1
    assert "step log stood at" in said.stderr


def test_a_bad_row_is_reported_with_line_and_field_and_the_others_are_kept(consult, real, tmp_path):
    def spoil(row):
        return row | {"consultation_date": "soon"} if row["case_ref"] == "empty" else row

    said = consult(real, "cases", "import", changed(tmp_path, spoil), code=1)
    assert "line 3: consultation_date: " in said.stderr
    assert "1 refused" in said.stdout
    n = len(EXAMPLES.read_text("utf-8").splitlines()) - 2
    assert f"{n} added" in said.stdout


def test_other_content_under_the_same_key_needs_replace(consult, real, tmp_path):
    consult(real, "cases", "import", EXAMPLES)
    file = changed(tmp_path, lambda row: row | {"sex": "female"})
    assert "sex" in consult(real, "cases", "import", file, code=1).stderr
    assert "0 refused" in consult(real, "cases", "import", file, "--replace", "--reason", "Read again").stdout
    assert consult(real, "cases", "export").stdout.count("female") > 10
    consult(real, "cases", "import", EXAMPLES, "--replace")
    with closing(open_instance(real)) as instance:
        why = Counter(step.content["reason"] for step in steps(instance.db.read(), kind="case_edited"))
        replaced = Counter(step.kind for step in steps(instance.db.read(), kind="case_replaced"))
    assert why == {"Read again": replaced["case_replaced"] / 2, REPLACED: replaced["case_replaced"] / 2}


def test_a_site_not_known_is_added_and_reported_only_for_the_own_provider(consult, real, tmp_path):
    said = consult(real, "cases", "import", changed(tmp_path, lambda row: row | {"site": "NEW"}))
    assert "Site NEW was not known and has been added" in said.stderr
    other = changed(tmp_path, lambda row: row | {"site": "FAR", "provider": "ELSE"}, "other.csv")
    assert "FAR" not in consult(real, "cases", "import", other).stderr
    instance = open_instance(real)
    assert list(instance.sites) == ["A", "NEW"]
    instance.close()


def test_a_site_whose_code_can_be_none_is_refused_with_its_case_and_other_letters_are_the_site_known(
    consult, real, tmp_path
):
    file = changed(tmp_path, lambda row: row | {"site": "Head office"})
    said = consult(real, "cases", "import", file, code=1)
    assert "cannot be a site code" in said.stderr
    assert "0 added" in said.stdout
    consult(real, "cases", "import", changed(tmp_path, lambda row: row | {"site": "a"}))
    with closing(open_instance(real)) as instance:
        assert list(instance.sites) == ["A"]
        assert {site for _, site in cases.places(instance.db.read())} == {"A"}


def test_an_import_that_stops_leaves_no_case_at_a_site_that_is_not_known(consult, real, tmp_path):
    with closing(open_instance(real)) as instance:
        with instance.db.write() as conn:
            conn.execute(
                "CREATE TRIGGER stop BEFORE INSERT ON step WHEN NEW.kind = 'setting_changed' "
                "BEGIN SELECT RAISE(ABORT, 'stopped'); END"
            )
        content = changed(tmp_path, lambda row: row | {"site": "NEW"}).read_bytes()
        with pytest.raises(Exception, match="stopped"):
            import_file(instance, content, False, "", "cli:test", silent)
        assert list(cases.iterate(instance.db.read())) == []


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"a,b\n1,2\n", b"\xff\xfea,b"])
def test_a_file_that_is_none_is_refused_whole(consult, real, tmp_path, content):
    (tmp_path / "bad.csv").write_bytes(content)
    before = consult(real, "verify").stdout
    consult(real, "cases", "import", tmp_path / "bad.csv", code=1)
    assert consult(real, "verify").stdout == before


def test_demonstration_and_real_cases_are_never_mixed(consult, real, demo_copy, tmp_path):
    consult(demo_copy, "cases", "export", tmp_path / "demo.csv")
    for provider in ("DEMO", "demo", " Demo "):
        file = changed(tmp_path, lambda row, provider=provider: row | {"provider": provider})
        said = consult(real, "cases", "import", file, code=1)
        assert "never mixed" in said.stderr
        assert "0 added" in said.stdout
    assert "never mixed" in consult(real, "cases", "import", tmp_path / "demo.csv", code=1).stderr
    theirs = changed(tmp_path, lambda row: row | {"provider": "ACME"})
    said = consult(demo_copy, "cases", "import", theirs, code=1)
    assert "This is the demonstration" in said.stderr
    assert "0 added" in said.stdout


def test_a_stray_quotation_mark_smuggles_no_case_of_the_demonstration_in(consult, real, tmp_path):
    """Over three lines it hides the middle one from whoever lets a record run on in any column."""
    header, *lines = changed(tmp_path, lambda row: row | {"provider": "ACME"}).read_text("utf-8").splitlines()
    before, hidden, after = lines[:3]
    before = before.replace(",ACME,", ',"ACME,')
    hidden = hidden.replace(",ACME,", ",DEMO,")
    after = after.replace(",ACME,", ',ACME",')
    (tmp_path / "stray.csv").write_text("\n".join([header, before, hidden, after, ""]), "utf-8")
    said = consult(real, "cases", "import", tmp_path / "stray.csv", code=1)
    assert "line 3: provider: This is a case of the demonstration" in said.stderr
    assert "DEMO" not in consult(real, "cases", "export").stdout


def test_results_as_json_have_the_documented_shape_and_nothing_else_is_printed(consult, real):
    consult(real, "cases", "import", EXAMPLES)
    found = shape(consult, real)
    keys = "proforma measures_version capture_mode from to site eligible excluded measures opportunity"
    assert list(found) == keys.split()
    one = found["measures"]["red_flags_screened"]
    assert list(one) == [
        *("met", "not_met", "not_applicable", "missing", "rate", "interval", "worst_case_rate", "benchmarks")
    ]
    assert one["benchmarks"] == {"2011": 0.55, "2008": None}


@pytest.mark.parametrize(
    ("more", "some"),
    [
        (("--site", "A"), True),
        (("--site", "B"), False),
        (("--provider", "ACME"), True),
        (("--provider", "ELSE"), False),
        (("--from", "2026-03-02", "--to", "2026-03-02"), True),
        (("--from", "2026-03-03"), False),
        (("--to", "2026-03-01"), False),
        (("--capture", "retrospective"), True),
        (("--capture", "paper"), False),
    ],
)
def test_each_option_selects(consult, real, more, some):
    consult(real, "cases", "import", EXAMPLES)
    assert (shape(consult, real, *more)["eligible"] > 0) is some


def test_text_has_the_title_and_a_line_for_every_measure_and_with_cases_one_for_every_case(consult, real):
    consult(real, "cases", "import", EXAMPLES)
    said = consult(real, "results", "--cases").stdout
    instance = open_instance(real)
    titles = {measure.id: measure.title for measure in instance.measures.measures}
    instance.close()
    for measure in shape(consult, real)["measures"]:
        assert f"\n{titles[measure]}\n  {measure} " in said
    assert "2011, from case notes" in said
    assert "not held" in said
    assert "so the national 48% stands beside both readings" in said
    assert "ACME / A / retrospective / empty: not met: " in said


def test_an_empty_instance_has_results_too(consult, real):
    assert "Eligible: 0" in consult(real, "results").stdout
    assert shape(consult, real)["measures"]["red_flags_screened"]["rate"] is None


def test_capture_modes_are_not_pooled(consult, demo_copy):
    said = consult(demo_copy, "results", code=1)
    assert "--capture live or --capture retrospective" in said.stderr
    assert said.stdout == ""


def test_an_import_is_undone_but_for_what_was_changed_since(consult, real, tmp_path):
    consult(real, "cases", "import", EXAMPLES)
    n = len(EXAMPLES.read_text("utf-8").splitlines()) - 1
    before = consult(real, "verify").stdout
    said = consult(real, "cases", "take-out", EXAMPLES, "--reason", "Wrong service")
    assert f"{n} rows: {n} to take out, 0 not there, 0 kept." in said.stdout
    assert "add --yes" in said.stdout
    assert consult(real, "verify").stdout == before
    change = changed(tmp_path, lambda row: row | {"sex": "other"} if row["case_ref"] == "complete" else row)
    consult(real, "cases", "import", change, "--replace")
    done = consult(real, "cases", "take-out", EXAMPLES, "--reason", "Wrong service", "--yes", code=1)
    assert f"{n - 1} taken out, 0 not there, 1 kept." in done.stdout
    assert "other values in sex, so it stays" in done.stderr
    assert shape(consult, real, "--cases")["cases"][0]["case_ref"] == "complete"
    assert len(shape(consult, real, "--cases")["cases"]) == 1
    consult(real, "verify")
    consult(real, "rebuild")
    assert len(shape(consult, real, "--cases")["cases"]) == 1
    again = consult(real, "cases", "import", EXAMPLES, code=1).stdout
    assert f"{n - 1} added" in again
    consult(real, "cases", "take-out", EXAMPLES, "--reason", " ", "--yes", code=2)


def test_a_site_in_other_letters_is_no_site_more_and_what_came_so_is_taken_out_so(consult, real, tmp_path):
    small = changed(tmp_path, lambda row: row | {"provider": "acme", "site": "a"})
    assert "was not known" not in consult(real, "cases", "import", small).stderr
    assert {(one["provider"], one["site"]) for one in shape(consult, real, "--cases")["cases"]} == {("ACME", "A")}
    n = len(EXAMPLES.read_text("utf-8").splitlines()) - 1
    assert f"0 added, {n} there already" in consult(real, "cases", "import", EXAMPLES).stdout
    assert f"{n} taken out" in consult(real, "cases", "take-out", small, "--reason", "Test", "--yes").stdout


def test_a_code_that_nothing_has_and_providers_counted_together_are_said(consult, real, tmp_path):
    consult(real, "cases", "import", EXAMPLES)
    assert consult(real, "results").stderr == ""
    assert "No case of provider acme is held" in consult(real, "results", "--provider", "acme").stderr
    assert "No case of site a is held here" in consult(real, "results", "--site", "a").stderr
    consult(real, "cases", "import", changed(tmp_path, lambda row: row | {"provider": "ELSEWHERE"}))
    said = consult(real, "results")
    assert "Counted together are the cases of ACME, ELSEWHERE; add --provider" in said.stderr
    assert "Counted together" not in said.stdout
    assert consult(real, "results", "--provider", "ACME").stderr == ""


def test_a_number_larger_than_its_column_runs_into_no_other(consult, real, tmp_path):
    row = next(csv.DictReader(io.StringIO(EXAMPLES.read_text("utf-8"))))
    with (tmp_path / "many.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, row.keys())
        writer.writeheader()
        writer.writerows(row | {"case_ref": f"{n:05}"} for n in range(1000))
    consult(real, "cases", "import", tmp_path / "many.csv")
    lines = [line for line in consult(real, "results").stdout.splitlines() if "of 1000)" in line]
    assert lines
    assert all(" of 1000) " in line for line in lines)


def test_rebuild_brings_every_case_back(consult, demo_copy):
    before = consult(demo_copy, "cases", "export").stdout
    instance = open_instance(demo_copy)
    with instance.db.write() as conn:
        conn.execute("DELETE FROM case_row WHERE capture_mode = 'retrospective'")
        conn.execute("UPDATE case_row SET sex = 'other'")
        conn.execute("DELETE FROM consultation")
    instance.close()
    assert "run `consult rebuild`" in consult(demo_copy, "verify", code=1).stderr
    assert "8 consultations" in consult(demo_copy, "rebuild").stdout
    assert consult(demo_copy, "cases", "export").stdout == before
    consult(demo_copy, "verify")
