"""Bringing a published table to what the mart holds now, by its days.

Belongs here: writing rows. Does not: which tables and rows (``tables``). A new file begins as a
copy of the one it replaces. Of each table the days whose rows are other than the mart's are written
again; what tells is a sum of row hashes on both sides, so that rows that were left alone have been
compared, not assumed. Reading every row costs an eighth of writing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from dagster_project.core.publishing.tables import Table
from dagster_project.core.warehouse import CATALOG

DAY = "business_date"
MOST_DAYS = 400  # so many are spelled out; with more, the table is written anew
MOST_SHARE = 0.5  # of a table's rows; from there on writing it anew is cheaper


def bring_up(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Table], target: str
) -> dict[str, int]:
    """Make the target's tables equal to the marts' permitted columns and rows; rows by table.

    A table may be missing, or have other columns, in the target.
    """
    marts, held = _columns(connection, CATALOG), _columns(connection, target)
    rows = {}
    for table in tables:
        wanted = [(c.name, marts[table.full_name][c.name]) for c in table.columns]
        is_alike = list(held.get(table.full_name, {}).items()) == wanted
        bring = _bring_up if is_alike else _write_anew
        rows[table.full_name] = bring(connection, table, target)
    return rows


def _bring_up(connection: duckdb.DuckDBPyConnection, table: Table, target: str) -> int:
    mart, held = f"{CATALOG}.{table.full_name}", f"{target}.{table.full_name}"
    (rows,) = connection.execute(f"select count(*) from {mart} where {table.condition}").fetchone()
    changed, count = _changed_days(connection, table, held)
    if not changed:
        return int(rows)
    if None in changed or len(changed) > MOST_DAYS or count > MOST_SHARE * rows:
        return _write_anew(connection, table, target)
    days = ", ".join(f"date '{day}'" for day in sorted(day for day in changed if day is not None))
    connection.execute(f"delete from {held} where {DAY} in ({days})")
    connection.execute(
        f"insert into {held} select {_listed(table)} from {mart} "
        f"where ({table.condition}) and {DAY} in ({days})"
    )
    return int(rows)


def drop_others(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Table], target: str
) -> None:
    """Drop everything in the target that is not one of the tables: it is made anew."""
    kept = {table.full_name for table in tables}
    found = connection.execute(
        "select 'view', schema_name, view_name from duckdb_views() "
        "where database_name = $1 and not internal union all "
        "select 'table', schema_name, table_name from duckdb_tables() where database_name = $1 "
        "order by all desc",  # views first
        [target],
    ).fetchall()
    for kind, schema, name in found:
        if f"{schema}.{name}" not in kept:
            connection.execute(f'drop {kind} {target}.{schema}."{name}"')


def _write_anew(connection: duckdb.DuckDBPyConnection, table: Table, target: str) -> int:
    held = f"{target}.{table.full_name}"
    connection.execute(f"create schema if not exists {target}.{table.schema}")
    connection.execute(f"drop table if exists {held}")
    (rows,) = connection.execute(
        f"create table {held} as select {_listed(table)} from {CATALOG}.{table.full_name} "
        f"where {table.condition}"
    ).fetchone()
    return int(rows)


def _columns(connection: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, dict[str, str]]:
    """Types by column, in the table's order, by ``schema.table``."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where database_name = ? order by schema_name, table_name, column_index",
        [catalog],
    ).fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def _changed_days(
    connection: duckdb.DuckDBPyConnection, table: Table, held: str
) -> tuple[set[date | None], int]:
    """Days whose rows differ, and the rows that the mart has on them.

    A table without days, and rows without one, stand under None.
    """
    mart = f"{CATALOG}.{table.full_name} where {table.condition}"
    rows = connection.execute(
        f"""
        with mart as ({_summed(table, mart)}),
        held as ({_summed(table, held)})
        select coalesce(mart.day, held.day), coalesce(mart.rows, 0)
        from mart
        full outer join held on mart.day is not distinct from held.day
        where mart.rows is distinct from held.rows or mart.hashes is distinct from held.hashes
        """
    ).fetchall()
    return {day for day, _ in rows}, sum(count for _, count in rows)


def _summed(table: Table, source: str) -> str:
    """Rows and the sum of their hashes by day, of a table name with or without a condition."""
    day = DAY if _has_days(table) else "null::date"
    return (
        f"select {day} as day, count(*) as rows, sum(hash(found)::hugeint) as hashes "
        f"from (select {_listed(table)} from {source}) as found group by day"
    )


def _has_days(table: Table) -> bool:
    return any(column.name == DAY for column in table.columns)


def _listed(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)
