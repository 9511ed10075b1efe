"""The store: each save one durable step; retries, stale tabs, other people and closed consultations are refused."""

import threading

import pytest
from msgspec.structs import asdict

from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.load import parse_definition
from consult.record import ledger, lists
from consult.record.consultation import fold
from consult.record.ledger import KeyReused
from consult.record.library import Library, install
from consult.record.projection import rebuild_consultations
from consult.record.store import (
    Conflict,
    NotOpen,
    NotYours,
    Refused,
    Start,
    Who,
)

BLADDER, LEAK = "bladder_emptying_change", "new_leaking_or_pads"
REST = "rest_of_red_flags"


def save(desk, question_id, answer, seen=0, key=None, who=None):
    return desk.store.save(
        desk.id, desk.question(question_id), answer, seen, key or desk.key(), "single", who or desk.who
    )


def count(desk):
    return ledger.head(desk.db.read())[0]


def test_the_same_save_again_is_one_step(desk):
    first = save(desk, BLADDER, Answer("present"), key="k")
    before = count(desk)
    assert save(desk, BLADDER, Answer("present"), key="k") == first
    assert count(desk) == before


@pytest.mark.parametrize("other", [(BLADDER, Answer("absent")), (BLADDER, None), (LEAK, Answer("present"))])
def test_another_content_under_a_key_is_refused(desk, other):
    save(desk, BLADDER, Answer("present"), key="k")
    before = count(desk)
    with pytest.raises(KeyReused):
        save(desk, *other, key="k")
    assert count(desk) == before
    assert issubclass(KeyReused, Refused)


def test_a_key_of_another_consultation_is_refused(desk):
    save(desk, BLADDER, Answer("present"), key="k")
    desk.begin()
    with pytest.raises(KeyReused):
        save(desk, BLADDER, Answer("present"), key="k")


def test_a_retry_is_recognised_even_after_a_later_change(desk):
    first = save(desk, BLADDER, Answer("present"), key="k")
    save(desk, BLADDER, Answer("absent"), seen=first)
    assert save(desk, BLADDER, Answer("present"), key="k") == first
    assert desk.now.answers[BLADDER] == Answer("absent")


def test_a_stale_page_gets_both_values_and_writes_nothing(desk):
    first = save(desk, BLADDER, Answer("present"))
    second = save(desk, BLADDER, Answer("unsure"), seen=first)
    before = count(desk)
    with pytest.raises(Conflict) as refused:
        save(desk, BLADDER, Answer("absent"), seen=first)
    assert (refused.value.question, refused.value.now.answer, refused.value.now.seq) == (
        BLADDER,
        Answer("unsure"),
        second,
    )
    assert count(desk) == before
    assert desk.now.answers[BLADDER] == Answer("unsure")


def test_two_questions_of_one_page_never_conflict(desk):
    save(desk, BLADDER, Answer("absent"))
    save(desk, LEAK, Answer("absent"))
    assert set(desk.now.answers) == {BLADDER, LEAK}


def test_an_answer_that_stands_already_writes_nothing(desk):
    first = save(desk, BLADDER, Answer("present"))
    before = count(desk)
    assert save(desk, BLADDER, Answer("present"), seen=first) == first
    assert save(desk, BLADDER, Answer("present"), seen=0) == first
    assert save(desk, LEAK, None) == 0
    assert count(desk) == before


def test_a_removal_is_a_step_and_the_answer_is_gone(desk):
    first = save(desk, BLADDER, Answer("present"))
    save(desk, BLADDER, None, seen=first)
    assert desk.now.answers == {}
    assert [r.answer for r in desk.now.history[BLADDER]] == [Answer("present"), None]


def test_only_the_clinician_who_holds_it_writes(desk):
    other = Who("person-doctor", "doctor")
    before = count(desk)
    for act in (
        lambda: save(desk, BLADDER, Answer("present"), who=other),
        lambda: desk.store.rest(desk.id, REST, "k", other),
        lambda: desk.store.undo_rest(desk.id, REST, "k", other),
        lambda: desk.store.abandon(desk.id, "other", "", "k", other),
        lambda: desk.store.note(desk.id, "note_copied", {"digest": ""}, "k", other),
    ):
        with pytest.raises(NotYours):
            act()
    assert count(desk) == before


def test_an_abandoned_consultation_does_not_change_any_more(desk):
    desk.store.abandon(desk.id, "left", "had to go", desk.key(), desk.who)
    before = count(desk)
    for act in (
        lambda: save(desk, BLADDER, Answer("present")),
        lambda: desk.store.rest(desk.id, REST, "k", desk.who),
        lambda: desk.store.abandon(desk.id, "left", "", "k", desk.who),
    ):
        with pytest.raises(NotOpen):
            act()
    assert count(desk) == before
    assert [s.state for s in lists.of_employee(desk.store.db.read(), desk.employee.id)] == ["abandoned"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (BLADDER, Answer("maybe")),
        (BLADDER, Answer(ANSWERED, "present")),
        ("sex", Answer("present")),
        ("sex", Answer(ANSWERED, "robot")),
        ("sex", Answer(ANSWERED, ["male"])),
        ("sex", Answer(ANSWERED, "")),
        ("leg_symptoms", Answer(ANSWERED, "pain")),
        ("leg_symptoms", Answer(ANSWERED, [])),
        ("leg_symptoms", Answer(ANSWERED, ["pain", "pain"])),
        ("leg_symptoms", Answer(ANSWERED, ["neither", "pain"])),
        ("leg_symptoms", Answer(ANSWERED, ["tail"])),
        ("pain_now", Answer(ANSWERED, 11)),
        ("pain_now", Answer(ANSWERED, -1)),
        ("pain_now", Answer(ANSWERED, "7")),
        ("pain_now", Answer(ANSWERED, True)),
        ("pain_began_on", Answer(ANSWERED, "last week")),
        ("pain_began_on", Answer(ANSWERED, "20261122")),
        ("clinician_notes", Answer(ANSWERED, ["a"])),
        ("altered_hours_plan", Answer(ANSWERED, {"what": 3})),
        ("altered_hours_plan", Answer(ANSWERED, {"whom": "a"})),
        ("altered_hours_plan", Answer(ANSWERED, {"end": "soon"})),
        ("altered_hours_plan", Answer(ANSWERED, "shorter days")),
    ],
)
def test_an_answer_the_question_cannot_have_is_refused(desk, question, answer):
    before = count(desk)
    with pytest.raises(Refused):
        save(desk, question, answer)
    assert count(desk) == before


