"""Case files: the cases as CSV, out and in. A case file is internal and raw; it is not what leaves the provider.

The first line holds the names of all fields of the data set; every further record is one case (UTF-8, RFC 4180).
Cells are guarded against spreadsheets that would run them (sheets.py); reading takes the guard away. So a file written
here and read here gives the same text, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from msgspec import Struct, field

from consult.audit import cases
from consult.exchange import sheets
from consult.exchange.caselines import BEYOND, Record, columns, records
from consult.exchange.intake import Import, differences, prepared, supersede, wrong_with
from consult.exchange.sheets import unguarded
from consult.proforma.dataset import Dataset
from consult.record import settings as record_settings
from consult.record.database import Connection, Database
from consult.record.ledger import Draft, append
from consult.record.store import Who

BATCH: Final = 500
OWN_LIVE: Final = (
    "Live cases of this provider come only from consultations signed here; correct capture_mode, or the provider."
)


class BadRow(Struct, frozen=True):
    """One thing wrong with one row: the line it begins on, the field ("" for the whole row) and a sentence."""

    line: int
    field: str
    sentence: str

    def __str__(self) -> str:
        return (
            f"line {self.line}: {self.field}: {self.sentence}" if self.field else f"line {self.line}: {self.sentence}"
        )


class ImportReport(Struct):
    """What an import did with every row: added + unchanged + replaced + refused = rows."""

    rows: int = 0
    added: int = 0
    unchanged: int = 0
    replaced: int = 0
    refused: int = 0
    bad: list[BadRow] = field(default_factory=list)
    sites: list[tuple[str, str]] = field(default_factory=list)
    """The (provider, site) pairs of the cases taken, in order of appearance."""
    held: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """The dates of the cases taken by provider and way of capture, so that a file of the wrong one is seen."""
    new_sites: list[str] = field(default_factory=list)
    """The sites of the own provider that were not known before."""


def export(rows: Iterable[Mapping[str, str]], dataset: Dataset) -> Iterator[str]:
    """The records of a case file as text, header first."""
    names = [field.name for field in dataset.fields]
    return sheets.csv_records(sheets.Sheet("Cases", names, ([row[name] for name in names] for row in rows)))


def export_cases(conn: Connection, dataset: Dataset) -> Iterator[str]:
    """The case file of every case in the record, in the order of the audit."""
    return export((row.fields for row in cases.iterate(conn)), dataset)


def import_cases(
    db: Database, dataset: Dataset, text: str, settings: Import, progress: Callable[[int], None] | None = None
) -> ImportReport:
    """Take the cases of a case file into the record; good rows are kept, and every bad one is reported.

    Each case taken is a step and a case row, written together, BATCH rows to a transaction, with the sites that are to
    be added; `progress` is called with the number of rows done. The same row again adds nothing.
    """
    header = next(records(text), None)
    names = columns(header, dataset)
    width = len(header.cells) if header else 0
    known = dataset.by_name
    free = {at for at, name in enumerate(names) if known[name].type == "text" and not known[name].required}
    rows = islice(records(text, width, free), 1, None)
    importer = _Importer(dataset, settings, names, Spelled(db.read(), settings.provider))
    while batch := list(islice(rows, BATCH)):
        with db.write() as conn:
            for record in batch:
                importer.take(conn, record)
            importer.add_sites(conn)
        if progress is not None:
            progress(importer.report.rows)
    return importer.report


class Spelled:
    """How the codes of providers and sites are written that are held already: in a file other letters may be large.

    Else the return of a service that is sent again, with its code in small letters, would be other cases beside the
    first, and a site would be two.
    """

    def __init__(self, conn: Connection, own: str) -> None:
        self._providers: dict[str, str] = {}
        self._sites: dict[tuple[str, str], str] = {}
        self._exact: set[str | tuple[str, str]] = set()
        for code in record_settings.sites(conn):
            self.keep(own, code)
        for provider, site in cases.places(conn):
            self.keep(provider, site)

    def keep(self, provider: str, site: str) -> None:
        """Remember a code as it is held; where two are held that differ in letters, each stays its own."""
        self._exact |= {provider, (provider, site)}
        self._providers.setdefault(provider.casefold(), provider)
        self._sites.setdefault((provider, site.casefold()), site)

    def knows(self, provider: str, site: str) -> bool:
        """Whether this site is held so."""
        return (provider, site) in self._exact

    def of(self, fields: dict[str, str]) -> dict[str, str]:
        """The fields of a case with the codes as they are held."""
        provider, site = fields["provider"], fields["site"]
        if (provider, site) in self._exact:
            return fields
        if provider not in self._exact:
            provider = self._providers.get(provider.casefold(), provider)
        return fields | {"provider": provider, "site": self._sites.get((provider, site.casefold()), site)}


class _Importer:
    """Takes one record after the other and keeps the report."""

    def __init__(self, dataset: Dataset, settings: Import, names: list[str], spelled: Spelled) -> None:
        self.dataset, self.settings, self.names, self.spelled = dataset, settings, names, spelled
        self.report = ImportReport()
        self.taken: dict[cases.Key, int] = {}

    def take(self, conn: Connection, record: Record) -> None:
        self.report.rows += 1
        if record.wrong:
            return self._refuse(record, [("", record.wrong)])
        cells, beyond = record.cells[: len(self.names)], record.cells[len(self.names) :]
        if any(cell.strip() for cell in beyond):
            return self._refuse(record, [("", BEYOND)])
        raw = dict(zip(self.names, map(unguarded, cells), strict=True))
        fields = self.spelled.of(prepared(raw, self.dataset, self.settings))
        wrong = wrong_with(fields, self.dataset, self.settings) or self._wrong_site(fields)
        return self._refuse(record, wrong) if wrong else self._compare(conn, record, fields)

    def _wrong_site(self, fields: dict[str, str]) -> list[tuple[str, str]]:
        """Why a site of the own provider that is not known yet can't be added; nothing if it can, or is not to be."""
        provider, site = fields["provider"], fields["site"]
        to_add = self.settings.add_sites and provider == self.settings.provider
        why = record_settings.why_no_code(site, "site") if to_add and not self.spelled.knows(provider, site) else ""
        return [("site", why)] if why else []

    def add_sites(self, conn: Connection) -> None:
        """Add the sites of the cases taken that are the own provider's and not known yet, if they are to be added."""
        if not self.settings.add_sites:
            return
        own = [site for provider, site in self.report.sites if provider == self.settings.provider]
        by, at = self.settings.actor, self.settings.at
        self.report.new_sites += record_settings.add_unknown_sites(conn, own, by, at)

    def _refuse(self, record: Record, wrong: Iterable[tuple[str, str]]) -> None:
        self.report.refused += 1
        self.report.bad += [BadRow(record.line, name, sentence) for name, sentence in wrong]

    def _compare(self, conn: Connection, record: Record, fields: dict[str, str]) -> None:
        existing = cases.read(conn, *cases.key_of(fields))
        differing = [] if existing is None else differences(self.dataset, existing.fields, fields)
        if existing is not None and not differing:
            self.report.unchanged += 1
            self._note(fields, record)
        elif refusal := self._refusal(existing, differing, fields):
            self._refuse(record, [(", ".join(differing) or "capture_mode", refusal)])
        else:
            self._write(conn, fields, existing is not None)
            self.report.added += existing is None
            self.report.replaced += existing is not None
            self._note(fields, record)

    def _write(self, conn: Connection, fields: dict[str, str], again: bool) -> None:
        by = Who(self.settings.actor, "")
        if again:
            supersede(conn, fields, self.settings.reason, by, self.settings.at)
        else:
            cases.put(conn, fields, step=append(conn, Draft("case_imported", fields, by.actor, self.settings.at)))

    def _refusal(self, existing: cases.CaseRow | None, differing: list[str], fields: dict[str, str]) -> str:
        """Why a case that is not there yet, or is there with other values, is not taken; "" if it is."""
        if existing is None:
            own_live = fields["capture_mode"] == "live" and fields["provider"] == self.settings.provider
            return OWN_LIVE if own_live else ""
        named = ", ".join(differing)
        if line := self.taken.get(cases.key_of(fields)):
            return f"Line {line} of this file has given the same case with other values in {named}; keep one of them."
        if existing.consultation:
            return (
                f"A consultation signed here holds this case with other values in {named}; correct it by an addendum."
            )
        if not self.settings.replace:
            return (
                f"This case is already held with other values in {named}; import it with --replace to supersede them."
            )
        return ""

    def _note(self, fields: dict[str, str], record: Record) -> None:
        self.taken.setdefault(cases.key_of(fields), record.line)
        place = (fields["provider"], fields["site"])
        self.spelled.keep(*place)
        if place not in self.report.sites:
            self.report.sites.append(place)
        self.report.held.setdefault((fields["provider"], fields["capture_mode"]), []).append(
            fields["consultation_date"]
        )
