"""A witness: heads of the step log written down in a second place, so that a log cut short or made anew is found.

The chain within the log shows an edit, a removal in the middle and another order. It can't show that its end was cut
off, that all of it was written anew, or that an old copy stands in its place. Heads kept elsewhere do: each witnessed
step must still be a step of the log, with the same hash.

One line a head, parted by blanks: when it was written, the number of the step, its hash, when the step was made, and
the link: SHA-256 over the link of the line before and the rest of this line. A line that was never written whole, as
a power cut leaves it, has no link that fits; it is passed over, and the next line is linked to the whole one before.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from consult.record import ledger
from consult.record.database import Connection
from consult.record.disk import sync

LINE: Final = re.compile(r"(\S+) (\d+) ([0-9a-f]{64}) (\S+) ([0-9a-f]{64})")
NEVER: Final = "-"


class WitnessRefused(Exception):
    """Nothing was witnessed or proved; the message says why and what to do."""


class Seen(Struct, frozen=True):
    """A head as a witness saw it: number and hash of the last step, when that was made, and when it was seen."""

    at: str
    step: int
    head: str
    made: str
    link: str

    @property
    def text(self) -> str:
        """The line of the file, without its line end."""
        return f"{self.at} {self.step} {self.head} {self.made} {self.link}"


def seen_now(conn: Connection, before: str, at: str) -> Seen:
    """The head of a log as a line that follows the link `before`; `at` is UTC in ISO 8601."""
    step, head = ledger.head(conn)
    made = next((s.at for s in ledger.steps(conn, seq=step)), NEVER)
    return Seen(at, step, head, made, _link(before, f"{at} {step} {head} {made}"))


def _link(before: str, words: str) -> str:
    return hashlib.sha256(f"{before}\n{words}".encode()).hexdigest()


def read(file: Path) -> list[Seen]:
    """The heads in a witness file, in order; WitnessRefused if it can't be reached, or a line was changed or removed.

    A line taken away at its end can't be told: that is why the file stands where this program can only add to it.
    """
    try:
        text = file.read_text("utf-8", errors="replace")
    except OSError as error:
        raise WitnessRefused(
            f"The witness {file} can't be reached ({error.strerror}), so nothing was compared with it; connect its "
            "disk or share, or name another file."
        ) from error
    return list(_linked(text, file))


def _linked(text: str, file: Path) -> Iterator[Seen]:
    """The lines that follow one another; one that is no whole line may only be what was broken off while writing."""
    before = ledger.START
    for number, line in enumerate(text.split("\n"), 1):
        if not (found := LINE.fullmatch(line.rstrip("\r"))):
            continue
        at, step, head, made, link = found.groups()
        if link != _link(before, f"{at} {step} {head} {made}"):
            raise WitnessRefused(
                f"Line {number} of the witness {file} does not follow from the line before it: it or an earlier one "
                "was changed or removed. Compare the file with a copy or print of it."
            )
        before = link
        yield Seen(at, int(step), head, made, link)


def append(conn: Connection, file: Path, at: str) -> Seen:
    """Add the head of the log now to a witness file, which is made if need be; what stands there is only added to.

    WitnessRefused is raised, and nothing written, if the file can't be reached, if it was changed, or if a head it
    holds is no step of this log.
    """
    seen = read_to_add(conn, file)
    line = seen_now(conn, seen[-1].link if seen else ledger.START, at)
    try:
        _add(file, line.text)
    except OSError as error:
        raise WitnessRefused(
            f"The witness {file} can't be written ({error.strerror}); connect its disk or share, or name another file."
        ) from error
    return line


def read_to_add(conn: Connection, file: Path) -> list[Seen]:
    """The heads of a witness file to which this log may add, none where it is still to be made; else WitnessRefused."""
    seen = read(file) if file.exists() else []
    if sentence := disagreement(conn, seen, file):
        raise WitnessRefused(f"{sentence} Nothing was added.")
    return seen


def _add(file: Path, text: str) -> None:
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "r+b", buffering=0) as stream:
        broken = stream.seek(0, os.SEEK_END) and _last_byte(stream.fileno()) != b"\n"
        stream.write(("\n" if broken else "").encode() + f"{text}\n".encode())
    sync(file)


def _last_byte(handle: int) -> bytes:
    os.lseek(handle, -1, os.SEEK_END)
    return os.read(handle, 1)


def prove(conn: Connection, file: Path) -> list[Seen]:
    """The heads of a witness file, each of which is a step of this log; WitnessRefused names the first that is not."""
    seen = read(file)
    if not seen:
        raise WitnessRefused(
            f"The witness {file} holds no head, so nothing was compared with it; name the right file, or add the first "
            "head with `consult witness --to FILE`."
        )
    if sentence := disagreement(conn, seen, file):
        raise WitnessRefused(sentence)
    return seen


def disagreement(conn: Connection, seen: Iterable[Seen], file: Path) -> str | None:
    """A sentence on the first witnessed head that is no step of this log; None if each of them is one."""
    for one in seen:
        step = next(ledger.steps(conn, seq=one.step), None) if one.step else None
        if one.step and (step is None or step.hash != one.head):
            return _unlike(conn, one, step, file)
    return None


def _unlike(conn: Connection, one: Seen, step: ledger.Step | None, file: Path) -> str:
    last = ledger.head(conn)[0]
    how = (
        f"this log ends at step {last}: its end was cut off, or an older copy stands in its place"
        if step is None
        else "this log has another step there: it was made anew, or an older copy stands in its place and went on"
    )
    return (
        f"On {one.at} the witness {file} saw step {one.step}, {one.head}; {how}.{_restored(conn, one)} Restore the "
        "newest backup that holds the step; if an older one was restored on purpose, keep this witness and begin a new "
        "one with `consult witness --to FILE`."
    )


def _restored(conn: Connection, one: Seen) -> str:
    """What the log itself says of a restore that would explain it."""
    for step in ledger.steps(conn, kind="database_restored"):
        if step.content and step.content["last_step"] < one.step and step.at >= one.at:
            return f" The log says that a backup ending at step {step.content['last_step']} was restored on {step.at}."
    return ""
