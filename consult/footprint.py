"""The memory of a process that serves: loaded for good, shared by its threads, and tidied while nobody waits."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
M_ARENA_MAX: Final = -8
"""As malloc.h of glibc has them."""
LARGE: Final = 8_388_608
"""Bytes from which what is free is given back at once, and not only while nobody waits. A page takes some megabytes for
as long as it is drawn and pressed; where each had them made ready anew, that was a sixth of its time."""
OFTEN: Final = (700, 10)
"""When Python looks for garbage among what is new; these are its own figures."""
DUE: Final = 10
"""Such looks after which it would search all there is; here that waits until there is nothing to do."""
AT_THE_LATEST: Final = 30
"""Such looks after which all is searched even so."""


@contextmanager
def for_good() -> Iterator[None]:
    """What is loaded in the block is no garbage: it is not searched for any meanwhile, nor ever after.

    Each search would take longer than an answer; those while all is loaded took a tenth of the start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def share() -> None:
    """Have all threads that come take their memory from one place, and give back what is free."""
    if libc := _glibc():
        libc.mallopt(M_ARENA_MAX, 1)
        libc.mallopt(M_TRIM_THRESHOLD, LARGE)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)
    _give_back()


def _give_back() -> None:
    """Let the system have what is free between what is held, too."""
    if libc := _glibc():
        libc.malloc_trim(0)


@cache
def _glibc() -> Any:
    """The C library of GNU, which else gives each thread memory of its own that the others can't use again."""
    if sys.platform != "linux":
        return None
    import ctypes  # only a server needs it, and each command reads this module

    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None


def leave_search_for_later() -> None:
    """Search all that there is for garbage in `tidy`: it holds up every reply for some ten answers' time."""
    gc.set_threshold(*OFTEN, AT_THE_LATEST)


def tidy() -> None:
    """Search all that there is for garbage if that is due, and give it back; for whoever knows that nobody waits."""
    if gc.get_count()[2] >= DUE:
        gc.collect()
        _give_back()
