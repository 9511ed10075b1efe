"""Headings and buttons look alike wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[2] / "consult" / "templates"
BY_LEVEL = {"1": "nhsuk-heading-l", "2": "nhsuk-heading-m", "3": "nhsuk-heading-s"}
LAID_OUT = {
    "part__title": "the consultation",
    "block__title": "the consultation",
    "nhsuk-u-visually-hidden": "the consultation",
    "paper__name": "the consultation's papers",
    "ehead__title": "the entry of a case, which stays on one screen",
    "esec__title": "the entry of a case, which stays on one screen",
    "lock__title": "the lock, which lies over any page",
    "nhsuk-error-summary__title": "what was refused",
}
"""Headings of pieces that have a layout of their own."""
FOR_EMPLOYEES = "leaflet_shown.html"
"""Read by the employee from the screen, in letters of another size."""


def of_pages() -> Iterator[Path]:
    """The templates of what stands on a page of the tool: papers are set by themselves."""
    for path in sorted(TEMPLATES.rglob("*.html")):
        text = path.read_text("utf-8")
        if path.name == "base.html" or ("<html" not in text and path.name != FOR_EMPLOYEES):
            yield path


def test_every_heading_is_set_by_its_level() -> None:
    found = [
        (path.relative_to(TEMPLATES).as_posix(), level, words)
        for path in of_pages()
        for level, words in re.findall(r"<h([123])\b([^>]*)>", path.read_text("utf-8"))
        if BY_LEVEL[level] not in words and not any(name in words for name in LAID_OUT)
    ]
    assert found == []


def test_every_button_has_the_one_size() -> None:
    """The style gives it to the class; no other class may give another."""
    kinds = {"nhsuk-button", "nhsuk-button--secondary", "nhsuk-button--warning"}
    found = {
        (path.relative_to(TEMPLATES).as_posix(), name)
        for path in sorted(TEMPLATES.rglob("*.html"))
        for words in re.findall(r'class="(nhsuk-button[^"]*)"', path.read_text("utf-8"))
        for name in re.findall(r"[a-z][\w-]*button[\w-]*", words)
    }
    assert {(where, name) for where, name in found if name not in kinds} == set()
    assert len(found) > 50
