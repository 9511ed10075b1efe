"""The commands that help whoever can't sign in, the last administrator among them."""

from __future__ import annotations

from contextlib import closing

from consult.accounts import factors, people, sealing, sessions, signing_in, tries
from consult.instance import open_instance
from consult.record import settings

LOST = "a password that was lost"


def signs_in(folder, username, password):
    with closing(open_instance(folder)) as instance:
        try:
            token, _ = signing_in.sign_in(instance.db, username, password, instance.clock())
        except signing_in.CodeNeeded:
            return "code"
        except tries.SignInRefused:
            return "refused"
        return sessions.lookup(instance.db.read(), token, instance.clock()).owes or "in"


def test_the_last_administrator_who_lost_everything_is_let_in_again(consult, quick, password_file):
    with closing(open_instance(quick)) as instance, instance.db.write() as conn:
        known = people.by_username(conn, "anna.berg")
        secret = factors.begin(conn, known.id)
        now = instance.clock()
        factors.confirm(
            conn, known.id, factors.code_at(secret, factors.step_of(now)), now, known.id, instance.store.at()
        )
    assert "Anna Berg, Administrator, site A, may sign in, second factor" in consult(quick, "person", "list").stdout
    said = consult(quick, "person", "start", "anna.berg").stdout
    words = said.strip().rpartition(": ")[2]
    assert signs_in(quick, "anna.berg", words) == "code"
    consult(quick, "person", "second-factor", "anna.berg", "--proved", "in-person-known")
    assert signs_in(quick, "anna.berg", words) == "password", "and must be changed at once"
    listed = consult(quick, "person", "list").stdout
    assert "has not started, no second factor" in listed
    assert words not in listed
    assert secret not in consult(quick, "backup").stdout
    consult(quick, "verify")


def test_somebody_is_made_an_administrator_and_let_in(consult, quick, password_file):
    consult(quick, "person", "add", "Nia Example", "--role", "nurse", "--password-file", password_file)
    with closing(open_instance(quick)) as instance, instance.db.write() as conn:
        people.set_active(conn, people.by_username(conn, "nia.example").id, False, "cli:test", instance.store.at())
    consult(quick, "person", "place", "nia.example", "--role", "administrator")
    consult(quick, "person", "let-in", "nia.example")
    assert "Nia Example, Administrator, site A, may sign in" in consult(quick, "person", "list").stdout
    consult(quick, "verify")
    consult(quick, "person", "place", "anna.berg", "--role", "nurse")
    said = consult(quick, "person", "place", "nia.example", "--role", "nurse", code=1).stderr
    assert "last active administrator" in said


def test_an_unknown_name_and_site_are_said(consult, real):
    for command in ("start", "second-factor", "let-in", "place"):
        proved = ["--proved", "video-known"] if command == "second-factor" else []
        assert "Nobody signs in as nobody" in consult(real, "person", command, "nobody", *proved, code=1).stderr
    assert "There is no open site Z" in consult(real, "person", "place", "anna.berg", "--site", "Z", code=1).stderr


def test_a_new_key_of_second_factors_and_a_missing_one_are_said(consult, real, monkeypatch):
    for name in (sealing.IN_ENVIRONMENT, sealing.FILE_IN_ENVIRONMENT):
        monkeypatch.delenv(name, raising=False)
    with closing(open_instance(real)) as instance, instance.db.write() as conn:
        known, now = people.by_username(conn, "anna.berg"), instance.clock()
        code = factors.code_at(factors.begin(conn, known.id), factors.step_of(now))
        factors.confirm(conn, known.id, code, now, known.id, instance.store.at())
    before = (real / sealing.KEY_FILE).read_text("ascii")
    assert "1 secret encrypted under the key" in consult(real, "person", "new-factor-key").stdout
    assert (real / sealing.KEY_FILE).read_text("ascii") != before
    assert "Their secrets are encrypted" in consult(real, "doctor").stdout
    (real / sealing.KEY_FILE).write_text(before, "ascii")
    assert "fault" in (said := consult(real, "doctor", code=1).output).lower()
    assert "put it back" in said
    assert "put it back" in consult(real, "person", "new-factor-key", code=1).stderr
    assert (real / sealing.KEY_FILE).read_text("ascii") == before


def test_the_doctor_names_the_roles_that_need_no_second_factor_and_a_list_that_is_none(consult, real, tmp_path):
    assert "The password alone signs in: Administrator." in consult(real, "doctor").stdout
    with closing(open_instance(real)) as instance, instance.db.write() as conn:
        factors.require(conn, ["administrator"], "cli:test", instance.store.at())
    assert "The password alone" not in consult(real, "doctor").stdout
    (tmp_path / "list").write_text(f"{'0' * 40}:1\n")
    consult(real, "settings", "set", "breached_passwords", str(tmp_path / "list"))
    (tmp_path / "list").write_text("no list\n")
    assert "is none: a line has no SHA-1" in consult(real, "doctor", code=1).stdout


def test_how_identity_was_proved_is_asked_for_and_recorded_before_a_factor_is_taken_away(consult, quick):
    assert "--proved" in consult(quick, "person", "second-factor", "anna.berg", code=2).stderr
    consult(quick, "person", "second-factor", "anna.berg", "--proved", "heard-a-voice", code=2)
    with closing(open_instance(quick)) as instance:
        known = people.by_username(instance.db.read(), "anna.berg")
        assert people.identity_proved(instance.db.read(), known.id) is None
    consult(quick, "person", "second-factor", "anna.berg", "--proved", "called-back")
    consult(quick, "person", "start", "anna.berg", "--proved", "manager")
    with closing(open_instance(quick)) as instance:
        step = people.identity_proved(instance.db.read(), known.id)
        assert step.content == {"person": known.id, "how": "manager"}
        assert step.actor.startswith("cli:")
    consult(quick, "verify")


def test_nobody_is_added_to_a_closed_site_or_placed_there_but_who_is_there_stays(consult, quick, password_file):
    with closing(open_instance(quick)) as instance, instance.db.write() as conn:
        at = instance.store.at()
        settings.put_site(conn, settings.Site("B", "Site B (invented)"), "test", at)
        settings.close_site(conn, "A", instance.today(), "test", at)
    add = ("person", "add", "Nia Example", "--role", "nurse", "--password-file", password_file)
    assert "There is no open site A; use one of: B." in consult(quick, *add, "--site", "A", code=1).stderr
    consult(quick, *add)
    assert "Nia Example, Nurse, site B" in consult(quick, "person", "list").stdout
    place = ("person", "place", "nia.example", "--site", "A")
    assert "There is no open site A; use one of: B." in consult(quick, *place, code=1).stderr
    consult(quick, "person", "place", "anna.berg", "--site", "A")
    assert "no open site A" in consult(quick, "paper", "--output", quick / "paper.html", "--site", "A", code=1).stderr
