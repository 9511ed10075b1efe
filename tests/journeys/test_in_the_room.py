"""What stands on the consultation screen for whoever looks at the employee: keys, help, what was printed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from hands import all_there
from playwright.sync_api import Page, expect
from service import Service
from watching import Visit, Watch

from consult.exchange import entry
from consult.proforma.answer import Answer

pytestmark = pytest.mark.browser

CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
FOCUS = "() => document.activeElement.id || document.activeElement.name || document.activeElement.className"


@pytest.fixture(scope="module")
def watch(open_visit: Visit) -> Iterator[Watch]:
    """One nurse for all of this module."""
    watch = open_visit("nurse")
    yield watch
    watch.context.close()
    assert watch.complaints == []


@pytest.fixture
def page(watch: Watch, service: Service) -> Iterator[Page]:
    """A consultation that has just begun, open on the screen."""
    page = watch.page()
    page.goto(f"/consultations/{service.begin()}")
    all_there(page)
    yield page
    page.close()


def focus(page: Page) -> str:
    return str(page.evaluate(FOCUS))


class TestKeys:
    def test_the_first_answer_is_three_actions_from_opening(self, page: Page) -> None:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # "Skip to the questions"
        assert focus(page) == "a.back_pain_reason.main"
        page.keyboard.press("Space")
        expect(page.locator("#state-back_pain_reason .q__saved")).to_be_visible()

    def test_enter_on_a_choice_goes_to_the_next_question_and_with_shift_back(self, page: Page) -> None:
        page.locator('[id="a.bladder_emptying_change.present"]').focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        assert focus(page) == "a.bladder_feeling_change.present"
        page.keyboard.press("Shift+Enter")
        assert focus(page) == "a.bladder_emptying_change.absent"
        expect(page.locator("#state-bladder_emptying_change .q__saved")).to_be_visible()
        expect(page.locator("#state-bladder_feeling_change .q__saved")).to_have_count(0)

    def test_alt_and_a_digit_choose_the_answer_of_that_place_and_go_on(self, page: Page, service: Service) -> None:
        page.locator('[id="a.bladder_emptying_change.present"]').focus()
        shown = page.locator('label[for="a.bladder_emptying_change.absent"]')
        place = shown.evaluate("e => getComputedStyle(e, '::after').content")
        assert "counter(place)" in place
        second = page.locator("#q-bladder_emptying_change .opt__label").nth(1)
        assert second.get_attribute("for") == shown.get_attribute("for")
        page.keyboard.press("Alt+2")
        assert focus(page) == "a.bladder_feeling_change.present"
        page.keyboard.press("Alt+3")
        assert focus(page) == "a.new_leaking_or_pads.present"
        expect(page.locator("#state-bladder_feeling_change .q__saved")).to_be_visible()
        consultation = page.url.rpartition("/")[2].partition("#")[0]
        assert service.answer(consultation, "bladder_emptying_change") == ("absent", None, "")
        assert service.answer(consultation, "bladder_feeling_change") == ("unsure", None, "")
        assert set(service.consultation(consultation).answers) == {"bladder_emptying_change", "bladder_feeling_change"}

    def test_a_key_that_is_held_down_gives_one_answer(self, page: Page, service: Service) -> None:
        page.locator('[id="a.bladder_emptying_change.present"]').focus()
        page.keyboard.down("Alt")
        for _ in range(5):
            page.keyboard.down("2")  # the second and later ones are what a held key sends
        page.keyboard.up("2")
        page.keyboard.up("Alt")
        expect(page.locator("#state-bladder_emptying_change .q__saved")).to_be_visible()
        assert focus(page) == "a.bladder_feeling_change.present"
        consultation = page.url.rpartition("/")[2].partition("#")[0]
        assert list(service.consultation(consultation).answers) == ["bladder_emptying_change"]

    def test_in_a_list_to_tick_they_tick_and_stay_and_on_a_scale_they_are_the_number(
        self, page: Page, service: Service
    ) -> None:
        consultation = page.url.rpartition("/")[2].partition("#")[0]
        page.locator('[id="a.pain_sites.low_back"]').focus()
        page.keyboard.press("Alt+1")
        page.keyboard.press("Alt+2")
        page.keyboard.press("Alt+1")
        ticked = page.locator("#q-pain_sites .opt__input:checked")
        expect(ticked).to_have_count(1)
        assert focus(page) == "a.pain_sites.low_back"
        page.locator('[id="a.return_expectation.0"]').focus()
        page.wait_for_timeout(800)
        page.keyboard.press("Alt+8")
        expect(page.locator("#state-return_expectation .q__saved")).to_be_visible()
        assert service.answer(consultation, "return_expectation") == ("answered", 8, "")
        assert focus(page).startswith("a.")
        assert not focus(page).startswith("a.return_expectation.")

    def test_a_run_of_digits_answers_no_question_of_other_words(self, page: Page, service: Service) -> None:
        """After "Yes" to the first the same digits, in haste, come to "When did the change begin?"."""
        consultation = page.url.rpartition("/")[2].partition("#")[0]
        page.locator('[id="a.bladder_emptying_change.present"]').focus()
        page.keyboard.press("Alt+1")
        expect(page.locator("#q-cauda_equina_onset")).to_be_visible()
        for _ in range(25):
            page.keyboard.press("Alt+2")
        assert focus(page).startswith("a.cauda_equina_onset.")
        expect(page.locator("#save-state")).to_contain_text("Saved")
        answers = service.consultation(consultation).answers
        assert "cauda_equina_onset" not in answers
        assert {a.state for q, a in answers.items() if q != "bladder_emptying_change"} == {"absent"}
        page.wait_for_timeout(800)
        page.keyboard.press("Alt+2")
        expect(page.locator("#state-cauda_equina_onset .q__saved")).to_be_visible()

    @pytest.mark.parametrize("keys", ["2", "Control+Alt+2", "Shift+Alt+2", "Alt+9", "Alt+0", "y", "n"])
    def test_no_other_key_of_the_kind_answers(self, page: Page, service: Service, keys: str) -> None:
        page.locator('[id="a.bladder_emptying_change.present"]').focus()
        page.keyboard.press(keys)
        page.wait_for_timeout(300)
        assert focus(page) == "a.bladder_emptying_change.present"
        assert not page.locator(".opt__input:checked").count()
        assert not service.consultation(page.url.rpartition("/")[2].partition("#")[0]).answers

    def test_in_a_text_a_digit_with_alt_answers_nothing(self, page: Page) -> None:
        page.locator('[name="a.employee_concern"]').focus()
        page.keyboard.press("Alt+1")
        assert focus(page) == "a.employee_concern"
        assert not page.locator(".opt__input:checked").count()

    def test_alt_and_enter_go_from_group_to_group_and_with_shift_back(self, page: Page) -> None:
        group = "() => (document.activeElement.closest('.block') || {}).id"
        page.locator('[id="a.bladder_emptying_change.present"]').focus()
        first = page.evaluate(group)
        page.keyboard.press("Alt+Enter")
        assert page.evaluate(group) not in (first, None)
        page.keyboard.press("Shift+Alt+Enter")
        assert page.evaluate(group) == first
        assert not page.locator(".opt__input:checked").count()

    def test_alt_and_enter_come_to_no_to_the_rest_once_its_questions_were_seen(self, page: Page) -> None:
        block = page.locator(".block:has([data-rest] button)").first
        name, items = block.get_attribute("id"), block.locator("[data-item]")
        items.first.locator("input").first.focus()
        page.keyboard.press("Alt+Enter")
        assert page.evaluate("() => document.activeElement.closest('.block').id") != name
        for at in range(items.count()):
            items.nth(at).scroll_into_view_if_needed()
            page.wait_for_timeout(50)
        items.first.locator("input").first.focus()
        page.keyboard.press("Alt+Enter")
        assert page.evaluate("() => document.activeElement.textContent").startswith("No to the rest")

    def test_it_passes_over_what_is_folded_and_changes_nothing_on_its_way(self, page: Page, service: Service) -> None:
        page.locator('[id="a.back_pain_reason.main"]').focus()
        met = []
        for _ in range(120):
            kind, asked, there = page.evaluate(
                "() => [document.activeElement.type, document.activeElement.closest('.q__set') !== null,"
                " document.activeElement.closest('#finish') !== null]"
            )
            if there:
                break
            met.append(focus(page).split(".")[1] if "." in focus(page) else focus(page))
            plain = kind in ("radio", "checkbox", "select-one")
            page.keyboard.press("Tab" if not asked else "Enter" if plain else "Control+Enter")
        assert page.evaluate("() => document.activeElement.closest('#finish') !== null")
        shown = page.evaluate(
            "() => [...document.querySelectorAll('.q')].filter(q => q.checkVisibility()).map(q => q.dataset.item)"
        )
        assert set(shown) <= set(met)
        assert not set(met) & {"sex", "pain_began_on"}
        assert not service.consultation(page.url.rpartition("/")[2].partition("#")[0]).answers


class TestHelp:
    def test_it_opens_and_closes_by_key_below_its_question_and_the_focus_stays(self, page: Page) -> None:
        mark = page.locator("#q-saddle_feeling_change .q__why")
        tall = page.locator("#section-red_flags").evaluate("e => e.offsetHeight")
        mark.focus()
        page.keyboard.press("Enter")
        help_ = page.locator("#why-saddle_feeling_change")
        expect(help_).to_contain_text("Why:")
        expect(help_).to_contain_text("The question rests on:")
        expect(mark).to_have_attribute("aria-expanded", "true")
        expect(mark).to_be_focused()
        page.keyboard.press("Space")
        expect(help_).to_be_hidden()
        expect(mark).to_be_focused()
        assert page.locator("#section-red_flags").evaluate("e => e.offsetHeight") == tall

    def test_it_is_fetched_once_and_only_when_opened(self, page: Page) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if "/why/" in request.url else None)
        page.reload()
        mark = page.locator("#q-cord_signs .q__why")
        for _ in range(3):
            mark.click()
        expect(page.locator("#why-cord_signs")).to_contain_text("rests on")
        assert len(asked) == 1

    def test_a_question_that_comes_later_has_it_too(self, page: Page) -> None:
        page.locator('label[for="a.leg_symptoms.pain"]').click()
        mark = page.locator("#q-spreading_numbness_or_weakness .q__why")
        expect(mark).to_have_attribute("aria-expanded", "false")

    def test_without_javascript_it_is_a_page_and_one_is_back_at_the_question(
        self, open_visit: Visit, service: Service
    ) -> None:
        watch = open_visit("nurse", scripted=False)
        page = watch.page()
        page.goto(f"/consultations/{service.begin()}")
        all_there(page)
        page.locator("#q-cord_signs .q__why").click()
        expect(page.get_by_role("heading", name="Why it is asked")).to_be_visible()
        page.get_by_role("link", name="Back to the question").click()
        assert page.url.endswith("#q-cord_signs")
        expect(page.locator("#q-cord_signs")).to_be_in_viewport()
        watch.context.close()
        assert watch.complaints == []


def test_the_answers_of_a_finding_stand_on_one_line(page: Page) -> None:
    lines = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('.q:has(input[value=absent])')]
            .filter(q => q.checkVisibility())
            .map(q => [q.dataset.item, new Set([...q.querySelectorAll('.opts > *')].map(e => {
                const box = e.getBoundingClientRect();
                return Math.round((box.top + box.bottom) / 20);
            })).size]))"""
    )
    assert len(lines) > 30
    assert {item for item, n in lines.items() if n > 1} == set()


