"""An upgrade of the schema stopped at any statement leaves the old schema or the new one, and no step is lost."""

import itertools
import os
import shutil

import pytest
from stopping import STOPPED, at_statement, in_child

from consult.instance import open_instance
from consult.proving import prove
from consult.record import database, ledger
from consult.record.database import GUARDS_1, SCHEMA_VERSION, missing_guards, sqlite3
from consult.record.settings import change_setting
from consult.setting_up import SetUp, set_up

pytestmark = [pytest.mark.fault, pytest.mark.skipif(os.name == "nt", reason="a process is forked")]


def to_schema_1(file):
    """Make of a database one as the first released schema had it: its guards, its version, no guards of versions."""
    conn = sqlite3.connect(str(file))
    for name in database.GUARDS:
        conn.execute(f"DROP TRIGGER {name}")
    for name, rest in GUARDS_1.items():
        conn.execute(f"CREATE TRIGGER {name} {rest}")
    conn.execute("PRAGMA user_version = 1")
    conn.commit()
    conn.close()


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    folder = tmp_path_factory.mktemp("older") / "instance"
    set_up(folder, SetUp("ACME", ("A",), "Anna Berg", "quiet otter paints fences"), "cli:test")
    instance = open_instance(folder)
    with instance.db.write() as conn:
        for number in range(20):
            change_setting(conn, "note", number, "cli:test", instance.store.at())
    instance.close()
    to_schema_1(folder / "consult.db")
    return folder


def state(file):
    conn = sqlite3.connect(str(file))
    conn.row_factory = sqlite3.Row
    version = conn.execute("PRAGMA user_version").fetchone()[0]
    assert conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert missing_guards(conn) == []  # those of its own version
    assert ledger.verify(conn) is None
    steps = [(step.seq, step.hash) for step in ledger.steps(conn)]
    conn.close()
    return version, steps


def test_old_or_new_at_every_statement_with_a_backup_and_every_step(older, tmp_path):
    _, before = state(older / "consult.db")
    seen = []
    for k in itertools.count(1):
        folder = tmp_path / f"k{k}"
        shutil.copytree(older, folder)
        code = in_child(lambda folder=folder, k=k: at_statement(k, database, lambda: open_instance(folder).close()))
        assert code in (0, STOPPED)
        version, steps = state(folder / "consult.db")
        assert version in (1, SCHEMA_VERSION)
        assert steps[: len(before)] == before
        assert (len(steps) > len(before)) == (version == SCHEMA_VERSION)
        if version == SCHEMA_VERSION:
            (copy,) = (folder / "backups").glob("before-schema-*.db")
            assert prove(copy).last_step == len(before)
        seen.append(version)
        open_instance(folder).close()  # the next start finishes it
        assert state(folder / "consult.db")[0] == SCHEMA_VERSION
        shutil.rmtree(folder)
        if code == 0:
            break
    assert seen == sorted(seen)
    assert set(seen) == {1, SCHEMA_VERSION}
    assert len(seen) > 40
