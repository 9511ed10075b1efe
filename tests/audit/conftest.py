"""The shipped content and an empty case table."""

import csv
import json
from pathlib import Path

import pytest

from consult.audit import cases
from consult.audit.benchmarks import load_benchmarks
from consult.audit.measures_file import load_measures
from consult.proforma.dataset import Dataset
from consult.proforma.load import parse, read_text
from consult.record.database import sqlite3

ROOT = Path(__file__).parents[2]
CONTENT = ROOT / "proformas" / "back-pain"
DATA = ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def content():
    return CONTENT


@pytest.fixture(scope="session")
def dataset():
    return parse(Dataset, read_text(CONTENT / "dataset.toml"), "dataset.toml", "fields")


@pytest.fixture(scope="session")
def measures(dataset):
    return load_measures(CONTENT, dataset)


@pytest.fixture(scope="session")
def benchmarks(measures, dataset):
    return load_benchmarks(CONTENT, measures, dataset)


@pytest.fixture(scope="session")
def example_cases():
    with (DATA / "example-cases.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def expected():
    return json.loads((DATA / "example-cases-expected.json").read_text(encoding="utf-8"))


@pytest.fixture
def conn(dataset):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    cases.ensure(connection, dataset)
    yield connection
    connection.close()
