"""Cases entered from notes: held to the importer's rules, never twice under one key, and nothing typed is lost."""

import random
import uuid
from contextlib import suppress
from datetime import date

import pytest

from consult.audit import cases
from consult.exchange import entry
from consult.exchange.casefile import import_cases
from consult.exchange.entry import NotTaken, Over
from consult.exchange.intake import Import
from consult.record.ledger import Refused, steps
from consult.record.opening import open_database
from consult.record.store import Who
from consult.verifying import _by_key

TODAY = date(2026, 11, 22)
AT = "2026-11-22T10:00:00.000Z"
NURSE, DOCTOR = Who("person-nurse", "nurse"), Who("person-doctor", "doctor")
RULES = Import("P1", TODAY, NURSE.actor, AT)
FIELDS = {
    "case_ref": "R-1",
    "site": "A",
    "consultation_date": "2026-03-01",
    "clinician_role": "nurse",
    "back_pain_reason": "main",
    "first_consultation": "yes",
    "episode_gap": "none_ever",
}


def key():
    return str(uuid.uuid4())


@pytest.fixture
def db(tmp_path, back_pain):
    db = open_database(tmp_path / "consult.sqlite3")
    with db.write() as conn:
        cases.ensure(conn, back_pain.dataset)
    yield db
    db.close()


@pytest.fixture
def sit(db):
    with db.write() as conn:
        id_ = entry.begin(conn, 40, NURSE, AT, key())
    return lambda: entry.sittings(db.read(), NURSE.actor)[id_]


@pytest.fixture
def enter(db, sit, back_pain):
    def enter(draft="", request="", **fields):
        with db.write() as conn:
            about = (sit(), draft or key())
            return entry.enter(
                conn, back_pain.dataset, {**FIELDS, **fields}, about, RULES, {"A", "B"}, NURSE, request or key()
            )

    return enter


def test_a_case_is_entered_as_retrospective_of_the_own_provider(db, sit, enter):
    row = enter(sex="female", yf_action="explained; early_review")
    held = cases.read(db.read(), "P1", "retrospective", "R-1")
    assert held == row
    assert (held.fields["sex"], held.fields["yf_action"]) == ("female", "explained;early_review")
    assert sit().entered == (("P1", "retrospective", "R-1"),)
    (step,) = steps(db.read(), kind="case_imported")
    assert (step.actor, step.role) == ("person-nurse", "nurse")


def test_the_table_is_what_a_rebuild_makes(db, enter, back_pain):
    for n in range(5):
        enter(case_ref=f"R-{n}")
    before = _by_key(db.read())
    with db.write() as conn:
        assert cases.rebuild(conn, back_pain.dataset) == 5
    assert _by_key(db.read()) == before


def test_what_was_blank_stays_blank(enter, back_pain):
    row = enter()
    given = set(FIELDS) | {"provider", "capture_mode"}
    assert {name for name, text in row.fields.items() if text} == given


