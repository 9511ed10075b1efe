"""A service with cases from notes in rounds, an action, an incident and a registered employee; only to be read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from constructed import fill
from msgspec.structs import replace
from visiting import EMPLOYEE, PEOPLE, Service, opened

from consult import exports
from consult.audit import actions, rounds, sampling, targets
from consult.audit.results import Results, results
from consult.audit.rounds import Wanted
from consult.record import incidents

CANARY = EMPLOYEE[0]
LEAD = ("lead", "audit_lead")
PERIODS = {
    "Before": ("2025-05-01", "2025-12-31"),
    "After": ("2026-01-01", "2026-10-31"),
    "Day": ("2026-10-01", "2026-10-06"),
    "Again": ("2027-02-01", "2027-06-30"),
}


@dataclass
class Audited:
    """The service, and its rounds by name."""

    service: Service
    rounds: dict[str, str]

    def counted(self, round_id: str, site: str = "") -> Results:
        """The results of the sample of a round, as `consult results --round` counts them."""
        instance, conn = self.service.instance, self.service.instance.db.read()
        dataset = instance.library.current.dataset
        taken = sampling.sample(conn, instance.measures, dataset, rounds.rounds(conn)[round_id]).selection
        return results(conn, instance.measures, dataset, replace(taken, site=site))

    def json(self, round_id: str) -> dict[str, Any]:
        """What `consult results --round --format json` writes."""
        instance = self.service.instance
        return exports.results_json(instance, instance.db.read(), self.counted(round_id), False)


FILLED: dict[Path, tuple[Path, dict[str, str]]] = {}
"""By the instance it was made of: the folder of one that was filled, only to be copied, and its rounds."""


def filled(made: Path, folder: Path) -> Audited:
    """The service in a folder."""
    if made not in FILLED:
        FILLED[made] = _fill(Path(shutil.copytree(made, made.with_name("filled"))))
    ready, known = FILLED[made]
    return Audited(opened(Path(shutil.copytree(ready, folder))), dict(known))


def _fill(folder: Path) -> tuple[Path, dict[str, str]]:
    service = opened(folder)
    fill(service.instance, {"retrospective": 1.0})
    service.employee()
    known = told(service)
    service.instance.db.settle()
    service.instance.close()
    return folder, known


def told(service: Service) -> dict[str, str]:
    """Make the rounds, a target, an action and an incident; the rounds by name."""
    at, found = service.instance.store.at(), {}
    with service.instance.db.write() as conn:
        for name, (start, end) in PERIODS.items():
            wanted = Wanted(name, "DEMO", "retrospective", start, end)
            found[name] = rounds.set_round(conn, wanted, LEAD, at, f"key-of-{name}-1234567")
        act = actions.Wanted(
            "barriers_asked",
            found["Before"],
            "",
            f"{PEOPLE['doctor']} said so",
            "A line",
            service.who["nurse"].actor,
            "",
            "2026-01-05",
            "Ten notes",
        )
        actions.set_action(conn, act, LEAD, at, "key-of-an-action-1234")
        targets.set_target(conn, "yellow_flags_screened", 0.8, "Agreed", LEAD, at, "key-of-a-target-12345")
        noted = incidents.Incident("", "2026-01-05", f"{PEOPLE['nurse']} saw =1+1 <script>x</script>", "None", "")
        incidents.note(conn, noted, ("x", "nurse"), service.instance.today(), at, "key-of-an-incident-1")
    return found


@pytest.fixture(scope="session")
def audited(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """One for all modules that only read it."""
    known = filled(made, tmp_path_factory.mktemp("audited") / "instance")
    yield known
    known.service.instance.close()
