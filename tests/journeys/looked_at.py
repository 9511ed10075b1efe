"""Every kind of page looked at from outside: the marks of Lighthouse, and what the Nu validator of HTML says.

`python tests/journeys/looked_at.py [PAGE ...]` prints both. They are installed from tests/node/package-lock.json into a
folder of their own; node and npm, and Java for the validator, must be there. Marks for performance follow the
processor: look at them on a machine that does nothing else.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

sys.path.append(str(Path(__file__).resolve().parents[1]))
import every_page
import scanners
from chromium import CHROMIUM, SWITCHES
from service import Service

CATEGORIES = ("accessibility", "best practices", "performance")
UNLISTED = ("not found", "case taken out")
"""A page that is meant to say that there is nothing gets no marks for what a browser says about that."""


@dataclass(frozen=True)
class Marks:
    """What Lighthouse says of a page."""

    name: str
    marks: tuple[int, ...]
    lost: tuple[str, ...]
    times: tuple[int, ...]
    """Milliseconds: first paint, largest paint, interactive, blocked in all; as a desk is simulated."""


@contextmanager
def listening_browser(folder: Path) -> Iterator[int]:
    """A browser that can be steered at a port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [CHROMIUM, "--headless=new", f"--remote-debugging-port={port}", f"--user-data-dir={folder}"]
    browser = subprocess.Popen([*command, *SWITCHES.split(), "about:blank"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as there:
                if there.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        browser.terminate()
        browser.wait()


def addresses(service: Service, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """For each page its address, and the session that may open it."""
    ids, tokens = every_page.make(service), {"": ""}
    found = {}
    for name in names:
        role, path = every_page.PAGES[name]
        if role not in tokens:
            tokens[role] = service.token(role)
        found[name] = (service.address + path.format(**ids), tokens[role])
    return found


def marks(pages: dict[str, tuple[str, str]]) -> Iterator[Marks]:
    """The marks of pages, one after the other. NotRun where Lighthouse cannot be had."""
    script = scanners.node_checks() / "marks.mjs"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, listening_browser(Path(folder)) as port:
        lighthouse = subprocess.Popen(["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert lighthouse.stdin is not None
        assert lighthouse.stdout is not None
        with lighthouse:
            for name, (url, token) in pages.items():
                cookie = {"name": "consult_session", "value": token} if token else None
                line = json.dumps({"name": name, "url": url, "port": port, "cookie": cookie})
                lighthouse.stdin.write(line + "\n")
                lighthouse.stdin.flush()
                said: dict[str, Any] = json.loads(lighthouse.stdout.readline())
                assert said["shown"].partition("#")[0] == url, f"{name}: another page was shown, {said['shown']}"
                yield Marks(name, tuple(said["marks"]), tuple(said["lost"]), tuple(said["times"]))
            lighthouse.stdin.close()


def faults_of_html(pages: dict[str, tuple[str, str]], more: dict[str, str] | None = None) -> list[str]:
    """What the validator says of pages, errors and warnings, and of `more` text by name."""
    jar = scanners.node_checks() / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    with tempfile.TemporaryDirectory() as folder:
        for name, (url, token) in pages.items():
            _file(folder, name).write_bytes(_got(url, token))
        for name, text in (more or {}).items():
            _file(folder, name).write_text(text, "utf-8")
        try:
            command = ["java", "-jar", jar, "--format", "json", "--skip-non-html", folder]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as missing:
            raise scanners.NotRun(f"the validator needs Java: {missing}") from missing
    said = json.loads(done.stderr)["messages"]
    return [
        f"{Path(m['url']).stem}: {m.get('subType', m['type'])}: {m['message']} {m.get('extract', '')}" for m in said
    ]


def _file(folder: str, name: str) -> Path:
    return Path(folder, re.sub(r"\W+", "-", name) + ".html")


def _got(url: str, token: str) -> bytes:
    try:
        with urlopen(Request(url, headers={"Cookie": f"consult_session={token}"})) as reply:
            return bytes(reply.read())
    except HTTPError as refused:
        return bytes(refused.read())


def main() -> None:
    """Look at the pages named, or at all, and print what is said of them."""
    names = sys.argv[1:] or list(every_page.PAGES)
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder) / "instance")
        try:
            pages = addresses(service, names)
            print(*(faults_of_html(pages) or ["The validator has nothing to say."]), sep="\n")
            print(f"\n{'':28} {'  '.join(CATEGORIES)}; first paint, largest paint, interactive, blocked (ms)")
            for one in marks({n: p for n, p in pages.items() if n not in UNLISTED}):
                print(
                    f"{one.name:28} {'  '.join(map(str, one.marks)):>16}; {', '.join(map(str, one.times))}", flush=True
                )
                print(*(f"    {line}" for line in one.lost), sep="\n", end="\n" if one.lost else "")
        finally:
            service.close()


if __name__ == "__main__":
    main()
