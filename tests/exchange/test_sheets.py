"""No text that a case can hold is run by a spreadsheet, and the importer takes its own export back."""

import csv
import io
import re
import zipfile
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.exchange import sheets
from consult.exchange.casefile import export
from consult.exchange.caselines import records
from consult.exchange.sheets import Sheet, SheetRefused, csv_records, guarded, unguarded, workbook

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
HOSTILE = [
    "=1+1",
    '=HYPERLINK("http://invented.example","x")',
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "'=1",
    "''@x",
    "=cmd|' /C calc'!A0",
    "＝1",
    "\0=1",
    "=\0",
    "a\0b",
    "\u2400",
    "\u24000",
    "\u2400\u2400\0",
    "http://invented.example",
    "mailto:x@invented.example",
    "internal:Sheet1!A1",
    "0012",
    "1e5",
    "{=1}",
    '"',
    "a,b\r\n=c",
    "_x0000_",
    " =1",
    "a;=1+1",
    "a;'=1",
    "a\t@SUM(A1)",
    "b; ;-2",
]
TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.builds(
        str.__add__,
        st.sampled_from(["=", "+", "-", "@", "\t", "\r", "\0", "'", "\u2400", ""]),
        st.text(st.characters(codec="utf-8", exclude_characters="\ufffe\uffff"), max_size=30),
    ),
)


def cells(content):
    """The cells of the first sheet, by reference: type and text or number, read from the XML of the file."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        page = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own file
        names = book.namelist()
        shared = []
        if "xl/sharedStrings.xml" in names:
            root = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))  # noqa: S314 - our own file
            shared = ["".join(t.text or "" for t in item.iter(f"{MAIN}t")) for item in root]
    assert not list(page.iter(f"{MAIN}f"))
    assert not list(page.iter(f"{MAIN}hyperlink"))
    assert not [name for name in names if "external" in name.lower() or "vba" in name.lower() or "rels/sheet" in name]
    found = {}
    for cell in page.iter(f"{MAIN}c"):
        value = cell.find(f"{MAIN}v")
        if value is not None:
            text = shared[int(value.text)] if cell.get("t") == "s" else value.text
            found[cell.get("r")] = (cell.get("t", "n"), text)
    return found


@given(st.lists(TEXT, min_size=1, max_size=6))
def test_no_cell_of_a_csv_begins_with_what_a_spreadsheet_runs_and_reading_gives_the_text_again(texts):
    written = "".join(csv_records(Sheet("Any", ["n"] * len(texts), [texts])))
    assert "\0" not in written
    _, row = csv.reader(io.StringIO(written, newline=""))
    for cell, text in zip(row, texts, strict=True):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
        assert unguarded(cell) == text


PARTS = st.lists(TEXT, min_size=1, max_size=4).flatmap(
    lambda texts: st.sampled_from([";", "\t", ";;", "; "]).map(lambda mark: mark.join(["x", *texts]))
)


@given(st.lists(st.one_of(TEXT, PARTS), min_size=1, max_size=6))
def test_nothing_is_run_where_cells_are_parted_at_semicolons_and_tabs_too(texts):
    """Some programs part a file at all three; a mark of quotation counts where a cell begins."""
    written = "".join(csv_records(Sheet("Any", ["n"] * len(texts), [texts])))
    for quoted, plain in re.findall(r'(?:^|(?<=[,;\t\n]))(?:"((?:[^"]|"")*)"|([^,;\t\r\n"]*))', written):
        assert not (quoted or plain).startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    _, row = csv.reader(io.StringIO(written, newline=""))
    assert [unguarded(cell) for cell in row] == texts


@given(st.lists(TEXT, min_size=1, max_size=6))
def test_no_cell_of_a_workbook_is_a_formula_or_a_link_and_every_text_is_text(texts):
    found = cells(workbook([Sheet("Any", ["=n"], [[text] for text in texts])], NOW))
    for at, text in enumerate(texts, 2):
        if text:
            kind, written = found[f"A{at}"]
            assert kind == "s"
            assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert found["A1"] == ("s", "'=n")


def test_a_text_of_a_workbook_is_guarded_like_that_of_a_csv():
    plain = [text for text in HOSTILE if text.isprintable() and not text.startswith("_x")]
    found = cells(workbook([Sheet("Any", ["n"], [[text] for text in plain])], NOW))
    assert [found[f"A{at}"][1] for at in range(2, len(plain) + 2)] == [guarded(text) for text in plain]


def test_numbers_are_numbers_and_blanks_are_no_cells():
    found = cells(workbook([Sheet("Any", ["a", "b", "c"], [[7, 0.1 + 0.2, None]])], NOW))
    assert found["A2"] == ("n", "7")
    assert float(found["B2"][1]) == pytest.approx(0.1 + 0.2, rel=1e-15)
    assert "C2" not in found


def test_a_text_too_long_for_a_worksheet_is_refused_and_never_cut(monkeypatch):
    with pytest.raises(SheetRefused, match="Row 1 has a text of more than"):
        workbook([Sheet("Any", ["n"], [["x" * 32_768]])], NOW)
    monkeypatch.setattr(sheets, "MOST_ROWS", 2)
    with pytest.raises(SheetRefused, match="more than 2 rows"):
        workbook([Sheet("Any", ["n"], [["x"]] * 3)], NOW)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_importer_takes_its_own_export_back_unchanged(text, take, held, dataset, good):
    row = good | {"case_ref": "hostile", "stay_reason": text}
    assert take([row]).added == 1, text
    assert held()["hostile"].fields["stay_reason"] == text
    again = take("".join(export([held()["hostile"].fields], dataset)))
    assert (again.unchanged, again.bad) == (1, [])


def test_a_case_file_still_has_one_record_a_case_whatever_the_text(dataset, good):
    text = "".join(export([good | {"stay_reason": text} for text in HOSTILE], dataset))
    assert len(list(records(text, len(dataset.fields)))) == len(HOSTILE) + 1
