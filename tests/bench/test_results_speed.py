"""Results against SQLite's own scan of a covering index: ratios of processor time, taken in turns in one run.

Growth is told by the steps that SQLite's machine takes, which are the same on every run: a larger table needs some more
time per case where it no longer fits the processor's cache, and that is no matter of how results are counted.
"""

from functools import partial

import pytest
import results as bench
from national import DATASET, shipped_dataset

from consult.audit import tally
from consult.audit.counting import plan_of
from consult.audit.measures_file import load_measures

pytestmark = pytest.mark.speed

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
    few, many_more = (bench.steps(conn, partial(plan.recount, conn, "1", (), ())) for conn in opened)
    assert few > FEW
    assert many_more <= MANY / FEW * few
    for conn in opened:
        conn.close()
