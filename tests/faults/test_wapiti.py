"""Wapiti, a scanner of web applications, signed in as each role over the demonstration's own server on this machine.

It runs in an environment of its own (tests/scanners.py), so that only the soak needs it: `-m soak -k wapiti`. What it
finds of medium weight or above fails the test; a build that escapes nothing must be found by it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import scanners
from served import Served

from consult.accounts import people, sessions
from consult.instance import open_instance
from consult.record.store import now_utc

MODULES = "cookieflags,crlf,csp,csrf,exec,file,http_headers,methods,permanentxss,redirect,sql,timesql,xss"
"""All that ask nothing but the server itself; those that need an address outside of this machine are left out."""
NOT_FOLLOWED = ("/sign-out", "/lock", "/account", "/settings/people")
"""What would end the scan's own session, or stop the people of the other scans."""
MEDIUM = 2
SCAN, ATTACK = int(os.environ.get("CONSULT_SCAN_SECONDS", "240")), int(os.environ.get("CONSULT_ATTACK_SECONDS", "90"))
ROLES = ("nurse", "doctor", "physiotherapist", "audit_lead", "administrator")

pytestmark = [pytest.mark.soak, pytest.mark.fault]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = Served(tmp_path_factory.mktemp("log") / "server.log")
    yield running
    running.close()


def token_of(folder: Path, role: str) -> str:
    with closing(open_instance(folder)) as instance:
        one = next(p for p in people.people(instance.db.read()) if p.role == role and p.active)
        with instance.db.write() as conn:
            return sessions.create(conn, one.id, now_utc())


def scan(address: str, token: str, work: Path, modules: str = MODULES) -> dict[str, Any]:
    """The report of one scan: what was found by kind, and how many pages were looked at."""
    report = work / "report.json"
    command = [
        *(scanners.scanner("wapiti") / "wapiti", "-u", f"{address}/", "-C", f"consult_session={token}"),
        *("-m", modules, "--scope", "folder", "--flush-session", "--store-session", work, "--store-config", work),
        *("--max-scan-time", SCAN, "--max-attack-time", ATTACK, "--max-links-per-page", 60, "-d", 6, "-v", 0),
        *("-f", "json", "-o", report, "--no-bugreport", "-dr", 1, "-t", 20),
        *(part for path in NOT_FOLLOWED for part in ("-x", f"{address}{path}*")),
    ]
    patience = SCAN + ATTACK * (modules.count(",") + 2) + 120
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=patience, cwd=work
    )
    assert report.exists(), f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return dict(json.loads(report.read_text("utf-8")))


def found(report: dict[str, Any]) -> list[str]:
    """What a report holds of medium weight or above: kind, page, and which field."""
    every = {**report["vulnerabilities"], **report["anomalies"]}
    return [
        f"{kind}: {one['method']} {one['path']} {one.get('parameter') or ''} {one['info']}"
        for kind, several in every.items()
        for one in several
        if int(one["level"]) >= MEDIUM
    ]


@pytest.mark.parametrize("role", ROLES)
def test_wapiti_finds_nothing_of_medium_weight_signed_in_as(
    served: Served, demo_made: Path, tmp_path: Path, role: str
) -> None:
    folder = Path(shutil.copytree(demo_made, tmp_path / "instance"))
    token = token_of(folder, role)
    served.start(folder)
    try:
        report = scan(f"http://127.0.0.1:{served.port}", token, tmp_path)
    finally:
        served.stop()
    pages = int(report["infos"]["crawled_pages_nbr"])
    print(f"wapiti as {role}: {pages} pages, {sum(map(len, report['vulnerabilities'].values()))} notes below medium")
    assert pages > 20, "signed in, and looked about"
    assert found(report) == []


def test_wapiti_finds_a_build_that_escapes_nothing(served: Served, demo_made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(demo_made, tmp_path / "instance"))
    token = token_of(folder, "nurse")
    served.start(folder, "escapes nothing")
    try:
        report = scan(f"http://127.0.0.1:{served.port}", token, tmp_path, "xss")
    finally:
        served.stop()
    assert any("Cross Site Scripting" in line for line in found(report))
