"""Help beside each question: why it is asked and what it rests on, for every question there is."""

from __future__ import annotations

from html import unescape

from visiting import Service, Visitor


def test_every_question_says_why_it_is_asked_and_names_what_it_rests_on(service: Service, nurse: Visitor) -> None:
    talk, proforma = service.begin(), service.instance.library.current.proforma
    for question in proforma.questions:
        reply = nurse.client.get(f"/consultations/{talk}/why/{question.id}", headers={"HX-Request": "true"})
        text = unescape(reply.text)
        assert reply.status_code == 200, question.id
        assert question.why.endswith("."), question.id
        assert question.why in text
        for row in {*question.source, *(row for panel in question.panels for row in panel.source)}:
            assert proforma.sources[row] in text, (question.id, row)
        assert "<html" not in text


def test_without_javascript_it_is_a_page_that_leads_back_to_the_question(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    screen = nurse.get(f"/consultations/{talk}")
    marks = [e.get("href") or "" for e in screen.iter("a") if e.get("class") == "q__why"]
    assert f"/consultations/{talk}/why/cord_signs" in marks
    page = nurse.get(f"/consultations/{talk}/why/cord_signs")
    assert f"/consultations/{talk}?whole=yes#q-cord_signs" in [e.get("href") for e in page.iter("a")]


def test_it_is_for_the_clinician_of_the_consultation_and_its_questions_only(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    nurse.get(f"/consultations/{talk}/why/no_such_question", 404)
    service.visitor("doctor").get(f"/consultations/{talk}/why/cord_signs", 404)
    service.visitor("audit_lead").get(f"/consultations/{talk}/why/cord_signs", 403)
