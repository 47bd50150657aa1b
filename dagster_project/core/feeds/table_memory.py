"""Which rows of a sender's table are in the warehouse: what the next load compares with.

Belongs here: the memory (``ops.table_row``) and comparing staged lines with it. Does not: the
server. The memory is derived from files whose rows are committed, in the very transaction that
commits them: a crash can neither lose nor advance it. It holds no key and no value in the clear:
tokens to compare by, and the key columns sealed, because a row that is gone must still be named.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dagster_project.core.declarations import TableSource
from dagster_project.core.feeds.batch import Batch
from dagster_project.core.feeds.job import Job
from dagster_project.core.feeds.sql import literal, text_list
from dagster_project.core.keys import TOKEN_HEX

CHUNK_ROWS = 10_000
NONCE_BYTES = 12  # AES-GCM's own size (NIST SP 800-38D)
MEMORY = """
create table if not exists ops.table_row (
    feed varchar not null,
    key_token varchar not null,         -- of the key columns
    row_token varchar not null,         -- of all columns as they were last delivered
    cursor_value varchar,
    sealed_key blob not null,           -- the key columns, encrypted
    shape varchar not null,             -- of the feed's columns when the row was delivered
    is_deleted boolean not null
)
"""


@dataclass(frozen=True)
class Change:
    """A staged line that the warehouse does not have as it is."""

    line: str
    # Whether its own times do not say that it is newer than what is known of its key.
    needs_time: bool


class Memory:
    """What is known of one feed's table, and comparing with it over the job's connection."""

    def __init__(self, job: Job, source: TableSource) -> None:
        self._connection = job.connection
        self._feed = job.feed.feed
        self._source = source
        self._key_pads = job.key.token_pads(f"table/{self._feed}/key")
        self._row_pads = job.key.token_pads(f"table/{self._feed}/row")
        self._cipher = AESGCM(job.key.derive(f"table/{self._feed}/seal"))
        own = {source.deleted_column, source.seen_column}
        self._columns = [
            name for column, others in job.feed.columns.items() for name in (column, *others)
        ]
        self._columns = [name for name in self._columns if name not in own]
        self._shape = hashlib.sha256(repr(self._columns).encode()).hexdigest()[:16]
        self._connection.execute(MEMORY)

    def bookmark(self, cursor_type: str) -> str | None:
        """The newest cursor value that is committed; nothing where everything is to be read.

        That is so before the first load, and after the feed's columns have changed.
        """
        newest, is_of_shape = self._connection.execute(
            f"select cast(max(try_cast(cursor_value as {cursor_type})) as varchar), "
            "bool_and(shape = ?) from ops.table_row where feed = ?",
            [self._shape, self._feed],
        ).fetchone()
        return newest if is_of_shape else None

    def changes(self, lines: list[str], cursor_type: str) -> list[Change]:
        """Those lines that differ from what is known of their keys; their keys count as read."""
        self._stage(lines)
        self._connection.execute("insert into table_read select key_token from table_lines")
        rows = self._connection.execute(
            "select line, k.key_token is not null and coalesce(k.is_deleted or not "
            f"try_cast(l.cursor_value as {cursor_type}) "
            f"> try_cast(k.cursor_value as {cursor_type}), true) "
            "from table_lines as l left join known as k using (key_token) "
            "where k.key_token is null or k.is_deleted or k.row_token != l.row_token "
            "order by place"
        ).fetchall()
        return [Change(line, needs_time) for line, needs_time in rows]

    def begin(self) -> None:
        """Forget what an earlier comparison on this connection had staged."""
        execute = self._connection.execute
        execute(
            "create or replace temp table known as select key_token, row_token, cursor_value, "
            f"sealed_key, is_deleted from ops.table_row where feed = {literal(self._feed)}"
        )
        execute("create or replace temp table table_read (key_token varchar)")
        execute(
            "create or replace temp table table_keys "
            "(key_token varchar, cursor_value varchar, line varchar)"
        )

    def end(self) -> None:
        """Give the memory back."""
        for table in ("known", "table_read", "table_keys", "table_lines"):
            self._connection.execute(f"drop table if exists temp.{table}")

    def add_keys(self, lines: list[str]) -> None:
        """Note keys with their cursor values as being on the server."""
        self._stage(lines)
        self._connection.execute(
            "insert into table_keys select key_token, cursor_value, line from table_lines"
        )

    def repeated_keys(self) -> int:
        """How many of the server's keys stand there more than once."""
        return self._count("select count(*) - count(distinct key_token) from table_keys")

    def known_count(self) -> int:
        """Rows that are there as far as is known."""
        return self._count("select count(*) from known where not is_deleted")

    def unread(self) -> list[str]:
        """Keys on the server, as lines, that are new or have moved their cursor, and are unread."""
        rows = self._connection.execute(
            "select line from table_keys as t left join known as k using (key_token) "
            "where (k.key_token is null or k.is_deleted "
            "or k.cursor_value is distinct from t.cursor_value) "
            "and key_token not in (select key_token from table_read)"
        ).fetchall()
        return [line for (line,) in rows]

    def gone(self) -> list[dict[str, str]]:
        """Key columns of the rows that are known and no longer on the server."""
        rows = self._connection.execute(
            "select sealed_key from known where not is_deleted "
            "and key_token not in (select key_token from table_keys) order by key_token"
        ).fetchall()
        return [json.loads(self._open(sealed)) for (sealed,) in rows]

    def note(self, lines: list[str]) -> None:
        """Remember rows that the surrounding transaction commits."""
        self._stage(lines)
        rows = self._connection.execute("select key_token, line from table_lines").fetchall()
        import pyarrow as pa

        sealed = pa.table(
            {
                "key_token": pa.array([token for token, _ in rows], pa.string()),
                "sealed_key": pa.array([self._seal(line) for _, line in rows], pa.binary()),
            }
        )
        self._connection.register("sealed_keys", sealed)
        self._connection.execute(
            "delete from ops.table_row where feed = ? "
            "and key_token in (select key_token from table_lines)",
            [self._feed],
        )
        self._connection.execute(
            "insert into ops.table_row select $1, key_token, row_token, cursor_value, sealed_key, "
            "$2, is_deleted from table_lines inner join sealed_keys using (key_token)",
            [self._feed, self._shape],
        )
        self._connection.unregister("sealed_keys")

    def _stage(self, lines: list[str]) -> None:
        """Make ``table_lines``: each line with its tokens, the last one of a key."""
        import pyarrow as pa

        places = pa.array(range(len(lines)), pa.int64())
        table = pa.table({"place": places, "line": pa.array(lines, pa.large_string())})
        self._connection.register("table_chunk", table)
        deleted = literal(_pointer(self._source.deleted_column))
        self._connection.execute(
            "create or replace temp table table_lines as with texts as (select place, line, "
            f"{_texts(self._source.key)} as key_text, {_texts(self._columns)} as row_text, "
            f"json_extract_string(line, {literal(_pointer(self._source.cursor))}) as cursor_value, "
            f"coalesce(json_extract_string(line, {deleted}) = 'true', false) as is_deleted "
            "from table_chunk) select place, line, cursor_value, is_deleted, "
            f"{_token('key_text', 1)} as key_token, {_token('row_text', 3)} as row_token "
            "from texts",
            [*self._key_pads, *self._row_pads],
        )
        self._connection.unregister("table_chunk")

    def _count(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0])

    def _seal(self, line: str) -> bytes:
        row = json.loads(line)
        key = json.dumps({name: row.get(name) for name in self._source.key}, ensure_ascii=False)
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key.encode(), None)

    def _open(self, sealed: bytes) -> bytes:
        return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)


