"""Damage to a database file: flipped bits (anywhere, in its schema, in each table), swapped pages, a lost end.

Run as a program it is the one that looks at damaged files, in a process of its own, since one that reads damage could
die of it: for each damage a line of JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from consult.cli import main as consult
from consult.instance import database_file
from consult.proving import read_only
from consult.record.database import sqlite3
from consult.record.tables import ACCOUNT
from consult.serving import Address, application

PAGE = 4096
Damage = Callable[[bytearray, random.Random], str]


def flip(content: bytearray, draw: random.Random) -> str:
    """One bit flips."""
    at, bit = draw.randrange(len(content)), draw.randrange(8)
    content[at] ^= 1 << bit
    return f"bit {bit} of byte {at} (page {at // PAGE + 1})"


def schema(content: bytearray, draw: random.Random) -> str:
    """One bit flips among the pages that hold the schema: a table or a column is called otherwise."""
    pages = [n for n in range(len(content) // PAGE) if b"CREATE T" in content[n * PAGE : (n + 1) * PAGE]]
    at, bit = draw.choice(pages) * PAGE + draw.randrange(PAGE), draw.randrange(8)
    content[at] ^= 1 << bit
    return f"bit {bit} of byte {at} (page {at // PAGE + 1})"


def header(content: bytearray, draw: random.Random) -> str:
    """One bit flips in the 100 bytes that say what the file is: its kind, its pages, its schema version."""
    at, bit = draw.randrange(100), draw.randrange(8)
    content[at] ^= 1 << bit
    return f"bit {bit} of byte {at}"


@cache
def tables_of(content: bytes) -> list[tuple[str, int]]:
    """The tables of a database with the page that each begins on."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "healthy.db"
        file.write_bytes(content)
        with closing(sqlite3.connect(str(file))) as conn:
            query = "SELECT name, rootpage FROM sqlite_master WHERE type = 'table' ORDER BY name"
            return [(str(name), int(page)) for name, page in conn.execute(query)]


def rows_of_each(content: bytearray, draw: random.Random) -> str:
    """One bit flips in what is written on a page of rows, each table as often as any other, however few rows it has."""
    name, page = draw.choice(tables_of(bytes(content)))
    while (kind := content[(at := (page - 1) * PAGE)]) in (2, 5):  # down to a page of rows
        cells = range(at + 12, at + 12 + 2 * int.from_bytes(content[at + 3 : at + 5], "big"), 2)
        cell = at + int.from_bytes(content[(one := draw.choice(cells)) : one + 2], "big")
        page = int.from_bytes(content[cell : cell + 4], "big")
    assert kind in (10, 13), f"{name} begins on no page of a tree"
    byte, bit = draw.choice([n for n in range(at, at + PAGE) if content[n]]), draw.randrange(8)
    content[byte] ^= 1 << bit
    return f"bit {bit} of byte {byte} (page {page}, {name})"


