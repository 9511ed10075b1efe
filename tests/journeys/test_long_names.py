"""Names as long as a register takes: nothing is cut off, overlaps or scrolls sideways, wide or narrow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from hands import all_there
from playwright.sync_api import Page
from service import Service
from test_access import DESK, PHONE, TOO_WIDE
from watching import Visit, Watch

from consult.accounts import people, sessions
from consult.documents import signing
from consult.proforma.answer import Answer
from consult.proforma.path import blank_emergencies
from consult.record.store import Start, Who

pytestmark = pytest.mark.browser

NAMES = {
    "of many words": "Testina Wilhelmina Anastasia Fitzgerald-Ravensworth de la Bracegirdle-Featherstonehaugh",
    "of one word": "Testina" + "longname" * 8,
}
CLINICIAN = "Nora Persephone Featherstonehaugh-Cholmondeley of the Third Floor"
OVERLAPPING = """() => {
    const boxes = [...document.querySelectorAll('.top, .strip, .who, main')].map(e => e.getBoundingClientRect());
    const parts = [...document.querySelectorAll('.who > span, .top a, .top button')].filter(e => e.checkVisibility());
    const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    const lines = parts.flatMap(e => [...e.getClientRects()].map(box => [e, box]));
    return lines.flatMap(([e, a], n) => lines.slice(n + 1).filter(([f, b]) => e !== f && !e.contains(f) && over(a, b))
        .map(([f]) => e.textContent.trim().slice(0, 40) + ' over ' + f.textContent.trim().slice(0, 40)));
}"""


@pytest.fixture(scope="module")
def clinician(service: Service) -> Who:
    with service.instance.db.write() as conn:
        new = people.NewPerson(CLINICIAN, "nurse", "A", "plainly invented words", "long.name")
        return Who(people.add_person(conn, new, "test", service.instance.store.at()).id, "nurse")


@pytest.fixture(scope="module")
def watch(service: Service, open_visit: Visit, clinician: Who) -> Iterator[Watch]:
    watch = open_visit()
    with service.instance.db.write() as conn:
        token = sessions.create(conn, clinician.actor, service.instance.store.clock())
    watch.context.add_cookies([{"name": "consult_session", "value": token, "url": service.address}])
    yield watch
    watch.context.close()
    assert watch.complaints == []


def addresses(service: Service, who: Who, name: str) -> Iterator[str]:
    """The pages that show a name: of an open consultation with an urgent answer, and of a signed one."""
    store = service.instance.store
    employee = store.register(name, date(1975, 3, 13), "LOCAL-NUMBER-" + "9" * 40, who)
    proforma = store.library.current.proforma
    for state in ("present", "absent"):
        talk = store.start(Start(employee.id, "A", "DEMO", "in_person", "45-54"), who)
        for question in ("saddle_feeling_change", "cord_signs"):
            store.save(talk, proforma.by_id[question], Answer(state), 0, f"{talk}:{question}", "single", who)
        if state == "absent":
            held = store.consultation(talk)
            assert held is not None
            blank = [q.id for q in blank_emergencies(store.path_of(held))]
            reason = {"reason": "out_of_time", "text": "", "questions": blank}
            store.note(talk, "blank_emergencies_explained", reason, f"{talk}:why", who)
            signing.sign(store, talk, who, False, f"{talk}:sign")
        parts = ("", "/sign", "/letter", "/report", "/steps", "/abandon") if state == "present" else ("", "/addendum")
        yield from (f"/consultations/{talk}{part}" for part in parts)
    yield from (
        "/",
        "/follow-up",
        "/account",
        *(f"/employees/{employee.id}{part}" for part in ("", "/looks", "/merge")),
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_very_long_name_is_whole_and_in_nobodys_way(
    service: Service, watch: Watch, clinician: Who, name: str
) -> None:
    page, wrong = watch.page(), {}
    for address in addresses(service, clinician, NAMES[name]):
        for size in (DESK, PHONE):
            page.set_viewport_size({"width": size["width"], "height": size["height"]})
            page.goto(address)
            all_there(page)
            if found := page.evaluate(TOO_WIDE) + page.evaluate(OVERLAPPING):
                wrong[f"{address} at {size['width']}"] = found
    page.close()
    print(*wrong.items(), sep="\n")
    assert wrong == {}


def test_found_among_others_it_stands_whole_in_the_list(service: Service, watch: Watch, clinician: Who) -> None:
    page = watch.page()
    service.instance.store.register(f"{NAMES['of one word']} Zweitens", date(1960, 1, 2), "", clinician)
    for size in (DESK, PHONE):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        search(page)
        assert page.evaluate(TOO_WIDE) == []
    page.close()


def search(page: Page) -> None:
    page.goto("/employees")
    page.locator("#words").fill("Testinalongname")
    page.get_by_role("button", name="Find").click()
    page.get_by_text("Zweitens").first.wait_for()
