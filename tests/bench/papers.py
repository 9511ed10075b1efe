"""Milliseconds of a leaflet as page and as tagged PDF, new and from cache: `python tests/bench/papers.py`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from time import perf_counter, process_time

import markdown

from consult.content import content_root
from consult.documents.leaflet import Leaflet, load_file
from consult.documents.leaflet_pdf import Look, leaflet_pdf, leaflet_sheet
from consult.documents.leaflet_text import render, rendered
from consult.documents.pdf import pdf

YARD = "the Markdown library alone, made anew"
"""What the bounds are held against: it takes 4 ms on the machine they were set on, and is none of our code."""
LEAFLET = content_root("leaflets") / "back-pain-core" / "en.md"


def acts(leaflet: Leaflet) -> dict[str, Callable[[], object]]:
    """What is compared; each new PDF differs in its date, so that typst has not set its foot before."""
    days = count(1)
    kept = Look("a4", "1 January 2030", draft=True)
    leaflet_pdf(leaflet, kept)
    pictures = tuple(leaflet.pictures.items())
    return {
        YARD: lambda: markdown.markdown(leaflet.body, extensions=["attr_list", "sane_lists"]),
        "text of the leaflet as HTML, new": lambda: render(leaflet.body, leaflet.pictures),
        "text of the leaflet as HTML, from cache": lambda: rendered(leaflet.digest, leaflet.body, pictures),
        "tagged PDF, new": lambda: pdf(leaflet_sheet(leaflet, Look("a4", f"day {next(days)}", draft=True))),
        "tagged PDF, from cache": lambda: leaflet_pdf(leaflet, Look("a4", "1 January 2030", draft=True)),
    }


def least(found: dict[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """The least time of each act in milliseconds, all of them done in turns.

    On a machine with nothing else to do an act takes no longer than the clock says here, which other programs prolong,
    and no longer than the processor worked for it, which counts the threads of typst twice: the lesser of both is told.
    """
    times: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(turns):
        for name, act in found.items():
            worked, began = process_time(), perf_counter()
            act()
            times[name] += [(process_time() - worked) * 1000, (perf_counter() - began) * 1000]
    return {name: min(taken[2:]) for name, taken in times.items()}


if __name__ == "__main__":
    for name, milliseconds in least(acts(load_file(LEAFLET)), 30).items():
        print(f"{name:45}{milliseconds:8.3f} ms")
