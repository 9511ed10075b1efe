"""A set of slides as data, and as a page that shows one after the other: from the same figures as the office file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from consult.audit import charts
from consult.audit.charts import Rate, RowChart
from consult.documents import saved_page
from consult.documents.evidence import Stamp


class Chart(Struct, frozen=True):
    """Rates with their intervals, and the published figures and targets beside them; `about` describes it in words.

    `key` says what the marks mean, as (shape, words), in the order of the series.
    """

    title: str
    about: str
    rates: tuple[Rate, ...]
    key: tuple[tuple[str, str], ...]

    @property
    def drawn(self) -> list[RowChart]:
        """The chart of the page, in each frame."""
        return charts.row_charts(self.rates)


class Grid(Struct, frozen=True):
    """A table of a slide, small enough to be read from the back of a room; `widths` are shares of the columns."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]


class Slide(Struct, frozen=True):
    """One slide: its title, what stands first on it, a chart or a table, and the notes of who speaks."""

    title: str
    lines: tuple[str, ...]
    shown: Chart | Grid | None = None
    notes: tuple[str, ...] = ()


class Deck(Struct, frozen=True):
    """The slides of a round, with what each of them bears at its foot."""

    title: str
    stamp: Stamp
    key: str
    slides: tuple[Slide, ...]
    draft: bool = False


def html(deck: Deck) -> str:
    """The slides as one page that needs nothing else: it scrolls, goes by keys, and prints one slide a page."""
    return "".join(pieces(deck))


def pieces(
    deck: Deck, static: Callable[[str], str] | None = None, onward: tuple[tuple[str, str], ...] = ()
) -> Iterator[str]:
    """The page of the slides; `static` gives the addresses of style and script, which else stand in the page.

    `onward` are links of the page, as (address, words).
    """
    style, script = ("", "") if static else map(saved_page.static, ("deck.css", "deck.js"))
    template = saved_page.templates().get_template("evidence/deck.html")
    yield from template.generate(deck=deck, static=static, style=style, script=script, onward=onward)
