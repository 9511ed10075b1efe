"""Second readings: drawn once by a seed, by somebody else, compared item by item, settled only by both."""

import uuid
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.audit import cases, reliability
from consult.audit.reliability import NOTHING, Entry, Reread, agreement, drawn, wanted
from consult.exchange import in_error
from consult.record.ledger import Draft, Refused, append, steps
from consult.record.opening import open_database
from consult.record.store import Who

AT = "2026-11-20T10:00:00.000Z"
LEAD, FIRST, SECOND = ("person-lead", "audit_lead"), ("person-first", "nurse"), ("person-second", "doctor")
CASES = [("P1", "retrospective", f"c{n:02}") for n in range(40)]


def key():
    return str(uuid.uuid4())


@pytest.fixture
def db(tmp_path, dataset):
    db = open_database(tmp_path / "consult.sqlite3")
    with db.write() as conn:
        cases.ensure(conn, dataset)
        for provider, mode, ref in CASES:
            fields = dict.fromkeys(dataset.by_name, "")
            fields |= {"provider": provider, "capture_mode": mode, "case_ref": ref, "site": "A", "sex": "female"}
            fields |= {"yf_action": "explained;early_review", "rf_age": "absent", "consultation_date": "2026-01-01"}
            step = append(conn, Draft("case_imported", fields, FIRST[0], AT))
            cases.put(conn, fields, step=step)
    yield db
    db.close()


def draw(db, seed="seed"):
    with db.write() as conn:
        reliability.draw(conn, "r1", CASES, seed, LEAD, AT, key())
    return reliability.draws(db.read())["r1"]


@pytest.mark.parametrize(("of", "n"), [(0, 0), (1, 1), (4, 4), (5, 5), (39, 5), (40, 5), (41, 6), (80, 10), (400, 50)])
def test_five_of_forty_are_read_again(of, n):
    assert wanted(of) == n


@given(st.text(max_size=20), st.permutations(CASES))
def test_a_seed_draws_the_same_cases_whatever_their_order(seed, some):
    chosen = drawn(seed, some, 5)
    assert chosen == drawn(seed, CASES, 5)
    assert len(set(chosen)) == 5
    assert set(chosen) <= set(CASES)


def test_every_case_can_be_drawn_about_as_often():
    counted = dict.fromkeys(CASES, 0)
    for seed in range(2000):
        for case in drawn(str(seed), CASES, 5):
            counted[case] += 1
    assert all(190 <= n <= 310 for n in counted.values()), counted  # 250 expected, standard deviation about 15


def test_a_round_is_drawn_once(db):
    first = draw(db)
    assert len(first.cases) == 5
    assert (first.seed, first.by) == ("seed", LEAD[0])
    with pytest.raises(Refused, match="once only"):
        draw(db, "another")
    with pytest.raises(Refused, match="empty"), db.write() as conn:
        reliability.draw(conn, "r2", [], "seed", LEAD, AT, key())


def reread(db, case, fields, who=SECOND, wrote=frozenset({FIRST[0]})):
    with db.write() as conn:
        now = reliability.draws(conn)["r1"]
        reliability.reenter(conn, now, case, fields, who, AT, key(), set(wrote))
    return reliability.draws(db.read())["r1"]


def test_the_second_reader_is_another_and_reads_once(db):
    case = draw(db).cases[0].case
    with pytest.raises(Refused, match="somebody else"):
        reread(db, case, {}, FIRST)
    with pytest.raises(Refused, match="not drawn"):
        reread(db, next(c for c in CASES if c not in [one.case for one in draw_of(db).cases]), {})
    reread(db, case, {"sex": "female"})
    with pytest.raises(Refused, match="already"):
        reread(db, case, {"sex": "male"})
    assert len(draw_of(db).done) == 1


def draw_of(db):
    return reliability.draws(db.read())["r1"]


