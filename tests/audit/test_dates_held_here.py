"""What dates held here speak against: the order is that in which consultations were held, not entered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from consult.audit import cases, episode
from consult.audit.rounds import Round
from consult.audit.sampling import Sample, Sampled
from consult.record.begun import earlier_signed
from consult.record.store import Start

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def held(desk, days_ago, paper):
    """A signed consultation that was held so many days before; on paper, it is entered now."""
    at = NOW - timedelta(days=days_ago)
    desk.store.clock.now = NOW if paper else at
    more = {"capture_mode": "paper", "held_at": at.isoformat(), "paper": f"ref-{days_ago}"} if paper else {}
    desk.id = desk.store.start(Start(desk.employee.id, "S1", "P1", "in_person", "45-54", **more), desk.who)
    desk.give(back_pain_reason="main", visit_and_episode="first_ever_episode")
    desk.explain_blanks()
    desk.sign()
    return desk.id


def against(desk):
    """What is said against each signed case, by consultation."""
    every = Round("r", "R", "", "live", "2026-01-01", "2026-12-31", "all", 1, {})
    taken = tuple(
        Sampled(n, row.key, "S1", row.fields["consultation_date"], "", row.consultation, "in_sample")
        for n, row in enumerate(cases.iterate(desk.db.read()))
    )
    return dict(episode.by_dates(desk.db.read(), Sample(every, taken)))


def test_a_paper_entered_after_a_later_consultation_is_the_earlier_one(desk):
    on_screen = held(desk, 10, paper=False)
    on_paper = held(desk, 20, paper=True)
    conn = desk.db.read()
    assert earlier_signed(conn, on_screen) == [on_paper]
    assert earlier_signed(conn, on_paper) == []
    said = against(desk)
    assert said.keys() == {on_screen}
    assert "10 days before" in said[on_screen]


def test_of_several_that_were_held_before_the_nearest_comes_first(desk):
    first, last = held(desk, 30, paper=False), held(desk, 2, paper=False)
    between = held(desk, 5, paper=True)
    oldest = held(desk, 200, paper=True)
    conn = desk.db.read()
    assert earlier_signed(conn, last) == [between, first, oldest]
    assert earlier_signed(conn, between) == [first, oldest]
    assert earlier_signed(conn, oldest) == []


def test_two_of_one_day_stand_by_their_hour_whatever_zone_it_was_written_in(desk):
    morning = held(desk, 1, paper=False)
    at = desk.now.started["held_at"]
    desk.store.clock.now = NOW
    earlier = datetime.fromisoformat(at) - timedelta(minutes=30)
    # half an hour before, by a clock that shows an hour more: as a text it would come after
    written = earlier.astimezone(timezone(timedelta(hours=1))).isoformat()
    start = Start(desk.employee.id, "S1", "P1", "in_person", "45-54", "paper", written, "ref-z")
    desk.id = desk.store.start(start, desk.who)
    desk.explain_blanks()
    desk.sign()
    assert written > at
    assert earlier_signed(desk.db.read(), morning) == [desk.id]
