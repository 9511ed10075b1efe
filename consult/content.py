"""Where content is found: beside the package in a checkout, inside it in a wheel, and in an instance folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Kind = Literal["proformas", "leaflets"]
_PACKAGE = Path(__file__).resolve().parent


def content_root(kind: Kind) -> Path:
    """The folder of the content that came with the program."""
    packed = _PACKAGE / "_content" / kind
    return packed if packed.is_dir() else _PACKAGE.parent / kind


def content_folders(kind: Kind, instance: Path | None = None) -> tuple[Path, ...]:
    """Every folder of content in use: the program's own first, then the installation's, if it has one."""
    own = instance / kind if instance else None
    return (content_root(kind), own) if own and own.is_dir() else (content_root(kind),)
