"""The QR code on a printed leaflet: to the very text that was printed, on this server; it holds nothing personal."""

from __future__ import annotations

import base64
from functools import lru_cache
from io import BytesIO
from typing import Final
from urllib.parse import urlsplit

import segno

from consult.documents.pdf import Code

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
WORDS: Final = "The same text on a telephone or computer:"


@lru_cache(maxsize=256)
def code_for(address: str) -> Code | None:
    """The code for an address; None for one that only this computer reaches, as a telephone would come to nothing."""
    if (urlsplit(address).hostname or "") in LOOPBACK:
        return None
    drawn = BytesIO()
    segno.make_qr(address, error="m").save(drawn, kind="svg", xmldecl=False, border=4, scale=4, light="white")
    return Code(drawn.getvalue().decode("utf-8"), address, f"{WORDS} {address}")


def as_image(code: Code) -> str:
    """The drawing as an address that holds it whole, for a page."""
    return f"data:image/svg+xml;base64,{base64.b64encode(code.svg.encode()).decode()}"
