"""The address under which a file is only read: whatever stands in its name, and on a share of Windows."""

from __future__ import annotations

from contextlib import closing
from pathlib import PureWindowsPath

import pytest

from consult.record.database import sqlite3, to_read

SHARES = (r"\\nas\backups\consult 1.db", r"\\nas.example.org\backups$\of the year\consult#2?%.db")


@pytest.mark.parametrize("name", ["consult.db", "with blanks.db", "100%.db", "a#b.db", "what?.db", "Größe.db"])
def test_a_file_is_found_under_its_address_and_only_read(tmp_path, name):
    file = tmp_path / name
    with closing(sqlite3.connect(str(file))) as conn:
        conn.execute("CREATE TABLE there (n)")
    with closing(sqlite3.connect(to_read(file, "&immutable=1"), uri=True)) as conn:
        assert conn.execute("SELECT count(*) FROM there").fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            conn.execute("INSERT INTO there VALUES (1)")
    assert sorted(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("share", SHARES)
def test_a_file_on_a_share_of_windows_has_an_address_that_sqlite_takes(share):
    """It is refused here because nothing is there, and not because of the host in it."""
    path = PureWindowsPath(share)
    with pytest.raises(sqlite3.OperationalError, match="invalid uri authority"):
        sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        sqlite3.connect(to_read(path), uri=True)
    assert to_read(path).startswith("file:////nas")


def test_a_file_on_a_disk_of_windows_keeps_its_letter():
    assert to_read(PureWindowsPath(r"C:\consult\consult.db")) == "file:///C:/consult/consult.db?mode=ro"
