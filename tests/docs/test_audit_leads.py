"""The guide for audit leads: its commands run, and what it says of the rules is what the program does."""

from __future__ import annotations

import json
import re
import shlex
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner

from consult import demo
from consult.audit import reliability, rounds, statistics
from consult.audit.quality import Quality
from consult.cli import main
from consult.exchange import entry
from consult.instance import open_instance
from consult.record.store import now_utc
from consult.web import reflection

PAGE = Path(__file__).resolve().parents[2] / "docs" / "audit-leads.md"
TEXT = PAGE.read_text("utf-8")
WORDS = " ".join(TEXT.replace("\n> ", " ").split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration with the round that the guide names."""
    made = tmp_path_factory.mktemp("guide") / "instance"
    demo.prepare(made, now_utc())
    instance = open_instance(made)
    wanted = rounds.Wanted("Baseline 2026", "DEMO", "retrospective", "2000-01-01", instance.today().isoformat())
    with instance.db.write() as conn:
        rounds.set_round(conn, wanted, ("lead", "audit_lead"), instance.store.at(), str(uuid.uuid4()))
    instance.close()
    return made


def test_every_command_of_the_guide_runs(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # some write a file where they are called
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) >= 4
    for line in lines:
        found = CliRunner().invoke(main, ["--instance", str(folder), *shlex.split(line)[1:]])
        assert found.exit_code == 0, f"{line}: {found.output}"
        if "--format json" in line:
            assert json.loads(found.stdout)


def test_the_numbers_of_the_guide_are_those_of_the_program() -> None:
    low, high = statistics.precision(40, 0.55) or (0, 0)
    assert f"with 40 cases a rate of 55% is known to about {low:.0%} to {high:.0%}" in WORDS
    assert reliability.wanted(40) == 5
    assert f"from {reliability.KAPPA_FROM} pairs on" in WORDS
    assert (reliability.SHARE, reflection.FEWEST) == (8, 3)
    assert "one in eight" in WORDS
    assert "fewer than three clinicians" in WORDS
    assert (rounds.USUAL, entry.USUAL) == (40, 40)
    assert "times_known" in Quality.__struct_fields__
