"""The QR code on a printed leaflet: to the very text that was printed, on this server; it holds nothing personal."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Final
from urllib.parse import urlsplit

from consult.documents.pdf import Picture

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
WORDS: Final = "The same text on a telephone or computer:"


@lru_cache(maxsize=256)
def code_for(address: str) -> Picture | None:
    """The code for an address, with its words; None for one that only this computer reaches: it would lead nowhere."""
    if (urlsplit(address).hostname or "") in LOOPBACK:
        return None
    import segno  # only what is printed and a second factor need it

    drawn = BytesIO()
    segno.make_qr(address, error="m").save(drawn, kind="svg", xmldecl=False, border=4, scale=4, light="white")
    return Picture(drawn.getvalue().decode("utf-8"), f"{WORDS} {address}")


def drawn(text: str) -> str:
    """A code for any text as the address of a picture (data:), to be shown once and kept nowhere."""
    import segno  # as above

    return str(segno.make_qr(text, error="m").svg_data_uri(border=4, scale=5, light="white"))
