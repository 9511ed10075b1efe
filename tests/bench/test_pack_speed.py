"""A full SEQOHS pack for 40 cases against a yard of work in the same run, and that what is made shows as it grows."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import papers
import pytest
from constructed import fill

from consult.audit import rounds
from consult.audit.rounds import Round, Wanted
from consult.commands import evidence as command
from consult.documents import evidence
from consult.documents.evidence import Part
from consult.documents.leaflet import load_file
from consult.evidence import seqohs
from consult.instance import Instance, open_instance
from consult.record import settings

pytestmark = pytest.mark.speed

BOUND = 3.0 / 0.004
"""3 seconds, over the 4 ms that the Markdown library takes for the core leaflet."""
CASES = 45 / 425
"""Of the constructed cases, so many that 40 or more of them are taken."""


def service(folder: Path) -> tuple[Instance, Round]:
    """An instance with a round of 40 cases."""
    instance = open_instance(folder, create=True)
    with instance.db.write() as conn:
        settings.change_setting(conn, "provider", "DEMO", "test", instance.store.at())
    assert fill(instance, {"retrospective": CASES}) >= 40
    with instance.db.write() as conn:
        wanted = Wanted("Forty", "DEMO", "retrospective", "2025-01-01", "2026-12-31", "all")
        id_ = rounds.set_round(conn, wanted, ("x", "audit_lead"), instance.store.at(), "key-of-forty-cases-12")
    return instance, rounds.rounds(instance.db.read())[id_]


def test_a_pack_for_40_cases_keeps_to_its_bound_and_grows_part_by_part(tmp_path: Path) -> None:
    instance, of = service(tmp_path / "instance")
    yard = papers.least({papers.YARD: papers.acts(load_file(papers.LEAFLET))[papers.YARD]}, 20)[papers.YARD] / 1000
    taken, told = [], []
    with instance.db.snapshot() as conn:
        for write in (evidence.pdf, lambda paper, parts: "".join(evidence.pieces(paper, parts))):
            begun = process_time()
            made = seqohs.seqohs(instance, conn, of)
            assert write(made.paper, made.parts)
            taken.append(process_time() - begun)
        made = seqohs.seqohs(instance, conn, of)
        growing = command.told(made, told.append)
        first = next(growing)
        assert isinstance(first, Part)
        assert told == []
        rest = list(growing)
    instance.close()
    assert len(rest) + 1 == len(told) == len(made.paper.titles)
    assert max(taken) <= BOUND * yard, (taken, yard)
