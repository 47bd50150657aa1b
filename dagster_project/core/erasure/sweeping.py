"""Looking for what may be left of somebody: in every table, and in every text that was written.

Belongs here: counting. Does not: removing, apart from pages that the next refresh writes anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.core.erasure.finding import Traces
from dagster_project.core.erasure.needles import Needles
from dagster_project.core.feeds.sql import identifier
from dagster_project.core.home import Home

CHUNK_BYTES = 8 << 20
KEYS = frozenset({"BIGINT", "HUGEINT", "UBIGINT"})


@dataclass(frozen=True)
class Left:
    """One table, and how many of its rows hold something."""

    table: str
    searched_columns: int
    found: int


def sweep_tables(
    connection: duckdb.DuckDBPyConnection, traces: Traces, database: str | None = None
) -> list[Left]:
    """Every table of a database: rows with a token, a clear value or a person's key in any column.

    Texts are compared whole; a clear value within a longer text is looked for by ``contains``.
    """
    connection.execute(
        "create or replace temp table swept_text as select unnest($texts::varchar[]) as text",
        {"texts": [*traces.tokens, *traces.values]},
    )
    connection.execute(
        "create or replace temp table swept_key as select unnest($keys::bigint[]) as key",
        {"keys": list(traces.person_keys)},
    )
    found = [
        _sweep(connection, table, columns)
        for table, columns in _tables(connection, database).items()
    ]
    for table in ("swept_text", "swept_key"):
        connection.execute(f"drop table {table}")
    return found


def _tables(
    connection: duckdb.DuckDBPyConnection, database: str | None
) -> dict[str, list[tuple[str, str]]]:
    rows = connection.execute(
        "select database_name, schema_name, table_name, column_name, data_type "
        "from duckdb_columns() inner join duckdb_tables() "
        "using (database_name, schema_name, table_name) "
        "where database_name = coalesce($database, current_database()) "
        "order by database_name, schema_name, table_name, column_index",
        {"database": database},
    ).fetchall()
    tables: dict[str, list[tuple[str, str]]] = {}
    for *place, column, kind in rows:
        tables.setdefault(".".join(map(identifier, place)), []).append((column, kind))
    return tables


def _sweep(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[tuple[str, str]]
) -> Left:
    conditions = []
    for column, kind in columns:
        name = identifier(column)
        if kind == "VARCHAR" or kind.endswith("JSON"):
            conditions.append(f"{name} in (select text from swept_text)")
        elif kind in KEYS:
            conditions.append(f"{name} in (select key from swept_key)")
    shown = ".".join(part.strip('"') for part in table.split(".")[1:])
    if not conditions:
        return Left(shown, 0, 0)
    (count,) = connection.execute(
        f"select count(*) from {table} where {' or '.join(conditions)}"
    ).fetchone()
    return Left(shown, len(conditions), int(count))


def text_folders(home: Home) -> tuple[Path, ...]:
    """Folders of what this project writes in the clear, for people or for tools."""
    return (home.reports, home.data_docs, home.dbt_target, home.dagster)


def sweep_files(folders: Iterable[Path], traces: Traces) -> list[tuple[Path, int]]:
    """Every file below the folders with the number of tokens and clear values that it holds."""
    texts = (*traces.tokens, *traces.values, *traces.descriptions)
    needles = Needles(text.encode() for text in texts)
    return [(path, _count(path, needles)) for path in _files(folders)]


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path


def _count(path: Path, needles: Needles) -> int:
    """How many of the needles the file holds, also across two pieces that are read."""
    met: set[bytes] = set()
    before = b""
    with path.open("rb") as handle:
        while piece := handle.read(CHUNK_BYTES):
            text = before + piece
            met |= needles.held_by(text)
            before = text[-needles.longest :]
    return len(met)
