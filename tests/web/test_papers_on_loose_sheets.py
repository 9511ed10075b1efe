"""Papers as they lie on a desk: each sheet says whom it is about, and none says what is not so any more."""

from __future__ import annotations

from contextlib import closing

import pypdfium2 as pdfium
import pytest
from test_pdf_pages import pdf_at
from visiting import EMPLOYEE, Service

from consult.proforma.answer import ANSWERED, Answer
from consult.record.ledger import steps

BORN = "born 2 March 1980"


def sheets(made: bytes) -> list[list[str]]:
    """The lines of each page."""
    with closing(pdfium.PdfDocument(made)) as document:
        return [page.get_textpage().get_text_range().splitlines() for page in document]


@pytest.fixture(scope="module")
def talk(shared: Service) -> str:
    return shared.signed(back_pain_reason=Answer(ANSWERED, "main"), report_consent=Answer(ANSWERED, "given"))


def test_each_page_of_an_urgent_letter_names_whom_it_is_about_with_the_date_of_birth(
    shared: Service, talk: str
) -> None:
    pages = sheets(pdf_at(shared.visitor("nurse"), f"/consultations/{talk}/letter?as=pdf&format=giant"))
    assert len(pages) > 1
    for page in pages:
        assert f"{EMPLOYEE[0]}, {BORN}" in " ".join(" ".join(page[-4:]).split())


def test_each_page_of_a_report_names_the_employee_and_never_the_date_of_birth(shared: Service, talk: str) -> None:
    pages = sheets(pdf_at(shared.visitor("nurse"), f"/consultations/{talk}/report?as=pdf&format=giant"))
    assert len(pages) > 1
    for page in pages:
        assert EMPLOYEE[0] in " ".join(" ".join(page[-4:]).split())
        assert BORN not in " ".join(page)


def test_a_consultation_ended_without_signing_says_so_and_why_on_screen_note_and_print(service: Service) -> None:
    nurse, id_ = service.visitor("nurse"), service.begin()
    before = nurse.ask(f"/consultations/{id_}/note").text
    assert "Draft: not signed." in before
    nurse.post(f"/consultations/{id_}/abandon", {"reason": "sent_as_emergency", "text": "The ambulance came at once"})
    why = "Sent as an emergency before it could be finished; The ambulance came at once."
    told = [" ".join(nurse.ask(f"/consultations/{id_}{part}").text.split()) for part in ("", "/note")]
    printed = sheets(pdf_at(nurse, f"/consultations/{id_}/note?as=pdf"))
    told.append(" ".join(" ".join(line for page in printed for line in page).split()))
    for text in told:
        assert "Not signed: ended without signing on" in text
        assert why in text
        assert "Draft: not signed" not in text
    assert [s.kind for s in steps(service.instance.db.read(), consultation=id_)][-1] == "consultation_abandoned"


@pytest.mark.parametrize("lines", range(0, 44, 4))
def test_no_page_of_a_note_ends_with_the_title_of_what_stands_on_the_next(service: Service, lines: int) -> None:
    told = Answer(ANSWERED, "A long story of the back. " * 4 * lines) if lines else Answer(ANSWERED, "Short")
    id_ = service.begin()
    store = service.instance.store
    question = store.library.current.proforma.by_id["story_of_episode"]
    store.save(id_, question, told, 0, f"{id_}:story", "single", service.who["nurse"])
    *pages, _ = sheets(pdf_at(service.visitor("nurse"), f"/consultations/{id_}/note?as=pdf"))
    titles = {f"{block.title}:" for block in store.library.current.proforma.blocks}
    assert [page[-2] for page in pages if page[-2] in titles] == []
