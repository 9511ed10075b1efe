"""What the screens weigh on the wire, as the browser counts it: heads and bodies, and nothing else asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from service import PASSWORD, SIGN_IN_NAMES, Service
from watching import Visit, Watch

from consult.record import settings

pytestmark = pytest.mark.browser
KB = 1024
FIRST_LOAD, REQUESTS, LATER, ANSWER = 50 * KB, 5, 4 * KB, 1 * KB
LATER_PAGES = ("/report", "/letter", "leaflets", "follow-up", "employees", "tour")
SIGN = "/sign"
"""With all that is not recorded yet; as in a service in use, as the demonstration says on each page what it is."""
REST, COMING = 22 * KB, "/coming/"
"""What comes by itself once a consultation can be used: the questions below the first screen, and the papers."""


@dataclass
class Wire:
    """What went over the wire: each request, and the bytes that came back."""

    asked: dict[str, str] = field(default_factory=dict)
    """The addresses, by the id of the request."""
    bytes: dict[str, int] = field(default_factory=dict)
    later: int = 0

    @property
    def total(self) -> int:
        """All but what comes once the page can be used."""
        return sum(self.bytes.values())

    def set_apart(self) -> None:
        """Count by itself what comes once the page can be used."""
        for request in [one for one, address in self.asked.items() if COMING in address]:
            del self.asked[request]
            self.later += self.bytes.pop(request)


@contextmanager
def counted(watch: Watch, page: Page) -> Iterator[Wire]:
    """All that a page asks of the network meanwhile."""
    wire, hosts = Wire(), dict[str, str]()

    def sent(event: dict[str, Any]) -> None:
        wire.asked[event["requestId"]] = event["request"]["url"]
        hosts[event["requestId"]] = urlsplit(event["request"]["url"]).netloc

    def came(event: dict[str, Any]) -> None:
        wire.bytes[event["requestId"]] = int(event["encodedDataLength"])

    cdp = watch.context.new_cdp_session(page)
    cdp.on("Network.requestWillBeSent", sent)
    cdp.on("Network.loadingFinished", came)
    cdp.send("Network.enable")
    yield wire
    page.wait_for_load_state("networkidle")
    cdp.detach()
    wire.set_apart()
    assert set(hosts.values()) == {urlsplit(watch.address).netloc}


def heaviest(wire: Wire) -> int:
    """The bytes of the page itself, beside which a small script may come."""
    return max(wire.bytes.values())


def sign_in(page: Page) -> None:
    page.get_by_label("Sign-in name").fill(SIGN_IN_NAMES["nurse"])
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Consultations", exact=False).first).to_be_visible()


def test_first_loads_and_later_pages_and_an_answer_weigh_what_they_may(
    service: Service, visit: Visit, capsys: pytest.CaptureFixture[str]
) -> None:
    watch, consultation = visit(), service.begin()
    page = watch.page()
    found: dict[str, Wire] = {}
    with counted(watch, page) as found["the sign-in page, nothing cached"]:
        page.goto("/sign-in")
    with counted(watch, page) as found["the start page after it"]:
        sign_in(page)
    with counted(watch, page) as found["the consultation after it"]:
        page.goto(f"/consultations/{consultation}")
    with counted(watch, page) as found["one answer"]:
        page.locator('label[for="a.harm_belief.absent"]').click()
        expect(page.locator("#state-harm_belief .q__saved")).to_be_visible()
    for path in LATER_PAGES:
        with counted(watch, page) as found[path]:
            page.goto(f"/consultations/{consultation}{path}" if path.startswith("/") else f"/{path}")
    with service.instance.db.write() as conn:
        settings.change_setting(conn, "demonstration", False, "test", service.instance.store.at())
    del service.instance.demonstration  # looked up once in a process: as after the next start
    with counted(watch, page) as found[SIGN]:
        page.goto(f"/consultations/{consultation}{SIGN}")
    alone = visit("nurse")
    page = alone.page()
    with counted(alone, page) as found["the consultation, nothing cached"]:
        page.goto(f"/consultations/{consultation}")
    with capsys.disabled():
        for name, wire in found.items():
            later = f"; then by itself {wire.later:,}" if wire.later else ""
            print(f"\n{name}: {wire.total:,} bytes, {len(wire.asked)} requests{later}", end="")
    one = found["one answer"]
    assert (len(one.asked), one.total <= ANSWER) == (1, True), one
    consultations = ("the consultation after it", "the consultation, nothing cached")
    for name in ("the sign-in page, nothing cached", *consultations):
        assert found[name].total <= FIRST_LOAD, found[name]
        assert len(found[name].asked) <= REQUESTS, found[name]
    assert [0 < found[name].later <= REST for name in consultations] == [True, True]
    assert {path: n for path in (*LATER_PAGES, SIGN) if (n := heaviest(found[path])) > LATER} == {}
