"""Style, scripts and the icon: joined, made smaller and compressed once, at addresses that name what they hold.

An address with a digest never changes what it holds, so that a browser asks for it once. Without the digest, as in a
page that was saved, the file is asked for anew each time.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from flask import Flask, Response, abort, request, url_for
from msgspec import Struct

from consult.web.sending import Coding, coding

NAMES: Final = {
    "pages.css": ("nhsuk.css", "consult.css"),
    "session.js": ("sheets.js", "session.js", "reach.js", "banner.js"),
    "entry.js": ("early.js", "entry.js"),
    "talk.js": ("vendor/htmx.min.js", "early.js", "steady.js", "consult.js", "coming.js"),
}
"""What pages ask for in one piece, and the files it is made of."""
LOOKS: Final = {"": "screen and (prefers-color-scheme: dark)", "low-light": "screen", "light": ""}
"""How somebody may have chosen to see pages, and the screens that the low-light rules are for then."""
WHOLE_LINE: Final = re.compile(r"^\s*(?://.*)?\n", re.MULTILINE)
AT_THE_END: Final = re.compile(r"[ \t]{2,}//.*$", re.MULTILINE)
INDENT: Final = re.compile(r"^[ \t]+", re.MULTILINE)
GOES_ON: Final = re.compile(r"(?<=[;{,])\n")
"""The end of a line after which JavaScript reads on in the same way without it."""
CSS_COMMENT: Final = re.compile(r"/\*.*?\*/\n?", re.DOTALL)
CSS_SPACE: Final = re.compile(r"""("[^"]*"|'[^']*')|\s*([{};])\s*|(:) +|\n+""")
"""Blanks that say nothing; a text between quotation marks is taken first, as its blanks are shown."""
KINDS: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
"""By the end of a name, whatever else the system may hold a file to be."""
FOR_EVER: Final = "public, max-age=31536000, immutable"


class File(Struct, frozen=True):
    """A file as it is sent."""

    body: bytes
    kind: str
    digest: str


@cache
def file(name: str) -> File | None:
    """The file of a name, made once; None if there is none."""
    if name not in _names():
        return None
    body = _joined(name).encode()
    return File(body, KINDS[name.rpartition(".")[2]], hashlib.sha256(body).hexdigest()[:10])


@cache
def packed(found: File, way: Coding) -> bytes:
    """A file as small as it gets, made once for each way of compressing."""
    return way.kept(found.body)


def style(look: str) -> str:
    """The name of the stylesheet for a look."""
    return f"pages{'-' if look else ''}{look}.css"


@cache
def _names() -> frozenset[str]:
    root = files("consult").joinpath("static")
    own = {f"{folder}{one.name}" for folder in ("", "vendor/") for one in root.joinpath(folder).iterdir()}
    return frozenset({name for name in own if name.rpartition(".")[2] in KINDS} | {*NAMES} | {*map(style, LOOKS)})


def _joined(name: str) -> str:
    for look, screens in LOOKS.items():
        if name == style(look):
            low_light = f"@media {screens} {{{_of('low-light.css')}}}" if screens else ""
            return "".join([*map(_of, NAMES["pages.css"]), low_light])
    return "\n".join(map(_of, NAMES[name])) if name in NAMES else _of(name)


def _of(name: str) -> str:
    """The text of one file, without what only its readers need; a vendored one as it is."""
    text = files("consult").joinpath("static", *name.split("/")).read_text("utf-8")
    if name.startswith("vendor/") or name.endswith(".svg"):
        return text
    if name.endswith(".js"):
        return GOES_ON.sub("", INDENT.sub("", AT_THE_END.sub("", WHOLE_LINE.sub("", text))))
    return CSS_SPACE.sub(lambda m: m[1] or m[2] or m[3] or "", CSS_COMMENT.sub("", text)).strip()


def register(app: Flask) -> None:
    """Serve the files of an application that has no static folder of its own."""
    app.add_url_rule("/static/<path:filename>", "static", static)
    app.url_defaults(_with_digest)


def _with_digest(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and "v" not in values and (found := file(values["filename"])) is not None:
        values["v"] = found.digest


def address(filename: str) -> str:
    """Where a page finds a file."""
    return _address(request.script_root, filename)


@lru_cache(maxsize=100)
def _address(_below: str, filename: str) -> str:
    return url_for("static", filename=filename)


def static(filename: str) -> Response:
    """One file, compressed if the browser can take it so."""
    found = file(filename)
    if found is None:
        abort(404)
    way = coding()
    response = Response(packed(found, way) if way else found.body, mimetype=found.kind)
    response.headers["Cache-Control"] = FOR_EVER if request.args.get("v") == found.digest else "no-cache"
    response.vary.add("Accept-Encoding")
    if way:
        response.headers["Content-Encoding"] = way.name
    response.set_etag(f"{found.digest}{f'-{way.name}' if way else ''}")
    response.make_conditional(request)
    return response
