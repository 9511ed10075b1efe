"""Saved packs, reports, slides and plans made again from the record as it was: held, or what of them was changed."""

from __future__ import annotations

import io
import re
import struct
import tracemalloc
import zipfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from audited import Audited, filled
from pptx import Presentation

from consult import proving_exports
from consult.audit import actions, cases, rounds
from consult.audit.rounds import Wanted
from consult.documents import saved
from consult.proving_exports import Checked, ExportRefused
from consult.record.database import sqlite3
from consult.record.ledger import Draft, append, head
from consult.rewinding import at_step

LEAD = ("lead", "audit_lead")


@pytest.fixture(scope="module")
def known(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """A service of its own, whose record goes on after the papers were made."""
    return filled(made, tmp_path_factory.mktemp("saved") / "instance")


@pytest.fixture(scope="module")
def papers(known: Audited, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every paper, saved; after them the record changed: a round, an action, other cases."""
    lead, id_ = known.service.visitor("audit_lead"), known.rounds["After"]
    with known.service.instance.db.write() as conn:
        wanted = Wanted("Live", "DEMO", "live", "2026-01-01", "2026-12-31")
        rounds.set_round(conn, wanted, LEAD, known.service.instance.store.at(), "key-of-a-live-round-12")
    addresses = {
        "seqohs.html": f"/evidence/rounds/{id_}/seqohs",
        "seqohs.pdf": f"/evidence/rounds/{id_}/seqohs?format=pdf",
        "mohawk.html": f"/evidence/rounds/{id_}/mohawk",
        "report.html": f"/evidence/rounds/{id_}/report",
        "site.html": f"/evidence/rounds/{id_}/report?site=N",
        "site.pdf": f"/evidence/rounds/{id_}/report?site=N&format=pdf",
        "slides.pptx": f"/evidence/rounds/{id_}/slides.pptx",
        "slides.html": f"/evidence/rounds/{id_}/slides.html",
        "shown.html": f"/evidence/rounds/{id_}/slides",
        "plan.docx": f"/actions/plan.docx?round={id_}",
        "leaving.docx": f"/actions/plan.docx?round={id_}&copy=leaving",
    }
    folder, found = tmp_path_factory.mktemp("papers"), {}
    for name, address in addresses.items():
        found[name] = folder / name
        found[name].write_bytes(lead.ask(address).data)
    found["own.html"] = folder / "own.html"
    found["own.html"].write_bytes(known.service.visitor("nurse").ask("/evidence/own").data)
    go_on(known)
    return found


def go_on(known: Audited) -> None:
    """What happens after: three cases are corrected away, an action is done, a round is made, a day passes."""
    instance = known.service.instance
    known.service.clock.ahead += timedelta(days=40)
    one = next(iter(actions.actions(instance.db.read())))
    with instance.db.write() as conn:
        actions.move(conn, one, "under_way", "", "", LEAD, instance.store.at(), "key-of-a-move-1234567")
        wanted = Wanted("Later", "DEMO", "retrospective", "2027-09-01", "2027-10-31")
        rounds.set_round(conn, wanted, LEAD, instance.store.at(), "key-of-later-12345678")
        for row in list(cases.iterate(conn, "capture_mode = ?", ("retrospective",)))[-30:]:
            step = {**row.fields, "rf_cauda_equina": "", "barriers_asked": "not_recorded"}
            seq = append(conn, Draft("case_replaced", step, "lead", instance.store.at(), "", "", "audit_lead"))
            cases.put(conn, step, step=seq)
    known.service.begin()


def check(known: Audited, file: Path) -> Checked:
    return proving_exports.check(known.service.instance.folder, file)


def test_each_paper_holds_after_the_record_went_on_and_nothing_of_the_trial_stays(
    known: Audited, papers: dict[str, Path]
) -> None:
    conn = known.service.instance.db.read()
    before = [tuple(row) for row in conn.execute("SELECT * FROM case_row ORDER BY rowid")]
    for name, file in papers.items():
        found = check(known, file)
        assert found.wrong == [], name
        assert "made at step" in found.what
        assert "steps changed cases" in found.since[0], name
    assert [tuple(row) for row in conn.execute("SELECT * FROM case_row ORDER BY rowid")] == before
    assert len(rounds.rounds(conn)) == len(known.rounds) + 2


FIGURE = re.compile(rb"(\d+) of (\d+)(?=[<, ])")


@pytest.mark.parametrize("name", ["seqohs.html", "report.html", "site.html", "slides.html", "shown.html"])
def test_a_figure_changed_in_a_page_is_named(
    known: Audited, papers: dict[str, Path], tmp_path: Path, name: str
) -> None:
    content = papers[name].read_bytes()
    figures = list(FIGURE.finditer(content))
    for at in (len(figures) // 3, len(figures) // 2):
        one = figures[at]
        file = tmp_path / name
        file.write_bytes(content[: one.start()] + b"1%b of %b" % one.groups() + content[one.end() :])
        wrong = check(known, file).wrong
        assert any(f"1{one[1].decode()} of {one[2].decode()}" in sentence for sentence in wrong)
        assert any(sentence.startswith("The record says, and the file does not") for sentence in wrong)


def test_a_mark_moved_in_a_drawing_is_found(known: Audited, papers: dict[str, Path], tmp_path: Path) -> None:
    content = papers["slides.html"].read_bytes()
    file = tmp_path / "moved.html"
    file.write_bytes(re.sub(rb'cx="\d', b'cx="9', content, count=1))
    assert check(known, file).wrong


def test_a_row_taken_out_is_found(known: Audited, papers: dict[str, Path], tmp_path: Path) -> None:
    content = papers["report.html"].read_bytes()
    start = content.index(b"<tr>", len(content) // 2)
    file = tmp_path / "less.html"
    file.write_bytes(content[:start] + content[content.index(b"</tr>", start) + 5 :])
    assert any(sentence.startswith("The record says") for sentence in check(known, file).wrong)


def test_one_byte_of_a_pdf_is_found(known: Audited, papers: dict[str, Path], tmp_path: Path) -> None:
    content = bytearray(papers["site.pdf"].read_bytes())
    content[len(content) // 3] ^= 1
    file = tmp_path / "site.pdf"
    file.write_bytes(content)
    assert "byte for byte" in check(known, file).wrong[0]


def test_a_bar_of_a_slide_that_was_lengthened_is_named(known: Audited, papers: dict[str, Path], tmp_path: Path) -> None:
    made = Presentation(str(papers["slides.pptx"]))
    chart = next(shape.chart for slide in made.slides for shape in slide.shapes if shape.has_chart)
    value = next(chart.plots[0].series[0]._element.iter("{*}val")).find(".//{*}v")
    value.text = "0.999"
    made.save(str(file := tmp_path / "slides.pptx"))
    assert any("0.999" in sentence for sentence in check(known, file).wrong)


def test_an_office_file_changed_in_its_words_is_found(known: Audited, papers: dict[str, Path], tmp_path: Path) -> None:
    for name, part in (("plan.docx", "word/document.xml"), ("slides.pptx", "ppt/slides/slide4.xml")):
        file = tmp_path / name
        with zipfile.ZipFile(papers[name]) as before, zipfile.ZipFile(file, "w") as after:
            for entry in before.namelist():
                text = before.read(entry)
                after.writestr(entry, text.replace(b" of ", b" off ", 1) if entry == part else text)
        assert check(known, file).wrong, name


def test_a_head_of_another_record_or_none_is_said(known: Audited, papers: dict[str, Path], tmp_path: Path) -> None:
    text = papers["mohawk.html"].read_text("utf-8")
    file = tmp_path / "paper.html"
    file.write_text(re.sub(r"Step (\d+) of", "Step 1 of", text), "utf-8")
    assert "no step of this log" in check(known, file).wrong[0]
    for other in (re.sub(r"Step \d+ of", "Step of", text), text + "<p>Step 1 of the record, " + "0" * 64 + "</p>"):
        file.write_text(other, "utf-8")
        with pytest.raises(ExportRefused, match="nothing was compared"):
            check(known, file)
    round_ = known.rounds["After"]
    file.write_text(text.replace(round_, "another"), "utf-8")
    with pytest.raises(ExportRefused, match="was not there"):
        check(known, file)


def test_what_is_no_office_file_is_refused_in_a_sentence(known: Audited, tmp_path: Path) -> None:
    file = tmp_path / "odd.pptx"
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as odd:
        odd.writestr("ppt/presentation.xml", "<x/>")
    for content in (b"PK\x03\x04 nothing", stream.getvalue(), b"%PDF-1.7 nothing"):
        file.write_bytes(content)
        with pytest.raises(ExportRefused, match="nothing was compared"):
            check(known, file)


@pytest.mark.parametrize("bomb", ["large", "many", "lying"])
def test_an_office_file_that_would_unpack_to_far_more_is_refused_before_it_is_unpacked(bomb: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("ppt/presentation.xml", "<x/>")
        for number in range(saved.MOST_PARTS + 1 if bomb == "many" else 1):
            packed.writestr(f"ppt/part{number}.xml", b"" if bomb == "many" else b" " * (saved.MOST_UNPACKED + 1))
    content = stream.getvalue()
    assert len(content) < 1_000_000
    if bomb == "lying":  # it says that the part is small
        size = struct.pack("<L", saved.MOST_UNPACKED + 1)
        assert content.count(size) == 2
        content = content.replace(size, struct.pack("<L", 100))
    tracemalloc.start()
    try:
        with pytest.raises(saved.NotReadable):
            saved.lines(content)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_while_a_paper_is_made_again_the_record_goes_on(known: Audited, papers: dict[str, Path]) -> None:
    """The paper sees the record as it was; who saves meanwhile waits for nothing."""
    instance = known.service.instance
    last, _ = head(instance.db.read())
    with at_step(instance, last // 2, instance.clock()) as (_, conn):
        then = conn.execute("SELECT count(*) FROM step").fetchone()[0]
        with closing(sqlite3.connect(str(instance.db.file), timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        with instance.db.write() as written:
            append(written, Draft("setting_changed", {"name": "training", "value": {}}, "admin", instance.store.at()))
        assert conn.execute("SELECT count(*) FROM step").fetchone()[0] == then == last // 2
    assert head(instance.db.read())[0] == last + 1
