"""Files that came by other hands: saved again by an editor, cut short, or not whole; each is said to be what it is."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from consult import handing_over
from consult.exchange import entryform
from consult.exports import beside
from consult.instance import InstanceRefused
from consult.proforma.dataset import Dataset, Field
from consult.proforma.load import load_definition
from consult.record.ledger import Refused
from consult.setting_up import SetUp

CONTENT = Path(__file__).parents[2] / "proformas" / "back-pain"


@pytest.mark.parametrize("text", ["\n", "\r\n\r\n"])
def test_a_case_file_of_blank_lines_has_no_columns(consult, demo_copy, tmp_path, text):
    file = tmp_path / "cases.csv"
    consult(demo_copy, "cases", "export", file)
    file.write_bytes(text.encode())
    head = json.loads(beside(file).read_text())
    beside(file).write_text(json.dumps(head | {"sha256": hashlib.sha256(text.encode()).hexdigest()}))
    said = consult(demo_copy, "verify", file, code=1).output
    assert "It has no column" in said
    assert "unforeseen" not in said


LINES = {
    "a step without its actor": '{"type": "step", "seq": 1}',
    "a version without its texts": '{"type": "version", "digest": "a"}',
    "a version that is a number": '{"type": "version", "kind": "k", "id": "i", "version": 1, "digest": 5, "texts": []}',
    "a person without an id": '{"type": "person"}',
    "a first line alone": '{"type": "record", "form": "consult record 1"}\n{"type": "end"}',
    "what is no text": "\xff",
    "a line nested without end": "[" * 100_000,
}


@pytest.mark.parametrize("what", LINES)
def test_lines_that_lack_what_they_should_hold_are_refused(consult, tmp_path, what):
    file = tmp_path / "record.jsonl"
    file.write_bytes(LINES[what].encode("latin-1") + b"\n")
    with pytest.raises(Refused, match="write the file again"):
        handing_over.prove(file)
    assert "unforeseen" not in consult(tmp_path / "none", "hand-over", file, "--check", code=1).output


def test_content_that_an_editor_marked_as_utf_8_is_read(tmp_path, back_pain):
    folder = tmp_path / "proforma"
    shutil.copytree(CONTENT, folder)
    for file in folder.glob("*.toml"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load_definition(folder).digest == back_pain.digest


def test_sites_that_differ_only_in_capitals_are_not_set_up():
    with pytest.raises(InstanceRefused, match="once"):
        SetUp("NHS1", ("north", "North"), "Ann Admin", "a long way to Tipperary").check()


def test_a_field_of_more_codes_than_there_are_keys_asks_for_every_one():
    codes = tuple(f"c{n}" for n in range(40))
    asked = Field(name="where", section="s", type="choice", options=codes)
    [item] = entryform.form(entryform.EntryWords(version=""), Dataset(version="1", fields=(asked,))).fields
    assert [option.code for option in item.options] == [*codes, ""]
    keys = [option.key for option in item.options if option.key]
    assert len(keys) == len(set(keys)) == 36


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_results_are_proved_as_a_shell_or_an_editor_of_windows_saves_them(consult, demo_copy, tmp_path, coding):
    said = consult(demo_copy, "results", "--format", "json", "--head", "--capture", "live").output
    file = tmp_path / "results.json"
    file.write_bytes(said.replace("\n", "\r\n").encode(coding))
    assert "as the record says" in consult(demo_copy, "verify", file).output


@pytest.mark.parametrize(
    "odd",
    [
        {"site": {"a": 1}},
        {"from": ["2026-01-01"]},
        {"to": "soon"},
        {"measures": []},
        {"measures": {"barriers_asked": 3}},
        {"eligible": None},
        {"excluded": []},
        {"measures_digest": 7},
        {"cases": {}},
    ],
)
def test_results_that_somebody_wrote_into_are_said_to_be_changed(consult, demo_copy, tmp_path, odd):
    known = json.loads(consult(demo_copy, "results", "--format", "json", "--head", "--capture", "live").output)
    file = tmp_path / "results.json"
    file.write_text(json.dumps({**known, **odd}))
    assert "unforeseen" not in consult(demo_copy, "verify", file, code=1).output
