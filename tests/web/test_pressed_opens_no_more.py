"""A press at the top of a page draws the page again: it opens no page that its sender could not look at."""

from __future__ import annotations

import pytest
from visiting import PEOPLE, Service, Visitor

PRESSED = {"pressed": "press=low-light"}


def pages_of(service: Service) -> list[str]:
    """The addresses of all pages that name nothing, such as one consultation."""
    rules = service.app.url_map.iter_rules()
    return [rule.rule for rule in rules if "GET" in (rule.methods or ()) and not rule.arguments]


def press(visitor: Visitor, address: str, **headers: str) -> int:
    return visitor.client.post(address, data=PRESSED, headers=headers).status_code


@pytest.mark.parametrize("role", sorted(PEOPLE))
def test_each_role_gets_the_pages_that_it_may_look_at_and_no_other(service: Service, role: str) -> None:
    visitor, addresses = service.visitor(role), pages_of(service)
    token = visitor.csrf()
    opened = {at for at in addresses if press(visitor, at, **{"X-CSRFToken": token}) == 200}
    looked_at = {at for at in addresses if visitor.client.get(at).status_code == 200}
    assert opened
    assert opened <= looked_at


def test_nothing_is_drawn_for_another_site_or_without_the_token(service: Service) -> None:
    lead = service.visitor("audit_lead")
    token = lead.csrf()
    assert press(lead, "/results", **{"X-CSRFToken": token}) == 200
    assert press(lead, "/results") == 400
    assert press(lead, "/results", **{"X-CSRFToken": token, "Sec-Fetch-Site": "cross-site"}) == 403
