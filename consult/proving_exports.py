"""What was handed out, held against the record by the head it carries: case files, results, papers, signed notes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import fields, replace

from consult.audit import cases, rounds, sampling
from consult.audit import results as audit
from consult.audit.results import Selection
from consult.audit.versions import VersionRefused
from consult.documents import saved
from consult.documents.called import called
from consult.documents.note import MARK, after_signing, mark_of, note
from consult.documents.words import DRAFT
from consult.evidence import EvidenceRefused, again
from consult.exchange import casefile, caselines
from consult.exchange.resultsfile import Version
from consult.exchange.sheets import unguarded
from consult.exports import Head, beside, results_json
from consult.instance import Instance, open_instance
from consult.proforma.days import day_in
from consult.proforma.model import Proforma
from consult.proving import read_only
from consult.record import ledger
from consult.record.consultation import Consultation
from consult.record.database import Connection
from consult.rewinding import at_step
from consult.signed import signer

HEAD_LINE: Final = re.compile(r"[Ss]tep ([0-9]{1,18}) of the record, ([0-9a-f]{64})")
MOST_NAMED: Final = 20
MOST_STEPS: Final = 10**18 - 1
"""More than any log has; a database takes no number much larger."""
BLANK: Final = " \t"
MALFORMED: Final = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading JSON that somebody else wrote may end in: such as lists without end inside each other."""
NOT_A_STEP: Final = (
    "Its head, step {step}, {hash}, is no step of this log: the file is of another record, its head was changed, or "
    "the log was made anew or put back. Hold the log against a witness with `consult verify --witness FILE`."
)
NOT_A_NOTE: Final = "Its text was not compared: only that of a signed note is kept in the record by a digest."


class ExportRefused(Exception):
    """The file could not be held against the record; the message says why and what to do."""


class Checked(Struct, frozen=True):
    """What a file was found to be: a sentence, each way in which it is not as the record says, and what came since."""

    what: str
    wrong: list[str]
    since: list[str]


