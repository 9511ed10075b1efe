"""Unused space of the database file: this program has deleted content overwritten with zeros, so a bit there is damage.

SQLite's own check does not look there. What it leaves behind itself when it moves content about (pointers at the
beginning of a gap, the end of an entry) is always more than one bit or stands at the edges; so a page counts only
where one bit alone is set, away from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from consult.record import cipher

TREE_PAGES: Final = {2: 12, 5: 12, 10: 8, 13: 8}
"""The kinds of page that say where they are unused, with the length of what stands at their beginning."""
EDGE: Final = 8
FILE_HEADER: Final = 100


def flipped(file: Path) -> list[int]:
    """The numbers of the pages of a database file in whose unused space a single bit is set.

    None where it is encrypted: there a code seals each page, unused space and all.
    """
    found: list[int] = []
    with file.open("rb") as stream:
        head = stream.read(FILE_HEADER)
        if not head.startswith(cipher.PLAIN):
            return found
        size = int.from_bytes(head[16:18], "big")
        size = 65536 if size == 1 else size
        stream.seek(0)
        number = 0
        while size >= 512 and len(page := stream.read(size)) == size:
            number += 1
            parts = list(_unused(page, number))
            if _bits(parts) == 1 == _bits([part[EDGE:-EDGE] for part in parts[:1]] + parts[1:]):
                found.append(number)
    return found


def _bits(parts: list[bytes]) -> int:
    return sum(int.from_bytes(part, "big").bit_count() for part in parts)


def _unused(page: bytes, number: int) -> Iterator[bytes]:
    """The parts of a page that hold nothing: the gap before its entries, then what was freed between them."""
    at = FILE_HEADER if number == 1 else 0
    if page[at] not in TREE_PAGES:
        return
    freed, entries, content = (int.from_bytes(page[at + n : at + n + 2], "big") for n in (1, 3, 5))
    yield page[at + TREE_PAGES[page[at]] + 2 * entries : content]
    while 0 < freed <= len(page) - 4:
        following, length = (int.from_bytes(page[freed + n : freed + n + 2], "big") for n in (0, 2))
        yield page[freed + 4 : freed + length]
        freed = following if following > freed else 0


def sentence(page: int) -> str:
    """What a flipped bit means, and what to do."""
    return (
        f"A bit is set in the unused space of page {page} of the database: nothing recorded is touched, but the disk "
        "or memory of this machine may be failing; have it looked at, then run `consult rebuild`."
    )
