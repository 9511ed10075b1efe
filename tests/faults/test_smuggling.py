"""Requests that two servers would take apart in two ways: neither of ours answers what is hidden in another's body.

Both servers that the product runs on are asked over a real connection, with what a careless proxy might pass on.
"""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import Served

pytestmark = pytest.mark.fault

HIDDEN = b"GET /static/icon.svg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
ANSWERED = b"Content-Type: image/svg+xml"
CHUNKED = b"0\r\n\r\n" + HIDDEN
LENGTH = str(len(CHUNKED)).encode()
DOUBTFUL = {
    "both a length and chunks": (b"Content-Length: " + LENGTH + b"\r\nTransfer-Encoding: chunked", CHUNKED),
    "chunks and a length of nothing": (b"Transfer-Encoding: chunked\r\nContent-Length: 0", CHUNKED),
    "two lengths": (b"Content-Length: 0\r\nContent-Length: " + LENGTH, HIDDEN),
    "two lengths in one line": (b"Content-Length: 0, " + LENGTH, HIDDEN),
    "a length with a sign": (b"Content-Length: +0", HIDDEN),
    "a length below nothing": (b"Content-Length: -1", HIDDEN),
    "a length in another base": (b"Content-Length: 0x0", HIDDEN),
    "chunks and then not": (b"Transfer-Encoding: chunked, identity", CHUNKED),
    "chunks in a word of its own": (b"Transfer-Encoding: xchunked\r\nContent-Length: 0", HIDDEN),
    "chunks with a space before the colon": (b"Transfer-Encoding : chunked\r\nContent-Length: 0", HIDDEN),
    "chunks after a control sign": (b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 0", HIDDEN),
    "chunks on a folded line": (b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 0", HIDDEN),
    "a chunk in another base": (b"Transfer-Encoding: chunked", b"0x0\r\n\r\n" + HIDDEN),
    "a chunk with a sign": (b"Transfer-Encoding: chunked", b"+0\r\n\r\n" + HIDDEN),
    "a name with a space in it": (b"Content Length: 5", HIDDEN),
}


@pytest.fixture(scope="module")
def port(demo_made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    work = tmp_path_factory.mktemp("smuggled")
    running = Served(work / "server.log")
    running.start(Path(shutil.copytree(demo_made, work / "instance")))
    yield running.port
    running.close()


def reply(port: int, sent: bytes) -> bytes:
    """All that comes back on one connection, until the server closes it or says no more."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as asking:
        asking.sendall(sent)
        asking.settimeout(0.7)
        try:
            while piece := asking.recv(65536):
                found += piece
        except OSError:
            pass
    return found


def request(head: bytes, body: bytes) -> bytes:
    return b"POST /session HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n\r\n" + body


def test_two_whole_requests_on_one_connection_are_both_answered(port: int) -> None:
    """The control: what is hidden would be seen if it were taken for a request."""
    answered = reply(port, request(b"Content-Length: 0", HIDDEN))
    assert answered.count(b"HTTP/1.1 ") == 2
    assert ANSWERED in answered


@pytest.mark.parametrize("how", DOUBTFUL)
def test_what_is_hidden_in_a_doubtful_request_is_not_answered(port: int, how: str) -> None:
    answered = reply(port, request(*DOUBTFUL[how]))
    assert ANSWERED not in answered, answered[:300]
    further = re.findall(rb"HTTP/1\.[01] (\d\d\d)", answered)[1:]
    assert [status for status in further if status != b"400"] == [], "nothing further but that it was no request"


def test_the_server_goes_on_after_all_of_them(port: int) -> None:
    for head, body in DOUBTFUL.values():
        reply(port, request(head, body)[:120])
    assert b"HTTP/1.1 200" in reply(port, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
