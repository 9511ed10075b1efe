"""The step log as a ledger: append-only, each step chained by hash to the one before over a salted digest."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any, Final

from msgspec import Struct, field

from consult.record.database import Connection

KINDS: Final[dict[str, frozenset[str] | None]] = {
    "employee_registered": frozenset({"employee"}),
    "identity_erased": frozenset({"employee", "why"}),
    "hold_set": frozenset({"employee", "reason", "until"}),
    "hold_ended": frozenset({"employee", "reason"}),
    "record_handed_out": frozenset({"employee", "form", "reason"}),
    "signing_retold": frozenset({"step", "signed", "case"}),
    "consultation_started": frozenset(
        {"employee", "site", "provider", "attendance", "definition", "capture_mode", "held_on", "age_band"}
        | {"held_at", "paper"}
    ),
    "consultation_taken_over": frozenset({"from", "reason"}),
    "consultation_handed_over": frozenset({"from", "to", "role", "reason"}),
    "consultation_viewed": frozenset(),
    "paper_viewed": frozenset({"paper"}),
    "employee_viewed": frozenset({"employee"}),
    "employee_listed": frozenset({"employee", "list"}),
    "access_reasoned": frozenset({"employee", "reason"}),
    "own_record_set": frozenset({"person", "employee"}),
    "employee_same_as": frozenset({"employee", "same_as"}),
    "answer_given": frozenset({"state", "value", "reason", "via", "seen"}),
    "answer_removed": frozenset({"via", "seen"}),
    "decision_recorded": frozenset({"questions", "states", "levels", "decision", "reason", "told"}),
    "blank_emergencies_explained": frozenset({"reason", "text", "questions"}),
    "note_copied": frozenset({"digest"}),
    "letter_printed": frozenset({"questions", "route"}),
    "report_made": frozenset({"digest", "text", "adjustments", "type", "ticked", "written"}),
    "report_consent_recorded": frozenset({"event", "how"}),
    "report_copy_given": frozenset({"digest", "how", "window_ends"}),
    "report_agreed": frozenset({"digest"}),
    "report_window_ended": frozenset({"window_ends"}),
    "report_correction_asked": frozenset({"text"}),
    "report_correction_answered": frozenset({"made", "text"}),
    "report_released": frozenset({"digest", "to", "how", "copy"}),
    "leaflet_printed": frozenset({"leaflet", "version", "language", "format", "digest"}),
    "leaflet_given": frozenset({"leaflet", "version", "language", "format", "digest", "form"}),
    "leaflet_discussed": frozenset({"leaflet", "version", "language", "format", "digest"}),
    "leaflet_not_given": frozenset({"leaflet", "version", "language", "format", "digest", "form", "given"}),
    "leaflet_need_unmet": frozenset({"leaflet", "needs", "reason"}),
    "reading_need_told": frozenset({"employee", "answer", "size", "language", "easy_read", "others"}),
    "consultation_signed": frozenset({"case", "note_digest", "changed_on_purpose", "not_recorded"}),
    "consultation_abandoned": frozenset({"reason", "text"}),
    "entered_in_error": frozenset({"reason", "text"}),
    "addendum_added": frozenset({"text", "why", "corrects", "answers"}),
    "case_corrected": frozenset({"case", "addendum"}),
    "case_imported": None,
    "case_replaced": None,
    "content_approved": frozenset({"digest", "what", "name", "post"}),
    "leaflet_confirmed": frozenset({"digest", "what", "until", "reason"}),
    "content_installed": frozenset({"digest", "what", "version"}),
    "setting_changed": frozenset({"name", "value"}),
    "content_redacted": frozenset({"why"}),
    "clock_jumped": frozenset({"seconds", "last", "noticed"}),
    "guards_put_back": frozenset({"guards"}),
    "schema_migrated": frozenset({"from", "to"}),
    "database_restored": frozenset({"last_step", "head"}),
    "round_set": frozenset({"round", "name", "provider", "capture", "start", "end", "rule", "n", "sites", "reason"}),
    "round_withdrawn": frozenset({"round", "reason"}),
    "sample_exclusion": frozenset({"round", "provider", "capture_mode", "case_ref", "out", "reason", "text"}),
    "target_set": frozenset({"measure", "share", "reason"}),
    "action_set": frozenset(
        {"action", "measure", "round", "site", "cause", "what", "owner", "post", "due", "evidence", "reason"}
    ),
    "action_moved": frozenset({"action", "state", "text", "reaudit"}),
    "incident_noted": frozenset({"incident", "happened_on", "what", "effect", "done", "reason"}),
    "sitting_begun": frozenset({"sitting", "wanted"}),
    "case_draft_kept": frozenset({"draft", "sitting", "fields"}),
    "case_draft_dropped": frozenset({"draft", "reason"}),
    "case_entered": frozenset({"draft", "sitting", "provider", "capture_mode", "case_ref", "step"}),
    "case_edited": frozenset({"provider", "capture_mode", "case_ref", "step", "reason"}),
    "case_in_error": frozenset({"provider", "capture_mode", "case_ref", "step", "reason"}),
    "reliability_drawn": frozenset({"round", "seed", "cases"}),
    "case_reentered": frozenset({"round", "provider", "capture_mode", "case_ref", "against", "fields"}),
    "dispute_answered": frozenset({"round", "provider", "capture_mode", "case_ref", "field", "value", "text"}),
    "decision_followed_up": frozenset({"decision", "outcome", "text", "addendum"}),
    "adjustment_reviewed": frozenset({"outcome", "text", "addendum"}),
    "organisation_answered": frozenset({"provider", "site", "year", "answers", "digest"}),
    "person_added": frozenset({"person", "role", "site"}),
    "person_proved": frozenset({"person", "how"}),
    "person_changed": frozenset({"person", "change"}),
    "person_placed": frozenset({"person", "role", "site"}),
    "person_trained": frozenset({"person", "on"}),
}
"""Every kind of step with the exact keys of its content; None where the content is a whole case row."""

START: Final = "0" * 64
STRIDE: Final = 1000


class Refused(Exception):
    """Nothing was written; the message says what happened and what to do, `field` which field it is about, if one."""

    def __init__(self, sentence: str = "", field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class KeyReused(Refused):
    """The same client-made key came with another content: nothing was written."""


class ChangedSince(Refused):
    """Somebody changed what is to be changed since the page was made: nothing was written."""


class UnknownStep(Exception):
    """A step of an unknown kind, or with keys that its kind does not have."""


class Draft(Struct, frozen=True):
    """A step about to be written; `key` makes a retry recognisable, `at` is UTC in ISO 8601."""

    kind: str
    content: dict[str, Any]
    actor: str
    at: str
    consultation: str = ""
    question: str = ""
    role: str = ""
    key: str = field(default_factory=lambda: str(uuid.uuid4()))


class Step(Struct, frozen=True):
    """One thing that happened; content is None where it has been redacted."""

    seq: int
    consultation: str
    kind: str
    question: str
    content: dict[str, Any] | None
    actor: str
    role: str
    at: str
    key: str
    hash: str


CANONICAL: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(content: object) -> str:
    """The one way a content is written: JSON with sorted keys and no spaces."""
    return CANONICAL.encode(content)


def content_digest(salt: str, content: str) -> str:
    """SHA-256 over the salt and the canonical content."""
    return hashlib.sha256(f"{salt}\0{content}".encode()).hexdigest()


def chain_hash(previous: str, seq: int, *parts: str) -> str:
    """SHA-256 over the hash of the step before and the plain columns of this one, in the canonical way.

    Written out here, as proving a long log spends most of its time on it.
    """
    texts = ",".join(map(encode_basestring, parts))
    return hashlib.sha256(f"[{encode_basestring(previous)},{seq},{texts}]".encode()).hexdigest()


class Place(Struct, frozen=True):
    """Where the log ends, looked at inside a transaction for one key and one consultation.

    `last` and `head` are of the last step, `under_key` is the step the key wrote already, `of_consultation` the last
    step of the consultation, `redaction` the last one that redacts; each 0 where there is none.
    """

    last: int
    head: str
    under_key: int
    of_consultation: int
    redaction: int


def place(conn: Connection, key: str, consultation: str) -> Place:
    """Where the log ends now, in one statement; only worth asking inside a write transaction."""
    query = (
        "SELECT (SELECT seq FROM step WHERE key = ?), (SELECT max(seq) FROM step WHERE consultation = ?), "
        "(SELECT max(seq) FROM step WHERE kind = 'content_redacted'), l.seq, l.hash "
        "FROM (SELECT max(seq) AS seq FROM step) m LEFT JOIN step l ON l.seq = m.seq"
    )
    under, of_consultation, redaction, last, hash_ = conn.execute(query, (key, consultation)).fetchone()
    return Place(last or 0, hash_ or START, under or 0, of_consultation or 0, redaction or 0)


def last_redaction(conn: Connection) -> int:
    """The last step by which what another one said was taken away; 0 if there is none."""
    return int(conn.execute("SELECT max(seq) FROM step WHERE kind = 'content_redacted'").fetchone()[0] or 0)


def append(conn: Connection, draft: Draft) -> int:
    """Write one step inside the caller's transaction and return its sequence number.

    The same key with the same content returns the step already there; with another content KeyReused is raised.
    """
    _check_kind(draft)
    if (existing := _existing(conn, draft, canonical(draft.content))) is not None:
        return existing
    last, hash_ = head(conn)
    return append_at(conn, draft, last, hash_).seq


def append_at(conn: Connection, draft: Draft, last: int, previous: str) -> Step:
    """Write one step after the last one, whose number and hash are known, under a key that wrote none yet.

    A key that did, or another last step, is refused by the guards of the database.
    """
    _check_kind(draft)
    content, seq = canonical(draft.content), last + 1
    salt = secrets.token_hex(16)
    digest = content_digest(salt, content)
    plain = (draft.consultation, draft.kind, draft.question, digest, draft.actor, draft.role, draft.at, draft.key)
    own = chain_hash(previous, seq, *plain)
    conn.execute(
        "INSERT INTO step (seq, consultation, kind, question, content_digest, actor, role, at, key, previous, hash) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (seq, *plain, previous, own),
    )
    conn.execute("INSERT INTO step_content (seq, salt, content) VALUES (?, ?, ?)", (seq, salt, content))
    said = json.loads(content)
    return Step(
        seq, draft.consultation, draft.kind, draft.question, said, draft.actor, draft.role, draft.at, draft.key, own
    )


def _check_kind(draft: Draft) -> None:
    if draft.kind not in KINDS:
        raise UnknownStep(f"There is no kind of step called {draft.kind}.")
    keys = KINDS[draft.kind]
    if keys is not None and keys != draft.content.keys():
        raise UnknownStep(f"A step {draft.kind} holds {sorted(keys)}, not {sorted(draft.content)}.")


def _existing(conn: Connection, draft: Draft, content: str) -> int | None:
    row = conn.execute(
        "SELECT s.seq, s.consultation, s.kind, s.question, c.content FROM step s "
        "LEFT JOIN step_content c USING (seq) WHERE s.key = ?",
        (draft.key,),
    ).fetchone()
    if row is None:
        return None
    if (row["consultation"], row["kind"], row["question"], row["content"]) != (
        draft.consultation,
        draft.kind,
        draft.question,
        content,
    ):
        raise KeyReused(f"The key {draft.key} was used for another step; send the answer again with a new key.")
    return int(row["seq"])


# In the order of the fields of a step.
COLUMNS: Final = (
    "SELECT s.seq, s.consultation, s.kind, s.question, c.content, s.actor, s.role, s.at, s.key, s.hash "
    "FROM step s LEFT JOIN step_content c USING (seq)"
)


def steps(
    conn: Connection,
    *,
    consultation: str | None = None,
    kind: str | None = None,
    seq: int | None = None,
    after: int | None = None,
    said: Mapping[str, str] | None = None,
) -> Iterator[Step]:
    """The steps in order, of one consultation, of one kind, with one number, after one, or all.

    `said` are words that a step must say, by name; those whose content was redacted say nothing.
    """
    wanted = (("consultation", consultation), ("kind", kind), ("seq", seq))
    where: list[tuple[str, Sequence[str | int]]] = [(f"s.{n} = ?", [v]) for n, v in wanted if v is not None]
    if after:
        where.append(("s.seq > ?", [after]))
    where += [("c.content ->> ? = ?", [f"$.{name}", word]) for name, word in (said or {}).items()]
    clause = f" WHERE {' AND '.join(w for w, _ in where)}" if where else ""
    for row in conn.execute(f"{COLUMNS}{clause} ORDER BY s.seq", [v for _, values in where for v in values]):
        yield _step(row)


def last_step(conn: Connection, consultation: str, question: str) -> Step | None:
    """The last step about one question of a consultation; None if there was none."""
    row = conn.execute(
        f"{COLUMNS} WHERE s.consultation = ? AND s.question = ? ORDER BY s.seq DESC LIMIT 1", (consultation, question)
    ).fetchone()
    return _step(row) if row else None


def _step(row: Any) -> Step:
    seq, consultation, kind, question, content, *more = row
    return Step(seq, consultation, kind, question, None if content is None else json.loads(content), *more)


def head(conn: Connection) -> tuple[int, str]:
    """The number and hash of the last step; (0, 64 zeros) while there is none."""
    row = conn.execute("SELECT seq, hash FROM step ORDER BY seq DESC LIMIT 1").fetchone()
    return (row["seq"], row["hash"]) if row else (0, START)


def counted(conn: Connection, since: str, before: str) -> dict[str, int]:
    """How many steps of each kind were written from one time on and before another (UTC, ISO 8601)."""
    query = "SELECT kind, count(*) FROM step WHERE at >= ? AND at < ? GROUP BY kind ORDER BY kind"
    return {row[0]: row[1] for row in conn.execute(query, (since, before))}


def show_up_to(conn: Connection, step: int) -> None:
    """Let this connection see no step after one."""
    conn.execute(f"CREATE TEMP VIEW step AS SELECT * FROM main.step WHERE seq <= {int(step)}")


def last_at(conn: Connection) -> str:
    """The time that the last step holds; "" while there is none."""
    row = conn.execute("SELECT at FROM step ORDER BY seq DESC LIMIT 1").fetchone()
    return str(row["at"]) if row else ""


EACH: Final = (
    "SELECT s.seq, s.consultation, s.kind, s.question, s.content_digest, s.actor, s.role, s.at, s.key, s.previous, "
    "s.hash, c.salt, c.content FROM step s LEFT JOIN step_content c USING (seq) ORDER BY s.seq"
)


def whole(conn: Connection) -> Iterator[dict[str, Any]]:
    """Every step with all that proves it, by column; content and salt are None where it was redacted."""
    for row in conn.execute(EACH):
        values = {name: row[name] for name in row.keys()}  # noqa: SIM118 - a row is not a mapping
        content = values.pop("content")
        yield {**values, "content": None if content is None else json.loads(content)}


def verify(conn: Connection, progress: Callable[[int], None] = lambda _: None) -> str | None:
    """None if the chain is whole; else a sentence that names the first bad row.

    Checks numbering, each link, each salted digest, and that a missing content was redacted by a later step.
    `progress` is told now and then how many more steps have been looked at.
    """
    previous, expected, redacted = START, 1, _redactions(conn)
    for row in map(tuple, conn.execute(EACH)):
        if sentence := _fault(row, expected, previous, redacted):
            return sentence
        if expected % STRIDE == 0:
            progress(STRIDE)
        previous, expected = row[10], expected + 1
    progress((expected - 1) % STRIDE)
    return None


def _redactions(conn: Connection) -> dict[str, int]:
    """The last step that redacts, by what it redacts."""
    query = "SELECT question, max(seq) AS seq FROM step WHERE kind = 'content_redacted' GROUP BY question"
    return {row["question"]: row["seq"] for row in conn.execute(query)}


def _fault(row: tuple[Any, ...], expected: int, before: str, redacted: dict[str, int]) -> str | None:
    """What is wrong with one step; `redacted` says which step took the content of another away."""
    seq, _, _, _, digest, _, _, _, _, previous, own, salt, content = row
    if seq != expected:
        return f"Step {expected} is missing."
    if previous != before or own != chain_hash(before, seq, *row[1:9]):
        return f"Step {seq} does not follow from the step before it: it or an earlier one was changed."
    if content is None and redacted.get(f"step:{seq}", 0) <= seq:
        return f"What step {seq} says is missing, and no later step says that it was redacted."
    if content is not None and digest != content_digest(salt, content):
        return f"What step {seq} says was changed."
    return None


def seen_of(history: Sequence[Step]) -> int:
    """The step that whoever sees what these steps tell has seen as the last; 0 of what there is none of yet."""
    return history[-1].seq if history else 0


def sent_before(conn: Connection, kind: str, key: str) -> bool:
    """Whether a step of a kind was written under a key: the same form sent again, whose answer never came."""
    return conn.execute("SELECT 1 FROM step WHERE key = ? AND kind = ?", (key, kind)).fetchone() is not None


def check_seen(history: Sequence[Step], seen: int, key: str, what: str) -> None:
    """Refuse a change by a page that knew another last step than there is (ChangedSince); the same key goes through."""
    if seen_of(history) != seen and all(step.key != key for step in history):
        raise ChangedSince(f"Somebody changed this {what} since the page was made, so nothing was recorded.")
