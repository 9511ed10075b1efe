"""A page that no area of the head opens leads back to the one that it was opened from."""

from __future__ import annotations

import pytest
from visiting import Service, Visitor

BACK = (
    ("nurse", "/capture-quality", "/"),
    ("audit_lead", "/capture-quality", "/rounds"),
    ("nurse", "/incidents", "/"),
    ("audit_lead", "/incidents", "/rounds"),
    ("administrator", "/incidents", "/settings"),
    ("nurse", "/paper", "/leaflets"),
    ("audit_lead", "/reading-needs", "/rounds"),
    ("administrator", "/reading-needs", "/settings"),
    ("nurse", "/settings/content", "/leaflets"),
    ("administrator", "/settings/content", "/settings"),
)


@pytest.mark.parametrize(("role", "path", "above"), BACK)
def test_the_first_link_of_the_page_leads_back(shared: Service, role: str, path: str, above: str) -> None:
    visitor: Visitor = shared.visitor(role)
    main = next(visitor.get(path).iter("main"))
    assert next(main.iter("a")).get("href") == above
    visitor.get(above)


def test_the_baseline_names_no_command_of_an_administrator(shared: Service) -> None:
    for role in ("nurse", "audit_lead"):
        assert "consult cases import" not in shared.visitor(role).ask("/entry").text
