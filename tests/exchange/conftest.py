"""The shipped data set, a record in a file, and a good row."""

import csv
from datetime import date
from pathlib import Path

import pytest
from ready import ready

from consult.audit import cases
from consult.exchange.casefile import export, import_cases
from consult.exchange.intake import Import
from consult.proforma.dataset import Dataset
from consult.proforma.load import parse, read_text
from consult.record.opening import open_database

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="session")
def dataset():
    return parse(Dataset, read_text(ROOT / "proformas/back-pain/dataset.toml"), "dataset.toml", "fields")


@pytest.fixture(scope="session")
def example_text():
    return (ROOT / "tests/data/example-cases.csv").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def good(example_text):
    return next(csv.DictReader(example_text.splitlines())) | {"provider": "OWN"}


@pytest.fixture
def db(tmp_path, dataset):
    ready(tmp_path / "record.db", "cases", lambda file: for_cases(file, dataset))
    database = open_database(tmp_path / "record.db")
    yield database
    database.close()


def for_cases(file, dataset):
    """A new database with an empty table of cases."""
    database = open_database(file)
    with database.write() as conn:
        cases.ensure(conn, dataset)
    return database


@pytest.fixture
def take(db, dataset):
    """Import a text, or rows, as the provider OWN on the day TODAY."""

    def run(source, replace=False, progress=None):
        text = source if isinstance(source, str) else "".join(export(source, dataset))
        settings = Import("OWN", TODAY, "cli:test", "2026-11-22T10:00:00Z", replace)
        return import_cases(db, dataset, text, settings, progress)

    return run


@pytest.fixture
def held(db):
    """The cases in the record now, by reference."""
    return lambda: {row.fields["case_ref"]: row for row in cases.iterate(db.read())}
