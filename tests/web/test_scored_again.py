"""Old cases scored by either of two versions of the measures that differ: page, files and command line say which."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pages
import pytest
import random_cases
from click.testing import CliRunner
from test_one_number import of_json, table_rows
from visiting import Service, Visitor, opened

from consult.audit import versions
from consult.audit.measures import OUTCOMES, MeasureSet, outcomes, why_excluded
from consult.cli import main
from consult.content import content_root
from consult.exchange.casefile import export, import_cases
from consult.exchange.intake import Import
from consult.proforma.dataset import Dataset

SEED, MANY = 3_101, 220
QUERY = "provider=*&capture=retrospective"
CHANGES = {
    'version = "2026.1"': 'version = "2026.2"',
    'met = { field = "barriers_asked", is = "yes" }': (
        'met = { any = [{ field = "barriers_asked", is = "yes" }, { field = "barriers", includes = "other_health" }] }'
    ),
    'examples = [\n    { case = { barriers_asked = "yes" }, outcome = "met" },': (
        'examples = [\n    { case = { barriers_asked = "yes" }, outcome = "met" },'
        '\n    { case = { barriers = "other_health" }, outcome = "met" },'
        '\n    { case = { barriers = "none" }, outcome = "not_met" },'
    ),
    'in = ["none_ever", "ge_28_days"]': 'in = ["none_ever", "ge_28_days", "unknown"]',
    'first_consultation = "yes", episode_gap = "unknown" }, outcome = "episode_gap_unknown"': (
        'first_consultation = "yes", episode_gap = "unknown" }, outcome = "eligible"'
    ),
}
"""A measure that takes other words for an answer, and an eligibility that takes an unknown gap: each with examples."""


def changed(text: str) -> str:
    for old, new in CHANGES.items():
        assert old in text, old
        text = text.replace(old, new)
    blank = '{ like = "everything_recorded", case = { barriers_asked = "%s" }, outcome = "not_met" },'
    for code in ("no", ""):
        assert blank % code in text
        text = text.replace(blank % code, (blank % code).replace('" },', '", barriers = "" },', 1))
    return text


def made_up(dataset: Dataset) -> list[dict[str, str]]:
    """Random cases, some of them with an episode of which the gap is not known."""
    found = list(random_cases.random_cases(dataset, MANY, SEED))
    return [row | ({"episode_gap": "unknown"} if at % 9 == 0 else {}) for at, row in enumerate(found)]


@pytest.fixture(scope="module")
def shared(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose cases came under the first version, and whose measures were changed since."""
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("again") / "instance"))
    own = Path(shutil.copytree(content_root("proformas"), folder / "proformas")) / "back-pain" / "measures.toml"
    before = opened(folder).instance
    dataset = before.library.current.dataset
    cases = made_up(dataset)
    how = Import("DEMO", random_cases.FIRST.replace(year=2027), "cli:test", before.store.at())
    assert import_cases(before.db, dataset, "".join(export(cases, dataset)), how).added == MANY, SEED
    before.close()
    own.write_text(changed(own.read_text("utf-8")), "utf-8")
    running = opened(folder)
    assert running.instance.problems == []
    yield running
    running.instance.close()


@pytest.fixture(scope="module")
def lead(shared: Service) -> Visitor:
    return shared.visitor("audit_lead")


@pytest.fixture(scope="module")
def rows(shared: Service) -> list[dict[str, str]]:
    return made_up(shared.instance.library.current.dataset)


@pytest.fixture(scope="module")
def both(shared: Service) -> dict[str, tuple[str, MeasureSet]]:
    """Digest and measures of each version, by number."""
    kept = versions.kept(shared.instance.db.read())
    assert [one.version for one in kept] == ["2026.2", "2026.1"]
    dataset = shared.instance.library.current.dataset
    return {one.version: (one.digest, versions.read(one, dataset)) for one in kept}


def judged(shared: Service, measures: MeasureSet, row: dict[str, str]) -> dict[str, str]:
    """What Python makes of a case by a version: its outcome on every measure, or why it is left out."""
    dataset = shared.instance.library.current.dataset
    reason = why_excluded(measures, dataset, row)
    if reason:
        return {measure.id: f"excluded: {reason}" for measure in measures.measures}
    return dict(outcomes(measures, dataset, row))


def of_python(shared: Service, measures: MeasureSet, rows: list[dict[str, str]]) -> dict[str, list[int]]:
    found = [judged(shared, measures, row) for row in rows if row["capture_mode"] == "retrospective"]
    return {m.id: [[one[m.id] for one in found].count(outcome) for outcome in OUTCOMES] for m in measures.measures}


def command(shared: Service, *words: str) -> str:
    result = CliRunner().invoke(main, ["--instance", str(shared.instance.folder), *words])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("version", ["2026.1", "2026.2"])
