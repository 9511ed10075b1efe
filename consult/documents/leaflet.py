"""Leaflets: Markdown files with TOML front matter, checked, rendered to clean HTML and known by digest."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import markdown
import nh3
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from consult.proforma.load import ContentError, Problem, read_text

Format = Literal["a4", "a5", "large"]
FORMATS: Final[tuple[Format, ...]] = ("a4", "a5", "large")
PARTS: Final = ("key", "page", "emergency", "today", "soon")
SCHEMES: Final = ("https://", "mailto:", "tel:")

_TAGS: Final = {"p", "h2", "h3", "ul", "ol", "li", "strong", "em", "a", "br"}
_ATTRIBUTES: Final = {"a": {"href"}}
_CLASSES: Final = {"h2": set(PARTS)}
_FENCE: Final = "+++"
_RAW_HTML: Final = re.compile(r"<(?=[A-Za-z/!?])[^>\s]*>?")
_A_YEAR: Final = timedelta(days=366)

# What to write instead, by key of the front matter.
_WRITE: Final = {
    "id": 'write the folder\'s name in small letters and hyphens, such as id = "back-pain-core"',
    "title": 'write the title a reader sees, such as title = "Back pain and your work"',
    "version": 'write the version in quotation marks, such as version = "1.0"',
    "language": 'write the language tag that is also the file\'s name, such as language = "en"',
    "dir": 'write dir = "ltr" or, for a script read from right to left, dir = "rtl"',
    "owner": 'write who keeps the leaflet up to date, or owner = "Not yet named"',
    "status": 'write status = "draft" or status = "approved"',
    "approved_by": 'write the name of the clinician who approved it, or approved_by = "" while it is a draft',
    "approved_on": 'write the date without quotation marks, such as 2026-11-22, or approved_on = "" for a draft',
    "review_by": "write a date without quotation marks, such as review_by = 2027-11-01",
    "sources": 'write a list of citations, each with its address, such as sources = ["NG59: https://..."]',
    "formats": 'write one or more of formats = ["a4", "a5", "large"]',
}


class FrontMatter(BaseModel):
    """What stands above the text of a leaflet, between two lines of +++."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    title: Annotated[str, Field(pattern=r"\S")]
    version: Annotated[str, Field(pattern=r"^\d+(\.\d+)*$")]
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    dir: Literal["ltr", "rtl"]
    owner: Annotated[str, Field(pattern=r"\S")]
    status: Literal["draft", "approved"]
    approved_by: str
    approved_on: date | Literal[""]
    review_by: date
    sources: Annotated[tuple[Annotated[str, Field(pattern=r"https://\S")], ...], Field(strict=False, min_length=1)]
    formats: Annotated[tuple[Format, ...], Field(strict=False, min_length=1)]


class Leaflet(FrontMatter):
    """One leaflet in one language; `digest` is the SHA-256 of its canonical text, front matter included."""

    body: str
    digest: str
    text: str

    @property
    def html(self) -> str:
        """The body as clean HTML, made once for each digest."""
        return _rendered(self.digest, self.body)

    def may_print(self, today: date) -> str | None:
        """Why this leaflet may not be printed today, or None."""
        if today <= self.review_by:
            return None
        when = f"{self.review_by.day} {self.review_by:%B %Y}"
        return f"This leaflet passed its review date on {when}; have it reviewed, or give another leaflet."

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
        raise ContentError([Problem(name, path.parent.name, p.sentence) for p in error.problems]) from error
    leaflet = parse(text, name)
    if problems := list(_misplaced(leaflet, path, name)):
        raise ContentError(problems)
    return leaflet


def parse(text: str, file: str) -> Leaflet:
    """A leaflet from its text, as read from a file or kept from an earlier day; ContentError lists every problem."""
    text = canonical(text)
    problems: list[Problem] = []
    raw, body, start = _split(text, file)
    known = raw.get("id") if isinstance(raw.get("id"), str) else file.partition("/")[0]
    front = _front(raw, problems, file, str(known))
    problems.extend(Problem(file, str(known), sentence) for sentence in _body_faults(body, start))
    if front is None or problems:
        raise ContentError(problems)
    return Leaflet(**front.model_dump(), body=body, digest=digest(text), text=text)


def canonical(text: str) -> str:
    """The text as it is hashed: line ends of one kind, no byte-order mark, one line end at the end."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"


def digest(text: str) -> str:
    """The SHA-256 of a leaflet's canonical text."""
    return hashlib.sha256(canonical(text).encode()).hexdigest()


def render(body: str) -> str:
    """Markdown to clean HTML: one section for each second-level heading, and nothing that could run."""
    schemes = {scheme.rstrip(":/") for scheme in SCHEMES}
    html = _to_html(body)
    clean = nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, allowed_classes=_CLASSES, url_schemes=schemes)
    first, *rest = re.split(r"(?=<h2[ >])", clean)
    return first + "".join(_section(part) for part in rest)


@lru_cache(maxsize=256)
def _rendered(_digest: str, body: str) -> str:
    return render(body)


