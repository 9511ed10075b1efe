"""What was handed out proves itself: case files, results and signed notes against the head they carry."""

import json
import re

import pytest

from consult.audit import rounds
from consult.documents import signing
from consult.documents.called import called
from consult.documents.note import after_signing, mark_of, note, with_head
from consult.exports import beside
from consult.instance import open_instance
from consult.record import settings
from consult.record.store import Who
from consult.signed import head_at, signer

NESTED = '{"head":' * 100_000


def verified(consult, folder, *files, code=0):
    result = consult(folder, "verify", *files, code=code)
    return result.stdout + result.stderr


@pytest.fixture
def case_file(consult, demo_copy, tmp_path):
    file = tmp_path / "cases.csv"
    consult(demo_copy, "cases", "export", file)
    return demo_copy, file


def test_a_case_file_has_its_head_beside_it_and_is_as_the_record_says(consult, case_file):
    folder, file = case_file
    head = json.loads(beside(file).read_text())
    assert head["cases"] == len(file.read_text().splitlines()) - 1
    assert re.fullmatch(r"[0-9a-f]{64}", head["hash"])
    assert "as the record says" in verified(consult, folder, file)


def correct_one(folder):
    """Enter a signed consultation in error, which takes its case away; returns its id."""
    instance = open_instance(folder)
    row = instance.db.read().execute("SELECT id, clinician FROM consultation WHERE state = 'signed' LIMIT 1").fetchone()
    signing.enter_in_error(instance.store, row[0], "wrong_person", "", "key-of-sixteen-and-more", Who(row[1], "nurse"))
    instance.close()
    return row[0]


def test_a_case_file_made_earlier_still_holds_and_later_steps_are_named(consult, case_file):
    folder, file = case_file
    correct_one(folder)
    said = verified(consult, folder, file)
    assert "as the record says" in said
    assert "Since then 1 steps changed cases" in said


CHANGES = {
    "a value": (lambda lines: [*lines[:3], swap(lines[3]), *lines[4:]], r"Line 4: the case .+ was another in "),
    "a case gone": (lambda lines: lines[:3] + lines[4:], r"The case .+ is missing from the file"),
    "a case twice": (lambda lines: [*lines, lines[3]], r"Line \d+: the record had no case .+ or the file has it twice"),
    "another order": (lambda lines: [lines[0], *lines[:0:-1]], r"in another order"),
    "nothing left": (lambda lines: lines[:1], r"is missing from the file"),
}


def swap(line):
    cells = line.split(",")
    at = max(n for n, cell in enumerate(cells) if cell.isalpha())
    return ",".join([*cells[:at], "changed", *cells[at + 1 :]])


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("digest_too", [False, True], ids=["", "its digest worked out again"])
def test_a_changed_case_file_is_found_and_the_rows_are_named(consult, case_file, change, digest_too):
    import hashlib

    folder, file = case_file
    work, says = CHANGES[change]
    file.write_bytes("".join(work(file.read_bytes().decode().splitlines(keepends=True))).encode())
    if digest_too:
        head = json.loads(beside(file).read_text())
        beside(file).write_text(json.dumps(head | {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}))
    said = verified(consult, folder, file, code=1)
    assert re.search(says, said)
    assert ("it was changed since" in said) is not digest_too


def test_a_file_with_another_head_is_of_another_record(consult, case_file, real):
    folder, file = case_file
    head = json.loads(beside(file).read_text())
    beside(file).write_text(json.dumps(head | {"step": head["step"] - 1}))
    assert "is no step of this log" in verified(consult, folder, file, code=1)
    beside(file).write_text(json.dumps(head))
    assert "is no step of this log" in verified(consult, real, file, code=1)


@pytest.mark.parametrize("text", ["", "{}", '{"step": "1"}', "[]", NESTED])
def test_a_head_that_cannot_be_read_is_not_all_is_well(consult, case_file, text):
    folder, file = case_file
    beside(file).write_text(text)
    assert "nothing was compared" in verified(consult, folder, file, code=1)


@pytest.mark.parametrize("step", [10**30, -(10**30), 2**63])
def test_a_step_beyond_any_number_of_a_database_is_no_step(consult, case_file, step):
    folder, file = case_file
    head = json.loads(beside(file).read_text())
    beside(file).write_text(json.dumps(head | {"step": step}))
    assert "is no step of this log" in verified(consult, folder, file, code=1)


@pytest.mark.parametrize(
    "text",
    [
        NESTED,
        '{"head": {"step": 1e999, "hash": "", "provider": "", "capture": ""}}',
        f'<meta name="consult-paper" content="{"[" * 100_000}">',
        f"Step {'9' * 5000} of the record, {'0' * 64}",
    ],
)
def test_a_file_made_to_trip_its_reader_is_not_compared_and_that_is_said(consult, demo_copy, tmp_path, text):
    file = tmp_path / "handed-in"
    file.write_text(text)
    assert "nothing was compared" in verified(consult, demo_copy, file, code=1)


