"""Data protection by command: the whole record as lines, erasing, holds, and what is due."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from consult import access, erasing, handing_over, verifying
from consult.accounts import people
from consult.audit import cases
from consult.commands import protecting
from consult.instance import Instance, database_file, open_instance
from consult.proforma.answer import Answer
from consult.proforma.path import blank_emergencies
from consult.record import about, identity, ledger, merging, own
from consult.record import erasing as record
from consult.record.ledger import KINDS, Draft, Refused
from consult.record.settings import set_keeping
from consult.record.store import Start, Store, Who

Consult = Callable[..., Result]
NAME, BORN, NUMBER = "Zebedee Quillfeather", date(1980, 3, 2), "LOCAL-777"
TYPED_KEYS = {"text", "why", "reason", "told", "written", "how", "to"}
NOT_TYPED = {
    "answer_given": "reason: a code; its value is looked at by the kind of its question",
    "blank_emergencies_explained": "reason: a code",
    "consultation_abandoned": "reason: a code",
    "consultation_handed_over": "reason: one of a list; to: an opaque id",
    "entered_in_error": "reason: a code",
    "content_redacted": "why: of the program",
    "clock_jumped": "",
}
ABOUT_NO_EMPLOYEE = (
    "action_",
    "case_",
    "content_",
    "database_",
    "dispute_",
    "guards_",
    "incident_",
    "leaflet_confirmed",
    "organisation_",
    "person_",
    "reliability_",
    "round_",
    "sample_",
    "schema_",
    "setting_",
    "sitting_",
    "target_",
)
"""How the kinds of step begin that are about no employee."""


@pytest.fixture(scope="module")
def demo(demo_made: tuple[Path, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration, with somebody erased in it and one step redacted; only to be read or copied."""
    folder = Path(shutil.copytree(demo_made[0], tmp_path_factory.mktemp("protect") / "demo"))
    with closing(open_instance(folder)) as instance, instance.db.write() as conn:
        gone = next(e for e, _ in identity.every(conn) if not any_open(conn, e.id))
        words = erasing.typed_about(conn, instance.library, gone)
        going = erasing.chosen(words, "all")
        assert going
        dataset = instance.library.current.dataset
        erasing.take_out(conn, dataset, gone.id, "The employee asked", going, "cli:test", instance.store.at())
    return folder


def any_open(conn: Any, employee: str) -> bool:
    query = "SELECT 1 FROM consultation WHERE employee = ? AND state = 'open'"
    return conn.execute(query, (employee,)).fetchone() is not None


