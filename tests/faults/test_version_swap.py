"""A proforma replaced under 200 open consultations: each keeps the version it began with, until it is signed.

A copy of the installation whose proforma stays as it was tells how each of them should be. The controls are a product
that reads the newest version for all of them, and one that does so for the note and the case only.
"""

from __future__ import annotations

import itertools
import random
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from finishing import gate_of, release
from house import House, build
from luck import seeded
from tab import another_answer

from consult.accounts import sessions
from consult.audit import cases
from consult.documents import signing
from consult.documents.note import note
from consult.in_use import proforma_folder
from consult.instance import Instance, open_instance
from consult.proforma.answer import Answer
from consult.proforma.load import Definition
from consult.record.library import Library
from consult.record.store import Start, Store, Who
from consult.verifying import verify
from consult.web.app import create_app
from consult.web.screen import Screen

pytestmark = pytest.mark.fault

OPEN = 200
A_WHOLE_PAGE = 4
"""Of how many the whole page of one is looked at; of each, what stands on it."""
MOST_ANSWERS = 30
REMOVED, RETITLED, ADDED = "pain_sites", "pain_now", "numb_since_the_fall"
NEW_TITLE = "Pain at this moment, 0 to 10"
NEW_QUESTION = f"""[[questions]]
id = "{ADDED}"
block = "cauda_equina"
kind = "finding"
ask = "Numb since a fall?"
source = ["PROPOSAL"]
tags = ["red_flag", "cauda_equina"]
report = "never"
counts = [{{ group = "rf_cauda_equina", as = "primary" }}]
[[questions.panels]]
level = "U0"
route = ["emergency_department"]
text = "Made up for this test."
source = ["PROPOSAL"]

"""
OF_ONE_LOADING = re.compile(
    r'(name="csrf_token" value|name="csrf-token" content|name="key" value|"key":|name="session-left" content)'
    r'(=| )"[^"]*"|(?<=name="doing" value="key=)[^"&]+'
)


def clock() -> datetime:
    """One moment, so that what is signed in two copies can be the same word for word."""
    return datetime(2026, 11, 23, 10, 42, tzinfo=UTC)


def own_proforma(folder: Path) -> Path:
    """The file of the installation's own proforma, which begins as a copy of the one that comes with the program."""
    own = folder / "proformas" / "back-pain"
    if not own.exists():
        shutil.copytree(proforma_folder(None), own)
    return own / "proforma.toml"


def replace_proforma(folder: Path) -> None:
    """A new version: one question added, one removed, one with another title."""
    file = own_proforma(folder)
    head, *questions = re.split(r"(?m)^(?=\[\[questions\]\])", file.read_text("utf-8"))
    kept = [q for q in questions if f'id = "{REMOVED}"' not in q]
    assert len(kept) == len(questions) - 1
    first, *others = re.split(r"(?m)^(?=\[\[)", head)  # what names the removed question goes with it
    head = first + "".join(part for part in others if f'question = "{REMOVED}"' not in part)
    at = next(n for n, q in enumerate(kept) if 'block = "cauda_equina"' in q)
    text = head.replace('version = "', 'version = "2-') + "".join([*kept[:at], NEW_QUESTION, *kept[at:]])
    (retitled,) = [q for q in kept if f'id = "{RETITLED}"' in q]
    title = re.search(r'(?m)^ask = ".*"$', retitled)
    assert title
    file.write_text(text.replace(title[0], f'ask = "{NEW_TITLE}"'), "utf-8")


@contextmanager
def opened(folder: Path) -> Iterator[Instance]:
    """The installation, really opened; its saves need not outlast a power cut here."""
    with closing(open_instance(folder, clock=clock)) as instance:
        instance.db._writer.execute("PRAGMA synchronous = OFF")
        yield instance


def answer_some(store: Store, id_: str, luck: random.Random, who: Who) -> None:
    """Bring a consultation to some place: answers of any kind, some changed, some emergencies decided or explained."""
    questions = store.library.current.proforma.questions
    chosen = luck.choices(questions, k=luck.randrange(MOST_ANSWERS))
    if luck.random() < 0.5:
        chosen += [q for q in questions if q.id in (REMOVED, RETITLED)]
    for question in chosen:
        consultation = store.consultation(id_)
        assert consultation
        _, answer = another_answer(question, consultation.answers.get(question.id), luck)
        key = f"{id_}:{luck.getrandbits(64):016x}"
        store.save(id_, question, answer, consultation.seen(question.id), key, "single", who)
    if luck.random() < 0.3:
        block = luck.choice([b for b in store.library.current.proforma.blocks if b.rest])
        store.rest(id_, block.id, f"{id_}:rest", who)
    if luck.random() < 0.3:
        release(store, id_, who)