def check(folder: Path, file: Path) -> Checked:
    """Hold a file against the record: a case file, results with their head, a paper of evidence, or a signed note.

    ExportRefused says why it could not be compared, which is never taken for "unchanged".
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ExportRefused(f"{file} can't be read ({error.strerror}); name a file that is there.") from error
    with closing(open_instance(folder)) as instance:
        return _kind_of(file, content)(instance, file, content)


def _kind_of(file: Path, content: bytes) -> Callable[[Instance, Path, bytes], Checked]:
    if beside(file).exists():
        return _check_cases
    if saved.key_of(content):
        return _check_paper
    if _may_be_json(content):
        return _check_results
    if HEAD_LINE.search(content.decode("utf-8", errors="replace")):
        return _check_note
    raise ExportRefused(
        f"{file} carries no head, so nothing was compared; a case file needs {beside(file).name} beside it, results "
        'the option --head, and a note the line "Step ... of the record" below it.'
    )


def _may_be_json(content: bytes) -> bool:
    """Whether it begins as JSON does, in any of its codings: a shell of Windows writes UTF-16 into a file."""
    text = content.decode(json.detect_encoding(content), errors="replace")
    return text.lstrip().startswith("{")


# ---------------------------------------------------------------- papers of evidence


def _check_paper(instance: Instance, file: Path, content: bytes) -> Checked:
    key = saved.key_of(content)
    assert key is not None  # noqa: S101 - asked before
    name = again.NAMES.get(key.paper, "paper")
    step, hash_ = _head_of_paper(file, content)
    if wrong := _is_step(instance.db.read(), step, hash_):
        return Checked(f"{name} that names a step of the record", wrong, [])
    with at_step(instance, step, key.made) as (then, conn):
        try:
            made = again.content(then, conn, key, saved.form_of(content))
        except (again.NotMade, EvidenceRefused) as reason:
            raise ExportRefused(f"{file} was not compared, as {reason}; trust the record.") from reason
        wrong = list(again.differences(content, made))
    since = cases.changed_since(instance.db.read(), step)
    more = [f"Since then {len(since)} steps changed cases."] if since else []
    return Checked(f"{name} made at step {step}", wrong, more)


def _head_of_paper(file: Path, content: bytes) -> tuple[int, str]:
    """The head that a paper bears: in a PDF beside its key, as its words are not read."""
    if saved.form_of(content) == "pdf":
        text = saved.pdf_subject(content)
    else:
        try:
            text = "\n".join(saved.lines(content))
        except saved.NotReadable as error:
            raise ExportRefused(f"{file} can't be read ({error}), so nothing was compared.") from error
    heads = {(int(found[1]), found[2]) for found in HEAD_LINE.finditer(text)}
    if len(heads) != 1:
        raise ExportRefused(f"{file} bears {len(heads) or 'no'} heads, so nothing was compared; make it again.")
    return heads.pop()


def _is_step(conn: Connection, step: int, hash_: str) -> list[str]:
    """That a head is none of this log, in a sentence; nothing if it is one."""
    found = next(ledger.steps(conn, seq=step), None) if 0 < step <= MOST_STEPS else None
    if (step, hash_) == (0, ledger.START) or (found is not None and found.hash == hash_):
        return []
    return [NOT_A_STEP.format(step=step, hash=hash_)]


# ---------------------------------------------------------------- case files


def _check_cases(instance: Instance, file: Path, content: bytes) -> Checked:
    head = _head_beside(file)
    wrong = _is_step(instance.db.read(), head.step, head.hash)
    if hashlib.sha256(content).hexdigest() != head.sha256:
        wrong.append(f"The file is not the one that {beside(file).name} was written for: it was changed since.")
    if not _is_step(instance.db.read(), head.step, head.hash):
        wrong += _rows_off(instance, head.step, caselines.read_text(content))
    since = cases.changed_since(instance.db.read(), head.step)
    named = ", ".join(str(step.seq) for step in since[:MOST_NAMED])
    more = [f"Since then {len(since)} steps changed cases: {named}{', ...' if len(since) > MOST_NAMED else ''}."]
    return Checked(f"case file of {head.cases} cases, made at step {head.step}", wrong, more if since else [])


def _head_beside(file: Path) -> Head:
    try:
        known = json.loads(beside(file).read_text("utf-8"))
        head = Head(**known)
        if any(type(getattr(head, f.name)) is not f.type for f in fields(head)):
            raise TypeError
    except (OSError, *MALFORMED) as error:
        raise ExportRefused(f"{beside(file)} is not what this program wrote, so nothing was compared.") from error
    return head


def _rows_off(instance: Instance, step: int, text: str) -> list[str]:
    """Each case of a file that is not as the record had it at a step, or is missing, by its line and reference."""
    dataset = instance.library.current.dataset
    with read_only(instance.db.file) as conn:
        cases.retell(conn, dataset, up_to=step)
        then = {row.key: row.fields for row in cases.iterate(conn)}
        if "".join(casefile.export_cases(conn, dataset)) == text:
            return []
    header, *rows = list(caselines.records(text)) or [caselines.Record(1, [])]
    missing = set(cases.KEY) - set(header.cells)
    if missing:
        return [f"It has no column {', '.join(sorted(missing))}, so its cases can't be told."]
    wrong = list(_compare(then, header.cells, rows))
    fresh = [f"The columns are not those of the data set in use ({len(dataset.fields)} fields)."]
    unlike = header.cells != [f.name for f in dataset.fields]
    return wrong + (fresh if unlike else []) or [
        "Its cases are in another order, or written in another way, than here."
    ]


def _compare(then: dict[Any, dict[str, str]], names: list[str], rows: list[caselines.Record]) -> Iterator[str]:
    left = dict(then)
    for row in rows:
        if row.wrong or len(row.cells) != len(names):
            yield f"Line {row.line} can't be read as a case."
            continue
        cells = {name: unguarded(cell) for name, cell in zip(names, row.cells, strict=True)}
        case = left.pop(cases.key_of(cells), None)
        name = " / ".join(cases.key_of(cells))
        if case is None:
            yield f"Line {row.line}: the record had no case {name} then, or the file has it twice."
        elif differing := [n for n in names if n in case and case[n] != cells[n]]:
            yield f"Line {row.line}: the case {name} was another in {', '.join(differing)}."
    yield from (f"The case {' / '.join(key)} is missing from the file." for key in left)


# ---------------------------------------------------------------- results


def _check_results(instance: Instance, file: Path, content: bytes) -> Checked:
    try:
        known = json.loads(content)
        head = known.pop("head")
        step, hash_ = int(head["step"]), str(head["hash"])
        selection = _selection(head, known)
    except MALFORMED as error:
        raise ExportRefused(
            f"{file} holds no results with their head, so nothing was compared; count with --format json --head."
        ) from error
    wrong = _is_step(instance.db.read(), step, hash_)
    wrong = wrong or _counted_again(instance, step, selection, known)
    since = cases.changed_since(instance.db.read(), step)
    return Checked(
        f"results counted at step {step}", wrong, [f"Since then {len(since)} steps changed cases."] if since else []
    )


def _selection(head: dict[str, Any], known: dict[str, Any]) -> Selection:
    """What results were counted of; ValueError or TypeError for what this program would not have counted."""
    provider, capture, round_ = head["provider"] or "", head["capture"] or "", head.get("round") or ""
    site, start, end = (known[name] or "" for name in ("site", "from", "to"))
    if not all(isinstance(one, str) for one in (provider, site, capture, round_)):
        raise TypeError
    if any(day and day_in(day) is None for day in (start, end)):
        raise ValueError
    return Selection(provider, site, start, end, capture, round=round_)


def _counted_again(instance: Instance, step: int, selection: Selection, known: dict[str, Any]) -> list[str]:
    dataset = instance.library.current.dataset
    with read_only(instance.db.file) as conn:
        scoring, asked = _scoring_of(instance, conn, known), str(known.get("measures_digest", ""))
        cases.retell(conn, dataset, up_to=step)
        if selection.round:
            of = rounds.rounds(conn, up_to=step).get(selection.round)
            if of is None:
                return ["The round it names was not there at that step."]
            taken = sampling.sample(conn, scoring.measures, dataset, of).selection
            selection = replace(taken, site=selection.site)
        found = audit.results(conn, scoring.measures, dataset, selection)
        shape = results_json(instance, conn, found, "cases" in known, scoring, asked)
        recounted = json.loads(json.dumps(shape))
    return [f"{name} is not what is counted from the record at that step." for name in _differing(known, recounted)]


def _scoring_of(instance: Instance, conn: Connection, known: dict[str, Any]) -> Version:
    """The version of the measures that results say they were counted by; ExportRefused if it is not kept."""
    version = str(known.get("measures_version"))
    wanted = str(known.get("measures_digest") or ("" if version == instance.measures.version else version))
    try:
        return instance.scoring(conn, wanted)
    except VersionRefused as refused:
        raise ExportRefused(f"{refused} So nothing was counted again.") from refused


def _differing(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """The names of what differs, down to a single measure."""
    for name in sorted(one.keys() | other.keys()):
        a, b = one.get(name), other.get(name)
        if name == "measures" and isinstance(a, dict) and isinstance(b, dict):
            ids = sorted(a.keys() | b.keys())
            yield from (f"measures.{id_}" for id_ in ids if not _same(a.get(id_), b.get(id_)))
        elif a != b:
            yield name


def _same(one: Any, other: Any) -> bool:
    """Whether a result is the same; published figures that came or went since are no part of what was counted."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return bool(one == other)
    years = set(one.get("benchmarks", {})) & set(other.get("benchmarks", {}))
    a, b = ({**r, "benchmarks": {year: r["benchmarks"][year] for year in years}} for r in (one, other))
    return a == b


