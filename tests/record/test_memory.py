"""What is remembered of a consultation is what its steps tell, whatever was done, by whom, and in which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consult.proforma.answer import Answer
from consult.record.capture import Business
from consult.record.consultation import fold
from consult.record.ledger import Draft, append, steps
from consult.record.memory import MOST, Memory

QUESTIONS = ("harm_belief", "low_mood", "cord_signs", "night_pain")
ACTS = st.one_of(
    st.tuples(st.just("give"), st.sampled_from(QUESTIONS), st.sampled_from(["present", "absent", "unsure", None])),
    st.tuples(st.just("rest"), st.just("rest_of_red_flags"), st.none()),
    st.tuples(st.just("undo"), st.just("rest_of_red_flags"), st.none()),
    st.tuples(st.just("leaflet"), st.sampled_from(["printed", "given"]), st.none()),
    st.tuples(st.just("explain"), st.none(), st.none()),
)


def told(desk):
    """The consultation as a fold over all its steps, without anything remembered."""
    return fold(desk.id, steps(desk.db.read(), consultation=desk.id))


def written_in(desk):
    """The consultation as a transaction finds it, in which more is about to be written."""
    with desk.store.writing(desk.id, desk.who) as (_, consultation):
        return consultation


def act(desk, what, about, value):
    if what == "give":
        seen = told(desk).seen(about)
        desk.store.save(
            desk.id, desk.question(about), Answer(value) if value else None, seen, desk.key(), "single", desk.who
        )
    elif what == "rest":
        desk.store.rest(desk.id, about, desk.key(), desk.who)
    elif what == "undo":
        desk.store.undo_rest(desk.id, about, desk.key(), desk.who)
    elif what == "leaflet":
        desk.leaflet(about)
    else:
        desk.explain_blanks()


@given(acts=st.lists(ACTS, max_size=12))
def test_it_is_what_the_steps_tell_after_any_acts(busy_desk, acts):
    busy_desk.begin()
    for one in acts:
        act(busy_desk, *one)
        assert written_in(busy_desk) == busy_desk.store.remembered(busy_desk.id) == told(busy_desk)
    by_saving = busy_desk.store.remembered(busy_desk.id, sure=False)
    assert by_saving == told(busy_desk)


def test_a_state_that_was_handed_out_never_changes(desk):
    before = desk.store.remembered(desk.id)
    as_it_was = told(desk)
    desk.give(harm_belief="present")
    assert before == as_it_was
    assert desk.store.remembered(desk.id) != as_it_was


def test_saving_gives_the_state_before_and_after(desk):
    before = told(desk)
    saved = desk.store.saved(desk.id, desk.question("harm_belief"), Answer("present"), 0, "k" * 20, "single", desk.who)
    assert (saved.before, saved.after) == (before, told(desk))
    again = desk.store.saved(desk.id, desk.question("harm_belief"), Answer("present"), 0, "k" * 20, "single", desk.who)
    assert (again.seq, again.before, again.after) == (saved.seq, None, None)


def test_what_another_program_wrote_is_seen(desk):
    desk.give(harm_belief="present")
    desk.store.remembered(desk.id)
    with desk.db.write() as conn:
        content = {
            "state": "absent",
            "value": None,
            "reason": "",
            "via": "single",
            "seen": told(desk).seen("harm_belief"),
        }
        draft = Draft("answer_given", content, desk.who.actor, desk.store.at(), desk.id, "harm_belief", desk.who.role)
        append(conn, draft)
    assert written_in(desk) == desk.store.remembered(desk.id) == told(desk)
    desk.give(low_mood="present")
    assert desk.store.remembered(desk.id, sure=False) == told(desk)


def test_what_was_redacted_is_forgotten(desk):
    desk.give(employee_concern="Words that must go")
    seq = desk.store.remembered(desk.id).seen("employee_concern")
    with desk.db.write() as conn:
        append(conn, Draft("content_redacted", {"why": "asked for"}, "cli:test", desk.store.at(), "", f"step:{seq}"))
        conn.execute("DELETE FROM step_content WHERE seq = ?", (seq,))
    assert "Words that must go" not in repr(written_in(desk))
    assert "Words that must go" not in repr(desk.store.remembered(desk.id))
    assert desk.store.remembered(desk.id) == told(desk)


def test_what_was_not_committed_is_not_remembered(desk):
    before = desk.store.remembered(desk.id)
    broken = desk.db._writer

    class Fails:
        def __getattr__(self, name):
            return getattr(broken, name)

        def execute(self, sql, *values):
            if sql == "COMMIT":
                raise OSError("the disk went away")
            return broken.execute(sql, *values)

    desk.db._writer = Fails()
    try:
        desk.give(harm_belief="present")
    except OSError:
        pass
    finally:
        desk.db._writer = broken
    assert desk.store.remembered(desk.id, sure=False) == before == told(desk)


def test_no_more_than_so_many_are_kept(desk):
    memory = Memory()
    first = desk.id
    for _ in range(MOST + 1):
        memory.now(desk.db.read(), desk.id)
        desk.begin()
    assert memory.recalled(first) is None
    assert memory.now(desk.db.read(), first) == fold(first, steps(desk.db.read(), consultation=first))


def test_business_is_the_same_gathered_step_by_step_or_all_at_once(desk):
    growing = Business()
    for answer, words in (("present", "first"), ("absent", "none"), ("present", "second")):
        desk.begin()
        desk.give(cord_signs=answer)
        if answer == "present":
            desk.decide("cord_signs", "urgent_referral", words)
        assert sorted(growing.of(desk.db.read())) == sorted(Business().of(desk.db.read()))
    assert len(growing.of(desk.db.read())) == 2
    desk.begin()
    desk.give(adjustment_types=["amended_duties"], amended_duties_plan={"what": "No lifting", "review": "2026-12-01"})
    assert desk.id in growing.of(desk.db.read())
    assert sorted(growing.of(desk.db.read())) == sorted(Business().of(desk.db.read()))
