"""The case table: the cases as plain columns, made from the data set; disposable, always equal to a rebuild."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from consult.proforma.dataset import BESIDE as OWN
from consult.proforma.dataset import Dataset
from consult.record.database import Connection
from consult.record.ledger import Step, steps

TABLE: Final = "case_row"
KEY: Final = ("provider", "capture_mode", "case_ref")
"""The fields that a case is known by."""
ORDER: Final = "consultation_date, signed, case_ref, provider, capture_mode"
INDEXES: Final = {
    "of_consultation": "(consultation) WHERE consultation <> ''",
    "in_order": f"({ORDER})",
    "of_site": "(provider, site, consultation_date)",
}


Key = tuple[str, str, str]
"""What a case is known by: the values of KEY."""


class CaseRow(Struct, frozen=True):
    """One case with where it comes from: consultation id ("" if imported), step, order of signing (live only)."""

    fields: dict[str, str]
    consultation: str
    step: int
    signed: int

    @property
    def key(self) -> Key:
        """What the case is known by."""
        return key_of(self.fields)

    @classmethod
    def of(cls, values: dict[str, Any]) -> CaseRow:
        """A case from the columns of its row."""
        own = {name: values[name] for name in OWN}
        return cls(fields={name: text for name, text in values.items() if name not in OWN}, **own)


def key_of(fields: Mapping[str, str]) -> Key:
    """What the case of these fields is known by."""
    return fields["provider"], fields["capture_mode"], fields["case_ref"]


def named(key: Key) -> dict[str, str]:
    """The same as fields by name, as a step or an address names a case."""
    return dict(zip(KEY, key, strict=True))


def quoted(name: str) -> str:
    """A column name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def ddl(dataset: Dataset, schema: str = "main") -> str:
    """The statement that creates the case table of a data set."""
    own = [
        "consultation TEXT NOT NULL DEFAULT ''",
        "step INTEGER NOT NULL DEFAULT 0",
        "signed INTEGER NOT NULL DEFAULT 0",
    ]
    fields = [f"{quoted(field.name)} TEXT NOT NULL DEFAULT ''" for field in dataset.fields]
    return f"CREATE TABLE {schema}.{TABLE} ({', '.join([*own, *fields])}, UNIQUE ({', '.join(KEY)})) STRICT"


def ensure(conn: Connection, dataset: Dataset) -> bool:
    """Make the case table fit the data set; True if it was made anew and must be filled (`rebuild`)."""
    if fits(conn, dataset):
        return False
    _make(conn, dataset)
    return True


def fits(conn: Connection, dataset: Dataset) -> bool:
    """Whether the case table is that of this data set."""
    return columns(conn) == [*OWN, *(field.name for field in dataset.fields)] and _indexes(conn) >= INDEXES.keys()


def _make(conn: Connection, dataset: Dataset, schema: str = "main") -> None:
    conn.execute(f"DROP TABLE IF EXISTS {schema}.{TABLE}")
    conn.execute(ddl(dataset, schema))
    for name, columns_of in INDEXES.items():
        conn.execute(f"CREATE INDEX {schema}.{TABLE}_{name} ON {TABLE} {columns_of}")


def _indexes(conn: Connection) -> set[str]:
    return {row[1].removeprefix(f"{TABLE}_") for row in conn.execute(f"PRAGMA index_list({TABLE})")}


def columns(conn: Connection) -> list[str]:
    """The columns of the case table; empty while there is none."""
    return [row[1] for row in conn.execute(f"PRAGMA table_info({TABLE})")]


def put(conn: Connection, fields: Mapping[str, str], *, step: int, consultation: str = "", signed: int = 0) -> None:
    """Write the case row of these fields, in the place of the one with the same key."""
    conn.execute(_putting((*OWN, *fields)), [consultation, step, signed, *fields.values()])


@lru_cache(maxsize=4)
def _putting(names: tuple[str, ...]) -> str:
    """The statement that writes a row of these columns: the same for every case of a file."""
    updates = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in names if name not in KEY)
    return (
        f"INSERT INTO {TABLE} ({', '.join(map(quoted, names))}) VALUES ({', '.join('?' * len(names))}) "
        f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {updates}"
    )


def delete(conn: Connection, consultation: str) -> None:
    """Remove the case of a consultation, if it has one."""
    conn.execute(f"DELETE FROM {TABLE} WHERE consultation = ? AND consultation <> ''", (consultation,))


def delete_entered(conn: Connection, key: Key) -> None:
    """Remove a case that was entered or imported; never one of a consultation signed here."""
    where = " AND ".join(f"{name} = ?" for name in KEY)
    conn.execute(f"DELETE FROM {TABLE} WHERE {where} AND consultation = ''", key)


