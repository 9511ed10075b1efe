"""A damaged database is found, or holds exactly what it held: never a crash, a traceback or another result.

The control is SQLite's own integrity check, which alone finds far fewer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import damage
import pytest
from luck import seeded

pytestmark = pytest.mark.fault

CI = {"flip": 100, "schema": 50, "swap": 25, "cut": 20, "account": 60, "rows": 120, "header": 60}
SOAK = {"flip": 1000, "schema": 2000, "swap": 200, "cut": 200, "account": 1000, "rows": 2000, "header": 4000}
FOUND_AT_LEAST = {"flip": 0.93, "schema": 0.6, "swap": 1.0, "cut": 1.0, "account": 0.5, "rows": 0.8, "header": 0.2}
OF_A_SHARE = {
    **FOUND_AT_LEAST,
    "flip": 0.85,
    "schema": 0.4,
}  # of 100 flips, 93 in 100 would miss this once in some 600 runs
EVERY_COMMAND_ON_ONE_IN = 10
Line = dict[str, object]


def looked_at(healthy: Path, work: Path, kind: str, count: int, seed: int) -> list[Line]:
    """What was found of so many damages of a kind. A process that died over one shows as fewer lines."""
    command = [sys.executable, damage.__file__, str(healthy), str(work), kind, "--count", str(count)]
    command += ["--seed", str(seed), "--every", str(EVERY_COMMAND_ON_ONE_IN)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=7200)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, len(lines)) == (0, count), f"It died at damage {len(lines)}: {done.stderr[-2000:]}"
    return lines


def assert_harmless(lines: list[Line], kind: str, least: dict[str, float]) -> str:
    """What must hold of every damage; returns the count of what was found by what."""
    integrity = sum(bool(line["integrity"]) for line in lines)
    found = sum(not line["verified"] for line in lines)
    assert [line for line in lines if line["wrong"]] == []
    passed = [line for line in lines if line["verified"]]
    assert [line for line in passed if line["same"] is not True or line["held"]] == []
    assert found >= least[kind] * len(lines), passed[:20]
    return f"{kind}: {len(lines)}, integrity check alone {integrity}, verify {found}, not found and other results 0"


@pytest.mark.parametrize("kind", CI)
def test_damage_is_found_or_changes_nothing(demo_made: Path, tmp_path: Path, kind: str) -> None:
    lines = looked_at(demo_made, tmp_path, kind, CI[kind], seeded(f"damage, {kind}").randrange(10**6))
    print(assert_harmless(lines, kind, OF_A_SHARE))
    if kind == "flip":  # the control: had `verify` only SQLite's own check, this harness would fail it
        assert sum(bool(line["integrity"]) for line in lines) < 0.6 * len(lines)


@pytest.mark.soak
@pytest.mark.parametrize("kind", SOAK)
def test_a_great_deal_of_damage_is_found_or_changes_nothing(demo_made: Path, tmp_path: Path, kind: str) -> None:
    begun, seed = time.monotonic(), seeded(f"damage, {kind}").randrange(10**6)
    lines = looked_at(demo_made, tmp_path, kind, SOAK[kind], seed)
    print(f"{assert_harmless(lines, kind, FOUND_AT_LEAST)}; {time.monotonic() - begun:.0f} s")
