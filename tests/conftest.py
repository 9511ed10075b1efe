"""The back-pain proforma as it ships, and a desk: a store on a real SQLite file with one open consultation."""

import gc
import itertools
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path as FilePath

import pytest
from flask import Flask
from hypothesis import settings
from jinja2 import BytecodeCache
from kinds import OF_A_KIND
from ready import ready

from consult.audit import cases, gesture
from consult.audit.measures_file import load_measures
from consult.documents import releasing, signing
from consult.documents.report import Chosen
from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.load import load_definition
from consult.proforma.path import Path
from consult.record.consultation import gate
from consult.record.library import Library, install
from consult.record.opening import open_database
from consult.record.release import Event
from consult.record.store import Start, Store, Who
from consult.record.timekeeping import stamp
from consult.web import routing

ROOT = FilePath(__file__).parents[1]
BACK_PAIN = ROOT / "proformas" / "back-pain"
NURSE = Who("person-nurse", "nurse")
DOCTOR = Who("person-doctor", "doctor")
NAMES = releasing.Names("Zebedee Quillfeather", "Nora Nurse")

gc.set_threshold(200_000, 50, 100)  # what a session of tests holds is searched for garbage less often: a tenth quicker


class Compiled(BytecodeCache):
    """Templates as they were compiled for the first application of this process: each test has one of its own."""

    def __init__(self):
        self.code = {}

    def load_bytecode(self, bucket):
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket):
        self.code[bucket.key, bucket.checksum] = bucket.code


class Known(routing.Lazy):
    """A route that is taken apart and compiled for the first application of this process: it is the same in all."""

    made, apart = {}, {}

    def compile(self):
        key = (self.rule, self.subdomain, self.host, self.map.host_matching, self.merge_slashes, repr(self.defaults))
        if key not in self.apart:
            super().compile()
            self.apart[key] = self._parts, self._trace, self._converters, self.arguments
            return
        self._parts, self._trace, self._converters, self.arguments = self.apart[key]
        self._build = self._compile_builder(False).__get__(self, None)
        self._build_unknown = self._compile_builder(True).__get__(self, None)

    def _compile_builder(self, append_unknown=True):
        key = (*self._trace, repr(self.defaults), append_unknown)
        if key not in self.made:
            self.made[key] = super()._compile_builder(append_unknown)
        return self.made[key]


