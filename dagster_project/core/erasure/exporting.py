"""Everything that is known of one person, in a folder that can be handed over.

Belongs here: which tables are of a person, their rows with clear values from the vault, JSON and
CSV. Does not: whose rows they are (``finding``). Originals and backups are not searched: every
record of theirs that was accepted stands in ``raw``.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.core import audit_log
from dagster_project.core.declarations import load_templates
from dagster_project.core.erasure import database, finding
from dagster_project.core.erasure.finding import Selectors
from dagster_project.core.feeds.sql import identifier
from dagster_project.core.home import TEMPLATES
from dagster_project.core.suppression.matching import Place
from dagster_project.core.suppression.register import ErasureError
from dagster_project.core.warehouse import MART_SCHEMAS, SENSITIVE_SCHEMA, Warehouse

DIRECTORY_MODE, FILE_MODE = 0o700, 0o600
PERSON_COLUMNS = ("customer_durable_key", "person_key", "other_person_key")
TOKEN_END = "_token"  # noqa: S105 - a column's ending, no secret
# What is formula to a spreadsheet: such a text gets an apostrophe in front.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
EVERYTHING = "everything.json"
SCHEMAS = ("identity", *MART_SCHEMAS, SENSITIVE_SCHEMA)
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Export:
    """Where it was written; ``rows`` of every table that was searched, none left out."""

    path: Path
    rows: dict[str, int]


def export_subject(warehouse: Warehouse, selectors: Selectors, out: Path) -> Export:
    """Write one person's rows into a new folder, mode 0700: one CSV per table, and all as JSON.

    The caller holds the writer's lock. Raises ErasureError where it is nobody, or more than one
    person; nothing is written then.
    """
    if out.exists():
        raise ErasureError(f"{out} exists: name a folder that does not")
    with warehouse.connect() as connection:
        connection.execute("begin")  # a raw table that is missing is made, and gone again
        try:
            tables = _everything(connection, warehouse, selectors)
        finally:
            connection.execute("rollback")
    _write(out, tables)
    counts = {name: len(rows) for name, rows in tables.items()}
    audit_log.record(
        warehouse.home,
        warehouse.key,
        "export",
        "subject",
        tables=len(counts),
        rows=sum(counts.values()),
    )
    return Export(out, counts)


def _everything(
    connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, selectors: Selectors
) -> dict[str, Rows]:
    places = database.raw_places(connection, load_templates(TEMPLATES))
    persons = finding.find_persons(connection, warehouse.key, selectors)
    if len(persons) != 1:
        raise ErasureError(f"these are {len(persons)} persons: export one after the other")
    finding.find_everything(connection, places, persons)
    found = {place.table: _raw_rows(connection, place) for place in places}
    for table, condition in person_tables(connection).items():
        found[table] = _rows(
            connection,
            f"select * from {table} where {condition}",
            {"person": persons[0]} if "$person" in condition else {},
        )
    return found


def person_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Every table behind ``raw`` that can hold rows of a person, with what picks them.

    Those with a person's key, and those with a token: of a visitor, a card, a patient.
    """
    columns: dict[str, list[str]] = {}
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() "
        "inner join duckdb_tables() using (database_name, schema_name, table_name) "
        "where database_name = current_database() and schema_name in (select unnest($schemas)) "
        "order by schema_name, table_name, column_index",
        {"schemas": list(SCHEMAS)},
    ).fetchall():
        columns.setdefault(f"{identifier(schema)}.{identifier(table)}", []).append(column)
    return {
        table.replace('"', ""): " or ".join(conditions)
        for table, names in columns.items()
        if (conditions := _conditions(names))
    }


def _conditions(names: Sequence[str]) -> list[str]:
    keys = [f"{name} = $person" for name in PERSON_COLUMNS if name in names]
    tokens = [
        f"{name} in (select token from erasure_token)" for name in names if name.endswith(TOKEN_END)
    ]
    return [*keys, *tokens]


def _raw_rows(connection: duckdb.DuckDBPyConnection, place: Place) -> Rows:
    """The person's rows of a raw table; beside each token what it stands for, from the vault."""
    clear = [
        f"(select any_value(value) from vault.personal_value as v where v.domain = '{one.domain}' "
        f"and v.token = {one.value}) as {identifier(one.column.removesuffix(TOKEN_END))}"
        for one in place.shown(place.record.tokens)
    ]
    told = ", ".join(["*", *clear])
    query = f"select {told} from {place.table} where rowid in (from {place.rows})"
    return _rows(connection, query, {})


def _rows(connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any]) -> Rows:
    cursor = connection.execute(query, dict(values))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _write(out: Path, tables: Mapping[str, Rows]) -> None:
    """All files, in a folder that gets its name when the last of them is whole."""
    unfinished = out.with_name(f".{out.name}.unfinished")
    unfinished.mkdir(mode=DIRECTORY_MODE, parents=True)
    for name, rows in tables.items():
        if rows:
            with _created(unfinished / f"{name}.csv") as handle:
                writer = csv.writer(handle)
                writer.writerow(rows[0])
                writer.writerows(map(_harmless, row.values()) for row in rows)
    told = {
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "searched_tables": sorted(tables),
        "tables": {name: rows for name, rows in tables.items() if rows},
    }
    with _created(unfinished / EVERYTHING) as handle:
        json.dump(told, handle, ensure_ascii=False, indent=2, default=str)
    unfinished.rename(out)


def _created(path: Path) -> Any:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def _harmless(value: Any) -> Any:
    """A text that no spreadsheet takes for a formula; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def uncovered(tables: Mapping[str, Iterable[str]]) -> list[str]:
    """Of tables with protected columns those that no export finds a person's rows in."""
    return sorted(table for table, names in tables.items() if not _conditions(list(names)))
