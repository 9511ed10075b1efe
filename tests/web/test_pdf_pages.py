"""PDFs in the pages: leaflets, note, letter, report; the code to a text; and the very same text printed again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from urllib.parse import urlsplit

import pages
import pypdfium2 as pdfium
import pytest
import zxingcpp
from visiting import EMPLOYEE, PERSONAL, Service, Visitor, opened

from consult.documents.leaflet import FORMATS, Leaflet, canonical, parse
from consult.proforma.answer import Answer
from consult.record.store import Start

CORE = "back-pain-core"
ELSEWHERE = "https://oh.example"
"""A name under which a telephone would reach the server; what is reached only from this computer has no code."""


def words(made: bytes) -> str:
    with closing(pdfium.PdfDocument(made)) as document:
        return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)


def codes(made: bytes) -> list[str]:
    """What the codes on the pages say to whoever photographs them."""
    with closing(pdfium.PdfDocument(made)) as document:
        return [code.text for page in document for code in zxingcpp.read_barcodes(page.render(scale=2).to_pil())]


def pdf_at(visitor: Visitor, address: str, **kwargs: str) -> bytes:
    response = visitor.client.get(address, **kwargs)
    assert (response.status_code, response.mimetype) == (200, "application/pdf"), response.text[:500]
    assert response.headers["Cache-Control"] == "no-store"
    name = response.headers["Content-Disposition"].lower()
    assert not [word for word in PERSONAL if word in name]
    return response.data


@pytest.fixture(scope="module")
def shared(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the tests of this module that change nothing in the content."""
    service = opened(Path(copytree(made, tmp_path_factory.mktemp("pdf") / "instance")))
    service.app.config["TRUSTED_HOSTS"] = ["localhost", "oh.example"]
    yield service
    service.instance.close()


def elsewhere(service: Service) -> Visitor:
    """The nurse, signed in under the name that telephones reach."""
    nurse = service.visitor("nurse")
    cookie = nurse.client.get_cookie("consult_session")
    assert cookie
    nurse.client.set_cookie("consult_session", cookie.value, domain="oh.example")
    return nurse


@pytest.fixture(scope="module")
def talk(shared: Service) -> str:
    return shared.signed(back_pain_reason=Answer("answered", "main"))