def test_agreement_and_disputes_are_of_what_stood_when_it_was_read_again(db, dataset):
    case = draw(db).cases[0].case
    same = {"yf_action": "early_review;explained", "rf_age": "absent", "sex": "male"}
    found = reread(db, case, same)
    by_item = {a.name: (a.agreed, a.n) for a in reliability.by_item(found.done, dataset)}
    assert by_item["yf_action"] == (1, 1), "the order of a list does not matter"
    assert by_item["rf_age"] == (1, 1)
    assert by_item["rf_trauma"] == (1, 1), "blank twice is agreement"
    assert by_item["sex"] == (0, 1)
    (dispute,) = reliability.disputes(found, dataset)
    assert (dispute.field.name, dispute.first, dispute.second, dispute.settled) == ("sex", "female", "male", "")
    with db.write() as conn:
        held = cases.read(conn, *case)
        fields = held.fields | {"sex": "male"}
        cases.put(conn, fields, step=append(conn, Draft("case_replaced", fields, FIRST[0], AT)))
    assert reliability.disputes(draw_of(db), dataset)[0].first == "female"


def test_not_recorded_and_blank_are_the_same_silence(dataset):
    field = dataset.by_name["sex"]
    assert reliability.value(field, {"sex": ""}) == reliability.value(field, {"sex": "not_recorded"}) == NOTHING
    assert reliability.value(dataset.by_name["rf_age"], {"rf_age": "not_asked"}) == "not_asked"


def test_a_dispute_is_settled_only_when_both_readers_say_the_same(db, dataset):
    case = draw(db).cases[0].case
    reread(db, case, {"yf_action": "explained;early_review", "rf_age": "absent", "sex": "male"})

    def say(who, value):
        with db.write() as conn:
            now = reliability.draws(conn)["r1"]
            dispute = reliability.disputes(now, dataset)[0]
            return reliability.say(conn, now, dispute, value, "looked again", who, AT, key())

    assert say(SECOND, "male") == ""
    assert say(FIRST, "female") == ""
    with pytest.raises(Refused, match="Only the two"):
        say(("person-third", "nurse"), "male")
    with pytest.raises(Refused, match="one of the two"):
        say(FIRST, "other")
    assert say(FIRST, "male") == "male"
    assert reliability.disputes(draw_of(db), dataset)[0].settled == "male"
    with pytest.raises(Refused, match="already"):
        say(SECOND, "female")
    assert len(list(steps(db.read(), kind="dispute_answered"))) == 3


def test_kappa_is_given_from_thirty_pairs_on_and_is_cohens():
    table = {("a", "a"): 20, ("a", "b"): 5, ("b", "a"): 10, ("b", "b"): 15}
    pairs = [pair for pair, n in table.items() for _ in range(n)]
    found = agreement("item", pairs)
    assert (found.agreed, found.n) == (35, 50)
    assert found.kappa == pytest.approx(0.4)
    assert agreement("item", pairs[:29]).kappa is None
    assert agreement("item", [("a", "a")] * 40).kappa is None, "one answer throughout: not defined"
    assert (agreement("item", []).agreed, agreement("item", []).n) == (0, 0)


def test_items_with_the_same_answers_are_pooled_for_kappa(dataset):
    one = Reread(CASES[0], Entry(1, "a", {"rf_age": "present"}), Entry(2, "b", {"rf_age": "absent"}))
    pooled = {tuple(names): a for names, a in reliability.by_kind([one] * 4, dataset)}
    (groups,) = [names for names in pooled if "rf_age" in names]
    assert len(groups) == 9
    assert (pooled[groups].agreed, pooled[groups].n) == (32, 36)
    assert pooled[groups].kappa is not None


# ---------------------------------------------------------------- how blind a second reading was


def read_twice(first, second, **fields):
    entry = Entry(10, first, {"clinician_ref": "", **fields})
    return Reread(CASES[0], entry, Entry(20, second, {}))


