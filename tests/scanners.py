"""Scanners of security in environments of their own: what they need does not go together with the product.

Each has a lock file at the top level, checked by hash; only soaks make and use them.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class NotRun(Exception):
    """The scanner could not be run here; the message says why, and nothing was shown by it."""


def scanner(name: str) -> Path:
    """Where the commands of a scanner are, installed from its lock file where it must be; NotRun if that fails."""
    lock, folder = ROOT / f"requirements-{name}.lock", ROOT / f".venv-{name}"
    stamp, state = folder / "installed", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text("ascii") == state):
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", folder], capture_output=True, check=False)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps"]
        done = subprocess.run([*pip, "--require-hashes", "-r", lock], capture_output=True, text=True, check=False)
        if made.returncode or done.returncode:
            raise NotRun(f"{name} could not be installed from {lock.name}: {done.stderr.strip()[-300:]}")
        stamp.write_text(state, "ascii")
    return folder / "bin"
