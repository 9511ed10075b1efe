"""Keys in files: 32 bytes as 64 digits from 0 to f, for their owner only, on the disk before anything they protect."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Final

from consult.record.disk import sync

BYTES: Final = 32
KEY: Final = re.compile(r"[0-9a-f]{64}")


def new() -> str:
    """A key that nobody has yet."""
    return secrets.token_hex(BYTES)


def write(file: Path, *keys: str) -> None:
    """Put keys into a file, one a line, in the place of what it held, at one stroke; OSError if it can't be done.

    Once this returns they outlast a power cut: what they encrypt could be read by nobody without them.
    """
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write("".join(f"{key}\n" for key in keys))
    sync(part)
    part.replace(file)
    sync(file)
