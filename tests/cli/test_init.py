"""Setting up a real installation, and its people."""

import stat
from contextlib import closing

import pytest

from consult.accounts import people, signing_in, tries
from consult.instance import open_instance
from consult.record import ledger
from consult.record.store import now_utc

PASSWORD = "quiet otter paints fences"


def init(consult, folder, password_file, *more, code=0):
    flags = {"--provider": "ACME", "--site": "A", "--admin": "Anna Berg", "--password-file": password_file}
    given = dict(zip(more[::2], more[1::2], strict=True))
    words = [word for pair in (flags | given).items() for word in pair]
    return consult(folder, "init", *words, code=code)


def test_init_from_flags_sets_up_provider_sites_and_an_administrator(consult, tmp_path, password_file):
    folder = tmp_path / "deep" / "instance"
    words = ("--provider", "ACME", "--site", "A", "--site", "B", "--admin", "Anna Berg")
    said = consult(folder, "init", *words, "--password-file", password_file)
    assert "anna.berg" in said.stdout
    instance = open_instance(folder)
    assert (instance.provider, list(instance.sites), instance.demonstration) == ("ACME", ["A", "B"], False)
    _, who = signing_in.sign_in(instance.db, "anna.berg", PASSWORD, now_utc())
    assert who.role == "administrator"
    actors = {step.actor for step in ledger.steps(instance.db.read())}
    assert all(actor.startswith("cli:") for actor in actors)
    instance.close()


def test_what_is_not_given_is_asked_for(consult, tmp_path):
    answers = f"ACME\nAnna Berg\nA B\n{PASSWORD}\n{PASSWORD}\n"
    said = consult(tmp_path / "i", "init", input=answers)
    assert "Set up for provider ACME" in said.stdout
    assert PASSWORD not in said.output


def test_the_folder_and_its_files_are_for_the_owner_only(consult, tmp_path, password_file):
    init(consult, tmp_path / "i", password_file)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in [tmp_path / "i", *(tmp_path / "i").iterdir()]}
    assert modes.pop("i") == 0o700
    assert {"consult.db", "secret-key"} <= modes.keys()
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--provider", "DEMO"), "demonstration"),
        (("--provider", "demo"), "demonstration"),
        (("--provider", "two words"), "provider code"),
        (("--site", "ä"), "site code"),
        (("--admin", "!"), "sign-in name"),
        (("--admin", "\u041e\u043b\u044c\u0433\u0430"), "Give it with --username"),
        (("--username", "!"), "Give it with --username"),
    ],
)
def test_what_is_not_right_leaves_nothing_behind(consult, tmp_path, password_file, more, says):
    assert says in init(consult, tmp_path / "i", password_file, *more, code=1).stderr
    assert not (tmp_path / "i").exists()


@pytest.mark.parametrize("content", [b"", b"short\n", b"Password1234\n", b"\xff\xfe\x00", b"anna.berg.anna.berg\n"])
def test_a_password_that_will_not_do_leaves_nothing_behind(consult, tmp_path, content):
    file = tmp_path / "password"
    file.write_bytes(content)
    init(consult, tmp_path / "i", file, code=1)
    assert not (tmp_path / "i").exists()


def test_an_administrator_whose_name_has_no_latin_letters_signs_in_as_they_say(consult, tmp_path, password_file):
    name = "\u041e\u043b\u044c\u0433\u0430 \u0411\u0435\u0440\u0433"
    assert (
        "as olga.berg"
        in init(consult, tmp_path / "i", password_file, "--admin", name, "--username", "Olga.Berg").stdout
    )
    with closing(open_instance(tmp_path / "i")) as instance:
        _, who = signing_in.sign_in(instance.db, "olga.berg", PASSWORD, now_utc())
    assert (who.name, who.role) == (name, "administrator")


@pytest.mark.parametrize("other", ["A", "a"])
def test_a_site_given_twice_is_refused(consult, tmp_path, password_file, other):
    words = ("--provider", "ACME", "--site", "A", "--site", other, "--admin", "Anna Berg")
    said = consult(tmp_path / "i", "init", *words, "--password-file", password_file, code=1)
    assert "each of them once" in said.stderr


def test_a_second_init_changes_nothing(consult, tmp_path, password_file):
    init(consult, tmp_path / "i", password_file)
    before = consult(tmp_path / "i", "verify").stdout
    assert "already set up" in init(consult, tmp_path / "i", password_file, "--provider", "OTHER", code=1).stderr
    assert consult(tmp_path / "i", "verify").stdout == before


def test_init_refuses_the_folder_of_the_demonstration(consult, demo_copy, password_file):
    assert "never mixed" in init(consult, demo_copy, password_file, code=1).stderr


def test_people_are_added_and_a_lost_password_is_replaced(consult, quick, password_file, tmp_path):
    words = ("person", "add", "Nell Sample", "--role", "nurse", "--site", "A", "--password-file", password_file)
    assert "nell.sample" in consult(quick, *words).stdout
    assert "is taken" in consult(quick, *words, code=1).stderr
    other = tmp_path / "other"
    other.write_text("another otter mends gates\n")
    consult(quick, "person", "password", "Nell.Sample", "--password-file", other)
    instance = open_instance(quick)
    _, who = signing_in.sign_in(instance.db, "nell.sample", "another otter mends gates", now_utc())
    assert (who.role, who.site) == ("nurse", "A")
    with pytest.raises(tries.SignInRefused):
        signing_in.sign_in(instance.db, "nell.sample", PASSWORD, now_utc())
    assert len(people.people(instance.db.read())) == 2
    instance.close()


def test_a_person_needs_a_site_that_is_there_and_a_name_somebody_has(consult, real, password_file):
    words = ("person", "add", "Nell Sample", "--role", "nurse", "--site", "Z", "--password-file", password_file)
    assert "There is no open site Z" in consult(real, *words, code=1).stderr
    said = consult(real, "person", "password", "nobody", "--password-file", password_file, code=1)
    assert "Nobody signs in as nobody" in said.stderr