def note_rows(job: Job, batch: Batch) -> None:
    """Remember every row of the batch's files that are not held back; part of its transaction.

    A rejected row is in the ledger and in its file's original: it is not asked for again.
    """
    if job.feed.source is None:
        return
    memory = Memory(job, job.feed.source)
    for one in sorted(batch.delivered(), key=lambda one: one.claim.arrived_at):
        if one.content_id in batch.refused:
            continue
        with one.path.open(encoding="utf-8") as handle:
            for lines in chunks(line for line in handle if line.strip()):
                memory.note(list(_last_of_each_key(lines, job.feed.source.key)))


def chunks(items: Iterable[str]) -> Iterator[list[str]]:
    """The texts in lists of at most ``CHUNK_ROWS``."""
    found: list[str] = []
    for item in items:
        found.append(item)
        if len(found) == CHUNK_ROWS:
            yield found
            found = []
    if found:
        yield found


def _last_of_each_key(lines: list[str], key: tuple[str, ...]) -> Iterable[str]:
    """Lines that are objects with a key; where one stands twice, its last state is what holds."""
    last: dict[tuple[str, ...], str] = {}
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and all(row.get(name) is not None for name in key):
            last[tuple(str(row[name]) for name in key)] = line
    return last.values()


def _texts(names: Iterable[str]) -> str:
    paths = text_list(_pointer(name) for name in names)
    return f"cast(to_json(json_extract_string(line, {paths})) as varchar)"


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _token(text: str, first: int) -> str:
    """HMAC-SHA-256 of a text, its pads bound from the given number on."""
    inner = f"unhex(sha256(${first}::blob || encode({text})))"
    return f"left(sha256(${first + 1}::blob || {inner}), {TOKEN_HEX})"