@pytest.mark.parametrize(
    ("one", "wrote", "why"),
    [
        (read_twice("a", "b"), [(10, "a")], []),
        (read_twice("a", "a"), [(10, "a")], [reliability.SAME_PERSON]),
        (read_twice("a", "b"), [(5, "b"), (10, "a")], [reliability.WROTE_BEFORE]),
        (read_twice("a", "b"), [(10, "a"), (30, "b")], []),  # wrote it after reading: settled a dispute
        (read_twice("a", "b", clinician_ref="b"), [(10, "a")], [reliability.HELD_IT]),
        (read_twice("cli:root", "b"), [(10, "cli:root")], [reliability.FROM_FILE]),
        (read_twice("cli:root", "cli:root"), [], [reliability.SAME_PERSON, reliability.FROM_FILE]),
        (Reread(CASES[0], Entry(10, "a", {})), [(10, "a")], []),
    ],
)
def test_a_reading_that_was_not_blind_is_told_with_its_reason(one, wrote, why):
    assert reliability.doubts(one, wrote) == why


def test_a_case_waits_until_it_is_read_a_second_time(db):
    found = draw(db)
    assert reliability.waiting(db.read()) == {one.case for one in found.cases}
    reread(db, found.cases[0].case, {})
    assert reliability.waiting(db.read()) == {one.case for one in found.cases[1:]}


# ---------------------------------------------------------------- a case drawn that should not be here

ACTS = ("taken out", "entered", "read again")


def done_to(db, case, act):
    """One act on a case drawn, as the pages do it."""
    with db.write() as conn:
        held = cases.read(conn, *case)
        if act == "read again":
            reliability.reenter(conn, draw_of(db), case, {"sex": "male"}, SECOND, AT, key(), {FIRST[0]})
        elif act == "taken out" and held:
            in_error.take_out(conn, held, "Entered twice", Who(*FIRST), AT, key(), held.step)
        elif act == "entered" and not held:
            (fields,) = [s.content for s in steps(conn, kind="case_imported") if cases.key_of(s.content) == case]
            cases.put(conn, fields, step=append(conn, Draft("case_imported", fields, FIRST[0], AT)))


def test_a_case_drawn_is_read_left_out_or_waits_in_whatever_order_it_is_taken_out_entered_and_read(db, dataset):
    """Every order of three acts on a case of its own, against what is plainly so."""
    orders = dict(zip(CASES, product(ACTS, repeat=3), strict=False))
    assert len(orders) == 27
    with db.write() as conn:
        said = {"round": "r1", "seed": "seed", "cases": [list(case) for case in orders]}
        append(conn, Draft("reliability_drawn", said, LEAD[0], AT, "", "", LEAD[1], key()))
    held, read = set(orders), set()
    for case, acts in orders.items():
        for act in acts:
            may = act != "read again" or (case in held and case not in read)
            if may:
                done_to(db, case, act)
            else:
                with pytest.raises(Refused, match="already" if case in read else "taken out as entered in error"):
                    done_to(db, case, act)
            held = held - {case} if act == "taken out" else held | {case} if act == "entered" else held
            read |= {case} if act == "read again" and may else set()
    found = draw_of(db)
    assert {one.case for one in found.done} == read
    assert {one.case for one in found.left_out} == set(orders) - held - read
    assert reliability.waiting(db.read()) == held - read
    assert {one.case for one in found.cases if one.out} == set(orders) - held
    assert {a.n for a in reliability.by_item(found.done, dataset)} == {len(read)}
    assert all(one.out.reason == "Entered twice" for one in found.cases if one.out)


def test_nothing_is_settled_of_a_case_that_was_taken_out(db, dataset):
    case = draw(db).cases[0].case
    reread(db, case, {"yf_action": "explained;early_review", "rf_age": "absent", "sex": "male"})
    done_to(db, case, "taken out")
    (dispute,) = reliability.disputes(draw_of(db), dataset)
    with pytest.raises(Refused, match="nothing to settle"), db.write() as conn:
        reliability.say(conn, draw_of(db), dispute, "male", "", SECOND, AT, key())
