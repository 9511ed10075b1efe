"""wapiti, signed in as each role, over the product's own server: it finds what is planted and nothing in the product.

It runs in an environment of its own (tests/scanners.py), so that only the soak needs it: `-m soak -k wapiti`. The
server and the layer that keeps it signed in are in tests/scanned.py. It asks this machine only: modules that have a
target call a system elsewhere (ssrf, xxe, log4shell) are left out, as the product calls nobody.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import scanners

ROLES = ["administrator", "audit_lead", "nurse", "doctor", "physiotherapist", "coordinator"]
LONG = ("xss", "sql", "exec", "file")
FORMS = ",".join(f"{module},-{module}:get" for module in LONG)
PAGES = ",".join(f"{module},-{module}:post" for module in LONG)
TRIES = (FORMS, f"redirect,crlf,{PAGES},permanentxss")
"""Two runs: first what forms send, of which there is less, so that a module that takes long does not keep it out."""
NOT_ASKED = (
    "/sign-out",
    "/lock",
    "/unlock",
    "/look",
    "/sign-in",
    "/account/password",
    "/account/sessions",
    "/static/*",
)
"""What ends the session, is on every page, or is a file."""
SECONDS = int(os.environ.get("CONSULT_SCAN_SECONDS", "600"))
"""For how long it may look around, and for how long each module may try. What was tried in that time is printed."""
MEDIUM = 2
PLANTED = {("/planted", "GET", "words"), ("/planted/said", "POST", "words"), ("/planted/to", "GET", "to")}

Found = tuple[int, str, str, str, str]
pytestmark = pytest.mark.soak


@contextmanager
def served(role: str, folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The server of a role: where it is, and (once the block has ended) what of it was reached."""
    command = [sys.executable, str(scanners.ROOT / "tests" / "scanned.py"), role, str(folder / "instance")]
    reached: dict[str, Any] = {}
    with (folder / "server.txt").open("w") as errors:
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert server.stdin
        assert server.stdout
        try:
            yield json.loads(server.stdout.readline()), reached
        finally:
            server.stdin.close()
            reached |= json.loads(server.stdout.readline() or "{}")
            server.stdout.close()
            server.wait(timeout=60)


def scan(up: dict[str, Any], folder: Path) -> list[Found]:
    """What is found in all that the server says is there, but for what is planted."""
    left_out = [*NOT_ASKED, *up["like"], "/planted*"]
    options = [word for path in left_out for word in ("--exclude", f"{base_of(up)}{path}")]
    options += [word for path in up["begin"] for word in ("--start", f"{base_of(up)}{path}")]
    found: list[Found] = []
    for modules, again in zip(TRIES, ([], ["--skip-crawl", "--flush-attacks"]), strict=True):
        found += run(up, folder / "product", "/", ["--module", modules, "--depth", 2, *options, *again])
        print(f"{modules}: {tried(folder / 'product')}")
    return sorted(set(found))


def base_of(up: dict[str, Any]) -> str:
    return f"http://127.0.0.1:{up['port']}"


def run(up: dict[str, Any], folder: Path, path: str, options: Sequence[object]) -> list[Found]:
    """One run of wapiti from an address on; what it says goes into a file."""
    folder.mkdir(exist_ok=True)
    places = ["--store-session", folder / "session", "--store-config", folder / "config", "--skip", "csrf_token"]
    limits = ["--max-scan-time", SECONDS, "--max-attack-time", SECONDS, "--max-parameters", 30, "--timeout", 20]
    command = [scanners.scanner("wapiti") / "wapiti", "--url", f"{base_of(up)}{path}", *places, *limits, *options]
    command += ["--no-bugreport", "--format", "json", "--output", folder / "report.json", "--verbose", 1]
    with (folder / "said.txt").open("a") as said:
        asked = [str(word) for word in command]
        subprocess.run(asked, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=True, timeout=7200)
    return found_in(json.loads((folder / "report.json").read_text("utf-8")))


def tried(folder: Path) -> dict[str, int]:
    """How many addresses and forms there are ("all"; of them "forms"), and how many of them each module has tried."""
    (file,) = (folder / "session").rglob("*.db")
    with sqlite3.connect(file) as conn:
        (every,) = conn.execute("SELECT count(*) FROM paths WHERE NOT evil").fetchone()
        (forms,) = conn.execute("SELECT count(*) FROM paths WHERE NOT evil AND method = 'POST'").fetchone()
        done = conn.execute("SELECT module, count(*) FROM attack_logs GROUP BY module").fetchall()
    return {"all": every, "forms": forms, **dict(done)}


def found_in(report: dict[str, Any]) -> list[Found]:
    """What was found: how heavy (0 to 4), which kind, and where."""
    groups = [*report["vulnerabilities"].items(), *report["anomalies"].items()]
    hits = [(kind, hit) for kind, of_kind in groups for hit in of_kind]
    return [(hit["level"], kind, hit["path"], hit["method"], hit["parameter"]) for kind, hit in hits]


@pytest.mark.parametrize("role", ROLES)
def test_wapiti_finds_what_is_planted_behind_the_sign_in_and_nothing_in_the_product(role: str, tmp_path: Path) -> None:
    with served(role, tmp_path) as (up, reached):
        planted = run(up, tmp_path / "planted", "/planted", ["--module", "xss,redirect", "--depth", 1])
        product = scan(up, tmp_path)
    print(f"{role}: {reached}\n{planted}\n{product}")
    assert {(path, method, parameter) for _, _, path, method, parameter in planted} == PLANTED
    assert reached["failed"] == []
    assert reached["reached"] > reached["ways"] / 2, "forms were refused, or links not followed"
    assert [one for one in product if one[0] >= MEDIUM] == []
