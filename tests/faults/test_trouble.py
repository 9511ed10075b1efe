"""A full, limited, failing or held disk: reading, printing and exporting go on, and nothing is falsely called saved.

The control is a product that goes on as if written when it was not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trouble
from luck import seeded

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(sys.platform != "linux", reason="the limits and the watched file layer are those of Linux"),
]
SENTENCES = {
    "full": "This was not saved, as the disk is full",
    "limited": "This was not saved, as the disk",
    "failing": "This was not saved, as the disk did not take it",
    "held": "This was not saved, as the record is held by another program",
}


def seen(healthy: Path, work: Path, cause: str, *options: object) -> dict[str, Any]:
    """What was seen of one trouble, in a process of its own."""
    folder = shutil.copytree(healthy, work / "instance")
    command = [sys.executable, trouble.__file__, folder, cause, *options]
    seed = seeded(f"trouble, {cause}").randrange(10**6)
    command += ["--seed", seed]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, timeout=3600)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(told)
    return told


def assert_kept(told: dict[str, Any], cause: str) -> None:
    """No reply but "saved" and "not saved, try again"; nothing falsely called saved, lost or doubled in the end."""
    assert set(told["saves"]) <= {"200", "503"}
    assert all(s.startswith(SENTENCES[cause]) and s.endswith("leave it open.") for s in told["sentences"])
    assert (told["false_saved"], told["lost"], told["doubled"], told["whole"]) == (0, 0, 0, True)


@pytest.mark.parametrize("cause", ["full", "limited"])
def test_with_no_room_all_but_writing_goes_on_and_writing_recovers_alone(
    demo_made: Path, tmp_path: Path, cause: str
) -> None:
    told = seen(demo_made, tmp_path, cause)
    assert_kept(told, cause)
    assert told["saves"]["503"] >= 4
    assert set(told["pages"].values()) == {200}
    assert (told["export"], told["print_offered"]) == (0, True)


def test_a_failing_disk_is_never_taken_for_one_that_saved(demo_made: Path, tmp_path: Path) -> None:
    told = seen(demo_made, tmp_path, "failing", "--answers", 100, "--amount", 0.05)
    assert_kept(told, "failing")
    assert told["saves"]["503"] > 10


@pytest.mark.parametrize("seconds", [2, 4, 8])
def test_a_record_held_by_another_program_is_waited_for_or_tried_again(
    demo_made: Path, tmp_path: Path, seconds: int
) -> None:
    told = seen(demo_made, tmp_path, "held", "--amount", seconds)
    assert_kept(told, "held")
    assert (told["saves"].get("503", 0) > 0) == (seconds == 8)
    assert set(told["pages"].values()) == {200}


def test_control_a_product_that_takes_no_notice_is_found(demo_made: Path, tmp_path: Path) -> None:
    told = seen(demo_made, tmp_path, "full", "--careless")
    assert told["false_saved"] > 10
    assert told["lost"] > 10


@pytest.mark.soak
def test_a_disk_that_fails_a_thousand_times_is_never_taken_for_one_that_saved(demo_made: Path, tmp_path: Path) -> None:
    told = seen(demo_made, tmp_path, "failing", "--answers", 3000, "--amount", 0.05)
    assert_kept(told, "failing")
    assert told["saves"]["503"] >= 1000
