"""Every kind of page as Lighthouse and the Nu validator of HTML see it; both find what was planted for them.

Both are brought by npm, so that only a soak looks: `-m soak -k looked_at`. It takes ten minutes on a quiet machine.
"""

from __future__ import annotations

from collections.abc import Iterator

import every_page
import looked_at
import pytest
import scanners
from service import Service

pytestmark = [pytest.mark.browser, pytest.mark.soak]

PLANTED = """<!DOCTYPE html><html lang="en-GB"><head><title>Planted</title></head>
<body><input type="hidden" autocomplete="off"></body></html>"""
FAST = 95
"""The least mark for performance; the others must be 100."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    try:
        scanners.node_checks()
    except scanners.NotRun as why:
        pytest.skip(str(why))
    running = Service(tmp_path_factory.mktemp("service") / "instance")
    yield running
    running.close()


@pytest.fixture(scope="module")
def pages(service: Service) -> dict[str, tuple[str, str]]:
    return looked_at.addresses(service, list(every_page.PAGES))


def test_the_validator_has_nothing_to_say_but_of_what_was_planted(pages: dict[str, tuple[str, str]]) -> None:
    found = looked_at.faults_of_html(pages, {"planted": PLANTED})
    assert [line for line in found if not line.startswith("planted:")] == []
    assert len(found) == 1


def test_every_page_has_full_marks_for_accessibility_and_practice_and_is_fast(
    pages: dict[str, tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    short = {}
    for one in looked_at.marks({n: p for n, p in pages.items() if n not in looked_at.UNLISTED}):
        with capsys.disabled():
            print(f"\n{one.name}: {one.marks}, {one.times} ms", end="")
        if one.marks[:2] != (100, 100) or one.marks[2] < FAST:
            short[one.name] = (one.marks, one.lost)
    assert short == {}
