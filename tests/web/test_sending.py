"""How pages and files go over the wire: compressed, kept or not kept by the browser, and no token twice the same."""

from __future__ import annotations

import gzip
import importlib
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import brotli
import pages
import pytest
from flask import Response
from visiting import Service, Visitor
from werkzeug.test import TestResponse

from consult.web import static
from consult.web.sending import CHANCE, CODINGS, SHORT, SMALLEST, Coding, compressed
from consult.web.static import FOR_EVER

ROOT = Path(__file__).parents[2]
BROWSER = {"Accept-Encoding": "gzip, deflate, br"}
UNPACK: dict[str, Callable[[bytes], bytes]] = {"br": brotli.decompress, "gzip": gzip.decompress}
each_coding = pytest.mark.parametrize("coding", UNPACK)
TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
OF_ITS_OWN = re.compile(r'name="(csrf-token|session-left)" content="[^"]+"')
"""What one page has and the next one not: its token, and the seconds that are left of the session."""


def asked(visitor: Visitor, path: str, **headers: str) -> TestResponse:
    return visitor.client.get(path, headers=headers, buffered=True)


def files_of(page: str) -> list[str]:
    """The addresses of style, scripts and icon that a page names."""
    found = [e.get("href") or e.get("src") or "" for e in pages.parse(page).iter() if e.tag in ("link", "script")]
    return [address for address in found if address]


@each_coding
def test_a_page_is_compressed_for_whoever_can_take_it_and_says_the_same(nurse: Visitor, coding: str) -> None:
    plain = asked(nurse, "/tour")
    small = asked(nurse, "/tour", **{"Accept-Encoding": coding})
    assert small.headers["Content-Encoding"] == coding
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in small.headers["Vary"]
    assert "Content-Encoding" not in plain.headers
    assert int(small.headers["Content-Length"]) == len(small.data) < len(plain.data) / 2
    assert OF_ITS_OWN.sub("", UNPACK[coding](small.data).decode()).split("csrf_token")[0] in OF_ITS_OWN.sub(
        "", plain.text
    )


@pytest.mark.parametrize(
    ("asks", "comes"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("gzip;q=0, br", "br"),
        ("gzip;q=0, br;q=0, *;q=1", None),
        ("identity", None),
        ("zstd", None),
        ("", None),
    ],
)
def test_what_a_browser_cannot_take_is_not_sent_to_it(
    service: Service, nurse: Visitor, asks: str, comes: str | None
) -> None:
    page = f"/consultations/{service.begin()}"
    assert asked(nurse, page, **{"Accept-Encoding": asks}).headers.get("Content-Encoding") == comes
    assert asked(nurse, "/static/pages.css", **{"Accept-Encoding": asks}).headers.get("Content-Encoding") == comes


def test_what_is_short_or_compressed_already_goes_as_it_is(service: Service, nurse: Visitor) -> None:
    health = asked(nurse, "/health", **BROWSER)
    assert len(health.data) < SMALLEST
    assert "Content-Encoding" not in health.headers
    with service.app.test_request_context(headers=BROWSER):
        for kind, packed in (("application/pdf", False), ("application/zip", False), ("text/csv", True)):
            sent = compressed(Response(b"much the same " * 400, mimetype=kind))
            assert ("Content-Encoding" in sent.headers) == packed
            assert sent.data == b"much the same " * 400 or packed


def test_what_is_short_goes_the_way_that_makes_nothing_ready(service: Service) -> None:
    for asks, times, comes in (
        ("gzip, br", 100, "gzip"),
        ("br", 100, "br"),
        ("gzip, br", 1000, "br"),
        ("zstd", 100, ""),
    ):
        body = b"much the same " * times
        with service.app.test_request_context(headers={"Accept-Encoding": asks}):
            sent = compressed(Response(body, mimetype="text/html"))
        assert sent.headers.get("Content-Encoding", "") == comes
        assert (UNPACK[comes](sent.data) if comes else sent.data) == body


@each_coding
def test_a_page_that_comes_in_parts_goes_compressed_part_by_part(service: Service, coding: str) -> None:
    parts = [f"part {n} ".encode() * 50 for n in range(3)]
    with service.app.test_request_context(headers={"Accept-Encoding": coding}):
        sent = compressed(Response(iter(parts), mimetype="text/html"))
    packed = [bytes(piece) for piece in sent.response]  # type: ignore[arg-type] # pieces of bytes, as WSGI has them
    for shown in range(3):  # what has come is whole, though nothing follows yet
        assert unpacked(coding, packed[: shown + 1]) == b"".join(parts[: shown + 1])
    assert UNPACK[coding](b"".join(packed)) == b"".join(parts)


def unpacked(coding: str, packed: list[bytes]) -> bytes:
    """What a browser can show of a page of which only the first pieces have come."""
    if coding == "br":
        return b"".join(map(brotli.Decompressor().process, packed))
    return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(b"".join(packed))


@each_coding
def test_the_length_of_a_page_has_a_part_of_chance(nurse: Visitor, coding: str) -> None:
    replies = [asked(nurse, "/tour", **{"Accept-Encoding": coding}) for _ in range(12)]
    assert len({len(reply.headers[CHANCE]) for reply in replies}) > 3


