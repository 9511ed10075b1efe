"""A witness in a second place: a log cut short, made anew, or put back to an old copy does not agree with it."""

import shutil
import sqlite3

import pytest

from consult import witnessing
from consult.instance import database_file, open_instance
from consult.proving import read_only
from consult.record import ledger
from consult.record.settings import change_setting

COLUMNS = "seq, consultation, kind, question, content_digest, actor, role, at, key, previous, hash"


def grow(folder, n=3, word="w"):
    instance = open_instance(folder)
    with instance.db.write() as conn:
        for number in range(n):
            change_setting(conn, "note", f"{word}{number}", "cli:test", instance.store.at())
    instance.close()


@pytest.fixture
def witnessed(consult, real, tmp_path):
    """An installation with three witnessed heads, and its witness."""
    file = tmp_path / "elsewhere" / "witness.txt"
    file.parent.mkdir()
    for _ in range(3):
        grow(real)
        consult(real, "witness", "--to", file)
    return real, file


def past_the_guards(folder, *statements):
    """Change the database past the program, and put its guards there again."""
    conn = sqlite3.connect(str(database_file(folder)))
    guards = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        conn.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        conn.execute(statement)
    for _, guard in guards:
        conn.execute(guard)
    conn.commit()
    conn.close()


def test_a_log_that_went_on_agrees_with_its_witness(consult, witnessed):
    folder, file = witnessed
    grow(folder)
    assert "3 heads, all of them steps of this log" in consult(folder, "verify", "--witness", file).stdout


def test_the_witness_of_the_settings_is_asked_by_itself(consult, witnessed):
    folder, file = witnessed
    assert "No witness was asked" in consult(folder, "verify").stdout
    consult(folder, "settings", "set", "witness", file)
    assert f"Witness {file}: 3 heads" in consult(folder, "verify").stdout
    consult(folder, "witness")
    assert f"Witness {file}: 4 heads" in consult(folder, "verify").stdout


def test_no_file_is_set_that_cannot_be_the_witness(consult, witnessed, tmp_path):
    folder, file = witnessed
    assert "can't be reached" in consult(folder, "settings", "set", "witness", tmp_path, code=1).stderr
    file.write_text(file.read_text().replace(" 2026", " 2025").replace(" 20", " 19", 1))
    assert "does not follow" in consult(folder, "settings", "set", "witness", file, code=1).stderr
    assert "witness = (blank)" in consult(folder, "settings").stdout
    consult(folder, "settings", "set", "witness", tmp_path / "to-be-made.txt")
    consult(folder, "settings", "set", "witness", "")


@pytest.mark.parametrize("content", [None, b"", b"hello\n"])
def test_no_file_is_set_that_cannot_be_the_list_of_breached_passwords(consult, real, tmp_path, content):
    file = tmp_path / "list"
    if content is not None:
        file.write_bytes(content)
    said = consult(real, "settings", "set", "breached_passwords", file, code=1).stderr
    assert said.endswith("Nothing was changed; name the right file.\n")
    assert "breached_passwords = (blank)" in consult(real, "settings").stdout
    file.write_text(f"{'0' * 40}:1\n", "ascii")
    consult(real, "settings", "set", "breached_passwords", file)
    file.unlink()
    consult(real, "settings", "set", "breached_passwords", "")


def test_a_log_whose_end_was_cut_off_is_found(consult, witnessed):
    folder, file = witnessed
    last = witnessing.read(file)[-1].step
    past_the_guards(
        folder,
        f"DELETE FROM step_content WHERE seq > {last - 2}",
        f"DELETE FROM step WHERE seq > {last - 2}",
        "DELETE FROM setting WHERE name = 'note'",
        "INSERT INTO setting (name, value) VALUES ('note', '\"w0\"')",
    )
    assert "No witness was asked" in consult(folder, "verify").stdout  # by itself the log looks whole
    said = consult(folder, "verify", "--witness", file, code=1).stderr
    assert f"saw step {last}, " in said
    assert f"ends at step {last - 2}" in said


def make_anew(folder):
    """Write the whole log anew, another content in it, with every hash worked out again."""
    conn = sqlite3.connect(str(database_file(folder)))
    rows = conn.execute(
        "SELECT s.seq, consultation, kind, question, salt, replace(content, ':\"w', ':\"W'), actor, role, at, key "
        "FROM step s JOIN step_content USING (seq) ORDER BY seq"
    ).fetchall()
    conn.close()
    statements, previous = ["DELETE FROM step_content", "DELETE FROM step"], ledger.START
    for seq, consultation, kind, question, salt, content, actor, role, at, key in rows:
        plain = (consultation, kind, question, ledger.content_digest(salt, content), actor, role, at, key)
        hash_ = ledger.chain_hash(previous, seq, *plain)
        values = ", ".join(repr(value) for value in (seq, *plain, previous, hash_))
        statements += [
            f"INSERT INTO step ({COLUMNS}) VALUES ({values})",
            f"INSERT INTO step_content (seq, salt, content) VALUES ({seq}, '{salt}', '{content}')",
        ]
        previous = hash_
    past_the_guards(folder, *statements, "UPDATE setting SET value = '\"W2\"' WHERE name = 'note'")


