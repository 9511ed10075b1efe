"""The command line and the case file as their guides tell of them: nothing missing, and the recipes work."""

from __future__ import annotations

import re
import shlex
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
import reference
from click.testing import CliRunner

from consult import demo
from consult.approving import note_served
from consult.cli import main
from consult.exchange import casefile
from consult.instance import open_instance

ROOT = reference.ROOT
PAGE = ROOT / "docs" / "command-line.md"
PARTS = [(page, part) for page, parts in reference.PARTS.items() for part in parts]


@pytest.mark.parametrize(("page", "part"), PARTS, ids=lambda v: v.name if isinstance(v, Path) else v)
def test_what_is_made_from_the_program_is_as_the_program_is_now(page: Path, part: str) -> None:
    made = reference.PARTS[page][part]()
    assert reference.written(page, part) == made, "run: python tests/docs/reference.py"


def test_every_command_and_option_is_named() -> None:
    text = PAGE.read_text("utf-8")
    for path, command in reference.commands():
        part = re.search(rf"^### {path}$(.*?)(?=^### |\Z)", text, re.DOTALL | re.MULTILINE)
        assert part, f"{path} is missing"
        options = {name for param in command.params for name in param.opts if name.startswith("--")}
        assert [o for o in options - {"--help", "--instance"} if f"`{o}" not in part[1]] == []


def test_every_field_and_every_code_of_a_case_is_named() -> None:
    rows = reference.written(ROOT / "docs" / "case-files.md", "fields").splitlines()
    for field in reference.dataset().fields:
        (row,) = [row for row in rows if row.startswith(f"| `{field.name}` |")]
        assert [option for option in field.options if f"`{option}`" not in row] == []


def test_the_recipes_work_from_the_first_line_to_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of the recipes but `serve` is run, in their order, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONSULT_INSTANCE", str(tmp_path / "instance"))
    (tmp_path / "password.txt").write_text("a long made-up password\n", "utf-8")
    write_baseline(tmp_path / "baseline.csv")
    recipes = PAGE.read_text("utf-8").partition("## Every command")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", recipes, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("consult ")]
    said = {}
    for line in lines:
        arguments = shlex.split(line)[1:]
        if "serve" in arguments:
            arguments.append("--help")
            with closing(open_instance(tmp_path / "instance")) as instance:
                note_served(instance)  # as it does when it starts
        found = CliRunner().invoke(main, arguments)
        assert found.exit_code == 0, f"{line}: {found.output}"
        said[line] = found.output
    assert "sign-in name is nia.example" in said[next(line for line in lines if "person add" in line)]
    assert (tmp_path / "template.csv").read_text("utf-8").splitlines() == [",".join(reference.dataset().by_name)]
    assert "25 added" in said["consult cases import baseline.csv"]
    assert "capture mode retrospective" in said["consult results --capture retrospective"]
    assert "\nScreening for red flags\n" in said["consult results --capture retrospective"], "a measure by its title"
    assert ": draft" in said["consult approve"]
    assert "not approved" not in said["consult check"], "the last check stands after the approval"
    assert "The record is whole" in said["consult --instance trial-folder verify"]


def write_baseline(file: Path) -> None:
    """Past cases as a service would enter them from its notes."""
    fields = reference.dataset()
    rows = [dict.fromkeys(fields.by_name, "") | row | {"provider": ""} for row in demo.constructed(date(2026, 1, 31))]
    file.write_text("".join(casefile.export(rows, fields)), "utf-8")
