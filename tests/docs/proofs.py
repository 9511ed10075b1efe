"""Whether a test that a page names as its proof is there: `tests/path.py::test_name`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def tests_of(path: str) -> frozenset[str]:
    """The tests in a file; none where there is no such file, or where pytest would not look into it."""
    file = ROOT / path
    if not path.startswith("tests/") or not file.name.startswith("test_") or not file.is_file():
        return frozenset()
    return frozenset(re.findall(r"^\s*(?:async )?def (test_\w+)\(", file.read_text("utf-8"), re.MULTILINE))


def is_there(proof: str) -> bool:
    """Whether a named test exists, or a named document does."""
    path, _, name = proof.partition("::")
    return name in tests_of(path) if name else path.endswith(".md") and (ROOT / path).is_file()
