"""A database that many tests begin with, made once in a process: to make its tables takes longer than to copy them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path

from consult.record.database import Database

READY: dict[Hashable, bytes] = {}


def ready(file: Path, kind: Hashable, make: Callable[[Path], Database]) -> None:
    """Have a database of this kind stand in a file, as `make` leaves it."""
    if kind not in READY:
        db = make(file)
        db.settle()
        db.close()
        READY[kind] = file.read_bytes()
    file.write_bytes(READY[kind])
