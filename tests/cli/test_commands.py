"""Every command has help; every error is one sentence and an exit code."""

import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from consult import importing
from consult.accounts import people
from consult.accounts.people import NewPerson
from consult.cli import main
from consult.instance import open_instance


def commands(group=main, before=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*before, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*before, name))


ALL = list(commands())


def test_the_commands_are_those_that_are_documented():
    named = {" ".join(words) for words in ALL}
    assert named == {
        *("measures", "measures compare", "measures list", "paper", "rounds", "settings", "settings set"),
        *("tend", "rehearse", "witness", "confirm", "evidence", "cases take-out"),
        *("serve", "demo", "init", "check", "approve", "cases", "cases export", "cases import", "results", "rebuild"),
        "cases take-out",
        *("employee", "employee access", "employee due", "employee end-hold", "employee erase", "employee erase-again"),
        *("employee hold", "hand-over"),
        *("verify", "backup", "restore", "guard", "doctor", "encrypt", "decrypt"),
        *("person", "person add", "person password"),
        *("person link", "person link-code", "person unlink", "person new-factor-key", "security-log"),
        *("sign-on", "sign-on check", "sign-on off", "sign-on set", "sign-on show"),
        *("person let-in", "person list", "person place", "person second-factor", "person start"),
    }


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_each_has_help_that_ends_with_the_exit_codes(consult, words):
    said = consult(None, *words, "--help").stdout
    assert "Usage: " in said
    assert "Exit codes: 0 all went well" in " ".join(said.split())
    assert "--instance" in said


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_option_says_what_it_is_for(words):
    command = main
    for word in words:
        command = command.get_command(click.Context(command), word)
    assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("results", "--format", "xml"),
        ("results", "--from", "yesterday"),
        ("results", "--from", "2026-02-01", "--to", "2026-01-01"),
        ("results", "--capture", "guessed"),
        ("cases", "import"),
        ("cases", "import", "not-there.csv"),
        ("restore",),
        ("approve", "all"),
        ("approve", "everything"),
        ("approve", "proforma", "back-pain", "--name", "A", "--post", "B"),
        ("serve", "--port", "99999"),
        ("serve", "--host", "0.0.0.0"),  # noqa: S104 - this is what must be refused
        ("serve", "--behind-tls-proxy"),
        ("person", "add", "Somebody", "--role", "surgeon"),
    ],
    ids=" ".join,
)
def test_what_is_not_understood_ends_with_2_and_nothing_is_made(consult, tmp_path, words):
    said = consult(tmp_path / "none", *words, code=2).stderr
    assert "Error: " in said
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "words",
    [
        *(("results",), ("rebuild",), ("verify",), ("backup",), ("doctor",), ("approve",), ("cases", "export")),
        *(("serve",), ("restore", "no-such-backup.db"), ("person", "password", "nobody")),
    ],
    ids=" ".join,
)
def test_without_an_instance_a_sentence_says_what_to_do(consult, tmp_path, words):
    said = consult(tmp_path / "none", *words, code=1)
    assert "consult init" in said.output or "backup file" in said.output
    assert not (tmp_path / "none").exists()


def test_the_instance_is_named_before_or_after_the_command_or_by_the_environment(consult, real, tmp_path):
    for said in (
        consult(real, "verify"),
        consult(None, "verify", "--instance", real),
        consult(tmp_path / "other", "verify", "--instance", real),
        consult(None, "verify", env={"CONSULT_INSTANCE": str(real)}),
    ):
        assert "The record is whole" in said.stdout


def test_what_nobody_foresaw_is_a_sentence_too(consult, real, tmp_path, monkeypatch):
    (tmp_path / "cases.csv").write_text("x")
    monkeypatch.setattr(importing, "import_file", lambda *_: 1 / 0)
    said = consult(real, "cases", "import", tmp_path / "cases.csv", code=1)
    assert "unforeseen" in said.stderr
    assert "ZeroDivisionError" in said.stderr
    monkeypatch.setenv("CONSULT_TRACEBACK", "1")
    arguments = ["--instance", str(real), "cases", "import", str(tmp_path / "cases.csv")]
    assert isinstance(CliRunner().invoke(main, arguments).exception, ZeroDivisionError)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "consult.db").write_bytes(b""),
        lambda folder: (folder / "consult.db").write_bytes(b"not a database at all" * 1000),
        lambda folder: (folder / "secret-key").write_text("mine"),
    ],
    ids=["empty", "not a database", "another key"],
)
def test_a_spoilt_instance_is_refused_in_a_sentence(consult, real, spoil):
    spoil(real)
    consult(real, "results", code=1)
    assert "FAULT" in consult(real, "doctor", code=1).stdout


ONE_AFTER_THE_OTHER = """
import sys
from consult.cli import main
for words in sys.argv[2:]:
    main(["--instance", sys.argv[1], *words.split()], standalone_mode=False)
    print("=====")
"""
"""Commands in one process: to read the program in takes longer than they do."""


@pytest.mark.parametrize("code_page", ["cp850", "cp1252"])
def test_a_name_outside_the_code_page_of_windows_ends_no_command(real, code_page):
    """What is written to a file there knows some 250 letters; a start password must be printed all the same."""
    instance = open_instance(real)
    with instance.db.write() as conn:
        person = NewPerson("Łucja Żak", "nurse", "A", "quiet otter paints fences")
        people.add_person(conn, person, "cli:test", instance.store.at())
    instance.close()
    run = [sys.executable, "-c", ONE_AFTER_THE_OTHER, real, "person list", "person start ucja.zak"]
    done = subprocess.run(run, capture_output=True, check=True, env=os.environ | {"PYTHONIOENCODING": code_page})
    listed, started, _ = done.stdout.decode(code_page).split("=====")
    assert "ucja" in listed
    assert "signs in as ucja.zak, within 7 days, with:" in started
    assert not done.stderr
