"""One server a module; each test gets its own browser context, watched for complaints."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from service import Service
from watching import Visit, Watch

DESK = {"width": 1366, "height": 768}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("service") / "instance")
    yield running
    running.close()


@pytest.fixture(scope="module")
def open_visit(service: Service, browser: Browser) -> Visit:
    """A new browser context, signed in if a role is given."""

    def visit(role: str = "", scripted: bool = True, width: int = DESK["width"]) -> Watch:
        viewport = {"width": width, "height": DESK["height"]}
        context = browser.new_context(
            viewport=viewport, java_script_enabled=scripted, base_url=service.address, locale="en-GB"
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        if role:
            cookie = {"name": "consult_session", "value": service.token(role), "url": service.address}
            context.add_cookies([cookie])
        if role and scripted:  # as after the start page, where somebody who signs in comes first
            context.add_cookies([{"name": "scripts", "value": "run", "url": service.address}])
        return Watch(context, service.address)

    return visit


@pytest.fixture
def visit(open_visit: Visit) -> Iterator[Visit]:
    """The same for one test: closed at its end, and there must have been nothing to complain of."""
    opened: list[Watch] = []

    def one(*args: object, **kwargs: object) -> Watch:
        opened.append(open_visit(*args, **kwargs))
        return opened[-1]

    yield one
    for watch in opened:
        watch.context.close()
    complaints = [complaint for watch in opened for complaint in watch.complaints]
    assert not complaints, "\n".join(complaints)