def test_page_json_file_and_command_score_by_the_version_asked_for_and_say_which(
    shared: Service, lead: Visitor, rows: list[dict[str, str]], both: dict[str, tuple[str, MeasureSet]], version: str
) -> None:
    digest, measures = both[version]
    counts = of_python(shared, measures, rows)
    asked = f"{QUERY}&measures={version}"
    shape = json.loads(lead.ask(f"/results/results.json?{asked}").text)
    told = ("results", "--capture", "retrospective", "--format", "json", "--measures-version", version)
    by_command = json.loads(command(shared, *told))
    assert shape == by_command
    assert (shape["measures_version"], shape["measures_digest"]) == (version, digest)
    assert of_json(shape)[2] == counts
    page = lead.get(f"/results?{asked}")
    assert f"Measures version {version} ({digest[:12]})" in pages.text(page)
    assert ("not the version in use" in pages.text(page)) == (version == "2026.1")
    seen = {id_: numbers for table in page.iter("table") for id_, numbers in table_rows(table)}
    assert seen == {id_: (met, met + not_met, missing) for id_, (met, not_met, _, missing) in counts.items()}
    for row in csv.DictReader(io.StringIO(lead.ask(f"/results/files/results.csv?{asked}").text, newline="")):
        assert (row["measures_version"], row["measures_digest"]) == (version, digest)
        if row["measure"] in counts:
            assert [int(row[outcome]) for outcome in OUTCOMES] == counts[row["measure"]]
    explained = lead.get(f"/results/measures/barriers_asked/cases?{asked}&outcome=met")
    heading = explained.find(".//h1")
    assert heading is not None
    assert pages.text(heading) == f"Met: {counts['barriers_asked'][0]} cases"
    shown = pages.text(explained).lower()
    of_each = shown.partition("one rule decided" if "one rule decided" in shown else "the rule that decided")[2]
    assert ("other health" in of_each) == (version == "2026.2")


def test_the_two_versions_really_differ(
    shared: Service, rows: list[dict[str, str]], both: dict[str, tuple[str, MeasureSet]]
) -> None:
    first, second = (of_python(shared, both[version][1], rows) for version in ("2026.1", "2026.2"))
    assert sum(second["work_cause_asked"]) > sum(first["work_cause_asked"]) > 50  # more cases are eligible
    assert second["barriers_asked"][0] > first["barriers_asked"][0]


def test_without_a_wish_the_version_in_use_scores(shared: Service, lead: Visitor) -> None:
    plain: dict[str, Any] = json.loads(lead.ask(f"/results/results.json?{QUERY}").text)
    assert plain["measures_version"] == "2026.2"
    assert plain == json.loads(command(shared, "results", "--capture", "retrospective", "--format", "json"))


def test_each_case_that_differs_is_listed_and_no_other(
    shared: Service, rows: list[dict[str, str]], both: dict[str, tuple[str, MeasureSet]]
) -> None:
    said = command(shared, "measures", "compare", "2026.1", "2026.2")
    listed = set(re.findall(r"^(\S+) / (\S+) / (\w+) / (\S+): (\w+): (.+), then (.+)$", said, re.MULTILINE))
    expected = set()
    for row in rows:
        first, second = (judged(shared, both[version][1], row) for version in ("2026.1", "2026.2"))
        case = (row["provider"], row["site"], row["capture_mode"], row["case_ref"])
        expected |= {(*case, id_, first[id_], second[id_]) for id_ in first if first[id_] != second[id_]}
    assert listed == expected
    assert "includes other health" in said


def test_the_sample_of_a_round_stays_what_it_was_by_whatever_version_it_is_scored(
    shared: Service, lead: Visitor
) -> None:
    wanted = {"name": "Again", "capture": "retrospective", "start": "2025-08-01", "end": "2026-06-30", "rule": "first"}
    round_id = lead.post("/rounds/new", {**wanted, "n": "40"}).headers["Location"].rpartition("/")[2]
    shapes = []
    for version in ("2026.1", "2026.2"):
        words = ("results", "--round", "Again", "--format", "json", "--cases", "--measures-version", version)
        by_command = json.loads(command(shared, *words))
        cases = sorted(one["case_ref"] for one in by_command.pop("cases"))
        page = json.loads(lead.ask(f"/results/results.json?round={round_id}&measures={version}").text)
        assert page == by_command
        shapes.append((cases, page["eligible"] + sum(page["excluded"].values())))
    assert shapes[0] == shapes[1]
    assert shapes[0][1] > 10


def test_a_file_counted_by_a_version_no_longer_in_use_is_counted_again_by_it(shared: Service, tmp_path: Path) -> None:
    for version in ("2026.1", "2026.2"):
        file = tmp_path / f"{version}.json"
        words = ("results", "--capture", "paper", "--format", "json", "--head", "--measures-version", version)
        command(shared, *words, "--output", str(file))
        assert f"{version}.json" in command(shared, "verify", str(file))
        known = json.loads(file.read_text("utf-8"))
        known["measures"]["barriers_asked"]["met"] += 1
        file.write_text(json.dumps(known), "utf-8")
        said = CliRunner().invoke(main, ["--instance", str(shared.instance.folder), "verify", str(file)])
        assert said.exit_code == 1
        assert "measures.barriers_asked is not what is counted" in said.output
        file.write_text(json.dumps(known | {"measures_digest": "0" * 64}), "utf-8")
        said = CliRunner().invoke(main, ["--instance", str(shared.instance.folder), "verify", str(file)])
        assert "of the measures is kept; these are" in said.output
