"""Originals in the landing store that name an erased person.

Belongs here: which they are, making them unreadable, what the ledger says of it. Does not: rows.
An original is dropped as a whole: its rows are loaded, and with a few records cut out it would be
no original. What is lost is the replay of its rejects, which the ledger then says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from dagster_project.core.declarations import Feed, Template
from dagster_project.core.erasure.database import empty_rejects_of
from dagster_project.core.erasure.destroying import destroy_original
from dagster_project.core.feeds.arrive import Claim
from dagster_project.core.feeds.batch import Batch, read_files
from dagster_project.core.feeds.job import Job, job
from dagster_project.core.feeds.recognise import Delivered, receive
from dagster_project.core.feeds.store import has_original, open_original
from dagster_project.core.suppression.lineage import raw_records
from dagster_project.core.warehouse import Warehouse

DROPPED = "its original was destroyed: it named a person who was erased"
# All rows of any other file stand in ``raw`` under its own name.
_DOUBTFUL = """
select distinct feed, file_id, original_name, arrived_at
from ops.file_ledger
where template in (select unnest($templates))
    and (status = 'quarantined' or rejected_count > 0 or duplicate_count > 0)
    and status in ('loaded', 'quarantined')
order by arrived_at
"""


@dataclass(frozen=True)
class Originals:
    """What became of the store."""

    searched: int  # read once more, because not all of their rows are in ``raw``
    dropped: int
    unreadable: tuple[str, ...]  # SHA-256 of held-back files that nobody can read, and that stay
    emptied_rejects: int


@dataclass(frozen=True)
class _Doubtful:
    feed: str
    file_id: str
    name: str
    arrived_at: datetime


def drop_originals(
    warehouse: Warehouse,
    connection: duckdb.DuckDBPyConnection,
    templates: Mapping[str, Template],
    feeds: Mapping[str, Feed],
    *,
    named_in: Iterable[tuple[str, str]],
) -> Originals:
    """Destroy every original that names somebody of the register.

    ``named_in``: feed and SHA-256 of files whose rows in ``raw`` did. Those of which rows are not
    in ``raw`` are read as a load would read them. The caller holds the writer's lock.
    """
    home, named = warehouse.home, set(named_in)
    searched, unreadable, emptied = 0, [], 0
    for one in _doubtful(connection, templates):
        if not has_original(home, one.file_id):
            continue
        feed = feeds.get(one.feed)
        records = feed and _erased_records(
            job(connection, home, warehouse.key, feed, templates[feed.template]), one
        )
        searched += 1
        if records is None:
            unreadable.append(one.file_id)
        elif records:
            named.add((one.feed, one.file_id))
            emptied += empty_rejects_of(connection, one.feed, one.file_id, records)
    dropped = [file for file in sorted(named) if destroy_original(home, file[1])]
    _tell_ledger(connection, dropped)
    return Originals(searched, len(dropped), tuple(unreadable), emptied)


def _doubtful(
    connection: duckdb.DuckDBPyConnection, templates: Mapping[str, Template]
) -> list[_Doubtful]:
    families = {one.template for one in raw_records(templates) if one.tokens}
    names = [name for name, one in templates.items() if one.family in families]
    rows = connection.execute(_DOUBTFUL, {"templates": names}).fetchall()
    return [_Doubtful(*row) for row in rows]


def _erased_records(one_job: Job, one: _Doubtful) -> set[int] | None:
    """Numbers of the records of an erased person; None where the file cannot be read."""
    path = one_job.home.scratch / f"{one.file_id}.erasure"
    open_original(one_job.home, one_job.key, one.file_id, path)
    try:
        return _read(one_job, path, one)
    finally:
        path.unlink(missing_ok=True)


def _read(one_job: Job, path: Path, one: _Doubtful) -> set[int] | None:
    received = receive(Claim(str(path), one.name, one.arrived_at), one_job.feed, one_job.home)
    if not isinstance(received, Delivered):
        return None
    batch = Batch()
    read_files(one_job, batch, [received])
    try:
        if batch.held:
            return None
        return {
            verdict.unit.source.record_number(row, int(verdict.file_of_row[row]))
            for verdict in batch.verdicts
            for row in verdict.unit.erased_rows
        }
    finally:
        batch.close(one_job)


def _tell_ledger(connection: duckdb.DuckDBPyConnection, dropped: Sequence[tuple[str, str]]) -> None:
    """A file that had been held back is gone with its original; of others only the original is."""
    connection.execute(
        "update ops.file_ledger set reason = $reason, "
        "status = case when status = 'quarantined' then 'erased' else status end "
        "where status in ('loaded', 'quarantined') and (feed, file_id) in "
        "(select (unnest($feeds::varchar[]), unnest($files::varchar[])))",
        {
            "reason": DROPPED,
            "feeds": [feed for feed, _ in dropped],
            "files": [file_id for _, file_id in dropped],
        },
    )
