"""When all that a server holds is searched for garbage."""

import gc
import weakref

import pytest

from consult import footprint


@pytest.fixture
def usual():
    """Python's own measures, and nothing searched yet; those of the tests come back."""
    held = gc.get_threshold()
    gc.collect()
    footprint.leave_search_for_later()
    yield
    gc.set_threshold(*held)


class Knot:
    """Something that only the search finds."""

    def __init__(self):
        self.itself = self


def grown_old(looks):
    """A knot that so many looks among the new have passed by, and that nobody holds any more."""
    knot = Knot()
    for _ in range(looks):
        gc.collect(1)
    return weakref.ref(knot)


def test_it_is_searched_where_nobody_waits_once_that_is_due(usual):
    knot = grown_old(footprint.DUE - 1)
    footprint.tidy()
    assert knot() is not None
    gc.collect(1)
    footprint.tidy()
    assert knot() is None


def test_what_is_loaded_for_good_is_not_searched_and_the_rest_is_again(usual):
    before = gc.get_freeze_count()
    try:
        with footprint.for_good():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
