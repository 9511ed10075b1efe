"""The fixtures of the web tests; what they are made of stands in visiting.py, which tests import by name."""

import os

import pages
import pytest
from audited import audited
from visiting import made, nurse, service, shared

__all__ = ["audited", "made", "nurse", "service", "shared"]


@pytest.fixture(scope="session", autouse=True)
def known_to_all(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A page that one process of a run found sound is sound in the others: it is looked over once."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        pages.SOUND.file = tmp_path_factory.getbasetemp().parent / "sound-pages"
