"""The audit of dependencies: what is known is said; one that could not run never looks like one that found nothing."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import audit  # noqa: E402 - the tool lies in no package

sys.path.remove(str(ROOT / "tools"))
FIX = {"id": "PYSEC-2026-1", "fix_versions": ["9.9"], "aliases": [], "description": "Planted"}


def said(*components: dict[str, Any]) -> str:
    return json.dumps({"dependencies": list(components), "fixes": []})


@pytest.mark.parametrize(
    ("reply", "code", "says"),
    [
        (said({"name": "a", "version": "1", "vulns": []}), audit.FINE, "1 components, nothing known"),
        (said({"name": "a", "version": "1", "vulns": [FIX]}), audit.KNOWN, "a 1: PYSEC-2026-1, mended in 9.9"),
        (said({"name": "a", "skip_reason": "not found"}), audit.NOT_RUN, "a was passed over: not found"),
        (said(), audit.NOT_RUN, "not run"),
        ("", audit.NOT_RUN, "The audit was not run: the service is away"),
        ("{}", audit.NOT_RUN, "not run"),
        ("[]", audit.NOT_RUN, "not run"),
    ],
)
def test_an_audit_that_did_not_look_at_everything_is_not_one_that_found_nothing(
    reply: str, code: int, says: str
) -> None:
    result = audit.outcome(reply, "Traceback\nthe service is away\n")
    assert result.code == code
    assert says in "\n".join(result.lines)


def test_it_is_said_to_be_not_run_where_it_was_not() -> None:
    """Until a release is made where the service can be reached; then this line and the document change together."""
    text = (ROOT / "docs" / "security" / "security.md").read_text("utf-8")
    assert "**The audit of dependencies was not run where this release was made**" in text


class Knowing(BaseHTTPRequestHandler):
    """A made-up service on this machine, which knows of a weakness of Flask and of nothing else."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        package = {"name": "flask", "ecosystem": "PyPI"}
        ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}]
        planted = {"id": "PLANTED-1", "summary": "Planted", "affected": [{"package": package, "ranges": ranges}]}
        reply = json.dumps({"vulns": [planted]} if asked["package"]["name"] == "flask" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Knowing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


@pytest.mark.soak
def test_a_planted_weakness_is_found_and_a_service_that_is_away_is_said_to_be(service: str) -> None:
    """Against a service on this machine only; the real one is asked by whoever runs tools/audit.py."""
    found = audit.audit(audit.LOCK, "-s", "osv", "--osv-url", service)
    assert found.code == audit.KNOWN, found.lines
    assert [line.partition(" ")[0] for line in found.lines] == ["flask"]
    away = audit.audit(audit.LOCK, "-s", "osv", "--osv-url", "http://127.0.0.1:9/v1/query")
    assert (away.code, away.lines[0][:22]) == (audit.NOT_RUN, "The audit was not run:")