class TestPrinting:
    def test_a_leaflet_printed_as_pdf_is_recorded_as_one_printed_from_the_page(
        self, shared: Service, talk: str
    ) -> None:
        nurse = shared.visitor("nurse")
        for as_, ending in (("", "printing=yes"), ("pdf", "as=pdf")):
            sent = {"format": "large", "language": "en", "as": as_}
            response = nurse.post(f"/consultations/{talk}/leaflets/{CORE}/printed", sent)
            assert response.headers["Location"].endswith(ending)
            step = shared.consultation(talk).documents[-1]
            leaflet = shared.instance.leaflets[CORE, "en"]
            assert step.kind == "leaflet_printed"
            assert step.content == {
                "leaflet": CORE,
                "version": leaflet.version,
                "language": "en",
                "format": "large",
                "digest": leaflet.digest,
            }
        assert "Back pain and your work" in words(pdf_at(nurse, response.headers["Location"]))

    def test_a_letter_printed_as_pdf_is_recorded_and_names_whom_it_is_about(self, shared: Service, talk: str) -> None:
        nurse = shared.visitor("nurse")
        before = len(shared.consultation(talk).documents)
        response = nurse.post(f"/consultations/{talk}/letter", {"as": "pdf", "format": "giant"})
        assert [s.kind for s in shared.consultation(talk).documents[before:]] == ["letter_printed"]
        text = words(pdf_at(nurse, response.headers["Location"]))
        page = nurse.ask(f"/consultations/{talk}/letter").text
        assert f"{EMPLOYEE[0]}, born 2 March 1980, number {EMPLOYEE[2]}" in text
        for word in ("01632 960 000", "It is not a diagnosis", "Numbers of Site A (invented)"):
            assert word in page
            assert word in text

    @pytest.mark.parametrize("format_", FORMATS)
    @pytest.mark.parametrize("paper", ["note", "letter", "report"])
    def test_every_paper_comes_in_every_format(self, shared: Service, talk: str, paper: str, format_: str) -> None:
        made = pdf_at(shared.visitor("nurse"), f"/consultations/{talk}/{paper}?as=pdf&format={format_}")
        with closing(pdfium.PdfDocument(made)) as document:
            width = round(document[0].get_width())
            letters = document[0].get_textpage()
            sizes = {pdfium.raw.FPDFText_GetFontSize(letters.raw, n) for n in range(letters.count_chars())}
            assert width == (420 if format_ == "a5" else 595)
            assert max(sizes) >= {"large": 16, "giant": 24}.get(format_, 12)
            assert document.get_metadata_value("Title")
            for page in document:
                held = page.get_textpage()
                assert max(held.get_charbox(n)[2] for n in range(held.count_chars())) < width
            assert document.is_tagged()
            assert f"Page 1 of {len(document)}" in words(made)

    @pytest.mark.parametrize("format_", FORMATS)
    def test_the_note_as_pdf_says_on_each_page_whom_it_is_about(self, shared: Service, talk: str, format_: str) -> None:
        nurse = shared.visitor("nurse")
        with closing(pdfium.PdfDocument(pdf_at(nurse, f"/consultations/{talk}/note?as=pdf&format={format_}"))) as made:
            texts = [" ".join(page.get_textpage().get_text_range().split()) for page in made]
        assert len(texts) > 1
        assert f"{EMPLOYEE[0]}, born 2 March 1980, number {EMPLOYEE[2]}" in texts[0]
        assert [text for text in texts if f"{EMPLOYEE[0]}, born 2 March 1980" not in text] == []
        plain = nurse.ask(f"/consultations/{talk}/note").text.lower()
        assert not [word for word in PERSONAL if word in plain]

    @pytest.mark.parametrize("format_", FORMATS)
    def test_a_long_name_leaves_no_page_and_is_whole_at_its_head(self, shared: Service, format_: str) -> None:
        name = "Maximiliane-Theodora von Hohenstein-Wittelsbach auf der langen Heide am See"
        start = _start(shared, shared.employee(name, number="LONG-000000000000017"))
        long = shared.instance.store.start(start, shared.who["nurse"])
        address = f"/consultations/{long}/note?as=pdf&format={format_}"
        with closing(pdfium.PdfDocument(pdf_at(shared.visitor("nurse"), address))) as made:
            assert name in " ".join(made[0].get_textpage().get_text_range().split())
            for page in made:
                held = page.get_textpage()
                boxes = [held.get_charbox(n) for n in range(held.count_chars())]
                assert min(box[1] for box in boxes) > 6
                assert max(box[2] for box in boxes) < page.get_width()
                assert "Maximiliane-Theodora" in held.get_text_range().replace("\r\n", " ")

    def test_the_note_as_pdf_holds_every_word_of_the_note(self, shared: Service, talk: str) -> None:
        nurse = shared.visitor("nurse")
        text = "".join(words(pdf_at(nurse, f"/consultations/{talk}/note?as=pdf")).split()).casefold()
        note = nurse.ask(f"/consultations/{talk}/note").text
        said = [line for line in note.split("\n") if line and not line.startswith(("Signed by", "Step "))]
        assert len(said) > 20
        for word in " ".join(said).split():
            assert word.casefold() in text, word

    def test_a_report_that_is_not_final_says_so(self, shared: Service, talk: str) -> None:
        assert "Not final: do not send" in words(
            pdf_at(shared.visitor("nurse"), f"/consultations/{talk}/report?as=pdf&copy=yes")
        )

    def test_what_no_font_has_is_said_with_the_way_to_print_it(self, shared: Service) -> None:
        nurse = shared.visitor("nurse")
        strange = shared.instance.store.start(
            _start(shared, shared.employee("Somebody \U0001f600", number="5")), shared.who["nurse"]
        )
        response = nurse.ask(f"/consultations/{strange}/letter?as=pdf")
        assert response.status_code == 422
        assert "print the page from the browser" in response.text
        assert f'href="/consultations/{strange}/letter"' in response.text

    def test_a_letter_is_nobody_elses(self, shared: Service, talk: str) -> None:
        for paper in ("note", "letter", "report"):
            assert shared.visitor("doctor").ask(f"/consultations/{talk}/{paper}?as=pdf").status_code == 404


