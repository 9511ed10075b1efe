"""Lists with many consultations against the same lists with few: ratios of processor time in one run."""

from __future__ import annotations

from pathlib import Path

import lists as bench
import pytest

pytestmark = pytest.mark.speed

FEW, MANY = 60, 1500
BOUNDS = {
    "start page": 4.0,
    "ended before a day": 4.0,
    "search by name": 5.0,
    "search by number": 5.0,
    "search by birth": 5.0,
    "employee": 2.0,
    "follow-up": 20.0,
    "results": 2.5,
}
"""With 25 times as many consultations. Follow-up lists up to 30 decisions, of which there are 2 with few."""


def test_lists_stay_quick_as_consultations_add_up(tmp_path: Path) -> None:
    few, many = bench.measured(tmp_path, FEW), bench.measured(tmp_path, MANY)
    grown = {name: many[name] / milliseconds for name, milliseconds in few.items()}
    assert grown.keys() == BOUNDS.keys()
    assert {name: ratio for name, ratio in grown.items() if ratio > BOUNDS[name]} == {}
