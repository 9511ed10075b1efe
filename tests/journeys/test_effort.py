"""The three published consultations that no other test holds: complex, by keyboard alone, interrupted twice."""

from __future__ import annotations

import pytest
from effort import PERSONAS, measure, written
from playwright.sync_api import Browser
from service import Service
from test_consultations import PUBLISHED, no_dearer

pytestmark = pytest.mark.browser

HERE = [persona for persona in PERSONAS if persona not in PUBLISHED]


@pytest.mark.parametrize("persona", HERE)
def test_a_consultation_costs_the_hands_no_more_than_the_guide_says(
    service: Service, browser: Browser, persona: str
) -> None:
    effort, said = measure(persona, service, browser), written()[persona]
    assert no_dearer(effort, said), f"{effort}, and the guide says {said}: mend it, or run effort.py and say why"
    assert 0 < effort.first <= 3


def test_the_guide_has_a_figure_for_each_persona_and_no_other() -> None:
    assert list(written()) == list(PERSONAS)
    assert len(PERSONAS) == 5
