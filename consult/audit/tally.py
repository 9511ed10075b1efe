"""The counters: the sums of all measures kept beside the case table, by triggers, in the transaction of each change.

Rows at several levels, each for one capture mode: of each site all cases, those of each month, and those with each code
of the fields that results are broken down by; and of each provider those of each day. A period takes whole months and
the days left over, so results cost as much at a million cases as at a hundred. The rows are disposable: `ensure` makes
them anew whenever the measures in use, or the case table, are others than those they were made for; until then results
are recounted. `off` says where they are not what a recount gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from consult.audit.cases import TABLE as CASES
from consult.audit.cases import quoted, retold
from consult.audit.counting import MONTH, PLACE, Counts, Plan
from consult.audit.sql import Apart
from consult.record.database import Connection

TABLE: Final = "case_tally"
SITE, MONTH_OF_SITE, DAY_OF_PROVIDER, FIELD_OF_SITE = range(4)
"""The levels; from FIELD_OF_SITE on one for each field that results are broken down by."""
KEY: Final = ("level", "day", *PLACE, "month", "code")
DAY: Final = "consultation_date"
VIEW: Final = "case_counted"
"""What each case counts for: the sums of a plan as 0 or 1, by the rowid of the case."""
CHANGE: Final = "case_tally_change"
"""Where it is put that a case begins (1) or ceases (-1) to count: a view, whose trigger counts.