def test_every_file_of_a_page_is_asked_for_once_and_changes_its_address_with_what_it_holds(
    service: Service, nurse: Visitor
) -> None:
    consultation = service.begin()
    seen = set()
    for path in ("/sign-in", "/", f"/consultations/{consultation}", "/leaflets/back-pain-core?format=a4"):
        found = files_of(asked(nurse, path).text)
        assert len(found) <= 4, found
        seen |= set(found)
    for address in seen - {"data:,"}:
        name = urlsplit(address).path.removeprefix("/static/")
        known = static.file(name)
        assert known is not None, address
        assert address.endswith(f"?v={known.digest}"), address
        for coding, unpack in UNPACK.items():
            ways = {"Accept-Encoding": coding}
            small = asked(nurse, address, **ways)
            assert (small.headers["Cache-Control"], small.headers["Content-Encoding"]) == (FOR_EVER, coding)
            assert unpack(small.data) == known.body == asked(nurse, address).data
            again = asked(nurse, address, **ways, **{"If-None-Match": small.headers["ETag"]})
            assert (again.status_code, again.data) == (304, b"")


def test_a_file_asked_for_without_its_digest_or_with_an_old_one_is_not_kept(nurse: Visitor) -> None:
    for address in ("/static/pages.css", "/static/pages.css?v=0123456789abcdef"):
        assert asked(nurse, address).headers["Cache-Control"] == "no-cache"


def test_static_files_are_compressed_once(nurse: Visitor) -> None:
    one = static.file("talk.js")
    assert one is not None
    asked(nurse, "/static/talk.js", **BROWSER)
    assert static.file("talk.js") is one
    assert static.packed(one, CODINGS[0]) is static.packed(one, CODINGS[0])


STYLES = sorted(path.name for path in (files("consult") / "static").iterdir() if path.name.endswith(".css"))


@pytest.mark.parametrize("name", STYLES)
def test_what_a_style_writes_on_the_page_is_sent_as_it_is_written(nurse: Visitor, name: str) -> None:
    quoted = re.compile(r'"[^"]*"')
    written = re.sub(r"/\*.*?\*/", "", (files("consult") / "static" / name).read_text("utf-8"), flags=re.DOTALL)
    assert quoted.findall(asked(nurse, f"/static/{name}").text) == quoted.findall(written)


@pytest.mark.parametrize("name", ["../app.py", "vendor/PROVENANCE.json", "nothing.css", ""])
def test_nothing_else_is_served_as_a_file(nurse: Visitor, name: str) -> None:
    assert asked(nurse, f"/static/{name}").status_code == 404


def test_no_two_pages_hold_the_same_token_and_each_of_them_is_taken(nurse: Visitor) -> None:
    tokens = [TOKEN.findall(asked(nurse, "/leaflets").text)[0] for _ in range(3)]
    assert len(set(tokens)) == 3
    for token in tokens:
        assert nurse.client.post("/look", data={"look": "light", "csrf_token": token}).status_code == 303


@pytest.mark.parametrize("spoilt", ["", "=", "AAAA", "Zm9v", "not a token", "ÄÖ"])
def test_what_is_no_token_is_refused(nurse: Visitor, spoilt: str) -> None:
    token = TOKEN.findall(asked(nurse, "/leaflets").text)[0]
    for wrong in (spoilt, token[:-4], token[4:], token[::-1]):
        assert nurse.client.post("/look", data={"look": "light", "csrf_token": wrong}).status_code == 400


def test_the_style_in_use_is_what_the_vendored_one_leaves_for_these_pages() -> None:
    code = "import shrink, sys; sys.exit(shrink.TO.read_text('utf-8') != shrink.shrunk())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "tools", check=False)
    assert done.returncode == 0, "run python3 tools/shrink.py"


def rules(
    css: str, split: Callable[[str], list[tuple[str, str]]], around: str = ""
) -> Iterator[tuple[str, str, set[str]]]:
    """Each selector of a stylesheet with what stands around it and its declarations."""
    for prelude, body in split(css):
        if prelude.startswith(("@media", "@supports")):
            yield from rules(body, split, around + prelude)
        else:
            for selector in re.split(r",(?![^(]*\))", prelude):
                yield around, selector, set(body.split(";"))


def test_every_rule_that_is_kept_stands_as_it_was_vendored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    shrink = importlib.import_module("shrink")
    vendored: dict[tuple[str, str], list[set[str]]] = {}
    for around, selector, body in rules(shrink.FROM.read_text("utf-8").partition("\n")[2], shrink.blocks):
        vendored.setdefault((around, selector), []).append(body)
    kept = list(rules(shrink.TO.read_text("utf-8").partition("\n")[2], shrink.blocks))
    assert len(kept) > 200
    for around, selector, body in kept:
        left_out = [was - body for was in vendored.get((around, selector), []) if body <= was]
        assert any(all(one.startswith("--") for one in declarations) for declarations in left_out), (around, selector)
    assert ("", ".nhsuk-button--secondary:hover") in {(around, selector) for around, selector, _ in kept}


def test_no_comment_is_left_in_a_script_that_could_take_the_line_after_it_with_it() -> None:
    """Lines are joined where one goes on; a comment at the end of one would then go on, too."""
    own = [one.name for one in files("consult").joinpath("static").iterdir() if one.name.endswith(".js")]
    assert len(own) > 8
    for name in own:
        known = static.file(name)
        assert known is not None
        code = re.sub(r"""'[^'\n]*'|"[^"\n]*\"""", "''", known.body.decode())
        assert not re.search(r"(?<!\\)//", re.sub(r"/\*.*?\*/", "", code, flags=re.DOTALL)), name


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.name)
def test_what_is_pressed_with_a_window_of_its_own_size_reads_as_it_was(coding: Coding) -> None:
    words = b"Numbness between the legs? Not asked. " * 8000
    for length in (0, 1, 255, 256, 511, 512, SHORT - 1, SHORT, SHORT + 1, 65_535, 65_536, 65_537, 280_000):
        for hurried in (True, False):
            assert UNPACK[coding.name](coding.page(words[:length], hurried)) == words[:length]
