"""The page of follow-up: what waits longest comes first."""

from __future__ import annotations

from datetime import timedelta

import pages
from visiting import Service, Visitor

from consult.accounts import people
from consult.proforma.answer import ANSWERED, Answer

URGENT = "saddle_feeling_change"
FELL = "so this decision no longer stands"


def decided(service: Service, nurse: Visitor, reason: str, review_days_ago: int) -> None:
    """A signed consultation with an urgent decision, and an adjustment that was to be reviewed so many days ago."""
    talk, store, who = service.begin(), service.instance.store, service.who["nurse"]
    proforma = store.library.current.proforma
    review = (service.instance.today() - timedelta(days=review_days_ago)).isoformat()
    work = {"what": f"Until {reason}", "start": "", "end": "", "review": review, "no_end_reason": "Not known"}
    arrangement = next(q for q in proforma.questions if q.kind == "arrangement")
    opener = proforma.by_id[arrangement.show_if.question]
    opened = Answer(ANSWERED, [arrangement.show_if.includes])
    given = ((proforma.by_id[URGENT], Answer("present")), (opener, opened), (arrangement, Answer(ANSWERED, work)))
    for question, answer in given:
        store.save(talk, question, answer, 0, f"{talk}:{question.id}", "single", who)
    sent = {"question": URGENT, "decision": "same_day_emergency", "reason": reason}
    assert nurse.decide(talk, sent).status_code == 302
    assert nurse.post(f"/consultations/{talk}/blank-reason", {"reason": "out_of_time"}).status_code == 302
    assert nurse.post(f"/consultations/{talk}/sign").status_code == 302


def test_a_decision_that_fell_says_so_and_one_that_stands_does_not(service: Service, nurse: Visitor) -> None:
    decided(service, nurse, "stood", 2)
    assert FELL not in pages.text(nurse.get("/follow-up"))
    talk, store, who = service.begin(), service.instance.store, service.who["nurse"]
    question = store.library.current.proforma.by_id[URGENT]
    seen = store.save(talk, question, Answer("present"), 0, f"{talk}:1", "single", who)
    nurse.decide(talk, {"question": URGENT, "decision": "same_day_emergency", "reason": "fell"})
    store.save(talk, question, Answer("absent"), seen, f"{talk}:2", "single", who)
    nurse.post(f"/consultations/{talk}/blank-reason", {"reason": "out_of_time"})
    assert nurse.post(f"/consultations/{talk}/sign", {"on_purpose": URGENT}).status_code == 302
    assert pages.text(nurse.get("/follow-up")).count(FELL) == 1


def order(nurse: Visitor, words: list[str]) -> list[str]:
    said = pages.text(nurse.get("/follow-up"))
    return sorted((word for word in words if word in said), key=said.index)


def test_decisions_and_adjustments_that_wait_longest_come_first(service: Service, nurse: Visitor) -> None:
    for reason, days in (("first", 9), ("second", 30), ("third", 2)):
        decided(service, nurse, reason, days)
    decisions, due = (
        [f", {name}." for name in ("first", "second", "third")],
        ["Until first", "Until second", "Until third"],
    )
    assert order(nurse, decisions) == decisions, "as they were made"
    assert order(nurse, due) == ["Until second", "Until first", "Until third"], "as they were due"
    with service.instance.db.write() as conn:
        people.set_active(conn, service.who["nurse"].actor, False, "test", service.instance.store.at())
    doctor = service.visitor("doctor")
    assert order(doctor, [", first", ", second", ", third"]) == [", first", ", second", ", third"]
    assert order(doctor, due) == ["Until second", "Until first", "Until third"]


def send(nurse: Visitor, name: str, outcome: str) -> None:
    """Fill in the first form that names a field so."""
    page = nurse.get("/follow-up")
    form = next(f for f in page.iter("form") if any(e.get("name") == name for e in f.iter("input")))
    sent = {e.get("name") or "": e.get("value") or "" for e in form.iter("input") if e.get("type") == "hidden"}
    assert nurse.post(form.get("action") or "", {**sent, "outcome": outcome}).status_code == 302


def test_what_was_filled_in_stands_under_a_heading_of_its_own(service: Service, nurse: Visitor) -> None:
    decided(service, nurse, "first", 9)
    decided(service, nurse, "second", 30)
    headings = ["With an outcome", "Reviewed"]
    assert [e for e in nurse.get("/follow-up").iter("h3") if pages.text(e) in headings] == []
    send(nurse, "decision", "arrived")
    send(nurse, "question", "no_longer_needed")
    assert [pages.text(e) for e in nurse.get("/follow-up").iter("h3")] == headings
    parts = [", second.", "With an outcome", ", first.", "to be reviewed", "Until first", "Reviewed ", "Until second"]
    said = pages.text(nurse.get("/follow-up"))
    assert [said.index(one) for one in parts] == sorted(said.index(one) for one in parts)
