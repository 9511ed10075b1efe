"""The list of what happened when says what each step was."""

from __future__ import annotations

import pages
from visiting import Service, Visitor


def test_a_decision_is_named_with_what_it_is_about(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    nurse.save(talk, {"a.saddle_feeling_change": "present"})
    nurse.decide(talk, {"question": "saddle_feeling_change", "decision": "urgent_referral", "reason": "Rang them"})
    proforma = service.instance.library.current.proforma
    said = pages.text(nurse.get(f"/consultations/{talk}/steps"))
    asked = proforma.by_id["saddle_feeling_change"].ask.rstrip("?")
    assert f"Decision recorded: {proforma.decisions['urgent_referral']}. About: {asked}" in said
