"""The security log handed on to a syslog on this machine: each line as it was written, and nobody waits for it."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consult import security_log
from consult.handing_on import WAITING, Onward
from consult.security_log import SecurityLog

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
WHO = "p-0123456789abcdef"
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no socket of this kind")
MARK = "<86>consult: "
"""Facility authpriv (10), severity info (6): 10 * 8 + 6."""


def lines_of(log: SecurityLog) -> list[str]:
    (file,) = security_log.files_in(log.folder)
    return file.read_text("ascii").splitlines()


@pytest.mark.parametrize("way", ["udp", pytest.param("unix", marks=UNIX)])
def test_each_line_comes_as_it_stands_in_the_file(way: str, tmp_path: Path) -> None:
    kind = socket.AF_INET if way == "udp" else socket.AF_UNIX
    with socket.socket(kind, socket.SOCK_DGRAM) as syslog:
        syslog.settimeout(20)
        syslog.bind(("127.0.0.1", 0) if way == "udp" else str(tmp_path / "log"))
        log = SecurityLog(tmp_path)
        log.onward.to = f"udp:{syslog.getsockname()[1]}" if way == "udp" else f"unix:{tmp_path / 'log'}"
        for event in ("signed_in", "refused_role", "signed_out"):
            log.note(NOW, event, WHO, "home", "GET")
        came = [syslog.recv(2000).decode("ascii") for _ in range(3)]
    assert came == [MARK + line for line in lines_of(log)]
    assert json.loads(came[1].removeprefix(MARK))["event"] == "refused_role"


def test_over_tcp_lines_are_ended_and_go_on_after_the_syslog_was_begun_anew(tmp_path: Path) -> None:
    log = SecurityLog(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as syslog:
        port = syslog.getsockname()[1]
        log.onward.to = f"tcp:{port}"
        log.note(NOW, "signed_in", WHO)
        log.note(NOW, "signed_out", WHO)
        with syslog.accept()[0] as one, one.makefile("r", encoding="ascii", newline="\n") as read:
            assert [read.readline() for _ in range(2)] == [f"{MARK}{line}\n" for line in lines_of(log)]
    log.note(NOW, "locked", WHO)
    log.note(NOW, "locked", WHO)
    log.onward.settled()
    assert log.onward.failed, "nobody listens"
    with socket.create_server(("127.0.0.1", port)) as syslog:
        log.note(NOW, "unlocked", WHO)
        with syslog.accept()[0] as one, one.makefile("r", encoding="ascii", newline="\n") as read:
            assert "unlocked" in read.readline()
        log.onward.settled()
    assert log.onward.failed == ""
    assert len(lines_of(log)) == 5, "every line is in the file"


def test_nobody_waits_for_a_syslog_that_takes_nothing(tmp_path: Path) -> None:
    """One that accepts and never reads: what can't wait is in the file alone, and noting is as quick as ever."""
    quick, slow = SecurityLog(tmp_path / "quick"), SecurityLog(tmp_path / "slow")
    for log in (quick, slow):
        log.folder.parent.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as syslog:
        slow.onward.to = f"tcp:{syslog.getsockname()[1]}"
        took = {}
        for name, log in (("quick", quick), ("slow", slow), ("quick again", quick)):
            began = time.monotonic()
            for _ in range(300):
                log.note(NOW, "signed_in", WHO)
            took[name] = time.monotonic() - began
        assert took["slow"] < 20 * max(took["quick"], took["quick again"])
        assert len(lines_of(slow)) == 300


def test_what_waits_is_bounded_and_nothing_is_handed_on_unless_that_is_set(tmp_path: Path) -> None:
    log = SecurityLog(tmp_path)
    log.note(NOW, "signed_in", WHO)
    assert log.onward._thread is None
    full = Onward()
    full.to = "udp:9"
    for _ in range(WAITING):
        full._lines.put_nowait(("udp:9", "x"))
    full._thread = log.onward._thread or threading.current_thread()
    full.give("one more")
    assert full.failed == "more lines wait than are kept"
