"""Results against SQLite's own scan of a covering index: ratios of processor time, taken in turns in one run."""

import results as bench
from national import DATASET, shipped_dataset

from consult.audit import tally
from consult.audit.counting import plan_of
from consult.audit.measures import load_measures

FEW, MANY = 2_000, 20_000
BOUND = 1.2


def test_results_keep_to_the_bound_and_grow_no_worse_than_linearly(tmp_path):
    dataset = shipped_dataset()
    measures = load_measures(DATASET.parent, dataset)
    plan = plan_of(measures, dataset)
    opened = [bench.filled(tmp_path / f"{n}.sqlite3", dataset, n, 150) for n in (FEW, MANY)]
    many = opened[1]
    for conn in opened:
        with bench.written(conn):
            tally.ensure(conn, plan)
    found = bench.least(bench.reading(many, measures, dataset), 5)
    scan = found["scan of a covering index"]
    assert found["all measures, all cases"] <= BOUND * scan
    assert found["all measures, one site"] <= BOUND * scan
    recount = {str(n): bench.recounting(conn, plan)["recount of all cases"] for n, conn in enumerate(opened)}
    grown = bench.least(recount, 6)
    assert grown["1"] <= MANY / FEW * grown["0"]
    for conn in opened:
        conn.close()