def _start(service: Service, employee: str) -> Start:
    return Start(employee, "A", "DEMO", "in_person", "45-54")


class TestCode:
    @pytest.mark.parametrize("format_", FORMATS)
    def test_a_printed_leaflet_bears_a_code_to_the_same_text(self, shared: Service, format_: str) -> None:
        leaflet = shared.instance.leaflets[CORE, "en"]
        made = pdf_at(elsewhere(shared), f"/leaflets/{CORE}?as=pdf&format={format_}", base_url=ELSEWHERE)
        (address,) = codes(made)
        assert address == f"{ELSEWHERE}/leaflets/text/{CORE}/{leaflet.digest[:20]}"
        assert address in words(made).replace(" ", "")
        page = shared.visitor().ask(urlsplit(address).path)
        assert page.status_code == 200
        assert leaflet.html in page.text

    @pytest.mark.usefixtures("talk")
    def test_what_it_leads_to_needs_no_sign_in_and_names_nobody(self, shared: Service) -> None:
        leaflet = shared.instance.leaflets[CORE, "en"]
        nobody = shared.visitor()
        address = f"/leaflets/text/{CORE}/{leaflet.digest[:20]}"
        text = nobody.ask(address).text
        assert leaflet.title in text
        assert not [word for word in PERSONAL if word in text.lower()]
        assert words(pdf_at(nobody, address + "?as=pdf"))
        for wrong in (leaflet.digest[:19], leaflet.digest, "0" * 20, leaflet.digest[:20].upper(), "%" * 20):
            assert nobody.ask(f"/leaflets/text/{CORE}/{wrong}").status_code == 404
        assert nobody.ask(f"/leaflets/text/back-exercises/{leaflet.digest[:20]}").status_code == 404
        proforma = shared.instance.library.current.digest[:20]
        assert nobody.ask(f"/leaflets/text/back-pain/{proforma}").status_code == 404

    def test_the_page_to_be_printed_bears_it_too(self, shared: Service) -> None:
        text = elsewhere(shared).client.get(f"/leaflets/{CORE}", base_url=ELSEWHERE).text
        assert 'alt="QR code to this text"' in text
        assert f"{ELSEWHERE}/leaflets/text/{CORE}/" in text

    def test_where_only_this_computer_reaches_the_server_there_is_none(self, shared: Service) -> None:
        assert codes(pdf_at(shared.visitor("nurse"), f"/leaflets/{CORE}?as=pdf")) == []


# ---------------------------------------------------------------- printed again


def changed(leaflet: Leaflet) -> Leaflet:
    text = leaflet.text.replace(f'version = "{leaflet.version}"', 'version = "9.9"').replace(
        "Keep moving", "Stir about"
    )
    return parse(text, f"{leaflet.id}/{leaflet.language}.md")


def test_what_was_given_is_printed_again_word_for_word_after_it_changed_and_passed_its_date(service: Service) -> None:
    nurse = service.visitor("nurse")
    talk = service.signed(back_pain_reason=Answer("answered", "main"))
    old = service.instance.leaflets[CORE, "en"]
    nurse.post(f"/consultations/{talk}/leaflets/{CORE}/printed", {"format": "a5", "language": "en"})
    given = service.consultation(talk).documents[-1]
    before = nurse.ask(f"/leaflets/{CORE}?format=a5").text
    new = changed(old)
    service.instance.leaflets[CORE, "en"] = new
    service.clock.ahead = timedelta(days=800)
    nurse = service.visitor("nurse")
    assert nurse.ask(f"/leaflets/{CORE}").status_code == 409

    page = nurse.ask(f"/consultations/{talk}").text
    assert "it has changed since" in page
    address = f"/consultations/{talk}/leaflets/again/{given.seq}"
    assert f'action="{address}"' in page
    response = nurse.post(address, {"format": "a5"})
    again = nurse.ask(response.headers["Location"]).text
    body = re.search(r"<h1>.*?</main>", before, re.DOTALL)
    assert body
    assert body[0] in again
    assert new.html not in again
    assert canonical(old.text) == old.text
    assert "Printed again: the very text that was printed on" in again
    last = service.consultation(talk).documents[-1]
    assert (last.kind, last.content) == (given.kind, given.content)

    as_pdf = words(pdf_at(nurse, address + "?as=pdf"))
    assert "Printed again: the very text that was printed on" in as_pdf
    assert "Keep moving" in as_pdf
    assert "Stir about" not in as_pdf
    short = f"/leaflets/text/{CORE}/{old.digest[:20]}"
    assert "There is a newer one by now" in service.visitor().ask(short).text