Flask.jinja_options = {"bytecode_cache": Compiled()}
routing.Lazy = Known
settings.register_profile("consult", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("consult")


def pytest_ignore_collect(collection_path, config):
    """A folder is not even read in whose tests are all of kinds that the command leaves out: that takes its time."""
    left_out = re.fullmatch(r"not \w+(?: and not \w+)*", config.option.markexpr)
    kinds = OF_A_KIND.get(collection_path.name) if collection_path.is_dir() else None
    return True if kinds and left_out and kinds <= set(left_out[0].split(" ")) else None


@pytest.fixture(scope="session")
def browser():
    """One for all tests of a process: to start one takes as long as a test."""
    from chromium import a_browser  # what drives it takes a third of a second to read in, also where none is driven

    with a_browser() as one:
        yield one


@pytest.fixture(scope="session")
def back_pain():
    return load_definition(BACK_PAIN)


@pytest.fixture(scope="session")
def national(back_pain):
    return load_measures(BACK_PAIN, back_pain.dataset)


def said(question, value):
    """An answer from one word: a state where the question has it, else a value; None for a blank."""
    if value is None or isinstance(value, Answer):
        return value
    if isinstance(value, str) and value in question.offered_states():
        return Answer(value, None, "other" if value == "not_asked" else "")
    return Answer(ANSWERED, value)


@pytest.fixture(scope="session")
def say(back_pain):
    """Answers from words by question id; blanks are left out."""

    def say_all(words):
        spoken = {q: said(back_pain.proforma.by_id[q], word) for q, word in words.items()}
        return {q: answer for q, answer in spoken.items() if answer is not None}

    return say_all


@pytest.fixture(scope="session")
def on_path(back_pain, say):
    """The path for answers from words."""
    return lambda words: Path(back_pain.proforma, say(words))


class Clock:
    """The only thing the tests replace: a second passes each time it is read."""

    def __init__(self):
        self.now = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


class Desk:
    """A clinician's desk: the store, and the consultation that lies open on it."""

    def __init__(self, folder, definition):
        file, clock = folder / "consult.sqlite3", Clock()
        at = stamp(clock())
        ready(file, definition.digest, lambda file: self.installed(file, definition, at))
        self.db = open_database(file)
        self.definition = definition
        self.store = Store(self.db, Library(definition), clock)
        self._keys = (f"key-{n}" for n in itertools.count(1))
        self.employee = self.store.register("Zebedee Quillfeather", date(1980, 3, 2), "E 1001", NURSE)
        self.who = NURSE
        self.id = self.begin()

    @staticmethod
    def installed(file, definition, at):
        """A database in which this definition is in use."""
        db = open_database(file)
        with db.write() as conn:
            install(conn, definition, "cli:tests", at)
            cases.ensure(conn, definition.dataset)
            gesture.ensure(conn)
        return db

    def key(self):
        return next(self._keys)

    def begin(self, who=NURSE):
        start = Start(self.employee.id, "S1", "P1", "in_person", "45-54")
        self.id = self.store.start(start, who)
        self.who = who
        return self.id

    @property
    def now(self):
        return self.store.consultation(self.id)

    @property
    def path(self):
        return self.store.path_of(self.now)

    @property
    def gate(self):
        return gate(self.now, self.path)

    @property
    def case(self):
        return signing.case_of(self.store, self.now)

    def question(self, question_id):
        return self.definition.proforma.by_id[question_id]

    def give(self, **words):
        """Give (or with None remove) answers, each as the page would: with a new key and the sequence it knew."""
        for question_id, word in words.items():
            question = self.question(question_id)
            seen = self.now.seen(question_id)
            self.store.save(self.id, question, said(question, word), seen, self.key(), "single", self.who)

    def decide(self, question_id, decision="same_day_emergency", reason="Sent with a letter"):
        path = self.path
        content = {
            "questions": [question_id],
            "states": [path.answer(question_id).state],
            "levels": [path.level(question_id)],
            "decision": decision,
            "reason": reason,
            "told": "",
        }
        self.store.note(self.id, "decision_recorded", content, self.key(), self.who)

    def explain_blanks(self, reason="remote"):
        content = {"reason": reason, "text": "", "questions": [q.id for q in self.gate.blank]}
        self.store.note(self.id, "blank_emergencies_explained", content, self.key(), self.who)

    def sign(self, on_purpose=False):
        signing.sign(self.store, self.id, self.who, on_purpose, self.key())

    def leaflet(self, done="given", **more):
        content = {"leaflet": "core", "version": "1", "language": "en", "format": "a4", "digest": "0" * 64}
        form = {"form": "printed"} if done == "given" else {}
        self.store.note_after(self.id, f"leaflet_{done}", content | form | more, self.key(), self.who)

    def make_report(self, kind="", ticked=(), shown="", **written):
        """Make the text of a report final, as the page does."""
        chosen = Chosen(self.definition.reports.by_id(kind), tuple(ticked), written)
        releasing.make_final(self.store, self.id, chosen, NAMES, shown, self.key(), self.who)

    def report(self, event, **content):
        """Record an event of the report, as the page does."""
        releasing.record(self.store, self.id, Event(event), content, NAMES, self.key(), self.who)

    @property
    def release(self):
        """Where the report stands."""
        return releasing.now(self.now, self.definition, self.store.clock().date())

    def cases(self):
        return {row.consultation: row.fields for row in cases.iterate(self.db.read())}


@pytest.fixture
def desk(tmp_path, back_pain):
    desk = Desk(tmp_path, back_pain)
    yield desk
    desk.db.close()


@pytest.fixture(scope="module")
def busy_desk(tmp_path_factory, back_pain):
    """One desk for many examples of a property, each in a consultation of its own."""
    desk = Desk(tmp_path_factory.mktemp("desk"), back_pain)
    desk.db._writer.execute("PRAGMA synchronous = OFF")  # thousands of saves: durability is not what is asked here
    yield desk
    desk.db.close()
