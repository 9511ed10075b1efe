"""The disk beneath: whether a folder is on a network share, where the locks of a database fail, and what reached it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "9p", "ceph", "glusterfs", "fuse.sshfs", "fuse.glusterfs"}
)
MOUNTS: Final = Path("/proc/mounts")


def network_kind(folder: Path, mounts: str | None = None) -> str:
    """The kind of network file system a folder is on, as far as can be told; "" for a local disk."""
    path = folder.resolve()
    if sys.platform == "win32":
        return "UNC path" if str(path).startswith("\\\\") else ""
    if mounts is None:
        mounts = MOUNTS.read_text("utf-8", errors="replace") if MOUNTS.exists() else ""
    here, found, kind = f"{path}/", "/", ""
    for line in mounts.splitlines():
        _, point, name, *_ = [*line.split(" "), "", "", ""]
        at = point.replace("\\040", " ").rstrip("/") + "/"
        if point and here.startswith(at) and len(at) >= len(found):
            found, kind = at, name
    return kind if kind in NETWORK else ""


def sync(file: Path) -> None:
    """Have a file and its folder reach the disk."""
    for path in (file, file.parent):
        if path.is_file() or os.name == "posix":
            handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
