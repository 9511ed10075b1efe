"""Why something was left blank or ended otherwise is data of the proforma, and there is always a way to say another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from consult.instance import open_instance
from consult.proforma.load import ContentError, parse_definition
from consult.proforma.model import NO_REASONS, OTHER, Reasons
from consult.record.library import Library, install

LISTS = Reasons.__struct_fields__
REASONS = re.compile(r"^\[reasons\.\w+\]\n(?:\w+ = .*\n)+", re.MULTILINE)
WAYS = re.compile(r"^\[ways\]\n(?:\w+ = .*\n)+", re.MULTILINE)


def without(texts, *names):
    """The texts of a definition from before reasons and ways were in them."""
    found = dict(texts)
    for name, part in (("proforma.toml", REASONS), ("reports.toml", WAYS)):
        if name in names:
            found[name], n = part.subn("", found[name])
            assert n
    return found


def read_later(folder: Path, in_use, version):
    """A version as it is read once another one is in use."""
    instance = open_instance(folder, create=True)
    try:
        with instance.db.write() as conn:
            install(conn, version, "test", instance.store.at())
        return Library(in_use).definition(instance.db.read(), version.digest)
    finally:
        instance.close()


@pytest.mark.parametrize("name", LISTS)
def test_a_list_without_another_reason_is_refused(back_pain, name):
    head = f"[reasons.{name}]\n"
    before, after = back_pain.texts["proforma.toml"].split(head)
    text = before + head + after.replace('other = "Another reason"\n', "", 1)
    with pytest.raises(ContentError) as refused:
        parse_definition({**back_pain.texts, "proforma.toml": text})
    assert [(p.file, p.id) for p in refused.value.problems] == [("proforma.toml", f"reasons.{name}")]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_is_left_out_holds_only_another_reason(back_pain, name):
    text = back_pain.texts["proforma.toml"]
    left_out = re.sub(rf"^\[reasons\.{name}\]\n(?:\w+ = .*\n)+", "", text, flags=re.MULTILINE)
    reasons = parse_definition({**back_pain.texts, "proforma.toml": left_out}).proforma.reasons
    assert {other: list(getattr(reasons, other)) == [OTHER] for other in LISTS} == {
        other: other == name for other in LISTS
    }


@pytest.mark.parametrize("older", [("proforma.toml",), ("reports.toml",), ("proforma.toml", "reports.toml")])
def test_a_version_from_before_has_the_reasons_and_ways_of_the_one_in_use(tmp_path: Path, back_pain, older):
    before = parse_definition(without(back_pain.texts, *older))
    assert (before.proforma.reasons == NO_REASONS) == ("proforma.toml" in older)
    assert (before.reports.ways == {}) == ("reports.toml" in older)
    kept = read_later(tmp_path, back_pain, before)
    assert kept.proforma.reasons == back_pain.proforma.reasons
    assert kept.reports.ways == back_pain.reports.ways
    assert (kept.digest, kept.texts) == (before.digest, before.texts)
    assert kept.proforma.questions == before.proforma.questions


def test_a_version_with_reasons_of_its_own_keeps_them(tmp_path: Path, back_pain):
    text = back_pain.texts["proforma.toml"].replace("Recorded for the wrong person", "Meant for somebody else")
    own = parse_definition({**back_pain.texts, "proforma.toml": text})
    kept = read_later(tmp_path, back_pain, own)
    assert kept.proforma.reasons.in_error["wrong_person"] == "Meant for somebody else"
