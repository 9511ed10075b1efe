"""How work that may take long tells how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Progress = Callable[[int, str], AbstractContextManager[Callable[[int], None]]]
"""Given how much there is to do and its name, a context in which to say how much more has been done."""


@contextmanager
def silent(_length: int, _label: str) -> Iterator[Callable[[int], None]]:
    """Progress that nobody is told of."""
    yield lambda _: None
