"""Forty cases from notes at the keyboard: one key a field, Enter for the next case, nothing typed is lost.

The time of a case is estimated by the keystroke-level model (Card, Moran and Newell, Commun ACM 1980;23:396-410) with
0.28 s a keystroke of an average typist and 1.35 s of mental preparation for each field. Reading the notes is not in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from service import Service
from watching import Visit

from consult.audit import cases
from consult.exchange.entryform import EntryField
from consult.record.ledger import steps

pytestmark = pytest.mark.browser
KEYSTROKE, MENTAL, MOST_SECONDS = 0.28, 1.35, 120
COUNT = "window.pressed = 0; addEventListener('keydown', () => { window.pressed += 1; }, true)"


def begin(page: Page) -> None:
    page.goto("/entry")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector("#entry")
    page.wait_for_load_state()  # the script has run, if there are scripts


def draft_is_kept(page: Page, service: Service, reference: str) -> bool:
    """Whether a draft of a case is kept by now: what a page sends as it goes may come after what is asked for next."""
    for _ in range(250):
        kept = steps(service.instance.db.read(), kind="case_draft_kept")
        if reference in [step.content["fields"].get("case_ref") for step in kept if step.content]:
            return True
        page.wait_for_timeout(20)
    return False


def focused(page: Page) -> str:
    name = str(page.evaluate("document.activeElement.name || ''")).removeprefix("f.")
    return name.removesuffix("-day")


def type_date(page: Page, *boxes: str) -> None:
    for box in boxes:
        page.keyboard.type(box)
        page.keyboard.press("Tab")


def type_case(page: Page, fields: list[EntryField], ref: str, answers: dict[str, str], kept: tuple[str, ...]) -> int:
    """Type one whole case as a practised hand does; returns how many fields were thought about."""
    thought = 0
    for item in fields:
        assert focused(page) == item.name, "the focus goes from field to field in the order of the form"
        if item.name in kept or (not item.options and item.name not in ("case_ref", "consultation_date", "site")):
            page.keyboard.press("Tab")
            continue
        thought += 1
        if item.name == "case_ref":
            page.keyboard.type(ref)
            page.keyboard.press("Tab")
        elif item.name == "consultation_date":
            type_date(page, "3", "3", "2026")
        elif item.name == "site":
            page.keyboard.type("S")
            page.keyboard.press("Tab")
        elif item.field.type == "choices":
            for code in filter(None, answers.get(item.name, "").split(";")):
                page.keyboard.press(next(o.key for o in item.options if o.code == code))
            page.keyboard.press("Tab")
        else:
            wanted = answers.get(item.name, item.options[0].code)
            page.keyboard.press(next(o.key for o in item.options if o.code == wanted))
        if item.name == "episode_gap" and focused(page) == "":  # the fold with the two dates
            page.keyboard.press("Tab")
    return thought


ANSWERS = {
    "clinician_role": "nurse",
    "episode_gap": "ge_28_days",
    "sex": "not_recorded",
    "yf_mood": "",
    "yf_action": "explained;early_review",
    "barriers": "physical_demands;other",
    "management": "gp",
    "info_form": "verbal;printed_leaflet",
    "adjustment_types": "phased_return",
    "cause_action": "none",
    "rf_action": "none",
}


def test_a_case_takes_two_minutes_at_the_keyboard(
    visit: Visit, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    page = visit("nurse").page()
    page.add_init_script(COUNT)
    begin(page)
    fields = service.instance.entry.fields
    lines = []
    for number, kept in ((1, ()), (2, ("site", "clinician_role"))):
        assert page.evaluate("document.querySelectorAll('input:checked').length") == (2 if kept else 0)
        page.evaluate("window.pressed = 0")
        thought = type_case(page, fields, f"N-{number}", ANSWERS, kept)
        if number == 1:
            page.keyboard.press("Space")  # keep site and clinician for the next case
        pressed = page.evaluate("window.pressed") + 1
        seconds = pressed * KEYSTROKE + (thought + 1) * MENTAL
        lines.append(f"case {number}: {pressed} keystrokes, {thought} fields, about {seconds:.0f} s without reading")
        assert seconds <= MOST_SECONDS, lines
        page.keyboard.press("Enter")
        expect(page.locator(".ehead__title")).to_have_text(f"Case from notes {number + 1} of 40")
        held = cases.read(service.instance.db.read(), "DEMO", "retrospective", f"N-{number}")
        assert held is not None
        assert {name: held.fields[name] for name in ANSWERS} == ANSWERS
        assert held.fields["consultation_date"] == "2026-03-03"
        assert held.fields["site"] == "A"
    with capsys.disabled():
        print("\n" + "\n".join(lines))


def test_every_field_can_be_answered_taken_back_and_left_blank_by_key(visit: Visit, service: Service) -> None:
    page = visit("nurse").page()
    begin(page)

    def checked(name: str) -> list[str]:
        found: list[str] = page.evaluate(
            "n => Array.from(document.getElementsByName('f.' + n)).filter(i => i.checked).map(i => i.value)", name
        )
        return found

    page.locator('[name="f.sex"]').first.focus()
    page.keyboard.press("2")
    assert (checked("sex"), focused(page)) == (["male"], "staff_group")
    page.keyboard.press("a")
    assert checked("staff_group") == ["other"]
    page.keyboard.press("0")
    assert checked("organisation_type") == ["not_recorded"]
    page.locator('[name="f.sex"]').nth(1).focus()
    page.keyboard.press("Delete")
    assert checked("sex") == []
    page.keyboard.press("Space")
    assert checked("sex") == ["male"]
    page.keyboard.press("ArrowRight")
    assert checked("sex") == ["other"]
    page.locator('[name="f.yf_action"]').first.focus()
    page.keyboard.press("1")
    page.keyboard.press("4")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert checked("yf_action") == ["explained", "early_review", "psychological_support"]
    page.keyboard.press("9")
    assert checked("yf_action") == ["none"], "none stands alone"
    page.keyboard.press("1")
    assert checked("yf_action") == ["explained"]
    page.keyboard.press("Tab")
    assert focused(page) == "risk_tool", "a list is one stop of Tab"
    page.keyboard.press("x")
    assert (checked("risk_tool"), focused(page)) == ([], "risk_tool"), "a key that means nothing does nothing"


@pytest.mark.parametrize("scripted", [True, False])
def test_a_case_that_is_refused_keeps_what_was_typed_and_goes_to_what_is_wrong(
    visit: Visit, service: Service, scripted: bool
) -> None:
    watch = visit("doctor", scripted=scripted)
    watch.expected.append("422")
    page = watch.page()
    begin(page)
    page.locator('[name="f.case_ref"]').fill("D-1")
    page.locator('[name="f.sex"]').nth(1).check()
    page.locator('[name="f.case_ref"]').press("Enter")
    expect(page.get_by_role("heading", name="Nothing was written")).to_be_visible()
    assert page.locator('[name="f.sex"]').nth(1).is_checked()
    assert page.locator('[name="f.case_ref"]').input_value() == "D-1"
    if scripted:
        assert focused(page) == "consultation_date"
    page.get_by_role("link", name="0 entered").click()
    expect(page.get_by_role("link", name="D-1")).to_be_visible()


def test_without_a_script_the_keyboard_is_enough(visit: Visit, service: Service) -> None:
    page = visit("physiotherapist", scripted=False).page()
    begin(page)
    page.locator('[name="f.case_ref"]').focus()
    press: Callable[[str], None] = page.keyboard.press
    page.keyboard.type("P-1")
    press("Tab")
    type_date(page, "3", "3", "2026")
    page.keyboard.type("S")
    press("Tab")
    for arrows in (2, None, 0, 0, 1):  # physiotherapist, no reference, the main reason, first visit, 28 days or more
        if arrows is not None:
            press("Space")
            for _ in range(arrows):
                press("ArrowRight")
        press("Tab")
    press("Tab")  # past the fold with the two dates
    press("Enter")
    expect(page.locator(".ehead__title")).to_have_text("Case from notes 2 of 40")
    held = cases.read(service.instance.db.read(), "DEMO", "retrospective", "P-1")
    assert held is not None
    assert [held.fields[n] for n in ("clinician_role", "back_pain_reason", "first_consultation", "episode_gap")] == [
        "physiotherapist",
        "main",
        "yes",
        "ge_28_days",
    ]


def test_what_was_typed_is_a_draft_on_the_server_when_one_leaves(visit: Visit, service: Service) -> None:
    page = visit("nurse").page()
    begin(page)
    sitting = page.url.split("/cases/")[0]
    page.keyboard.type("L-1")
    page.locator('[name="f.sex"]').first.focus()
    page.keyboard.press("2")
    page.goto("/entry")
    assert draft_is_kept(page, service, "L-1")
    page.goto(sitting)
    page.get_by_role("link", name="L-1").click()
    assert page.locator('[name="f.sex"]').nth(1).is_checked()
    assert page.locator('[name="f.case_ref"]').input_value() == "L-1"


def test_what_was_typed_before_the_script_ran_is_kept_too(visit: Visit, service: Service) -> None:
    page = visit("nurse").page()
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.route(re.compile(r"entry\.js"), hold)
    page.goto("/entry")
    page.get_by_role("button", name="Begin").click(no_wait_after=True)
    reference = page.locator('[name="f.case_ref"]')
    reference.fill("E-1")
    page.locator('[name="f.sex"]').nth(1).check()
    for _ in range(250):
        if late:
            break
        page.wait_for_timeout(20)
    late[0].continue_()
    expect(page.locator("html")).to_have_class(re.compile(r"\bjs\b"))
    expect(page.locator('[name="f.sex"]').nth(1)).to_be_focused()  # the hand is there: nothing moves it
    page.goto("/entry")
    assert draft_is_kept(page, service, "E-1")


@pytest.mark.parametrize("how", ["given up", "entered"])
def test_a_case_that_is_over_is_never_called_kept_and_what_was_typed_goes_on_as_another(
    visit: Visit, service: Service, how: str
) -> None:
    """In another window it was given up or entered; here somebody goes on typing."""
    context = visit("nurse")
    page, other = context.page(), context.page()
    page.clock.install()
    begin(page)
    page.keyboard.type("O-1")
    page.clock.run_for(9_000)
    expect(page.locator("#draft-state")).to_have_text(re.compile("^Draft kept"))
    other.goto(page.url if how == "entered" else page.url.split("/cases/")[0])
    if how == "entered":
        enter_the_rest(other)
    else:
        other.get_by_label("Why this case is given up").fill("Not about back pain")
        other.get_by_role("button", name="Give up").click()
    page.locator('[name="f.case_ref"]').fill("O-2")
    page.clock.run_for(9_000)
    expect(page.locator("#draft-state")).to_have_text(
        re.compile(f"^Not kept. This case was .*{how}.*press “Keep as a draft”.$")
    )
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.locator("#error-summary")).to_contain_text("stands below as another case")
    assert page.locator('[name="f.case_ref"]').input_value() == "O-2"
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.get_by_role("link", name="O-2")).to_be_visible()
    assert len(context.complaints) == 2, "the two refusals"
    context.complaints.clear()


def enter_the_rest(page: Page) -> None:
    """What a case needs beside its reference, and its saving."""
    page.locator('[name="f.site"]').select_option(index=1)
    for box, text in (("day", "1"), ("month", "3"), ("year", "2026")):
        page.locator(f'[name="f.consultation_date-{box}"]').fill(text)
    chosen = {"clinician_role": "nurse", "back_pain_reason": "main", "first_consultation": "yes"}
    for name, code in (chosen | {"episode_gap": "none_ever"}).items():
        page.locator(f'label[for="f.{name}.{code}"]').click()
    page.get_by_role("button", name="Save and end the sitting").click()
    expect(page.locator("h1")).to_have_text("1 of 40 cases entered")


@pytest.mark.parametrize("width", [1366, 320])
def test_the_form_fits_the_window(visit: Visit, width: int) -> None:
    page = visit("nurse", width=width).page()
    begin(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        "Array.from(document.querySelectorAll('.eo')).filter(e => e.getBoundingClientRect().height < 24).length"
    )
    assert small == 0
