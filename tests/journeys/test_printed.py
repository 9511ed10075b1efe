"""Any page printed from the browser as it stands, without background graphics: whole, and each answer plain."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from typing import Any

import every_page
import pypdfium2
import pytest
from every_page import PAGES
from hands import all_there
from on_paper import LONG
from playwright.sync_api import Page
from pypdf import PdfReader
from service import Service
from watching import Visit

from consult.documents.words import uk_date
from consult.proforma.answer import Answer
from consult.record import identity

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def ids(service: Service) -> dict[str, str]:
    return every_page.make(service)


def printed(page: Page) -> tuple[str, int]:
    """The text of a page as it is printed by default, and how many sheets it takes."""
    sheets = PdfReader(BytesIO(page.pdf(format="A4", prefer_css_page_size=True, print_background=False))).pages
    return " ".join(" ".join(sheet.extract_text() for sheet in sheets).split()), len(sheets)


def answered(service: Service) -> str:
    """An open consultation with an answer of every kind of control."""
    consultation, store, who = service.begin(), service.instance.store, service.who("nurse")
    given: dict[str, Any] = {
        "back_pain_reason": Answer("answered", "main"),
        "visit_and_episode": Answer("answered", "first_visit_gap_28_or_more"),
        "pain_sites": Answer("answered", ["low_back"]),
        "everyday_activity": Answer("answered", ["bending_and_dressing", "sleep"]),
        "tasks_limited": Answer("answered", LONG),
        "saddle_feeling_change": Answer("absent"),
        "cord_signs": Answer("unsure"),
        "bowel_control_change": Answer("not_asked", reason="out_of_time"),
        "return_expectation": Answer("answered", 7),
    }
    for id_, answer in given.items():
        store.save(
            consultation, store.library.current.proforma.by_id[id_], answer, 0, f"{consultation}:{id_}", "single", who
        )
    return consultation


def test_an_open_consultation_prints_what_was_chosen_and_nothing_that_was_not(visit: Visit, service: Service) -> None:
    page, proforma = visit("nurse").page(), service.instance.library.current.proforma
    page.goto(f"/consultations/{answered(service)}")
    all_there(page)
    text, sheets = printed(page)
    ask = {id_: question.ask for id_, question in proforma.by_id.items()}
    asked = [q.ask for q in proforma.by_id.values()]

    def told(id_: str) -> str:
        after = text.partition(ask[id_])[2]
        return after[: min((at for other in asked if (at := after.find(other)) >= 0), default=len(after))]

    def words_of(id_: str) -> list[str]:
        return re.sub(r"Saved \d\d:\d\d", " ", told(id_)).split()

    assert "Low back" in told("pain_sites")
    assert "Buttock" not in told("pain_sites")
    assert all(word in told("everyday_activity") for word in ("Bending, dressing", "Sleep"))
    assert "Standing" not in told("everyday_activity")
    assert "No" in words_of("saddle_feeling_change")
    assert "Could not establish" in told("cord_signs")
    assert "Yes" not in words_of("cord_signs")
    assert "Not asked" in told("bowel_control_change")
    assert "time" in told("bowel_control_change")
    assert "7" in words_of("return_expectation")
    assert "8" not in words_of("return_expectation")
    for blank in ("sexual_function_change", "employee_concern", "pain_began_on", "clinician_notes"):
        assert "Not recorded" in told(blank), blank
    assert "Not recorded" not in told("tasks_limited")
    assert "Task 11 of the day" in text
    for gone in ("(Link:", "Remove", "Save all answers", "Lock"):
        assert gone not in text
    assert sheets <= 6


def test_each_sheet_of_an_open_consultation_names_whom_it_is_about_and_that_it_is_open(
    visit: Visit, service: Service
) -> None:
    page, id_ = visit("nurse").page(), answered(service)
    page.goto(f"/consultations/{id_}")
    all_there(page)
    started = service.consultation(id_)
    employee = identity.employee(service.instance.db.read(), started.started["employee"])
    assert employee is not None
    told = f"{employee.name} born {uk_date(employee.date_of_birth)}"
    pdf = PdfReader(BytesIO(page.pdf(format="A4", prefer_css_page_size=True, print_background=False)))
    assert len(pdf.pages) > 2
    for sheet in pdf.pages:
        text = " ".join(sheet.extract_text().split())
        assert told in text
        assert f"Open, begun {uk_date(date.fromisoformat(started.started_at[:10]))}" in text


@pytest.mark.parametrize("format_", ["a4", "large", "giant"])
def test_the_points_of_a_list_are_not_cut_off_in_any_size_of_a_letter(
    visit: Visit, ids: dict[str, str], format_: str
) -> None:
    page = visit("nurse").page()
    page.goto(f"{PAGES['letter'][1].format(**ids)}?format={format_}")
    page.emulate_media(media="print")
    room, size = page.locator("article ul").first.evaluate(
        "e => [getComputedStyle(e).paddingLeft, getComputedStyle(e.querySelector('li')).fontSize].map(parseFloat)"
    )
    assert room >= size


@pytest.mark.parametrize("chosen", ["radio", "checkbox"])
def test_what_is_chosen_in_a_form_of_a_case_is_marked_without_backgrounds(
    visit: Visit, ids: dict[str, str], chosen: str
) -> None:
    """The same circle or box, printed empty and printed chosen, differs in the ink it takes."""
    page = visit("nurse").page()
    page.goto(PAGES["case from notes"][1].format(**ids))
    ink = []
    for take in (False, True):
        if take:
            page.locator(f"input.eo__in[type={chosen}][value]:not([value=''])").first.check()
        page.evaluate("document.activeElement.blur()")  # else the outline of what has the focus is ink too
        sheet = pypdfium2.PdfDocument(page.pdf(format="A4", prefer_css_page_size=True, print_background=False))
        ink.append(sum(sum(one.render(scale=2).to_pil().convert("L").histogram()[:100]) for one in sheet))
    assert ink[1] > ink[0] + 200


def test_the_signed_note_is_printed_to_its_end(visit: Visit, ids: dict[str, str], service: Service) -> None:
    page = visit("nurse").page()
    page.goto(PAGES["signed"][1].format(**ids))
    note = page.locator("#note").input_value()
    text, _ = printed(page)
    assert [line for line in note.splitlines() if " ".join(line.split()) not in text] == []
    assert "(Link:" not in text
    assert text.count("BACK PAIN: OCCUPATIONAL HEALTH CONSULTATION") == 1


@pytest.mark.parametrize("format_", ["a4", "a5", "giant"])
@pytest.mark.parametrize("paper", ["letter", "report"])
def test_each_sheet_of_a_printed_letter_names_whom_it_is_about(
    visit: Visit, ids: dict[str, str], service: Service, paper: str, format_: str
) -> None:
    page, store = visit("nurse").page(), service.instance.store
    whom = identity.employee(store.db.read(), ids["employee"])
    assert whom is not None
    page.goto(f"/consultations/{ids['urgent']}/{paper}?format={format_}")
    born = uk_date(whom.date_of_birth)
    body = page.locator("article.letter > .runs__body").first
    body.evaluate("body => { for (let n = 0; n < 90; n++) body.append('More words. ', document.createElement('br')); }")
    sheets = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
    assert len(sheets) > 2
    for sheet in sheets:
        text = " ".join(sheet.extract_text().split())
        assert whom.name in text
        assert (born in text) == (paper == "letter")


@pytest.mark.parametrize("paper", ["letter", "report"])
def test_on_a_narrow_screen_the_button_that_prints_does_not_lie_over_the_choice_below_it(
    visit: Visit, service: Service, paper: str
) -> None:
    page, shadow = visit("nurse").page(), 4
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"/consultations/{service.begin()}/{paper}")
    choice = page.locator(".as-pdf .sel").bounding_box()
    buttons = [button.bounding_box() for button in page.locator("main .acts .nhsuk-button").all()]
    assert choice
    for button in buttons:
        over = button and button["x"] < choice["x"] + choice["width"] and choice["x"] < button["x"] + button["width"]
        above = button and button["y"] < choice["y"]
        assert not (button and over and above) or button["y"] + button["height"] + shadow <= choice["y"]


LINES = """e => { const r = document.createRange(); r.selectNodeContents(e);
    return new Set([...r.getClientRects()].map(box => Math.round(box.top))).size; }"""


def test_on_a_narrow_screen_no_word_above_a_column_of_the_letter_and_no_time_is_broken(
    visit: Visit, service: Service
) -> None:
    consultation = service.begin()
    store, asked = service.instance.store, service.instance.library.current.proforma.by_id["saddle_feeling_change"]
    store.save(consultation, asked, Answer("present"), 0, "print:narrow", "single", service.who("nurse"))
    page = visit("nurse").page()
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"/consultations/{consultation}/letter")
    cells = page.locator("article table th, article table td:nth-child(3)")
    assert [cells.nth(at).evaluate(LINES) for at in range(cells.count())] == [1] * 4


def test_the_question_of_an_addendum_stands_clear_of_the_button_above_it(visit: Visit, ids: dict[str, str]) -> None:
    page = visit("nurse").page()
    for width in (1366, 320):
        page.set_viewport_size({"width": width, "height": 640})
        page.goto(f"/consultations/{ids['signed']}/addendum")
        page.locator("[name=chosen]").select_option("work_status")
        page.get_by_role("button", name="Show this question").click()
        button, asked = (
            page.get_by_role("button", name="Show this question").bounding_box(),
            page.locator("#correction"),
        )
        box = asked.bounding_box()
        assert button
        assert box
        assert box["y"] >= button["y"] + button["height"] + 8