def test_a_print_in_another_tab_is_said_when_one_comes_back(page: Page) -> None:
    line = page.locator("#done-back-pain-core-en")
    expect(line).to_contain_text("nothing is recorded yet")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Print A4").first.click()
    opened.value.wait_for_load_state()
    opened.value.close()
    page.bring_to_front()
    page.evaluate("() => window.dispatchEvent(new Event('focus'))")  # a headless window has none of its own
    expect(line).to_contain_text("Leaflet printed (A4)")


class TestCover:
    def test_a_chord_leaves_nothing_but_covered_and_the_same_brings_it_back_where_one_was(self, page: Page) -> None:
        page.locator('[id="a.cord_signs.present"]').focus()
        at = page.evaluate("() => scrollY")
        page.keyboard.press("Control+Shift+H")
        assert shown(page) == "Covered Show again"
        assert "Testina" not in page.title()
        page.keyboard.press("Control+Shift+H")
        assert "Testina" in shown(page)
        assert (focus(page), page.evaluate("() => scrollY")) == ("a.cord_signs.present", at)

    def test_the_button_in_the_banner_does_the_same_and_tab_stays_within(self, page: Page) -> None:
        page.get_by_role("button", name="Cover").click()
        for _ in range(3):
            page.keyboard.press("Tab")
            assert page.evaluate(
                "() => document.activeElement === document.body || document.activeElement.closest('#cover') !== null"
            )
        page.get_by_role("button", name="Show again").click()
        expect(page.locator(".who__name")).to_be_visible()

    def test_the_lock_lies_over_it(self, page: Page) -> None:
        page.keyboard.press("Control+Shift+H")
        page.evaluate("() => document.documentElement.classList.add('covered')")
        assert "Covered" not in shown(page)