def test_a_log_made_anew_with_every_hash_right_is_found(consult, witnessed):
    folder, file = witnessed
    first = witnessing.read(file)[0].step
    make_anew(folder)
    consult(folder, "verify")
    said = consult(folder, "verify", "--witness", file, code=1).stderr
    assert f"saw step {first}, " in said
    assert "made anew" in said


def test_an_old_copy_in_its_place_is_found_even_once_it_went_on(consult, witnessed, tmp_path):
    folder, file = witnessed
    shutil.copytree(folder, tmp_path / "old")
    first = witnessing.read(file)[-1].step
    grow(folder)
    consult(folder, "witness", "--to", file)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "old", folder)
    assert f"ends at step {first}" in consult(folder, "verify", "--witness", file, code=1).stderr
    grow(folder, 5, "other")
    assert "another step there" in consult(folder, "verify", "--witness", file, code=1).stderr


def test_nothing_is_added_to_a_witness_that_does_not_agree(consult, witnessed, tmp_path):
    folder, file = witnessed
    shutil.copytree(folder, tmp_path / "old")
    grow(folder)
    consult(folder, "witness", "--to", file)
    before = file.read_bytes()
    assert "Nothing was added" in consult(tmp_path / "old", "witness", "--to", file, code=1).stderr
    assert file.read_bytes() == before


def test_a_witness_that_cannot_be_reached_is_said_and_is_not_all_is_well(consult, witnessed, tmp_path):
    folder, _ = witnessed
    consult(folder, "settings", "set", "witness", tmp_path / "unplugged" / "witness.txt")
    result = consult(folder, "verify", code=1)
    assert "can't be reached" in result.stderr
    assert "nothing was compared" in result.stderr
    assert "can't be written" in consult(folder, "witness", code=1).stderr
    (tmp_path / "empty").touch()
    assert "holds no head" in consult(folder, "verify", "--witness", tmp_path / "empty", code=1).stderr


@pytest.mark.parametrize("line", range(3))
def test_a_changed_or_removed_line_of_the_witness_is_found(witnessed, line):
    folder, file = witnessed
    whole = file.read_text().splitlines(keepends=True)
    changed = [text.replace("Z ", "Y ", 1) if n == line else text for n, text in enumerate(whole)]
    for lines in (changed, whole[:line] + whole[line + 1 :], whole[::-1]):
        file.write_text("".join(lines))
        with read_only(database_file(folder)) as conn:
            if (
                lines == whole[:-1]
            ):  # its end taken away: what only a place that can't be written to keeps from happening
                assert len(witnessing.prove(conn, file)) == 2
            else:
                with pytest.raises(witnessing.WitnessRefused, match=r"Line \d of the witness"):
                    witnessing.prove(conn, file)


def test_a_line_broken_off_at_any_byte_is_passed_over_and_the_next_one_follows(consult, witnessed):
    folder, file = witnessed
    whole = file.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(start, len(whole) - 1, 11):
        file.write_bytes(whole[:cut])
        with read_only(database_file(folder)) as conn:
            witnessing.append(conn, file, "2026-11-27T00:00:00.000Z")
            assert len(witnessing.prove(conn, file)) == 3


def test_a_witness_only_ever_grows(consult, witnessed):
    folder, file = witnessed
    before = file.read_bytes()
    consult(folder, "witness", "--to", file)
    assert file.read_bytes().startswith(before)


def test_settings_are_listed_changed_with_a_step_and_refused_where_they_cannot_be(consult, real):
    assert "backup_every_hours = 24" in consult(real, "settings").stdout
    consult(real, "settings", "set", "backup_every_hours", "6")
    assert "backup_every_hours = 6" in consult(real, "settings").stdout
    consult(real, "verify")
    with read_only(database_file(real)) as conn:
        last = list(ledger.steps(conn, kind="setting_changed"))[-1]
    assert last.content == {"name": "backup_every_hours", "value": 6}
    assert "whole number" in consult(real, "settings", "set", "backup_every_hours", "often", code=1).stderr
    assert "whole number" in consult(real, "settings", "set", "backup_keep_days", "0", code=1).stderr
    assert "no setting provider" in consult(real, "settings", "set", "provider", "X", code=1).stderr
