"""Seconds until the consultation can be used on a slow link and a slow machine: `python tests/bench/slow_links.py`.

Chromium itself is throttled (network and processor, over its own protocol), with nothing in its cache, and signed in.
The links are those of the developer tools: fast 3G is 1.6 Mbit/s down, 0.75 up, 150 ms of latency; slow 3G is
0.4 Mbit/s both ways and 400 ms, there with a processor slowed four times. Told are, from the moment of asking, when the
first content is painted, when the questions can be answered (the scripts have run), when those below the first screen
have come, too, and when a first answer that is given then reads "Saved"; the median of all times. `--here` measures
without any throttling, too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "journeys"))

from chromium import a_browser
from playwright.sync_api import Browser
from service import Service

MBIT = 1_000_000 / 8
PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
READY = "() => document.readyState === 'complete' && document.documentElement.classList.contains('js')"
ALL_THERE = "() => !document.querySelector('.part--coming')"
USABLE = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


@dataclass(frozen=True)
class Link:
    """Bytes a second down and up, milliseconds of latency, and how many times slower the processor is."""

    down: float
    up: float
    latency: float
    slower: float


LINKS = {
    "fast 3G": Link(1.6 * MBIT, 0.75 * MBIT, 150, 1),
    "slow 3G, processor slowed 4 times": Link(0.4 * MBIT, 0.4 * MBIT, 400, 4),
}
HERE = Link(-1, -1, 0, 1)


def seconds(browser: Browser, service: Service, link: Link) -> tuple[float, float, float, float]:
    """First paint, usable, all questions there, and from then the first answer saved, of one first visit."""
    context = browser.new_context(base_url=service.address, viewport={"width": 1366, "height": 768})
    for name, value in (
        ("consult_session", service.token("nurse")),
        ("scripts", "run"),
    ):  # as the start page leaves them
        context.add_cookies([{"name": name, "value": value, "url": service.address}])
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("Network.enable")
    conditions = {"latency": link.latency, "downloadThroughput": link.down, "uploadThroughput": link.up}
    cdp.send("Network.emulateNetworkConditions", {"offline": False, **conditions})
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": link.slower})
    begun = time.perf_counter()
    page.goto(f"/consultations/{service.begin()}", timeout=90_000)
    page.wait_for_function(READY, timeout=90_000)
    page.wait_for_function(ALL_THERE, timeout=90_000)
    answered = time.perf_counter()
    page.locator('label[for="a.cord_signs.absent"]').click()
    page.locator("#state-cord_signs .q__saved").wait_for(timeout=30_000)
    saved = time.perf_counter()
    found = (page.evaluate(PAINTED) / 1000, page.evaluate(USABLE) / 1000, answered - begun, saved - answered)
    assert found[1] < found[2] + 1
    context.close()
    return found


def main() -> None:
    """Visit the page over each link, in turns, and print the medians with the load of the machine."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--times", type=int, default=5)
    options.add_argument("--here", action="store_true", help="measure without throttling, too")
    said = options.parse_args()
    links = ({"this machine as it is": HERE} if said.here else {}) | LINKS
    with tempfile.TemporaryDirectory() as folder, a_browser() as browser:
        service = Service(Path(folder) / "instance")
        try:
            seconds(browser, service, HERE)  # warm
            taken = {name: [seconds(browser, service, link) for _ in range(said.times)] for name, link in links.items()}
        finally:
            service.close()
    for name, times in taken.items():
        painted, usable, whole, saved = (statistics.median(one) for one in zip(*times, strict=True))
        print(f"{name}: painted {painted:.2f} s, usable {usable:.2f} s, all questions there {whole:.2f} s; ", end="")
        print(f"then an answer saved in {saved:.2f} s")
        print("    usable, each time: " + ", ".join(f"{one[1]:.2f}" for one in times))
    print(f"load of the machine: {', '.join(f'{one:.1f}' for one in os.getloadavg())}")


if __name__ == "__main__":
    main()