def read(conn: Connection, provider: str, capture_mode: str, case_ref: str) -> CaseRow | None:
    """The case with this key, or None."""
    where = " AND ".join(f"{name} = ?" for name in KEY)
    row = conn.execute(f"SELECT * FROM {TABLE} WHERE {where}", (provider, capture_mode, case_ref)).fetchone()
    return None if row is None else CaseRow.of(as_dict(row))


def of_consultation(conn: Connection, consultation: str) -> CaseRow | None:
    """The case of a consultation signed here, or None."""
    row = conn.execute(
        f"SELECT * FROM {TABLE} WHERE consultation = ? AND consultation <> ''", (consultation,)
    ).fetchone()
    return None if row is None else CaseRow.of(as_dict(row))


def iterate(conn: Connection, where: str = "1", values: tuple[str, ...] = ()) -> Iterator[CaseRow]:
    """The cases in the order of the audit: by date, then order of signing (live) or case_ref."""
    for row in conn.execute(f"SELECT * FROM {TABLE} WHERE {where} ORDER BY {ORDER}", values):
        yield CaseRow.of(as_dict(row))


def places(conn: Connection) -> list[tuple[str, str]]:
    """The provider and the site of the cases, each pair once, in order."""
    return [(row[0], row[1]) for row in conn.execute(f"SELECT DISTINCT provider, site FROM {TABLE} ORDER BY 1, 2")]


def as_dict(row: Any) -> dict[str, Any]:
    """A row by column name."""
    return {name: row[name] for name in row.keys()}  # noqa: SIM118 - a row is not a mapping


KINDS: Final = (
    "case_imported",
    "case_replaced",
    "case_in_error",
    "consultation_signed",
    "case_corrected",
    "signing_retold",
    "entered_in_error",
)
"""The kinds of step that change a case."""


def apply(conn: Connection, dataset: Dataset, step: Step) -> None:
    """Let one step change the case table; the steps of other kinds change nothing."""
    if step.kind == "entered_in_error":
        delete(conn, step.consultation)
    elif step.content is None:
        return
    elif step.kind in ("case_imported", "case_replaced"):
        put(conn, fitted(dataset, step.content), step=step.seq)
    elif step.kind == "case_in_error":
        delete_entered(conn, key_of(step.content))
    elif step.kind in ("consultation_signed", "case_corrected") and step.content.get("case"):
        _put_signed(conn, fitted(dataset, step.content["case"]), step)
    elif step.kind == "signing_retold":  # the words of the signing are redacted: this step tells its case
        delete(conn, step.consultation)
        fields, signed = fitted(dataset, step.content["case"]), step.content["signed"]
        put(conn, fields, step=step.seq, consultation=step.consultation, signed=signed)


def _put_signed(conn: Connection, fields: dict[str, str], step: Step) -> None:
    row = of_consultation(conn, step.consultation)
    if row is not None:
        delete(conn, step.consultation)
    if row is not None or step.kind == "consultation_signed":
        signed = row.signed if row else step.seq if fields["capture_mode"] == "live" else 0
        put(conn, fields, step=step.seq, consultation=step.consultation, signed=signed)


def rebuild(conn: Connection, dataset: Dataset, up_to: int | None = None) -> int:
    """Drop the cases and make them anew from the steps (up to a step, or all); returns how many there are."""
    _make(conn, dataset)
    _fill(conn, dataset, up_to)
    return int(conn.execute(f"SELECT count(*) FROM {TABLE}").fetchone()[0])


def retell(conn: Connection, dataset: Dataset, up_to: int | None = None) -> None:
    """The cases as the steps tell them, for this connection only: in a temporary table that stands before the kept one.

    Nothing is written to the database, and nobody is held up. Results are then recounted from these cases.
    """
    _make(conn, dataset, "temp")
    _fill(conn, dataset, up_to)


def retold(conn: Connection) -> bool:
    """Whether this connection sees retold cases in the place of those kept."""
    return conn.execute("SELECT 1 FROM temp.sqlite_master WHERE name = ?", (TABLE,)).fetchone() is not None


def _fill(conn: Connection, dataset: Dataset, up_to: int | None) -> None:
    for step in heapq.merge(*(steps(conn, kind=kind) for kind in KINDS), key=lambda step: step.seq):
        if up_to is not None and step.seq > up_to:
            break
        apply(conn, dataset, step)


def changed_since(conn: Connection, step: int) -> list[Step]:
    """The steps after one that change a case, in order."""
    found = heapq.merge(*(steps(conn, kind=kind) for kind in KINDS), key=lambda step: step.seq)
    return [one for one in found if one.seq > step]


def fitted(dataset: Dataset, content: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a step as this data set has them: fields it no longer knows are left out, new ones blank."""
    return {field.name: str(content.get(field.name) or "") for field in dataset.fields}
