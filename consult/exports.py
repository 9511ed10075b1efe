"""What is handed out as data: results and cases as files, with the head of the record that they carry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from consult.audit import leaving
from consult.audit import results as audit
from consult.audit.results import Results, Selection
from consult.documents.words import INVENTED
from consult.exchange import resultsfile
from consult.exchange.resultsfile import Version
from consult.exchange.sheets import csv_records, workbook
from consult.instance import Instance
from consult.record import ledger
from consult.record.database import Connection

BESIDE: Final = ".head.json"


class Head(Struct, frozen=True):
    """What stands beside a case file: its digest and number of cases, and the head of the log it was made at."""

    file: str
    sha256: str
    cases: int
    step: int
    hash: str
    provider: str
    at: str

    @property
    def text(self) -> str:
        """It as it is written."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n"


def beside(file: Path) -> Path:
    """Where the head of a case file stands."""
    return file.with_name(file.name + BESIDE)


def results_json(
    instance: Instance,
    conn: Connection,
    found: Results,
    with_cases: bool = False,
    scoring: Version | None = None,
    version: str = "",
) -> dict[str, Any]:
    """Results in the documented shape, with each case if it is asked for; `found` was counted by `scoring`.

    Where a `version` of the measures was asked for, its digest is said too: two versions may bear one number.
    """
    by = scoring or instance.scoring(conn)
    shape = audit.as_json(found, by.measures, by.benchmarks)
    if version:
        shape["measures_digest"] = by.digest
    if with_cases:
        shape["cases"] = audit.cases_json(conn, by.measures, by.dataset, found.selection)
    return shape


def results_file(
    instance: Instance,
    conn: Connection,
    found: Results,
    scoring: Version,
    form: str,
    leaves: bool = False,
    with_cases: bool = False,
) -> bytes:
    """Results as csv, xlsx or mohawk; what is to leave the provider must have been counted over the whole service."""
    if form == "mohawk":
        return "".join(csv_records(resultsfile.mohawk_sheet(conn, scoring, found.selection))).encode()
    found = leaving.safe(conn, scoring.measures, scoring.dataset, found) if leaves else found
    sheet = resultsfile.results_sheet(found, scoring, leaves=leaves, invented=instance.demonstration)
    if form == "csv":
        return "".join(csv_records(sheet)).encode()
    internal = [] if leaves else [resultsfile.exclusions_sheet(found)]
    each = [resultsfile.outcomes_sheet(conn, scoring, found.selection)] if with_cases else []
    return workbook([sheet, *internal, *each], instance.clock(), about_file(instance))


def about_file(instance: Instance) -> str:
    """What a workbook says of itself among its properties."""
    return INVENTED if instance.demonstration else ""


def head_json(conn: Connection, selection: Selection) -> dict[str, Any]:
    """The head that results may carry: with it they can be counted again as the record then was."""
    step, hash_ = ledger.head(conn)
    found = {"step": step, "hash": hash_, "provider": selection.provider or None, "capture": selection.capture or None}
    return found | ({"round": selection.round} if selection.round else {})
