"""The security log handed on, line by line, to the syslog of this machine, which keeps it elsewhere too.

A line goes from a thread of its own, so that nobody waits for it; what can't be handed on is still in the files of the
instance. It goes to this machine alone: the way from there, with TLS, is that of the system's syslog.
"""

from __future__ import annotations

import logging
import queue
import socket
import threading
from logging.handlers import SysLogHandler
from typing import Any, Final, NoReturn

HERE: Final = "127.0.0.1"
WAITING: Final = 10_000
"""How many lines may wait; what comes above that is in the files alone."""
IDENT: Final = "consult: "


class ToSyslog(SysLogHandler):
    """The handler of the standard library, which says when it fails; lines over TCP end with a line break."""

    append_nul = False

    def handleError(self, record: logging.LogRecord) -> NoReturn:  # noqa: ARG002, N802 - so the library calls it
        """Let whoever handed the line on know."""
        raise  # noqa: PLE0704 - it is called while the error is handled


class Onward:
    """Where lines are handed on to now: "", unix:PATH, udp:PORT or tcp:PORT. `failed` says why the last was not."""

    def __init__(self) -> None:
        self.to, self.failed, self._handler = "", "", None  # type: str, str, ToSyslog | None
        self._lines: queue.Queue[tuple[str, str]] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None

    def give(self, line: str) -> None:
        """Hand a line on, if there is somewhere; never waits."""
        if not self.to:
            return
        if self._thread is None:  # begun late, so that it is of the process that serves
            self._thread = threading.Thread(target=self._work, name="handing on", daemon=True)
            self._thread.start()
        try:
            self._lines.put_nowait((self.to, line))
        except queue.Full:
            self.failed = "more lines wait than are kept"

    def settled(self) -> None:
        """Wait until every line that was given was handed on, or could not be."""
        self._lines.join()

    def _work(self) -> None:
        at = ""
        while True:
            to, line = self._lines.get()
            if to != at:
                self._drop()
            at = to
            try:
                self._hand_on(to, line)
                self.failed = ""
            except (OSError, OverflowError) as error:
                self.failed = getattr(error, "strerror", "") or type(error).__name__
            finally:
                self._lines.task_done()

    def _hand_on(self, to: str, line: str) -> None:
        """Once more over a new connection where the one of before has ended meanwhile."""
        for last in (self._handler is None, True):
            try:
                if self._handler is None:
                    self._handler = handler_to(to)
                text = line + ("\n" if to.startswith("tcp:") else "")
                self._handler.emit(logging.makeLogRecord({"msg": text, "levelno": logging.INFO, "levelname": "INFO"}))
                return
            except OSError:
                self._drop()
                if last:
                    raise

    def _drop(self) -> None:
        if self._handler is not None:
            self._handler.close()
            self._handler = None


def handler_to(to: str) -> ToSyslog:
    """The handler for a place; OSError if nobody takes lines there."""
    way, _, where = to.partition(":")
    address: Any = where if way == "unix" else (HERE, int(where))
    kind = socket.SOCK_STREAM if way == "tcp" else socket.SOCK_DGRAM
    made = ToSyslog(address, SysLogHandler.LOG_AUTHPRIV, None if way == "unix" else kind)
    made.ident = IDENT
    return made
