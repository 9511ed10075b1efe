"""One server an instance: a lock file held while it runs, so that nothing replaces the database under it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LOCK_FILE: Final = "server.lock"
TENDING_FILE: Final = "tending.lock"


class Held(Exception):
    """Another process serves this instance; the message says what to do."""


@contextmanager
def server_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of an instance; Held if another process does. Processes forked meanwhile hold it with this one."""
    with _held(folder / LOCK_FILE, f"A server is running on {folder}; stop it, then run this again."):
        yield


@contextmanager
def tending_lock(folder: Path) -> Iterator[None]:
    """Let one process at a time make the backups of the schedule or rehearse them; Held if another is at it."""
    sentence = f"Another process is making or rehearsing a backup of {folder}; wait until it has finished."
    with _held(folder / TENDING_FILE, sentence):
        yield


@contextmanager
def _held(file: Path, sentence: str) -> Iterator[None]:
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _take(handle):
            raise Held(sentence)
        yield
    finally:
        os.close(handle)


def is_served(folder: Path) -> bool:
    """Whether a server runs on this instance now; asked without making the lock file."""
    try:
        handle = os.open(folder / LOCK_FILE, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _take(handle)
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _take(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