def shown(page: Page) -> str:
    """The words one can see."""
    return " ".join(
        str(
            page.evaluate(
                """() => {
                    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
                    while (walk.nextNode()) {
                        const e = walk.currentNode.parentElement;
                        const seen = e.checkVisibility({ visibilityProperty: true });
                        if (seen && !e.closest('.nhsuk-u-visually-hidden, noscript'))
                            found.push(walk.currentNode.textContent);
                    }
                    return found.join(' ');
                }"""
            )
        ).split()
    )


@pytest.fixture(scope="module")
def addresses(service: Service) -> list[str]:
    """Every kind of page that a nurse works on."""
    talk, proforma = service.begin(), service.instance.library.current.proforma
    question, who = proforma.by_id["saddle_feeling_change"], service.who("nurse")
    service.instance.store.save(talk, question, Answer("unsure"), 0, f"{talk}:look", "single", who)
    employee = service.consultation(talk).started["employee"]
    with service.instance.db.write() as conn:
        sitting = entry.begin(conn, 40, who, service.instance.store.at(), "sitting-of-this-look")
    of_it = ["", "/sign", "/letter", "/report", "/steps", "/leaflets/back-pain-core/shown", "/why/cord_signs"]
    pages = [
        "/",
        "/tour",
        "/employees/new",
        "/leaflets",
        "/results",
        "/results/measures/red_flags_screened",
        "/entry",
        f"/entry/{sitting}",
        f"/employees/{employee}",
    ]
    return [f"/consultations/{talk}{part}" for part in of_it] + pages


