"""Scanners of security and of pages in environments of their own: what they need does not go together with the product.

Each has a lock file at the top level, checked by hash; only soaks make and use them.
"""

from __future__ import annotations

import hashlib
import shutil
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


def node_checks() -> Path:
    """The folder of what looks at pages from outside, installed by its lock where it must be; NotRun if that fails."""
    source, folder = ROOT / "tests" / "node", ROOT / ".node-checks"
    files = [source / name for name in ("package.json", "package-lock.json", "marks.mjs")]
    stamp, state = folder / "installed", hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()
    if not (stamp.exists() and stamp.read_text("ascii") == state):
        folder.mkdir(exist_ok=True)
        for file in files:
            shutil.copy(file, folder)
        try:
            command = ["npm", "install", "--no-save", "--ignore-scripts"]  # not ci: one asks for "latest" of another
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        except FileNotFoundError as missing:
            raise NotRun(f"node and npm are needed: {missing}") from missing
        if done.returncode:
            raise NotRun(f"npm could not install what tests/node names: {done.stderr.strip()[-300:]}")
        stamp.write_text(state, "ascii")
    return folder
