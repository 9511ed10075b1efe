"""The demonstration, made once for the harnesses that damage, tamper with or copy it."""

from __future__ import annotations

from pathlib import Path

import pytest

from consult import demo
from consult.record.store import now_utc


@pytest.fixture(scope="session")
def demo_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's instance; only to be copied."""
    folder = tmp_path_factory.mktemp("demo") / "instance"
    demo.prepare(folder, now_utc())
    return folder
