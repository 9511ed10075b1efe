"""A page without what its soundness cannot hang on: what is left is quicker to parse, and many pages leave the same.

Only what is plainly written is taken away: words of a text, and attributes in quotation marks that say nothing of how
a page hangs together. Whatever is not plain stays as it is, and so does a page in which a tag cannot be told from text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

PLAIN = (
    r"(?:[^\s<>&\"'\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U0001fffe-\U0010ffff]"
    r"|&(?:amp|lt|gt|quot|#39|#34);)"
)
"""A character that means nothing but itself, anywhere in a page."""
WORDS = re.compile(rf"(?:{PLAIN}|[\"'])+(?:\s+(?:{PLAIN}|[\"'])+)*")
VALUE = re.compile(rf"(?:{PLAIN}|[\"'\s])*")
ANY_TAG = r"""<[^<>"']*(?:(?:"[^"<]*"|'[^'<]*')[^<>"']*)*>"""
BEGINS_WITH_A_TAG = re.compile(ANY_TAG)
PARTS = re.compile(f"({ANY_TAG})")
TAG = re.compile(r"""<([a-z][a-z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9-]*(?:="[^"<]*"|='[^'<]*')?)*)\s*(/?)>""")
ATTRIBUTE = re.compile(r"""([a-zA-Z][a-zA-Z0-9-]*)((?:="[^"<]*"|='[^'<]*')?)""")
UNCLEAR = re.compile(
    r"<!--|<(?:script|style|title|textarea|xmp|iframe|noembed|noframes|plaintext)\b[^<>]*>[^<]*<(?!/)", re.IGNORECASE
)
"""A comment, or a text whose tags are none: where these end is told otherwise than by the tags."""
AS_IT_IS = ("html", "svg", "math", "font")
NAMES = ("id", "for", "aria-labelledby", "aria-describedby", "form")
"""Attributes by which elements find each other: equal names stay equal, and others stay others."""
PLACE = "\0"
SAYING = ("aria-label", "label", "autocomplete")
"""Attributes of which it matters whether they say anything."""
MATTERS = (*NAMES, *SAYING, "type", "method", "style", "charset")
AGAIN = re.compile(r"(<(option|li|td|th|dd|dt|span|strong)>x</\2>\s*)\1+")
ROWS = re.compile(r"(<tr>(?:<t[dh]>x</t[dh]>)+</tr>\s*)\1+")


NAMED = re.compile(r' (?:id|for|aria-labelledby|aria-describedby|form)="n\d+(?: n\d+)*"')
OPENS_OR_ENDS = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
HOLDS_NOTHING = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
FLOW = (
    *("body", "main", "nav", "header", "footer", "section", "aside", "div", "form", "fieldset", "details", "figure"),
    *("p", "span", "ul", "ol", "li", "dl", "dd", "td", "th", "h1", "h2", "h3"),
)
"""Elements in which what comes next is read alike, whatever was closed before it: not so in a table or a head."""
SMALL = 60
"""What is no longer is parsed sooner than known again."""
TOGETHER = (1, 2, 3, 4, 5, 6)
"""How many that follow each other may come again as they are, such as a term and what it means."""


@lru_cache(maxsize=100_000)
def _tag(tag: str) -> tuple[str, tuple[str, ...]]:
    """A tag without what does not matter, with a place for each name in it, and these names."""
    found = TAG.fullmatch(tag)
    if found is None:
        return tag, ()
    attributes = [_attribute(name, written) for name, written in ATTRIBUTE.findall(found[2])]
    if len({name for name, *_ in attributes}) < len(attributes) or "http-equiv" in tag:
        return tag, ()
    kept = [left or (as_written if found[1] in AS_IT_IS else "") for _, as_written, left, _ in attributes]
    names = tuple([name for *_, of_it in attributes for name in of_it])
    return f"<{found[1]}{' '.join(['', *filter(None, kept)])}{found[3]}>", names


@lru_cache(maxsize=100_000)
def _attribute(name: str, written: str) -> tuple[str, str, str, tuple[str, ...]]:
    """An attribute: what it is called, as it is written, what is left of it, and the names in it."""
    called, value = name.lower(), written[2:-1]
    plain = VALUE.fullmatch(value) is not None and value.strip() != ""
    if called in NAMES and plain:
        of_it = tuple(value.split())
        return called, name + written, f'{called}="{" ".join(PLACE * len(of_it))}"', of_it
    if called in SAYING and plain:
        return called, name + written, f'{called}="x"', ()
    return called, name + written, name + written if _matters(called, value) else "", ()


