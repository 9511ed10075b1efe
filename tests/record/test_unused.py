"""A bit that flips in the unused space of the database file is found by `verify`, and mended by `rebuild`."""

import hashlib
import random
import shutil

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from consult import demo
from consult.cli import main
from consult.instance import database_file
from consult.record import unused
from consult.record.ledger import canonical, chain_hash
from consult.record.store import now_utc

PAGE = 4096


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unused") / "instance"
    demo.prepare(folder, now_utc())
    return folder


def gaps(content):
    """Where each page of a tree has a gap of some length that is all zeros: (begin, end) in the file."""
    for at in range(PAGE, len(content), PAGE):
        kind = content[at]
        if kind in (2, 5, 10, 13):
            entries, first = (int.from_bytes(content[at + n : at + n + 2], "big") for n in (3, 5))
            begin, end = at + (12 if kind in (2, 5) else 8) + 2 * entries, at + first
            if end - begin > 200 and not any(content[begin:end]):
                yield begin + unused.POINTERS[kind], end - 8


def test_a_flipped_bit_in_unused_space_is_found_on_its_page_and_mended(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "instance")
    file, draw = database_file(folder), random.Random(3)
    healthy = file.read_bytes()
    assert unused.flipped(file) == []
    places = list(gaps(healthy))
    assert len(places) > 10
    for begin, end in places:
        content, at = bytearray(healthy), draw.randrange(begin, end)
        content[at] |= 1 << draw.randrange(8)
        file.write_bytes(content)
        assert unused.flipped(file) == [at // PAGE + 1]
    consult = ["--instance", str(folder)]
    result = CliRunner().invoke(main, [*consult, "verify"])
    assert result.exit_code == 1
    assert f"the unused space of page {at // PAGE + 1} of the database: nothing recorded is touched" in result.stderr
    assert CliRunner().invoke(main, [*consult, "rebuild"]).exit_code == 0
    assert CliRunner().invoke(main, [*consult, "verify"]).exit_code == 0


def test_what_sqlite_leaves_behind_itself_is_no_flipped_bit(made, tmp_path):
    file = database_file(shutil.copytree(made, tmp_path / "instance"))
    healthy = file.read_bytes()
    places = {healthy[begin // PAGE * PAGE]: (begin, end) for begin, end in gaps(healthy)}
    assert {10, 13} <= places.keys(), "no gap in a page of an index, or of a table"
    for kind, (begin, end) in places.items():
        first, middle = begin - unused.POINTERS[kind], (begin + end) // 2
        for at, left in ((first, b"\x08"), (begin - 1, b"\x40"), (end + 7, b"\x40"), (middle, b"\x46\x81")):
            content = bytearray(healthy)
            content[at : at + len(left)] = left
            file.write_bytes(content)
            assert unused.flipped(file) == []


@given(st.text(), st.integers(min_value=1), st.lists(st.text(), min_size=1, max_size=8))
def test_the_chain_is_hashed_over_the_canonical_way_of_writing(previous, seq, parts):
    written = canonical([previous, seq, *parts]).encode()
    assert chain_hash(previous, seq, *parts) == hashlib.sha256(written).hexdigest()