def _section(part: str) -> str:
    kind = re.match(r'<h2 class="([a-z ]*)">', part)
    opening = f'<section class="{kind[1]}">' if kind else "<section>"
    return f"{opening}\n{re.sub(r'^<h2[^>]*>', '<h2>', part).rstrip()}\n</section>\n"


def _to_html(body: str) -> str:
    converter = markdown.Markdown(extensions=["attr_list", "sane_lists"], output_format="html")
    # Raw HTML becomes plain text here, whatever the check and the cleaning do.
    converter.preprocessors.deregister("html_block")
    converter.inlinePatterns.deregister("html")
    return converter.convert(body)


def _split(text: str, file: str) -> tuple[dict[str, Any], str, int]:
    """Front matter, body, and the number of the body's first line."""
    lines = text.split("\n")
    name = file.partition("/")[0]
    if lines[0].strip() != _FENCE or _FENCE not in (line.strip() for line in lines[1:]):
        sentence = "The front matter is missing; begin the file with a line +++ and end the front matter with another."
        raise ContentError([Problem(file, name, sentence)])
    end = next(number for number, line in enumerate(lines) if number and line.strip() == _FENCE)
    try:
        raw = tomllib.loads("\n".join(lines[1:end]))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ContentError([Problem(file, name, f"The front matter is not valid TOML: {error}.")]) from error
    return raw, "\n".join(lines[end + 1 :]), end + 2


def _front(raw: dict[str, Any], problems: list[Problem], file: str, known: str) -> FrontMatter | None:
    try:
        front = FrontMatter.model_validate(raw)
    except ValidationError as error:
        keys = {str(fault["loc"][0]): fault["type"] for fault in reversed(error.errors())}
        problems.extend(Problem(file, known, _sentence(key, kind)) for key, kind in sorted(keys.items()))
        return None
    problems.extend(Problem(file, known, sentence) for sentence in _approval_faults(front))
    return front


def _sentence(key: str, kind: str) -> str:
    if kind == "extra_forbidden":
        return f"The key {key} is not known; remove it, or correct it to one of: {', '.join(_WRITE)}."
    what = "is missing" if kind == "missing" else "is not right"
    return f"The key {key} {what}; {_WRITE[key]}."


def _approval_faults(front: FrontMatter) -> Iterator[str]:
    signed = (bool(front.approved_by.strip()), front.approved_on != "")
    if front.status == "draft" and any(signed):
        yield 'A draft names no approval; write approved_by = "" and approved_on = "", or status = "approved".'
    if front.status == "approved" and not all(signed):
        yield 'An approved leaflet names its approval; fill in approved_by and approved_on, or write status = "draft".'
    if (
        front.status == "approved"
        and front.approved_on != ""
        and not (front.approved_on < front.review_by <= front.approved_on + _A_YEAR)
    ):
        yield "The review date is not within 12 months after the approval; write an earlier or later review_by."
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


def _twice(leaflet: Leaflet, path: Path) -> Problem:
    sentence = f"The leaflet {leaflet.id} in language {leaflet.language} is there already; give this one another id."
    return Problem(f"{path.parent.name}/{path.name}", leaflet.id, sentence)


def _body_faults(body: str, start: int) -> Iterator[str]:
    if not body.strip():
        yield "The leaflet has no text; write it in Markdown below the second +++."
    raw_html = False
    for number, line in enumerate(body.split("\n"), start):
        for found in _RAW_HTML.findall(line):
            raw_html = True
            yield f"Line {number} holds raw HTML ({found}); write it in Markdown, without angle brackets."
    if not raw_html:
        yield from _Forbidden.found_in(_to_html(body))


class _Forbidden(HTMLParser):
    """Lists what the cleaning would remove, so that an author learns of it instead of losing it."""

    _INSTEAD: Final = {
        "h1": "the title comes from the front matter, so begin headings with ##",
        "img": "leaflets hold no pictures yet, so leave it out",
    }

    def __init__(self) -> None:
        super().__init__()
        self.sentences: list[str] = []

    @classmethod
    def found_in(cls, html: str) -> list[str]:
        parser = cls()
        parser.feed(html)
        parser.close()
        return parser.sentences

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            instead = self._INSTEAD.get(tag, "use paragraphs, ## headings, lists, bold and links only")
            self.sentences.append(f"The text makes a <{tag}> element; {instead}.")
            return
        for name, value in attrs:
            self._attribute(tag, name, (value or "").strip())

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if (tag, name) == ("a", "href"):
            if not value.lower().startswith(SCHEMES):
                self.sentences.append(f"The link to {value!r} is refused; write an address that begins with https://.")
        elif (tag, name) == ("h2", "class"):
            if unknown := sorted(set(value.split()) - set(PARTS)):
                self.sentences.append(f"The heading mark {unknown[0]!r} is not known; use one of: {', '.join(PARTS)}.")
        else:
            self.sentences.append(f"The attribute {name} on <{tag}> is refused; put marks only on ## headings.")