@dataclass(frozen=True)
class Told:
    """What an installation says of one consultation: its page, answers and gate while open, then note and case."""

    page: str
    asked: list[tuple[str, str, str]]
    answers: dict[str, Answer]
    holds: list[list[str]]
    note: str
    signed: dict[str, Any]
    case: dict[str, str]


def told(folder: Path, ids: list[str], who: Who) -> dict[str, Told]:
    """Open an installation, show each consultation, and sign it."""
    with opened(folder) as instance:
        store = instance.store
        with instance.db.write() as conn:
            token = sessions.create(conn, who.actor, clock())
        client = create_app(instance).test_client()
        client.set_cookie("consult_session", token)
        shown = {i: OF_ONE_LOADING.sub(r"\1", client.get(f"/consultations/{i}").text) for i in ids[::A_WHOLE_PAGE]}
        asked, held = {id_: asked_in(store, id_) for id_ in ids}, {id_: gate_of(store, id_) for id_ in ids}
        notes = {}
        for id_ in ids:
            release(store, id_, who)
            consultation = store.consultation(id_)
            assert consultation
            notes[id_] = note(consultation, store.path_of(consultation))
            signing.sign(store, id_, who, changed_on_purpose=True, key=f"{id_}:signed")
        rows = {row.consultation: row.fields for row in cases.iterate(instance.db.read())}
        now = {id_: store.consultation(id_) for id_ in ids}
        return {
            id_: Told(
                page=shown.get(id_, ""),
                asked=asked[id_],
                answers=ended.answers,
                holds=[[q.id for q in part] for part in (holds.undecided, holds.blank, holds.no_longer)],
                note=notes[id_],
                signed=dict(ended.signed.content or {}),
                case=rows[id_],
            )
            for id_, holds in held.items()
            if (ended := now[id_]) and ended.signed
        }


def asked_in(store: Store, id_: str) -> list[tuple[str, str, str]]:
    """What stands on the page of a consultation, in order: each question, its title, and the text kept below it."""
    consultation = store.consultation(id_)
    assert consultation
    screen = Screen.of(store, consultation)
    on = [q for section in screen.proforma.sections for q in screen.proforma.in_section(section.id) if screen.on(q)]
    return [(q.id, q.ask, panel.text if (panel := screen.panel(q)) else "") for q in on]


@dataclass(frozen=True)
class Begun:
    """An installation with its open consultations, all begun with the first version."""

    house: House
    ids: list[str]
    who: Who
    first: str

    def copy(self, folder: Path) -> Path:
        return Path(shutil.copytree(self.house.folder, folder))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    """Two hundred consultations, each left open at another place."""
    luck = seeded("versions through a swap")
    folder = tmp_path_factory.mktemp("first") / "instance"
    own_proforma(folder)
    house = build(folder, nurses=1, each=0)
    who = Who(house.nurses[0], "nurse")
    with opened(folder) as instance:
        (employee,) = instance.db.read().execute("SELECT id FROM employee").fetchone()
        modes = itertools.cycle(["in_person", "video", "telephone"])
        starts = [Start(employee, "A", "DEMO", next(modes), "45-54") for _ in range(OPEN)]
        ids = [instance.store.start(start, who) for start in starts]
        for id_ in ids:
            answer_some(instance.store, id_, luck, who)
        first = instance.library.current.digest
    return Begun(house, ids, who, first)


