"""An employee entered twice, whose record is whose, and who looked: by steps alone, all of it to be taken back."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from consult.record import identity, lists, looks, merging, own, reading, told
from consult.record.begun import earlier_signed
from consult.record.ledger import Refused
from consult.record.projection import rebuild_consultations
from consult.record.reading import Need
from consult.record.timekeeping import stamp

AT = "2026-11-22T10:00:00.000Z"
NURSE = ("person-nurse", "nurse")


@pytest.fixture
def twice(desk):
    """The employee of the desk, entered a second time with a consultation of its own."""
    other = desk.store.register("Zeb Quillfeather", date(1980, 3, 2), "E 2002", desk.who)
    first, desk.employee = desk.employee, other
    desk.begin()
    return first.id, other.id


def merge(desk, keep, other):
    with desk.db.write() as conn:
        merging.merge(conn, keep, other, *NURSE, AT)


def undo(desk, other):
    with desk.db.write() as conn:
        merging.undo(conn, other, *NURSE, AT)


def held(desk, employee):
    return sorted(s.id for s in lists.of_employee(desk.store.db.read(), employee))


def test_the_consultations_of_both_are_found_under_both_ids_and_by_one_name(desk, twice):
    first, other = twice
    apart = held(desk, first), held(desk, other)
    before = [dict(row) for row in desk.db.read().execute("SELECT * FROM consultation ORDER BY id")]
    merge(desk, first, other)
    conn = desk.db.read()
    assert held(desk, first) == held(desk, other) == sorted(apart[0] + apart[1])
    assert identity.employee(conn, other).id == first
    assert identity.employees(conn, [first, other, "nobody"]).keys() == {first, other}
    assert [e.id for e in identity.find(conn, "E 2002")] == [first]
    assert [e.id for e in identity.find(conn, "Quillfeather")] == [first]
    assert [e.id for e in identity.near_duplicates(conn, "Zeb Quillfeather", date(1980, 3, 2), "")] == [first]
    assert identity.entered(conn, other).name == "Zeb Quillfeather"
    undo(desk, other)
    assert (held(desk, first), held(desk, other)) == apart
    assert before == [dict(row) for row in desk.db.read().execute("SELECT * FROM consultation ORDER BY id")]
    assert identity.employee(conn, other).id == other


def test_verify_and_a_rebuild_see_no_difference(desk, twice):
    merge(desk, *twice)
    assert list(told.differences(desk.db.read())) == []
    with desk.db.write() as conn:
        rebuild_consultations(conn)
    assert list(told.differences(desk.db.read())) == []


def test_what_was_asked_last_about_reading_counts_under_either_id(desk, twice):
    first, other = twice
    with desk.db.write() as conn:
        reading.tell(conn, first, Need("none"), NURSE, AT, "k" * 20)
        reading.tell(conn, other, Need("some", size="large"), NURSE, AT, "l" * 20)
    assert reading.need(desk.db.read(), first).answer == "none"
    merge(desk, first, other)
    assert {reading.need(desk.db.read(), id_).size for id_ in twice} == {"large"}


def test_an_earlier_signed_one_of_the_other_entry_is_an_earlier_one(desk):
    desk.explain_blanks()
    desk.sign()
    first, signed = desk.employee.id, desk.id
    desk.employee = desk.store.register("Zeb Quillfeather", date(1980, 3, 2), "", desk.who)
    later = desk.begin()
    assert earlier_signed(desk.db.read(), later) == []
    merge(desk, desk.employee.id, first)
    assert earlier_signed(desk.db.read(), later) == [signed]


def test_what_makes_no_sense_is_refused(desk, twice):
    first, other = twice
    with pytest.raises(Refused, match="stands for itself"):
        undo(desk, other)
    for pair in ((first, first), (other, other)):
        with pytest.raises(Refused, match="same entry"):
            merge(desk, *pair)
    merge(desk, first, other)
    for pair in ((first, other), (other, first)):
        with pytest.raises(Refused, match="same entry"):
            merge(desk, *pair)
    third = desk.store.register("Third Person", date(1970, 1, 1), "", desk.who).id
    with pytest.raises(Refused, match="no longer kept"):
        merge(desk, third, other)


def test_any_order_of_merging_and_undoing_leads_to_groups_that_agree_with_a_second_reckoning(desk):
    seed = random.SystemRandom().randrange(10**9)
    print("seed", seed)
    luck = random.Random(seed)
    ids = [desk.store.register(f"Person {n}", date(1970, 1, n + 1), "", desk.who).id for n in range(6)]
    parent = {id_: id_ for id_ in ids}

    def top(id_):
        return id_ if parent[id_] == id_ else top(parent[id_])

    for _ in range(60):
        one, other = luck.sample(ids, 2)
        if luck.random() < 0.6:
            right = top(one) == one and top(other) == other
            if right:
                merge(desk, one, other)
                parent[other] = one
            else:
                with pytest.raises(Refused):
                    merge(desk, one, other)
        elif parent[one] != one:
            undo(desk, one)
            parent[one] = one
        conn = desk.db.read()
        for id_ in ids:
            assert merging.kept(conn, id_) == top(id_)
            assert merging.ids_of(conn, id_)[0] == top(id_)
            assert set(merging.ids_of(conn, id_)) == {x for x in ids if top(x) == top(id_)}


# --- one's own record ---------------------------------------------------------------------------------------------


def say(desk, person, employee):
    with desk.db.write() as conn:
        own.say(conn, person, employee, *NURSE, AT)


def test_a_person_is_one_employee_until_that_is_taken_back(desk, twice):
    first, other = twice
    assert not own.is_own(desk.db.read(), "p-1", first)
    say(desk, "p-1", first)
    say(desk, "p-1", first)
    conn = desk.db.read()
    assert own.is_own(conn, "p-1", first)
    assert not own.is_own(conn, "p-1", other)
    assert not own.is_own(conn, "p-2", first)
    with pytest.raises(Refused, match="another employee already"):
        say(desk, "p-1", other)
    assert own.persons_of(conn, first) == ["p-1"]
    say(desk, "p-1", "")
    assert not own.is_own(conn, "p-1", first)
    say(desk, "p-1", other)
    assert own.is_own(conn, "p-1", other)


@pytest.mark.parametrize("keeps", ["own", "other"])
def test_both_entries_of_oneself_are_ones_own(desk, twice, keeps):
    first, other = twice
    say(desk, "p-1", first)
    merge(desk, *(twice if keeps == "own" else reversed(twice)))
    conn = desk.db.read()
    assert own.is_own(conn, "p-1", first)
    assert own.is_own(conn, "p-1", other)
    assert own.persons_of(conn, other) == ["p-1"]


# --- who looked ---------------------------------------------------------------------------------------------------


def look(desk, employee, actor="person-nurse", reason=""):
    with desk.db.write() as conn:
        looks.note(conn, employee, actor, "nurse", desk.store.at(), reason)


def test_every_look_at_an_employee_and_the_consultations_of_both_entries_is_listed_newest_first(desk, twice):
    first, other = twice
    look(desk, first)
    desk.store.note_after(desk.id, "consultation_viewed", {}, "k" * 20, desk.who)
    desk.store.note_after(desk.id, "paper_viewed", {"paper": "note"}, "l" * 20, desk.who)
    look(desk, other, "person-physio", "Seen here today")
    conn = desk.db.read()
    assert [one.kind for one in looks.of_employee(conn, first)] == ["employee_viewed"]
    merge(desk, first, other)
    found = looks.of_employee(conn, other)
    assert [one.kind for one in found] == ["access_reasoned", "paper_viewed", "consultation_viewed", "employee_viewed"]
    assert (found[0].actor, found[0].reason, found[1].paper) == ("person-physio", "Seen here today", "note")
    assert looks.latest(conn, 10) == [one for one in looks.latest(conn, 10) if one.employee in twice]
    assert [one.seq for one in looks.latest(conn, 10)] == [one.seq for one in found]
    assert [one.kind for one in looks.latest(conn, 1, actor="person-physio")] == ["access_reasoned"]
    page = looks.latest(conn, 2)
    assert [*page, *looks.latest(conn, 2, page[-1].seq)] == looks.latest(conn, 4)


def test_a_reason_holds_for_one_person_one_employee_and_from_a_time_on(desk, twice):
    first, other = twice
    look(desk, first, reason="Seen here today")
    conn, long_ago = desk.db.read(), datetime(2026, 1, 1, tzinfo=UTC)
    assert looks.has_reason(conn, first, "person-nurse", long_ago)
    assert not looks.has_reason(conn, other, "person-nurse", long_ago)
    assert not looks.has_reason(conn, first, "person-doctor", long_ago)
    assert not looks.has_reason(conn, first, "person-nurse", desk.store.clock() + timedelta(seconds=1))
    look(desk, other)
    assert not looks.has_reason(conn, other, "person-nurse", long_ago), "a look alone is no reason"


@pytest.mark.parametrize("seed", range(5))
def test_whom_lists_showed_is_one_step_for_each_person_sitting_and_employee(desk, seed):
    """Random searches of three people who sign in anew now and then, against a set that says what must stand."""
    luck, conn = random.Random(seed), desk.db.read()
    ids = [desk.store.register(f"Invented {n}", date(1980, 1, 1), "", desk.who).id for n in range(6)]
    at, sitting, wanted = datetime(2026, 11, 22, 8, tzinfo=UTC), dict.fromkeys(("a", "b", "c"), 0), set()
    since = dict.fromkeys(sitting, at)
    for _ in range(60):
        at += timedelta(minutes=1)
        who = luck.choice(sorted(sitting))
        if luck.random() < 0.1:
            sitting[who], since[who] = sitting[who] + 1, at
        shown = luck.choices(ids, k=luck.randrange(5))
        opens = luck.random() < 0.2
        with desk.db.write() as write:
            if opens:
                looks.note(write, ids[0], who, "nurse", stamp(at))
                wanted.add((who, sitting[who], ids[0], "opened"))
            looks.note_listed(write, shown, luck.choice(("search", "alike")), who, "nurse", stamp(at), since[who])
        wanted |= {
            (who, sitting[who], one, "listed") for one in shown if (who, sitting[who], one, "opened") not in wanted
        }
        assert looks.not_listed(conn, shown, who, since[who]) == []
    listed = [one for id_ in ids for one in looks.of_employee(conn, id_) if one.kind == looks.LISTED]
    assert len(listed) == sum(kind == "listed" for *_, kind in wanted), f"seed {seed}"
    assert {(one.actor, one.employee) for one in listed} == {(w, e) for w, _, e, kind in wanted if kind == "listed"}
    assert {one.list for one in listed} == {"search", "alike"}
