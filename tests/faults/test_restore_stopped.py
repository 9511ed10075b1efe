"""A restore stopped at any line leaves the record of before or the restored one, whole, and nothing in between."""

import itertools
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from stopping import STOPPED, at_line, in_child

import consult.backup
import consult.instance
import consult.proving
import consult.record.opening
from consult.backup import backup, restore
from consult.instance import open_instance
from consult.proving import read_only
from consult.record import ledger
from consult.record.settings import change_setting
from consult.setting_up import SetUp, set_up

pytestmark = [pytest.mark.fault, pytest.mark.skipif(os.name == "nt", reason="a process is forked")]
NOW = datetime.now(UTC) + timedelta(hours=1)  # after all that was recorded, or it would note a clock set back
WATCHED = [m.__file__ for m in (consult.backup, consult.instance, consult.proving, consult.record.opening)]
UNCLEAN = (
    "import os, sys; from pathlib import Path; from consult.instance import open_instance as o; "
    "from consult.record.settings import change_setting as c; i = o(Path(sys.argv[1]))\n"
    "with i.db.write() as conn: c(conn, 'later', 'in the WAL', 'cli:test', i.store.at())\n"
    "os._exit(9)"
)


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """An installation whose server was killed (steps stand in its WAL), and a backup from earlier."""
    root = tmp_path_factory.mktemp("restore")
    set_up(root / "instance", SetUp("ACME", ("A",), "Anna Berg", "quiet otter paints fences"), "cli:test")
    instance = open_instance(root / "instance")
    file, _ = backup(instance, root / "b.db")
    with instance.db.write() as conn:
        change_setting(conn, "later", 1, "cli:test", instance.store.at())
    instance.close()
    killed = subprocess.run([sys.executable, "-c", UNCLEAN, root / "instance"], check=False)
    assert killed.returncode == 9
    assert (root / "instance" / "consult.db-wal").stat().st_size
    return root / "instance", file


def steps_of(file):
    with read_only(file) as conn:
        assert ledger.verify(conn) is None
        return [(step.seq, step.hash) for step in ledger.steps(conn)]


def stopped_at(before, folder, k):
    """Restore in a copy, stopped at line k; returns whether it was, and what the record then holds."""
    shutil.copytree(before[0], folder)
    code = in_child(lambda: at_line(k, WATCHED, lambda: restore(folder, before[1], NOW)))
    assert code in (0, STOPPED)
    instance = open_instance(folder)  # it opens without more ado
    instance.close()
    return code == STOPPED, steps_of(folder / "consult.db")


def test_old_or_new_wherever_it_is_stopped(before, tmp_path, pytestconfig):
    shutil.copytree(before[0], tmp_path / "whole")
    old, backed_up = steps_of(tmp_path / "whole" / "consult.db"), steps_of(before[1])
    seen, stride = set(), 1 if "soak" in (pytestconfig.getoption("-m") or "") else 9
    for k in itertools.count(1, stride):
        folder = tmp_path / f"k{k}"
        stopped, now = stopped_at(before, folder, k)
        new = now[:-1] == backed_up
        assert now == old or new, f"stopped at line {k}: neither the old record nor the new"
        seen.add(new)
        kept = list(folder.glob("consult.db.before-restore-*Z"))
        if new:
            assert steps_of(kept[0]) == old  # what was there is kept whole, what stood in its WAL too
        shutil.rmtree(folder)
        if not stopped:
            break
    assert seen == {False, True}
