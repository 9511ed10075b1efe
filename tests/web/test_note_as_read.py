"""What is signed is the note that was read: where it changed since, it is shown again and not signed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import pages
import pytest
from visiting import Service, Visitor

from consult.proforma.answer import Answer
from consult.record.ledger import steps

KEY = "one-key-of-the-page-0001"
Change = Callable[[Visitor, str], object]
CHANGES: dict[str, Change] = {
    "another answer": lambda n, c: n.save(c, {"a.work_status": "at_work_no_time_off"}),
    "an answer removed": lambda n, c: n.post(
        f"/consultations/{c}/answers",
        {"remove": "work_status", "seen.work_status": str(n.service.consultation(c).seen("work_status"))},
    ),
    "an answer where none was": lambda n, c: n.save(c, {"a.employee_concern": "The lifting"}),
    "what an emergency blank is for": lambda n, c: n.post(f"/consultations/{c}/blank-reason", {"reason": "remote"}),
    "a leaflet handed over": lambda n, c: n.post(f"/consultations/{c}/leaflets/back-pain-core/given"),
}
NO_CHANGE: dict[str, Change] = {
    "a look": lambda n, c: n.get(f"/consultations/{c}"),
    "the same answer again": lambda n, c: n.save(c, {"a.work_status": "off_sick"}),
    "there and back": lambda n, c: [n.save(c, {"a.work_status": w}) for w in ("away_not_sick", "off_sick")],
}


@pytest.fixture
def consultation(service: Service, nurse: Visitor) -> str:
    begun = service.begin()
    nurse.save(begun, {"a.work_status": "off_sick"})
    nurse.post(f"/consultations/{begun}/blank-reason", {"reason": "out_of_time"})
    return begun


def read(nurse: Visitor, consultation: str) -> dict[str, str]:
    """What the page to read the note through would send."""
    page = nurse.get(f"/consultations/{consultation}/sign")
    return {"shown": pages.value_of(page, "shown") or "", "key": KEY}


def whole_page(nurse: Visitor, consultation: str) -> dict[str, str | list[str]]:
    """What the one form of the consultation would send as it stands."""
    sent: dict[str, str | list[str]] = {}
    for field in nurse.get(f"/consultations/{consultation}").iter():
        name = field.get("name")
        if field.get("form") != "answers" or not name or field.tag == "button":
            continue
        if field.tag == "select":
            chosen = [o for o in field.iter("option") if o.get("selected") is not None]
            sent[name] = (chosen[0].get("value") or "") if chosen else ""
        elif field.tag == "textarea":
            sent[name] = field.text or ""
        elif field.get("type") not in ("radio", "checkbox"):
            sent[name] = field.get("value") or ""
        elif field.get("checked") is not None:
            sent.setdefault(name, [])
            kept = sent[name]
            assert isinstance(kept, list)
            kept.append(field.get("value") or "")
    return sent


def signatures(service: Service, consultation: str) -> int:
    return len(list(steps(service.instance.db.read(), consultation=consultation, kind="consultation_signed")))


def not_signed(nurse: Visitor, consultation: str, sent: Mapping[str, str | list[str]]) -> str:
    """The page that says that the note changed; nothing was signed."""
    reply = nurse.post(f"/consultations/{consultation}/sign", {**sent})
    assert reply.status_code == 409
    assert "changed since you read" in reply.text
    assert signatures(nurse.service, consultation) == 0
    return reply.text


@pytest.mark.parametrize("change", CHANGES)
def test_a_note_that_changed_since_it_was_read_is_shown_again_and_not_signed(
    service: Service, nurse: Visitor, consultation: str, change: str
) -> None:
    sent = read(nurse, consultation)
    CHANGES[change](nurse, consultation)
    page = pages.parse(not_signed(nurse, consultation, sent))
    assert pages.value_of(page, "shown") not in ("", sent["shown"])
    again = {"shown": pages.value_of(page, "shown") or "", "key": pages.value_of(page, "key") or ""}
    assert nurse.post(f"/consultations/{consultation}/sign", again).status_code == 302
    assert signatures(service, consultation) == 1


@pytest.mark.parametrize("change", NO_CHANGE)
def test_a_note_that_reads_as_it_was_read_is_signed(
    service: Service, nurse: Visitor, consultation: str, change: str
) -> None:
    sent = read(nurse, consultation)
    NO_CHANGE[change](nurse, consultation)
    assert nurse.post(f"/consultations/{consultation}/sign", sent).status_code == 302
    (step,) = steps(service.instance.db.read(), consultation=consultation, kind="consultation_signed")
    assert step.content is not None
    assert step.content["note_digest"].startswith(sent["shown"])


@pytest.mark.parametrize("shown", ["as it was read", "another"])
def test_a_signature_sent_again_is_the_same_signature(
    service: Service, nurse: Visitor, consultation: str, shown: str
) -> None:
    sent = read(nurse, consultation)
    assert nurse.post(f"/consultations/{consultation}/sign", sent).status_code == 302
    if shown == "another":
        sent["shown"] = hashlib.sha256(b"another").hexdigest()
    reply = nurse.post(f"/consultations/{consultation}/sign", sent)
    assert reply.headers["Location"] == f"/consultations/{consultation}"
    assert signatures(service, consultation) == 1


def test_a_decision_refused_on_the_way_shows_the_note_with_its_own_mark(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    nurse.save(consultation, {"a.saddle_feeling_change": "present"})
    refused = nurse.decide(consultation, {"question": "saddle_feeling_change", "from": "sign", "decision": ""})
    assert refused.status_code == 422
    assert pages.value_of(pages.parse(refused.text), "shown") == read(nurse, consultation)["shown"]


def test_the_reading_page_says_what_else_is_missing(service: Service, nurse: Visitor, consultation: str) -> None:
    sent = read(nurse, consultation)
    nurse.save(consultation, {"a.saddle_feeling_change": "present"})
    reply = nurse.post(f"/consultations/{consultation}/sign", sent)
    assert reply.status_code == 409
    assert "changed since you read" in reply.text
    assert "These answers need a decision" in reply.text
    assert signatures(service, consultation) == 0


@pytest.mark.parametrize("change", ["another answer", "an answer removed", "an answer where none was"])
def test_from_the_consultation_too_nothing_is_signed_that_another_window_changed(
    service: Service, nurse: Visitor, consultation: str, change: str
) -> None:
    sent = whole_page(nurse, consultation)
    CHANGES[change](nurse, consultation)
    not_signed(nurse, consultation, sent | {"key": KEY})


def test_from_the_consultation_what_was_given_with_it_or_is_as_it_was_is_signed(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    NO_CHANGE["there and back"](nurse, consultation)
    sent = whole_page(nurse, consultation)
    NO_CHANGE["there and back"](nurse, consultation)
    given = sent | {"a.employee_concern": "The lifting", "key": KEY}
    for _ in range(2):
        assert nurse.post(f"/consultations/{consultation}/sign", given).status_code == 302
    assert signatures(service, consultation) == 1
    assert service.answer(consultation, "employee_concern") == Answer("answered", "The lifting")
