"""kill -9 of the real server while eight writers answer: nothing acknowledged is lost, changed or doubled."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import House, build
from luck import seeded
from served import Served
from writers import Checker, Crowd, Found, settle

from consult import verifying

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(sys.platform != "linux", reason="the server that is forked and killed runs on Linux"),
]
WRITERS = 8
CYCLES_A_HOUSE = 250
WHOLE_EVERY = 100


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build(tmp_path_factory.mktemp("house") / "instance", WRITERS, each=12)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    running = Served(tmp_path / "server.log")
    yield running
    running.close()


def killed(served: Served, house: House, cycles: int, luck: random.Random, build: str = "product") -> Found:
    """Kill and restart the server so many times in one house, and compare after each."""
    crowd = Crowd(house, served.port, luck)
    checker = Checker(house, crowd)
    served.start(house.folder, build)
    crowd.open()
    with crowd.writing():
        for cycle in range(cycles):
            acked = crowd.acked
            crowd.up.set()
            if luck.random() < 0.7:  # the others die before they have said anything
                wait_for_a_reply(crowd, acked)
            time.sleep(luck.uniform(0.020, 0.200))
            crowd.up.clear()
            served.kill()
            served.start(house.folder, build)
            settle(crowd)
            checker.look()
            if cycle % WHOLE_EVERY == WHOLE_EVERY - 1:
                checker.whole()
            if checker.found.faults and build == "product":
                break
        crowd.up.set()
    checker.look()
    served.stop()
    checker.look()
    checker.whole()
    return checker.found


def wait_for_a_reply(crowd: Crowd, acked: int) -> None:
    """Wait until the server that was just started has said "saved" to one of the writers."""
    until = time.monotonic() + 5
    while crowd.acked == acked and time.monotonic() < until:
        time.sleep(0.002)


def many_killed(served: Served, house: House, folder: Path, cycles: int, luck: random.Random) -> Found:
    """The same over as many houses as keep each small; each is proved at its end as `consult verify` does."""
    total, began = Found(), time.monotonic()
    for number, left in enumerate(range(cycles, 0, -CYCLES_A_HOUSE)):
        copy = house.copy(folder / f"house-{number}")
        total.add(killed(served, copy, min(left, CYCLES_A_HOUSE), luck))
        total.faults += verifying.verify(copy.folder)[1]
        done = cycles - left + min(left, CYCLES_A_HOUSE)
        print(f"{done} kills, {time.monotonic() - began:.0f} s: {total}", flush=True)
        if total.faults:
            break
        for file in copy.folder.iterdir():
            file.unlink() if file.is_file() else None
    return total


@pytest.mark.parametrize("cycles", [100, pytest.param(10_000, marks=pytest.mark.soak)])
def test_kills_lose_change_and_double_nothing(served: Served, house: House, tmp_path: Path, cycles: int) -> None:
    cycles = int(os.environ.get("CONSULT_KILLS", cycles)) if cycles > 100 else cycles
    found = many_killed(served, house, tmp_path, cycles, seeded("kills"))
    assert found.faults == []
    assert (found.lost, found.changed, found.doubled) == (0, 0, 0)
    assert found.acknowledged > cycles
    assert found.recognised > cycles / 20, "hardly a kill fell between commit and reply: nothing was shown about keys"


class TestControls:
    """The same harness over servers that are broken on purpose: it must notice."""

    def test_kills_of_a_server_that_says_saved_before_commit_lose_answers(
        self, served: Served, house: House, tmp_path: Path
    ) -> None:
        found = killed(served, house.copy(tmp_path / "i"), 15, seeded("kills, control"), "says saved before commit")
        assert found.lost > 0

    def test_kills_of_a_server_that_knows_no_key_double_answers(
        self, served: Served, house: House, tmp_path: Path
    ) -> None:
        found = killed(served, house.copy(tmp_path / "i"), 40, seeded("kills, control"), "knows no key")
        assert found.doubled > 0
        assert found.lost == 0