WRONG = [
    {"case_ref": ""},
    {"case_ref": "943 476 5919"},
    {"case_ref": "a/b"},
    {"case_ref": "x" * 65},
    {"consultation_date": "2026-11-23"},
    {"consultation_date": "1 March"},
    {"site": ""},
    {"clinician_role": ""},
    {"clinician_role": "porter"},
    {"episode_gap": ""},
    {"first_consultation": "perhaps"},
    {"yf_action": "explained;prayer"},
    {"sex": "f"},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_case_is_refused_exactly_where_the_importer_refuses_it(db, enter, back_pain, wrong):
    with pytest.raises(NotTaken) as refused:
        enter(**wrong)
    assert list(steps(db.read(), kind="case_imported")) == []
    names = list(back_pain.dataset.by_name)
    row = {**FIELDS, "capture_mode": "retrospective", **wrong}
    cells = [f'"{row.get(name, "")}"' for name in names]
    report = import_cases(db, back_pain.dataset, f"{','.join(names)}\n{','.join(cells)}\n", RULES)
    assert report.refused == 1
    assert [(b.field, b.sentence) for b in report.bad] == refused.value.wrong


def test_a_site_that_is_not_set_up_is_refused(enter):
    with pytest.raises(NotTaken) as refused:
        enter(site="C")
    assert [name for name, _ in refused.value.wrong] == ["site"]


def test_a_case_of_the_same_key_is_never_taken_again_and_both_are_there(db, enter):
    enter(sex="female")
    for sex in ("male", "female"):
        with pytest.raises(NotTaken) as refused:
            enter(sex=sex)
        assert refused.value.held.fields["sex"] == "female"
        assert ("other values in sex" in str(refused.value)) == (sex == "male")
    assert len(list(steps(db.read(), kind="case_imported"))) == 1


def test_a_request_that_comes_twice_enters_once(db, sit, enter):
    enter(draft="d", request="request-of-this-page")
    enter(draft="d", request="request-of-this-page")
    assert len(sit().entered) == 1
    with pytest.raises(NotTaken):
        enter(draft="d", request="request-of-this-page", sex="male")


# ---------------------------------------------------------------- the gap from dates


@pytest.mark.parametrize(
    ("ended", "began", "chosen", "gap", "said"),
    [
        ("2026-02-01", "2026-03-01", "", "ge_28_days", ""),
        ("2026-02-02", "2026-03-01", "", "lt_28_days", ""),
        ("2026-02-01", "2026-03-01", "ge_28_days", "ge_28_days", ""),
        ("2026-02-02", "2026-03-01", "ge_28_days", "", "27 days apart"),
        ("2026-02-01", "2026-03-01", "none_ever", "", "28 days apart"),
        ("2026-03-02", "2026-03-01", "", "", "can't have begun before"),
        ("2026-03-01", "2026-03-01", "", "lt_28_days", ""),
        ("2026-03-01", "", "", "", "Give both dates"),
        ("", "2026-03-01", "unknown", "", "Give both dates"),
        ("soon", "2026-03-01", "", "", "Give both dates"),
        ("", "", "unknown", "unknown", ""),
    ],
)
def test_the_gap_follows_from_two_dates_and_a_contradiction_is_refused(enter, ended, began, chosen, gap, said):
    if said:
        with pytest.raises(NotTaken, match=said):
            enter(earlier_ended=ended, this_began=began, episode_gap=chosen)
    else:
        assert enter(earlier_ended=ended, this_began=began, episode_gap=chosen).fields["episode_gap"] == gap


# ---------------------------------------------------------------- drafts


def test_a_draft_is_kept_until_it_is_entered_or_given_up(db, sit, enter):
    def keep(draft, **fields):
        with db.write() as conn:
            entry.keep_draft(conn, sit(), draft, fields, NURSE, AT)

    keep("one", case_ref="R-1", sex="")
    keep("one", case_ref="R-1", sex="male")
    keep("one", case_ref="R-1", sex="male")
    keep("two")
    keep("three", case_ref="R-3")
    assert {d.id: dict(d.fields) for d in sit().drafts.values()} == {
        "one": {"case_ref": "R-1", "sex": "male"},
        "three": {"case_ref": "R-3"},
    }
    assert len(list(steps(db.read(), kind="case_draft_kept"))) == 3, "what did not change is not written again"
    enter(draft="one")
    with pytest.raises(Over, match="entered already"):
        keep("one", case_ref="R-9")
    assert set(sit().drafts) == {"three"}
    with pytest.raises(Refused, match="why"), db.write() as conn:
        entry.drop_draft(conn, sit(), "three", " ", NURSE, AT, key())
    with db.write() as conn:
        entry.drop_draft(conn, sit(), "three", "Not about back pain", NURSE, AT, key())
    assert sit().drafts == {}
    with pytest.raises(Over, match="given up"):
        keep("three", case_ref="R-3")
    with pytest.raises(Over, match="given up"):
        enter(draft="three", case_ref="R-3")


def test_one_sitting_looked_up_is_what_it_is_among_all(db, back_pain):
    """After acts in any order, of two people in three sittings."""
    draw = random.Random(2026)
    with db.write() as conn:
        ids = {entry.begin(conn, 40, who, AT, key()): who for who in (NURSE, DOCTOR, NURSE)}
    drafts = [f"draft-{n}" for n in range(6)]
    for n in range(60):
        id_, draft = draw.choice(list(ids)), draw.choice(drafts)
        of, fields = entry.sitting(db.read(), id_), {**FIELDS, "case_ref": f"R-{n}"}
        with suppress(Refused), db.write() as conn:
            act = draw.choice(("keep", "keep", "enter", "drop"))
            if act == "keep":
                entry.keep_draft(conn, of, draft, fields, ids[id_], AT)
            elif act == "drop":
                entry.drop_draft(conn, of, draft, "given up", ids[id_], AT, key())
            else:
                entry.enter(conn, back_pain.dataset, fields, (of, draft), RULES, {"A", "B"}, ids[id_], key())
        among = entry.sittings(db.read())
        assert {id_: entry.sitting(db.read(), id_) for id_ in ids} == among
        for who in (NURSE, DOCTOR):
            own = {i: entry.sitting(db.read(), i, who.actor) for i in ids}
            assert {i: one for i, one in own.items() if one} == entry.sittings(db.read(), who.actor)
    assert any(one.drafts for one in among.values())
    assert any(one.done for one in among.values())


@pytest.mark.parametrize("n", [0, -1, 1001])
def test_a_sitting_is_of_a_number_of_cases(db, n):
    with pytest.raises(Refused), db.write() as conn:
        entry.begin(conn, n, NURSE, AT, key())


def test_a_sitting_is_its_persons_own(db, sit):
    assert sit().wanted == 40
    assert entry.sittings(db.read(), DOCTOR.actor) == {}


# ---------------------------------------------------------------- edits


def edit(db, back_pain, held, reason="The date was misread", seen=None, request="", **fields):
    with db.write() as conn:
        now = cases.read(conn, *held.key)
        entry.edit(
            conn,
            back_pain.dataset,
            now,
            {**now.fields, **fields},
            reason,
            RULES,
            {"A", "B"},
            DOCTOR,
            request or key(),
            now.step if seen is None else seen,
        )


def test_an_edit_supersedes_and_keeps_what_was_with_the_reason(db, enter, back_pain):
    held = enter(sex="female")
    edit(db, back_pain, held, sex="male", case_ref="another", provider="P2")
    now = cases.read(db.read(), *held.key)
    assert (now.fields["sex"], now.fields["case_ref"], now.fields["provider"]) == ("male", "R-1", "P1")
    assert [(by, why) for _, by, why in entry.edits(db.read(), held.key)] == [("person-doctor", "The date was misread")]
    assert [s.content["sex"] for s in steps(db.read(), seq=held.step)] == ["female"]
    assert entry.entered_by(db.read(), held.key) == {"person-nurse", "person-doctor"}


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"reason": " ", "sex": "male"}, "why the case is changed"),
        ({}, "Nothing was changed"),
        ({"sex": "x"}, "not a code"),
        ({"consultation_date": "2027-01-01"}, "future"),
        ({"site": "C"}, "not set up here"),
        ({"sex": "male", "seen": 0}, "since the page was made"),
    ],
)
def test_an_edit_that_is_wrong_changes_nothing(db, enter, back_pain, how, said):
    held = enter(sex="female")
    with pytest.raises(Refused, match=said):
        edit(db, back_pain, held, **how)
    assert cases.read(db.read(), *held.key) == held


