"""Which tables and columns an audience may see.

Belongs here: reading the declared classes, from dbt's manifest for marts and from the forecast
map for forecasts, and refusing what nobody has classed. Does not: copying a row (``copying``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.core.declarations import IDENTIFIER, Classification
from dagster_project.core.publishing.errors import PublicationError
from dagster_project.core.publishing.forecast_tables import FORECAST_TABLES
from dagster_project.core.publishing.policy import STORE_COLUMNS, Audience, store_column
from dagster_project.core.warehouse import MART_SCHEMAS

FORECAST_SCHEMA = "forecast"


@dataclass(frozen=True)
class Column:
    """One column of a mart as it was declared."""

    name: str
    classification: Classification
    description: str


@dataclass(frozen=True)
class Table:
    """One mart with the columns that an audience may see, in the mart's own order."""

    schema: str
    name: str
    description: str
    columns: tuple[Column, ...]
    condition: str = "true"  # SQL: which rows the audience gets

    @property
    def full_name(self) -> str:
        """``schema.table``, of validated identifiers."""
        return f"{self.schema}.{self.name}"


def read_manifest(manifest: Mapping[str, Any] | Path) -> Mapping[str, Any]:
    """dbt's manifest, read from its file where a path is given.

    Raises PublicationError when the file is missing or no manifest.
    """
    if isinstance(manifest, Mapping):
        return manifest
    try:
        content = json.loads(manifest.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PublicationError(f"{manifest} is no readable manifest: {error}") from error
    if not isinstance(content, dict) or "nodes" not in content:
        raise PublicationError(f"{manifest} is no dbt manifest: it has no nodes")
    return content


def tables_for(
    audience: Audience, manifest: Mapping[str, Any], connection: duckdb.DuckDBPyConnection
) -> tuple[Table, ...]:
    """Every table the audience gets, with its columns and rows, in order of schema and name.

    Default is deny: a column that nobody classed is an error, not an omission, so that nothing new
    slips out and nothing needed goes missing in silence. A table that dbt does not know (a removed
    model, the remains of a killed build) is left behind.
    Raises PublicationError naming the audience, store, table or column.
    """
    present = _present_columns(connection)
    declared = _declared_marts(manifest) | _declared_forecasts(present)
    undeclared = sorted(set(present) - set(declared))
    if forecasts := [name for name in undeclared if name.startswith(f"{FORECAST_SCHEMA}.")]:
        raise PublicationError(f"no classes are declared for {', '.join(forecasts)}")
    if missing := sorted(set(declared) - set(present)):
        raise PublicationError(f"declared but not built: {', '.join(missing)}; build the models")
    stores = _store_keys(audience, connection)
    found = (_permit(declared[name], present[name], audience, stores) for name in sorted(declared))
    return tuple(table for table in found if table is not None and table.columns)


def _store_keys(audience: Audience, connection: duckdb.DuckDBPyConnection) -> dict[str, list[int]]:
    """Keys of the audience's stores, by the column that holds them."""
    if audience.stores is None:
        return {}
    rows = connection.execute(
        "select sender || '/' || store_code, store_durable_key, store_key from core.dim_store "
        "where list_contains(?, sender || '/' || store_code)",
        [list(audience.stores)],
    ).fetchall()
    if unknown := sorted(set(audience.stores) - {name for name, *_ in rows}):
        raise PublicationError(f"{audience.name}: no store {', '.join(unknown)} in core.dim_store")
    return {
        column: sorted({row[place] for row in rows})
        for place, column in enumerate(STORE_COLUMNS, start=1)
    }


def _permit(
    table: Table, present: tuple[str, ...], audience: Audience, stores: Mapping[str, list[int]]
) -> Table | None:
    """What the audience gets of a table; None where not one of its rows is for it."""
    by_name = {column.name: column for column in table.columns}
    if unclassed := [name for name in present if name not in by_name]:
        raise PublicationError(f"{table.full_name}: no class for {', '.join(unclassed)}")
    if absent := sorted(set(by_name) - set(present)):
        raise PublicationError(
            f"{table.full_name} lacks declared {', '.join(absent)}; build the models"
        )
    if not audience.sees_rows(table.full_name, present):
        return None
    permitted = tuple(
        by_name[name]
        for name in present
        if by_name[name].classification in audience.classes and name not in audience.without_columns
    )
    condition = table.condition
    column = store_column(present)
    if column is not None and audience.is_of_stores(table.full_name):
        keys = ", ".join(map(str, stores[column]))
        # A dimension's reserved members stand at no store and are what facts then point at.
        is_reserved = f"{column} < 0 or " if table.name.startswith("dim_") else ""
        condition = f"{is_reserved}{column} in ({keys})"
    return replace(table, columns=permitted, condition=condition)


def _declared_marts(manifest: Mapping[str, Any]) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] not in {"model", "seed", "snapshot"}:
            continue
        if node["schema"] not in MART_SCHEMAS or _is_not_built(node):
            continue
        table = _declared_mart(node)
        found[table.full_name] = table
    return found


def _is_not_built(node: Mapping[str, Any]) -> bool:
    config = node.get("config", {})
    return config.get("materialized") == "ephemeral" or not config.get("enabled", True)


def _declared_mart(node: Mapping[str, Any]) -> Table:
    schema, name = node["schema"], node.get("alias") or node["name"]
    columns = []
    for column, content in node["columns"].items():
        meta = content.get("config", {}).get("meta") or content.get("meta") or {}
        columns.append(_classed(f"{schema}.{name}", column, meta, content.get("description", "")))
    return Table(schema, _identifier(name), node.get("description", ""), tuple(columns))


def _classed(table: str, column: str, meta: Mapping[str, Any], description: str) -> Column:
    given = meta.get("class")
    if given is None:
        raise PublicationError(f"{table}: column {column} has no class")
    try:
        classification = Classification(given)
    except ValueError as error:
        raise PublicationError(f"{table}: column {column} has unknown class {given!r}") from error
    return Column(_identifier(column), classification, description)


def _declared_forecasts(present: Mapping[str, tuple[str, ...]]) -> dict[str, Table]:
    """The forecast tables that exist: a deployment may refresh without forecasting."""
    found: dict[str, Table] = {}
    for name, (description, columns) in FORECAST_TABLES.items():
        table = Table(
            FORECAST_SCHEMA,
            name,
            description,
            tuple(Column(c, Classification.INTERNAL, text) for c, text in columns.items()),
        )
        if table.full_name in present:
            found[table.full_name] = table
    return found


def _present_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """Columns of the tables and views of the published schemas, by ``schema.table``."""
    rows = connection.execute(
        """
        select
            table_schema || '.' || table_name as full_name,
            list(column_name order by ordinal_position) as columns,
        from information_schema.columns
        where table_catalog = current_database() and list_contains(?, table_schema)
        group by full_name
        """,
        [[*MART_SCHEMAS, FORECAST_SCHEMA]],
    ).fetchall()
    return {name: tuple(columns) for name, columns in rows}


def _identifier(name: str) -> str:
    if not re.match(IDENTIFIER, name):
        raise PublicationError(f"{name!r} is not lower snake case")
    return name
