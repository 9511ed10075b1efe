"""The counters: the sums of all measures kept beside the case table, by triggers, in the transaction of each change.

One row for each capture mode at four levels: everything, each provider, each site, and each site and month. So results
cost as much at a million cases as at a hundred. The rows are disposable: `ensure` makes them anew whenever the measures
in use, or the case table, are others than those they were made for; until then results are recounted. `off` says where
they are not what a recount gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consult.audit.cases import TABLE as CASES
from consult.audit.cases import quoted
from consult.audit.counting import MONTH, PLACE, Counts, Plan
from consult.record.database import Connection

TABLE: Final = "case_tally"
ALL, PROVIDER, SITE, SITE_MONTH = range(4)
KEY: Final = ("level", "capture_mode", "provider", "site", "month")
KEYS_OF_LEVEL: Final = {
    ALL: ("capture_mode", "''", "''", "''"),
    PROVIDER: ("capture_mode", "provider", "''", "''"),
    SITE: ("capture_mode", "provider", "site", "''"),
    SITE_MONTH: ("capture_mode", "provider", "site", MONTH),
}
VIEW: Final = "case_counted"
"""What each case counts for: the sums of a plan as 0 or 1, by the rowid of the case."""
CHANGES: Final = {
    "after_insert": ("AFTER INSERT", "NEW", "+"),
    "before_delete": ("BEFORE DELETE", "OLD", "-"),
    "before_update": ("BEFORE UPDATE", "OLD", "-"),
    "after_update": ("AFTER UPDATE", "NEW", "+"),
}
"""When the counters change: by what the case counts for while its row stands in the table."""


def ensure(conn: Connection, plan: Plan) -> bool:
    """Make the counters those of this plan; True if they were made anew. Inside a write transaction."""
    if kept(conn, plan):
        return False
    for name in _there(conn, "trigger"):
        conn.execute(f"DROP TRIGGER {quoted(name)}")
    conn.execute(f"DROP VIEW IF EXISTS {VIEW}")
    conn.execute(f"DROP TABLE IF EXISTS {TABLE}")
    sums = ", ".join(f"{name} INTEGER NOT NULL" for name in _short(plan))
    keys = ", ".join(f"{name} {'INTEGER' if name == 'level' else 'TEXT'} NOT NULL" for name in KEY)
    conn.execute(f"CREATE TABLE {TABLE} ({keys}, {sums}, PRIMARY KEY ({', '.join(KEY)})) STRICT, WITHOUT ROWID")
    fill(conn, plan)
    for statement in statements(plan).values():
        conn.execute(statement)
    return True


def kept(conn: Connection, plan: Plan) -> bool:
    """Whether counters of just this plan are kept: view and triggers are those it needs, word for word."""
    return {**_there(conn, "view"), **_there(conn, "trigger")} == statements(plan)


def _there(conn: Connection, kind: str) -> dict[str, str]:
    """The statements of the triggers on the case table, or of the view, by name."""
    table = CASES if kind == "trigger" else VIEW
    rows = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = ? AND tbl_name = ?", (kind, table))
    return {row[0]: row[1] for row in rows}


def fill(conn: Connection, plan: Plan) -> None:
    """Count all cases into the empty table: once by site and month, the other levels from that."""
    totals = ", ".join(f"sum({name})" for name in _short(plan))
    by_month = plan.grouped("1", KEYS_OF_LEVEL[SITE_MONTH])
    conn.execute(f"INSERT INTO {TABLE} SELECT {SITE_MONTH}, * FROM ({by_month})")
    for level in (SITE, PROVIDER, ALL):
        keys = ", ".join(KEYS_OF_LEVEL[level])
        conn.execute(
            f"INSERT INTO {TABLE} SELECT {level}, {keys}, {totals} FROM {TABLE} WHERE level = {SITE_MONTH} "
            f"GROUP BY {', '.join(PLACE[: 1 + level])}"
        )


def _short(plan: Plan) -> list[str]:
    """The columns of the sums: numbered, as their names would make the triggers many times as long."""
    return [f"n{at}" for at in range(len(plan.sums))]


def statements(plan: Plan) -> dict[str, str]:
    """The statements that keep the counters, by the names of what they make."""
    if not plan.kept_by:
        plan.kept_by = {VIEW: _view(plan)}
        plan.kept_by |= {f"{TABLE}_{name}": _trigger(plan, name, *how) for name, how in CHANGES.items()}
    return plan.kept_by


def _view(plan: Plan) -> str:
    judged = plan.judged(CASES, [f"{CASES}.rowid AS of_row", *PLACE, f"{MONTH} AS month"])
    sums = (f"{expression} AS n{at}" for at, expression in enumerate(plan.sums.values()))
    return f"CREATE VIEW {VIEW} AS SELECT of_row, {', '.join(PLACE)}, month, {', '.join(sums)} FROM ({judged})"


def _trigger(plan: Plan, name: str, when: str, row: str, sign: str) -> str:
    levels = " UNION ALL ".join(f"SELECT {level} AS level" for level in KEYS_OF_LEVEL)
    names = _short(plan)
    signed = names if sign == "+" else [f"-{name}" for name in names]
    more = ", ".join(f"{name} = {name} + excluded.{name}" for name in names)
    return (
        f"CREATE TRIGGER {TABLE}_{name} {when} ON {CASES} BEGIN "
        f"INSERT INTO {TABLE} SELECT level, capture_mode, iif(level >= {PROVIDER}, provider, ''), "
        f"iif(level >= {SITE}, site, ''), iif(level >= {SITE_MONTH}, month, ''), {', '.join(signed)} "
        f"FROM ({levels}) CROSS JOIN (SELECT * FROM {VIEW} WHERE of_row = {row}.rowid LIMIT 1) "
        f"WHERE true ON CONFLICT DO UPDATE SET {more}; END"
    )


def read(
    conn: Connection, plan: Plan, level: int, where: str, values: Sequence[str], by: Sequence[str]
) -> dict[tuple[str, ...], Counts]:
    """The sums of the counters of one level that a condition selects, by the columns `by`; empty groups are absent."""
    sums = ", ".join(f"sum({name})" for name in _short(plan))
    keys = ", ".join(map(quoted, by))
    group = f"GROUP BY {keys} " if keys else ""
    query = (
        f"SELECT {', '.join(filter(None, [keys, sums]))} FROM {TABLE} WHERE level = {level} AND {where} "
        f"{group}HAVING sum(n0) > 0"
    )
    return plan.read(conn.execute(query, values), len(by))


def off(conn: Connection, plan: Plan) -> list[str]:
    """The places whose counters are not what a recount of their cases gives, in words; empty where all are right."""
    by_level = {level: read(conn, plan, level, "1", (), KEY[1:]) for level in KEYS_OF_LEVEL}
    found = []
    for level, keys in KEYS_OF_LEVEL.items():
        counted = plan.recount(conn, "1", (), keys)
        differing = {key for key in counted | by_level[level] if counted.get(key) != by_level[level].get(key)}
        found += [" / ".join(filter(None, key)) for key in sorted(differing)]
    return found
