"""Pages are sent compressed. How long one is then tells nobody what it holds: its head has a part of random length.

Whoever can both make a signed-in browser ask for pages that repeat a guess and watch the length of the replies could
otherwise find out, guess by guess, what stands in them (BREACH). The cookies of this product go with no request from
another site; this is for another service under the same domain.
"""

from __future__ import annotations

import gzip
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final

import brotli
from flask import Response, g, request
from msgspec import Struct
from werkzeug.http import parse_accept_header

SMALLEST: Final = 400
"""Bytes; what is shorter fits into one packet anyway."""
BROTLI, GZIP = 9, 6
"""How hard pages are pressed: harder takes them longer than it spares."""
LONG, LIGHTLY, LESS = 20_000, 3, 5
"""Bytes from which a page is pressed lightly: it takes less than half as long, which whoever waits for a screen full of
questions gains, and leaves an eighth more, which comes to little beside the scripts. What is `unhurried`, as it comes
by itself while somebody is at the first questions, is pressed less lightly: over a slow link the bytes count."""
WINDOW: Final = 16
"""How far back brotli looks for repetitions, as a power of two of bytes. With its own 22 it makes a megabyte ready each
time, which took ten times as long as pressing an answer takes; the long page of the consultation gets 2 of 100 smaller
with 18, which takes a fifth longer and four times the memory."""
SHORT: Final = 8000
"""Bytes up to which gzip does, which makes nothing ready: an answer takes a sixth of the time that it takes brotli."""
SMALLEST_WINDOW, SMALL_MEMORY = 9, 5
"""In what is short gzip looks as far back as that is long, as a power of two, and makes little ready for it. With its
own 15 and 8 it clears a quarter of a megabyte first, which took three times as long as pressing an answer does."""
LONGEST_CHANCE: Final = 48
CHANCE: Final = "X-Chance"
KINDS: Final = ("text/", "application/json", "application/fhir+json", "image/svg+xml")
Pack = Callable[[bytes], bytes]
PackPage = Callable[[bytes, bool], bytes]
PackParts = Callable[[Iterable[bytes]], Iterator[bytes]]


def _brotli_page(body: bytes, hurried: bool) -> bytes:
    how = BROTLI if len(body) <= LONG else LIGHTLY if hurried else LESS
    return bytes(brotli.compress(body, quality=how, lgwin=WINDOW))


def _brotli_parts(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = brotli.Compressor(quality=LESS, lgwin=WINDOW)
    for part in parts:
        yield packer.process(part) + packer.flush()
    yield packer.finish()


def _gzip_page(body: bytes, _hurried: bool) -> bytes:
    if len(body) > SHORT:
        return zlib.compress(body, GZIP, 16 + zlib.MAX_WBITS)
    window = max(SMALLEST_WINDOW, len(body).bit_length())
    packer = zlib.compressobj(GZIP, wbits=16 + window, memLevel=SMALL_MEMORY)
    return packer.compress(body) + packer.flush()


def _gzip_parts(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(GZIP, wbits=16 + zlib.MAX_WBITS)
    for part in parts:
        yield packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()


class Coding(Struct, frozen=True):
    """A way of compressing: a page at once, one that comes in parts, and, as small as it gets, what is kept."""

    name: str
    page: PackPage
    parts: PackParts
    kept: Pack


CODINGS: Final = (
    Coding("br", _brotli_page, _brotli_parts, brotli.compress),
    Coding("gzip", _gzip_page, _gzip_parts, gzip.compress),
)
"""The best first; browsers take brotli over TLS and from this machine only."""


def coding(short: bool = False) -> Coding | None:
    """How the browser that asks can take what is sent; None for as it is."""
    taken = _taken(request.headers.get("Accept-Encoding", ""))
    return next(reversed(taken) if short else iter(taken), None)


@lru_cache(maxsize=16)
def _taken(accepted: str) -> tuple[Coding, ...]:
    """What a browser takes that says so: the words are read once, as each browser says the same all day."""
    how_gladly = parse_accept_header(accepted)
    return tuple(one for one in CODINGS if how_gladly[one.name] > 0)


def compressed(response: Response) -> Response:
    """The response, compressed where that is worth it and the browser can take it."""
    if not _may_be(response):
        return response
    if "Vary" in response.headers:
        response.vary.add("Accept-Encoding")
    else:
        response.headers["Vary"] = "Accept-Encoding"
    body = None if response.is_streamed else response.get_data()
    length = None if body is None else len(body)
    way = coding(short=length is not None and length <= SHORT)
    if way is None or (length is not None and length < SMALLEST):
        return response
    if body is None:
        response.response = way.parts(response.iter_encoded())
    else:
        response.set_data(way.page(body, not g.get("unhurried")))
    response.headers["Content-Encoding"] = way.name
    response.headers[CHANCE] = "a" * secrets.randbelow(LONGEST_CHANCE)
    return response


def _may_be(response: Response) -> bool:
    held = response.status_code not in (204, 304) and "Content-Encoding" not in response.headers
    return held and not response.direct_passthrough and str(response.mimetype).startswith(KINDS)
