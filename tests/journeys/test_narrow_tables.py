"""Tables of words stand one line below the other on a narrow screen; nothing of them has to be pushed sideways."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page
from watching import Visit

pytestmark = pytest.mark.browser
WIDER = """() => {
  document.querySelectorAll('details').forEach(one => { one.open = true; });
  return [...document.querySelectorAll('.scroll')].filter(s => s.scrollWidth > s.clientWidth + 1).map(s => s.ariaLabel);
}"""
PAGES = {
    "audit_lead": ["/organisation", "/results/published", "/capture-quality", "/rounds/new", "/leaflets"],
    "administrator": ["/settings", "/settings/people", "/paper", "/leaflets"],
    "nurse": ["/capture-quality", "/entry", "/paper"],
}


@pytest.mark.parametrize(("role", "path"), [(role, path) for role, paths in PAGES.items() for path in paths])
def test_no_table_of_words_is_wider_than_a_narrow_screen(visit: Visit, role: str, path: str) -> None:
    page = visit(role, width=320).page()
    page.goto(path)
    assert page.evaluate(WIDER) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_labels_of_one_form_are_of_one_size(visit: Visit) -> None:
    page = visit("nurse").page()
    page.goto("/employees/new")
    sizes = {size_of(page, words) for words in ("Full name", "Date of birth", "Local number, if there is one")}
    assert len(sizes) == 1


def size_of(page: Page, words: str) -> str:
    return str(page.get_by_text(words, exact=True).first.evaluate("e => getComputedStyle(e).fontSize"))
