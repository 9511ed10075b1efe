"""A leaflet as tagged PDF against its own Markdown made into HTML anew: ratios of processor time in one run."""

import papers

from consult.documents.leaflet import load_file

NEW, CACHED = 5, 0.375
"""20 ms and 1.5 ms over the 4 ms that the HTML of the core leaflet may take, and takes."""


def test_a_leaflet_keeps_to_its_bounds() -> None:
    found = papers.least(papers.acts(load_file(papers.LEAFLET)), 12)
    html = found["text of the leaflet as HTML, new"]
    assert found["tagged PDF, new"] <= NEW * html
    assert found["tagged PDF, from cache"] <= CACHED * html
    assert found["text of the leaflet as HTML, from cache"] <= 0.25 * html
