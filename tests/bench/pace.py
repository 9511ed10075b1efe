"""Clinicians at the pace of a talk, and the memory of the server meanwhile: `python tests/bench/pace.py`.

64 clinicians each give an answer every two seconds, at moments of chance, over connections that are kept; each answer
is as a page sends it. Told are the median, the 95th and the 99th percentile of what a browser waits, what failed,
and the memory of the serving processes at the beginning, every tenth of the time, and at the end. `--minutes 60` is the
hour of load. `--requests 10000` asks for so many pages and answers in a row instead, without a pause, by one clinician.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from room import Clinician, Room, memory, opened

EVERY = 2.0
"""Seconds between two answers of one clinician, on average."""
SHARES = 10


@dataclass
class Load:
    """What came of a load: milliseconds waited, what failed, and the memory (MB) from time to time."""

    waited: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def within(self, share: float) -> float:
        """The milliseconds within which this share of all answers came."""
        return sorted(self.waited)[min(len(self.waited) - 1, int(len(self.waited) * share))]

    @property
    def grown(self) -> float:
        """How much larger the server is at the end than once it was warm (at the second look), as a ratio."""
        return self.memory[-1] / self.memory[1]


def at_a_pace(room: Room, clients: int, seconds: float, every: float = EVERY) -> Load:
    """So many clinicians who each answer once in `every` seconds, for a while."""
    load, nurses = Load([], [], [memory(room.pids["product"])]), [Clinician(room) for _ in range(clients)]
    for nurse in nurses:
        nurse.sit()
    until = time.perf_counter() + seconds

    def answer(number: int) -> None:
        draw = random.Random(number)
        while time.perf_counter() < until:
            time.sleep(draw.uniform(0, 2 * every))
            try:
                nurses[number].turn()
                begun = time.perf_counter()
                nurses[number].answer()
                load.waited.append((time.perf_counter() - begun) * 1000)
            except (AssertionError, OSError) as error:
                load.failed.append(repr(error)[:200])

    threads = [threading.Thread(target=answer, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for _ in range(SHARES):
        time.sleep(seconds / SHARES)
        load.memory.append(memory(room.pids["product"]))
    for thread in threads:
        thread.join()
    return load


def in_a_row(room: Room, requests: int) -> Load:
    """So many requests of one clinician without a pause: pages of all kinds between the answers."""
    load, nurse = Load([], [], [memory(room.pids["product"])]), Clinician(room)
    nurse.sit()
    pages = ("/", "/employees", "/leaflets", "/tour", "/results", "/follow-up", "/leaflets/back-pain-core?format=a4")
    asked: list[Callable[[], object]] = [lambda path=path: nurse.line.get(path) for path in pages]  # type: ignore[misc] # bound by its default
    acts = [*asked, nurse.page, *[nurse.save] * 12]
    for number in range(requests):
        begun = time.perf_counter()
        acts[number % len(acts)]()
        load.waited.append((time.perf_counter() - begun) * 1000)
        if (number + 1) % max(1, requests // SHARES) == 0:
            load.memory.append(memory(room.pids["product"]))
    return load


def told(name: str, load: Load) -> None:
    """Print what came of a load."""
    p50, p95, p99 = (load.within(share) for share in (0.5, 0.95, 0.99))
    print(
        f"{name}: {len(load.waited):,} requests, {len(load.failed)} failed; waited {p50:.1f}, {p95:.1f}, {p99:.1f} ms"
    )
    print(f"memory, MB: {', '.join(f'{mb:.1f}' for mb in load.memory)}; the end is {load.grown:.3f} x the second look")
    print(*load.failed[:5], sep="\n")


def main() -> None:
    """Measure what the options say, and print it with the load of the machine."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--clients", type=int, default=64)
    options.add_argument("--minutes", type=float, default=2.0)
    options.add_argument("--backup", action="store_true", help="let the backup of the day be made meanwhile")
    options.add_argument("--requests", type=int, default=0, help="so many in a row instead")
    said = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), not said.backup) as room:
        if said.requests:
            told("in a row", in_a_row(room, said.requests))
        else:
            at_a_pace(room, said.clients, 10)  # warm
            told(f"{said.clients} at a pace", at_a_pace(room, said.clients, said.minutes * 60))
    print(f"load of the machine: {', '.join(f'{one:.1f}' for one in os.getloadavg())}")


if __name__ == "__main__":
    main()