def test_a_file_without_a_head_is_not_all_is_well(consult, case_file):
    folder, file = case_file
    beside(file).unlink()
    assert "carries no head, so nothing was compared" in verified(consult, folder, file, code=1)
    assert "can't be read" in verified(consult, folder, file.with_name("none"), code=1)


def test_nothing_is_written_over_without_being_asked(consult, case_file):
    folder, file = case_file
    file.unlink()
    assert "is there already" in consult(folder, "cases", "export", file, code=1).stderr
    consult(folder, "cases", "export", file, "--force")


def test_an_export_to_standard_output_writes_no_file(consult, demo_copy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    consult(demo_copy, "cases", "export")
    assert not list(tmp_path.glob("*.head.json"))


def test_results_carry_the_head_only_when_asked_and_are_counted_again(consult, demo_copy, tmp_path):
    words = ("results", "--format", "json", "--capture", "retrospective")
    plain = json.loads(consult(demo_copy, *words).stdout)
    assert "head" not in plain
    file = tmp_path / "results.json"
    file.write_text(consult(demo_copy, *words, "--head", "--cases").stdout)
    correct_one(demo_copy)
    assert "as the record says" in verified(consult, demo_copy, file)
    known = json.loads(file.read_text())
    some = sorted(known["measures"])[3]
    known["measures"][some]["missing"] += 1
    file.write_text(json.dumps(known))
    assert f"measures.{some} is not what is counted" in verified(consult, demo_copy, file, code=1)
    file.write_text(json.dumps(plain))
    assert "nothing was compared" in verified(consult, demo_copy, file, code=1)


def test_results_of_live_cases_are_counted_as_they_were_at_their_head(consult, demo_copy, tmp_path):
    file = tmp_path / "results.json"
    words = ("results", "--format", "json", "--capture", "live", "--provider", "DEMO", "--head")
    file.write_text(consult(demo_copy, *words).stdout)
    correct_one(demo_copy)
    assert "Since then 1 steps changed cases" in verified(consult, demo_copy, file)


@pytest.fixture
def signed_note(demo_copy, tmp_path):
    """The text of a signed note as it is copied, in a file."""
    instance = open_instance(demo_copy)
    id_ = instance.db.read().execute("SELECT id FROM consultation WHERE state = 'signed' LIMIT 1").fetchone()[0]
    consultation = instance.store.consultation(id_)
    path = instance.store.path_of(consultation)
    by = signer(instance.db.read(), consultation)
    names = called(instance.db.read(), consultation)
    later = after_signing(consultation, path, names)
    text = with_head(note(consultation, path, names), by, head_at(consultation), draft=True, later=later)
    instance.close()
    file = tmp_path / "note.txt"
    file.write_text(text, "utf-8", newline="")
    return demo_copy, file


def test_a_signed_note_is_as_the_record_says_whatever_passes_it_on(consult, signed_note):
    folder, file = signed_note
    text = file.read_text("utf-8")
    for passed_on in (text, text.replace("\n", "\r\n"), f"\ufeff{text}", text.replace("\n", "  \n"), f"\n\n{text}\n\n"):
        file.write_text(passed_on, "utf-8", newline="")
        assert "as the record says" in verified(consult, folder, file)


def test_a_note_of_what_was_entered_in_error_is_as_the_record_says_with_its_mark_and_without(consult, signed_note):
    folder, file = signed_note
    before, id_ = file.read_text("utf-8"), correct_one(folder)
    instance = open_instance(folder)
    consultation = instance.store.consultation(id_)
    path = instance.store.path_of(consultation)
    names = called(instance.db.read(), consultation)
    by, later = signer(instance.db.read(), consultation), after_signing(consultation, path, names)
    mark = mark_of(consultation, instance.store.definition_of(consultation).proforma)
    marked = with_head(note(consultation, path, names), by, head_at(consultation), draft=True, later=later, mark=mark)
    instance.close()
    assert marked.startswith("ENTERED IN ERROR, marked on")
    file.write_text(marked, "utf-8", newline="")
    assert "as the record says" in verified(consult, folder, file)
    file.write_text(marked.replace("wrong person", "right person"), "utf-8", newline="")
    assert "That it was entered in error is not what the record says" in verified(consult, folder, file, code=1)
    file.write_text(before, "utf-8", newline="")
    assert "has been marked as entered in error" in verified(consult, folder, file)


def a_word_changed(text):
    lines = text.splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if "Not recorded:" in line or "No:" in line)
    return "".join([*lines[:at], lines[at].replace(":", ": not", 1), *lines[at + 1 :]])


NOTES = {
    "a word": (a_word_changed, "not the note that was signed"),
    "a line gone": (
        lambda text: "\n".join(text.split("\n")[:5] + text.split("\n")[6:]),
        "not the note that was signed",
    ),
    "another signer": (lambda text: re.sub("Signed by [^,]+", "Signed by Someone Else", text), "Who signed, and when"),
    "something below": (lambda text: text + "\nAFTER SIGNING\nAll was well.\n", "below its head"),
    "another step": (lambda text: re.sub(r"Step \d+ of", "Step 2 of", text), "no step of this log"),
}


