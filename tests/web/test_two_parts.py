"""The screen in two parts holds what it holds in one, and comes so only to a browser whose scripts said they run."""

from __future__ import annotations

import random
from collections.abc import Sequence

import lxml.html
import pytest
from luck import seeded
from lxml.html import HtmlElement
from open_page import OpenPage, act, drawn, read_by_rules, unlike
from visiting import Service, Visitor

from consult.web import coming
from consult.web.app import create_app
from consult.web.cookies import OF_THIS_HOST
from consult.web.screen import Screen

STATES, ACTS = 6, 12


@pytest.fixture
def scripted(service: Service) -> Visitor:
    """A nurse with a browser that has shown a page whose scripts ran."""
    nurse = service.visitor("nurse")
    nurse.client.set_cookie(coming.SCRIPTS, "run")
    return nurse


def parsed(nurse: Visitor, address: str) -> HtmlElement:
    return lxml.html.fromstring(nurse.ask(address).text)


def waiting(page: HtmlElement) -> Sequence[HtmlElement]:
    """The places that are kept for what comes later."""
    return page.find_class("part--coming")


def address_of_rest(page: HtmlElement) -> str:
    (address,) = page.xpath("//@data-coming")
    return str(address)


def put_together(nurse: Visitor, first: HtmlElement) -> HtmlElement:
    """The page with what comes put into its places, as the script does it."""
    places = waiting(first)
    rest = lxml.html.fromstring(f"<main>{nurse.ask(address_of_rest(first)).text}</main>")
    parts = {part.get("id"): part for part in rest}
    assert parts.keys() >= {place.get("id") for place in places}
    for place in places:
        part = parts[place.get("id")]
        part.tail = place.tail
        place.getparent().replace(place, part)
    return first


def test_the_two_parts_are_the_whole_page_whatever_was_answered(service: Service, scripted: Visitor) -> None:
    luck = seeded("two parts")
    proforma = service.instance.library.current.proforma
    for _ in range(STATES):
        talk, done = service.begin(), []
        open_page = OpenPage(service.visitor("nurse"), talk)
        for _ in range(luck.randrange(ACTS)):
            done.append(act(open_page, proforma, read_by_rules(proforma), luck))
        whole = drawn(parsed(service.visitor("nurse"), f"/consultations/{talk}"))
        both = drawn(put_together(scripted, parsed(scripted, f"/consultations/{talk}")))
        assert unlike(whole, both) == [], done


def test_as_many_sections_come_at_once_as_ask_enough_and_no_more(service: Service, scripted: Visitor) -> None:
    for seed in range(STATES):
        talk, luck = service.begin(), random.Random(seed)
        proforma = service.instance.library.current.proforma
        open_page = OpenPage(service.visitor("nurse"), talk)
        for _ in range(luck.randrange(ACTS)):
            act(open_page, proforma, read_by_rules(proforma), luck)
        screen = Screen.of(service.instance.store, service.consultation(talk))
        page = parsed(scripted, f"/consultations/{talk}")
        later = {place.get("id") for place in waiting(page)}
        first = [s for s in proforma.sections if f"section-{s.id}" not in later]
        folded = {block.id for block in proforma.blocks if block.folded}
        asked = [sum(screen.on(q) and q.block not in folded for q in proforma.in_section(s.id)) for s in first]
        assert sum(asked) >= coming.ENOUGH > sum(asked[:-1])
        assert len(page.find_class("q")) == sum(asked)


def test_whoever_has_no_scripts_or_asks_for_it_gets_the_whole_page(service: Service, scripted: Visitor) -> None:
    talk = service.begin()
    for page in (
        parsed(service.visitor("nurse"), f"/consultations/{talk}"),
        parsed(scripted, f"/consultations/{talk}?whole=yes"),
    ):
        assert list(waiting(page)) == []
        assert len(page.find_class("part")) == len(service.instance.library.current.proforma.sections) + 1
    first = parsed(scripted, f"/consultations/{talk}")
    assert f"/consultations/{talk}?whole=yes" in [a.get("href") for place in waiting(first) for a in place.iter("a")]


def test_behind_a_tls_proxy_only_a_cookie_of_this_host_says_that_scripts_run(service: Service) -> None:
    talk, base, nurse = service.begin(), "https://localhost", service.visitor("nurse")
    session = nurse.client.get_cookie("consult_session")
    assert session is not None
    service.instance.behind_tls = True
    client = create_app(service.instance).test_client()
    client.set_cookie(f"{OF_THIS_HOST}consult_session", session.value, domain="localhost", secure=True)
    client.set_cookie(coming.SCRIPTS, "run", domain="localhost")
    assert "part--coming" not in client.get(f"/consultations/{talk}", base_url=base).text
    client.set_cookie(f"{OF_THIS_HOST}{coming.SCRIPTS}", "run", domain="localhost", secure=True)
    assert "part--coming" in client.get(f"/consultations/{talk}", base_url=base).text


def test_the_rest_of_a_consultation_that_has_ended_leads_to_its_record(service: Service, scripted: Visitor) -> None:
    talk = service.begin()
    address = address_of_rest(parsed(scripted, f"/consultations/{talk}"))
    scripted.post(f"/consultations/{talk}/abandon", {"reason": "employee_left", "key": f"left-{talk}"})
    assert service.consultation(talk).state != "open"
    reply = scripted.ask(address)
    assert (reply.status_code, reply.headers["Location"]) == (302, f"/consultations/{talk}")


def test_a_section_that_is_not_in_the_proforma_is_not_found(service: Service, scripted: Visitor) -> None:
    assert scripted.ask(f"/consultations/{service.begin()}/coming/nothing").status_code == 404


def test_what_leads_to_a_place_on_the_screen_leads_to_the_whole_of_it(service: Service, scripted: Visitor) -> None:
    """The place is there at once then, and nothing moves under the eye of whoever comes back to it."""
    talk = service.begin()
    form = {"language": "en", "key": f"discussed-{talk}"[:40]}
    reply = scripted.post(f"/consultations/{talk}/leaflets/back-pain-core/discussed", form)
    address, _, anchor = reply.headers["Location"].partition("#")
    assert parsed(scripted, address).get_element_by_id(anchor) is not None
