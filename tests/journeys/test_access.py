"""Every kind of page for people who see, hear or point differently, and on a narrow screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from service import Service
from watching import Visit, Watch

from consult.audit import reliability, rounds, sampling
from consult.documents import signing
from consult.exchange import entry
from consult.exchange.casefile import Import
from consult.proforma.answer import Answer
from consult.proforma.path import blank_emergencies
from consult.record.store import Who

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
NARROW = 320
PHONE = {"width": NARROW, "height": 640}
DESK = {"width": 1366, "height": 768}


@pytest.fixture(scope="module")
def ids(service: Service) -> dict[str, str]:
    """Consultations in the states that pages show: just begun, with a red flag, and signed."""
    store, who = service.instance.store, service.who("nurse")
    begun, urgent, signed = (service.begin() for _ in range(3))
    proforma = store.library.current.proforma
    for consultation in (urgent, signed):
        state = "present" if consultation == urgent else "absent"
        for question in ("saddle_feeling_change", "cord_signs"):
            key = f"{consultation}:{question}"
            store.save(consultation, proforma.by_id[question], Answer(state), 0, key, "single", who)
    consultation = store.consultation(signed)
    assert consultation is not None
    blank = [q.id for q in blank_emergencies(store.path_of(consultation))]
    reason = {"reason": "out_of_time", "text": "", "questions": blank}
    store.note(signed, "blank_emergencies_explained", reason, "reason", who)
    signing.sign(store, signed, who, False, "sign")
    employee = store.consultation(urgent)
    assert employee is not None
    seen = {"begun": begun, "urgent": urgent, "signed": signed, "employee": employee.started["employee"]}
    known = {"nurse": who.actor, **seen}
    return known | audit_ids(service)


def audit_ids(service: Service) -> dict[str, str]:
    """A round of cases from notes, half of it read a second time with disputes; a sitting; an addressed year."""
    store, dataset = service.instance.store, service.instance.library.current.dataset
    nurse, doctor, lead = service.who("nurse"), service.who("doctor"), service.who("audit_lead")
    by = (lead.actor, lead.role)
    fields = dict.fromkeys(dataset.by_name, "") | {"site": "A", "clinician_role": "nurse", "sex": "female"}
    fields |= {"back_pain_reason": "main", "first_consultation": "yes", "episode_gap": "none_ever"}
    with store.db.write() as conn:
        at, enterer = store.at(), Who(nurse.actor, nurse.role)
        rules = Import("DEMO", service.instance.today(), nurse.actor, at)
        id_ = entry.begin(conn, 40, enterer, at, "sitting-of-this-test")
        for n in range(6):
            typed = fields | {"case_ref": f"R-{n}", "consultation_date": f"2026-03-0{n + 1}"}
            about = (entry.sittings(conn)[id_], f"draft-{n}")
            entry.enter(conn, dataset, typed, about, rules, {"A"}, enterer, f"entered-{n}")
        wanted = rounds.Wanted("Round", "DEMO", "retrospective", "2026-01-01", "2026-12-31", n=6)
        round_ = rounds.set_round(conn, wanted, by, at, "round-of-this-test")
        sample = sampling.sample(conn, service.instance.measures, dataset, rounds.rounds(conn)[round_])
        rounds.exclude(conn, round_, sample.taken[0].key, True, ("restricted", ""), by, at, "exclusion")
        reliability.draw(conn, round_, [c.key for c in sample.taken[1:]], "seed", by, at, "draw")
        draw = reliability.draws(conn)[round_]
        second = {"sex": "male", "clinician_role": "nurse"}
        for case in draw.cases[:2]:
            again = (doctor.actor, doctor.role)
            reliability.reenter(conn, draw, case.case, second, again, at, f"again-{case.case[2]}", set())
    unread = draw.cases[4].case[2]
    return {"round": round_, "sitting": id_, "unread": unread, "year": str(service.instance.today().year)}


PAGES = {
    "sign-in": ("", "/sign-in"),
    "home": ("nurse", "/"),
    "find": ("nurse", "/employees"),
    "who looked": ("nurse", "/employees/{employee}/looks"),
    "another site": ("nurse", "/employees/{employee}/reason"),
    "entered twice": ("nurse", "/employees/{employee}/merge"),
    "who looked at records": ("administrator", "/settings/looks"),
    "register": ("nurse", "/employees/new"),
    "employee": ("nurse", "/employees/{employee}"),
    "fresh consultation": ("nurse", "/consultations/{begun}"),
    "consultation with a U0 panel": ("nurse", "/consultations/{urgent}"),
    "why it is asked": ("nurse", "/consultations/{begun}/why/cord_signs"),
    "leaflet shown": ("nurse", "/consultations/{begun}/leaflets/back-pain-core/shown"),
    "tour": ("nurse", "/tour"),
    "sign": ("nurse", "/consultations/{urgent}/sign"),
    "signed": ("nurse", "/consultations/{signed}"),
    "addendum": ("nurse", "/consultations/{signed}/addendum"),
    "end without signing": ("nurse", "/consultations/{begun}/abandon"),
    "steps": ("nurse", "/consultations/{signed}/steps"),
    "letter": ("nurse", "/consultations/{urgent}/letter"),
    "report": ("nurse", "/consultations/{begun}/report"),
    "results": ("audit_lead", "/results"),
    "measure": ("audit_lead", "/results/measures/red_flags_screened"),
    "cases": ("audit_lead", "/results/measures/red_flags_screened/cases?outcome=excluded"),
    "case": ("audit_lead", "/results/cases/DEMO/live/{signed}"),
    "rounds": ("audit_lead", "/rounds"),
    "new round": ("audit_lead", "/rounds/new"),
    "round": ("audit_lead", "/rounds/{round}"),
    "results of a round": ("audit_lead", "/rounds/{round}/results"),
    "case of a round": ("audit_lead", "/rounds/{round}/cases/DEMO/retrospective/R-0"),
    "second readings": ("doctor", "/rounds/{round}/readings"),
    "second reading": ("doctor", "/rounds/{round}/readings/DEMO/retrospective/{unread}"),
    "targets": ("audit_lead", "/rounds/targets"),
    "sample size": ("audit_lead", "/rounds/sample-size"),
    "baseline": ("nurse", "/entry"),
    "sitting": ("nurse", "/entry/{sitting}"),
    "case from notes": ("nurse", "/entry/{sitting}/cases/11111111-1111-4111-8111-111111111111"),
    "edit a case": ("nurse", "/entry/edit/DEMO/retrospective/R-1"),
    "capture quality": ("nurse", "/capture-quality"),
    "follow-up": ("nurse", "/follow-up"),
    "organisational section": ("audit_lead", "/organisation"),
    "organisational answers": ("audit_lead", "/organisation/A/{year}"),
    "settings": ("administrator", "/settings"),
    "people": ("administrator", "/settings/people"),
    "person": ("administrator", "/settings/people/{nurse}"),
    "account": ("nurse", "/account"),
    "proforma": ("administrator", "/settings/content"),
    "leaflets": ("nurse", "/leaflets"),
    "leaflet": ("nurse", "/leaflets/back-pain-core?format=a4"),
    "not found": ("nurse", "/employees/nobody"),
}
EACH = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="module")
def page_of(open_visit: Visit) -> Iterator[Callable[[str], tuple[Watch, Page]]]:
    """One page a role, used again from test to test."""
    known: dict[str, tuple[Watch, Page]] = {}

    def page(role: str) -> tuple[Watch, Page]:
        if role not in known:
            watch = open_visit(role)
            watch.expected.append("404 (NOT FOUND)")
            known[role] = watch, watch.page()
        return known[role]

    yield page
    for watch, _ in known.values():
        watch.context.close()


@pytest.fixture
def show(page_of: Callable[[str], tuple[Watch, Page]], ids: dict[str, str]) -> Iterator[Callable[..., Page]]:
    """Show a page by its name, at a size; at the end there must have been nothing to complain of."""
    used: list[Watch] = []

    def one(name: str, size: dict[str, int] = DESK) -> Page:
        role, address = PAGES[name]
        watch, page = page_of(role)
        used.append(watch)
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        page.goto(address.format(**ids))
        return page

    yield one
    for watch in used:
        assert watch.complaints == []


def violations(page: Page) -> list[str]:
    """What axe finds, with where."""
    found: Any = Axe().run(page, options=RULES).response["violations"]
    return [f"{v['id']}: {v['help']}: {[n['target'] for n in v['nodes']][:3]}" for v in found]


@EACH
def test_axe_finds_nothing(show: Callable[..., Page], name: str) -> None:
    assert violations(show(name)) == []


@EACH
def test_nothing_scrolls_sideways_on_a_narrow_screen(show: Callable[..., Page], name: str) -> None:
    page = show(name, PHONE)
    wide = page.evaluate(
        """() => {
            const room = document.documentElement.clientWidth, inside = e => e.closest('.scroll, .nhsuk-u-visually-hidden');
            return [document.documentElement.scrollWidth - room, [...document.querySelectorAll('body *')]
                .filter(e => !inside(e) && e.getBoundingClientRect().right > room + 1).slice(0, 5).map(e => e.outerHTML.slice(0, 120))];
        }"""  # noqa: E501
    )
    assert wide == [0, []]


def test_axe_finds_nothing_where_two_tabs_disagree(visit: Visit, service: Service) -> None:
    consultation = service.begin()
    watch = visit("nurse")
    watch.expected.append("409 (CONFLICT)")
    tabs = [watch.page(), watch.page()]
    for tab in tabs:
        tab.goto(f"/consultations/{consultation}")
    tabs[0].locator('label[for="a.cord_signs.absent"]').click()
    expect(tabs[0].locator("#state-cord_signs .q__saved")).to_be_visible()
    tabs[1].locator('label[for="a.cord_signs.present"]').click()
    expect(tabs[1].locator(".q__conflict")).to_be_visible()
    assert violations(tabs[1]) == []


@pytest.mark.parametrize("at", ["after the jump", "at the best place"])
def test_eight_questions_of_the_red_flags_are_wholly_visible(
    show: Callable[..., Page], at: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page = show("fresh consultation")
    page.locator("#rail-red_flags").click()
    page.wait_for_timeout(100)
    rows = page.evaluate(
        """best => {
            const count = () => {
                const top = document.querySelector('.who').getBoundingClientRect().bottom;
                return [...document.querySelectorAll('#section-red_flags .q')].filter(q => {
                    const box = q.getBoundingClientRect();
                    return box.top >= top - 1 && box.bottom <= innerHeight + 1;
                }).length;
            };
            let most = count();
            const end = document.querySelector('#section-examination').offsetTop;
            while (best && scrollY < end) {
                const before = scrollY;
                scrollBy(0, 25);
                most = Math.max(most, count());
                if (scrollY === before) break;
            }
            return most;
        }""",
        at == "at the best place",
    )
    with capsys.disabled():
        print(f"\nred-flag questions wholly visible at 1366 x 768, {at}: {rows}")
    assert rows >= 8


def test_what_is_clicked_is_large_enough(show: Callable[..., Page]) -> None:
    page = show("fresh consultation")
    small = page.evaluate(
        """() => {
            const shown = e => e.checkVisibility() && !e.closest('details:not([open])');
            const labels = [...document.querySelectorAll('.opt')].filter(shown)
                .filter(e => e.getBoundingClientRect().height < 40);
            const inline = e => e.tagName === 'A' && getComputedStyle(e).display === 'inline';
            const kinds = 'a, button, select, input:not([type=hidden]), textarea, summary';
            const others = [...document.querySelectorAll(kinds)]
                .filter(e => shown(e) && !inline(e) && !e.classList.contains('nhsuk-skip-link'))
                .filter(e => { const b = e.getBoundingClientRect(); return b.height < 24 || b.width < 24; });
            return [...labels, ...others].map(e => e.outerHTML.slice(0, 120));
        }"""
    )
    assert small == []
