"""The clock jumps: each jump is one step before the others, order is by number, and daylight saving is no jump."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from consult.documents.words import clock_time, lasted, when
from consult.record import ledger
from consult.record.library import Library
from consult.record.store import Store, Who

NURSE = Who("person-nurse", "nurse")
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


class Machine:
    """A clock that somebody sets, and the seconds the machine counts meanwhile."""

    def __init__(self, now):
        self.now, self.seconds = now, 0.0

    def __call__(self):
        return self.now

    def counted(self):
        return self.seconds

    def runs(self, span):
        self.now += span
        self.seconds += span.total_seconds()

    def is_set(self, span):
        self.now += span


@pytest.fixture
def machine(desk, back_pain):
    """The desk once more, over a machine whose clock can be set."""
    machine = Machine(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    desk.store = Store(desk.db, Library(back_pain), machine, machine.counted)
    return machine


def jumps(desk):
    return [s.content for s in ledger.steps(desk.db.read(), kind="clock_jumped")]


def changes(desk, n=1):
    words = itertools.cycle(("present", "absent"))
    for _ in range(n):
        now = desk.now.answers.get("harm_belief")
        desk.give(harm_belief=next(w for w in words if not now or w != now.state))


@pytest.mark.parametrize("span", [HOUR, -HOUR, -YEAR, YEAR, timedelta(minutes=2), -timedelta(seconds=3)])
def test_each_jump_is_noted_once_before_the_step_that_met_it(desk, machine, span):
    changes(desk)
    machine.is_set(span)
    before = ledger.head(desk.db.read())[0]
    changes(desk, 3)
    machine.runs(timedelta(seconds=5))
    changes(desk, 2)
    (jump,) = jumps(desk)
    assert jump["seconds"] == pytest.approx(span.total_seconds())
    assert (jump["last"], jump["noticed"] < jump["last"]) == ("2026-11-22T12:00:00.000Z", span < timedelta())
    first = next(s for s in ledger.steps(desk.db.read(), seq=before + 1))
    assert first.kind == "clock_jumped"
    assert ledger.verify(desk.db.read()) is None
    assert [r.seq for r in desk.now.history["harm_belief"]] == sorted(r.seq for r in desk.now.history["harm_belief"])


def test_a_step_back_that_hides_behind_a_long_pause_is_noted_too(desk, machine):
    changes(desk)
    machine.runs(3 * HOUR)
    machine.is_set(-HOUR)
    changes(desk)
    assert [j["seconds"] for j in jumps(desk)] == [-3600]


@pytest.mark.parametrize("span", [timedelta(seconds=1), HOUR, timedelta(days=3)])
def test_time_that_went_by_is_no_jump(desk, machine, span):
    changes(desk)
    machine.runs(span)
    changes(desk)
    assert jumps(desk) == []


def test_a_clock_set_back_while_nothing_ran_is_noted_at_the_next_start(desk, back_pain):
    machine = Machine(datetime(2025, 11, 22, 12, 0, tzinfo=UTC))
    desk.store = Store(desk.db, Library(back_pain), machine, machine.counted)
    changes(desk, 2)
    assert len(jumps(desk)) == 1


def test_a_transaction_that_came_to_nothing_leaves_the_jump_to_the_next(desk, machine):
    changes(desk)
    machine.is_set(-HOUR)

    def writes_and_fails():
        with desk.db.write():
            raise RuntimeError

    with pytest.raises(RuntimeError):
        writes_and_fails()
    assert jumps(desk) == []
    changes(desk)
    assert len(jumps(desk)) == 1


def test_looking_at_the_clock_costs_no_statement(desk, machine):
    changes(desk)
    said = []
    with desk.db.write() as conn:
        conn.set_trace_callback(said.append)
    with desk.db.write() as conn:
        conn.set_trace_callback(None)
    assert [s for s in said if "BEGIN" not in s and "COMMIT" not in s] == []


@pytest.mark.parametrize(
    ("night", "shown"),
    [
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), ["00:30", "02:00", "02:30", "03:00"]),
        (datetime(2026, 10, 25, 0, 0, tzinfo=UTC), ["01:00 BST", "01:30 BST", "01:00 GMT", "01:30 GMT"]),
    ],
)
def test_a_night_of_daylight_saving_is_no_jump_and_no_two_times_look_alike(desk, machine, in_london, night, shown):
    machine.is_set(night - machine.now)
    changes(desk)
    noted = len(jumps(desk))  # the clock of the test was set
    seen = []
    for minutes in (0, 30, 30, 30):
        machine.runs(timedelta(minutes=minutes))
        changes(desk)
        seen.append(clock_time(desk.now.last("harm_belief").at))
    assert seen == shown
    assert len(jumps(desk)) == noted
    assert when(desk.now.last("harm_belief").at).endswith(shown[-1])


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("10:00:20", "less than a minute"),
        ("10:01:30", "1 minute"),
        ("10:42:00", "42 minutes"),
        ("12:05:00", "2 hours 5 minutes"),
        ("09:59:59", "not known"),
        ("", "not known"),
    ],
)
def test_how_long_something_lasted_is_never_negative(end, words):
    assert lasted("2026-11-22T10:00:00.000Z", end and f"2026-11-22T{end}.000Z") == words


def test_who_begins_under_a_set_back_clock_still_has_a_whole_chain(desk, machine):
    machine.is_set(-YEAR)
    desk.begin(NURSE)
    assert ledger.verify(desk.db.read()) is None
