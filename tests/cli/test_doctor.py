"""The doctor finds what is wrong, says what to do, and changes nothing."""

import sqlite3
from contextlib import closing

import pytest

from consult.accounts import people
from consult.instance import open_instance
from consult.record.disk import network_kind
from consult.record.settings import change_setting, check_routes


def found(consult, folder, code=0):
    lines = consult(folder, "doctor", code=code).stdout.splitlines()
    return [line for line in lines if line.startswith("FAULT")], lines


def test_a_new_installation_has_no_fault_and_notes_what_is_open(consult, real):
    faults, lines = found(consult, real)
    assert faults == []
    assert any(line.startswith("note ") and "emergency department with MRI round the clock" in line for line in lines)
    assert any("draft" in line for line in lines)
    assert any("step log" in line or "steps hold" in line for line in lines)


@pytest.mark.parametrize("name", [".", "consult.db", "secret-key"])
def test_permissions_that_are_too_wide_come_with_the_command_that_mends_them(consult, real, name):
    path = (real / name).resolve()
    mode = path.stat().st_mode
    path.chmod(mode | 0o044)
    (fault,) = found(consult, real, code=1)[0]
    assert fault.endswith(f"chmod {'700' if name == '.' else '600'} {path}")
    path.chmod(mode)
    assert found(consult, real)[0] == []


def test_numbers_that_nobody_has_checked_are_noted(consult, real):
    def noted():
        return [line for line in found(consult, real)[1] if "urgent numbers of site A were never checked" in line]

    assert len(noted()) == 1
    with closing(open_instance(real)) as instance, instance.db.write() as conn:
        check_routes(conn, "A", instance.today(), "cli:test", instance.store.at())
    assert noted() == []


def test_passwords_that_are_hashed_too_quickly_are_a_fault(consult, real):
    with closing(open_instance(real)) as instance, instance.db.write() as conn:
        change_setting(conn, people.WORK, "scrypt:1024:8:1", "cli:test", instance.store.at())
    (fault,) = found(consult, real, code=1)[0]
    assert "scrypt:1024:8:1, which is too quick" in fault
    assert "scrypt:32768:8:3" in fault


NO_OP = "CREATE TRIGGER step_no_delete BEFORE DELETE ON step BEGIN SELECT 1; END"


@pytest.mark.parametrize("instead", ["", NO_OP], ids=["missing", "of the same name"])
def test_a_guard_that_is_not_as_it_was_is_found_and_stays_found(consult, real, instead):
    conn = sqlite3.connect(real / "consult.db")
    conn.executescript(f"DROP TRIGGER step_no_delete; {instead}")
    conn.close()
    for _ in range(2):
        (fault,) = found(consult, real, code=1)[0]
        assert "step_no_delete" in fault
        assert "step_no_delete" in consult(real, "verify", code=1).stderr


def test_a_guard_replaced_by_one_of_the_same_name_keeps_the_record_shut(consult, real):
    conn = sqlite3.connect(real / "consult.db")
    conn.executescript(f"DROP TRIGGER step_no_delete; {NO_OP}")
    conn.close()
    assert "step_no_delete of the step log were replaced" in consult(real, "results", code=1).stderr


def test_a_changed_step_is_found(consult, real):
    conn = sqlite3.connect(real / "consult.db")
    conn.execute("DROP TRIGGER step_no_update")
    conn.execute("UPDATE step SET actor = 'cli:somebody-else' WHERE seq = 2")
    guard = "BEFORE UPDATE ON step BEGIN SELECT RAISE(ABORT, 'a step is never changed'); END"
    conn.execute(f"CREATE TRIGGER step_no_update {guard}")
    conn.commit()
    conn.close()
    (fault,) = found(consult, real, code=1)[0]
    assert "Step 2" in fault
    consult(real, "verify", code=1)


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/share /mnt/share nfs4 rw 0 0
//server/data /mnt/with\\040space cifs rw 0 0
/dev/sdb1 /mnt/share/local ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/instance", ""),
        ("/mnt/share/instance", "nfs4"),
        ("/mnt/share", "nfs4"),
        ("/mnt/shared", ""),
        ("/mnt/with space/instance", "cifs"),
        ("/mnt/share/local/instance", ""),
    ],
)
def test_a_network_share_is_told_from_a_local_disk(tmp_path, folder, kind):
    from pathlib import Path

    assert network_kind(Path(folder), MOUNTS) == kind


def test_the_doctor_changes_nothing(consult, real):
    before = consult(real, "verify").stdout
    found(consult, real)
    assert consult(real, "verify").stdout == before
