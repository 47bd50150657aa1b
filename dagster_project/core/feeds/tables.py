"""What changed in a table of a running PostgreSQL server, as one file for the ordinary loader.

Belongs here: the connection, its one transaction and the file. Does not: what is known already
(``table_memory``), nor loading.

One repeatable-read, read-only transaction sees one state of the table and is read twice:

* whole rows whose cursor is at the border or above, and those up to ``overlap_minutes`` below it:
  what is unchanged falls out by its token. The overlap is for a row that changed twice within one
  tick of the sender's clock, and so kept its cursor value.
* the key and cursor of every row. A row is asked for when its cursor is not the one we hold,
  whether it is newer or older: a transaction that began before the last load and was committed
  after it brings an old cursor value, however long it took. A key that we hold and that is gone
  is delivered as deleted.

No message of the server is ever quoted: it may hold parts of the connection string or of a row.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dagster_project.core.declarations import Policy, TableSource
from dagster_project.core.feeds.arrive import landing_folder
from dagster_project.core.feeds.errors import LoadError
from dagster_project.core.feeds.job import Job
from dagster_project.core.feeds.ledger import raise_alarm
from dagster_project.core.feeds.table_memory import CHUNK_ROWS, Change, Memory, chunks

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import Composable

    from dagster_project.core.feeds.load import FeedOutcome

CONNECT_SECONDS = 10
UNFINISHED = ".reading"  # a leading dot: never taken for a delivery
FILE_MODE = 0o600
# Our type that orders a cursor as the server does, by the name of the server's own.
CURSOR_TYPES = {
    "int2": "bigint",
    "int4": "bigint",
    "int8": "bigint",
    "numeric": "decimal(38, 9)",
    "float4": "double",
    "float8": "double",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
}
TIMES = frozenset({"date", "timestamp", "timestamptz"})
# Everything else reads as its text, in the settings below.
TEXTS = {
    "bytea": "encode({}, 'hex')",
    "money": "cast(cast({} as numeric) as text)",
}
SETTINGS = (
    "set local datestyle = 'ISO, YMD'",
    "set local intervalstyle = 'iso_8601'",
    "set local timezone = 'UTC'",
    "set local lock_timeout = '30s'",  # behind somebody who alters the table
)
# What the client library says when it cannot connect, and what may be told of it.
REASONS = {
    "password": "it refuses the user or the password",
    "does not exist": "it knows no such user or database",
    "pg_hba": "it lets this machine or user in by no rule",
    "refused": "nobody listens there",
    "No such file": "nobody listens there",
    "timeout": f"it did not answer within {CONNECT_SECONDS} seconds",
    "translate host": "no host has that name",
    "resolve host": "no host has that name",
    "too many": "it has no connection left",
    "starting up": "it is starting up",
    "shutting down": "it is shutting down",
}
COLUMNS = """
select a.attname, coalesce(b.typname, t.typname), t.typcategory
from pg_catalog.pg_attribute as a
inner join pg_catalog.pg_type as t on t.oid = a.atttypid
left join pg_catalog.pg_type as b on b.oid = nullif(t.typbasetype, 0)
where a.attrelid = pg_catalog.to_regclass(%s) and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""


class SourceError(LoadError):
    """A feed's table cannot be read; what other feeds deliver is none of its business."""

    outcome: FeedOutcome | None = None  # of what was loaded before


@dataclass(frozen=True)
class Column:
    """One column of the server's table."""

    name: str
    type_name: str  # the base type of a domain
    category: str  # of pg_type: A for arrays

    def text(self, alias: str) -> Composable:
        """The column's value as text."""
        from psycopg import sql

        pattern = TEXTS.get(self.type_name, "cast({} as text)")
        if self.category == "A":
            pattern = "cast(array_to_json({}) as text)"
        return sql.SQL(pattern).format(sql.Identifier(alias, self.name))


