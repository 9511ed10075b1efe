"""The recipe of docs/backups.md: Litestream copies while eight clinicians answer, all is killed, and it is restored.

The control is what was saved after Litestream had been stopped: it is missing, and the witness says so.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import load
import pytest
from click.testing import CliRunner

from consult.cli import main
from consult.instance import database_file
from consult.proving import read_only
from consult.record import ledger
from consult.verifying import verify

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(
        (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="Litestream is locked for Linux x86_64 only"
    ),
]
LITESTREAM = Path(sys.executable).parent / "litestream"
CONFIG = "dbs:\n  - path: {db}\n    replica:\n      path: {replica}\n      sync-interval: 200ms\n"


def until(what: Callable[[], bool], patience: float = 60.0) -> None:
    """Wait for something; in vain it fails."""
    end = time.monotonic() + patience
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


@contextmanager
def running(*command: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A program that is killed at the end of the block."""
    words = [str(word) for word in command]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def consult(folder: Path, *words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["--instance", str(folder), *map(str, words)])
    return done.exit_code, done.output


def acknowledged(out: Path) -> set[str]:
    return {key for file in out.glob("acknowledged-*") for key in file.read_text().split("\n")[:-1]}


def synced(replica: Path) -> set[str]:
    return {file.name for file in (replica / "ltx" / "0").glob("*.ltx")}


def test_what_was_saved_before_the_last_sync_is_restored_and_proved(demo_made: Path, tmp_path: Path) -> None:
    folder, out, replica = Path(shutil.copytree(demo_made, tmp_path / "live")), tmp_path / "out", tmp_path / "replica"
    out.mkdir()
    config, copy, aside = tmp_path / "litestream.yml", tmp_path / "copy.db", tmp_path / "restored"
    config.write_text(CONFIG.format(db=database_file(folder), replica=replica))
    seen, too_late = tmp_path / "witness.txt", tmp_path / "later.txt"
    with running(sys.executable, load.__file__, folder, out):
        with running(LITESTREAM, "replicate", "-config", config):
            until(lambda: len(acknowledged(out)) > 200 and len(synced(replica)) > 3)
            before = acknowledged(out)
            assert consult(folder, "witness", "--to", seen)[0] == 0
            at = synced(replica)
            until(lambda: len(synced(replica) - at) > 2)  # the second of these began after `before` was read
        stopped = acknowledged(out)
        until(lambda: len(acknowledged(out)) > len(stopped) + 200)
        assert consult(folder, "witness", "--to", too_late)[0] == 0
    after = acknowledged(out)
    assert before < stopped < after

    restore = [LITESTREAM, "restore", "-config", config, "-o", copy, database_file(folder)]
    subprocess.run([str(word) for word in restore], check=True, capture_output=True)
    assert consult(aside, "restore", copy)[0] == 0
    code, said = consult(aside, "verify", "--witness", seen)
    assert (code, "The record is whole" in said) == (0, True), said
    with read_only(database_file(aside)) as restored, read_only(database_file(folder)) as live:
        have = {row[0] for row in restored.execute("SELECT key FROM step")}
        log = [(s.seq, s.hash) for s in ledger.steps(restored) if s.kind != "database_restored"]
        assert log == [(s.seq, s.hash) for s in ledger.steps(live)][: len(log)]
    assert before <= have
    assert not after <= have, "control: what came after the last sync can't be there"
    code, said = consult(aside, "verify", "--witness", too_late)
    assert (code, "its end was cut off, or an older copy stands in its place" in said) == (1, True), said
    assert verify(folder)[1] == [], "the live record is whole with what Litestream added to it"
