"""The server keeps the record by itself: backups when due, only its own old ones removed, failures said."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from test_serving import running

from consult import tending
from consult.backup import backups_in, made_at
from consult.lock import tending_lock
from consult.proving import read_only
from consult.record import ledger
from consult.tending import last_went

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def at(moment):
    return time_machine.travel(moment, tick=False)


def in_folder(folder):
    return sorted(path.name for path in (folder / "backups").glob("*"))


def test_a_backup_is_made_when_it_is_due_and_not_before(consult, real):
    with at(NOW):
        assert "20261127T120000Z-scheduled.db" in consult(real, "tend").stdout
        assert consult(real, "tend").stdout == "Nothing is due.\n"
    with at(NOW + timedelta(hours=23, minutes=59)):
        assert consult(real, "tend").stdout == "Nothing is due.\n"
    with at(NOW + timedelta(hours=24)):
        assert "20261128T120000Z-scheduled.db" in consult(real, "tend").stdout
    assert len(in_folder(real)) == 2


def test_a_clock_put_back_does_not_stop_the_backups(consult, real):
    with at(NOW):
        consult(real, "tend")
    with at(NOW - timedelta(days=400)):
        assert "proved" in consult(real, "tend").stdout
    assert len(in_folder(real)) == 2  # the one from the future stays


def test_no_backup_is_made_where_the_settings_say_never_or_of_a_demonstration(consult, real, demo_copy):
    consult(real, "settings", "set", "backup_every_hours", "0")
    assert consult(real, "tend").stdout == "Nothing is due.\n"
    assert consult(demo_copy, "tend").stdout == "Nothing is due.\n"


@pytest.mark.skipif(not hasattr(os, "nice"), reason="Windows has no such priority")
def test_beside_a_server_it_leaves_the_processor_to_the_pages(real):
    words = ["--instance", str(real), "tend", "--gently"]
    code = f"import os; from consult.cli import main; main({words!r}, standalone_mode=False); print(os.nice(0))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) >= min(19, os.nice(0) + 10)


def test_old_backups_go_but_never_the_newest_few_nor_what_this_program_did_not_write(consult, real, tmp_path):
    place = tmp_path / "elsewhere"
    for name, value in (("backup_folder", place), ("backup_keep_days", 2), ("backup_keep_least", 3)):
        consult(real, "settings", "set", name, value)
    with at(NOW):
        consult(real, "backup")
    (place / "consult-20200101T000000Z-scheduled.db").write_text("somebody else's file of that name")
    (place / "holiday.db").write_text("mine")
    for day in range(8):
        with at(NOW + timedelta(days=day, hours=1)):
            consult(real, "tend")
    left = sorted(path.name for path in place.iterdir())
    assert left == [
        "consult-20200101T000000Z-scheduled.db",
        "consult-20261127T120000Z.db",
        *(f"consult-202612{day:02}T130000Z-scheduled.db" for day in (2, 3, 4)),
        "holiday.db",
    ]


def test_a_backup_that_fails_removes_nothing_is_said_everywhere_and_is_tried_again(consult, real, tmp_path):
    place = tmp_path / "elsewhere"
    consult(real, "settings", "set", "backup_folder", place)
    consult(real, "settings", "set", "backup_keep_least", 1)
    consult(real, "settings", "set", "backup_keep_days", 1)
    with at(NOW):
        consult(real, "tend")
    shutil.move(place, tmp_path / "away")
    place.write_text("the disk is not connected")
    with at(NOW + timedelta(days=9)):
        said = consult(real, "tend", code=1).stderr
        assert "cannot be written" in said
        fault = next(line for line in consult(real, "doctor", code=1).stdout.splitlines() if "backup:" in line)
        assert fault.startswith("FAULT")
        assert "failed" in fault
    assert len(list((tmp_path / "away").iterdir())) == 1
    place.unlink()
    shutil.move(tmp_path / "away", place)
    with at(NOW + timedelta(days=9, minutes=61)):
        consult(real, "tend")
        assert "FAULT  backup" not in consult(real, "doctor").stdout


def test_the_witness_gets_a_head_each_day_and_after_each_backup(consult, real, tmp_path):
    file = tmp_path / "witness.txt"
    consult(real, "settings", "set", "witness", file)
    with at(NOW):
        consult(real, "tend")
    consult(real, "settings", "set", "backup_every_hours", "6")
    for hours in range(1, 25):
        with at(NOW + timedelta(hours=hours)):
            consult(real, "tend")
    assert len(file.read_text().splitlines()) == 5
    shutil.rmtree(real / "backups")
    consult(real, "settings", "set", "backup_every_hours", "0")
    for hours in (47, 48):
        with at(NOW + timedelta(hours=hours)):
            consult(real, "tend")
    assert len(file.read_text().splitlines()) == 6
    assert "all of them steps of this log" in consult(real, "verify").stdout


def test_one_process_at_a_time_keeps_the_record(consult, real):
    with tending_lock(real):
        assert "Another process" in consult(real, "tend", code=1).stderr
        assert "Another process" in consult(real, "rehearse", code=1).stderr


def test_a_state_file_that_cannot_be_read_is_as_if_nothing_had_been_done(consult, real):
    for text in ("", "[]", '{"backup": 1}', '{"backup": {"at": 1}}'):
        (real / "keeping.json").write_text(text)
        assert last_went(real) == {}
    assert "proved" in consult(real, "tend").stdout
    assert json.loads((real / "keeping.json").read_text())["backup"]["well"]


SERVE = (
    "import sys; from pathlib import Path; from consult import serving as s; s.LOOK_EVERY = 0.2; "
    "l = s.listen('127.0.0.1', 0); s.serve(Path(sys.argv[1]), l, s.Address(), lambda _: print(s.url_of(l), flush=True))"
)


def test_a_running_server_makes_the_backup_by_itself(consult, real):
    with running("-c", SERVE, real):
        until = time.monotonic() + 60
        while "backup" not in last_went(real) and time.monotonic() < until:
            time.sleep(0.1)
    went = last_went(real)["backup"]
    assert went.well, went.sentence
    (file,) = backups_in(real / "backups")
    with read_only(file) as conn:
        assert ledger.verify(conn) is None


def test_a_rehearsal_proves_the_newest_backup_says_how_far_it_is_behind_and_leaves_nothing(consult, real):
    with at(NOW):
        consult(real, "backup")
    consult(real, "settings", "set", "backup_keep_days", "31")
    before = sorted(real.rglob("*"))
    with at(NOW + timedelta(hours=30)):
        said = consult(real, "rehearse").stdout
    assert "30.0 hours old" in said
    assert "has 1 more" in said
    assert re.search(r"It took \d+\.\d seconds", said)
    assert {path.name for path in set(real.rglob("*")) - set(before)} <= {
        "keeping.json",
        "tending.lock",
        "consult.db-wal",
        "consult.db-shm",
    }
    with at(NOW + timedelta(hours=31)):
        assert re.search(r"^fine +rehearsal: The last was 28 November 2026", consult(real, "doctor").stdout, re.M)
    with at(NOW + timedelta(days=60)):
        assert re.search(r"^note +rehearsal", consult(real, "doctor").stdout, re.M)


def test_what_a_backup_left_that_was_killed_goes_with_the_next_one(consult, real):
    left = {
        "consult-20261126T110000Z-scheduled.db.part": False,
        "consult-20261126T110000Z-scheduled.db.part-journal": False,
        "consult-20261101T110000Z.db.part": False,
        "consult-20261127T110000Z.db.part": True,  # by hand, perhaps at work now
        "consult-20261101T110000Z.db": True,
        "before-schema-9-from-8-20261101T110000000000Z.db": True,
        "mine.part": True,
    }
    (real / "backups").mkdir()
    for name in left:
        (real / "backups" / name).write_bytes(b"half")
    with at(NOW):
        consult(real, "tend")
    assert {name: name in in_folder(real) for name in left} == left


def test_a_backup_made_while_the_clock_was_ahead_is_not_the_newest(consult, real):
    """Else it would hide for a year that none is made any more."""
    with at(NOW + timedelta(days=365)):
        consult(real, "backup")
    with at(NOW):
        consult(real, "backup")
        consult(real, "settings", "set", "backup_keep_days", "31")
    with at(NOW + timedelta(days=3)):
        said = consult(real, "doctor").stdout
        assert re.search(
            r"^note +backup: The newest of 2, .*20261127T.*: old\. .*1 of them bear a time to come", said, re.M
        )
        assert "3 days old" in consult(real, "rehearse").stdout


def test_a_rehearsal_of_what_is_no_whole_backup_fails_and_is_said(consult, real, tmp_path):
    assert "There is no backup" in consult(real, "rehearse", code=1).stderr
    consult(real, "backup")
    (file,) = backups_in(real / "backups")
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4096] = b"\xaa" * 4096
    file.write_bytes(content)
    consult(real, "rehearse", code=1)
    assert "FAULT  rehearsal" in consult(real, "doctor", code=1).stdout
    assert not list(real.glob("rehearsal-*"))


def test_a_rehearsal_finds_that_the_log_in_use_is_another(consult, real, tmp_path):
    shutil.copytree(real, tmp_path / "other")
    for folder, word in ((real, "1"), (tmp_path / "other", "2")):
        consult(folder, "settings", "set", "backup_keep_days", word)
    consult(tmp_path / "other", "backup", tmp_path / "b.db")
    assert "is not that of the log in use" in consult(real, "rehearse", tmp_path / "b.db", code=1).stderr


def test_the_settings_page_shows_how_backups_went(real):
    from consult.serving import Address, application

    tending.write_down(real, "backup", tending.Went("2026-11-27T12:00:00.000Z", False, "The disk is full."))
    app = application(real, Address())
    with app.test_client() as client:
        page = sign_in_and_open(client, "/settings")
    app.extensions["consult"].close()
    assert "The backup of 27 November 2026" in page
    assert "The disk is full." in page
    assert "backup_keep_least" in page


def sign_in_and_open(client, address):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/sign-in").text)[1]
    form = {"csrf_token": token, "username": "anna.berg", "password": "quiet otter paints fences"}
    assert client.post("/sign-in", data=form).status_code == 302
    return client.get(address).text


@pytest.mark.parametrize("name", ["consult-20261127T120000Z.db", "consult-20261127T120000Z-scheduled.db"])
def test_a_backup_says_in_its_name_when_it_was_made(tmp_path, name):
    assert made_at(tmp_path / name) == NOW
    assert made_at(tmp_path / f"x{name}") is None
    assert made_at(tmp_path / name.replace("1127", "1399")) is None
