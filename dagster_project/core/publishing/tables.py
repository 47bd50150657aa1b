"""Which tables and columns an audience may see.

Belongs here: reading the declared classes, from dbt's manifest for marts and from the forecast
map for forecasts, and refusing what nobody has classed. Does not: copying a row (``copying``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.core.declarations import IDENTIFIER, Classification
from dagster_project.core.publishing.errors import PublicationError
from dagster_project.core.publishing.forecast_tables import FORECAST_TABLES
from dagster_project.core.warehouse import MART_SCHEMAS

FORECAST_SCHEMA = "forecast"
# One audience so far; a partner's extract or a store manager's file is one more entry here.
AUDIENCE_CLASSES: Mapping[str, frozenset[Classification]] = {
    "analyst": frozenset({Classification.PUBLIC, Classification.INTERNAL}),
}


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
    audience: str, manifest: Mapping[str, Any], connection: duckdb.DuckDBPyConnection
) -> tuple[Table, ...]:
    """Every table the audience gets, with its permitted columns, in order of schema and name.

    Default is deny: a column that nobody classed is an error, not an omission, so that nothing new
    slips out and nothing needed goes missing in silence. A table that dbt does not know (a removed
    model, the remains of a killed build) is left behind.
    Raises PublicationError naming the audience, table or column.
    """
    if audience not in AUDIENCE_CLASSES:
        known = ", ".join(sorted(AUDIENCE_CLASSES))
        raise PublicationError(f"unknown audience {audience!r}; known: {known}")
    present = _present_columns(connection)
    declared = _declared_marts(manifest) | _declared_forecasts(present)
    undeclared = sorted(set(present) - set(declared))
    if forecasts := [name for name in undeclared if name.startswith(f"{FORECAST_SCHEMA}.")]:
        raise PublicationError(f"no classes are declared for {', '.join(forecasts)}")
    if missing := sorted(set(declared) - set(present)):
        raise PublicationError(f"declared but not built: {', '.join(missing)}; build the models")
    permitted = AUDIENCE_CLASSES[audience]
    tables = [_permit(declared[name], present[name], permitted) for name in sorted(declared)]
    return tuple(table for table in tables if table.columns)


def _permit(table: Table, present: tuple[str, ...], permitted: frozenset[Classification]) -> Table:
    by_name = {column.name: column for column in table.columns}
    if unclassed := [name for name in present if name not in by_name]:
        raise PublicationError(f"{table.full_name}: no class for {', '.join(unclassed)}")
    if absent := sorted(set(by_name) - set(present)):
        raise PublicationError(
            f"{table.full_name} lacks declared {', '.join(absent)}; build the models"
        )
    columns = tuple(by_name[name] for name in present)
    return Table(
        table.schema,
        table.name,
        table.description,
        tuple(column for column in columns if column.classification in permitted),
    )


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
