"""What pages that need no application are written with: templates, and the style that stands in the page itself."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from consult.documents.blocks import blocks
from consult.documents.words import DRAFT, uk_date


@cache
def templates() -> Environment:
    """The templates. `kind` is the name of the class of a part in small letters; `DRAFT` is what a draft says."""
    loader = PackageLoader("consult")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(kind=lambda part: type(part).__name__.lower(), uk_date=uk_date, blocks=blocks)
    made.globals["DRAFT"] = DRAFT
    return made


def static(name: str) -> str:
    """The text of a style or script, to stand in a page."""
    return files("consult").joinpath("static", name).read_text("utf-8")
