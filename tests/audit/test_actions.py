"""Actions: each change is a step, only the ways of the table are open, and what is open is carried over."""

import uuid
from datetime import date

import pytest

from consult.audit import actions, rounds
from consult.audit.actions import MOVES, STATES, Wanted
from consult.record import incidents
from consult.record.incidents import Incident
from consult.record.ledger import Refused, seen_of, steps, verify
from consult.record.opening import open_database

LEAD = ("person-lead", "audit_lead")
AT = "2026-11-20T10:00:00.000Z"
TEXTS = {"cause": "The form has no place for it", "what": "A line on the form", "evidence": "20 notes in a row"}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    db = open_database(tmp_path_factory.mktemp("actions") / "consult.sqlite3")
    yield db
    db.close()


def key():
    return str(uuid.uuid4())


def make_round(db, start, end, capture="retrospective"):
    wanted = rounds.Wanted(f"Round {uuid.uuid4()}", "P1", capture, start, end)
    with db.write() as conn:
        return rounds.set_round(conn, wanted, LEAD, AT, key())


@pytest.fixture(scope="module")
def first(db):
    return make_round(db, "2025-01-01", "2025-06-30")


@pytest.fixture(scope="module")
def later(db):
    return make_round(db, "2025-07-01", "2025-12-31")


def wanted(round_id, **more):
    base = {"measure": "m", "round": round_id, "site": "", "owner": "p-1", "post": "", "due": "2026-03-01"}
    return Wanted(**{**base, **TEXTS, **more})


def make(db, round_id, **more):
    with db.write() as conn:
        return actions.set_action(conn, wanted(round_id, **more), LEAD, AT, key())


def move(db, id_, state, text="because", reaudit=""):
    with db.write() as conn:
        actions.move(conn, id_, state, text, reaudit, LEAD, AT, key())


def held(db, id_):
    return actions.actions(db.read())[id_]


WAYS = {
    "planned": [],
    "under_way": ["under_way"],
    "done": ["done"],
    "closed": ["done", "closed"],
    "given_up": ["given_up"],
}


def brought(db, first, later, state):
    id_ = make(db, first)
    for step in WAYS[state]:
        move(db, id_, step, reaudit=later)
    assert held(db, id_).state == state
    return id_


def test_an_action_made_is_the_action_read_with_who_and_when(db, first):
    id_ = make(db, first, what="  A line on the form ")
    found = held(db, id_)
    assert (found.wanted, found.state, found.set_by, found.set_at) == (wanted(first), "planned", LEAD[0], AT)
    assert [s.kind for s in found.history] == ["action_set"]


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", [*STATES, "finished", ""])
def test_every_pair_of_states_is_open_as_the_table_says_and_else_refused(db, first, later, before, after):
    id_ = brought(db, first, later, before)
    if after in MOVES[before]:
        move(db, id_, after, reaudit=later)
        assert held(db, id_).state == after
        return
    written = held(db, id_)
    with pytest.raises(Refused):
        move(db, id_, after, reaudit=later)
    assert held(db, id_) == written


@pytest.mark.parametrize(("before", "after"), [("planned", "given_up"), *sorted(actions.NEEDS_WORDS)])
def test_giving_up_and_taking_up_again_need_words(db, first, later, before, after):
    id_ = brought(db, first, later, before)
    with pytest.raises(Refused, match="Say why"):
        move(db, id_, after, text="  ", reaudit=later)


def test_an_action_is_closed_only_after_a_later_round_captured_in_the_same_way(db, first, later):
    id_ = brought(db, first, later, "done")
    live = make_round(db, "2025-07-01", "2025-12-31", "live")
    overlapping = make_round(db, "2025-06-01", "2025-12-31")
    for wrong in ("", "nothing", first, live, overlapping):
        with pytest.raises(Refused, match="looked again"):
            move(db, id_, "closed", reaudit=wrong)
    move(db, id_, "closed", reaudit=later)
    assert (held(db, id_).reaudit, held(db, id_).open) == (later, False)
    move(db, id_, "under_way")
    assert held(db, id_).reaudit == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"measure": ""},
        {"round": "nothing"},
        {"cause": " "},
        {"what": ""},
        {"evidence": "\n"},
        {"owner": ""},
        {"post": "Lead nurse"},
        {"due": ""},
        {"due": "1 March"},
        {"due": "2026-02-30"},
        {"what": "x" * 1001},
    ],
)
def test_an_action_that_is_not_whole_is_refused_and_nothing_is_written(db, first, wrong):
    before = len(list(steps(db.read())))
    with pytest.raises(Refused):
        make(db, first, **wrong)
    assert len(list(steps(db.read()))) == before


