"""Random cases as a case file may hold them: any code of any field, many blanks, several providers and modes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

from consult.proforma.dataset import Dataset, Field

PLACES = (("DEMO", "A"), ("DEMO", "B"), ("ELSEWHERE", "A"), ("ELSEWHERE", "C"), ("FARAWAY", "B"))
MODES = ("retrospective", "paper", "live")
FIRST, DAYS = date(2025, 7, 20), 400
ELIGIBLE = {
    "back_pain_reason": ("main", "one_of_several"),
    "clinician_role": ("doctor", "nurse", "physiotherapist"),
    "first_consultation": ("yes",),
    "episode_gap": ("none_ever", "ge_28_days"),
}
"""Codes of cases that are eligible; most cases have these."""

BLANK = 0.3


def random_cases(dataset: Dataset, many: int, seed: int, own: str = "DEMO") -> Iterator[dict[str, str]]:
    """So many valid cases; live ones of other providers only, as those of the own come from consultations."""
    draw = random.Random(seed)
    for number in range(many):
        provider, site = draw.choice(PLACES)
        mode = draw.choice(MODES[:2] if provider == own else MODES)
        row = {field.name: _text(draw, field, mode) for field in dataset.fields}
        if draw.random() < 0.85:
            row |= {name: draw.choice(codes) for name, codes in ELIGIBLE.items()}
        day = FIRST + timedelta(days=draw.randrange(DAYS))
        known = {"case_ref": f"random-{number:04}", "provider": provider, "site": site, "capture_mode": mode}
        yield row | known | {"consultation_date": day.isoformat()}


def _text(draw: random.Random, field: Field, mode: str) -> str:
    if not field.options or (mode == "live" and field.never_live):
        return ""
    if not field.required and draw.random() < BLANK:
        return ""
    if field.type != "choices":
        return draw.choice(field.options)
    several = [code for code in field.options if code != "none"]
    return draw.choice(["none", ";".join(draw.sample(several, draw.randint(1, min(3, len(several)))))])
