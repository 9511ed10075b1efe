"""Leaflets: Markdown files with TOML front matter, checked, rendered to clean HTML and known by digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import tomli
from msgspec import Meta
from msgspec.structs import asdict, replace

from consult.documents.leaflet_text import body_faults, picture_faults, pictures_named, render, rendered
from consult.proforma.lines import of_place
from consult.proforma.load import ContentError, Problem, one_line_end, read_text
from consult.proforma.plain import why_no_toml
from consult.proforma.strict import Faulty, Strict, read

Format = Literal["a4", "a5", "large", "giant"]
FORMATS: Final[tuple[Format, ...]] = ("a4", "a5", "large", "giant")
FORMAT_LABELS: Final[dict[str, str]] = {
    "a4": "A4",
    "a5": "A5",
    "large": "Large print",
    "giant": "Very large print",
}
"""Large print is at least 16 point, very large print 24."""

_FENCE: Final = "+++"
_A_YEAR: Final = timedelta(days=366)

# What to write instead, by key of the front matter.
_WRITE: Final = {
    "id": 'write the folder\'s name in small letters and hyphens, such as id = "back-pain-core"',
    "title": 'write the title a reader sees, such as title = "Back pain and your work"',
    "version": 'write the version in quotation marks, such as version = "1.0"',
    "language": 'write the language tag that is also the file\'s name, such as language = "en"',
    "language_name": 'write what the language is called, such as language_name = "Polish", or leave the key out',
    "dir": 'write dir = "ltr" or, for a script read from right to left, dir = "rtl"',
    "owner": 'write who keeps the leaflet up to date, or owner = "Not yet named"',
    "status": 'write status = "draft" or status = "approved"',
    "approved_by": 'write the name of the clinician who approved it, or approved_by = "" while it is a draft',
    "approved_on": 'write the date without quotation marks, such as 2026-11-22, or approved_on = "" for a draft',
    "review_by": "write a date without quotation marks, such as review_by = 2027-11-01",
    "sources": 'write a list of citations, each with its address, such as sources = ["NG59: https://..."]',
    "formats": 'write one or more of formats = ["a4", "a5", "large", "giant"]',
    "translation_of": 'write what it was made from, such as translation_of = "back-pain-core/en", or leave the key out',
    "source_digest": "write the digest of the text it was made from, as `consult check` shows it",
    "translator": 'write who translated it, such as translator = "A name, a post"',
    "checked_by": 'write who translated it back as a check, or checked_by = "" if nobody has yet',
    "easy_read": "write easy_read = true, or leave the key out",
    "core": "write core = true for a leaflet that stands open on the consultation screen, or leave the key out",
    "audience": 'write audience = "employee" or audience = "manager"',
}


Filled = Annotated[str, Meta(pattern=r"\S")]
Citation = Annotated[str, Meta(pattern=r"https://\S")]


class FrontMatter(Strict, frozen=True, kw_only=True):
    """What stands above the text of a leaflet, between two lines of +++; a draft was approved on no day."""

    id: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")]
    title: Filled
    version: Annotated[str, Meta(pattern=r"^\d+(\.\d+)*\Z")]
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")]
    dir: Literal["ltr", "rtl"]
    owner: Filled
    status: Literal["draft", "approved"]
    approved_by: str
    approved_on: date | None
    review_by: date
    sources: Annotated[tuple[Citation, ...], Meta(min_length=1)]
    formats: Annotated[tuple[Format, ...], Meta(min_length=1)]
    translation_of: Annotated[str, Meta(pattern=r"^([a-z0-9-]+/[A-Za-z0-9-]+)?\Z")] = ""
    source_digest: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")] = ""
    translator: str = ""
    checked_by: str = ""
    language_name: str = ""
    easy_read: bool = False
    core: bool = False
    audience: Literal["employee", "manager"] = "employee"


class Leaflet(FrontMatter, frozen=True, kw_only=True):
    """One leaflet in one language; `digest` is the SHA-256 of its text, front matter and pictures included."""

    body: str
    digest: str
    text: str
    pictures: dict[str, str] = {}

    @property
    def in_language(self) -> str:
        """What the language is called, as the leaflet itself says; its tag where it says nothing."""
        return self.language_name.strip() or self.language

    @property
    def html(self) -> str:
        """The body as clean HTML, made once for each digest."""
        return rendered(self.digest, self.body, tuple(self.pictures.items()))

    @property
    def texts(self) -> dict[str, str]:
        """Its files as they are kept by digest: the text, and each picture under its name."""
        return {"text": self.text, **self.pictures}

    def may_print(self, today: date, confirmed_until: date | None = None) -> str | None:
        """Why this leaflet may not be printed today, or None.

        Past its review date it prints only as long as an administrator has confirmed it for.
        """
        if today <= max(self.review_by, confirmed_until or self.review_by):
            return None
        when = f"{self.review_by.day} {self.review_by:%B %Y}"
        return f"This leaflet passed its review date on {when}; have it reviewed, or give another leaflet."

    def moved_on(self, leaflets: Mapping[tuple[str, str], Leaflet]) -> str | None:
        """Why this translation or easy read version does not stand for its source any more, or None."""
        if not self.translation_of:
            return None
        name, _, language = self.translation_of.partition("/")
        source = leaflets.get((name, language))
        if source is not None and source.digest == self.source_digest:
            return None
        which = "easy read version" if self.language == language else "translation"
        if source is None:
            return f"The leaflet {self.translation_of}, which this {which} says it was made from, is not there."
        instead = "give the full one and read it together" if self.language == language else "use an interpreter"
        return f"The leaflet that this {which} was made from has changed since; {instead} until it is made again."

    def may_approve(self, today: date) -> str | None:
        """Why this leaflet may not be approved today, or None."""
        if self.review_by - today > _A_YEAR:
            return "Its review date is more than 12 months away; write an earlier review_by."
        return self.may_print(today)


Leaflets = dict[tuple[str, str], Leaflet]


def load(*folders: Path) -> Leaflets:
    """Every leaflet of the folders by (id, language); ContentError lists every problem of all files."""
    leaflets: Leaflets = {}
    problems: list[Problem] = []
    for folder in folders:
        for path in sorted(folder.glob("*/*.md")):
            try:
                leaflet = load_file(path)
            except ContentError as error:
                problems.extend(error.problems)
                continue
            if (leaflet.id, leaflet.language) in leaflets:
                problems.append(_twice(leaflet, path))
            leaflets[leaflet.id, leaflet.language] = leaflet
    if problems:
        raise ContentError(problems)
    return leaflets


def load_file(path: Path) -> Leaflet:
    """One leaflet file, whose folder bears its id and whose name is its language."""
    name = f"{path.parent.name}/{path.name}"
    try:
        text = read_text(path)
    except ContentError as error:
        raise ContentError([replace(p, file=name, id=path.parent.name) for p in error.problems]) from error
    pictures = {}
    for picture in pictures_named(text):
        if (path.parent / picture).is_file():
            pictures[picture] = read_text(path.parent / picture)
    leaflet = parse(text, name, pictures)
    if problems := list(_misplaced(leaflet, path, name)):
        raise ContentError(problems)
    return leaflet


def parse(text: str, file: str, pictures: Mapping[str, str] | None = None) -> Leaflet:
    """A leaflet from its texts, as read from files or kept from an earlier day; ContentError lists every problem."""
    return _parsed(text, file, tuple((pictures or {}).items()))


@lru_cache(maxsize=64)
def _parsed(text: str, file: str, named: tuple[tuple[str, str], ...]) -> Leaflet:
    text, pictures = canonical(text), dict(named)
    problems: list[Problem] = []
    raw, body, start = _split(text, file)
    known = raw.get("id") if isinstance(raw.get("id"), str) else file.partition("/")[0]
    front = _front(raw, problems, file, str(known), text)
    found = (*body_faults(body, start), *_picture_problems(body, pictures))
    problems.extend(Problem(file, str(known), sentence, _quoted_on(text, sentence)) for sentence in found)
    if front is None or problems:
        raise ContentError(problems)
    drawn = {name: canonical(svg) for name, svg in pictures.items()}
    return Leaflet(**asdict(front), body=body, digest=digest(text, drawn), text=text, pictures=drawn)


def _quoted_on(text: str, sentence: str) -> tuple[int, ...]:
    """The lines of a text that hold what a sentence about it quotes, or the picture it names."""
    told = re.search(r"'(?P<quoted>.+?)'|picture (?P<picture>[\w-]+\.\w+)", sentence)
    words = (told["quoted"] or told["picture"]) if told else ""
    return tuple(number for number, line in enumerate(text.split("\n"), 1) if words and words in line)


def from_kept(texts: Mapping[str, str], file: str) -> Leaflet:
    """A leaflet from the texts kept by digest."""
    return parse(texts.get("text", ""), file, {name: text for name, text in texts.items() if name != "text"})


def _picture_problems(body: str, pictures: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys(pictures_named(body)):
        if name not in pictures:
            yield f"The picture {name} is not there; put it beside the text."
    for name, svg in pictures.items():
        yield from picture_faults(name, svg)


def canonical(text: str) -> str:
    """The text as it is hashed: line ends of one kind, no byte-order mark, one line end at the end."""
    return one_line_end(text.removeprefix("\ufeff")).rstrip("\n") + "\n"


def digest(text: str, pictures: Mapping[str, str] | None = None) -> str:
    """The SHA-256 of a leaflet's canonical text, and of its pictures by name where it has any."""
    parts = [canonical(text), *(part for name, svg in sorted((pictures or {}).items()) for part in (name, svg))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _split(text: str, file: str) -> tuple[dict[str, Any], str, int]:
    """Front matter, body, and the number of the body's first line."""
    lines = text.split("\n")
    name = file.partition("/")[0]
    if lines[0].strip() != _FENCE or _FENCE not in (line.strip() for line in lines[1:]):
        sentence = "The front matter is missing; begin the file with a line +++ and end the front matter with another."
        raise ContentError([Problem(file, name, sentence)])
    end = next(number for number, line in enumerate(lines) if number and line.strip() == _FENCE)
    try:
        raw = tomli.loads("\n".join(lines[1:end]))
    except (ValueError, RecursionError) as error:  # ValueError: broken TOML, or a number of thousands of digits
        line, why = why_no_toml("\n".join(lines[1:end]), error)
        sentence = f"The front matter is not valid TOML: {why}."
        raise ContentError([Problem(file, name, sentence, (line + 1,) * bool(line))]) from error
    return raw, "\n".join(lines[end + 1 :]), end + 2


def _front(raw: dict[str, Any], problems: list[Problem], file: str, known: str, text: str) -> FrontMatter | None:
    try:
        front = read(FrontMatter, raw | ({"approved_on": None} if raw.get("approved_on") == "" else {}), (date,))
    except Faulty as error:
        keys = {str(fault.at[0]): fault.kind for fault in reversed(error.faults)}
        problems.extend(
            Problem(file, known, _sentence(key, kind), of_place(text, (key,))) for key, kind in sorted(keys.items())
        )
        return None
    problems.extend(Problem(file, known, sentence) for sentence in _approval_faults(front))
    return front


def _sentence(key: str, kind: str) -> str:
    if kind == "unknown":
        return f"The key {key} is not known; remove it, or correct it to one of: {', '.join(_WRITE)}."
    what = "is missing" if kind == "missing" else "is not right"
    return f"The key {key} {what}; {_WRITE[key]}."


def _approval_faults(front: FrontMatter) -> Iterator[str]:
    signed = (bool(front.approved_by.strip()), front.approved_on is not None)
    if front.status == "draft" and any(signed):
        yield 'A draft names no approval; write approved_by = "" and approved_on = "", or status = "approved".'
    if front.status == "approved" and not all(signed):
        yield 'An approved leaflet names its approval; fill in approved_by and approved_on, or write status = "draft".'
    if (
        front.status == "approved"
        and front.approved_on is not None
        and not (front.approved_on < front.review_by <= front.approved_on + _A_YEAR)
    ):
        yield "The review date is not within 12 months after the approval; write an earlier or later review_by."
    if front.translation_of and not front.source_digest:
        yield f"What this was made from is named without its digest; {_WRITE['source_digest']}."
    if front.translation_of and not front.translation_of.endswith(f"/{front.language}") and not front.translator:
        yield f"A translation names its translator; {_WRITE['translator']}."
    if len(set(front.formats)) < len(front.formats):
        yield f"A format stands twice; {_WRITE['formats']}."


def _misplaced(leaflet: Leaflet, path: Path, name: str) -> Iterator[Problem]:
    folder, stem = path.parent.name, path.stem
    if leaflet.id != folder:
        sentence = f"The folder is called {folder}; write that as the id, or rename the folder to {leaflet.id}."
        yield Problem(name, leaflet.id, sentence)
    if leaflet.language != stem:
        sentence = f'The file is called {path.name}; write language = "{stem}", or rename it to {leaflet.language}.md.'
        yield Problem(name, leaflet.id, sentence)
    if not leaflet.language.startswith("en") and not leaflet.translation_of:
        written = _WRITE["translation_of"].removesuffix(", or leave the key out")
        sentence = f"A leaflet that is not in English names the English one; {written}."
        yield Problem(name, leaflet.id, sentence)


def _twice(leaflet: Leaflet, path: Path) -> Problem:
    sentence = f"The leaflet {leaflet.id} in language {leaflet.language} is there already; give this one another id."
    return Problem(f"{path.parent.name}/{path.name}", leaflet.id, sentence)


__all__ = ["FORMATS", "FORMAT_LABELS", "Leaflet", "Leaflets", "digest", "load", "load_file", "parse", "render"]
