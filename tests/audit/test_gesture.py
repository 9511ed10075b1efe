"""How much of the red flags "No to the rest" answered: counted as it stands at signing, and rebuilt the same."""

from consult.audit import gesture
from consult.audit.results import Selection
from consult.documents import signing

REST = "rest_of_red_flags"
ELIGIBLE = {"back_pain_reason": "main", "visit_and_episode": "first_ever_episode"}
ONE_BY_ONE = {"major_injury": "absent", "fever_or_very_ill": "absent"}


def signed(desk, **words):
    desk.begin()
    desk.give(**{**ELIGIBLE, **ONE_BY_ONE, **words})
    return desk.store.rest(desk.id, REST, desk.key(), desk.who)


def finish(desk):
    for question in desk.gate.undecided:
        desk.decide(question.id, "gp_letter")
    desk.explain_blanks()
    desk.sign(on_purpose=True)


def share(desk, **chosen):
    measures = desk.measures
    return gesture.share(desk.db.read(), measures, desk.definition.dataset, Selection(**chosen))


def test_group_answers_are_counted_among_all_negatives(desk, national):
    desk.measures = national
    filled = signed(desk, cancer_ever="absent")
    assert len(filled) > 5
    desk.give(**{filled[0]: "not_asked", filled[1]: None})
    desk.give(**{filled[1]: "absent"})
    finish(desk)
    found = share(desk)
    assert (found.consultations, found.by_gesture) == (1, len(filled) - 2)
    assert found.negatives == found.by_gesture + 3 + 1  # three one by one before, one of the gesture's answered by hand


def test_what_is_parked_or_must_be_asked_again_is_not_counted(desk, national):
    desk.measures = national
    filled = signed(desk, cancer_ever="unsure", worse_on_straining="absent")
    desk.give(cancer_ever="absent")  # which parks the question about straining
    assert desk.path.answer("worse_on_straining") is None
    finish(desk)
    assert share(desk) == gesture.Share(1, len(filled) + 3, len(filled))
    first = len(filled)
    filled = signed(desk, cancer_ever="absent")
    again = {"upper_back_pain", "constant_or_worsening_pain", "night_pain", "weight_loss_sweats_off_food"}
    assert again < set(filled)
    desk.give(cancer_ever="unsure")  # after which these must be asked one by one
    finish(desk)
    more = share(desk).by_gesture - first
    assert more == len(filled) - len(again)


def test_only_eligible_live_cases_of_the_selection_count(desk, national):
    desk.measures = national
    signed(desk)
    finish(desk)
    assert share(desk).consultations == share(desk, site="S1", provider="P1").consultations == 1
    assert share(desk, site="S2", provider="P1") == share(desk, end="2020-01-01") == gesture.Share(0, 0, 0)
    assert share(desk, capture="retrospective").consultations == 0
    signed(desk, back_pain_reason="not_a_reason")
    finish(desk)
    assert share(desk).consultations == 1
    signing.enter_in_error(desk.store, desk.id, "wrong_person", "", desk.key(), desk.who)
    signed(desk)
    finish(desk)
    assert share(desk).consultations == 2
    signing.enter_in_error(desk.store, desk.id, "wrong_person", "", desk.key(), desk.who)
    assert share(desk).consultations == 1


def test_a_rebuild_gives_the_same_and_a_difference_is_found(desk, national):
    desk.measures = national
    signed(desk)
    finish(desk)
    before = share(desk)
    library = desk.store.library
    assert gesture.differing(desk.db.read(), library) == []
    with desk.db.write() as conn:
        conn.execute("UPDATE gesture_row SET by_gesture = by_gesture + 1")
    assert gesture.differing(desk.db.read(), library) == [desk.id]
    with desk.db.write() as conn:
        conn.execute("DROP TABLE gesture_row")
        assert gesture.ensure(conn)
        assert not gesture.ensure(conn)
        gesture.rebuild(conn, library)
    assert gesture.differing(desk.db.read(), library) == []
    assert share(desk) == before
