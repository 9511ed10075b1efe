"""What one answer costs the record: one request, one commit, four statements; and a page asks for no more with time."""

from __future__ import annotations

from test_no_scan import traced
from visiting import Service, Visitor

MOST_STATEMENTS = 4
BRACKETS = ("BEGIN", "COMMIT")


def by_hand(said: list[str]) -> list[str]:
    """The statements that the program gave; the guards of the database repeat the one that they look at."""
    return [one for n, one in enumerate(said) if n == 0 or one != said[n - 1]]


def test_an_answer_is_one_commit_and_four_statements(service: Service, nurse: Visitor) -> None:
    consultation = service.begin()
    nurse.save(consultation, {"a.low_mood": "absent", "key": "first-key-of-this-page"}, htmx=True)
    for number, state in enumerate(("absent", "declined", "absent")):
        values = {"a.harm_belief": state, "key": f"key-number-{number:08}"}
        known = service.consultation(consultation)
        sent = {**values, "seen.harm_belief": str(known.seen("harm_belief"))}
        token = nurse.csrf()
        with traced(service.instance.db) as said:
            headers = {"X-CSRFToken": token, "HX-Request": "true"}
            reply = nurse.client.post(f"/consultations/{consultation}/answers", data=sent, headers=headers)
        assert reply.status_code == 200
        given = by_hand(said)
        assert [one for one in given if one.startswith("COMMIT")] == ["COMMIT"]
        assert len([one for one in given if not one.startswith(BRACKETS)]) <= MOST_STATEMENTS, given


def test_pages_and_sent_answers_tell_the_same_in_two_windows_after_a_gesture(service: Service, nurse: Visitor) -> None:
    """What is remembered between requests never makes an untouched question a step."""
    consultation = service.begin()
    nurse.save(consultation, {"a.low_mood": "absent", "key": "first-key-of-this-page"}, htmx=True)
    nurse.rest(consultation, "rest_of_red_flags", "key-of-the-gesture-1")
    known = service.consultation(consultation)
    grouped = [q for q, records in known.history.items() if records[-1].via == "group"]
    assert len(grouped) > 5
    sent = {f"a.{q}": "absent" for q in grouped} | {"key": "key-of-the-whole-page"}
    assert nurse.save(consultation, sent).status_code == 302
    after = service.consultation(consultation)
    assert [q for q in grouped if after.history[q][-1].via != "group"] == []
    assert after.last_seq == known.last_seq
