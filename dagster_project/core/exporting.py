"""One published table as a file for a spreadsheet or another program.

Belongs here: CSV, xlsx and Parquet of a table or view of a published file, text made harmless to
spreadsheets, numbers left numbers. Does not: the private warehouse, which nothing is exported from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from dagster_project.core.reading import open_published

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 50_000
SHEET_ROWS = 1_048_575  # of 1,048,576 the first holds the names
EXACT_INTEGER = 2**53  # a spreadsheet's numbers are doubles
FILE_MODE = 0o640
# What a spreadsheet takes for a formula, in ASCII, full width and small forms, also behind blanks
# that programs strip; a tab or return by itself moves what follows into a cell of its own.
FORMULA = r"^(?:[\s\p{Cf}]*[=+\-@＝＋－＠﹦﹢﹣﹫]|[\t\r\n])"
NESTED = ("STRUCT", "MAP", "UNION", "BLOB")
Rows = Iterator["pa.RecordBatch"]


class ExportError(Exception):
    """The table cannot be exported; the message says why in one line."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    table: str
    path: Path
    row_count: int


def export_table(published: Path, table: str, target: Path) -> Exported:
    """Write a table or view of a published file; the name's ending chooses the format.

    In CSV and xlsx a text that a spreadsheet would run gets an apostrophe in front; Parquet, which
    nothing runs, keeps every text as it is. The file is there whole or not at all. Raises
    ExportError.
    """
    writers: dict[str, Callable[[Rows, pa.Schema, Path], int]] = {
        ".csv": _write_csv,
        ".parquet": _write_parquet,
        ".xlsx": _write_xlsx,
    }
    writer = writers.get(target.suffix.lower())
    if writer is None:
        raise ExportError(f"{target.name}: the name must end in {', '.join(writers)}")
    if not published.exists():
        raise ExportError(f"{published} does not exist; publish first")
    with open_published(published) as connection:
        query = _query(connection, table, is_sheet=target.suffix.lower() != ".parquet")
        reader = connection.execute(query).to_arrow_reader(BATCH_ROWS)
        with _whole(target) as unfinished:
            count = writer(reader, reader.schema, unfinished)
    return Exported(table, target, count)


def _query(connection: duckdb.DuckDBPyConnection, table: str, *, is_sheet: bool) -> str:
    """The table's rows with harmless texts; raises ExportError where there is no such table."""
    schema, _, name = table.rpartition(".")
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() where not internal "
        "and database_name = current_database() and schema_name = ? and table_name = ? "
        "order by column_index",
        [schema, name],
    ).fetchall()
    if not columns:
        raise ExportError(f"there is no {table}; `tillhouse export --list` names what there is")
    shown = [_shown(column, kind, is_sheet=is_sheet) for column, kind in columns]
    return f'select {", ".join(shown)} from "{schema}"."{name}"'


def _shown(column: str, kind: str, *, is_sheet: bool) -> str:
    name = f'"{column}"'
    if kind in {"HUGEINT", "UHUGEINT"}:
        return f"cast({name} as decimal(38, 0)) as {name}"
    if not is_sheet:
        return name
    if kind.endswith("]") or kind.startswith((*NESTED, "VARCHAR", "ENUM", "JSON", "UUID")):
        text = f"cast({name} as varchar)"
        guarded = f"if(regexp_matches({text}, '{FORMULA}'), '''' || {text}, {text})"
        return f"{guarded} as {name}"
    return name


def exportable(published: Path) -> list[str]:
    """Every table and view of a published file, as ``schema.name``."""
    with open_published(published) as connection:
        rows = connection.execute(
            "select distinct schema_name || '.' || table_name from duckdb_columns() "
            "where not internal and database_name = current_database() order by all"
        ).fetchall()
    return [name for (name,) in rows]


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A file beside the target that takes its place once it is finished and synced."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        os.close(descriptor)
        yield unfinished
        with unfinished.open("rb") as handle:
            os.fsync(handle.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_csv(rows: Rows, schema: pa.Schema, path: Path) -> int:
    from pyarrow import csv

    count = 0
    with csv.CSVWriter(str(path), schema) as out:
        for batch in rows:
            out.write_batch(batch)
            count += batch.num_rows
    return count


def _write_parquet(rows: Rows, schema: pa.Schema, path: Path) -> int:
    from pyarrow import parquet

    count = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as out:
        for batch in rows:
            out.write_batch(batch)
            count += batch.num_rows
    return count


def _write_xlsx(rows: Rows, schema: pa.Schema, path: Path) -> int:
    try:
        from openpyxl import Workbook
    except ImportError:
        raise ExportError("xlsx needs the package openpyxl: pip install 'tillhouse[bi]'") from None
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(schema.names)
    count = 0
    for batch in rows:
        count += batch.num_rows
        if count > SHEET_ROWS:
            raise ExportError(f"a sheet holds {SHEET_ROWS:,} rows and this table more: use csv")
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            sheet.append([_cell(value) for value in values])
    book.save(path)
    return count


def _cell(value: Any) -> Any:
    """A value as a cell holds it: times in UTC without a zone, long whole numbers as text."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, str):
        return ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, int) and abs(value) > EXACT_INTEGER:
        return str(value)
    return value
