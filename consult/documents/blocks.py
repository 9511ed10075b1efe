"""A plain text paper as blocks: one text for the page, for print and for PDF, and back again byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal

from msgspec import Struct

Kind = Literal["title", "heading", "paragraph", "list"]
_MARKS: dict[Kind, str] = {"title": "# ", "heading": "## ", "list": "- ", "paragraph": ""}


class Block(Struct, frozen=True):
    """A title, a heading or a paragraph of one line, or a list with one line an item."""

    kind: Kind
    lines: tuple[str, ...]


def blocks(text: str) -> list[Block]:
    """The blocks of a text whose lines begin with #, ## or - where they are not paragraphs."""
    found: list[Block] = []
    for kind, group in groupby(map(_kind, text.removesuffix("\n").split("\n")), key=lambda pair: pair[0]):
        lines = tuple(line for _, line in group)
        found += [Block(kind, lines)] if kind == "list" else [Block(kind, (line,)) for line in lines]
    return found


def text_of(found: Iterable[Block]) -> str:
    """The text that these blocks were made of."""
    return "".join(f"{line}\n" for block in found for line in _marked(block))


def _marked(block: Block) -> Iterator[str]:
    yield from (_MARKS[block.kind] + line for line in block.lines)


def _kind(line: str) -> tuple[Kind, str]:
    for kind in ("heading", "title", "list"):
        if line.startswith(_MARKS[kind]):
            return kind, line[len(_MARKS[kind]) :]
    return "paragraph", line