def test_only_what_was_printed_or_given_here_is_printed_again(service: Service) -> None:
    talk = service.signed(back_pain_reason=Answer("answered", "main"))
    nurse = service.visitor("nurse")
    nurse.post(f"/consultations/{talk}/leaflets/{CORE}/discussed", {"language": "en"})
    discussed = service.consultation(talk).documents[-1].seq
    for step in (discussed, 1, 999_999):
        assert nurse.ask(f"/consultations/{talk}/leaflets/again/{step}").status_code == 404
    nurse.post(f"/consultations/{talk}/leaflets/{CORE}/given", {"language": "en", "format": ""})
    given = service.consultation(talk).documents[-1].seq
    other = service.signed(back_pain_reason=Answer("answered", "main"))
    assert nurse.ask(f"/consultations/{talk}/leaflets/again/{given}").status_code == 200
    assert nurse.ask(f"/consultations/{other}/leaflets/again/{given}").status_code == 404
    assert service.visitor("doctor").ask(f"/consultations/{talk}/leaflets/again/{given}").status_code == 404


def test_a_text_that_was_changed_in_the_database_is_not_printed_as_what_was_given(service: Service) -> None:
    talk = service.signed(back_pain_reason=Answer("answered", "main"))
    nurse = service.visitor("nurse")
    nurse.post(f"/consultations/{talk}/leaflets/{CORE}/given", {"language": "en", "format": ""})
    step = service.consultation(talk).documents[-1]
    assert step.content
    with service.instance.db.write() as conn:
        conn.execute("DROP TRIGGER IF EXISTS definition_no_update")
        names = [r[0] for r in conn.execute("SELECT name FROM sqlite_master WHERE type='trigger'")]
        for name in names:
            conn.execute(f"DROP TRIGGER {name}")
        sql = "UPDATE definition SET texts = replace(texts, 'Keep moving', 'Lie still') WHERE digest = ?"
        conn.execute(sql, (step.content["digest"],))
    response = nurse.ask(f"/consultations/{talk}/leaflets/again/{step.seq}")
    assert response.status_code == 409
    assert "Lie still" not in response.text
    assert "restore a backup" in response.text


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "still open"])
def test_every_paper_of_a_consultation_entered_in_error_says_so_above_all_else(service: Service, signed: bool) -> None:
    nurse, answers = service.visitor("nurse"), {"report_consent": Answer("answered", "given")}
    talk = service.signed(**answers) if signed else service.begin()
    address = f"/consultations/{talk}"
    papers = ("note", "letter", "report")
    assert not [paper for paper in papers if "ENTERED IN ERROR" in nurse.ask(f"{address}/{paper}").text]
    nurse.post(f"{address}/in-error", {"reason": "wrong_person", "text": ""})
    note = nurse.ask(f"{address}/note").text
    assert note.startswith("ENTERED IN ERROR, marked on ")
    assert "recorded for the wrong person. Do not use this" in " ".join(note.split())
    for paper in papers:
        assert "ENTERED IN ERROR, marked on" in nurse.ask(f"{address}/{paper}").text
        text = words(pdf_at(nurse, f"{address}/{paper}?as=pdf"))
        assert "ENTERED IN ERROR, marked on" in text, paper
    page = nurse.get(address)
    said = pages.text(page)
    assert "recorded for the wrong person" in said
    assert not [f for f in page.iter("form") if "/leaflets/" in (f.get("action") or "")], "no leaflet is given from it"
    assert not [b for b in nurse.get(f"{address}/report").iter("button") if "Release" in pages.text(b)]