def _matters(name: str, value: str) -> bool:
    return name in MATTERS or name.startswith("on") or value == "csrf_token" or not VALUE.fullmatch(value)


@lru_cache(maxsize=100_000)
def _words(text: str) -> str:
    return WORDS.sub("x", text)


@lru_cache(maxsize=100_000)
def _piece(piece: str) -> tuple[str, tuple[str, ...]] | None:
    """What is left of a tag and the text behind it, given without its "<", and its names; None where that is no tag."""
    found = BEGINS_WITH_A_TAG.match(whole := f"<{piece}")
    if found is None:
        return None
    left, names = _tag(found[0])
    return left + _words(whole[found.end() :]), names


def _filled(left: str, names: tuple[str, ...], seen: dict[str, str]) -> str:
    """A tag with its names by the order in which they came."""
    for name in names:
        left = left.replace(PLACE, seen.get(name) or seen.setdefault(name, f"n{len(seen)}"), 1)
    return left


@lru_cache(maxsize=16)
def bare(text: str) -> str:
    """The page, or these pieces, without what does not matter: at fault where they are."""
    first, *others = text.split("<")
    pieces = [*map(_piece, others)]
    if PLACE in text or None in pieces or UNCLEAR.search(text):
        return text
    seen: dict[str, str] = {}
    parts = [_filled(left, names, seen) if names else left for left, names in filter(None, pieces)]
    return ROWS.sub(r"\1", AGAIN.sub(r"\1", "".join([_words(first), *parts])))


def outline(left: str, known: Callable[[bytes], bool] = lambda _: False) -> tuple[str, list[bytes]]:
    """What is left of a page without names, without what is known, and of equals that follow each other the first: its
    HTML is as sound. Also the marks by which each of its elements would be known in the same place of another page.

    After an element that is closed and without fault a parser stands where it stood before; an equal one adds nothing,
    nor does one that was found sound in the same elements before. A page whose elements do not plainly lie in each
    other stays as it is.
    """
    parts = PARTS.split(NAMED.sub("", left))
    if UNCLEAR.search(left) or "<" in "".join(parts[::2]):
        return left, []
    here, around, marks = _Element(), list[_Element](), list[bytes]()
    for at, part in enumerate(parts):
        name, ends = _opens_or_ends(part) if at % 2 else ("", False)
        if not name:
            here.put(part, part)
        elif not ends:
            around.append(here)
            here = _Element(name, f"{here.within} {name}", [part], [part])
        elif name != here.name:
            return left, []
        else:
            here = around.pop().take_in(here, part, known, marks)
    return (left, []) if around else ("".join(here.new), marks)


@dataclass(slots=True)
class _Element:
    """An open element: its name with those around it, what it holds, and what is new of that."""

    name: str = ""
    within: str = ""
    held: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)

    def put(self, part: str, new: str) -> None:
        """Add a part, unless it ends what stands there already."""
        if not part:
            return
        (held := self.held).append(part)
        self.new.append(new)
        for n in TOGETHER:
            if len(held) < 2 * n:
                return
            if held[-1 - n] == part and held[-n:] == held[-2 * n : -n]:
                del held[-n:], self.new[-n:]
                return

    def take_in(self, ended: _Element, end: str, known: Callable[[bytes], bool], marks: list[bytes]) -> _Element:
        """Add an element that has ended."""
        whole, new = "".join(ended.held) + end, "".join(ended.new) + end
        if self.name in FLOW and len(whole) > SMALL:
            mark = hashlib.sha256(f"{ended.within}{PLACE}{whole}".encode(errors="surrogatepass")).digest()
            if known(mark):
                new = ""
            else:
                marks.append(mark)
        self.put(whole, new)
        return self


@lru_cache(maxsize=10_000)
def _opens_or_ends(tag: str) -> tuple[str, bool]:
    """The name of the element that a tag opens or ends, and whether it ends it; "" where it does neither."""
    found = OPENS_OR_ENDS.match(tag)
    if found is None or (not found[1] and (found[2] in HOLDS_NOTHING or tag.endswith("/>"))):
        return "", False
    return found[2], bool(found[1])
