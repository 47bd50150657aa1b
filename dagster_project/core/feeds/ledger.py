"""The ledger's lines, the rejects and the alarms of one batch.

Belongs here: rows of ``ops``. Does not: deciding. Rows are appended as one relation each, since
a statement per row costs a millisecond.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import duckdb

from dagster_project.core.feeds.errors import ErrorCode

# What was left out: a whole record, or one value of a record that is loaded.
RECORD, VALUE = "record", "value"


@dataclass(frozen=True)
class LedgerLine:
    """One delivered file; field for field the columns of ``ops.file_ledger``."""

    file_id: str
    content_id: str | None
    feed: str
    original_name: str
    size_bytes: int
    arrived_at: datetime
    encoding: str | None
    template: str
    template_version: int
    physical_count: int
    loaded_count: int
    rejected_count: int
    duplicate_count: int
    status: str
    reason: str | None
    batch_id: int | None
    first_business_at: datetime | None = None
    last_business_at: datetime | None = None


@dataclass(frozen=True)
class Reject:
    """One refused record, or value; field for field the columns of ``ops.rejects``."""

    reject_key: int
    feed: str
    file_id: str
    record_number: int
    first_line: int
    last_line: int
    byte_offset: int | None
    record: str
    column_name: str | None
    error_code: str
    message: str
    raw_record: str | None
    batch_id: int
    replayed_batch_id: int | None = None
    disposition: str = RECORD


def reject_key(
    file_id: str,
    record_number: int,
    column: str | None,
    code: ErrorCode,
    disposition: str = RECORD,
) -> int:
    """The same for the same error of the same record, whenever it is met."""
    parts = [file_id, str(record_number), column or "", code]
    text = "\x1f".join(parts if disposition == RECORD else [*parts, disposition])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def append(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Any]) -> None:
    """Append dataclass rows to the table whose columns they mirror."""
    if not rows:
        return
    import pyarrow as pa

    names = [one.name for one in fields(rows[0])]
    values = zip(*map(attrgetter(*names), rows), strict=True)
    columns = {name: pa.array(found) for name, found in zip(names, values, strict=True)}
    connection.register("ops_rows", pa.table(columns))
    listed = ", ".join(names)
    connection.execute(f"insert into {table} ({listed}) select {listed} from ops_rows")
    connection.unregister("ops_rows")


def append_rejects(connection: duckdb.DuckDBPyConnection, rejects: Sequence[Reject]) -> None:
    """Append the rejects that are not there yet: a replay meets the same ones again."""
    known = {
        row[0]
        for row in connection.execute(
            "select reject_key from ops.rejects where reject_key in (select unnest(?))",
            [[one.reject_key for one in rejects]],
        ).fetchall()
    }
    append(connection, "ops.rejects", [one for one in rejects if one.reject_key not in known])


def raise_alarm(
    connection: duckdb.DuckDBPyConnection, subject: str, severity: str, message: str
) -> None:
    """One line for a person to look at; never with a value in it."""
    connection.execute(
        "insert into ops.alarm values (current_timestamp, ?, ?, ?)", [subject, severity, message]
    )
