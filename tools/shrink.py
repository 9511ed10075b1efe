"""Maintainers' script: writes consult/static/nhsuk.css, the rules of the vendored stylesheet that pages can use.

`python3 tools/shrink.py`, after vendoring anew or where a page uses a class for the first time; a test says so. A rule
is left out only where it can match nothing: each of its selectors names a class that stands nowhere in the product, or
it sets a custom property that nothing reads. What is kept is as it was vendored.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from vendor import ROOT, VENDOR, blocks, split_selectors

FROM = VENDOR / "nhsuk.css"
TO = ROOT / "consult" / "static" / "nhsuk.css"
NAME = re.compile(r"[\w-]+")
CLASS = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")
INSIDE_NOT = re.compile(r":not\((?:[^()]|\([^()]*\))*\)")
PROPERTY = re.compile(r"(?<=[{;])(--[\w-]+)\s*:[^;}]*;?")


def words() -> set[str]:
    """Every word that stands in a page, a script or the code: a class in use is one of them."""
    package = ROOT / "consult"
    files = [*package.rglob("templates/**/*.html"), *package.glob("static/*.js"), *package.rglob("*.py")]
    return {word for file in files for word in NAME.findall(file.read_text("utf-8"))}


def can_match(selector: str, known: set[str]) -> bool:
    """Whether something in the product can match a selector; a word that ends in "--" begins a class put together."""
    begun = tuple(word for word in known if word.startswith("nhsuk-") and word.endswith("-"))
    return all(c in known or c.startswith(begun) for c in CLASS.findall(INSIDE_NOT.sub("", selector)))


def kept(css: str, known: set[str]) -> Iterator[str]:
    """The rules of a stylesheet that can match."""
    for prelude, body in blocks(css):
        if prelude.startswith(("@media", "@supports")):
            if inside := "".join(kept(body, known)):
                yield f"{prelude}{{{inside}}}"
        elif prelude.startswith("@"):
            yield f"{prelude}{{{body}}}"
        elif selectors := [s for s in split_selectors(prelude) if can_match(s, known)]:
            yield f"{','.join(selectors)}{{{body}}}"


def without_unread(css: str, others: list[str]) -> str:
    """A stylesheet without the custom properties that neither it nor another one reads."""
    read = set(re.findall(r"var\(\s*(--[\w-]+)", " ".join([css, *others])))
    left = re.sub(r":root\{\}", "", PROPERTY.sub(lambda m: m[0] if m[1] in read else "", css))
    return css if left == css else without_unread(left, others)


def shrunk() -> str:
    """The stylesheet as it should be."""
    notice, _, css = FROM.read_text("utf-8").partition("\n")
    others = [file.read_text("utf-8") for file in sorted(TO.parent.glob("*.css")) if file != TO]
    return f"{notice}\n{without_unread(''.join(kept(css.strip(), words())), others)}\n"


if __name__ == "__main__":
    TO.write_text(shrunk(), encoding="utf-8")
    print(f"{TO.relative_to(ROOT)}: {len(FROM.read_bytes()):,} bytes became {len(TO.read_bytes()):,}")