Each connection holds all triggers as they are read; the one that counts is long, and stands there once.
"""
CHANGES: Final = {
    "after_insert": ("AFTER INSERT", "NEW", 1),
    "before_delete": ("BEFORE DELETE", "OLD", -1),
    "before_update": ("BEFORE UPDATE", "OLD", -1),
    "after_update": ("AFTER UPDATE", "NEW", 1),
}
"""When the counters change: by what the case counts for while its row stands in the table."""


def fields(plan: Plan) -> list[str]:
    """The fields whose codes are counted apart, in the order of their levels."""
    return list(dict.fromkeys(breakdown.field for breakdown in plan.measures.breakdowns))


def _levels(plan: Plan) -> range:
    return range(FIELD_OF_SITE + len(fields(plan)))


def _codes(plan: Plan) -> list[str]:
    return [quoted(name) for name in fields(plan)]


def _of_case(plan: Plan, level: int) -> tuple[str, ...]:
    """The same as `_key`, over the case table itself: written apart, so that a recount proves the counters."""
    if level == DAY_OF_PROVIDER:
        return (DAY, *PLACE[:2], "''", "''", "''")
    code = _codes(plan)[level - FIELD_OF_SITE] if level >= FIELD_OF_SITE else "''"
    return ("''", *PLACE, MONTH if level == MONTH_OF_SITE else "''", code)


def ensure(conn: Connection, plan: Plan) -> bool:
    """Make the counters those of this plan; True if they were made anew. Inside a write transaction."""
    if kept(conn, plan):
        return False
    for name in _there(conn, "trigger"):
        conn.execute(f"DROP TRIGGER {quoted(name)}")
    for name in _there(conn, "view"):
        conn.execute(f"DROP VIEW {quoted(name)}")
    conn.execute(f"DROP TABLE IF EXISTS {TABLE}")
    sums = ", ".join(f"{name} INTEGER NOT NULL" for name in _short(plan))
    keys = ", ".join(f"{name} {'INTEGER' if name == 'level' else 'TEXT'} NOT NULL" for name in KEY)
    conn.execute(f"CREATE TABLE {TABLE} ({keys}, {sums}, PRIMARY KEY ({', '.join(KEY)})) STRICT, WITHOUT ROWID")
    fill(conn, plan)
    for statement in statements(plan).values():
        conn.execute(statement)
    return True


def kept(conn: Connection, plan: Plan) -> bool:
    """Whether counters of just this plan are kept: view and triggers are those it needs, word for word.

    Cases retold on this connection are others than those that were counted.
    """
    return not retold(conn) and {**_there(conn, "view"), **_there(conn, "trigger")} == statements(plan)


def _there(conn: Connection, kind: str) -> dict[str, str]:
    """The statements of the triggers that count, or of the views, by name."""
    tables = (CASES if kind == "trigger" else VIEW, CHANGE)
    rows = conn.execute("SELECT name, sql FROM sqlite_master WHERE type = ? AND tbl_name IN (?, ?)", (kind, *tables))
    return {row[0]: row[1] for row in rows}


def fill(conn: Connection, plan: Plan) -> None:
    """Count all cases into the empty table: each is judged once, then summed at each level."""
    totals = ", ".join(f"sum({name})" for name in _short(plan))
    conn.execute(f"CREATE TEMP TABLE case_judged_now AS {_judged(plan, 'limit')}")
    conn.execute(f"CREATE TEMP TABLE {VIEW}_now AS {_counted(plan, 'temp.case_judged_now')}")
    for level in _levels(plan):
        keys = [f"{expression} AS key{at}" for at, expression in enumerate(_key(plan, str(level)))]
        conn.execute(
            f"INSERT INTO {TABLE} SELECT {level}, {', '.join(keys)}, {totals} FROM temp.{VIEW}_now "
            f"GROUP BY {', '.join(f'key{at}' for at in range(len(keys)))}"
        )
    conn.execute(f"DROP TABLE temp.{VIEW}_now")
    conn.execute("DROP TABLE temp.case_judged_now")


def _key(plan: Plan, level: str) -> tuple[str, ...]:
    """What the key of a row holds after its level, as expressions over what the view gives."""
    codes = [f"WHEN {at} THEN code{at}" for at in _levels(plan)[FIELD_OF_SITE:]]
    return (
        f"iif({level} = {DAY_OF_PROVIDER}, of_day, '')",
        "capture_mode",
        "provider",
        f"iif({level} = {DAY_OF_PROVIDER}, '', site)",
        f"iif({level} = {MONTH_OF_SITE}, of_month, '')",
        f"CASE {level} {' '.join(codes)} ELSE '' END" if codes else "''",
    )


def _short(plan: Plan) -> list[str]:
    """The columns of the sums: numbered, as their names would make the triggers many times as long."""
    return [f"n{at}" for at in range(len(plan.sums))]


def statements(plan: Plan) -> dict[str, str]:
    """The statements that keep the counters, by the names of what they make."""
    if not plan.kept_by:
        plan.kept_by = {VIEW: _view(plan), CHANGE: f"CREATE VIEW {CHANGE} AS SELECT 0 AS sign, 0 AS of_row"}
        plan.kept_by |= {f"{TABLE}_count": _counting(plan)}
        plan.kept_by |= {f"{TABLE}_{name}": _trigger(name, *how) for name, how in CHANGES.items()}
    return plan.kept_by


def _view(plan: Plan) -> str:
    judged = _judged(plan, "distinct")
    return f"CREATE VIEW {VIEW} AS {_counted(plan, f'({judged})')}"


def _extra(plan: Plan) -> dict[str, str]:
    """What is kept of a case beside its sums, by name."""
    codes = {f"code{at}": quoted(name) for at, name in enumerate(fields(plan), FIELD_OF_SITE)}
    return {"of_row": f"{CASES}.rowid", "of_day": DAY, "of_month": MONTH} | {name: name for name in PLACE} | codes


def _judged(plan: Plan, apart: Apart) -> str:
    return plan.judged(CASES, [f"{expression} AS {name}" for name, expression in _extra(plan).items()], apart)


def _counted(plan: Plan, judged: str) -> str:
    sums = (f"{expression} AS n{at}" for at, expression in enumerate(plan.sums.values()))
    return f"SELECT {', '.join(_extra(plan))}, {', '.join(sums)} FROM {judged}"


def _trigger(name: str, when: str, row: str, sign: int) -> str:
    return (
        f"CREATE TRIGGER {TABLE}_{name} {when} ON {CASES} BEGIN INSERT INTO {CHANGE} VALUES ({sign}, {row}.rowid); END"
    )


def _counting(plan: Plan) -> str:
    levels = " UNION ALL ".join(f"SELECT {level} AS level" for level in _levels(plan))
    names = _short(plan)
    signed = [f"NEW.sign * {name}" for name in names]
    more = ", ".join(f"{name} = {name} + excluded.{name}" for name in names)
    return (
        f"CREATE TRIGGER {TABLE}_count INSTEAD OF INSERT ON {CHANGE} BEGIN "
        f"INSERT INTO {TABLE} SELECT level, {', '.join(_key(plan, 'level'))}, {', '.join(signed)} "
        f"FROM ({levels}) CROSS JOIN (SELECT * FROM {VIEW} WHERE of_row = NEW.of_row LIMIT 1) "
        f"WHERE true ON CONFLICT DO UPDATE SET {more}; END"
    )


def read(
    conn: Connection,
    plan: Plan,
    level: int,
    where: str,
    values: Sequence[str],
    by: Sequence[str],
    part: Plan | None = None,
) -> dict[tuple[str, ...], Counts]:
    """The sums of the counters of one level that a condition selects, by the expressions `by`; no empty groups.

    Given a part of the plan, its sums alone.
    """
    part, columns = part or plan, dict(zip(plan.sums, _short(plan), strict=True))
    keys = [f"key{at}" for at in range(len(by))]
    named = [f"{expression} AS {key}" for expression, key in zip(by, keys, strict=True)]
    sums = [f"sum({columns[name]})" for name in part.sums]
    group = f"GROUP BY {', '.join(keys)} " if keys else ""
    query = (
        f"SELECT {', '.join([*named, *sums])} FROM {TABLE} WHERE level = {level} AND {where} {group}HAVING sum(n0) > 0"
    )
    return part.read(conn.execute(query, values), len(by))


def span(conn: Connection, plan: Plan, where: str, values: Sequence[str]) -> tuple[str, str] | None:
    """The dates of the first and the last eligible case that a condition over mode, provider and date selects."""
    excluded = " + ".join(["0", *(f"n{at}" for at, name in enumerate(plan.sums) if name.startswith("excluded "))])
    test = f"level = {DAY_OF_PROVIDER} AND n0 > {excluded} AND {where.replace(DAY, 'day')}"
    first, last = (
        conn.execute(f"SELECT day FROM {TABLE} WHERE {test} ORDER BY day {order} LIMIT 1", values).fetchone()
        for order in ("ASC", "DESC")
    )
    return (first[0], last[0]) if first and last else None


def off(conn: Connection, plan: Plan) -> list[str]:
    """The places whose counters are not what a recount of their cases gives, in words; empty where all are right."""
    found: dict[str, None] = {}
    for level, counted in _recounted(conn, plan):
        held = read(conn, plan, level, "1", (), KEY[1:])
        differing = {key for key in counted | held if counted.get(key) != held.get(key)}
        found |= {" / ".join(filter(None, (*key[1:4], key[0], *key[4:]))): None for key in sorted(differing)}
    return list(found)


def _recounted(conn: Connection, plan: Plan) -> Iterator[tuple[int, dict[tuple[str, ...], Counts]]]:
    """The sums of the cases at each level: each case is judged once."""
    names = {expression: f"by {at}" for at, expression in enumerate((DAY, *PLACE, MONTH, "''", *_codes(plan)))}
    judged = plan.to_sum(CASES, {name: expression for expression, name in names.items()})
    conn.execute(f"CREATE TEMP TABLE case_recounted AS {judged}")
    try:
        for level in _levels(plan):
            by = [quoted(names[expression]) for expression in _of_case(plan, level)]
            yield level, plan.summed(conn, "temp.case_recounted", (), by, list(plan.flagged))
    finally:
        conn.execute("DROP TABLE temp.case_recounted")