@dataclass
class Table:
    """The server's table as the feed sees it, within one transaction."""

    connection: Connection[Any]
    source: TableSource
    columns: list[Column]  # those that the feed declares
    others: list[str]  # names of those that it does not; their values stay on the server
    seen_at: str  # when the transaction began, by the server's clock
    read: int = field(default=0, init=False)  # server-side cursors opened so far

    @property
    def cursor(self) -> Column:
        return next(column for column in self.columns if column.name == self.source.cursor)

    @property
    def cursor_type(self) -> str:
        return CURSOR_TYPES[self.cursor.type_name]

    def since(self, bookmark: str | None) -> Iterator[list[str]]:
        """Rows at or above the bookmark, or below it by no more than the overlap; or all rows."""
        from psycopg import sql

        if bookmark is None:
            return self._lines(self.columns, sql.SQL(""), [])
        border = sql.SQL("cast(cast(%s as text) as {})").format(
            sql.Identifier("pg_catalog", self.cursor.type_name)
        )
        values: list[Any] = [bookmark]
        if self.cursor.type_name in TIMES:
            border += sql.SQL(" - make_interval(secs => %s)")
            values.append(self.source.overlap_minutes * 60)
        where = sql.SQL("where {} >= {} or {} is null").format(
            sql.Identifier("t", self.source.cursor), border, sql.Identifier("t", self.source.cursor)
        )
        return self._lines(self.columns, where, values)

    def all_keys(self) -> Iterator[list[str]]:
        """Key and cursor of every row."""
        from psycopg import sql

        names = {*self.source.key, self.source.cursor}
        return self._lines([c for c in self.columns if c.name in names], sql.SQL(""), [])

    def of_keys(self, keys: list[str]) -> Iterator[list[str]]:
        """The rows of those keys; by text, which every type of key has, in one pass."""
        from psycopg import sql

        by_name = {column.name: column for column in self.columns}
        rows = [json.loads(line) for line in keys]
        names = [sql.Identifier(f"key_{place}") for place in range(len(self.source.key))]
        equal = [
            sql.SQL("{} = {}").format(by_name[name].text("t"), sql.Identifier("k", f"key_{place}"))
            for place, name in enumerate(self.source.key)
        ]
        join = sql.SQL("inner join unnest({}) as k ({}) on {}").format(
            sql.SQL(", ").join([sql.SQL("cast(%s as text[])")] * len(names)),
            sql.SQL(", ").join(names),
            sql.SQL(" and ").join(equal),
        )
        return self._lines(self.columns, join, [[r[n] for r in rows] for n in self.source.key])

    def _lines(self, columns: list[Column], rest: Composable, values: list[Any]) -> Iterator[Any]:
        """Rows as JSON objects of texts without empty values, in lists of a bounded size."""
        from psycopg import sql

        query = sql.SQL("select {} from {} as t {}").format(
            sql.SQL(", ").join(column.text("t") for column in columns),
            sql.Identifier(*self.source.table.split(".")),
            rest,
        )
        self.read += 1
        names = [column.name for column in columns]
        with self.connection.cursor(name=f"tillhouse_{self.read}") as cursor:
            cursor.execute(query, values)
            while rows := cursor.fetchmany(CHUNK_ROWS):
                yield [_line(dict(zip(names, row, strict=True))) for row in rows]


def extract_table(job: Job) -> int:
    """Put what is new, changed or gone into the feed's landing folder as one file of JSON lines.

    Returns its number of lines; without any there is no file. Raises SourceError in one line
    that names the environment variable and never what is in it.
    """
    source = job.feed.source
    if source is None:
        return 0
    folder = landing_folder(job.home, job.feed)
    folder.mkdir(exist_ok=True)
    unfinished = folder / UNFINISHED
    try:
        with _open_table(job, source) as table:
            lines = _write(job, table, unfinished)
    except SourceError as error:
        unfinished.unlink(missing_ok=True)
        raise_alarm(job.connection, f"feed/{job.feed.feed}", "critical", str(error))
        raise
    if lines:
        unfinished.rename(folder / f"{job.feed.feed}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.jsonl")
    else:
        unfinished.unlink()
    return lines


def _write(job: Job, table: Table, path: Path) -> int:
    """Write every change to the path, durable; returns the number of lines."""
    memory = Memory(job, table.source)
    memory.begin()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        out = _Out(handle, job, table)
        for lines in table.since(memory.bookmark(table.cursor_type)):
            out.changes(memory.changes(lines, table.cursor_type))
        for lines in table.all_keys():
            _require_keys(job, table, lines)
            memory.add_keys(lines)
        if repeated := memory.repeated_keys():
            key = ", ".join(table.source.key)
            raise _error(job, f"{key} is no key of {table.source.table}: {repeated} repeats")
        for keys in chunks(memory.unread()):
            for lines in table.of_keys(keys):
                out.changes(memory.changes(lines, table.cursor_type))
        gone, known = memory.gone(), memory.known_count()
        if len(gone) > known * table.source.max_deleted_share:
            raise _error(
                job,
                f"{len(gone)} of {known} rows of {table.source.table} are gone at once; "
                "nothing was taken. If that is meant, raise source.max_deleted_share",
            )
        out.gone(gone)
        handle.flush()
        os.fsync(handle.fileno())
    memory.end()
    return out.count


