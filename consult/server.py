"""The web server: waitress, one process with threads on every system, which ends without cutting off a reply."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

import waitress
from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import WSGITask

from consult import footprint

THREADS: Final = 4
TURN: Final = 0.001
"""Seconds after which a thread lets another one work: an answer does not wait for a report."""
LOOK_AGAIN: Final = 0.2
"""Seconds after which a server with nothing to do looks whether it was told to end."""
PATIENCE: Final = 20.0
"""Seconds that requests which came before the end may take; systemd is told to wait for 30."""
CONNECTIONS: Final = 400
"""Kept open at once; Windows can look at 512."""
IN_MEMORY: Final = 128_000_000
"""Bytes of a request or reply that are held in memory, so that no part of a record is put into a temporary file."""
MAX_REQUEST: Final = 8_000_000
"""Above this a request is cut off; below it the application refuses in words what is too long."""


class Sure(HTTPRequestParser):
    """With both a length and chunks a proxy in front may have counted otherwise (RFC 9112, 6.3): such are refused."""

    def parse_header(self, header_plus: bytes) -> None:
        """The head of a request."""
        super().parse_header(header_plus)
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Both a length and chunks")


class Whole(WSGITask):
    """A reply whose head goes out together with its body where that is in one piece: sent once and not twice."""

    def write(self, data: bytes) -> None:
        """Send a part of the body, the first one after the head."""
        if self.wrote_header or len(data) != self.content_length or not (self.complete and self.has_body):
            super().write(data)
            return
        head = self.build_response_header()
        self.wrote_header, self.content_bytes_written = True, len(data)
        self.channel.write_soon(head + data)


class Channel(HTTPChannel):
    """A connection whose requests are read by `Sure` and replied to by `Whole`."""

    parser_class = Sure
    task_class = Whole


def made(app: Flask, listener: socket.socket, scheme: str) -> Any:
    """A server over an application and a socket; `scheme` is how browsers reach it, through a proxy if there is one."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that a request waits for a thread is no news
    typed: Any = waitress  # its stubs leave this out
    server = typed.create_server(
        app,
        sockets=[listener],
        threads=THREADS,
        url_scheme=scheme,
        ident=None,
        connection_limit=CONNECTIONS,
        asyncore_use_poll=sys.platform != "win32",
        max_request_body_size=MAX_REQUEST,
        inbuf_overflow=IN_MEMORY,
        outbuf_overflow=IN_MEMORY,
    )
    server.channel_class = Channel
    return server


def run(server: Any, later: Iterator[object]) -> None:
    """Serve until the process is told to end (SIGTERM, Ctrl+C); what was asked before then is still answered.

    What can wait is done meanwhile: `later` is gone on with by one where nobody waits.
    """
    sys.setswitchinterval(TURN)
    told: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        told.append(number)

    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), note)
    while not told:
        begun = time.perf_counter()
        _turn(server)
        if time.perf_counter() - begun >= LOOK_AGAIN and not _owing(server):
            next(later, None)
            footprint.tidy()
    _finish(server)


def _turn(server: Any) -> None:
    wasyncore.loop(timeout=LOOK_AGAIN, map=server._map, use_poll=server.adj.asyncore_use_poll, count=1)


def _finish(server: Any) -> None:
    """Take no more connections, read what has come, send what is owed, and end the threads."""
    server.del_channel()
    late = threading.Event()
    alarm = threading.Timer(PATIENCE, late.set)
    alarm.start()
    _turn(server)
    while not late.is_set() and _left_open(server):
        _turn(server)
    alarm.cancel()
    server.task_dispatcher.shutdown()
    wasyncore.close_all(server._map)


def _left_open(server: Any) -> bool:
    """Whether a reply is still owed; a connection that is owed none is read no more, else busy ones would never end."""
    owing = _owing(server)
    for channel in list(server.active_channels.values()):
        if channel not in owing:
            channel.close_when_flushed = True
    return bool(owing)


def _owing(server: Any) -> list[Any]:
    """The connections that wait for a reply, or for the rest of one."""
    return [one for one in list(server.active_channels.values()) if one.requests or one.total_outbufs_len]
