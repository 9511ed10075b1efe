"""A constructed national set, not the national data: as many cases and providers as 2011 had, and its published rates.

Run as a program it writes a case file: `python tests/national.py FILE`. Each case begins with what it shall come out as
(its outcomes), and only then gets answers that say so, in one of the ways in which notes say it. So what every measure
must give is known without evaluating any rule; the counts in `Made` are those of the generator itself.

Only rounded rates were published. The numerators and denominators here are made up so that they round to them.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from consult.exchange.casefile import export
from consult.proforma.dataset import Dataset
from consult.proforma.load import parse, read_text

SEED = 20112011
CASES, PROVIDERS = 5524, 148
FIRST_DAY, DAYS = date(2011, 3, 1), 120
LABEL = "constructed, not the national data"
DATASET = Path(__file__).parents[1] / "proformas" / "back-pain" / "dataset.toml"

APPLY = {
    "yellow_flags_action": 1203,
    "stay_at_work_advised": 5107,
    "adjustments_advised": 2411,
    "work_cause_action": 1618,
    "clear_information": 5467,
}
"""How many cases a measure applies to, where it does not apply to all; made up."""
MISSING = {"adjustments_advised": 388, "work_cause_action": 211}
PUBLISHED = {
    "red_flags_screened": 55,
    "yellow_flags_screened": 47,
    "yellow_flags_action": 78,
    "symptoms_and_work_impact": 82,
    "barriers_asked": 63,
    "management_recorded": 91,
    "activity_discussed": 69,
    "stay_at_work_advised": 87,
    "adjustments_advised": 95,
    "work_cause_asked": 78,
    "work_cause_action": 65,
    "clear_information": 48,
}
"""The published percentages of 2011."""
ROLES = {"nurse": 3341, "doctor": 1507, "physiotherapist": 676}
WITH_PHYSIOTHERAPIST = 24
"""Providers that enter cases of physiotherapists: 16% of them."""
OFF_SICK, NURSES = 3425, 2928

GROUPS = ("cauda_equina", "neurology", "trauma", "cancer", "systemic", "immune", "pattern", "age", "deformity")
RED = tuple(f"rf_{group}" for group in GROUPS)
YELLOW = ("yf_belief", "yf_fear", "yf_mood", "yf_passive")
POINTS = {
    "info_self_limiting": "information_self_limiting",
    "info_work": "information_work",
    "info_psychosocial": "information_psychosocial",
}
LEAFLET = ("printed_leaflet", "verbal;link")
NOT_SAID = ("", "not_asked")
Outcomes = dict[str, str]


@dataclass
class Made:
    """The cases, and what the generator meant each to come out as, by case_ref."""

    rows: list[dict[str, str]] = field(default_factory=list)
    outcomes: dict[str, Outcomes] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, Counter[str]]:
        """How many cases were meant to have each outcome, by measure."""
        found: dict[str, Counter[str]] = {}
        for meant in self.outcomes.values():
            for measure, outcome in meant.items():
                found.setdefault(measure, Counter())[outcome] += 1
        return found


def national(dataset: Dataset) -> Made:
    """The whole set, the same each time."""
    draw, made = random.Random(SEED), Made()
    columns = {measure: _meant(draw, measure) for measure in PUBLISHED if measure not in APPLY}
    columns |= {m: _meant(draw, m) for m in ("stay_at_work_advised", "adjustments_advised", "clear_information")}
    columns["yellow_flags_action"] = _where(draw, "yellow_flags_action", columns["yellow_flags_screened"])
    columns["work_cause_action"] = _where(draw, "work_cause_action", columns["work_cause_asked"])
    people = zip(
        _places(draw), _drawn(draw, {"yes": OFF_SICK}), _drawn(draw, {"nursing_midwifery": NURSES}), strict=True
    )
    for number, ((provider, role), off_sick, staff) in enumerate(people):
        meant = {measure: column[number] for measure, column in columns.items()}
        row = dict.fromkeys(dataset.by_name, "") | {
            "case_ref": f"constructed-not-national-{number + 1:04}",
            "provider": provider,
            "site": "CONSTRUCTED",
            "consultation_date": (FIRST_DAY + timedelta(days=draw.randrange(DAYS))).isoformat(),
            "capture_mode": "retrospective",
            "clinician_role": role,
            "first_consultation": "yes",
            "episode_gap": draw.choice(("none_ever", "ge_28_days")),
            "back_pain_reason": draw.choice(("main", "main", "one_of_several")),
            "off_sick_today": off_sick or draw.choice(("no", "no", "no", "not_recorded")),
            "staff_group": staff or draw.choice(("medical_dental", "clinical_support", "admin_clerical", "other", "")),
        }
        for write in (_red, _yellow, _plain, _advice, _cause, _information):
            write(draw, row, meant)
        meant["all_applicable_met"] = _all(meant[measure] for measure in PUBLISHED)
        made.rows.append(row)
        made.outcomes[row["case_ref"]] = meant
    return made


def _meant(draw: random.Random, measure: str) -> list[str]:
    """The outcome of one measure for every case: exactly as many met as round to the published rate."""
    n, missing = APPLY.get(measure, CASES), MISSING.get(measure, 0)
    met = round(n * PUBLISHED[measure] / 100)
    return _shuffled(
        draw,
        ["met"] * met + ["not_met"] * (n - met) + ["missing"] * missing + ["not_applicable"] * (CASES - n - missing),
    )


def _where(draw: random.Random, measure: str, asked: Sequence[str]) -> list[str]:
    """The same for a measure that applies only where another was met."""
    at = [number for number, outcome in enumerate(asked) if outcome == "met"]
    applying = [outcome for outcome in _meant(draw, measure) if outcome != "not_applicable"]
    column = ["not_applicable"] * CASES
    for number, outcome in zip(draw.sample(at, len(applying)), applying, strict=True):
        column[number] = outcome
    return column


def _drawn(draw: random.Random, exactly: dict[str, int]) -> list[str]:
    """So many cases with each word, "" for all others, in random order."""
    words = [word for word, n in exactly.items() for _ in range(n)]
    return _shuffled(draw, words + [""] * (CASES - len(words)))


def _shuffled(draw: random.Random, items: list[str]) -> list[str]:
    draw.shuffle(items)
    return items


def _places(draw: random.Random) -> list[tuple[str, str]]:
    """Provider and role of each case: up to 40 a provider, and physiotherapists at a few providers only."""
    providers = [f"CONSTRUCTED-{number + 1:03}" for number in range(PROVIDERS)]
    sizes = dict.fromkeys(providers, 40)
    while sum(sizes.values()) > CASES:
        one = draw.choice(providers[WITH_PHYSIOTHERAPIST:])
        sizes[one] -= sizes[one] > 12
    seats = {provider: [""] * n for provider, n in sizes.items()}
    for number in range(ROLES["physiotherapist"]):
        seats[providers[number % WITH_PHYSIOTHERAPIST]][number // WITH_PHYSIOTHERAPIST] = "physiotherapist"
    others = _shuffled(draw, ["nurse"] * ROLES["nurse"] + ["doctor"] * ROLES["doctor"])
    return [(provider, role or others.pop()) for provider, roles in seats.items() for role in roles]


def _red(draw: random.Random, row: dict[str, str], meant: Outcomes) -> None:
    said = meant["red_flags_screened"] == "met"
    row["rf_overall"] = "yes" if said and draw.random() < 0.5 else draw.choice(("", "no", "not_recorded"))
    fewest, most = (2, 9) if said and row["rf_overall"] != "yes" else (0, 9) if said else (0, 1)
    asked = set(draw.sample(RED, draw.randint(fewest, most)))
    for name in RED:
        row[name] = draw.choice(("present", "absent", "absent", "unable") if name in asked else NOT_SAID)
    meant["red_flags_complete"] = "met" if len(asked) == len(RED) else "not_met"


def _yellow(draw: random.Random, row: dict[str, str], meant: Outcomes) -> None:
    said = meant["yellow_flags_screened"] == "met"
    found = meant["yellow_flags_action"] in ("met", "not_met")
    row["yf_overall"] = "yes" if said and draw.random() < 0.4 else draw.choice(("", "no", "not_recorded"))
    fewest, most = (2, 4) if said and row["yf_overall"] != "yes" else (0, 4) if said else (0, 1)
    asked = draw.sample(YELLOW, draw.randint(fewest, most))
    for name in YELLOW:
        row[name] = draw.choice(("absent", "absent", "unable") if name in asked else NOT_SAID)
    row["yf_overall_result"] = draw.choice(("", "absent", "not_recorded"))
    if found and asked and draw.random() < 0.8:
        row[asked[0]] = "present"
    elif found:
        row["yf_overall_result"] = "present"
    if meant["yellow_flags_action"] == "met":
        row["yf_action"] = draw.choice(("explained", "early_review;physiotherapy", "other", "none;explained"))
    elif meant["yellow_flags_action"] == "not_met":
        row["yf_action"] = draw.choice(("", "none"))


PLAIN = {
    "barriers_asked": ("barriers_asked", "yes", ("", "no", "not_recorded")),
    "management_recorded": ("management_recorded", "yes", ("", "no", "not_recorded")),
    "activity_discussed": ("continue_activity", "discussed", ("", "not_discussed", "not_recorded")),
    "work_cause_asked": ("cause_asked", "yes", ("", "no", "not_recorded")),
}


def _plain(draw: random.Random, row: dict[str, str], meant: Outcomes) -> None:
    for measure, (name, yes, no) in PLAIN.items():
        row[name] = yes if meant[measure] == "met" else draw.choice(no)
    both = {"symptoms_recorded": "yes", "impact_work_asked": "yes"}
    if meant["symptoms_and_work_impact"] != "met":
        both[draw.choice(list(both))] = draw.choice(("", "no", "not_recorded"))
    row |= both
    for measure, names in {
        "activity_impact_asked": ["impact_activity_asked"],
        "nerve_root_asked": ["leg_pain", "neuro_symptoms"],
    }.items():
        met = draw.random() < 0.6
        good = ("yes",) if len(names) == 1 else ("present", "absent", "unable")
        row |= {name: draw.choice(("", "no") if len(names) == 1 else NOT_SAID) for name in names}
        if met:
            row[draw.choice(names)] = draw.choice(good)
        meant[measure] = "met" if met else "not_met"


def _advice(draw: random.Random, row: dict[str, str], meant: Outcomes) -> None:
    stay = meant["stay_at_work_advised"]
    row["stay_or_return"] = {"met": "given", "not_applicable": "not_appropriate"}.get(
        stay, draw.choice(("", "not_given", "not_recorded"))
    )
    advised = meant["adjustments_advised"]
    row["report_consent"] = draw.choice(("given", "given", "", "not_recorded"))
    row["adjustments_in_written_advice"] = "yes" if advised == "met" else draw.choice(("", "no", "not_recorded"))
    if advised == "missing":
        row["adjustments_needed"] = draw.choice(("", "not_recorded"))
    elif advised != "not_applicable":
        row["adjustments_needed"] = "indicated"
    elif draw.random() < 0.3:
        row["report_consent"] = draw.choice(("withheld", "no_manager"))
        row["adjustments_needed"] = draw.choice(("indicated", "", "not_recorded"))
    else:
        row["adjustments_needed"] = draw.choice(("not_indicated", "already_in_place"))


def _cause(draw: random.Random, row: dict[str, str], meant: Outcomes) -> None:
    action = meant["work_cause_action"]
    if action == "not_applicable":
        asked = meant["work_cause_asked"] == "met"
        row["cause_view"] = draw.choice(("not_work", "uncertain") if asked else ("", "not_recorded", "not_work"))
    else:
        row["cause_view"] = draw.choice(("", "not_recorded") if action == "missing" else ("caused", "aggravated"))
    if action == "met":
        row["cause_action"] = draw.choice(("incident_report", "riddor_raised;manager_asked", "other"))
    elif action == "not_met":
        row["cause_action"] = draw.choice(("", "none"))


def _information(draw: random.Random, row: dict[str, str], meant: Outcomes) -> None:
    clear = meant["clear_information"]
    applies = clear != "not_applicable"
    row["serious_pathology_suspected"] = draw.choice(("no", "no", "", "not_recorded")) if applies else "yes"
    given = set(POINTS) if clear == "met" else set(draw.sample(list(POINTS), draw.randint(0, 2)))
    for name in POINTS:
        row[name] = "given" if name in given else draw.choice(("", "not_given", "not_recorded"))
    row["info_form"] = draw.choice(("", "verbal", "none", *LEAFLET))
    local = {measure: name in given for name, measure in POINTS.items()}
    local |= {"clear_information_any": bool(given), "leaflet_given": row["info_form"] in LEAFLET}
    for measure, met in local.items():
        meant[measure] = "not_applicable" if not applies else "met" if met else "not_met"


def _all(found: Iterable[str]) -> str:
    outcomes = set(found)
    return "not_met" if "not_met" in outcomes else "missing" if "missing" in outcomes else "met"


def text(dataset: Dataset, made: Made) -> str:
    """The set as a case file."""
    return "".join(export(made.rows, dataset))


def shipped_dataset() -> Dataset:
    """The data set as it ships."""
    return parse(Dataset, read_text(DATASET), "dataset.toml", "fields")


def main(arguments: Sequence[str]) -> None:
    """Write the case file, and say what it is."""
    if len(arguments) != 1:
        raise SystemExit("Usage: python tests/national.py FILE")
    dataset = shipped_dataset()
    made = national(dataset)
    with Path(arguments[0]).open("w", encoding="utf-8", newline="") as file:
        file.write(text(dataset, made))
    print(f"{arguments[0]}: {len(made.rows)} cases of {PROVIDERS} providers; {LABEL}.")
    for measure, counted in made.counts.items():
        n = counted["met"] + counted["not_met"]
        print(f"{measure}: {counted['met']} of {n} ({counted['met'] / n:.1%}), {counted['missing']} missing")


if __name__ == "__main__":
    main(sys.argv[1:])
