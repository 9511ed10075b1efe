"""A page without what its soundness cannot hang on: what is left is quicker to parse, and many pages leave the same.

Only what is plainly written is taken away: words of a text, and attributes in quotation marks that say nothing of how
a page hangs together. Whatever is not plain stays as it is, and so does a page in which a tag cannot be told from text.
"""

from __future__ import annotations

import re
from functools import lru_cache

PLAIN = (
    r"(?:[^\s<>&\"'\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U0001fffe-\U0010ffff]"
    r"|&(?:amp|lt|gt|quot|#39|#34);)"
)
"""A character that means nothing but itself, anywhere in a page."""
WORDS = re.compile(rf"(?:{PLAIN}|[\"'])+(?:\s+(?:{PLAIN}|[\"'])+)*")
VALUE = re.compile(rf"(?:{PLAIN}|[\"'\s])*")
PARTS = re.compile(r"""(<[^<>"']*(?:(?:"[^"<]*"|'[^'<]*')[^<>"']*)*>)""")
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
TOGETHER = (1, 2, 3, 4, 5, 6)
"""How many that follow each other may come again as they are, such as a term and what it means."""


@lru_cache(maxsize=100_000)
def _tag(tag: str) -> tuple[str, tuple[str, ...]]:
    """A tag without what does not matter, with a place for each name in it, and these names."""
    found = TAG.fullmatch(tag)
    if found is None:
        return tag, ()
    attributes = [(name.lower(), name, written) for name, written in ATTRIBUTE.findall(found[2])]
    if len({name for name, *_ in attributes}) < len(attributes) or "http-equiv" in tag:
        return tag, ()
    kept, names = [""], list[str]()
    for name, as_written, written in attributes:
        value = written[2:-1]
        plain = VALUE.fullmatch(value) is not None and value.strip() != ""
        if name in NAMES and plain:
            names += (of_it := value.split())
            kept.append(f'{name}="{" ".join(PLACE * len(of_it))}"')
        elif name in SAYING and plain:
            kept.append(f'{name}="x"')
        elif found[1] in AS_IT_IS or _matters(name, value):
            kept.append(as_written + written)
    return f"<{found[1]}{' '.join(kept)}{found[3]}>", tuple(names)


def _matters(name: str, value: str) -> bool:
    return name in MATTERS or name.startswith("on") or value == "csrf_token" or not VALUE.fullmatch(value)


@lru_cache(maxsize=100_000)
def _words(text: str) -> str:
    return WORDS.sub("x", text)


def _filled(left: str, names: tuple[str, ...], seen: dict[str, str]) -> str:
    """A tag with its names by the order in which they came."""
    for name in names:
        left = left.replace(PLACE, seen.setdefault(name, f"n{len(seen)}"), 1)
    return left


@lru_cache(maxsize=16)
def bare(text: str) -> str:
    """The page, or these pieces, without what does not matter: at fault where they are."""
    parts = PARTS.split(text)
    tags, texts = parts[1::2], parts[::2]
    if PLACE in text or "<" in "".join(texts) or UNCLEAR.search(text):
        return text
    seen: dict[str, str] = {}
    parts[1::2] = [_filled(left, names, seen) if names else left for left, names in map(_tag, tags)]
    parts[::2] = map(_words, texts)
    return ROWS.sub(r"\1", AGAIN.sub(r"\1", "".join(parts)))


def outline(left: str) -> str:
    """What is left of a page without names, and of equals that follow each other the first: its HTML is as sound.

    After an element that is closed and without fault a parser stands where it stood before; an equal one adds nothing.
    A page whose elements do not plainly lie in each other stays as it is.
    """
    parts = PARTS.split(NAMED.sub("", left))
    if UNCLEAR.search(left) or "<" in "".join(parts[::2]):
        return left
    inside: list[tuple[str, list[str]]] = [("", [])]
    for at, part in enumerate(parts):
        tag = OPENS_OR_ENDS.match(part) if at % 2 else None
        if tag is None or (not tag[1] and (tag[2] in HOLDS_NOTHING or part.endswith("/>"))):
            _put(inside[-1][1], part)
        elif not tag[1]:
            inside.append((tag[2], [part]))
        else:
            name, held = inside.pop()
            if name != tag[2]:
                return left
            _put(inside[-1][1], "".join(held) + part)
    return "".join(inside[0][1]) if len(inside) == 1 else left


def _put(held: list[str], part: str) -> None:
    """Add a part, unless it ends what stands there already."""
    if part:
        held.append(part)
    for n in TOGETHER:
        if held[-n:] == held[-2 * n : -n]:
            del held[-n:]
            return
