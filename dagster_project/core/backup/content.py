"""What a database holds, in figures that two copies of it must agree on.

Belongs here: row counts, sums over rows that do not depend on their order, and everything that is
no row: columns, constraints, views, sequences. Does not: copying.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import duckdb

from dagster_project.core.feeds.sql import identifier

# Asked of the connection's own catalogue. Object ids are left out: a copy numbers its own.
SHAPES = {
    "columns": "select schema_name, table_name, column_index, column_name, data_type, "
    "column_default, is_nullable from duckdb_columns() where database_name = current_database() "
    "and not internal order by all",
    "constraints": "select schema_name, table_name, constraint_text from duckdb_constraints() "
    "where database_name = current_database() order by all",
    "views": "select schema_name, view_name, sql from duckdb_views() "
    "where database_name = current_database() and not internal order by all",
    "comments": "select schema_name, table_name, comment from duckdb_tables() "
    "where database_name = current_database() and comment is not null order by all",
    "schemas": "select schema_name from duckdb_schemas() "
    "where database_name = current_database() and not internal order by all",
}
SEQUENCES = (
    "select schema_name || '.' || sequence_name, coalesce(last_value, start_value) "
    "from duckdb_sequences() where database_name = current_database() order by all"
)
TABLES = (
    "select schema_name, table_name from duckdb_tables() "
    "where database_name = current_database() and not internal order by all"
)


@dataclass(frozen=True)
class Content:
    """A database in figures."""

    tables: dict[str, tuple[int, str]]  # schema.table → rows, sum of their hashes
    shapes: dict[str, str]  # kind of thing that is no row → SHA-256 of all of them
    sequences: dict[str, int]

    @property
    def row_count(self) -> int:
        """Rows of all tables together."""
        return sum(rows for rows, _ in self.tables.values())

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def from_json(told: dict[str, Any]) -> Content:
    """The content that ``as_json`` wrote."""
    tables = {name: (int(rows), str(total)) for name, (rows, total) in told["tables"].items()}
    return Content(tables, dict(told["shapes"]), dict(told["sequences"]))


def read_content(connection: duckdb.DuckDBPyConnection) -> Content:
    """Count and sum every table of the current catalogue."""
    tables = {}
    for schema, table in connection.execute(TABLES).fetchall():
        # A sum, not an exclusive or: two equal rows more must not cancel each other.
        rows, total = connection.execute(
            "select count(*), coalesce(sum(hash(stored)), 0) "
            f"from {identifier(schema)}.{identifier(table)} as stored"
        ).fetchone()
        tables[f"{schema}.{table}"] = (rows, str(total))
    shapes = {
        name: sha256(repr(connection.execute(query).fetchall()).encode()).hexdigest()
        for name, query in SHAPES.items()
    }
    return Content(tables, shapes, dict(connection.execute(SEQUENCES).fetchall()))


def difference(expected: Content, found: Content) -> str | None:
    """The first thing in which a copy is not what it should be, in words; None where it is."""
    for name in sorted({*expected.tables, *found.tables}):
        before, now = expected.tables.get(name), found.tables.get(name)
        if before is None or now is None:
            return f"table {name} is {'missing' if now is None else 'too many'}"
        if before != now:
            what = "other rows" if before[0] == now[0] else f"{now[0]:,} rows, not {before[0]:,}"
            return f"table {name} holds {what}"
    for name, digest in expected.shapes.items():
        if found.shapes.get(name) != digest:
            return f"its {name} are not the same"
    return None if expected.sequences == found.sequences else "its sequences are not the same"
