"""Paper forms written to a file: fresh references, the version asked for, and nothing written over by accident."""

import re
import shutil
from pathlib import Path

import pytest

from consult.instance import open_instance
from consult.record.reference import read_reference

ROOT = Path(__file__).parents[2]
BIG = re.compile(r'class="big">([^<]+)<')


def digest_of(folder):
    instance = open_instance(folder)
    try:
        return instance.library.current.digest
    finally:
        instance.close()


@pytest.fixture
def two_versions(real):
    """An installation in which one version was in use before the one that is now; the digests of both."""
    shutil.copytree(ROOT / "proformas", real / "proformas")
    older = digest_of(real)
    file = real / "proformas" / "back-pain" / "proforma.toml"
    text = file.read_text("utf-8")
    file.write_text(re.sub(r'^version = "[^"]+"', 'version = "99.0"', text, count=1, flags=re.M), "utf-8")
    newer = digest_of(real)
    assert older != newer
    return real, older, newer


def test_each_copy_has_a_reference_of_its_own_that_names_the_version(consult, real, tmp_path):
    file = tmp_path / "forms.html"
    digest = digest_of(real)
    said = consult(real, "paper", "--copies", 3, "--output", file).stdout
    assert "3 cases of version" in said
    assert digest[:16] in said
    text = file.read_text("utf-8")
    references = BIG.findall(text)
    assert len(set(references)) == 3
    assert {read_reference(r).version for r in references} == {digest[:4]}
    assert "<style>" in text, "the file needs nothing else"
    assert not re.search(r'(href|src)="(?!https?:|data:)', text)
    consult(real, "paper", "--output", tmp_path / "again.html")
    assert not set(BIG.findall((tmp_path / "again.html").read_text("utf-8"))) & set(references)


def test_a_file_that_is_there_is_written_over_only_on_purpose(consult, real, tmp_path):
    file = tmp_path / "forms.html"
    file.write_text("kept", "utf-8")
    assert "is there already" in consult(real, "paper", "--output", file, code=1).stderr
    assert file.read_text("utf-8") == "kept"
    consult(real, "paper", "--output", file, "--force")
    assert BIG.search(file.read_text("utf-8"))


def test_an_older_version_is_printed_by_its_digest(consult, two_versions, tmp_path):
    real, older, newer = two_versions
    file = tmp_path / "older.html"
    said = consult(real, "paper", "--output", file, "--digest", older[:10].upper()).stdout
    assert older[:16] in said
    text = file.read_text("utf-8")
    assert f"digest {older[:16]}" in text
    assert newer[:16] not in text
    assert read_reference(BIG.findall(text)[0]).version == older[:4]
    consult(real, "paper", "--output", file, "--force")
    assert f"digest {newer[:16]}" in file.read_text("utf-8")


@pytest.mark.parametrize("given", [("--digest", "ffffffffffff"), ("--site", "NOWHERE")])
def test_what_is_not_known_is_said_and_nothing_is_written(consult, real, tmp_path, given):
    file = tmp_path / "forms.html"
    assert given[1] in consult(real, "paper", "--output", file, *given, code=1).stderr
    assert not file.exists()
