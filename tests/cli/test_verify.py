"""What is made from the steps is what they say: `consult verify` names each difference and what mends it."""

import re
from contextlib import closing, suppress

import pytest

from consult.audit import cases
from consult.audit.results import Selection, results
from consult.instance import database_file, open_instance
from consult.proving import read_only
from consult.record import ledger
from consult.record.database import SCHEMA_VERSION, sqlite3
from consult.record.ledger import Refused

COLUMNS = "employee, clinician, site, state, capture_mode, definition, started_at, ended_at"
PERSON = "name, role, site, password_hash, active, created_at, start_until"
SIGNED = "(SELECT min(id) FROM consultation WHERE state = 'signed')"
REBUILT = {
    "a signed consultation open again": (
        f"UPDATE consultation SET state = 'open' WHERE id = {SIGNED}",
        r"consultation [\w-]+ has state 'open', and its steps say 'signed'",
    ),
    "a consultation moved to another clinician": (
        f"UPDATE consultation SET clinician = 'p-other' WHERE id = {SIGNED}",
        r"consultation [\w-]+ has clinician 'p-other', and its steps say 'p-",
    ),
    "a consultation moved to another employee": (
        f"UPDATE consultation SET employee = 'e-other' WHERE id = {SIGNED}",
        r"has employee 'e-other'",
    ),
    "a consultation under another version": (
        f"UPDATE consultation SET definition = 'other' WHERE id = {SIGNED}",
        r"has definition 'other'",
    ),
    "a consultation at another time": (
        f"UPDATE consultation SET started_at = '2020' WHERE id = {SIGNED}",
        r"has started_at '2020'",
    ),
    "a consultation gone": (f"DELETE FROM consultation WHERE id = {SIGNED}", r"consultation [\w-]+ is missing"),
    "a consultation nobody held": (
        f"INSERT INTO consultation SELECT 'made-up', {COLUMNS} FROM consultation WHERE id = {SIGNED}",
        r"consultation made-up is there, and no step says so",
    ),
    "a setting changed": (
        "UPDATE setting SET value = '\"OTHER\"' WHERE name = 'provider'",
        r"""setting provider has value '"OTHER"', and its steps say '"DEMO"'""",
    ),
    "a telephone number changed": (
        "UPDATE setting SET value = replace(value, 'routes', 'roots') WHERE name = 'sites'",
        r"setting sites has value",
    ),
    "a setting that is no JSON": (
        "UPDATE setting SET value = 'broken' WHERE name = 'sites'",
        r"setting sites has value 'broken'",
    ),
    "the mark of the demonstration gone": (
        "DELETE FROM setting WHERE name = 'demonstration'",
        r"setting demonstration is missing",
    ),
    "the provider gone": ("DELETE FROM setting WHERE name = 'provider'", r"setting provider is missing"),
    "another role": (
        "UPDATE person SET role = 'administrator' WHERE username = 'nurse'",
        r"nurse has role 'administrator', and the steps say 'nurse'",
    ),
    "another site": ("UPDATE person SET site = 'ELSE' WHERE username = 'nurse'", r"nurse has site 'ELSE'"),
    "a person stopped": ("UPDATE person SET active = 0 WHERE username = 'nurse'", r"nurse has active '0'"),
    "a case changed": ("UPDATE case_row SET sex = 'other'", r"The case .+ is not what its steps say"),
}
RESTORED = {
    "a kept proforma changed": (
        "UPDATE definition SET texts = replace(texts, 'saddle', 'paddle') WHERE kind = 'proforma'",
        r"text kept as proforma back-pain [\w.-]+ is not the one its digest \w{16} was made from",
    ),
    "kept measures changed": (
        "UPDATE definition SET texts = replace(texts, 'red_flags', 'rad_flags') WHERE kind = 'measures'",
        r"text kept as measures back-pain",
    ),
    "kept benchmarks changed": (
        "UPDATE definition SET texts = replace(texts, '2011', '2012') WHERE kind = 'benchmarks'",
        r"text kept as benchmarks back-pain",
    ),
    "a kept leaflet changed": (
        "UPDATE definition SET texts = replace(texts, '999', '998') WHERE kind = 'leaflet'",
        r"text kept as leaflet",
    ),
    "a kept text that is no JSON": (
        "UPDATE definition SET texts = 'x' WHERE kind = 'leaflet'",
        r"text kept as leaflet",
    ),
    "a kept version renamed": (
        "UPDATE definition SET version = '99' WHERE kind = 'proforma'",
        r"proforma back-pain 99 is kept under another name, version or time",
    ),
    "a kept version gone": (
        "DELETE FROM definition WHERE kind = 'benchmarks'",
        r"version \w{16} that step \d+ installed is not kept any more",
    ),
    "a version nobody installed": (
        "INSERT INTO definition SELECT 'made-up', kind, id, version, texts, first_used FROM definition LIMIT 1",
        r"is kept, and no step says that it was installed",
    ),
    "an employee gone": (
        "DELETE FROM employee WHERE rowid = 1",
        r"employee [\w-]+ is missing, though a step says they were registered",
    ),
    "an employee under another id": (
        "UPDATE employee SET id = 'e-other' WHERE rowid = 1",
        r"employee e-other is there, and no step says so",
    ),
    "an employee nobody registered": (
        "INSERT INTO employee SELECT 'e-x', name, folded_name, date_of_birth, '', registered_at FROM employee LIMIT 1",
        r"employee e-x is there, and no step says so",
    ),
    "a date of birth that is none": (
        "UPDATE employee SET date_of_birth = '1980-02-31' WHERE rowid = 1",
        r"the date of birth of employee [\w-]+ is damaged",
    ),
    "a name that is found under another": (
        "UPDATE employee SET folded_name = 'other' WHERE rowid = 1",
        r"name or the date of birth of employee [\w-]+ is damaged",
    ),
    "a person nobody added": (
        f"INSERT INTO person SELECT 'p-x', 'intruder', {PERSON} FROM person WHERE username = 'admin'",
        r"intruder may sign in, and no step says that this person was added",
    ),
}


