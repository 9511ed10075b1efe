"""A server stopped under load, double clicks, Back and refresh, a sign-out next door: what was shown as saved stays."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from browsing import Record, signed_in
from house import PASSWORD, House, build
from luck import seeded
from playwright.sync_api import Browser, BrowserContext, Page, expect
from served import Served
from writers import Checker, Crowd, Found, settle

from consult import verifying
from consult.proforma.answer import ANSWERED, Answer

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(sys.platform != "linux", reason="the server that is forked runs on Linux"),
]
SAVED = re.compile(r"^Saved \d\d:\d\d$")
PATIENT = 20_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build(tmp_path_factory.mktemp("house") / "instance", nurses=8, each=12)


@pytest.fixture
def copy(house: House, tmp_path: Path) -> Iterator[House]:
    """A house of its own, which must be whole at the end."""
    copy = house.copy(tmp_path / "instance")
    yield copy
    assert verifying.verify(copy.folder)[1] == []


@pytest.fixture
def served(copy: House, tmp_path: Path) -> Iterator[Served]:
    running = Served(tmp_path / "server.log")
    yield running
    running.close()


def stopped(served: Served, copy: House, stops: int, build: str = "product") -> Found:
    """Stop the server as an administrator does, so many times, while eight writers answer."""
    luck, slowest = seeded("stops"), 0.0
    served.start(copy.folder, build)
    crowd = Crowd(copy, served.port, luck)
    checker = Checker(copy, crowd)
    crowd.open()
    with crowd.writing():
        for _ in range(stops):
            crowd.up.set()
            time.sleep(luck.uniform(0.3, 0.8))
            slowest = max(slowest, served.stop())
            crowd.up.clear()
            served.start(copy.folder, build)
            settle(crowd)
            checker.look()
        crowd.up.set()
    served.stop()
    checker.look()
    checker.whole()
    print(f"{stops} stops, the slowest {slowest:.1f} s: {checker.found}")
    return checker.found


@pytest.mark.parametrize("stops", [8, pytest.param(500, marks=pytest.mark.soak)])
def test_stopping_the_server_under_load_loses_and_doubles_nothing(served: Served, copy: House, stops: int) -> None:
    found = stopped(served, copy, stops)
    assert found.faults == []
    assert found.acknowledged > stops


def test_control_stopping_a_server_that_says_saved_before_commit_loses_answers(served: Served, copy: House) -> None:
    stops = 32  # each loses one only by chance: of 8 once none did
    assert stopped(served, copy, stops, "says saved before commit").lost > 0


# --- in the browser --------------------------------------------------------------------------------------------------


@pytest.fixture
def context(served: Served, copy: House, browser: Browser) -> Iterator[BrowserContext]:
    """A nurse's browser, at a server that runs."""
    served.start(copy.folder)
    with closing(signed_in(browser, f"http://127.0.0.1:{served.port}", copy.tokens()[copy.nurses[0]])) as context:
        yield context
    served.stop()


@pytest.fixture
def record(copy: House) -> Iterator[Record]:
    with closing(Record(copy)) as record:
        yield record


@pytest.fixture
def consultation(copy: House) -> str:
    return copy.consultations[copy.nurses[0]][0]


def opened(context: BrowserContext, consultation: str) -> Page:
    page = context.new_page()
    page.goto(f"/consultations/{consultation}")
    return page


def saved(page: Page) -> None:
    expect(page.locator("#save-state")).to_have_text(SAVED, timeout=PATIENT)


def given_twice(page: Page) -> None:
    """A double click on what records that the leaflet was given."""
    page.locator('button[formaction$="/given"]').first.dblclick()
    expect(page.locator("#finish .done").first).to_be_visible(timeout=PATIENT)
    page.wait_for_timeout(500)


