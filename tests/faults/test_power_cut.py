"""A power cut at any moment of saving loses nothing acknowledged, whatever the disk made of what was not synced.

The control is the same harness over a product that does not wait for the disk: it must lose answers.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import power
import pytest
from luck import seeded
from power import BACKUP_LOST, CORRUPT, FINE, LOST, Found, Recording

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(sys.platform != "linux", reason="the file layer that is watched is the one of Linux"),
]
IMAGES, IMAGES_OF_A_SOAK, IMAGES_OF_A_CONTROL = 20_000, 1_000_000, 1_500
RECORDINGS_OF_A_SOAK = 10
MEMORY = Path("/dev/shm")  # noqa: S108 - a disk in memory: the images are many and none is kept


def recorded(folder: Path, seed: int, synchronous: str = "FULL") -> Recording:
    """What the product wrote while it saved answers, in a process of its own."""
    folder.mkdir()
    command = [sys.executable, power.__file__, str(folder), "--seed", str(seed), "--synchronous", synchronous]
    subprocess.run(command, check=True, timeout=300)
    recording: Recording = pickle.loads((folder / "recording").read_bytes())  # noqa: S301 - ours, just written
    return recording


def cut(recording: Recording, images: int, seed: int, processes: int = 1) -> Found:
    """Cut the power so many times; in several processes each has its share and a seed of its own."""
    work = MEMORY if MEMORY.is_dir() else None
    if processes == 1:
        return power.check(recording, images, seed, work)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        shares = [pool.submit(power.check, recording, images // processes, seed + n, work) for n in range(processes)]
        return power.together(share.result() for share in shares)


def test_a_power_cut_loses_no_acknowledged_answer(tmp_path: Path) -> None:
    seed = seeded("power cut").randrange(10**6)
    recording = recorded(tmp_path / "full", seed)
    assert_holds_everything(recording)
    found = cut(recording, IMAGES, seed)
    assert found.verdicts == {FINE: IMAGES}, found.said
    assert found.different > 0.7 * IMAGES


def assert_holds_everything(recording: Recording) -> None:
    """The recording has in it what it is to show: saves, checkpoints, logs begun anew and removed, and a backup."""
    kinds = Counter(event[0] for event in recording.events)
    log = f"{recording.database}-wal"
    begun_anew = [e for e in recording.events if e[:1] == ("write",) and e[1] == log and e[3] == 0]
    checkpoints = [e for e in recording.events if e[:2] == ("sync", recording.database)]
    assert kinds["saved"] > 90
    assert len(begun_anew) >= 8
    assert len(checkpoints) >= 8
    assert ("delete", log) in recording.events
    assert kinds["backed up"] == kinds["rename"] == 1


@pytest.mark.parametrize(("synchronous", "verdict"), [("NORMAL", LOST), ("OFF", CORRUPT)])
def test_control_a_product_that_does_not_wait_for_the_disk_is_found(
    tmp_path: Path, synchronous: str, verdict: str
) -> None:
    seed = seeded(f"power cut, synchronous {synchronous}").randrange(10**6)
    found = cut(recorded(tmp_path / "control", seed, synchronous), IMAGES_OF_A_CONTROL, seed)
    assert found.verdicts[verdict] > IMAGES_OF_A_CONTROL / 10


def test_control_a_backup_whose_name_was_not_synced_is_found(tmp_path: Path) -> None:
    seed = seeded("power cut, backup").randrange(10**6)
    recording = recorded(tmp_path / "backup", seed)
    at = recording.events.index(("backed up",))
    named = max(n for n, event in enumerate(recording.events[:at]) if event[0] == "rename")
    folder = ("folder synced", str(Path(recording.backup).parent))
    recording.events = [e for n, e in enumerate(recording.events) if not (n > named and e == folder)]
    assert cut(recording, IMAGES_OF_A_CONTROL, seed).verdicts[BACKUP_LOST] > 0


@pytest.mark.soak
def test_a_million_power_cuts_lose_nothing(tmp_path: Path) -> None:
    luck, begun, found = seeded("a million power cuts"), time.monotonic(), Found()
    for n in range(RECORDINGS_OF_A_SOAK):
        seed = luck.randrange(10**6)
        share = cut(recorded(tmp_path / str(n), seed), IMAGES_OF_A_SOAK // RECORDINGS_OF_A_SOAK, seed, processes=2)
        found = power.together([found, share])
        seconds = time.monotonic() - begun
        print(f"{found.images} images, {found.different} different, {found.verdicts}, {seconds:.0f} s", flush=True)
    assert found.verdicts == {FINE: IMAGES_OF_A_SOAK}, found.said