def change(folder, statement):
    """Change the record past the program and its guards, which are there again afterwards."""
    conn = sqlite3.connect(str(database_file(folder)))
    guards = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        conn.execute(f"DROP TRIGGER {name}")
    assert conn.execute(statement).rowcount
    for _, guard in guards:
        conn.execute(guard)
    conn.commit()
    conn.close()


@pytest.mark.parametrize("what", REBUILT)
def test_each_difference_is_named_and_a_rebuild_mends_it(consult, demo_copy, what):
    statement, named = REBUILT[what]
    before = consult(demo_copy, "verify").stdout
    change(demo_copy, statement)
    said = consult(demo_copy, "verify", code=1).stderr
    assert re.search(named + r".*; run `consult rebuild`\.$", said, re.M)
    consult(demo_copy, "verify", code=1)  # looking changed nothing
    consult(demo_copy, "rebuild")
    assert consult(demo_copy, "verify").stdout == before


@pytest.mark.parametrize("what", RESTORED)
def test_each_difference_that_no_rebuild_mends_asks_for_a_backup(consult, demo_copy, what):
    statement, named = RESTORED[what]
    change(demo_copy, statement)
    said = consult(demo_copy, "verify", code=1).stderr
    assert re.search(named + r".*; restore a backup\.$", said, re.M)


def test_a_person_who_is_gone_is_missed(consult, demo_copy):
    change(demo_copy, "DELETE FROM person WHERE username = 'admin'")
    assert "is missing, though a step says they were added" in consult(demo_copy, "verify", code=1).stderr


def test_people_stopped_and_let_in_again_are_as_their_steps_say(consult, demo_copy):
    from consult.accounts.people import by_username, set_active

    instance = open_instance(demo_copy)
    with instance.db.write() as conn:
        for username, standing in (("nurse", (False, True)), ("doctor", (False,))):
            known = by_username(conn, username)
            for active in standing:
                set_active(conn, known.id, active, "cli:test", instance.store.at())
    instance.close()
    consult(demo_copy, "verify")
    consult(demo_copy, "rebuild")
    consult(demo_copy, "verify")


def test_a_consultation_is_not_read_by_a_version_that_was_changed(demo_copy):
    change(demo_copy, "UPDATE definition SET texts = replace(texts, 'saddle', 'paddle') WHERE kind = 'proforma'")
    instance = open_instance(demo_copy)
    digest = instance.library.current.digest
    instance.library._parsed.clear()
    with pytest.raises(Refused, match="was changed in the database"):
        instance.library.definition(instance.db.read(), digest)
    instance.close()


