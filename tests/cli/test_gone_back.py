"""Content taken back to an earlier version: that one is then what stands for a refused file, not the one given up."""

import json
import shutil
from pathlib import Path

import pytest

from consult.instance import open_instance
from consult.record import ledger

ROOT = Path(__file__).parents[2]
BACK_PAIN = Path("proformas") / "back-pain"
CORE = Path("leaflets") / "own-core" / "en.md"
BROKEN = "\n[broken"


@pytest.fixture
def own(real):
    """The real installation with content of its own, in use."""
    shutil.copytree(ROOT / BACK_PAIN, real / BACK_PAIN)
    (real / CORE).parent.mkdir(parents=True)
    text = (ROOT / "leaflets" / "back-pain-core" / "en.md").read_text("utf-8")
    (real / CORE).write_text(text.replace('id = "back-pain-core"', 'id = "own-core"', 1), "utf-8")
    open_instance(real).close()
    return real


def used(folder):
    """The digest in use of the proforma, its measures and the leaflet, and how many steps there are."""
    instance = open_instance(folder)
    found = (
        instance.library.current.digest,
        instance.content.measures_digest,
        instance.leaflets["own-core", "en"].digest,
    )
    n = ledger.head(instance.db.read())[0]
    instance.close()
    return found, n


CHANGED = {
    BACK_PAIN / "proforma.toml": "# another text\n{}",
    BACK_PAIN / "measures.toml": "# another text\n{}",
    CORE: "{}\nAnother line.\n",
}


def test_what_stands_for_a_refused_file_is_the_version_in_use_before_it(consult, own):
    first = {file: (own / file).read_text("utf-8") for file in CHANGED}
    (before, _) = used(own)
    for file, text in CHANGED.items():
        (own / file).write_text(text.format(first[file]), "utf-8")
    (given_up, _) = used(own)
    assert not set(before) & set(given_up)
    for file, text in first.items():
        (own / file).write_text(text, "utf-8")
    assert used(own)[0] == before
    for file, text in first.items():
        (own / file).write_text(text.replace("+++", "", 1) if file == CORE else text + BROKEN, "utf-8")
    (now, n) = used(own)
    assert now == before
    assert used(own) == (now, n)  # what is in use already is written down once
    consult(own, "verify", code=0)
    (own / CORE).write_text(first[CORE], "utf-8")
    out = own / "handed-over.jsonl"
    consult(own, "hand-over", out)
    told = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    installed = [one["content"]["digest"] for one in told if one.get("kind") == "content_installed"]
    assert [installed.count(digest) for digest in (*before, *given_up)] == [2, 2, 2, 1, 1, 1]
    shown = consult(own, "measures", "list").stdout.splitlines()
    assert [before[1] in shown[0], given_up[1] in shown[1]] == [True, True]
    assert shown[0].endswith(", in use")
