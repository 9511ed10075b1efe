"""A leaflet as page and as tagged PDF against the Markdown library alone: ratios of processor time in one run."""

import papers

from consult.documents.leaflet import load_file

NEW_PAGE, CACHED_PAGE, NEW, CACHED = 0.94, 0.235, 4.7, 0.35
"""4 ms, 1 ms, 20 ms and 1.5 ms over the 4.3 ms that the library takes where nothing else runs (docs/performance.md)."""


def test_a_leaflet_keeps_to_its_bounds() -> None:
    found = papers.least(papers.acts(load_file(papers.LEAFLET)), 50)
    yard = found[papers.YARD]
    assert found["text of the leaflet as HTML, new"] <= NEW_PAGE * yard
    assert found["text of the leaflet as HTML, from cache"] <= CACHED_PAGE * yard
    assert found["tagged PDF, new"] <= NEW * yard
    assert found["tagged PDF, from cache"] <= CACHED * yard