@pytest.fixture(scope="module")
def kept(begun: Begun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """How each of them is where the proforma was never replaced."""
    return told(begun.copy(tmp_path_factory.mktemp("kept") / "instance"), begun.ids, begun.who)


def swapped(begun: Begun, work: Path) -> Path:
    """The installation after the swap, not opened yet."""
    folder = begun.copy(work / "instance")
    replace_proforma(folder)
    return folder


def test_they_are_at_different_places(begun: Begun, kept: dict[str, Told]) -> None:
    assert len({frozenset(t.answers) for t in kept.values()}) > OPEN / 2
    assert len({str(t.holds) for t in kept.values()}) > OPEN / 10
    assert 40 < sum(REMOVED in t.answers for t in kept.values()) < 160


def test_each_keeps_page_answers_gate_note_and_case(begun: Begun, kept: dict[str, Told], tmp_path: Path) -> None:
    folder = swapped(begun, tmp_path)
    for _ in range(2):  # two starts, so that the new version is in use and read from the database again
        with opened(folder) as instance:
            assert instance.library.current.digest != begun.first
    now = told(folder, begun.ids, begun.who)
    assert len(now) == OPEN
    assert [id_ for id_ in begun.ids if now[id_] != kept[id_]] == []
    assert verify(folder)[1] == []


def test_new_ones_begin_with_the_new_version_and_old_ones_go_on_with_theirs(begun: Begun, tmp_path: Path) -> None:
    with opened(swapped(begun, tmp_path)) as instance:
        store, old = instance.store, begun.ids[0]
        before = store.consultation(old)
        assert before
        new = store.start(Start(before.started["employee"], "A", "DEMO", "in_person", "45-54"), begun.who)
        with instance.db.write() as conn:
            token = sessions.create(conn, begun.who.actor, clock())
        client = create_app(instance).test_client()
        client.set_cookie("consult_session", token)
        asked = {id_: set(re.findall(r'id="q-(\w+)"', client.get(f"/consultations/{id_}").text)) for id_ in (old, new)}
        assert {REMOVED, RETITLED} <= asked[old]
        assert ADDED not in asked[old]
        assert {ADDED, RETITLED} <= asked[new]
        assert REMOVED not in asked[new]
        pages = {id_: client.get(f"/consultations/{id_}").text for id_ in (old, new)}
        assert {id_: NEW_TITLE in page for id_, page in pages.items()} == {old: False, new: True}
        token = re.findall(r'name="csrf-token" content="([^"]+)"', pages[new])[0]
        assert sent(client, token, old, REMOVED, "buttock_or_hip", before.seen(REMOVED)) == 200
        assert sent(client, token, old, ADDED, "absent", 0) == 400
        assert sent(client, token, new, ADDED, "absent", 0) == 200
        assert sent(client, token, new, REMOVED, "buttock_or_hip", 0) == 400
        answers = {id_: c.answers if (c := store.consultation(id_)) else {} for id_ in (old, new)}
        assert answers[old][REMOVED].value == ["buttock_or_hip"]
        assert (ADDED in answers[old], answers[new]) == (False, {ADDED: Answer("absent")})


def sent(client: Any, csrf: str, id_: str, question: str, value: str, seen: int) -> int:
    """The status of an answer sent as the page sends it."""
    data = {f"a.{question}": value, f"seen.{question}": str(seen), "key": f"sent-{id_}-{question}"}
    headers = {"HX-Request": "true", "X-CSRFToken": csrf}
    return int(client.post(f"/consultations/{id_}/answers", data=data, headers=headers).status_code)


def newest_for_all(library: Library, *_: object) -> Definition:
    """What a product would do that knows one version only."""
    return library.current


def test_control_a_product_that_knows_one_version_only_is_found(
    begun: Begun, kept: dict[str, Told], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = swapped(begun, tmp_path)
    monkeypatch.setattr(Library, "definition", newest_for_all)
    some = begun.ids[:40]
    now = told(folder, some, begun.who)
    assert all(now[id_].page != kept[id_].page for id_ in some[::A_WHOLE_PAGE])
    assert all(now[id_].asked != kept[id_].asked for id_ in some)
    assert all(now[id_].holds != kept[id_].holds for id_ in some)
    assert all(now[id_].note != kept[id_].note for id_ in some)
    assert any(now[id_].case != kept[id_].case for id_ in some)


def test_control_a_product_that_signs_by_the_newest_version_is_found(
    begun: Begun, kept: dict[str, Told], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, some = swapped(begun, tmp_path), begun.ids[:40]
    monkeypatch.setattr(signing, "case_of", by_the_newest)
    now = told(folder, some, begun.who)
    assert any(now[id_].case != kept[id_].case for id_ in some)


def by_the_newest(store: Store, consultation: Any) -> dict[str, str]:
    """The case as a product would make it that reads the newest version when it signs."""
    definition = store.library.current
    answers = signing.answers_to_audit(consultation, definition.proforma)
    path = store.path_of(consultation)
    done = signing.facts(consultation, path)
    return signing.case_fields(definition, answers, done, signing.identity_fields(consultation))
