"""What a demonstration hands out says of itself that all in it is invented; what a real service does, does not."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pypdfium2
import pytest
from audited import Audited, filled
from bs4 import BeautifulSoup
from docx import Document
from pptx import Presentation

from consult.documents.words import INVENTED
from consult.record import settings

SHORT = "everything in this document is invented"
PAPERS = (
    "seqohs",
    "seqohs?format=pdf",
    "mohawk",
    "report",
    "report?format=pdf",
    "slides",
    "slides.html",
    "slides.pptx",
)
FILES = ("results.csv", "results.xlsx", "results.csv?copy=leaving", "cases.xlsx?copy=leaving")


@pytest.fixture(scope="module")
def real(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """The same service, said to be a real one."""
    known = filled(made, tmp_path_factory.mktemp("real") / "instance")
    with known.service.instance.db.write() as conn:
        settings.change_setting(conn, "demonstration", False, "test", known.service.instance.store.at())
    vars(known.service.instance).pop("demonstration", None)
    yield known
    known.service.instance.close()


def sheets_of(audited: Audited, paper: str) -> list[str]:
    """The text of each page or slide of a paper; of a page of the browser, which repeats its stamp, all in one."""
    address = f"/evidence/rounds/{audited.rounds['After']}/{paper}"
    content = audited.service.visitor("audit_lead").ask(address).data
    if paper.endswith("pdf"):
        with closing(pypdfium2.PdfDocument(content)) as document:
            found = [sheet.get_textpage().get_text_range() for sheet in document]
    elif paper.endswith("pptx"):
        slides = Presentation(io.BytesIO(content)).slides
        found = [" ".join(s.text_frame.text for s in slide.shapes if s.has_text_frame) for slide in slides]
    else:
        page = BeautifulSoup(content, "html.parser")
        found = [one.get_text(" ") for one in page.select("section.slide") or [page]]
    return [" ".join(text.split()) for text in found]


@pytest.mark.parametrize("paper", PAPERS)
def test_each_page_of_a_paper_of_the_demonstration_says_so(audited: Audited, real: Audited, paper: str) -> None:
    sheets = sheets_of(audited, paper)
    assert INVENTED in sheets[0]
    assert [text for text in sheets if SHORT not in text] == []
    assert not any("routine consultations" in text for text in sheets)
    assert not any("invented" in text for text in sheets_of(real, paper))


def test_a_pack_of_a_real_service_is_made_of_routine_consultations(real: Audited) -> None:
    assert "Made from the record of routine consultations." in sheets_of(real, "seqohs")[0]


def test_it_is_the_sentence_of_every_page(audited: Audited) -> None:
    assert INVENTED in audited.service.visitor("nurse").ask("/").text


def said_by(content: bytes, name: str) -> str:
    """What a table says beside its numbers."""
    if ".xlsx" in name:
        return zipfile.ZipFile(io.BytesIO(content)).read("docProps/core.xml").decode()
    return " ".join({row["use"] for row in csv.DictReader(io.StringIO(content.decode()))})


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_numbers_says_so_where_it_has_a_place_for_it(audited: Audited, real: Audited, name: str) -> None:
    path = f"/results/files/{name}{'&' if '?' in name else '?'}capture=retrospective"
    assert "invented" in said_by(audited.service.visitor("audit_lead").ask(path).data, name)
    assert "invented" not in said_by(real.service.visitor("audit_lead").ask(path).data, name)


def test_the_action_plan_says_so_above_and_below(audited: Audited, real: Audited) -> None:
    for known, says in ((audited, True), (real, False)):
        plan = Document(io.BytesIO(known.service.visitor("audit_lead").ask("/actions/plan.docx?copy=leaving").data))
        assert (SHORT in " ".join(p.text for p in plan.paragraphs)) == says
        assert (SHORT in plan.sections[0].footer.paragraphs[0].text) == says
