"""Maintainers' script: makes the pictures of docs/pictures/ from the demonstration.

`python tools/pictures.py` in the environment of the tests. It makes the demonstration in a temporary folder, serves it
from this process with a clock that stands still, and takes the pictures with Chromium, so that the same code gives the
same pictures on any day. Look at them before committing them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from waitress.server import create_server

from consult import demo
from consult.instance import open_instance
from consult.web.app import create_app

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
NOW = datetime(2026, 11, 23, 10, 40, tzinfo=UTC)
ANSWERS = {
    "sudden_severe_pain_or_collapse": "absent",
    "blood_in_urine_or_loin_pain": "unsure",
    "fever_or_very_ill": "absent",
}
SIZE = {"width": 1366, "height": 768}
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
    "--font-render-hinting=none",
]


def main() -> None:
    os.environ["TZ"] = "Europe/London"
    if hasattr(time, "tzset"):
        time.tzset()
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=BROWSER_OPTIONS)
        page = browser.new_page(viewport=SIZE, base_url=address, locale="en-GB", timezone_id="Europe/London")
        page.clock.set_fixed_time(NOW)
        sign_in(page, "nurse")
        take(page, consultation, "consultation.png")
        take(page, results, "results.png")
        take(page, measure, "measure.png")
        browser.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The demonstration as it stood at NOW, on any free port of this machine."""
    demo.prepare(folder, NOW)
    instance = open_instance(folder, clock=lambda: NOW)
    server = create_server(create_app(instance), host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        instance.close()


def browser_path() -> str:
    """The browser the tests use."""
    found = os.environ.get("CONSULT_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise SystemExit("No Chromium was found: name one in the environment variable CONSULT_CHROMIUM.")
    return found


def sign_in(page: Page, username: str) -> None:
    page.goto("/sign-in")
    page.fill("[name=username]", username)
    page.fill("[name=password]", demo.password())
    page.click("main button")


def consultation(page: Page) -> None:
    """The open consultation of the demonstration, at the red flags, with a text kept for an answer."""
    page.goto("/")
    page.click("main a[href*='/consultations/']")
    for question, state in ANSWERS.items():
        page.click(f"label[for='a.{question}.{state}']")
        page.wait_for_selector(f"#state-{question} .q__saved")
    page.wait_for_selector(".kept--u1")
    page.evaluate("document.querySelector('#block-urgent_one_by_one').scrollIntoView()")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")


def results(page: Page) -> None:
    """The results of case notes read afterwards, beside the national figures."""
    page.goto("/results?capture=retrospective")
    page.evaluate("window.scrollTo(0, document.querySelector('.mode h2').getBoundingClientRect().top - 8)")


def measure(page: Page) -> None:
    """One measure of case notes read afterwards, item by item."""
    page.goto("/results/measures/red_flags_complete?capture=retrospective")
    page.evaluate("window.scrollTo(0, document.querySelector('#retrospective-items').getBoundingClientRect().top - 8)")


def take(page: Page, scene: Callable[[Page], None], name: str) -> None:
    scene(page)
    page.screenshot(path=PICTURES / name, animations="disabled", caret="hide")


if __name__ == "__main__":
    main()
