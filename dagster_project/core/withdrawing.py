"""Take a loaded file back: its rows leave the warehouse as if it had never come.

Belongs here: the way out when a well-formed file says wrong things, which a blocking check would
hold against it for ever. Does not: rejecting rows (``feeds``), or forgetting a person
(``erasure``): the file's original and the values in the vault stay until their days are over.
Records that other files repeated, and that were left out as known, come in from those files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from dagster_project.core import audit_log
from dagster_project.core.declarations import Feed, Template
from dagster_project.core.feeds import create_raw_tables, replay_feed
from dagster_project.core.feeds.store import has_original
from dagster_project.core.home import Home
from dagster_project.core.warehouse import Warehouse

CAUSE = "withdrawal"  # as if other code had built the models: the next build is of everything
WITHDRAWN = "superseded"
_FILES = """
select file_id, original_name, arrived_at, status
from ops.file_ledger
where
    feed = $feed and list_contains(['loaded', 'superseded'], status)
    and (original_name = $file or starts_with(file_id, $file))
order by status, arrived_at desc
"""
# Files whose records were partly known when they came, of every feed of the sender.
_REPEATING = """
select feed, file_id, original_name
from ops.file_ledger
where
    status = 'loaded' and duplicate_count > 0 and list_contains($feeds, feed)
    and file_id != $file_id
order by arrived_at, file_id
"""


class WithdrawalError(Exception):
    """A file cannot be taken back; the message says why in one line."""


@dataclass(frozen=True)
class Withdrawn:
    """What a withdrawal changed; all zero where the file had been withdrawn before."""

    feed: str
    file: str
    file_id: str
    row_count: int  # that left the raw tables
    returned_count: int  # records that other files had repeated


def withdraw_file(
    warehouse: Warehouse,
    name: str,
    file: str,
    feeds: Mapping[str, Feed],
    templates: Mapping[str, Template],
) -> Withdrawn:
    """Take back a file of a feed, given by its name or the beginning of its id.

    Stopped anywhere and asked again it goes on where it stopped. The caller holds the writer's
    lock; the next refresh builds everything anew. Raises WithdrawalError where no such file is
    loaded, where several are, and where a record would be lost with an original that is gone.
    """
    feed, template = feeds[name], templates[feeds[name].template]
    kin = _kin(feed, feeds, templates)
    with warehouse.connect() as connection:
        create_raw_tables(connection, {template.template: template})
        file_id, told, status = _found(connection, name, file)
        repeating = _repeating(connection, warehouse.home, kin, file_id)
        rows = 0
        if status != WITHDRAWN:
            rows = _take_out(connection, feed, template, file_id)
            audit_log.record(
                warehouse.home, warehouse.key, "load", name, withdrawn=file_id, rows=rows
            )
    returned = sum(
        replay_feed(
            warehouse, feeds[one], templates[feeds[one].template], file_ids=ids
        ).loaded_count
        for one, ids in repeating.items()
    )
    return Withdrawn(name, told, file_id, rows, returned)


def _kin(feed: Feed, feeds: Mapping[str, Feed], templates: Mapping[str, Template]) -> list[str]:
    """Feeds whose records may be the same: of the same sender, into the same tables."""
    family = templates[feed.template].family
    return sorted(
        name
        for name, one in feeds.items()
        if one.sender == feed.sender and templates[one.template].family == family
    )


def _found(connection: duckdb.DuckDBPyConnection, feed: str, file: str) -> tuple[str, str, str]:
    """Id, name and status of the one file that is meant."""
    rows = connection.execute(_FILES, {"feed": feed, "file": file}).fetchall()
    loaded = [row for row in rows if row[3] != WITHDRAWN]
    chosen = loaded or rows[:1]
    if not chosen:
        raise WithdrawalError(f"{feed} has no loaded file {file!r}")
    if len({row[0] for row in chosen}) > 1:
        ids = ", ".join(row[0][:12] for row in chosen)
        raise WithdrawalError(f"{feed} has several files {file!r}; name one by its id: {ids}")
    file_id, told, _, status = chosen[0]
    return file_id, told, status


def _repeating(
    connection: duckdb.DuckDBPyConnection, home: Home, kin: list[str], file_id: str
) -> dict[str, list[str]]:
    """Files to take through again, by feed; raises WithdrawalError where one is not kept."""
    found: dict[str, list[str]] = {}
    rows = connection.execute(_REPEATING, {"feeds": kin, "file_id": file_id}).fetchall()
    for feed, other, name in rows:
        if not has_original(home, other):
            raise WithdrawalError(
                f"{name} of {feed} repeated records that were known, and its original is no "
                "longer kept: those records could be lost"
            )
        found.setdefault(feed, []).append(other)
    return found


def _take_out(
    connection: duckdb.DuckDBPyConnection, feed: Feed, template: Template, file_id: str
) -> int:
    """Delete the file's rows and have the next build build everything; returns how many."""
    connection.execute("begin")
    try:
        (batch_id,) = connection.execute(
            "insert into ops.batch values (nextval('ops.batch_sequence'), ?, now(), 0, 0) "
            "returning batch_id",
            [CAUSE],
        ).fetchone()
        rows = sum(
            _take_out_of(connection, template.table(record), feed.feed, file_id)
            for record in feed.records
        )
        connection.execute(
            "update ops.file_ledger set status = ?, reason = 'withdrawn' "
            "where feed = ? and file_id = ? and status = 'loaded'",
            [WITHDRAWN, feed.feed, file_id],
        )
        connection.execute(
            "update ops.rejects set replayed_batch_id = ? "
            "where feed = ? and file_id = ? and replayed_batch_id is null",
            [batch_id, feed.feed, file_id],
        )
        connection.execute(
            "update ops.build_state set fingerprint = ? where build = 'models'", [CAUSE]
        )
        connection.execute("delete from ops.build_state where build = 'identity'")
        connection.execute("delete from ops.source_state")
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return rows


def _take_out_of(connection: duckdb.DuckDBPyConnection, table: str, feed: str, file_id: str) -> int:
    (rows,) = connection.execute(
        f"delete from raw.{table} where _feed = ? and _file_id = ?", [feed, file_id]
    ).fetchone()
    connection.execute(
        "delete from ops.raw_conflict where raw_table = $table and record_key not in ("
        f"select _record_key from raw.{table} semi join ops.raw_conflict "
        "on _record_key = record_key and raw_table = $table "
        "group by _record_key having count(distinct _content_hash) > 1)",
        {"table": table},
    )
    return int(rows)
