"""Passwords known from breaches: found in a list of any length by a few looks, and what is no list is said."""

import hashlib
import random

import pytest
from test_factors import AT, PASSWORD

from consult.accounts import breached, people
from consult.accounts.people import PersonRefused
from consult.record.settings import SettingRefused, keeping, set_keeping


def hash_of(password):
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def write(file, hashes, counted=True, end="\r\n", last=True):
    lines = [f"{h}:{n * 37 % 100_000}" if counted else h for n, h in enumerate(sorted(hashes))]
    file.write_bytes((end.join(lines) + (end if last and lines else "")).encode())


@pytest.mark.parametrize("seed", range(6))
def test_each_password_of_a_list_is_found_and_no_other(tmp_path, seed):
    """Lists of 0 to 40 lines, with and without counts, in both ways of ending a line: every place of each is asked."""
    luck, file = random.Random(seed), tmp_path / "list"
    for n in range(41):
        inside = [f"inside {seed} {n} {i}" for i in range(n)]
        counted, end, last = luck.random() < 0.7, luck.choice(("\r\n", "\n")), luck.random() < 0.7
        write(file, map(hash_of, inside), counted, end, last)
        assert [p for p in inside if not breached.is_known(file, p)] == [], (seed, n)
        assert [i for i in range(40) if breached.is_known(file, f"outside {seed} {n} {i}")] == [], (seed, n)


def test_a_look_into_a_long_list_reads_little_of_it(tmp_path):
    file, words = tmp_path / "list", [f"word {n}" for n in range(100_000)]
    write(file, map(hash_of, words))
    read = []

    class Counting:
        def __init__(self, lines):
            self.lines, self.seek, self.tell, self.name = lines, lines.seek, lines.tell, lines.name

        def readline(self, most):
            read.append(most)
            return self.lines.readline(most)

    with file.open("rb") as lines:
        assert breached._has(Counting(lines), hash_of(words[4711]).encode())
    assert len(read) < 50


def test_a_letter_typed_as_two_marks_is_found_as_one(tmp_path):
    write(tmp_path / "list", [hash_of("caf\u00e9 of nobody")])
    assert breached.is_known(tmp_path / "list", "cafe\u0301 of nobody")


def test_such_a_password_is_refused_when_it_is_chosen_and_never_asked_about_at_sign_in(db, add, tmp_path):
    nell, file = add(), tmp_path / "list"
    known = "seven invented teapots"
    write(file, [hash_of(known), hash_of(PASSWORD)])
    with db.write() as conn:
        assert set_keeping(conn, breached.SETTING, str(file), "cli:test", AT) == str(file)
    with pytest.raises(PersonRefused, match="known from a breach"), db.write() as conn:
        people.change_password(conn, nell.id, known, nell.id, AT)
    with pytest.raises(PersonRefused, match="known from a breach"), db.write() as conn:
        people.add_person(conn, people.NewPerson("Olga Sample", "nurse", "A", known), "cli:test", AT)
    with db.write() as conn:
        people.change_password(conn, nell.id, "eight invented teapots", nell.id, AT)


BROKEN = {"gone": None, "empty": b"", "another file": b"hello\nworld\n" * 50, "no hash": b"g" * 40 + b":1\n"}


@pytest.mark.parametrize("what", BROKEN)
def test_a_list_that_cannot_be_asked_takes_no_password_and_says_what_to_do(db, add, tmp_path, what):
    nell, file = add(), tmp_path / "list"
    if BROKEN[what] is not None:
        file.write_bytes(BROKEN[what])
    assert breached.SETTING in breached.why_not(file)
    if what == "empty":
        return  # it is asked, and nothing is in it
    with db.write() as conn:
        set_keeping(conn, breached.SETTING, str(file), "cli:test", AT)
    with pytest.raises(PersonRefused, match="take the setting breached_passwords away"), db.write() as conn:
        people.change_password(conn, nell.id, "eight invented teapots", nell.id, AT)
    with db.write() as conn:
        set_keeping(conn, breached.SETTING, "", "cli:test", AT)
        people.change_password(conn, nell.id, "eight invented teapots", nell.id, AT)


def test_a_list_out_of_order_is_found_by_the_doctor_and_a_whole_one_is_not(tmp_path):
    file, hashes = tmp_path / "list", sorted(hash_of(str(n)) for n in range(99))
    write(file, hashes)
    assert breached.why_not(file) == ""
    file.write_text("".join(f"{h}:1\n" for h in reversed(hashes)), "ascii")
    assert "not in the order" in breached.why_not(file)
    assert "can't be read" in breached.why_not(tmp_path)


@pytest.mark.parametrize(
    "text", ["udp:0", "udp:", "tcp:x", "elsewhere:514", "udp:example.org:514", "unix:log", "udp:514 "]
)
def test_the_syslog_is_of_this_machine(db, text):
    with db.write() as conn:
        if text.strip() == "udp:514":
            assert set_keeping(conn, "security_log_to", text, "cli:test", AT) == "udp:514"
            return
        with pytest.raises(SettingRefused, match="syslog of this machine"):
            set_keeping(conn, "security_log_to", text, "cli:test", AT)
        assert keeping(conn, "security_log_to") == ""


@pytest.mark.parametrize("text", ["9" * 4301, "-1", "²", "1_0", ""])
def test_what_is_no_number_of_a_setting_is_refused_however_long(db, text):
    with pytest.raises(SettingRefused, match="not a whole number"), db.write() as conn:
        set_keeping(conn, "backup_keep_days", text, "cli:test", AT)
