"""A copy that leaves the provider names no colleague, however the name was typed in a text."""

from __future__ import annotations

import unicodedata

import pytest

from consult.accounts.people import Person
from consult.accounts.without_names import without_names

TYPED = {
    "José Núñez": (
        "José Núñez",
        "jose nunez",
        "JOSÉ  NÚÑEZ",
        unicodedata.normalize("NFD", "José Núñez"),
        "Jose\nNuñez",
    ),
    "Sean O'Brien-Wood": ("Sean O'Brien-Wood", "Sean O’Brien‐Wood", "sean oʼbrien–wood", "Sean O`Brien‑Wood"),
    "Anne‑Marie D’Arcy": ("Anne-Marie D'Arcy", "ANNE-MARIE D’ARCY"),
    "Zoë (Bank) Ng": ("Zoe (Bank) Ng", "zoë (bank) ng"),
    "Łukasz Żak": ("Łukasz Żak", "łukasz zak"),
}


def colleague(name, role="nurse"):
    return Person("p-0000000000000001", "someone", name, role, "A", True, "2026-01-01T00:00:00.000Z")


@pytest.mark.parametrize(("name", "typed"), [(name, one) for name, all_ in TYPED.items() for one in all_])
def test_a_name_is_found_however_it_was_typed(name, typed):
    found = without_names(f"Asked {typed}, who agreed; {typed} will look.", [colleague(name)])
    assert found == "Asked [nurse], who agreed; [nurse] will look."


@pytest.mark.parametrize("text", ["", "Nobody", "Ann Leeds", "Joann Lee", "Ann-Lee", "50% of (a+b) [c]"])
def test_what_only_looks_like_a_name_stays(text):
    assert without_names(text, [colleague("Ann Lee")]) == text


def test_the_longer_of_two_names_goes_whole():
    both = [colleague("Ann Lee"), colleague("Ann Lee Smith", "doctor")]
    for order in (both, both[::-1]):
        assert without_names("Ann Lee Smith told Ann Lee", order) == "[doctor] told [nurse]"
