"""How fast results come, as ratios taken in one run: `python tests/bench/results.py --cases 1000000 --sites 150`.

Everything compared is done in turns, many times over, in one process; the least processor time of each counts, as
other work on the machine can only add to it. The yardstick is SQLite's own scan of a covering index of the same table:
one column for each of the twelve national measures, summed by site. The cases are constructed, not the national data.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parents[1]))

from constructed import one
from national import DATASET, shipped_dataset

from consult.audit import cases, tally
from consult.audit.breakdowns import close
from consult.audit.counting import Plan, plan_of
from consult.audit.measures import MeasureSet
from consult.audit.measures_file import load_measures
from consult.audit.results import Selection, results, results_by
from consult.proforma.dataset import Dataset
from consult.record.database import Connection, sqlite3

SEED, PATTERNS = 150, 400
TIMES = 7
ROUND = 5524
ONE_FIELD_EACH = [
    "rf_cauda_equina",
    "yf_belief",
    "yf_action",
    "symptoms_recorded",
    "barriers_asked",
    "management_recorded",
    "continue_activity",
    "stay_or_return",
    "adjustments_in_written_advice",
    "cause_asked",
    "cause_action",
    "info_work",
]
FLOOR = f"SELECT site, {', '.join(f'sum({name} = ?)' for name in ONE_FIELD_EACH)} FROM case_row GROUP BY site"
Acts = dict[str, Callable[[], object]]


def filled(file: Path, dataset: Dataset, n: int, sites: int) -> Connection:
    """A case table with n cases: made-up patterns over and over, each with its own reference, site and day."""
    draw = random.Random(SEED)
    conn = sqlite3.connect(str(file), isolation_level=None)
    conn.row_factory = sqlite3.Row
    conn.execute("PRAGMA journal_mode = WAL")
    cases.ensure(conn, dataset)
    for _ in range(PATTERNS):
        pattern = one(dataset, draw, draw.uniform(0.3, 0.9)) | {"provider": "MADE", "capture_mode": "paper"}
        cases.put(conn, pattern | {"case_ref": f"pattern-{_}", "site": "S", "consultation_date": "2026-01-01"}, step=1)
    others = [name for name in dataset.by_name if name not in ("case_ref", "site", "consultation_date", "capture_mode")]
    with written(conn):
        conn.execute("CREATE TEMP TABLE pattern AS SELECT * FROM case_row")
        conn.execute("DELETE FROM case_row")
        conn.execute(
            "WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < ?) "
            f"INSERT INTO case_row (case_ref, site, consultation_date, capture_mode, {', '.join(others)}) "
            "SELECT printf('made-%08d', n), printf('S%03d', n * 7919 % ?), "
            f"date('2025-01-01', (n * 731 / ?) || ' days'), 'retrospective', {', '.join(others)} "
            "FROM number CROSS JOIN pattern WHERE pattern.rowid = 1 + n * 31 % ?",
            (n, sites, n, PATTERNS),
        )
        conn.execute(f"CREATE INDEX yardstick ON case_row (site, {', '.join(ONE_FIELD_EACH)})")
    return conn


@contextmanager
def written(conn: Connection) -> Iterator[None]:
    """One transaction."""
    conn.execute("BEGIN IMMEDIATE")
    yield
    conn.execute("COMMIT")


def least(acts: Acts, times: int = TIMES) -> dict[str, float]:
    """The least processor seconds of each act, done in turns."""
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(times):
        for name, act in acts.items():
            begun = time.process_time()
            act()
            taken[name].append(time.process_time() - begun)
    return {name: min(found) for name, found in taken.items()}


def steps(conn: Connection, act: Callable[[], object], each: int = 100) -> int:
    """How many steps SQLite's machine takes for what one act asks of it, to the hundred."""
    taken = itertools.count()
    conn.set_progress_handler(lambda: next(taken) < 0, each)
    act()
    conn.set_progress_handler(None, each)
    return next(taken) * each


