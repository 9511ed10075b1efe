"""Before signing, the consultation says of each national heading what the audit would see now."""

from __future__ import annotations

import pages
from visiting import Service

from consult.proforma.answer import Answer


def shown(service: Service, consultation: str) -> dict[str, str]:
    page = service.visitor("nurse").get(f"/consultations/{consultation}")
    known = [one for one in page.iter("span") if (one.get("id") or "").startswith("heading-")]
    return {(one.get("id") or "").removeprefix("heading-"): pages.text(one) for one in known}


def test_each_national_heading_says_what_the_audit_would_see_now(service: Service) -> None:
    consultation, measures = service.begin(), service.instance.measures
    before = shown(service, consultation)
    assert list(before) == list(measures.national)
    assert before["barriers_asked"] == "still open"
    assert before["work_cause_action"] == "does not apply so far"
    store, who = service.instance.store, service.who["nurse"]
    asked = store.library.current.proforma.by_id["anything_in_the_way_of_work"]
    store.save(consultation, asked, Answer("absent"), 0, "key-of-the-answer", "single", who)
    after = shown(service, consultation)
    assert after == {**before, "barriers_asked": "recorded"}
