"""Row counts and column schemas of the warehouse's tables, each by one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg
import duckdb

Table = tuple[str, str]  # schema and name


def count_rows(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> dict[Table, int]:
    """Rows of each table, all in one query; a table's own count is metadata and costs nothing."""
    if not tables:
        return {}
    counts = " union all ".join(
        f"select {place} as place, count(*) as row_count from {schema}.{name}"
        for place, (schema, name) in enumerate(tables)
    )
    rows = connection.execute(f"select place, row_count from ({counts})").fetchall()
    return {tables[place]: int(count) for place, count in rows}


def stored_columns(
    connection: duckdb.DuckDBPyConnection, schemas: Sequence[str]
) -> dict[Table, list[tuple[str, str]]]:
    """Columns of every table and view of some schemas as they are stored: name and type."""
    rows = connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and list_contains(?, schema_name) "
        "order by schema_name, table_name, column_index",
        [list(schemas)],
    ).fetchall()
    found: dict[Table, list[tuple[str, str]]] = {}
    for schema, table, column, kind in rows:
        found.setdefault((schema, table), []).append((column, kind))
    return found


def base_tables(connection: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> list[Table]:
    """Tables of some schemas, views left out: counting a view's rows means running it."""
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = current_database() and list_contains(?, schema_name) "
        "order by all",
        [list(schemas)],
    ).fetchall()
    return [(schema, table) for schema, table in rows]


def with_stored_types(
    declared: dg.TableSchema | None, stored: Sequence[tuple[str, str]]
) -> dg.TableSchema:
    """The stored columns, each with the description and class it was declared with."""
    known = {column.name: column for column in declared.columns} if declared else {}
    return dg.TableSchema(
        [
            dg.TableColumn(
                name,
                kind.lower(),
                known[name].description if name in known else None,
                tags=known[name].tags if name in known else None,
            )
            for name, kind in stored
        ]
    )


def last_metadata(
    context: dg.AssetExecutionContext, key: dg.AssetKey
) -> dict[str, dg.MetadataValue]:
    """What the last materialisation said, to be said again where nothing has changed."""
    event = context.instance.get_latest_materialization_event(key)
    found = event.asset_materialization if event else None
    return dict(found.metadata) if found else {}


def as_table(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dg.MetadataValue:
    """Rows as a table in the user interface; whole numbers stay numbers."""
    numbers = {
        name
        for place, name in enumerate(columns)
        if rows and all(isinstance(row[place], int) for row in rows)
    }
    schema = dg.TableSchema(
        [dg.TableColumn(name, "int" if name in numbers else "string") for name in columns]
    )
    records = [dg.TableRecord(dict(zip(columns, row, strict=True))) for row in rows]
    return dg.MetadataValue.table(records, schema)
