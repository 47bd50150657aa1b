"""From readable files to one relation of the sender's columns, all of them text.

Belongs here: delimited files with quotes and polluted ones, Parquet. Does not: files without
quotes (``plain``), columns (``header``), typing.

* A file without a single quote is cut at delimiters and newlines, which cannot be done in two
  ways: Arrow's reader, the fastest (``plain``).
* A file with quotes goes through the database's strict reader.
* Where either refuses, does not know the dialect (several delimiter signs, an escape sign, a
  header of several lines), or counts other records than the file physically has, the own splitter
  reads the file alone (``records``).
(Arrow reads ``"x"y`` as xy without a word, which is why it never sees a quote.)
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from dagster_project.core.declarations import Dialect
from dagster_project.core.feeds.drift import torn_end
from dagster_project.core.feeds.errors import ErrorCode, FastPathError, HeldBackError
from dagster_project.core.feeds.header import Header, match_names
from dagster_project.core.feeds.job import Job, in_file_order
from dagster_project.core.feeds.recognise import Delivered
from dagster_project.core.feeds.records import (
    Physical,
    Splitter,
    record_bounds,
    require_common,
    require_tight,
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
    """A relation ``_file, _row, _record, <declared columns>``, rows of each file together."""

    name: str
    files: tuple[Delivered, ...]
    row_counts: tuple[int, ...]  # well-formed rows of each file
    header: Header
    first_record: int = 0  # records of the only file before this piece of it
    broken: tuple[Broken, ...] = ()  # of the only file
    record_numbers: np.ndarray | None = None  # of the only file's rows; else consecutive
    # Of the only file's rows, where the splitter found them: first line, last line, offset, end.
    places: np.ndarray | None = None

    @property
    def relation(self) -> str:
        return f"{self.name}_rows"

    @property
    def first_rows(self) -> np.ndarray:
        """Place of each file's first row."""
        return np.concatenate(([0], np.cumsum(self.row_counts)))[:-1]

    @property
    def total(self) -> int:
        return sum(self.row_counts)

    def record_number(self, row: int, place: int) -> int:
        """Number, within its file, of the record at a row of the unit."""
        if self.record_numbers is not None:
            return int(self.record_numbers[row])
        return row - int(self.first_rows[place]) + 1 + self.first_record


def expected_rows(delivered: Delivered, dialect: Dialect) -> int:
    """How many physical records follow the header, counted apart from any reader."""
    if delivered.profile.is_plain:
        return delivered.profile.lines - dialect.header
    starts, _ = record_bounds(delivered.text.array(), dialect.quote)
    return len(starts) - dialect.header


def read_quoted(job: Job, files: tuple[Delivered, ...], header: Header, name: str) -> Source:
    """Read files of one layout with the database's strict reader.

    Raises FastPathError where it refuses a file or its count differs from ``expected_rows``.
    """
    require_common(job.feed.dialect)
    for one in files:
        require_tight(one.text.array(), job.feed.dialect, len(header.columns))
    columns = ", ".join(f"c{place} as {identifier(column)}" for place, column in header.known)
    try:
        with in_file_order(job):
            job.connection.execute(
                f"create or replace temp table {name} as select file_index::integer as _file, "
                f"{columns} from {_read_csv(files, header, job.feed.dialect)}"
            )
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        raise FastPathError(type(error).__name__) from None
    expected = tuple(expected_rows(one, job.feed.dialect) for one in files)
    counted = dict(
        job.connection.execute(f"select _file, count(*) from {name} group by _file").fetchall()
    )
    if any(counted.get(place, 0) != rows for place, rows in enumerate(expected)):
        raise FastPathError("the reader's count is not the count of physical records")
    source = Source(name, files, expected, header)
    _number_rows(job, source)
    return source


def _read_csv(files: tuple[Delivered, ...], header: Header, dialect: Dialect) -> str:
    """The database's strict reader of these files, as text columns ``c0, c1 …``."""
    paths = text_list(safe_glob(str(one.path)) for one in files)
    types = ", ".join(f"'c{place}': 'varchar'" for place in range(len(header.columns)))
    quote = literal(dialect.quote or "")
    return (
        f"read_csv({paths}, auto_detect = false, strict_mode = true, "
        f"header = {str(dialect.header).lower()}, delim = {literal(dialect.delimiter)}, "
        f"quote = {quote}, escape = {quote}, columns = {{{types}}}, "
        f"nullstr = {text_list(dialect.null_text or (NEVER,))})"
    )


