"""Ended consultations page by page: whichever began in the same millisecond, each stands on exactly one page."""

from hypothesis import given
from hypothesis import strategies as st

from consult.record import lists
from consult.record.consultation import ENDED_BY

MOMENTS = [f"2026-11-02T09:00:00.{number:03}Z" for number in range(3)]
ROW = "INSERT INTO consultation VALUES (?, 'e', ?, 'A', ?, 'live', 'd', ?, ?)"
IDS = st.integers(0, 999).map("{:03}".format)
ENDED = st.dictionaries(IDS, st.tuples(st.sampled_from(MOMENTS), st.sampled_from(list(ENDED_BY.values()))), max_size=30)


def pages(conn, size):
    """The ids of page after page, each asked for by the last line of the one before."""
    before = lists.NEWEST
    while shown := lists.ended_of(conn, "nurse", size, before):
        yield [one.id for one in shown]
        before = lists.place_of(shown[-1])


def test_each_is_on_one_page_however_many_began_at_once(busy_desk):
    @given(ENDED, st.integers(1, 7))
    def holds(ended, size):
        with busy_desk.db.write() as conn:
            conn.execute("DELETE FROM consultation")
            conn.execute(ROW, ("of-another", "doctor", "signed", MOMENTS[0], MOMENTS[0]))
            conn.executemany(ROW, [(id_, "nurse", state, at, at) for id_, (at, state) in ended.items()])
            found = [id_ for page in pages(conn, size) for id_ in page]
        assert found == [id_ for _, id_ in sorted(((at, id_) for id_, (at, _) in ended.items()), reverse=True)]

    holds()