def test_the_gesture_is_one_step_an_item_marked_as_group(desk):
    desk.give(cancer_ever="absent")
    before = count(desk)
    filled = desk.store.rest(desk.id, REST, "gesture", desk.who)
    assert len(filled) == 15
    assert count(desk) == before + 15
    assert desk.store.rest(desk.id, REST, "gesture", desk.who) == []
    undone = desk.store.undo_rest(desk.id, REST, "undo", desk.who)
    assert undone == filled
    written = [s for s in ledger.steps(desk.db.read(), consultation=desk.id) if s.seq > before]
    assert [s.kind for s in written] == ["answer_given"] * 15 + ["answer_removed"] * 15
    assert {s.content["via"] for s in written} == {"group"}


def test_beginning_twice_with_one_key_begins_one(desk):
    start = Start(desk.employee.id, "S1", "P1", "video", "45-54")
    first = desk.store.start(start, desk.who, "new")
    assert desk.store.start(start, desk.who, "new") == first
    assert len(lists.of_employee(desk.store.db.read(), desk.employee.id)) == 2


def test_two_threads_lose_no_answer(desk):
    questions = [q for q in desk.definition.proforma.questions if q.kind == "finding"]
    halves = [questions[::2], questions[1::2]]
    failures = []

    def work(mine, name):
        try:
            for n in range(200):
                question = mine[n % len(mine)]
                state = ("present", "absent")[(n // len(mine)) % 2]
                seen = desk.store.consultation(desk.id).seen(question.id) if n >= len(mine) else 0
                desk.store.save(desk.id, question, Answer(state), seen, f"{name}-{n}", "single", desk.who)
        except Exception as error:
            failures.append(error)

    before = count(desk)
    threads = [threading.Thread(target=work, args=(half, n)) for n, half in enumerate(halves)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert count(desk) == before + 400
    assert len(desk.now.answers) == len(questions)
    assert ledger.verify(desk.db.read()) is None


def test_the_projection_equals_its_rebuild(desk):
    first = desk.id
    desk.store.abandon(first, "left", "", desk.key(), desk.who)
    desk.begin()
    desk.give(**{BLADDER: "absent"})
    read = "SELECT * FROM consultation ORDER BY id"
    before = [tuple(row) for row in desk.db.read().execute(read)]
    with desk.db.write() as conn:
        assert rebuild_consultations(conn) == 2
    assert [tuple(row) for row in desk.db.read().execute(read)] == before


def test_a_consultation_goes_on_with_the_version_it_began_with(desk, back_pain):
    old = desk.id
    texts = dict(back_pain.texts)
    texts["proforma.toml"] = texts["proforma.toml"].replace(
        'ask = "Any new leaking of urine, or new use of pads?"', 'ask = "Any new leaking at all?"'
    )
    newer = parse_definition(texts)
    with desk.db.write() as conn:
        install(conn, newer, "cli:tests", desk.store.at())
    desk.store.library = Library(newer)  # as a restart with the new files does: the old version is in the database
    new = desk.begin()
    asks = {c: desk.store.definition_of(desk.store.consultation(c)).proforma.by_id[LEAK].ask for c in (old, new)}
    assert asks == {old: "Any new leaking of urine, or new use of pads?", new: "Any new leaking at all?"}
    assert desk.store.definition_of(desk.store.consultation(old)).digest == back_pain.digest


def redact(desk, seq):
    with desk.db.write() as conn:
        draft = ledger.Draft("content_redacted", {"why": "names a third person"}, "cli:t", desk.store.at())
        ledger.append(conn, ledger.Draft(**{**asdict(draft), "question": f"step:{seq}"}))
        conn.execute("DELETE FROM step_content WHERE seq = ?", (seq,))


def test_a_consultation_is_still_read_when_what_a_step_says_was_redacted(desk):
    desk.give(**{BLADDER: "present", "clinician_notes": "Fictitious Name was seen"})
    desk.decide(BLADDER, reason="Fictitious Name took the call")
    desk.give(report_consent="given")
    desk.make_report()
    for step in list(ledger.steps(desk.db.read(), consultation=desk.id)):
        if step.kind != "consultation_started":
            redact(desk, step.seq)
    again = fold(desk.id, ledger.steps(desk.db.read(), consultation=desk.id))
    assert again.decisions == {}
    assert again.report is None
    assert desk.path.questions()
    assert not desk.gate.open
    assert ledger.verify(desk.db.read()) is None
