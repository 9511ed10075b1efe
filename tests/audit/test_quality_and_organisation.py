"""Capture quality never invents a time; the organisational section takes only what its file asks."""

import uuid
from datetime import date

import pytest

from consult.audit import organisation
from consult.audit.organisation import Answered, WrongAnswers, parse_organisation, tally
from consult.audit.quality import quality
from consult.proforma.load import ContentError, read_text
from consult.record.capture import Captured
from consult.record.ledger import Refused
from consult.record.opening import open_database


def captured(begun, signed, held="2026-03-01", mode="live", no=0, group=0):
    return Captured("c", "person", "A", mode, held, begun, signed, no, group)


def day(at):
    return date.fromisoformat(at[:10])


@pytest.mark.parametrize(
    ("begun", "signed", "mode", "minutes"),
    [
        ("2026-03-01T10:00:00.000Z", "2026-03-01T10:40:00.000Z", "live", 40),
        ("2026-03-01T10:00:00.000Z", "2026-03-01T10:00:00.000Z", "live", 0),
        ("2026-03-01T10:00:00.000Z", "2026-03-01T09:59:00.000Z", "live", None),
        ("2026-03-01T10:00:00.000Z", "2026-03-03T10:00:00.000Z", "live", 2880),
        ("2026-03-01T10:00:00.000Z", "2026-03-01T10:40:00.000Z", "paper", None),
        ("", "2026-03-01T10:40:00.000Z", "live", None),
    ],
)
def test_time_taken_is_never_negative_and_not_known_where_it_is_not(begun, signed, mode, minutes):
    found = quality([captured(begun, signed, mode=mode)], day)
    assert found.minutes == minutes
    assert found.times_not_known == (minutes is None)


def test_shares_are_sums_over_consultations():
    found = quality(
        [
            captured("2026-03-01T10:00:00Z", "2026-03-01T10:30:00Z", no=20, group=15),
            captured("2026-03-01T10:00:00Z", "2026-03-02T10:30:00Z", no=10, group=0),
            captured("2026-03-02T10:00:00Z", "2026-03-02T10:20:00Z", held="2026-03-02", no=0, group=0),
        ],
        day,
    )
    assert (found.consultations, found.group_negatives, found.negatives, found.signed_late) == (3, 15, 30, 1)
    assert (found.shortest, found.minutes, found.longest) == (20, 30, 1470)


def test_nothing_signed_gives_nothing_known():
    found = quality([], day)
    assert (found.consultations, found.minutes, found.times_not_known) == (0, None, 0)


# ---------------------------------------------------------------- the organisational section


@pytest.fixture
def section(content, benchmarks):
    return parse_organisation(read_text(content / organisation.FILE), benchmarks)


@pytest.fixture
def db(tmp_path):
    db = open_database(tmp_path / "consult.sqlite3")
    yield db
    db.close()


def answer(db, section, about=("P1", "A", 2026), **answers):
    with db.write() as conn:
        organisation.answer(conn, section, about, answers, "digest", ("lead", "audit_lead"), "at", str(uuid.uuid4()))
    return organisation.answered(db.read())


def test_the_three_published_figures_stand_beside_their_questions(section, benchmarks):
    figures = {figure.id: figure for figure in benchmarks.figures}
    beside = [figures[q.figure] for q in section.questions if q.figure]
    assert sorted(figure.value_percent for figure in beside) == [26, 52, 90]
    assert all("unclear" in figure.caveat and figure.unit == "unclear" for figure in beside)


def test_answers_are_kept_by_site_and_year_and_the_last_stands(db, section):
    answer(db, section, direct_access="yes", fast_track_wait="10")
    answer(db, section, about=("P1", "A", 2025), direct_access="no")
    found = answer(db, section, direct_access="not_known", remarks=" A new contract ")
    assert found["P1", "A", 2026].answers == {"direct_access": "not_known", "remarks": "A new contract"}
    assert found["P1", "A", 2025].answers == {"direct_access": "no"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"direct_access": "maybe"},
        {"fast_track_wait": "-1"},
        {"fast_track_wait": "401"},
        {"fast_track_wait": "ten"},
        {"fast_track_wait": "²"},
        {"fast_track_wait": "9" * 5000},
        {"remarks": "x" * 2001},
    ],
)
def test_a_wrong_answer_refuses_all_and_names_the_question(db, section, wrong):
    with pytest.raises(WrongAnswers) as refused:
        answer(db, section, physiotherapist_in_team="yes", **wrong)
    assert set(refused.value.problems) == set(wrong)
    assert organisation.answered(db.read()) == {}


def test_a_year_that_is_none_is_refused(db, section):
    with pytest.raises(Refused, match="year"):
        answer(db, section, about=("P1", "A", 1066))


def test_a_tally_counts_yes_among_yes_and_no(section):
    told = [
        Answered("P1", s, 2026, {"direct_access": a}, "", "")
        for s, a in zip("ABCD", ("yes", "no", "not_known", ""), strict=True)
    ]
    question = next(q for q in section.questions if q.id == "direct_access")
    assert tally(question, told) == (1, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[questions]]\nid = "a"\nkind = "yes_no"\nask = "A?"\nfigure = "none"', "not in benchmarks.toml"),
        (
            '[[questions]]\nid = "a"\nkind = "text"\nask = "A?"\n[[questions]]\nid = "a"\nkind = "text"\nask = "B?"',
            "another",
        ),
        ('[[questions]]\nid = "a"\nkind = "colour"\nask = "A?"', "kind"),
        ('[[questions]]\nid = "a"\nkind = "number"\nask = "A?"\nmin = 3\nmax = 1', "exchange"),
    ],
)
def test_a_wrong_file_is_refused_with_the_question(benchmarks, text, said):
    with pytest.raises(ContentError, match=said):
        parse_organisation(text, benchmarks)