class TestDoubleClick:
    def test_on_an_answer_it_is_one_step(self, context: BrowserContext, record: Record, consultation: str) -> None:
        page = opened(context, consultation)
        page.locator('label[for="a.saddle_feeling_change.present"]').dblclick()
        saved(page)
        assert record.answers(consultation, "saddle_feeling_change") == [Answer("present")]

    def test_on_remove_it_is_removed_once(self, context: BrowserContext, record: Record, consultation: str) -> None:
        page = opened(context, consultation)
        page.locator('label[for="a.cord_signs.absent"]').click()
        saved(page)
        page.locator("#state-cord_signs [data-remove]").dblclick()
        expect(page.locator("#state-cord_signs [data-remove]")).to_have_count(0, timeout=PATIENT)
        saved(page)
        assert record.answers(consultation, "cord_signs") == [Answer("absent"), None]

    def test_on_a_decision_and_on_signing_it_is_one_of_each(
        self, context: BrowserContext, record: Record, consultation: str
    ) -> None:
        page = opened(context, consultation)
        page.locator('label[for="a.saddle_feeling_change.present"]').click()
        saved(page)
        panel = page.locator("#panel-saddle_feeling_change")
        panel.locator('[name$="decision"]').select_option("gp_letter")
        panel.locator('[name$="reason"]').fill("Sent")
        panel.get_by_role("button", name="Record decision").dblclick()
        expect(panel.locator(".kept__decision")).to_contain_text("Sent", timeout=PATIENT)
        page.goto(f"/consultations/{consultation}/sign")
        blank = page.locator('form[action$="/blank-reason"]')
        blank.locator('[name="reason"]').select_option("out_of_time")
        blank.locator("button").dblclick()
        page.wait_for_load_state()
        page.locator("main .acts .nhsuk-button").first.dblclick()
        expect(page.get_by_role("heading", name="Signed and locked")).to_be_visible(timeout=PATIENT)
        kinds = record.kinds(consultation)
        wanted = ("decision_recorded", "blank_emergencies_explained", "consultation_signed")
        assert {kind: kinds.count(kind) for kind in wanted} == dict.fromkeys(wanted, 1)

    def test_on_a_leaflet_given_it_is_given_once(
        self, context: BrowserContext, record: Record, consultation: str
    ) -> None:
        given_twice(opened(context, consultation))
        assert record.kinds(consultation).count("leaflet_given") == 1


def test_back_and_refresh_at_each_step_show_what_was_saved(
    context: BrowserContext, record: Record, consultation: str
) -> None:
    page = opened(context, consultation)
    buttons = {
        "back_pain_reason": "main",
        "cord_signs": "absent",
        "saddle_feeling_change": "present",
        "work_status": "off_sick",
    }
    given: dict[str, str] = {}
    for question, code in buttons.items():
        page.locator(f'label[for="a.{question}.{code}"]').click()
        saved(page)
        given[question] = code
        for turn in (page.reload, lambda: page.goto(f"/consultations/{consultation}/steps"), page.go_back, page.reload):
            turn()
        for known, chosen in given.items():
            expect(page.locator(f'[id="a.{known}.{chosen}"]')).to_be_checked(timeout=PATIENT)
            assert len(record.answers(consultation, known)) == 1
    page.locator('[name="a.employee_concern"]').fill("Will it last?")
    page.locator('[name="a.employee_concern"]').blur()
    expect(page.locator("#state-employee_concern .q__saved")).to_be_visible(timeout=PATIENT)
    saved(page)
    page.reload()
    expect(page.locator('[name="a.employee_concern"]')).to_have_value("Will it last?")
    assert record.answers(consultation, "employee_concern") == [Answer(ANSWERED, "Will it last?")]


def test_a_sign_out_in_another_tab_while_typing_loses_nothing_and_the_next_sign_in_saves_it(
    context: BrowserContext, record: Record, consultation: str
) -> None:
    page = opened(context, consultation)
    place = page.locator('[name="a.employee_concern"]')
    place.click()
    page.keyboard.type("Will it last ")
    expect(page.locator("#state-employee_concern .q__saved")).to_be_visible(timeout=PATIENT)
    saved(page)
    other = context.new_page()
    other.goto("/")
    place.focus()
    page.keyboard.type("for ever")
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/sign-in*")
    expect(page.locator("#save-state")).to_have_text(re.compile("^Not saved"), timeout=PATIENT)
    expect(place).to_have_value("Will it last for ever")
    other.get_by_label("Sign-in name").fill("nurse.number.a")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    page.bring_to_front()
    saved(page)
    expect(place).to_have_value("Will it last for ever")
    assert record.stands(consultation, "employee_concern") == Answer(ANSWERED, "Will it last for ever")


def test_a_server_that_is_stopped_and_started_while_somebody_types_gets_it_all(
    served: Served, context: BrowserContext, copy: House, record: Record, consultation: str
) -> None:
    page = opened(context, consultation)
    page.locator('[name="a.employee_concern"]').click()
    for n in range(3):
        page.keyboard.type(f"Line {n}. ", delay=20)
        served.stop() if n % 2 else served.kill()
        page.keyboard.type("Typed while it was down. ", delay=20)
        page.locator('label[for="a.cord_signs.' + ("absent" if n % 2 else "present") + '"]').click()
        expect(page.locator("#save-state")).to_have_text(re.compile("^Not saved, retrying"), timeout=PATIENT)
        served.start(copy.folder)
        saved(page)
        page.locator('[name="a.employee_concern"]').focus()
    said = "".join(f"Line {n}. Typed while it was down. " for n in range(3)).strip()
    assert record.stands(consultation, "employee_concern") == Answer(ANSWERED, said)
    assert record.answers(consultation, "cord_signs") == [Answer("present"), Answer("absent"), Answer("present")]