@pytest.fixture(scope="module")
def handed(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole record of the demonstration as lines."""
    file = tmp_path_factory.mktemp("handed") / "record.jsonl"
    with closing(open_instance(demo)) as instance:
        handing_over.write(instance, file)
    return file


# ---------------------------------------------------------------- the whole record


def test_the_lines_hold_every_row_of_the_record(demo: Path, handed: Path) -> None:
    lines = list(handing_over.read(handed))
    by_type: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_type.setdefault(line["type"], []).append(line)
    with closing(open_instance(demo)) as instance:
        conn = instance.db.read()
        rows = {t: [dict(r) for r in conn.execute(f"SELECT * FROM {t}")] for t in ("step", "step_content", "employee")}
        contents = {row["seq"]: row for row in rows["step_content"]}
        assert len(by_type["step"]) == len(rows["step"]) > 300
        for line, row in zip(by_type["step"], rows["step"], strict=True):
            content = contents.get(row["seq"])
            assert {**row, "type": "step"} == {n: v for n, v in line.items() if n not in ("salt", "content")}
            assert line["salt"] == (content["salt"] if content else None)
            assert line["content"] == (json.loads(content["content"]) if content else None)
        plain = [{n: v for n, v in line.items() if n != "type"} for line in by_type["employee"]]
        held = [{n: v for n, v in row.items() if n != "folded_name"} for row in rows["employee"]]
        assert sorted(plain, key=str) == sorted(held, key=str)
        assert [r.fields for r in cases.iterate(conn)] == [line["fields"] for line in by_type["case"]]
        texts = {r["digest"]: json.loads(r["texts"]) for r in conn.execute("SELECT digest, texts FROM definition")}
        assert {line["digest"]: line["texts"] for line in by_type["version"]} == texts
        hashes = [row["password_hash"] for row in conn.execute("SELECT password_hash FROM person")]
    assert len(hashes) > 3
    assert not [one for one in hashes if one in handed.read_text("utf-8")]


def test_a_record_made_from_the_lines_alone_is_whole_and_has_the_same_cases(
    demo: Path, handed: Path, tmp_path: Path
) -> None:
    """The round trip: an empty installation, filled from the lines, proves itself and makes the very same cases."""
    folder = tmp_path / "again"
    with closing(open_instance(folder, create=True)) as instance:
        pass
    fill(folder, list(handing_over.read(handed)))
    with closing(open_instance(folder)) as instance:
        verifying.rebuild(instance)
        with closing(open_instance(demo)) as before:
            for query in ("SELECT * FROM case_row ORDER BY 1, 2, 3, 4, 5", "SELECT * FROM consultation ORDER BY id"):
                one, two = ([tuple(r) for r in i.db.read().execute(query)] for i in (before, instance))
                assert one == two
            assert ledger.head(before.db.read()) <= ledger.head(instance.db.read())
        assert ledger.verify(instance.db.read()) is None


def fill(folder: Path, lines: list[dict[str, Any]]) -> None:
    """Put the lines into the tables of an empty installation, as another supplier's importer would."""
    from consult.record.database import GUARDS, sqlite3

    with closing(sqlite3.connect(str(database_file(folder)))) as conn:
        for name in GUARDS:
            conn.execute(f"DROP TRIGGER {name}")
        for table in ("step_content", "step", "definition", "setting"):
            conn.execute(f"DELETE FROM {table}")
        for line in lines:
            if line["type"] == "step":
                names = [n for n in line if n not in ("type", "salt", "content")]
                values = [line[n] for n in names]
                conn.execute(f"INSERT INTO step ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", values)
                if line["content"] is not None:
                    said = (line["seq"], line["salt"], ledger.canonical(line["content"]))
                    conn.execute("INSERT INTO step_content (seq, salt, content) VALUES (?, ?, ?)", said)
            elif line["type"] == "version":
                row = [line[n] for n in ("digest", "kind", "id", "version")]
                row += [json.dumps(line["texts"], ensure_ascii=False), line["first_used"]]
                conn.execute(
                    "INSERT INTO definition (digest, kind, id, version, texts, first_used) VALUES (?, ?, ?, ?, ?, ?)",
                    row,
                )
            elif line["type"] == "employee":
                row = [line[n] for n in ("id", "name", "date_of_birth", "local_number", "registered_at")]
                conn.execute(
                    "INSERT INTO employee (id, name, date_of_birth, local_number, registered_at, folded_name) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    [*row, identity.fold_name(line["name"])],
                )
        for name, words in GUARDS.items():
            conn.execute(f"CREATE TRIGGER {name} {words}")
        conn.commit()


@pytest.mark.parametrize("kind", ["step", "employee", "version", "person", "case", "end", "record"])
def test_a_line_that_is_missing_is_found(handed: Path, tmp_path: Path, kind: str) -> None:
    lines = handed.read_text("utf-8").splitlines(keepends=True)
    of_kind = [n for n, line in enumerate(lines) if json.loads(line)["type"] == kind]
    del lines[of_kind[len(of_kind) // 2]]
    cut = tmp_path / "cut.jsonl"
    cut.write_text("".join(lines), "utf-8")
    with pytest.raises(Refused, match="write"):
        handing_over.prove(cut)


@pytest.mark.parametrize("change", ["content", "at", "texts", "not json"])
def test_a_line_that_was_changed_is_found(handed: Path, tmp_path: Path, change: str) -> None:
    lines = [json.loads(line) for line in handed.read_text("utf-8").splitlines()]
    if change == "texts":
        next(line for line in lines if line["type"] == "version")["texts"]["text"] = "another"
    else:
        step = next(line for line in lines if line.get("kind") == "answer_given" and line["content"])
        step["content" if change == "content" else "at"] = {"state": "absent"} if change == "content" else "2020-01-01"
    written = [json.dumps(line, ensure_ascii=False) for line in lines]
    if change == "not json":
        written[5] = written[5][:-1]
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text("\n".join(written) + "\n", "utf-8")
    with pytest.raises(Refused, match="write"):
        handing_over.prove(wrong)


def test_the_command_writes_proves_and_writes_over_nothing(consult: Consult, demo: Path, tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    said = consult(demo, "hand-over", file).output
    assert "proved." in said
    assert file.stat().st_mode & 0o077 == 0
    assert "is there already" in consult(demo, "hand-over", file, code=1).output
    assert "proved." in consult(tmp_path / "nowhere", "hand-over", file, "--check").output
    with file.open("a", encoding="utf-8") as stream:
        stream.write('{"type": "case"}\n')
    assert "Lines are missing" in consult(demo, "hand-over", file, "--check", code=1).output


# ---------------------------------------------------------------- erasing


NURSE = Who("p-nurse", "nurse")


def signed(instance: Instance, employee: str, **given: Answer) -> str:
    """A consultation signed with these answers."""
    store: Store = instance.store
    id_ = store.start(Start(employee, "A", "DEMO", "in_person", "45-54"), NURSE)
    for question, answer in given.items():
        asked = instance.library.current.proforma.by_id[question]
        store.save(id_, asked, answer, 0, f"{id_}:{question}", "single", NURSE)
    consultation = store.consultation(id_)
    assert consultation is not None
    blank = [q.id for q in blank_emergencies(store.path_of(consultation))]
    said = {"reason": "other", "text": f"{NAME} had to leave", "questions": blank}
    store.note(id_, "blank_emergencies_explained", said, f"{id_}:blank", NURSE)
    from consult.documents import signing

    signing.sign(store, id_, NURSE, False, f"{id_}:sign")
    return id_


ADVICE = {
    "back_pain_reason": Answer("answered", "main"),
    "story_of_episode": Answer("answered", "Mr Quillfeather slipped on a stair"),
    "employee_concern": Answer("answered", "Whether it will come back"),
    "stay_or_return_advice": Answer("answered", "not_appropriate"),
    "stay_or_return_reason": Answer("answered", "Zebedee is off for another reason"),
}


@pytest.fixture
def real(demo_copy: Path) -> Path:
    """A copy of the demonstration with one employee whose words name him."""
    with closing(open_instance(demo_copy)) as instance:
        employee = instance.store.register(NAME, BORN, NUMBER, NURSE)
        signed(instance, employee.id, **ADVICE)
    return demo_copy


def known(folder: Path) -> str:
    with closing(open_instance(folder)) as instance:
        return identity.find(instance.db.read(), NAME)[0].id


def everything_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("consult.db*") if "before-restore" not in path.name)


def holds_nothing_of_him(folder: Path) -> bool:
    held = everything_on_disk(folder)
    return not [word for word in ("Zebedee", "Quillfeather", "quillfeather", NUMBER) if word.encode() in held]


def head_of(folder: Path) -> tuple[int, str]:
    with closing(open_instance(folder)) as instance:
        return ledger.head(instance.db.read())


def case_rows(folder: Path) -> list[dict[str, str]]:
    with closing(open_instance(folder)) as instance:
        return [row.fields for row in cases.iterate(instance.db.read())]


def test_erasing_takes_identity_and_words_and_leaves_a_whole_log_and_every_case(consult: Consult, real: Path) -> None:
    id_, before = known(real), case_rows(real)
    assert not holds_nothing_of_him(real)
    with closing(open_instance(real)) as instance:
        head = ledger.head(instance.db.read())[0]
    said = consult(real, "employee", "erase", id_, "--reason", "Asked by letter").output
    assert "Nothing was erased" in said
    assert not holds_nothing_of_him(real)
    consult(real, "employee", "erase", id_, "--reason", "Asked by letter", "--yes")
    assert holds_nothing_of_him(real)
    assert "The record is whole" in consult(real, "verify").output
    consult(real, "rebuild")
    assert "The record is whole" in consult(real, "verify").output
    assert holds_nothing_of_him(real)
    with closing(open_instance(real)) as instance:
        conn = instance.db.read()
        assert identity.employee(conn, id_) is None
        (consultation,) = about.consultations_of(conn, id_)
        state = instance.store.consultation(consultation)
        assert state is not None
        assert state.answers["employee_concern"].value == "Whether it will come back"  # it names nobody, and stays
        assert [s for s in ledger.steps(conn) if s.seq <= head and s.content is None]
    after = case_rows(real)
    words = {row["case_ref"]: row["stay_reason"] for row in before}
    assert "Zebedee is off for another reason" in words.values()
    assert [{**row, "stay_reason": ""} for row in before] == [{**row, "stay_reason": ""} for row in after]
    changed = [row["case_ref"] for row in after if row["stay_reason"] != words[row["case_ref"]]]
    assert changed == [consultation]


def test_before_erasing_it_is_said_from_which_steps_words_would_go(consult: Consult, real: Path) -> None:
    id_ = known(real)
    with closing(open_instance(real)) as instance:
        employee = record.check_may_go(instance.db.read(), id_, instance.today())
        found = erasing.typed_about(instance.db.read(), instance.library, employee)
    for which in erasing.WHICH:
        said = consult(real, "employee", "erase", id_, "--reason", "asked", "--words", which).stdout
        going = [str(step.seq) for step in erasing.chosen(found, which)]
        if not going:
            assert "They go from none of these." in said
            continue
        listed = re.search(r"They go from (\d+) steps?: ([\d, ]+?)(, and more)?\.\n", said)
        assert listed is not None
        assert (int(listed[1]), listed[2].split(", ")) == (len(going), going[:20])
        assert bool(listed[3]) == (len(going) > 20)


def test_all_words_go_if_that_is_wanted_and_none_if_not(consult: Consult, real: Path, tmp_path: Path) -> None:
    id_ = known(real)
    whole = Path(shutil.copytree(real, tmp_path / "none"))
    consult(real, "employee", "erase", id_, "--reason", "Asked by letter", "--words", "all", "--yes")
    consult(whole, "employee", "erase", id_, "--reason", "Asked by letter", "--words", "none", "--yes")
    for folder, left in ((real, 0), (whole, 5)):
        with closing(open_instance(folder)) as instance:
            conn = instance.db.read()
            (consultation,) = about.consultations_of(conn, id_)
            texts = [t for s in ledger.steps(conn, consultation=consultation) for t in about.leaves(s.content)]
            typed = [t for t in texts if " " in t and t != "in_person"]
            assert len(typed) == left, typed
        assert "The record is whole" in consult(folder, "verify").output


def test_a_backup_of_before_is_erased_again_when_it_is_restored(consult: Consult, real: Path, tmp_path: Path) -> None:
    id_ = known(real)
    backup = tmp_path / "before.db"
    consult(real, "backup", backup)
    consult(real, "employee", "erase", id_, "--reason", "Asked by letter", "--yes")
    listed = (real / erasing.LIST).read_text("utf-8")
    assert id_ in listed
    assert not [word for word in ("Zebedee", "Quillfeather", NUMBER) if word in listed]
    consult(real, "restore", backup)  # into the same folder: by itself
    assert holds_nothing_of_him(real)
    assert "The record is whole" in consult(real, "verify").output
    elsewhere = tmp_path / "elsewhere"
    consult(elsewhere, "restore", backup)
    assert not holds_nothing_of_him(elsewhere)  # the control: without the list all of it is back
    said = consult(elsewhere, "employee", "erase-again", real / erasing.LIST).output
    assert "1 employee erased again" in said
    assert holds_nothing_of_him(elsewhere)
    assert "The record is whole" in consult(elsewhere, "verify").output
    assert "0 employees erased again" in consult(elsewhere, "employee", "erase-again", real / erasing.LIST).output
    kept, anew = (elsewhere / erasing.LIST).read_text("utf-8").splitlines()
    assert kept == listed.strip()
    assert id_ in anew


def test_who_was_put_on_hold_after_the_erasing_is_not_erased_again(
    consult: Consult, real: Path, tmp_path: Path
) -> None:
    """Back after a restore elsewhere, and then a claim: the hold is the later word."""
    id_ = known(real)
    consult(real, "backup", tmp_path / "before.db")
    consult(real, "employee", "erase", id_, "--reason", "Asked by letter", "--yes")
    elsewhere = tmp_path / "elsewhere"
    consult(elsewhere, "restore", tmp_path / "before.db")
    consult(elsewhere, "employee", "hold", id_, "--reason", "A claim is open")
    said = consult(elsewhere, "employee", "erase-again", real / erasing.LIST)
    assert "0 employees erased again" in said.stdout
    assert f"{id_} was not erased again, as a hold was set later" in said.stderr
    consult(elsewhere, "backup", tmp_path / "held.db")
    assert f"{id_} was not erased again" in consult(elsewhere, "restore", tmp_path / "held.db").stderr
    assert not holds_nothing_of_him(elsewhere)
    consult(elsewhere, "employee", "end-hold", id_, "--reason", "The claim is settled")
    assert "1 employee erased again" in consult(elsewhere, "employee", "erase-again", real / erasing.LIST).stdout
    assert holds_nothing_of_him(elsewhere)


def test_a_hold_that_was_ended_before_the_erasing_does_not_stand_in_its_way_though_a_backup_holds_it(
    consult: Consult, real: Path, tmp_path: Path
) -> None:
    id_ = known(real)
    consult(real, "employee", "hold", id_, "--reason", "A claim is open")
    consult(real, "backup", tmp_path / "held.db")
    consult(real, "employee", "end-hold", id_, "--reason", "The claim is settled")
    consult(real, "employee", "erase", id_, "--reason", "Asked by letter", "--yes")
    assert "not erased again" not in consult(real, "restore", tmp_path / "held.db").output
    assert holds_nothing_of_him(real)


def test_a_list_that_is_none_restores_nothing(consult: Consult, real: Path, tmp_path: Path) -> None:
    consult(real, "backup", tmp_path / "copy.db")
    (real / erasing.LIST).write_text("not a list\n", "utf-8")
    before = head_of(real)
    assert "no list of what was erased" in consult(real, "restore", tmp_path / "copy.db", code=1).output
    assert head_of(real) == before
    assert not list(real.glob("*before-restore*"))


@pytest.mark.skipif(os.name == "nt", reason="a process is given a limit")
@pytest.mark.parametrize("room", [0, 20])
def test_without_room_for_its_line_nobody_is_erased_and_the_list_stays_whole(
    consult: Consult, real: Path, tmp_path: Path, room: int
) -> None:
    """Half a line would have every later restore refused."""
    id_, file = known(real), real / erasing.LIST
    line = '{"employee": "e", "at": "2026-01-01", "why": "Asked", "redacted": []}\n'
    file.write_text(line * (4_000_000 // len(line)), "ascii")  # longer than what else is written may grow
    before = file.read_bytes()
    limited = (
        "import resource, sys; from consult.cli import main; size = int(sys.argv[1]);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)); main(['--instance', *sys.argv[2:]])"
    )
    words = (real, "employee", "erase", id_, "--reason", "Asked by letter", "--yes")
    run = [sys.executable, "-c", limited, str(len(before) + room), *words]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert file.read_bytes() == before
    assert known(real) == id_
    consult(real, "employee", "erase", id_, "--reason", "Asked by letter", "--yes")
    assert len(erasing.read_list(file)) == before.count(b"\n") + 1


LIMITED = (
    "import resource, signal, sys; from consult.cli import main; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); main(['--instance', *sys.argv[1:]])"
)
ENDED_AT = (
    "import os, sys; from consult.cli import main; from consult.record.database import Database; before, file, *words ="
    " sys.argv[1:]; connect = Database._connect\n"
    "def traced(self, *kept):\n"
    "    conn = connect(self, *kept)\n"
    "    conn.set_trace_callback(lambda said: said.startswith(before) and os.path.exists(file) and os._exit(9))\n"
    "    return conn\n"
    "Database._connect = traced; main(['--instance', *words])"
)


def erase_in_a_process(code: str, folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    asked = (folder, "employee", "erase", known(folder), "--reason", "Asked by letter", "--yes")
    run = [sys.executable, "-c", code, *map(str, (*words, *asked))]
    return subprocess.run(run, capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.name == "nt", reason="a process is given a limit")
def test_an_erasing_that_failed_is_not_done_by_a_later_restore(consult: Consult, real: Path, tmp_path: Path) -> None:
    """There is room for the line, and none for what the database would keep."""
    id_ = known(real)
    consult(real, "backup", tmp_path / "before.db")
    with closing(open_instance(real)):
        done = erase_in_a_process(LIMITED, real)
    assert done.returncode == 1
    assert "This was not saved, as the disk" in done.stderr
    assert (real / erasing.LIST).read_bytes().strip() == b"", "it was written, and taken back"
    consult(real, "restore", tmp_path / "before.db")
    assert known(real) == id_
    consult(real, "employee", "erase", id_, "--reason", "Asked by letter", "--yes")
    assert [line.employee for line in erasing.read_list(real / erasing.LIST)] == [id_]
    consult(real, "restore", tmp_path / "before.db")
    assert holds_nothing_of_him(real)


@pytest.mark.parametrize(("before", "gone"), [("COMMIT", False), ("PRAGMA wal_checkpoint", True)])
def test_a_kill_while_somebody_is_erased_never_lets_them_come_back(
    consult: Consult, real: Path, tmp_path: Path, before: str, gone: bool
) -> None:
    """Before it is kept, and after: the line stands in either case."""
    id_ = known(real)
    consult(real, "backup", tmp_path / "before.db")
    assert erase_in_a_process(ENDED_AT, real, before, real / erasing.LIST).returncode == 9
    with closing(open_instance(real)) as instance:
        assert (identity.entered(instance.db.read(), id_) is None) == gone
    assert [line.employee for line in erasing.read_list(real / erasing.LIST)] == [id_]
    consult(real, "restore", tmp_path / "before.db")
    assert holds_nothing_of_him(real)


def test_an_interrupt_once_it_was_kept_takes_no_line_back(real: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    id_ = known(real)
    with closing(open_instance(real)) as instance:
        instance.db.when_kept = interrupt
        with pytest.raises(KeyboardInterrupt):
            protecting._erase(instance, id_, "Asked by letter", "naming")
        assert identity.entered(instance.db.read(), id_) is None
    assert [line.employee for line in erasing.read_list(real / erasing.LIST)] == [id_]


def test_lines_are_taken_back_from_among_others(tmp_path: Path) -> None:
    lines = [erasing.Erased(f"e-{n}", "2026-01-01", "Gefragt \u2028 \u00e4", ((n, "h"),)) for n in range(5)]
    for line in lines:
        erasing.write_down(tmp_path, line)
    erasing.take_back(tmp_path, [lines[0], lines[3]])
    erasing.write_down(tmp_path, lines[0])
    assert erasing.read_list(tmp_path / erasing.LIST) == [lines[1], lines[2], lines[4], lines[0]]


def test_nobody_is_erased_on_hold_or_in_an_open_consultation(consult: Consult, real: Path) -> None:
    id_ = known(real)
    consult(real, "employee", "hold", id_, "--reason", "A claim is open", "--until", "2031-05-06")
    for _ in range(2):
        said = consult(real, "employee", "erase", id_, "--reason", "Asked by letter", "--yes", code=1).output
        assert "on hold until 2031-05-06 (A claim is open)" in said
    assert f"Hold on {id_}, A claim is open" in consult(real, "employee", "due").output
    consult(real, "employee", "end-hold", id_, "--reason", "The claim is settled")
    assert "No hold is set" in consult(real, "employee", "end-hold", id_, "--reason", "Again", code=1).output
    with closing(open_instance(real)) as instance:
        instance.store.start(Start(id_, "A", "DEMO", "video", "45-54"), NURSE)
    said = consult(real, "employee", "erase", id_, "--reason", "Asked by letter", "--yes", code=1).output
    assert "still open" in said
    assert known(real) == id_


@pytest.mark.parametrize("before", ["", "2031-05-06", "2031-05-07", "2000-01-01"])
@pytest.mark.parametrize("after", ["", "2031-05-06", "2031-05-07", "2000-01-01"])
def test_no_hold_is_set_that_holds_nothing_or_ends_another_sooner(demo_copy: Path, before: str, after: str) -> None:
    def put(until: str) -> str | None:
        """What the hold is until now; None where it was refused."""
        try:
            day = date.fromisoformat(until) if until else None
            record.set_hold(conn, id_, f"Because of {until}", day, "cli:test", "2030-01-01T12:00:00.000Z")
        except Refused:
            return None
        return record.holds(conn)[id_].until

    with closing(open_instance(demo_copy)) as instance, instance.db.write() as conn:
        id_ = identity.every(conn)[0][0].id
        over, sooner = "2000-01-01", bool(after) and (not before or after < before)
        assert put(before) == (None if before == over else before)
        assert put(after) == (None if after == over or (sooner and before != over) else after)


def test_a_hold_ends_with_its_day(demo_copy: Path) -> None:
    with closing(open_instance(demo_copy)) as instance, instance.db.write() as conn:
        id_ = identity.every(conn)[0][0].id
        record.set_hold(conn, id_, "A claim is open", date(2031, 5, 6), "cli:test", instance.store.at())
        hold = record.holds(conn)[id_]
        assert hold.stands(date(2031, 5, 6))
        assert not hold.stands(date(2031, 5, 7))
        for reason in ("", "no"):
            with pytest.raises(Refused, match="Say why"):
                record.set_hold(conn, id_, reason, None, "cli:test", instance.store.at())


def test_what_is_due_is_listed_and_never_erased_by_itself(consult: Consult, real: Path) -> None:
    assert "No rule is set" in consult(real, "employee", "due").output
    with closing(open_instance(real)) as instance, instance.db.write() as conn:
        set_keeping(conn, "retention_years", "8", "cli:test", instance.store.at())
        old = Draft("employee_registered", {"employee": "e-old"}, "cli:test", "2011-01-01T00:00:00Z")
        ledger.append(conn, old)
        conn.execute(
            "INSERT INTO employee (id, name, folded_name, date_of_birth, local_number, registered_at) "
            "VALUES ('e-old', 'Olaf Old', 'olaf old', '1950-01-01', '', '2011-01-01T00:00:00Z')"
        )
    said = consult(real, "employee", "due").output
    assert "e-old  last seen 2011-01-01" in said
    assert "1 employee due" in said
    assert "Olaf" not in said
    assert known(real) not in said
    consult(real, "tend")
    with closing(open_instance(real)) as instance:
        assert identity.employee(instance.db.read(), "e-old") is not None


@pytest.mark.parametrize(
    ("today", "last", "is_due"),
    [
        (date(2026, 11, 27), "2018-11-27T23:00:00Z", True),
        (date(2026, 11, 27), "2018-11-28T01:00:00Z", False),
        (date(2028, 2, 29), "2020-02-28T01:00:00Z", True),
        (date(2028, 2, 29), "2020-03-01T01:00:00Z", False),
    ],
)
def test_the_rule_is_whole_years(today: date, last: str, is_due: bool) -> None:
    assert bool(erasing.due({"e": last}, 8, today)) == is_due
    assert erasing.due({"e": last}, 0, today) == []


def test_access_by_command_writes_a_file_for_its_owner_and_a_step(consult: Consult, real: Path, tmp_path: Path) -> None:
    id_ = known(real)
    for form, word in (("html", "<h1>Everything held about Zebedee"), ("json", '"name": "Zebedee')):
        file = tmp_path / f"all.{form}"
        consult(real, "employee", "access", id_, "--reason", "By letter", "--format", form, "--output", file)
        assert word in file.read_text("utf-8")
        assert file.stat().st_mode & 0o077 == 0
        again = consult(real, "employee", "access", id_, "--reason", "By letter", "--output", file, code=1)
        assert "is there already" in again.output
    with closing(open_instance(real)) as instance:
        told = list(ledger.steps(instance.db.read(), kind="record_handed_out"))
        assert [step.content["form"] for step in told if step.content] == ["html", "json"]
        assert "http" not in (tmp_path / "all.html").read_text("utf-8").partition("</head>")[0]
        with pytest.raises(Refused):
            access.everything(instance, "nobody", "Asked by letter", "html", "cli:test")


# ---------------------------------------------------------------- what is typed


def test_every_kind_of_step_that_holds_typed_words_is_known_as_such() -> None:
    """A new kind of step with a text about an employee fails here until it is said that its words can go."""
    assert set(about.TYPED) <= set(KINDS)
    for kind, keys in KINDS.items():
        assert keys is None or set(about.TYPED.get(kind, ())) <= keys, kind
        if keys is None or kind.startswith(ABOUT_NO_EMPLOYEE) or kind in NOT_TYPED:
            continue
        assert keys & TYPED_KEYS <= set(about.TYPED.get(kind, ())), kind


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Mr QUILLFEATHER rang", True),
        ("Zebedee's back", True),
        ("born 2 March 1980", True),
        ("02/03/1980", True),
        ("local-777", True),
        ("quillfeathers in general", False),
        ("2 March 1981", False),
        ("777", False),
        ("", False),
    ],
)
def test_what_names_the_employee(text: str, named: bool) -> None:
    assert identity.names(identity.Employee("e", NAME, BORN, NUMBER), text) == named


def test_short_parts_of_a_name_name_nobody() -> None:
    employee = identity.Employee("e", "Jo de Wit", BORN, "12")
    assert not identity.names(employee, "Jo de 12")
    assert identity.names(employee, "Ms Wit")


# ---------------------------------------------------------------- an employee who was entered twice


def test_an_employee_entered_twice_is_shown_held_and_erased_whole(demo_made: tuple[Path, Any], tmp_path: Path) -> None:
    """Both entries go, and each has a line: a backup may be older than the step that says that they are one."""
    folder = Path(shutil.copytree(demo_made[0], tmp_path / "demo"))
    before = Path(shutil.copytree(folder, tmp_path / "before"))
    with closing(open_instance(folder)) as instance:
        conn, at, dataset = instance.db.read(), instance.store.at(), instance.library.current.dataset
        held = [
            e.id for e, _ in identity.every(conn) if about.consultations_of(conn, e.id) and not any_open(conn, e.id)
        ]
        keep, other = held[:2]
        both = about.consultations_of(conn, keep) + about.consultations_of(conn, other)
        nurse = next(iter(people.people(conn)))
        with instance.db.write() as writing:
            own.say(writing, nurse.id, other, "cli:test", "", at)
            merging.merge(writing, keep, other, "cli:test", "", at)
        for id_ in (keep, other):
            assert sorted(about.consultations_of(conn, id_)) == sorted(both)
            assert len(access.everything(instance, id_, "The employee asked", "json", "cli:test").consultations) == len(
                both
            )
        assert {keep, other} & about.last_seen(conn).keys() == {keep}
        with instance.db.write() as writing:
            record.set_hold(writing, other, "A claim is open", None, "cli:test", at)
        with pytest.raises(Refused, match="on hold"):
            record.check_may_go(conn, keep, instance.today())
        with instance.db.write() as writing:
            record.end_hold(writing, other, "The claim is settled", "cli:test", at)
            known = record.check_may_go(writing, other, instance.today())
            going = erasing.chosen(erasing.typed_about(writing, instance.library, known), "naming")
            lines = erasing.take_out(writing, dataset, known.id, "The employee asked", going, "cli:test", at)
        assert {line.employee for line in lines} == {keep, other}
        assert not identity.entered(conn, keep)
        assert not identity.entered(conn, other)
        assert own.of_person(conn, nurse.id) == ""
    assert verifying.verify(folder)[1] == []
    with closing(open_instance(before)) as instance, instance.db.write() as writing:
        assert len(erasing.again(writing, dataset, lines, "cli:test", at)) == 2
        assert not identity.entered(writing, other)