def _number_rows(job: Job, source: Source) -> None:
    """The relation of a table whose rows stand in file order: ``rowid`` is the row's place."""
    first_rows = source.first_rows.tolist()
    job.connection.execute(
        f"create or replace temp table {source.name}_files as "
        "select unnest($1)::integer as _file, unnest($2)::bigint as first_row",
        [list(range(len(first_rows))), first_rows],
    )
    columns = source.header.select("s.")
    job.connection.execute(
        f"create or replace temp view {source.relation} as select s._file, s.rowid as _row, "
        f"s.rowid - f.first_row + 1 as _record, {columns} from {source.name} as s "
        f"join {source.name}_files as f on f._file = s._file"
    )


def read_parquet(job: Job, one: Delivered, name: str) -> Source:
    """Read a Parquet file; raises HeldBackError when it is none or lacks a column."""
    path = literal(safe_glob(str(one.path)))
    try:
        described = job.connection.execute(f"describe select * from read_parquet({path})")
        names = [row[0] for row in described.fetchall()]
        header = match_names(names, job.feed)
        columns = ", ".join(
            f"cast({identifier(names[place])} as varchar) as {identifier(column)}"
            for place, column in header.known
        )
        with in_file_order(job):
            job.connection.execute(
                f"create or replace temp table {name} as "
                f"select 0 as _file, {columns} from read_parquet({path})"
            )
        stated = job.connection.execute(f"select sum(num_rows) from parquet_file_metadata({path})")
        rows = int(stated.fetchone()[0] or 0)
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException) as error:
        raise HeldBackError(f"not a readable Parquet file ({type(error).__name__})") from None
    found = job.connection.execute(f"select count(*) from {name}").fetchone()[0]
    if found != rows:
        raise HeldBackError(f"the Parquet file states {rows} rows and holds {found}")
    source = Source(name, (one,), (rows,), header)
    _number_rows(job, source)
    return source


def read_slow(job: Job, one: Delivered, header: Header, name: str) -> Source:
    """Read one delimited file with the own splitter; no record is lost, broken ones are listed."""
    columns = ", ".join(f"{identifier(column)} varchar" for _, column in header.known)
    job.connection.execute(
        f"create or replace temp table {name} (_file integer, _record bigint, {columns})"
    )
    broken: list[Broken] = []
    found: list[tuple[int, int, int, int, int]] = []
    rows: list[Physical] = []
    for record in _split(one.path, job.feed.dialect, len(header.columns)):
        place = (record.number, record.first_line, record.last_line, record.offset, record.end)
        if record.error is not None:
            broken.append(Broken(*place, record.error))
            continue
        found.append(place)
        rows.append(record)
        if len(rows) == SLOW_CHUNK_ROWS:
            _insert(job, name, rows, header)
            rows = []
    _insert(job, name, rows, header)
    places = np.array(found, np.int64).reshape(-1, 5)
    source = Source(
        name,
        (one,),
        (len(found),),
        header,
        broken=torn_end(broken, one.path, job.feed, len(header.columns)),
        record_numbers=places[:, 0],
        places=places[:, 1:],
    )
    number_kept_rows(job, source)
    return source


def number_kept_rows(job: Job, source: Source) -> None:
    """The relation of a table that holds its rows' record numbers itself."""
    columns = source.header.select()
    job.connection.execute(
        f"create or replace temp view {source.relation} as "
        f"select _file, rowid as _row, _record, {columns} from {source.name}"
    )


def _split(path: Path, dialect: Dialect, width: int) -> Iterator[Physical]:
    """The file's records after its header, numbered from 1."""
    with (
        path.open("rb") as handle,
        mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        first = 1 - dialect.header_lines if dialect.header else 1
        for record in Splitter(content, dialect, width).records(first):
            if record.number > 0:
                yield record


def _insert(job: Job, name: str, rows: list[Physical], header: Header) -> None:
    import pyarrow as pa

    if not rows:
        return
    nulls = frozenset(job.feed.dialect.null_text)
    columns = {"_file": pa.array([0] * len(rows), pa.int32())}
    columns["_record"] = pa.array([row.number for row in rows], pa.int64())
    for place, _ in header.known:
        cells = [row.cells[place] if row.cells else None for row in rows]
        texts = [None if cell in nulls else cell for cell in cells]
        columns[f"c{place}"] = pa.array(texts, pa.large_string())
    job.connection.register("slow_chunk", pa.table(columns))
    with in_file_order(job):
        job.connection.execute(f"insert into {name} select * from slow_chunk")
    job.connection.unregister("slow_chunk")
