"""The three published consultations that no other test holds: complex, by keyboard alone, interrupted twice."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from effort import PERSONAS, Effort, measure, written
from playwright.sync_api import Browser
from service import Service
from test_consultations import PUBLISHED, no_dearer

pytestmark = pytest.mark.browser

BY_KEYS, MOST_KEYS = "Keyboard only, ordinary consultation", 95
HERE = [persona for persona in PERSONAS if persona not in PUBLISHED]


@pytest.fixture(scope="module")
def cost(service: Service, browser: Browser) -> Callable[[str], Effort]:
    """What the consultation of a persona costs; each is held once."""
    return cache(lambda persona: measure(persona, service, browser))


@pytest.mark.parametrize("persona", HERE)
def test_a_consultation_costs_the_hands_no_more_than_the_guide_says(
    cost: Callable[[str], Effort], persona: str
) -> None:
    effort, said = cost(persona), written()[persona]
    assert no_dearer(effort, said), f"{effort}, and the guide says {said}: mend it, or run effort.py and say why"
    assert 0 < effort.first <= 3


def test_the_ordinary_consultation_takes_no_more_keys_than_the_budget(cost: Callable[[str], Effort]) -> None:
    effort = cost(BY_KEYS)
    assert 0 < effort.keys <= MOST_KEYS
    assert effort.clicks == 0


def test_the_guide_has_a_figure_for_each_persona_and_no_other() -> None:
    assert list(written()) == list(PERSONAS)
    assert len(PERSONAS) == 5
