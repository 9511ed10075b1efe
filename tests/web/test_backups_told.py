"""Which backup is the newest, and which the server made: the page of settings and `consult doctor` say the same."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pages
from visiting import Service

from consult.backup import backup
from consult.doctor import examine
from consult.documents.words import when
from consult.record.settings import change_setting, set_keeping
from consult.record.timekeeping import stamp
from consult.tending import tend

BY_THE_SERVER = "Backup made by the server itself"
OF_ALL = "Newest backup of all, by hand or by the server"


def told(service: Service) -> tuple[list[str], list[str], str]:
    """What the page says of the server's own backup and of the newest of all, and what the doctor says of both."""
    page = service.visitor("administrator").get("/settings")
    cells = ([pages.text(cell) for cell in row] for row in page.iter("tr"))
    rows = {row[0]: row[1:] for row in cells if row}
    (line,) = [one.sentence for one in examine(service.instance.folder) if one.about == "backup"]
    return rows[BY_THE_SERVER], rows[OF_ALL], line


def test_before_any_backup_both_say_that_there_is_none(service: Service) -> None:
    server, newest, doctor = told(service)
    assert server[0] == newest[0] == "Never"
    assert doctor.startswith("There is no backup yet")


def test_a_backup_made_by_hand_is_the_newest_in_both_and_not_the_servers(service: Service) -> None:
    file, _ = backup(service.instance, None)
    server, newest, doctor = told(service)
    assert server[0] == "Never"
    assert file.name in newest[1]
    assert newest[0] in doctor
    assert str(file) in doctor
    assert "The server itself has made none." in doctor


def test_what_the_server_made_stands_beside_a_newer_one_made_by_hand(service: Service) -> None:
    instance = service.instance
    with instance.db.write() as conn:
        change_setting(conn, "demonstration", False, "test", instance.store.at())
    before = instance.clock() - timedelta(hours=3)
    tend(instance.folder, before)
    own = when(stamp(before))
    server, newest, doctor = told(service)
    assert server[0] == newest[0] == own
    file, _ = backup(instance, None)
    server, newest, doctor = told(service)
    assert server[0] == own
    assert file.name in newest[1]
    assert f"The server itself made its last {own}." in doctor


def test_a_folder_of_backups_that_cannot_be_read_is_told_in_both(service: Service, tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("x")
    with service.instance.db.write() as conn:
        set_keeping(conn, "backup_folder", str(no_folder), "test", service.instance.store.at())
    _, newest, doctor = told(service)
    assert newest == ["Not known", doctor]
    assert "can't be read" in doctor
