"""What the guides set in italics, as the words of a button, a link or a heading, stands on a page in the same words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
NAMED = re.compile(r"(?<![*\w])\*(?!\s)([^*]{3,60}?)\*(?!\*)")
SHOWN = (("templates", "*.html"), ("static", "*.js"), ("web", "*.py"), ("documents", "*.py"))


def plain(text: str) -> str:
    return " ".join(text.split())


def shown() -> str:
    """The words of all pages, without their tags; and of the content, whose questions and leaflets they show."""
    files = [file for folder, kind in SHOWN for file in sorted((ROOT / "consult" / folder).rglob(kind))]
    content = [*(ROOT / "proformas").rglob("*.toml"), *(ROOT / "leaflets").rglob("*.md")]
    return plain(" ".join(re.sub(r"<[^>]+>", "", file.read_text("utf-8")) for file in [*files, *content]))


@pytest.mark.parametrize("guide", ["clinicians", "administrators", "downtime"])
def test_what_a_guide_names_stands_on_a_page(guide: str) -> None:
    text, words = CODE.sub("", (ROOT / "docs" / f"{guide}.md").read_text("utf-8")), shown()
    named = [plain(found) for found in NAMED.findall(text)]
    assert len(named) > 2
    assert [one for one in named if one.removesuffix(" ...") not in words] == []
