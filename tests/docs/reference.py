"""The parts of the guides that are made from the program: its commands, and the fields of a case.

`python tests/docs/reference.py` writes them again between their marks; the tests hold them to the program.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from consult.cli import EXIT_CODES, main
from consult.proforma.dataset import Dataset, Field
from consult.proforma.load import parse, read_text

ROOT = Path(__file__).resolve().parents[2]
DATASET = ROOT / "proformas" / "back-pain" / "dataset.toml"
TYPES = {
    "text": "text",
    "code": "a code",
    "date": "a date",
    "choice": "one of these codes",
    "choices": "any of these codes, with semicolons between",
}


def commands(group: click.Group = main, path: str = "consult") -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it; groups stand before their commands."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def command_pages() -> str:
    """What each command says of itself, without what all of them share."""
    parts = []
    for path, command in commands():
        parts += [f"### {path}", "", *_paragraphs(command.help or ""), ""]
        if not isinstance(command, click.Group):
            parts += ["```text", _usage(path, command), "```", ""]
        if rows := [row for param in command.params if (row := _row(param))]:
            parts += ["| Option | Meaning |", "|---|---|", *rows, ""]
    return "\n".join(parts)


def _paragraphs(text: str) -> list[str]:
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n")).splitlines()


def _usage(path: str, command: click.Command) -> str:
    return " ".join([path, *command.collect_usage_pieces(click.Context(command))])


def _row(param: click.Parameter) -> str:
    if not isinstance(param, click.Option) or param.name in ("help", "instance"):
        return ""
    record = param.get_help_record(click.Context(main))
    if record is None:
        return ""
    names, words = record
    return f"| `{_cell(names)}` | {_cell(words)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def dataset() -> Dataset:
    """The data set that comes with the program."""
    return parse(Dataset, read_text(DATASET), DATASET.name, "fields")


def case_fields() -> str:
    """One row for each field of a case, in the order of the case file."""
    rows = ["| Field | What it holds | Codes |", "|---|---|---|"]
    for field in dataset().fields:
        codes = ", ".join(f"`{option}`" for option in field.options)
        rows.append(f"| `{field.name}` | {_meaning(field)} | {codes or TYPES[field.type]} |")
    return "\n".join([*rows, ""])


def _meaning(field: Field) -> str:
    meaning = field.meaning if field.meaning != "Semicolon-separated" else ""
    notes = [
        f"{_cell(meaning)}." if meaning else "",
        "Needed." if field.required else "",
        "Several codes, with semicolons between." if field.type == "choices" else "",
        f"A signed consultation writes `{field.blank_as}` where nothing was recorded." if field.blank_as else "",
        "Blank in a live case." if field.never_live else "",
        "Stays inside the provider." if field.never_leaves else "",
    ]
    return " ".join(filter(None, notes))


PARTS = {
    ROOT / "docs" / "command-line.md": {"commands": command_pages, "exit codes": lambda: EXIT_CODES + "\n"},
    ROOT / "docs" / "case-files.md": {"fields": case_fields},
}


def written(page: Path, part: str) -> str:
    """What stands between the marks of a part."""
    return _marked(part).search(page.read_text("utf-8"))[2]  # type: ignore[index]


def _marked(part: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {part}: made by tests/docs/reference.py -->\n)(.*?)(<!-- end of {part} -->)", re.DOTALL)


def write() -> None:
    """Write every part again."""
    for page, parts in PARTS.items():
        text = page.read_text("utf-8")
        for part, make in parts.items():
            made = make()
            text = _marked(part).sub(lambda found, made=made: found[1] + made + found[3], text)  # type: ignore[misc]
        page.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
