"""As many cases as the second national round had: the results page in a real browser, measured against a bare page.

An absolute second says little on an unknown machine, so the bound is a ratio taken in the same run on the same
machine: the page over all cases may take as long as a bare page of the same browser and server and a fixed number of
plain reads of the whole case table (every column of every row, through the same driver). Reading is what any audit of
the cases must do at least; the number says how much more the counting of every measure may cost. When this was written
the overview took 1.6 plain reads beside the bare page, and the cases behind one number 14 (500 rows of them are laid
out); the bounds leave room for a loaded machine, not for another order of magnitude.
"""

from __future__ import annotations

import random
import re
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from consult.accounts import people, sessions
from consult.exchange.casefile import export, import_cases
from consult.exchange.intake import Import
from consult.instance import Instance, open_instance
from consult.proforma.dataset import Dataset
from consult.record import settings
from consult.record.store import now_utc

pytestmark = [pytest.mark.browser, pytest.mark.speed]

CASES = 5524
SEED = 2011
TIMES = 5
PLAIN_READS = 8
PLAIN_READS_OF_CASES = 40


def constructed(dataset: Dataset, today: date) -> Iterator[dict[str, str]]:
    """Cases with every field drawn from its options: not the national data, and the same on every machine."""
    draw = random.Random(SEED)
    mostly = {
        "back_pain_reason": "main",
        "first_consultation": "yes",
        "episode_gap": "ge_28_days",
        "clinician_role": "nurse",
    }
    for number in range(CASES):
        row = dict.fromkeys(dataset.by_name, "")
        for field in dataset.fields:
            if field.options and not field.never_live:
                chosen = draw.sample(field.options, draw.randint(1, 2)) if field.type == "choices" else None
                row[field.name] = (
                    ";".join(chosen) if chosen else draw.choice([*field.options, *([] if field.required else [""])])
                )
        row |= {name: value for name, value in mostly.items() if draw.random() < 0.95}
        row |= {
            "case_ref": f"made-{number:05}",
            "provider": f"P{number % 40:02}",
            "site": f"S{number % 3}",
            "consultation_date": (today - timedelta(days=draw.randint(0, 300))).isoformat(),
            "capture_mode": "retrospective",
        }
        yield row


def filled(folder: Path) -> tuple[Instance, str]:
    """An instance with all the cases, and a session of its audit lead."""
    instance = open_instance(folder, create=True)
    today, dataset = instance.today(), instance.library.current.dataset
    with instance.db.write() as conn:
        at = instance.store.at()
        settings.change_setting(conn, "provider", "P00", "test", at)
        settings.change_setting(conn, "demonstration", True, "test", at)
        new = people.NewPerson("Lea Lead", "audit_lead", "S0", "plainly invented words")
        lead = people.add_person(conn, new, "test", at)
        token = sessions.create(conn, lead.id, now_utc())
    report = import_cases(
        instance.db, dataset, "".join(export(constructed(dataset, today), dataset)), Import("P00", today, "test", at)
    )
    assert (report.added, report.bad) == (CASES, [])
    return instance, token


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[Page, Instance]]:
    """A page of the server that people run, over the instance with all the cases."""
    folder = tmp_path_factory.mktemp("many") / "instance"
    instance, token = filled(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "consult.cli", "--instance", str(folder), "serve", "--port", str(port)]
    said = folder.parent / "said"
    with said.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/health", server, said)
        context = browser.new_context(base_url=address, viewport={"width": 1366, "height": 768})
        context.add_cookies([{"name": "consult_session", "value": token, "url": address}])
        yield context.new_page(), instance
        context.close()
    finally:
        server.terminate()
        server.wait(timeout=20)
        instance.close()


def wait_for(address: str, server: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The server did not start: {said.read_text('utf-8')}")


def median(act: Callable[[], object]) -> float:
    """The median seconds of an act done several times, after once that does not count."""
    act()
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def test_the_results_of_all_cases_come_within_their_bound(
    page: tuple[Page, Instance], capsys: pytest.CaptureFixture[str]
) -> None:
    shown, instance = page
    conn = instance.db.read()
    read = median(lambda: conn.execute("SELECT * FROM case_row").fetchall())
    bare = median(lambda: shown.goto("/leaflets"))
    overview = median(lambda: shown.goto("/results?provider=*"))
    said = shown.locator("section.mode > p").first.inner_text()
    counted = re.sub(r", held from .* to \d+ \w+ \d{4}", "", said)
    assert sum(int(n) for n in re.findall(r"\d+", counted)) == CASES
    size = len(shown.content())
    with capsys.disabled():
        print(
            f"\n{CASES} cases: overview {overview:.3f} s ({size / 1000:.0f} kB); bare page {bare:.3f} s; "
            f"plain read of the case table {read:.3f} s; ratio {(overview - bare) / read:.1f} reads"
        )
    assert overview <= bare + PLAIN_READS * read


def test_the_cases_behind_a_number_come_within_their_bound(
    page: tuple[Page, Instance], capsys: pytest.CaptureFixture[str]
) -> None:
    shown, instance = page
    conn = instance.db.read()
    read = median(lambda: conn.execute("SELECT * FROM case_row").fetchall())
    address = "/results/measures/red_flags_screened/cases?provider=*&outcome=met"
    opened = median(lambda: shown.goto(address))
    with capsys.disabled():
        print(f"\nthe cases behind one number: {opened:.3f} s, {opened / read:.1f} plain reads")
    assert shown.locator("table.cases tbody tr").count() == 50
    assert opened <= PLAIN_READS_OF_CASES * read