@pytest.mark.parametrize("change", NOTES)
def test_a_changed_note_is_found(consult, signed_note, change):
    folder, file = signed_note
    work, says = NOTES[change]
    text = file.read_text("utf-8")
    assert work(text) != text
    file.write_text(work(text), "utf-8")
    assert says in verified(consult, folder, file, code=1)


def test_every_letter_of_a_note_counts(consult, signed_note):
    from consult import proving_exports

    folder, file = signed_note
    text = file.read_text("utf-8")
    end = text.index("Signed by")
    for at in range(0, end, max(1, end // 25)):
        if text[at].isspace():
            continue
        file.write_text(text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :], "utf-8")
        assert proving_exports.check(folder, file).wrong, text[at - 20 : at + 20]


def test_a_note_stays_as_it_was_signed_when_its_site_is_given_another_name(consult, signed_note):
    folder, file = signed_note
    instance = open_instance(folder)
    known = settings.sites(instance.db.read())
    with instance.db.write() as conn:
        for site in known.values():
            settings.put_site(conn, settings.Site(site.code, "Renamed", site.routes), "test", instance.store.at())
    instance.close()
    assert [name for site in known.values() if f"Site: {(name := site.name)}." in file.read_text("utf-8")]
    assert "as the record says" in verified(consult, folder, file)


def test_a_note_without_what_came_later_says_that_more_came(consult, signed_note):
    folder, file = signed_note
    instance = open_instance(folder)
    step = int(re.search(r"Step (\d+) of", file.read_text("utf-8"))[1])
    row = instance.db.read().execute("SELECT consultation, actor FROM step WHERE seq = ?", (step,)).fetchone()
    signing.add_addendum(
        instance.store, row[0], "She called.", "New", {}, "key-of-sixteen-and-more", Who(row[1], "nurse")
    )
    instance.close()
    said = verified(consult, folder, file)
    assert "as the record says" in said
    assert "More came after signing" in said


def test_a_paper_that_only_names_a_step_is_said_to_be_no_note(consult, signed_note):
    folder, file = signed_note
    head = re.search(r"Head of the step log: (\w+)", consult(folder, "verify").stdout)[1]
    steps = re.search(r"([\d,]+) steps", consult(folder, "verify").stdout)[1].replace(",", "")
    file.write_text(f"A letter\nMade at step {steps} of the record, {head}\n")
    said = verified(consult, folder, file)
    assert "Its text was not compared" in said


def test_results_of_a_round_are_counted_again_by_its_sample_not_by_its_dates(consult, demo_copy, tmp_path):
    """The demonstration gets a round of 5 cases a site, whose dates hold more than those."""
    instance = open_instance(demo_copy)
    with instance.db.write() as conn:
        wanted = rounds.Wanted("Five", "", "retrospective", "2020-01-01", "2027-12-31", "first", 5)
        rounds.set_round(conn, wanted, ("x", "audit_lead"), instance.store.at(), "key-of-five-cases-a-site")
    instance.close()
    words = ("results", "--format", "json", "--round", "Five", "--head")
    file = tmp_path / "round.json"
    file.write_text(consult(demo_copy, *words).stdout)
    known = json.loads(file.read_text())
    by_dates = json.loads(consult(demo_copy, "results", "--format", "json", "--capture", "retrospective").stdout)
    assert 0 < known["eligible"] < by_dates["eligible"]
    correct_one(demo_copy)
    assert "as the record says" in verified(consult, demo_copy, file)
    known["measures"]["red_flags_screened"]["met"] += 1
    file.write_text(json.dumps(known))
    assert "measures.red_flags_screened is not what is counted" in verified(consult, demo_copy, file, code=1)


def test_papers_of_evidence_are_made_and_held_by_command(consult, demo_copy, tmp_path):
    instance = open_instance(demo_copy)
    with instance.db.write() as conn:
        wanted = rounds.Wanted("All", "", "retrospective", "2020-01-01", "2027-12-31")
        rounds.set_round(conn, wanted, ("x", "audit_lead"), instance.store.at(), "key-of-all-of-the-cases")
    instance.close()
    made = {"slides": ("pptx", "html"), "plan": ("docx",), "report": ("pdf", "html"), "mohawk": ("html",)}
    files = []
    for kind, forms in made.items():
        for form in forms:
            file = tmp_path / f"{kind}.{form}"
            consult(demo_copy, "evidence", kind, "--round", "All", "--format", form, "--output", file)
            files.append(file)
    file = tmp_path / "by-itself.pptx"
    consult(demo_copy, "evidence", "slides", "--round", "All", "--output", file)
    assert file.read_bytes().startswith(b"PK")
    assert verified(consult, demo_copy, *files, file).count("as the record says") == len(files) + 1
    assert (
        "can be had as pptx or html"
        in consult(demo_copy, "evidence", "slides", "--round", "All", "--format", "pdf", code=2).output
    )
    assert (
        "--leaving is for plan"
        in consult(demo_copy, "evidence", "report", "--round", "All", "--leaving", code=2).output
    )
