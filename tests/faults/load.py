"""Eight clinicians who answer at once, in a process of their own; each acknowledged answer is written down."""

from __future__ import annotations

import random
import sys
import threading
import time
from contextlib import closing
from datetime import date
from pathlib import Path

from consult.instance import open_instance
from consult.proforma.answer import Answer
from consult.record.store import Start, Store, Who

WRITERS, PAUSE = 8, 0.004
NURSE = Who("person-nurse", "nurse")


def write(store: Store, number: int, acknowledged: Path) -> None:
    """Answer until the process is stopped; each key goes to a file once the store has returned."""
    draw = random.Random(number)
    findings = [q for q in store.library.current.proforma.questions if q.kind == "finding"]
    employee = store.register(f"Testina {number}", date(1980, 3, 2), f"L-{number}", NURSE)
    with acknowledged.open("a", buffering=1) as stream:
        while True:
            consultation = store.start(Start(employee.id, "A", "DEMO", "in_person", "45-54"), NURSE)
            for question in draw.sample(findings, 20):
                key = f"load-{number}-{draw.getrandbits(64):016x}"
                answer = Answer(draw.choice(["present", "absent", "unsure"]))
                store.save(consultation, question, answer, 0, key, "single", NURSE)
                stream.write(key + "\n")
                time.sleep(PAUSE)


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    with closing(open_instance(folder)) as instance:
        writers = [
            threading.Thread(target=write, args=(instance.store, n, out / f"acknowledged-{n}"), daemon=True)
            for n in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        print("writing", flush=True)
        sys.stdin.read()  # until whoever started this closes it
        if not all(writer.is_alive() for writer in writers):
            sys.exit("A writer stopped.")


if __name__ == "__main__":
    main()
