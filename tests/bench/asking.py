"""A browser's connection, as lean as it can be: one kept socket on loopback, one request after the other."""

from __future__ import annotations

import gzip
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlencode

import brotli

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """What came back: the status, the whole size on the wire in bytes, and the body as it was sent."""

    status: int
    size: int
    head: bytes
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, unpacked."""
        head = self.head.lower()
        ways = {b"br": brotli.decompress, b"gzip": gzip.decompress}
        unpack = next((way for name, way in ways.items() if b"content-encoding: " + name in head), bytes)
        return unpack(self.body).decode()


class Line:
    """One kept connection."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.port = port
        self._cookies = {"consult_session": cookie} if cookie else {}
        self._open()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str) -> Reply:
        """Ask for a page as browsers do."""
        return self._ask("GET", path, "", b"")

    def holds(self, name: str, value: str) -> None:
        """Send this cookie from now on, as one that a script has set."""
        self._cookies[name] = value

    def drops(self, name: str) -> None:
        """Send it no more."""
        self._cookies.pop(name, None)

    def post(self, path: str, form: dict[str, str], headers: str = "") -> Reply:
        """Send a form; `headers` are whole lines."""
        body = urlencode(form).encode()
        more = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n{headers}"
        return self._ask("POST", path, more, body)

    def _ask(self, method: str, path: str, more: str, body: bytes) -> Reply:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        told = f"Cookie: {cookies}\r\n" if cookies else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip, deflate, br\r\n{told}{more}\r\n"
        try:
            self._socket.sendall(head.encode() + body)
            reply = self._read()
        except ConnectionError:  # closed while nothing was asked for
            self.close()
            self._open()
            self._socket.sendall(head.encode() + body)
            reply = self._read()
        for name, value in re.findall(rb"\r\nset-cookie: *([^=]+)=([^;\r]*)", reply.head, re.IGNORECASE):
            self._cookies[name.decode()] = value.decode()
        if b"\r\nconnection: close" in reply.head.lower():
            self.close()
            self._open()
        return reply

    def _read(self) -> Reply:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        found = LENGTH.search(head)
        length = int(found[1]) if found else 0
        while len(body) < length:
            body += self._more()
        return Reply(int(head.split(b" ", 2)[1]), len(head) + 4 + len(body), head, body)

    def _more(self) -> bytes:
        more = self._socket.recv(262_144)
        if not more:
            raise ConnectionError("the server closed the connection")
        return more

    def close(self) -> None:
        """Close it."""
        self._socket.close()