def test_an_edit_that_comes_twice_is_made_once(db, enter, back_pain):
    held = enter(sex="female")
    for _ in range(2):
        edit(db, back_pain, held, sex="male", request="the-same-request", seen=held.step)
    assert len(entry.edits(db.read(), held.key)) == 1


def test_a_case_stays_at_a_site_that_is_closed_since_and_one_of_another_provider_moves_freely(db, enter, back_pain):
    held = enter(sex="female")
    now = cases.read(db.read(), *held.key)
    with db.write() as conn:
        entry.edit(
            conn, back_pain.dataset, now, {**now.fields, "sex": "male"}, "Why", RULES, {"B"}, DOCTOR, key(), now.step
        )
    assert cases.read(db.read(), *held.key).fields["site"] == "A"
    names = [field.name for field in back_pain.dataset.fields]
    cells = [{**held.fields, "provider": "P2", "case_ref": "R-9"}[name] for name in names]
    assert import_cases(db, back_pain.dataset, f"{','.join(names)}\n{','.join(cells)}\n", RULES).added == 1
    theirs = cases.read(db.read(), "P2", "retrospective", "R-9")
    edit(db, back_pain, theirs, site="C")
    assert cases.read(db.read(), *theirs.key).fields["site"] == "C"


@pytest.mark.parametrize("day", ["20260105", "2026-W01-1"])
def test_the_two_dates_are_days_written_as_everywhere_else(day):
    plain, wrong = entry.with_gap({"earlier_ended": day, "this_began": "2026-03-01"})
    assert [name for name, _ in wrong] == ["episode_gap"]
    assert "episode_gap" not in plain
