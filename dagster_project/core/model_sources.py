"""Which of the models' sources hold other rows than when the models were last complete.

Belongs here: a summary of each source and its comparison. Does not: running dbt (``modelling``).
A model none of whose sources changed would be written again as it stands: a delivery of tills
leaves everything alone that only surveys or prices lead to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from dagster_project.core.feeds.sql import identifier

LOADED_BY = "_batch_id"  # raw tables only grow, batch by batch
LOADS = f"max({LOADED_BY}), sum({LOADED_BY})"
MAKING = frozenset({"model", "seed", "snapshot"})  # kinds of node that leave a table
FOLLOWS_OTHERS = "follows_others"  # meta of a source whose rows change with those of others only


@dataclass(frozen=True)
class Source:
    """A table that dbt reads and does not make."""

    name: str  # as dbt selects it: <source>.<table>
    schema: str
    table: str


def sources_of(manifest: Mapping[str, Any]) -> tuple[Source, ...]:
    """The sources of a dbt manifest, without those whose rows only follow others'."""
    return tuple(
        Source(f"{node['source_name']}.{node['name']}", node["schema"], node["identifier"])
        for node in manifest["sources"].values()
        if not node["config"].get("meta", {}).get(FOLLOWS_OTHERS)
    )


def summaries(
    connection: duckdb.DuckDBPyConnection, sources: Iterable[Source]
) -> dict[Source, str]:
    """What each source holds, in a word: how many rows of which loads, or a sum of row hashes.

    A source whose table is not there is left out.
    """
    columns: dict[tuple[str, str], set[str]] = {}
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() "
        "where database_name = current_database()"
    ).fetchall():
        columns.setdefault((schema, table), set()).add(column)
    found = {}
    for source in sources:
        if known := columns.get((source.schema, source.table)):
            summary = LOADS if LOADED_BY in known else "sum(hash(stored))"
            row = connection.execute(
                f"select concat_ws(' ', count(*), {summary}) "
                f"from {identifier(source.schema)}.{identifier(source.table)} as stored"
            ).fetchone()
            found[source] = str(row[0]) if row else ""
    return found


def recorded_summaries(connection: duckdb.DuckDBPyConnection) -> dict[Source, str]:
    """The sources of the last complete build and what they held; empty before the first."""
    rows = connection.execute(
        "select source, schema_name, table_name, summary from ops.source_state"
    ).fetchall()
    return {Source(name, schema, table): summary for name, schema, table, summary in rows}


def record_summaries(connection: duckdb.DuckDBPyConnection, found: Mapping[Source, str]) -> None:
    """Replace what is known of the sources, in the caller's transaction."""
    connection.execute("delete from ops.source_state")
    rows = [(source.name, source.schema, source.table, found[source]) for source in found]
    if rows:
        connection.executemany("insert into ops.source_state values (?, ?, ?, ?)", rows)


def record_built(
    connection: duckdb.DuckDBPyConnection, unique_ids: Iterable[str], at: datetime
) -> None:
    """Note which tables a complete build made, in the caller's transaction; tests make none."""
    made = [parts[2] for one in unique_ids if (parts := one.split("."))[0] in MAKING]
    connection.execute("insert or replace into ops.built_table select unnest(?), ?", [made, at])


def last_built(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """When each model was last made by a complete build, by its table's name."""
    rows = connection.execute("select table_name, built_at::varchar from ops.built_table")
    return dict(rows.fetchall())


def changed_sources(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...] | None:
    """Names of the sources that hold other rows than at the last complete build.

    None before the first: nothing is known of any.
    """
    before = recorded_summaries(connection)
    now = summaries(connection, before)
    return tuple(sorted(s.name for s in before if before[s] != now.get(s))) if before else None