class TestLook:
    def test_low_light_is_readable_on_every_kind_of_page(self, page: Page, addresses: list[str]) -> None:
        page.emulate_media(color_scheme="dark")
        faint: dict[str, list[str]] = {}
        for address in addresses:
            page.goto(address)
            all_there(page)
            ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
            assert ground == "rgb(18, 23, 26)", address
            found = Axe().run(page, options=CONTRAST).response["violations"]
            faint |= {address: [n["html"] for v in found for n in v["nodes"]]} if found else {}
        assert faint == {}

    def test_a_person_chooses_it_and_it_is_kept_for_that_person_in_this_browser(self, page: Page) -> None:
        page.goto("/")
        page.get_by_role("button", name="Low light").click()
        for address in ("/", "/tour"):
            page.goto(address)
            all_there(page)
            assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(18, 23, 26)"
        page.emulate_media(media="print")
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        page.emulate_media(media="screen", color_scheme="dark")
        page.get_by_role("button", name="Light", exact=True).click()
        page.wait_for_load_state()
        assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(240, 244, 245)"

    def test_with_forced_colours_every_control_keeps_an_edge(self, page: Page, addresses: list[str]) -> None:
        page.emulate_media(forced_colors="active")
        for address in addresses:
            page.goto(address)
            all_there(page)
            bare = page.evaluate(
                """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, .nhsuk-button')]
                    .filter(e => e.checkVisibility()).filter(e => {
                        const look = getComputedStyle(e);
                        const edge = look.appearance !== 'none' || parseFloat(look.borderTopWidth);
                        return !edge && e.className !== 'default-submit';
                    }).map(e => e.outerHTML.slice(0, 100))"""
            )
            assert bare == [], address

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_quiet_words_are_as_dark_as_all_others_where_more_contrast_is_wanted(
        self, page: Page, addresses: list[str], scheme: Literal["light", "dark"]
    ) -> None:
        page.emulate_media(contrast="more", color_scheme=scheme)
        page.goto(addresses[0])
        all_there(page)
        say, ask = (
            page.locator(part).first.evaluate("e => getComputedStyle(e).color") for part in (".q__say", ".q__ask")
        )
        assert say == ask

    def test_nothing_moves_where_less_motion_is_wanted(self, page: Page, addresses: list[str]) -> None:
        page.emulate_media(reduced_motion="reduce")
        for address in addresses[:3]:
            page.goto(address)
            all_there(page)
            moving = page.evaluate(
                """() => [...document.querySelectorAll('*')].filter(e => {
                    const look = getComputedStyle(e);
                    const moves = look.transitionDuration.split(', ').some(parseFloat) || look.animationName !== 'none';
                    return moves || look.scrollBehavior === 'smooth';
                }).map(e => e.outerHTML.slice(0, 100))"""
            )
            assert moving == [], address


def test_a_leaflet_fills_the_screen_and_one_action_leads_back_to_it(page: Page, service: Service) -> None:
    talk = page.url.rpartition("/")[2]
    steps = len(service.consultation(talk).documents)
    page.locator("#leaflet-back-pain-core-en a", has_text="Show it large").click()
    words = shown(page)
    assert "Testina" not in words
    assert "Nora Nurse" not in words
    assert [
        a.inner_text() for a in page.locator("a:visible").all() if "skip" not in (a.get_attribute("class") or "")
    ] == ["Back"]
    sizes = page.evaluate(
        "() => [...document.querySelectorAll('.shown__text :is(p, li)')]"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 24
    page.get_by_role("link", name="Back", exact=True).click()
    expect(page.locator("#leaflet-back-pain-core-en")).to_be_in_viewport()
    assert len(service.consultation(talk).documents) == steps