def swap(content: bytearray, draw: random.Random) -> str:
    """Two pages change places."""
    one, other = draw.sample(range(len(content) // PAGE), 2)
    first, second = (slice(n * PAGE, (n + 1) * PAGE) for n in (one, other))
    content[first], content[second] = content[second], content[first]
    return f"pages {one + 1} and {other + 1}"


def cut(content: bytearray, draw: random.Random) -> str:
    """The file ends early."""
    size = draw.randrange(len(content))
    del content[size:]
    return f"cut off at {size}"


def account(content: bytearray, draw: random.Random) -> str:
    """One bit flips in the account of migrations, the one table that is the library's: its statement, or its rows."""
    begin = content.index(f'CREATE TABLE "{ACCOUNT}"'.encode())
    statement = range(begin, content.index(b")", begin))
    page = range(*(content.index(b"m0001_step_log") // PAGE * PAGE + n for n in (0, PAGE)))
    at, bit = draw.choice([*statement, *(n for n in page if content[n])]), draw.randrange(8)
    content[at] ^= 1 << bit
    return f"bit {bit} of byte {at} (page {at // PAGE + 1})"


DAMAGES: dict[str, Damage] = {
    "flip": flip,
    "schema": schema,
    "header": header,
    "account": account,
    "rows": rows_of_each,
    "swap": swap,
    "cut": cut,
}
CAPTURED = ("live", "retrospective")
COMMANDS = (
    ["doctor"],
    ["results", "--capture", "live"],
    ["cases", "export", "-"],
    ["backup", "COPY"],
    ["rebuild"],
    ["verify"],
)


@dataclass
class Seen:
    """What was found of one damage: by the integrity check alone, and by `consult verify`.

    `same` says whether the results are the true ones (None where they were refused), `held` in which tables the rows
    are not as they were (only looked up where nothing was found). `wrong` lists what must never happen.
    """

    number: int
    damage: str
    integrity: bool
    verified: bool
    said: str
    same: bool | None = None
    held: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def said(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, what was written, and the last sentence; whatever is raised shows as a code below 0."""
    result = CliRunner().invoke(consult, ["--instance", str(folder), *arguments])
    code = result.exit_code if isinstance(result.exception, SystemExit | None) else -1
    last = (result.stderr.strip().splitlines() or [""])[-1] if code else ""
    return code, result.stdout, last if code >= 0 else repr(result.exception)


def wrong_in(name: str, code: int, last: str) -> list[str]:
    """What a command must not do with a damaged file: end in another way than well or with one sentence."""
    if code not in (0, 1) or "Traceback" in last:
        return [f"{name}: exit code {code}, {last}"]
    if code == 1 and not (last.startswith("Error: ") and last[-1] in ".!"):
        return [f"{name}: no sentence, {last}"]
    if "unforeseen" in last:
        return [f"{name}: {last}"]
    return []


def serve_starts(folder: Path) -> list[str]:
    """A server starts on it, or refuses as the command line turns into a sentence."""
    from consult.commands import place

    try:
        app = application(folder, Address())
        app.extensions["consult"].close()
    except Exception as error:
        return wrong_in("serve", 1, f"Error: {place._sentence(error)}")
    return []


def results(folder: Path) -> str | None:
    """Every result, with each case; None if they were refused."""
    both = [said(folder, "results", "--format", "json", "--cases", "--capture", mode) for mode in CAPTURED]
    return "".join(out for _, out, _ in both) if all(code == 0 for code, _, _ in both) else None


def rows(file: Path) -> dict[str, Any]:
    """Every table with its rows, or with why they can't be read."""
    found: dict[str, Any] = {}
    with read_only(file) as conn:
        names = [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        for name in names:
            try:
                columns = "id, migration_set, name" if name == ACCOUNT else "*"  # nobody reads when each was applied
                found[name] = sorted(map(repr, map(tuple, conn.execute(f'SELECT {columns} FROM "{name}"'))))
            except sqlite3.Error as error:
                found[name] = str(error)
    return found


def whole(file: Path) -> bool:
    """What SQLite's own check finds."""
    try:
        with closing(sqlite3.connect(str(file))) as conn:
            return [row[0] for row in conn.execute("PRAGMA integrity_check")] == ["ok"]
    except (sqlite3.Error, UnicodeDecodeError):  # what it names of the damage need not be text
        return False


class Ward:
    """The folder in which damaged copies of one instance are looked at."""

    def __init__(self, healthy: Path, work: Path) -> None:
        self.healthy, self.folder = database_file(healthy).read_bytes(), work / "instance"
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(healthy, self.folder)
        self.true_results, self.true_rows = results(self.folder), rows(database_file(self.folder))
        assert said(self.folder, "verify")[0] == 0
        assert self.true_results

    def lay(self, content: bytes | bytearray) -> Path:
        gc.collect()  # what a command raised holds its connection open, and all that is laid later would look damaged
        file = database_file(self.folder)
        for side in ("-wal", "-shm", "-journal"):
            Path(f"{file}{side}").unlink(missing_ok=True)
        file.write_bytes(content)
        return file

    def look(self, number: int, kind: str, draw: random.Random, every_command: bool) -> Seen:
        content = bytearray(self.healthy)
        damage = DAMAGES[kind](content, draw)
        if content == self.healthy:
            damage = DAMAGES[kind](content, draw)
        file = self.lay(content)
        integrity = not whole(file)
        self.lay(content)
        code, _, last = said(self.folder, "verify")
        seen = Seen(number, damage, integrity, code == 0, last, wrong=wrong_in("verify", code, last))
        if seen.verified:
            self.lay(content)
            got = results(self.folder)
            seen.same = None if got is None else got == self.true_results
            true = self.true_rows
            seen.held = [name for name, held in rows(file).items() if held != true.get(name)]
        if every_command:
            self._every_command(content, seen)
        return seen

    def _every_command(self, content: bytearray, seen: Seen) -> None:
        for command in COMMANDS:
            self.lay(content)
            copy = self.folder.parent / "copy.db"
            code, _, last = said(self.folder, *(str(copy) if word == "COPY" else word for word in command))
            copy.unlink(missing_ok=True)
            seen.wrong += wrong_in(" ".join(command), code, last)
        self.lay(content)
        seen.wrong += serve_starts(self.folder)


def main() -> None:
    """Look at so many damaged copies of an instance, and say of each what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("healthy", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("kind", choices=DAMAGES)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--every", type=int, default=10)
    options = parser.parse_args()
    ward = Ward(options.healthy, options.work)
    for number in range(options.first, options.first + options.count):
        draw = random.Random(f"{options.seed} {options.kind} {number}")
        print(json.dumps(asdict(ward.look(number, options.kind, draw, number % options.every == 0))), flush=True)


if __name__ == "__main__":
    sys.exit(main())