def seen(db, id_):
    return seen_of(held(db, id_).history)


def test_a_change_needs_a_reason_keeps_the_gap_and_leaves_what_was(db, first, later):
    id_ = make(db, first)
    changed = wanted(later, measure="other", site="B", due="2026-05-01")
    with db.write() as conn, pytest.raises(Refused, match="Say why"):
        actions.set_action(conn, changed, LEAD, AT, key(), id_, "", seen(db, id_))
    with db.write() as conn:
        assert actions.set_action(conn, changed, LEAD, AT, key(), id_, "More time", seen(db, id_)) == id_
    found = held(db, id_)
    assert found.wanted == wanted(first, due="2026-05-01")
    assert [s.content["due"] for s in found.history] == ["2026-03-01", "2026-05-01"]
    move(db, id_, "given_up")
    with db.write() as conn, pytest.raises(Refused, match="has ended"):
        actions.set_action(conn, changed, LEAD, AT, key(), id_, "More time", seen(db, id_))


def test_the_same_key_makes_one_action(db, first):
    once = key()
    with db.write() as conn:
        ids = {actions.set_action(conn, wanted(first), LEAD, AT, once) for _ in range(2)}
    assert len(ids) == 1
    assert len(held(db, ids.pop()).history) == 1


def test_an_action_is_carried_over_until_it_is_closed_or_given_up(db, first, later):
    live = make_round(db, "2026-01-01", "2026-06-30", "live")
    last = make_round(db, "2026-01-01", "2026-06-30")
    states = {state: brought(db, first, later, state) for state in STATES}

    def shown(round_id):
        found = actions.of_round(actions.actions(db.read()).values(), rounds.standing(db.read()), round_id)
        return {action.id for action in found} & set(states.values())

    assert shown(first) == set(states.values())
    assert shown(later) == set(states.values()) - {states["given_up"]}
    assert shown(last) == {states["planned"], states["under_way"], states["done"]}
    assert shown(live) == set()


def test_past_its_day_is_what_nobody_has_said_was_done(db, first, later):
    for state, past in {"planned": True, "under_way": True, "done": False, "closed": False, "given_up": False}.items():
        found = held(db, brought(db, first, later, state))
        assert found.overdue(date(2026, 3, 2)) == past
        assert not found.overdue(date(2026, 3, 1))


def noted(db, **more):
    base = {"id": "", "happened_on": "2026-01-02", "what": "It was away", "effect": "Two on paper", "done": ""}
    reason, said = more.pop("reason", ""), Incident(**{**base, **more})
    with db.write() as conn:
        held = incidents.incidents(conn).get(said.id)
        seen = seen_of(held.history) if held else 0
        return incidents.note(conn, said, LEAD, date(2026, 1, 3), AT, key(), reason, seen)


def test_an_incident_is_noted_and_what_was_done_is_added_with_a_reason(db):
    id_ = noted(db)
    with pytest.raises(Refused, match="Say why"):
        noted(db, id=id_, done="A second cable")
    noted(db, id=id_, done="A second cable", reason="It was done")
    found = incidents.incidents(db.read())[id_]
    assert (found.what, found.done, len(found.history)) == ("It was away", "A second cable", 2)
    for wrong in ({"what": ""}, {"effect": " "}, {"happened_on": "2026-01-04"}, {"happened_on": "x"}, {"id": "no"}):
        with pytest.raises(Refused):
            noted(db, **wrong)


def test_the_log_stays_whole(db):
    assert verify(db.read()) is None
