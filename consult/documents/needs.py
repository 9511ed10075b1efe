"""What employees may need to read by, as needs.toml words it, and which need a leaflet handed over does not meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from consult.documents.leaflet import FORMATS, Leaflet, Leaflets
from consult.proforma.load import ContentError, parse, problems_in, read_text
from consult.proforma.strict import Strict
from consult.record.reading import Need

FILE: Final = "needs.toml"
RANK: Final[dict[str, int]] = {format_: at for at, format_ in enumerate(FORMATS)}


class Size(Strict, frozen=True, kw_only=True):
    """A size of print: the format of leaflets in it, and its words."""

    code: str
    label: str


class Needs(Strict, frozen=True, kw_only=True):
    """The words of needs and of the reasons for which one is not met, by code."""

    version: str
    sizes: tuple[Size, ...]
    languages: dict[str, str]
    others: dict[str, str]
    reasons: dict[str, str]

    def word(self, code: str) -> str:
        """A single need in words; the code where it is not known any more."""
        kind, _, of = code.partition(":")
        sizes = {size.code: size.label for size in self.sizes}
        known: Mapping[str, str] = {"size": sizes, "language": self.languages, "other": self.others}.get(kind, {})
        return "Easy read" if code == "easy_read" else known.get(of, of)

    def words(self, need: Need) -> str:
        """All that an employee needs, in words."""
        return "; ".join(map(self.word, need.codes))


def load(folders: tuple[Path, ...]) -> Needs:
    """The needs of the last of these folders that has them; ContentError lists every problem."""
    return parse_needs(read_text([f / FILE for f in folders if (f / FILE).exists()][-1]))


@lru_cache(maxsize=4)
def parse_needs(text: str) -> Needs:
    """The needs in a text; ContentError lists every problem."""
    found = parse(Needs, text, FILE)
    if problems := problems_in(FILE, text, _check(found)):
        raise ContentError(problems)
    return found


def _check(found: Needs) -> Iterator[tuple[str, str]]:
    for size in found.sizes:
        if size.code not in FORMATS:
            yield size.code, f"is no format of leaflets; write one of {', '.join(FORMATS)}"
    if not found.reasons:
        yield "reasons", "has no reason to choose from; write at least one"


def not_met(need: Need, given: Mapping[str, Any], leaflets: Leaflets) -> tuple[str, ...]:
    """The needs that a leaflet given does not meet, by the step that tells of it; of a link the size is free."""
    leaflet = leaflets.get((given["leaflet"], given["language"]))
    if leaflet is not None and leaflet.audience != "employee":
        return ()
    on_paper = given.get("form") != "link"
    small = on_paper and RANK.get(given["format"], 0) < RANK.get(need.size, 0)
    met = {
        f"size:{need.size}": not small,
        f"language:{need.language}": given["language"].partition("-")[0] == need.language,
        "easy_read": leaflet is not None and leaflet.easy_read,
        "other:electronic": not on_paper,
    }
    return tuple(code for code in need.codes if not met.get(code, False))


def chosen_format(need: Need | None, formats: tuple[str, ...]) -> str:
    """The format that stands chosen for an employee: what is needed, else the next larger one; "" where none is."""
    if need is None or not need.size:
        return ""
    enough = [one for one in formats if RANK.get(one, 0) >= RANK[need.size]]
    return min(enough, key=lambda one: RANK[one], default="")


def wanted_format(need: Need | None, leaflet: Leaflet) -> str:
    """The format of a leaflet that stands chosen; "" for one that is not for the employee."""
    return chosen_format(need, leaflet.formats) if leaflet.audience == "employee" else ""


def comes_first(need: Need | None, leaflets: Leaflets) -> set[tuple[str, str]]:
    """The leaflets that an employee's needs bring forward: easy read ones, and those in the language needed."""
    if need is None:
        return set()
    return {
        key
        for key, one in leaflets.items()
        if one.audience == "employee"
        and ((need.easy_read and one.easy_read) or (need.language and key[1].partition("-")[0] == need.language))
    }