def test_many_differences_are_counted_and_listed_only_so_far(consult, demo_copy, monkeypatch):
    monkeypatch.setattr("consult.commands.keeping.MOST_LISTED", 3)
    change(demo_copy, "UPDATE case_row SET clinician_ref = 'moved' WHERE capture_mode = 'retrospective'")
    said = consult(demo_copy, "verify", code=1).stderr
    assert said.count("is not what its steps say") == 3
    assert re.search(r"Error: \d+ differences from the steps found, listed above but for \d+; do what", said)


def test_a_provider_that_is_no_json_is_a_sentence_too(consult, demo_copy):
    change(demo_copy, "UPDATE setting SET value = 'broken' WHERE name = 'provider'")
    assert "restore a backup" in consult(demo_copy, "verify", code=1).stderr
    for words in (("results", "--capture", "live"), ("cases", "export", "-"), ("backup",)):
        assert "The setting provider is not as it was written" in consult(demo_copy, *words, code=1).stderr


def test_what_was_changed_into_something_else_is_said_where_reading_it_ends_in_the_unforeseen(consult, demo_copy):
    started = "SELECT max(seq) FROM step WHERE kind = 'consultation_started'"
    change(demo_copy, f"UPDATE step_content SET content = '\"x\"' WHERE seq = ({started})")
    said = consult(demo_copy, "rebuild", code=1).stderr
    assert "unforeseen" not in said
    assert "is not whole. What step" in said


def test_a_proof_writes_nothing_and_waits_for_nobody(consult, demo_copy):
    file = database_file(demo_copy)
    with sqlite3.connect(str(file)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = file.read_bytes()
    instance = open_instance(demo_copy)
    try:
        with instance.db.write() as conn:
            conn.execute("UPDATE case_row SET sex = 'other'")  # half done by somebody: no part of the record yet
            assert "The record is whole" in consult(demo_copy, "verify").stdout
            raise Undone
    except Undone:
        pass
    finally:
        instance.close()
    assert file.read_bytes() == before


class Undone(Exception):
    pass


def test_cases_retold_up_to_a_step_are_those_a_rebuild_makes_and_are_counted_anew(demo_copy):
    with closing(open_instance(demo_copy)) as instance:
        dataset, last = instance.library.current.dataset, ledger.head(instance.db.read())[0]

        def seen(conn):
            found = results(conn, instance.measures, dataset, Selection(capture="live"))
            return [*cases.iterate(conn)], found

        for step in (0, last // 3, last // 2, last):
            with read_only(instance.db.file) as conn:
                kept = seen(conn)
                cases.retell(conn, dataset, step)
                retold = seen(conn)
            with suppress(Undone), instance.db.write() as conn:
                cases.rebuild(conn, dataset, step)
                assert retold == seen(conn)
                raise Undone
            assert (retold == kept) == (step == last)


def test_a_database_that_says_it_is_older_than_what_was_done_to_it_is_damaged(demo_copy, consult):
    """One flipped bit in its version: the next start would upgrade it a second time, and record that it did."""
    with closing(sqlite3.connect(database_file(demo_copy))) as conn:
        conn.execute(f"PRAGMA user_version = {SCHEMA_VERSION - 1}")
    assert "not as this program made it (user_version)" in consult(demo_copy, "verify", code=1).output


@pytest.mark.parametrize("name", ["case_tally_after_insert", "case_row", "case_row_of_site"])
def test_a_row_of_the_schema_that_says_another_kind_than_its_statement_is_damaged(demo_copy, consult, name):
    """SQLite takes its word from the statement; the start, which asks for the kind, would make it a second time."""
    with closing(sqlite3.connect(database_file(demo_copy))) as conn:
        conn.execute("PRAGMA writable_schema = ON")
        query = "UPDATE sqlite_schema SET type = replace(replace(type, 'g', 'G'), 'e', 'E') WHERE name = ?"
        assert conn.execute(query, (name,)).rowcount == 1
        conn.commit()
    assert f"not as this program made it ('{name}')" in consult(demo_copy, "verify", code=1).output
