"""What kind of disk a folder is on: the locks of a database fail on a network share."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath
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
    found, kind = PurePosixPath("/"), ""
    for line in mounts.splitlines():
        _, point, name, *_ = [*line.split(" "), "", "", ""]
        at = PurePosixPath(point.replace("\\040", " "))
        if point and path.is_relative_to(at) and len(at.parts) >= len(found.parts):
            found, kind = at, name
    return kind if kind in NETWORK else ""
