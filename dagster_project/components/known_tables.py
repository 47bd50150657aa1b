"""The columns that every table has, known without a warehouse: from declarations alone.

Belongs here: gathering them from where each kind of table is declared. Does not: what is done with
them, or any row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from dagster_project.components.feed import templates
from dagster_project.core.calendars import calendar_columns
from dagster_project.core.declarations import SYSTEM_COLUMNS
from dagster_project.core.forecasting import tables as forecasts
from dagster_project.core.identity.resolve import IDENTITY_TABLES
from dagster_project.core.ops_tables import OPS_TABLES

Columns = dict[str, str]  # name to DuckDB type
Table = tuple[str, str]  # schema and name
MADE_BY_SQL = f"create schema ops; create schema vault; create schema identity; {OPS_TABLES}"


def known_tables(manifest: Mapping[str, Any]) -> dict[Table, Columns]:
    """Schema and table to columns and types, of raw tables, models and everything else we make.

    A table whose columns have no declared types (staging, intermediate) has no columns here.
    """
    found: dict[Table, Columns] = dict(_modelled(manifest))
    found |= _raw() | _made_by_sql()
    found |= {("forecast", name): _plain(columns) for name, columns in forecasts.TABLES.items()}
    found["reference", "calendar"] = calendar_columns()
    return found


def _modelled(manifest: Mapping[str, Any]) -> Iterator[tuple[Table, Columns]]:
    """Models by their contracts, and sources, whose columns others declare."""
    for source in manifest["sources"].values():
        yield (source["schema"], source["identifier"]), {}
    for node in manifest["nodes"].values():
        if node["resource_type"] in {"model", "seed"}:
            columns = {name: one.get("data_type") for name, one in node["columns"].items()}
            typed = columns if all(columns.values()) else {}
            yield (node["schema"], node["name"]), typed


def _raw() -> dict[Table, Columns]:
    return {
        ("raw", template.table(name)): _plain(record.columns() | SYSTEM_COLUMNS)
        for template in templates().values()
        for name, record in template.records.items()
    }


def _made_by_sql() -> dict[Table, Columns]:
    """What the statements make that create the operational and the identity tables."""
    with duckdb.connect(config={"threads": 1}) as engine:
        engine.execute(f"{MADE_BY_SQL}; {IDENTITY_TABLES}")
        rows = engine.execute(
            "select schema_name, table_name, list(column_name order by column_index), "
            "list(data_type order by column_index) from duckdb_columns() "
            "where not internal group by all"
        ).fetchall()
    return {(schema, table): dict(zip(*held, strict=True)) for schema, table, *held in rows}


def _plain(columns: Mapping[str, str]) -> Columns:
    return {name: kind.removesuffix(" not null") for name, kind in columns.items()}