# ---------------------------------------------------------------- signed notes


def _check_note(instance: Instance, _: Path, content: bytes) -> Checked:
    mark, text = _marked_apart(plain(content.decode("utf-8-sig", errors="replace")).lstrip("\n"))
    found = list(HEAD_LINE.finditer(text))[-1]
    step, hash_ = int(found[1]), found[2]
    conn = instance.db.read()
    if wrong := _is_step(conn, step, hash_):
        return Checked("paper that names a step of the record", wrong, [])
    signed = next(ledger.steps(conn, seq=step))
    if signed.kind != "consultation_signed" or signed.content is None:
        return Checked(f"paper made at step {step}, which is one of this log", [], [NOT_A_NOTE])
    consultation = instance.store.consultation(signed.consultation)
    assert consultation is not None  # noqa: S101 - a step that signs is of a consultation
    wrong, since = _note_off(instance, consultation, text, found.start(), found.end())
    marked_wrong = _mark_off(consultation, instance.store.definition_of(consultation).proforma, mark)
    return Checked(f"note signed in step {step}", [*marked_wrong, *wrong], since)


def _marked_apart(text: str) -> tuple[str, str]:
    """What a note begins with of having been entered in error, or "", and the note without it."""
    if not text.startswith(MARK):
        return "", text
    mark, _, rest = text.partition("\n\n")
    return mark, rest


def _mark_off(consultation: Consultation, proforma: Proforma, mark: str) -> list[str]:
    """What is wrong with what a note says above all else of having been entered in error."""
    stands = " ".join(mark.split()) in ("", mark_of(consultation, proforma))
    return [] if stands else ["That it was entered in error is not what the record says."]


def _note_off(
    instance: Instance, consultation: Consultation, text: str, start: int, end: int
) -> tuple[list[str], list[str]]:
    """What of a note is not as it was signed, and what came after signing that the text does not have."""
    assert consultation.signed is not None  # noqa: S101 - asked before
    wrong = []
    above, _, by = text[:start].rpartition("\nSigned by ")
    if _digest(above) != (consultation.signed.content or {})["note_digest"]:
        wrong.append("The text is not the note that was signed: it was changed, or copied in part.")
    if by.strip() != signer(instance.db.read(), consultation):
        wrong.append(f"Who signed, and when, is not what the record says: {signer(instance.db.read(), consultation)}.")
    path, names = instance.store.path_of(consultation), called(instance.db.read(), consultation)
    later = text[end:].replace(DRAFT, "").strip()
    now = plain(after_signing(consultation, path, names)).strip()
    if not now.startswith(later):
        wrong.append("What stands below its head is not what the record says of the time after signing.")
    since = ["More came after signing than the text has; print it again."] if now != later else []
    if consultation.state == "entered_in_error":
        since.append("The consultation has been marked as entered in error.")
    if not wrong and _digest(note(consultation, path, names)) != _digest(above):
        wrong.append("The record makes another note of it today than was signed; run `consult verify`.")
    return wrong, since


def plain(text: str) -> str:
    """A text with the line ends and the blanks before them that programs change in passing taken out."""
    return "\n".join(line.rstrip(BLANK) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _digest(text: str) -> str:
    return hashlib.sha256((plain(text).strip("\n") + "\n").encode()).hexdigest()