def floor(conn: Connection) -> Callable[[], object]:
    """SQLite's own scan of the covering index; it is made sure that it is one."""
    plan = " ".join(row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {FLOOR}", ["yes"] * len(ONE_FIELD_EACH)))
    assert "USING COVERING INDEX yardstick" in plan, plan
    return lambda: conn.execute(FLOOR, ["yes"] * len(ONE_FIELD_EACH)).fetchall()


def reading(conn: Connection, measures: MeasureSet, dataset: Dataset) -> Acts:
    """What is asked of results: over all cases, by site, one site, and from mid-month to mid-month."""
    everything, site = Selection(), Selection(provider="MADE", site="S007")
    every_pattern = {"provider": conn.execute("SELECT provider FROM case_row LIMIT 1").fetchone()[0]}
    site = replace(site, **every_pattern)
    days = replace(everything, start="2025-03-10", end="2026-05-20")
    return {
        "scan of a covering index": floor(conn),
        "all measures, all cases": lambda: results(conn, measures, dataset, everything),
        "all measures, every site": lambda: results_by(conn, measures, dataset, everything, ("provider", "site")),
        "all measures, one site": lambda: results(conn, measures, dataset, site),
        "all measures, mid-month to mid-month": lambda: results(conn, measures, dataset, days),
    }


def recounting(conn: Connection, plan: Plan) -> Acts:
    """The same without counters."""
    return {
        "scan of a covering index": floor(conn),
        "recount of all cases": lambda: plan.recount(conn, "1", (), ()),
    }


def signing(conn: Connection, dataset: Dataset, plan: Plan, writes: int = 200) -> dict[str, float]:
    """Processor seconds of writing one case, with and without the counters, in turns; nothing is kept."""
    draw = random.Random(SEED)
    case = one(dataset, draw, 0.6) | {"provider": "MADE", "site": "S007", "capture_mode": "paper"}
    case |= {"consultation_date": "2026-01-01"}

    def write() -> None:
        for number in range(writes):
            cases.put(conn, case | {"case_ref": f"signed-{number}"}, step=1)

    found: dict[str, float] = {}
    for _ in range(TIMES):
        for name in ("with counters", "without"):
            conn.execute("BEGIN IMMEDIATE")
            if name == "without":
                for trigger in tally.statements(plan).keys() - {tally.VIEW, tally.CHANGE}:
                    conn.execute(f"DROP TRIGGER {trigger}")
            found[name] = min(found.get(name, 9e9), least({name: write}, 1)[name] / writes)
            conn.execute("ROLLBACK")
    return found


def told(title: str, found: dict[str, float], base: str = "scan of a covering index") -> None:
    """Print one comparison."""
    print(f"\n{title}")
    for name, seconds in found.items():
        ratio = f"  {seconds / found[base]:8.3f} x" if base in found else ""
        print(f"  {name:40} {1000 * seconds:10.3f} ms{ratio}", flush=True)


def measured(conn: Connection, measures: MeasureSet, dataset: Dataset, n: int) -> None:
    """Measure one case table, and print."""
    plan = plan_of(measures, dataset)
    with written(conn):
        told(f"{n:,} cases", least({"making the counters": lambda: tally.ensure(conn, plan)}, 1))
    whole = results(conn, measures, dataset, Selection())
    assert whole.measures == plan.results(plan.recount(conn, "1", (), ())[()])
    told("results from the counters", least(reading(conn, measures, dataset)))
    told("results without counters", least(recounting(conn, plan), 3))
    told("writing one case", signing(conn, dataset, plan), "without")
    if n == ROUND:
        measure = measures.by_id["red_flags_screened"]
        taken = {"the page of one measure": lambda: close(conn, measures, dataset, Selection(), measure)}
        told("breakdowns", least({"scan of a covering index": floor(conn), **taken}))


def main() -> None:
    """Measure, and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--cases", type=int, default=100_000)
    asked.add_argument("--sites", type=int, default=150)
    given = asked.parse_args()
    dataset = shipped_dataset()
    measures = load_measures(DATASET.parent, dataset)
    print(f"SQLite {sqlite3.sqlite_version}; {given.sites} sites; least processor time of {TIMES} turns")
    for n in sorted({400, ROUND, 10_000, given.cases}):
        with tempfile.TemporaryDirectory() as folder:
            conn = filled(Path(folder) / "cases.sqlite3", dataset, n, given.sites)
            measured(conn, measures, dataset, n)
            conn.close()


if __name__ == "__main__":
    main()
