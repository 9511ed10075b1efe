"""The pages of the guides: links lead somewhere, commands exist, the words are ours."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from consult.cli import main

ROOT = Path(__file__).resolve().parents[2]
TOP = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
PAGES = [*(ROOT / name for name in TOP), *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[(?:[^\]]|\n)*?\]\(([^)\s]+)\)")
AMERICAN = re.compile(
    r"\b(organiz|coloriz|recogniz|summariz|analyz|behavior|color|center|favor|honor|labor\b|catalog\b|canceled|labeled"
    r"|modeled|fulfill\b|gray|meters?\b|practiced|gotten|anesthe|pediatr|orthopedic)\w*",
    re.IGNORECASE,
)
CLAIMS = re.compile(r"\b(alert|detect|triag|predict|diagnos)\w*", re.IGNORECASE)
DENIAL = re.compile(r"\b(not|never|no|nor)\b", re.IGNORECASE)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())


def prose(page: Path) -> str:
    """The text of a page without code and without the addresses of links."""
    text = FENCE.sub("", page.read_text("utf-8"))
    return re.sub(r"\]\([^)]*\)|https?://\S+", "]", re.sub(r"`[^`]*`", "", text))


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?:])\s+|\n\s*\n|\n(?=[|*#])", text)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def shell_lines(page: Path) -> list[str]:
    """The command lines in the blocks of a page."""
    blocks = [text for info, text in FENCE.findall(page.read_text("utf-8")) if info.split(" ")[0] in ("", "sh")]
    return [line for text in blocks for line in text.splitlines() if line.strip()]


@every_page
def test_every_link_to_a_file_resolves(page: Path) -> None:
    targets = [t for t in LINK.findall(FENCE.sub("", page.read_text("utf-8"))) if "://" not in t]
    for target in targets:
        file, _, anchor = target.partition("#")
        found = (page.parent / file).resolve() if file else page
        assert found.is_relative_to(ROOT), target
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def consult_lines(page: Path) -> Iterator[str]:
    """Every call of `consult` in blocks and in running text."""
    yield from (line for line in shell_lines(page) if line.startswith("consult "))
    text = FENCE.sub("", page.read_text("utf-8"))
    yield from re.findall(r"`(consult [a-z-][^`]*)`", text)


def parse(command: click.Command, arguments: list[str], path: str = "consult") -> None:
    """Read a command line as `consult` would, without doing it."""
    context = click.Context(command, info_name=path)
    _, rest, _ = command.make_parser(context).parse_args(arguments)
    if isinstance(command, click.Group) and rest:
        below = command.get_command(context, rest[0])
        assert below is not None, f"there is no command {path} {rest[0]}"
        parse(below, rest[1:], f"{path} {rest[0]}")


@every_page
def test_every_consult_command_is_one(page: Path) -> None:
    for line in consult_lines(page):
        try:
            parse(main, shlex.split(line)[1:])
        except click.UsageError as error:
            if not isinstance(error, click.MissingParameter):
                pytest.fail(f"{line}: {error.format_message()}")


@every_page
def test_every_do_command_is_one(page: Path) -> None:
    spec = importlib.util.spec_from_file_location("do_py", ROOT / "do.py")
    assert spec is not None
    assert spec.loader is not None
    do_py = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(do_py)
    for line in shell_lines(page):
        if line.startswith("python3 do.py "):
            do_py.arguments().parse_known_args(shlex.split(line)[2:])


@every_page
def test_the_spelling_is_british(page: Path) -> None:
    assert [found[0] for found in AMERICAN.finditer(prose(page))] == []


@every_page
def test_nothing_is_claimed_about_findings(page: Path) -> None:
    """The words stand only where a page says what the tool does not do."""
    claims = [s for s in sentences(prose(page)) if CLAIMS.search(s) and not DENIAL.search(s)]
    assert claims == []


def test_the_readme_says_what_the_tool_is_not() -> None:
    text = " ".join((ROOT / "README.md").read_text("utf-8").split())
    for words in ("not a medical device", "content is a draft", "No Clinical Safety Officer has approved a release"):
        assert words in text
    assert "it was not run there" in text


def test_the_pictures_are_there_and_used() -> None:
    pictures = {p.name for p in (ROOT / "docs" / "pictures").glob("*.png")}
    named = {n for page in PAGES for n in re.findall(r"!\[[^\]]*\]\([^)]*?([\w-]+\.png)\)", page.read_text("utf-8"))}
    assert named == pictures