class _Out:
    """The file being written; its first line names every column, so that drift is seen."""

    def __init__(self, handle: IO[str], job: Job, table: Table) -> None:
        self._handle = handle
        self._source = table.source
        self._seen_at = table.seen_at
        every = [*(column.name for column in table.columns), *table.others]
        self._every = dict.fromkeys([*every, self._source.deleted_column, self._source.seen_column])
        self.count = 0

    def changes(self, changes: list[Change]) -> None:
        for change in changes:
            row = json.loads(change.line)
            if change.needs_time:
                row[self._source.seen_column] = self._seen_at
            self._write(row)

    def gone(self, keys: list[dict[str, str]]) -> None:
        for key in keys:
            marks = {self._source.deleted_column: "true", self._source.seen_column: self._seen_at}
            self._write(key | marks)

    def _write(self, row: dict[str, Any]) -> None:
        if self.count == 0:
            row = self._every | row
        self._handle.write(json.dumps(row, ensure_ascii=False) + "\n")
        self.count += 1


@contextmanager
def _open_table(job: Job, source: TableSource) -> Iterator[Table]:
    """The table within one transaction that sees one state of it and may write nothing."""
    try:
        import psycopg
    except ImportError:
        told = "reading a table needs psycopg: pip install 'tillhouse[postgres]'"
        raise _error(job, told) from None
    given = os.environ.get(source.dsn_variable)
    if not given:
        raise _error(job, f"{source.dsn_variable}, the connection string, is not set")
    try:
        connection = psycopg.connect(
            given,
            connect_timeout=CONNECT_SECONDS,
            application_name="tillhouse",
            client_encoding="utf8",
            prepare_threshold=None,
        )
    except psycopg.Error as error:
        raise _error(job, _no_connection(source, error)) from None
    try:
        with connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            yield _table(job, connection, source)
    except (psycopg.Error, UnicodeDecodeError) as error:
        code = getattr(error, "sqlstate", None) or "none"
        told = f"reading {source.table} broke off: {type(error).__name__} (SQLSTATE {code})"
        raise _error(job, told) from None


def _table(job: Job, connection: Connection[Any], source: TableSource) -> Table:
    """The table's columns against the feed's; raises SourceError where it misses some."""
    for setting in SETTINGS:
        connection.execute(setting)
    quoted = ".".join(f'"{part}"' for part in source.table.split("."))
    there = [Column(*row) for row in connection.execute(COLUMNS, [quoted]).fetchall()]
    if not there:
        raise _error(job, f"the server has no table {source.table}, or does not show it")
    names = {column.name for column in there}
    _require_columns(job, source, names)
    known = {name for column, others in job.feed.columns.items() for name in (column, *others)}
    seen = connection.execute("select to_char(now(), 'YYYY-MM-DD HH24:MI:SS.US+00')").fetchone()
    table = Table(
        connection,
        source,
        [column for column in there if column.name in known],
        [column.name for column in there if column.name not in known],
        seen[0] if seen else "",
    )
    if table.cursor.type_name not in CURSOR_TYPES:
        raise _error(job, f"the cursor {source.cursor} is neither a number nor a date or time")
    return table


def _require_columns(job: Job, source: TableSource, there: set[str]) -> None:
    made = {source.deleted_column, source.seen_column}
    if clash := sorted(made & there):
        named = ", ".join(clash)
        raise _error(job, f"{source.table} has {named} itself: name other source columns for it")
    wanted = [name for name in (*source.key, source.cursor) if name not in there]
    if job.feed.drift.missing_column is Policy.FREEZE:
        columns = job.feed.columns.items()
        wanted += [n for n, o in columns if n not in made and there.isdisjoint({n, *o})]
    if wanted:
        missing = ", ".join(dict.fromkeys(wanted))
        raise _error(job, f"{source.table} has no column {missing}")


def _require_keys(job: Job, table: Table, lines: list[str]) -> None:
    for line in lines:
        if missing := set(table.source.key) - json.loads(line).keys():
            name = ", ".join(sorted(missing))
            raise _error(job, f"{name} is no key of {table.source.table}: it is empty in a row")


def _no_connection(source: TableSource, error: Exception) -> str:
    text = str(error)
    reason = next((told for word, told in REASONS.items() if word in text), "it cannot be reached")
    return f"no connection to the server of {source.dsn_variable}: {reason}"


def _error(job: Job, reason: str) -> SourceError:
    return SourceError(f"feed {job.feed.feed}: {reason}")


def _line(row: dict[str, str | None]) -> str:
    return json.dumps({n: v for n, v in row.items() if v is not None}, ensure_ascii=False)
