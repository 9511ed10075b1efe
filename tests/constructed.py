"""A constructed set of cases over several sites and months: seeded, plainly invented, never the national data."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

from consult.exchange.casefile import export, import_cases
from consult.exchange.intake import Import
from consult.instance import Instance
from consult.proforma.dataset import Dataset
from consult.record import settings

SEED = 1904
LAST = date(2026, 10, 31)
MONTHS = 18
SITES = {
    "N": "Northfield (invented)",
    "E": "Eastmere (invented)",
    "S": "Southwick (invented)",
    "W": "Westholme (invented)",
    "H": "Harbour (invented)",
    "V": "Vale (invented)",
    "M": "Moor (invented)",
    "C": "Castle (invented)",
}
SIZES = {"N": 120, "E": 90, "S": 70, "W": 55, "H": 40, "V": 30, "M": 14, "C": 6}
CARE = {"N": 0.0, "E": 0.04, "S": -0.05, "W": 0.1, "H": -0.3, "V": 0.0, "M": 0.05, "C": 0.0}
USUAL = {
    "back_pain_reason": ["main"] * 9 + ["one_of_several"],
    "first_consultation": ["yes"] * 19 + ["no"],
    "episode_gap": ["none_ever"] * 4 + ["ge_28_days"] * 5 + ["lt_28_days"],
    "clinician_role": ["nurse"] * 12 + ["doctor"] * 5 + ["physiotherapist"] * 2,
    "staff_group": ["nursing_midwifery"] * 10
    + ["clinical_support"] * 4
    + ["admin_clerical"] * 3
    + ["estates_ancillary"] * 2
    + ["medical_dental"],
    "off_sick_today": ["yes"] * 6 + ["no"] * 4,
    "organisation_type": ["acute"],
    "sex": ["female", "female", "male"],
}
DONE = {"present": 0.2, "absent": 0.75, "unable": 0.05}
YES = {"yes", "given", "discussed", "indicated"}


def constructed(dataset: Dataset, provider: str, mode: str, scale: float = 1.0) -> Iterator[dict[str, str]]:
    """The cases of all sites; care rises in the last six months, and differs a little from site to site."""
    draw = random.Random(f"{SEED} {mode}")
    number = 0
    for site in SITES:
        for _ in range(round(SIZES[site] * scale)):
            number += 1
            ago = draw.randint(0, MONTHS * 30)
            care = min(
                0.97, max(0.05, 0.6 + CARE[site] + (0.18 if ago < 180 else 0.0) + (0.2 if mode == "live" else 0.0))
            )
            known = {"case_ref": f"{mode}-made-{number:04}", "provider": provider, "site": site, "capture_mode": mode}
            day = LAST - timedelta(days=ago)
            yield one(dataset, draw, care) | known | {"consultation_date": day.isoformat()}


def one(dataset: Dataset, draw: random.Random, care: float) -> dict[str, str]:
    """One case: each field recorded with the chance `care`, in its own way."""
    row = dict.fromkeys(dataset.by_name, "")
    for field in dataset.fields:
        if field.name in USUAL:
            row[field.name] = draw.choice(USUAL[field.name])
        elif field.never_live or not field.options:
            continue
        elif "unable" in field.options:
            harder = 0.25 if field.name in ("rf_deformity", "rf_immune", "yf_passive") else 0.0
            row[field.name] = draw.choices(list(DONE), list(DONE.values()))[0] if draw.random() < care - harder else ""
        elif field.type == "choices":
            row[field.name] = draw.choice(field.options[:-1]) if draw.random() < care else "none"
        else:
            good = [option for option in field.options if option in YES]
            row[field.name] = good[0] if good and draw.random() < care else draw.choice(field.options)
    return row | {"serious_pathology_suspected": "no", "rf_action": "none", "report_consent": "given"}


def fill(instance: Instance, modes: dict[str, float] | None = None) -> int:
    """Put the constructed cases into an instance, with its sites; returns how many there are."""
    dataset, at = instance.library.current.dataset, instance.store.at()
    with instance.db.write() as conn:
        for code, name in SITES.items():
            settings.put_site(conn, settings.Site(code, name, {}), "test", at)
    added = 0
    for mode, scale in (modes or {"retrospective": 1.0, "paper": 0.15}).items():
        rows = constructed(dataset, instance.provider, mode, scale)
        how = Import(instance.provider, LAST, "cli:test", at)
        report = import_cases(instance.db, dataset, "".join(export(rows, dataset)), how)
        assert not report.bad, report.bad[:3]
        added += report.added
    return added
