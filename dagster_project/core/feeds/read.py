"""From readable files to one temporary table of the sender's columns, all of them text.

Belongs here: headers, the database's reader and its check, the slow path. Does not: typing. A
source's rows stand in file order: ``rowid`` is the row's place among the unit's rows.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from dagster_project.core.declarations import Dialect, Feed
from dagster_project.core.feeds.errors import ErrorCode, FastPathError, HeldBackError
from dagster_project.core.feeds.recognise import Delivered
from dagster_project.core.feeds.records import (
    Physical,
    Splitter,
    first_cells,
    map_bytes,
    record_bounds,
)
from dagster_project.core.feeds.sql import (
    NEVER,
    identifier,
    literal,
    safe_glob,
    text_list,
)

SLOW_CHUNK_ROWS = 50_000


@dataclass(frozen=True)
class Header:
    """The file's columns in file order: declared names, and nothing for unknown ones."""

    columns: tuple[str | None, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Broken:
    """A physical record that is none; places are those in the text that was read."""

    record_number: int
    first_line: int
    last_line: int
    offset: int
    end: int
    code: ErrorCode


@dataclass(frozen=True)
class Source:
    """A temporary table ``_file, <declared columns>`` (slow: ``_record`` too) of some files."""

    table: str
    files: tuple[Delivered, ...]
    row_counts: tuple[int, ...]  # well-formed rows of each file, in the table
    header: Header
    broken: tuple[Broken, ...] = ()  # of the only file
    record_numbers: np.ndarray | None = None  # of the only file's rows; else 1, 2, 3 …
    # Of the only file's rows, where the splitter found them: first line, last line, offset, end.
    places: np.ndarray | None = None

    @property
    def first_rows(self) -> np.ndarray:
        """Place of each file's first row."""
        return np.concatenate(([0], np.cumsum(self.row_counts)))[:-1]

    @property
    def total(self) -> int:
        return sum(self.row_counts)


def match_header(delivered: Delivered, feed: Feed) -> Header:
    """The file's columns against the declared ones.

    Raises HeldBackError when a declared column is missing, or stands twice.
    """
    cells = first_cells(delivered.path, feed.dialect)
    if cells is None:
        raise HeldBackError("no header or first record can be read")
    declared = list(feed.columns)
    if not feed.dialect.header:
        if len(cells) != len(declared):
            raise HeldBackError(f"{len(cells)} columns, expected {len(declared)}")
        return Header(tuple(declared))
    return match_names([cell.strip() for cell in cells], feed)


def match_names(cells: list[str], feed: Feed) -> Header:
    """The declared name of each of the file's column names; raises HeldBackError."""
    names = {alias: name for name, aliases in feed.columns.items() for alias in (name, *aliases)}
    columns = tuple(names.get(cell) for cell in cells)
    known = [name for name in columns if name is not None]
    if missing := [name for name in feed.columns if name not in known]:
        raise HeldBackError(f"column missing: {', '.join(missing)}")
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise HeldBackError(f"column found twice: {', '.join(twice)}")
    unknown = tuple(c for c, name in zip(cells, columns, strict=True) if name is None)
    return Header(columns, unknown)


def expected_rows(delivered: Delivered, dialect: Dialect) -> int:
    """How many physical records follow the header, counted apart from any reader."""
    if delivered.profile.is_plain:
        return delivered.profile.lines - dialect.header
    starts, _ = record_bounds(map_bytes(delivered.path), dialect.quote)
    return len(starts) - dialect.header


def read_csv_sql(files: tuple[Delivered, ...], header: Header, dialect: Dialect) -> str:
    """The database's strict reader of these files, as a relation of text columns ``c0, c1 …``."""
    paths = text_list(safe_glob(str(one.path)) for one in files)
    types = ", ".join(f"'c{place}': 'varchar'" for place in range(len(header.columns)))
    quote = literal(dialect.quote or "")
    return (
        f"read_csv({paths}, auto_detect = false, strict_mode = true, "
        f"header = {str(dialect.header).lower()}, delim = {literal(dialect.delimiter)}, "
        f"quote = {quote}, escape = {quote}, columns = {{{types}}}, "
        f"nullstr = {text_list(dialect.null_text or (NEVER,))})"
    )


def read_fast(
    connection: duckdb.DuckDBPyConnection,
    files: tuple[Delivered, ...],
    header: Header,
    feed: Feed,
    table: str,
) -> Source:
    """Read files of one layout with the database's reader.

    Raises FastPathError where it refuses a file or its count differs from ``expected_rows``.
    """
    columns = ", ".join(
        f"c{place} as {identifier(name)}"
        for place, name in enumerate(header.columns)
        if name is not None
    )
    relation = read_csv_sql(files, header, feed.dialect)
    try:
        connection.execute(
            f"create or replace temp table {table} as "
            f"select file_index::integer as _file, {columns} from {relation}"
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        raise FastPathError(str(error).splitlines()[0]) from None
    return checked(connection, table, files, header, feed)


def checked(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    files: tuple[Delivered, ...],
    header: Header,
    feed: Feed,
) -> Source:
    """The source, once every file has as many rows as it has physical records."""
    expected = tuple(expected_rows(one, feed.dialect) for one in files)
    counted = dict(
        connection.execute(f"select _file, count(*) from {table} group by _file").fetchall()
    )
    if any(counted.get(place, 0) != rows for place, rows in enumerate(expected)):
        raise FastPathError("the reader's count is not the count of physical records")
    return Source(table, files, expected, header)


def read_parquet(
    connection: duckdb.DuckDBPyConnection, one: Delivered, feed: Feed, table: str
) -> Source:
    """Read a Parquet file; raises HeldBackError when it is none or lacks a column."""
    path = literal(safe_glob(str(one.path)))
    try:
        described = connection.execute(f"describe select * from read_parquet({path})").fetchall()
        header = match_names([row[0] for row in described], feed)
        columns = ", ".join(
            f"cast({identifier(row[0])} as varchar) as {identifier(name)}"
            for row, name in zip(described, header.columns, strict=True)
            if name is not None
        )
        connection.execute(
            f"create or replace temp table {table} as "
            f"select 0 as _file, {columns} from read_parquet({path})"
        )
        stated = connection.execute(f"select sum(num_rows) from parquet_file_metadata({path})")
        rows = int(stated.fetchone()[0] or 0)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise HeldBackError(f"not a readable Parquet file: {_pathless(reason, one)}") from None
    found = connection.execute(f"select count(*) from {table}").fetchone()[0]
    if found != rows:
        raise HeldBackError(f"the Parquet file states {rows} rows and holds {found}")
    return Source(table, (one,), (rows,), header)


def _pathless(text: str, one: Delivered) -> str:
    return text.replace(str(one.path), "the file").replace(one.path.name, "the file")


def read_slow(
    connection: duckdb.DuckDBPyConnection, one: Delivered, header: Header, feed: Feed, table: str
) -> Source:
    """Read one delimited file with the own splitter; no record is lost, broken ones are listed."""
    names = [name for name in header.columns if name is not None]
    places = [place for place, name in enumerate(header.columns) if name is not None]
    columns = ", ".join(f"{identifier(name)} varchar" for name in names)
    connection.execute(
        f"create or replace temp table {table} (_file integer, _record bigint, {columns})"
    )
    broken: list[Broken] = []
    found: list[tuple[int, int, int, int, int]] = []
    rows: list[Physical] = []
    for record in _split(one.path, feed.dialect, len(header.columns)):
        if record.error is not None:
            broken.append(_broken(record))
            continue
        found.append(
            (record.number, record.first_line, record.last_line, record.offset, record.end)
        )
        rows.append(record)
        if len(rows) == SLOW_CHUNK_ROWS:
            _insert(connection, table, rows, places, feed.dialect)
            rows = []
    _insert(connection, table, rows, places, feed.dialect)
    places = np.array(found, np.int64).reshape(-1, 5)
    return Source(table, (one,), (len(found),), header, tuple(broken), places[:, 0], places[:, 1:])


def _split(path: Path, dialect: Dialect, width: int) -> Iterator[Physical]:
    """The file's records after its header, numbered from 1."""
    with (
        path.open("rb") as handle,
        mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        first = 1 if dialect.header else 0
        for record in Splitter(content, dialect, width).records(1 - first):
            if record.number > 0:
                yield record


def _broken(record: Physical) -> Broken:
    return Broken(
        record.number,
        record.first_line,
        record.last_line,
        record.offset,
        record.end,
        record.error or ErrorCode.RAGGED_ROW,
    )


def _insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: list[Physical],
    places: list[int],
    dialect: Dialect,
) -> None:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    if not rows:
        return
    nulls = frozenset(dialect.null_text)
    columns = {"_file": pa.array([0] * len(rows), pa.int32())}
    columns["_record"] = pa.array([row.number for row in rows], pa.int64())
    for place in places:
        cells = [row.cells[place] if row.cells else None for row in rows]
        texts = [None if cell in nulls else cell for cell in cells]
        columns[f"c{place}"] = pa.array(texts, pa.large_string())
    connection.register("slow_chunk", pa.table(columns))
    connection.execute(f"insert into {table} select * from slow_chunk")
    connection.unregister("slow_chunk")
