"""A consultation that is taken up again on another day: a time stands with its day where that is not the first."""

from datetime import timedelta

from consult.documents.letter import letter
from consult.documents.note import note
from consult.documents.words import at_or_on, told_at, when
from consult.record.settings import Site

SITE = Site("S1", "Site S1 (invented)")


def flat(text):
    return " ".join(text.split())


def test_what_is_recorded_on_another_day_is_told_with_its_day_in_note_and_letter(desk):
    desk.give(saddle_feeling_change="present")
    desk.decide("saddle_feeling_change", reason="First day")
    desk.store.clock.now += timedelta(days=1)
    desk.give(cord_signs="present")
    desk.decide("cord_signs", reason="Second day")
    desk.leaflet("discussed")
    made = desk.now.decisions["cord_signs"].at
    text = flat(note(desk.now, desk.path))
    assert f"Second day. Recorded {when(made)}." in text
    assert f"{when(desk.now.documents[-1].at)} Leaflet discussed" in text
    assert f"First day. Recorded {told_at(desk.now.started_at, desk.now.started_at)[:2]}" in text
    times = [finding.at for finding in letter(desk.now, desk.path, SITE).findings]
    assert [len(at) for at in times] == [len("10:42"), len(when(made))]


def test_a_time_in_a_sentence_is_at_an_hour_or_on_a_day():
    begun, next_day = "2026-11-28T17:12:00.000000+00:00", "2026-11-29T10:05:00.000000+00:00"
    assert at_or_on(begun, begun) == f"at {told_at(begun, begun)}"
    assert at_or_on(next_day, begun) == f"on {when(next_day)}"
