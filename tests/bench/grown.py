"""Saving and reading as the step log grows: `python tests/bench/grown.py --steps 10000 5000000`.

A record of each size is made (ended consultations of one nurse, 30 answers each, chained as any), then one answer is
saved, a consultation is opened and the steps of one are read, in turns between the sizes, so that other work on the
machine slows all of them. Of each the least and the median time counts. Aim: within 1.3 x of the smallest.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from lists import FIRST
from room import make

from consult.instance import Instance, open_instance
from consult.proforma.answer import Answer
from consult.record.ledger import Draft, append_at, head, steps
from consult.record.projection import project_end, project_start
from consult.record.store import Start, Who
from consult.record.timekeeping import stamp

ANSWERS = 30
AT_A_TIME = 100_000
HELD = 100
"""Consultations that the smallest record holds at least: one of these is read."""


def grow(instance: Instance, who: Who, wanted: int) -> None:
    """Ended consultations until the step log holds so many steps."""
    proforma, digest = instance.library.current.proforma, instance.library.current.digest
    asked = [q.id for q in proforma.questions if q.kind == "finding" and not q.retired][:ANSWERS]
    employee = instance.store.register("Testina Grown", FIRST.date(), "G-1", who)
    begun = {"employee": employee.id, "site": "A", "provider": "DEMO", "attendance": "in_person", "age_band": "45-54"}
    begun |= {"definition": digest, "capture_mode": "live", "held_at": "", "paper": ""}
    given = {"state": "absent", "value": None, "reason": "", "via": "single", "seen": 0}
    number, last = itertools.count(), 0
    while last < wanted:
        with instance.db.not_relied_on(), instance.db.write() as conn:
            last, hash_ = head(conn)
            until = min(wanted, last + AT_A_TIME)
            while last < until:
                at = stamp(FIRST + timedelta(minutes=(n := next(number))))
                id_ = f"00000000-0000-4000-8000-{n:012}"
                content = begun | {"held_on": at[:10]}
                project_start(conn, id_, content, who.actor, at)
                project_end(conn, id_, "abandoned", at)
                drafts = [Draft("consultation_started", content, who.actor, at, id_, "", who.role)]
                drafts += [Draft("answer_given", given, who.actor, at, id_, q, who.role) for q in asked]
                ending = {"reason": "other", "text": ""}
                drafts.append(Draft("consultation_abandoned", ending, who.actor, at, id_, "", who.role))
                for draft in drafts:
                    step = append_at(conn, draft, last, hash_)
                    last, hash_ = step.seq, step.hash
        print(f"  {last:,} steps ", end="\r", flush=True)
    print(" " * 30, end="\r")


def acts(instance: Instance, who: Who) -> dict[str, Callable[[], object]]:
    """What is measured on a record: each time on a consultation of its own that has just begun."""
    store, keys = instance.store, itertools.count()
    findings = [q for q in store.library.current.proforma.questions if q.kind == "finding" and not q.retired]
    employee = store.register("Testina Measured", FIRST.date(), f"M-{next(keys)}", who)
    talk = store.start(Start(employee.id, "A", "DEMO", "in_person", "45-54"), who)

    def save() -> None:
        number = next(keys)
        question = findings[number % len(findings)]
        known = store.consultation(talk)
        assert known is not None
        answer = Answer("absent" if number // len(findings) % 2 else "present")
        store.save(talk, question, answer, known.seen(question.id), f"{talk}-{number}", "single", who)

    def read() -> None:
        number = next(keys) * 7919 % HELD
        assert list(steps(instance.db.read(), consultation=f"00000000-0000-4000-8000-{number:012}"))

    return {"saving one answer": save, "reading one consultation": read}


def main() -> None:
    """Make a record of each size, measure in turns, and print milliseconds and ratios to the smallest."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--steps", type=int, nargs="+", default=[10_000, 5_000_000])
    options.add_argument("--turns", type=int, default=300)
    options.add_argument("--folder", help="where the records are made; a folder for temporary files otherwise")
    said = options.parse_args()
    with tempfile.TemporaryDirectory(dir=said.folder) as folder:
        made = {}
        for size in said.steps:
            begun = time.perf_counter()
            instance, who = make(Path(folder, str(size)))
            grow(instance, who, size)
            instance.close()
            instance = open_instance(Path(folder, str(size)))
            made[size] = (instance, acts(instance, who))
            print(f"{size:,} steps were made in {time.perf_counter() - begun:.0f} s")
        taken = measured({size: its for size, (_, its) in made.items()}, said.turns)
        for name, by_size in taken.items():
            smallest = by_size[said.steps[0]]
            for size, times in by_size.items():
                least, usual = min(times), statistics.median(times)
                ratio = f"{least / min(smallest):.2f} x, {usual / statistics.median(smallest):.2f} x"
                print(f"{name}, {size:,} steps: least {least:.3f} ms, median {usual:.3f} ms: {ratio}")
        for instance, _ in made.values():
            instance.close()
    print(f"load of the machine: {', '.join(f'{one:.1f}' for one in os.getloadavg())}")


def measured(of: dict[int, dict[str, Callable[[], object]]], turns: int) -> dict[str, dict[int, list[float]]]:
    """The milliseconds of each act on each record, all done in turns; the first tenth does not count."""
    names = next(iter(of.values()))
    taken: dict[str, dict[int, list[float]]] = {name: {size: [] for size in of} for name in names}
    for turn in range(turns + turns // 10):
        for name in names:
            for size, its in of.items():
                begun = time.perf_counter()
                its[name]()
                if turn >= turns // 10:
                    taken[name][size].append((time.perf_counter() - begun) * 1000)
    return taken


if __name__ == "__main__":
    main()
