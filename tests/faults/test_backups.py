"""A backup made while eight clinicians answer is whole, and holds every answer acknowledged before it began.

The control is a plain copy of the file in use, which often is neither. A restore is held against reading the file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import load
import pytest
from click.testing import CliRunner
from many import Made, make

from consult import backup
from consult.cli import main
from consult.instance import database_file, open_instance
from consult.proving import BackupRefused, Proof, prove, read_only

pytestmark = pytest.mark.fault

BACKUPS, BACKUPS_OF_A_SOAK = 10, 100


class Load:
    """The eight clinicians, while they answer."""

    def __init__(self, folder: Path, out: Path) -> None:
        self.folder, self.out = folder, out
        command = [sys.executable, load.__file__, str(folder), str(out)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        assert self.process.stdout.readline() == "writing\n"
        while len(self.acknowledged()) < 50:
            time.sleep(0.05)

    def acknowledged(self) -> set[str]:
        """The keys acknowledged by now."""
        found: set[str] = set()
        for file in self.out.glob("acknowledged-*"):
            found |= set(file.read_text().split("\n")[:-1])
        return found

    def stop(self) -> None:
        self.process.communicate(timeout=30)
        assert self.process.returncode == 0


@pytest.fixture
def loaded(demo_made: Path, tmp_path: Path) -> Iterator[Load]:
    out = tmp_path / "load"
    out.mkdir()
    load = Load(shutil.copytree(demo_made, tmp_path / "instance"), out)
    yield load
    load.stop()


def keys_in(file: Path) -> set[str]:
    with read_only(file) as conn:
        return {row[0] for row in conn.execute("SELECT key FROM step")}


def backed_up(loaded: Load, work: Path, count: int) -> list[int]:
    """Make so many backups; each must be proved whole and hold what was acknowledged. Returns the steps in each."""
    steps = []
    with closing(open_instance(loaded.folder)) as instance:
        for n in range(count):
            before = loaded.acknowledged()
            file, _ = backup.backup(instance, work / f"backup-{n}.db")
            proof = prove(file)
            assert before <= keys_in(file), f"backup {n} lacks {len(before - keys_in(file))} answers"
            steps.append(proof.last_step)
            file.unlink()
    assert steps == sorted(set(steps)), "nothing was written between two backups"
    return steps


def test_backups_under_load_are_whole_and_complete(loaded: Load, tmp_path: Path) -> None:
    backed_up(loaded, tmp_path, BACKUPS)


def test_control_a_copy_of_the_file_in_use_is_no_backup(loaded: Load, tmp_path: Path) -> None:
    bad = 0
    for n in range(BACKUPS):
        before, file = loaded.acknowledged(), tmp_path / f"copy-{n}.db"
        shutil.copyfile(database_file(loaded.folder), file)
        try:
            prove(file)
            bad += not before <= keys_in(file)
        except BackupRefused:
            bad += 1
        time.sleep(0.1)
    assert bad > 0


@pytest.mark.soak
def test_a_hundred_backups_under_load_are_whole_and_complete(loaded: Load, tmp_path: Path) -> None:
    begun = time.monotonic()
    steps = backed_up(loaded, tmp_path, BACKUPS_OF_A_SOAK)
    copies = 0
    for _ in range(BACKUPS_OF_A_SOAK):
        before, file = loaded.acknowledged(), tmp_path / "copy.db"
        shutil.copyfile(database_file(loaded.folder), file)
        try:
            prove(file)
            copies += before <= keys_in(file)
        except BackupRefused:
            pass
    seconds = time.monotonic() - begun
    sizes = f"{steps[0]} to {steps[-1]} steps"
    print(f"{len(steps)} backups whole and complete, of {sizes}; of as many plain copies {copies}; {seconds:.0f} s")


# --- restoring a large one -----------------------------------------------------------------------------------

CONSULTATIONS, CONSULTATIONS_OF_A_SOAK = 300, 100_000
READS = 30  # a restore copies, and proves the copy: two hashes a step, and each index entry looked up


def read_and_hashed(file: Path) -> float:
    """The processor seconds it takes to read a file and hash it once, when it is done over and over."""
    begun = time.process_time()
    for _ in range(READS):
        with file.open("rb") as stream:
            hashlib.file_digest(stream, "sha256")
    return (time.process_time() - begun) / READS


@dataclass(frozen=True)
class Restored:
    """A restore of what was made: its seconds, those of the processor, and those to read and hash the file once."""

    made: Made
    seconds: float
    worked: float
    once: float

    def __str__(self) -> str:
        made = self.made
        size = f"{made.consultations} consultations, {made.steps} steps, {made.size / 1e6:.0f} MB"
        return (
            f"{size} restored in {self.seconds:.1f} s ({self.worked:.1f} s of work, {self.once:.3f} s to hash it once)"
        )


def restored(healthy: Path, work: Path, consultations: int, times: int = 1) -> Restored:
    """Restore a large backup into an installation that has its own record; of several times, the least disturbed."""
    work.mkdir()
    made = make(healthy, work / "large", consultations)
    with closing(open_instance(made.folder)) as instance:
        file, proof = backup.backup(instance, work / "large.db")
    each = []
    for n in range(times):
        folder = shutil.copytree(healthy, work / f"instance-{n}")
        each.append(Restored(made, *restored_into(folder, file, proof), read_and_hashed(file)))
    return min(each, key=lambda one: one.worked / one.once)


def restored_into(folder: Path, file: Path, proof: Proof) -> tuple[float, float]:
    """The seconds, and those of the processor, that a restore takes; the record is then that of the backup."""
    begun, working = time.perf_counter(), time.process_time()
    result = CliRunner().invoke(main, ["--instance", str(folder), "restore", str(file)])
    seconds, worked = time.perf_counter() - begun, time.process_time() - working
    assert result.exit_code == 0, result.output
    with read_only(database_file(folder)) as conn:
        assert conn.execute("SELECT hash FROM step WHERE seq = ?", (proof.last_step,)).fetchone()[0] == proof.head
        assert conn.execute("SELECT count(*) FROM consultation").fetchone()[0] >= proof.rows["consultation"]
    return seconds, worked


def test_a_restore_takes_a_bounded_number_of_readings_of_its_file(demo_made: Path, tmp_path: Path) -> None:
    small = restored(demo_made, tmp_path / "small", 1, times=3)
    large = restored(demo_made, tmp_path / "large", CONSULTATIONS, times=3)
    print(small, large, sep="\n")
    assert large.worked - small.worked <= READS * (large.once - small.once)


@pytest.mark.soak
def test_a_hundred_thousand_consultations_are_restored_in_two_minutes(demo_made: Path, tmp_path: Path) -> None:
    count = int(os.environ.get("CONSULT_CONSULTATIONS") or CONSULTATIONS_OF_A_SOAK)
    found = restored(demo_made, tmp_path / "large", count)
    print(found)
    assert found.seconds < 120 * count / CONSULTATIONS_OF_A_SOAK
