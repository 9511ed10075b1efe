"""Pages are sent compressed. How long one is then tells nobody what it holds: its head has a part of random length.

Whoever can both make a signed-in browser ask for pages that repeat a guess and watch the length of the replies could
otherwise find out, guess by guess, what stands in them (BREACH). The cookies of this product go with no request from
another site; this is for another service under the same domain.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from flask import Response, request

SMALLEST: Final = 400
"""Bytes; what is shorter fits into one packet anyway."""
LEVEL: Final = 6
LONGEST_CHANCE: Final = 64
KINDS: Final = ("text/", "application/json", "application/fhir+json", "image/svg+xml")
HEAD: Final = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"
"""Of gzip, with a name to follow: its length is the part of chance."""


def compressed(response: Response) -> Response:
    """The response, compressed where that is worth it and the browser can take it."""
    if not _may_be(response):
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] <= 0:
        return response
    if response.is_streamed:
        response.response = _pieces(response.iter_encoded(), zlib.Z_SYNC_FLUSH)
    else:
        body = response.get_data()
        if len(body) < SMALLEST:
            return response
        response.set_data(b"".join(_pieces([body], zlib.Z_NO_FLUSH)))
    response.headers["Content-Encoding"] = "gzip"
    return response


def _may_be(response: Response) -> bool:
    held = response.status_code not in (204, 304) and "Content-Encoding" not in response.headers
    return held and not response.direct_passthrough and str(response.mimetype).startswith(KINDS)


def _pieces(parts: Iterable[bytes], flush: int) -> Iterator[bytes]:
    """The parts as one gzip file; `flush` says whether each is sent as it comes."""
    yield HEAD + b"a" * secrets.randbelow(LONGEST_CHANCE) + b"\0"
    packer, check, length = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS), 0, 0
    for part in parts:
        check, length = zlib.crc32(part, check), length + len(part)
        yield packer.compress(part) + packer.flush(flush)
    yield packer.flush() + check.to_bytes(4, "little") + (length & 0xFFFFFFFF).to_bytes(4, "little")
