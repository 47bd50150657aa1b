"""Rejects and held-back files once more, from the originals in the store.

Belongs here: what a replay changes in the ledger. Does not: reading and judging, which are the
loader's. A second replay finds every row known and every reject noted, and changes nothing.
A record that was loaded without a value is loaded anew, in place of the row that lacks it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from dagster_project.core import audit_log
from dagster_project.core.declarations import Feed, Template
from dagster_project.core.feeds.arrive import Claim
from dagster_project.core.feeds.batch import Batch, read_files
from dagster_project.core.feeds.book import Counts
from dagster_project.core.feeds.commit import write_unit
from dagster_project.core.feeds.errors import one_line_errors
from dagster_project.core.feeds.findings import review_feed
from dagster_project.core.feeds.job import Job, job
from dagster_project.core.feeds.ledger import VALUE, Reject, append_rejects
from dagster_project.core.feeds.load import FeedOutcome, create_raw_tables
from dagster_project.core.feeds.recognise import Delivered, receive
from dagster_project.core.feeds.rejects import discards_of, rejects_of
from dagster_project.core.feeds.store import has_original, open_original
from dagster_project.core.warehouse import Warehouse


@dataclass(frozen=True)
class _Line:
    """What the ledger says of a file that has something to replay."""

    file_id: str
    name: str
    arrived_at: datetime
    status: str
    loaded_count: int
    rejected_count: int


def replay_feed(
    warehouse: Warehouse, feed: Feed, template: Template, file_ids: Collection[str] | None = None
) -> FeedOutcome:
    """Take every file with rejects, and every held-back file, through again; or those asked for.

    The outcome counts what is new: records loaded now, still rejected, known before. The caller
    holds the writer's lock. Raises LoadError as a load does.
    """
    sums = {"file_count": 0, "physical": 0, "loaded": 0, "rejected": 0}
    batch_ids: list[int] = []
    with one_line_errors(feed.feed), warehouse.connect() as connection:
        create_raw_tables(connection, {template.template: template})
        one_job = job(connection, warehouse.home, warehouse.key, feed, template)
        for line in _lines(one_job, file_ids):
            counts, batch_id = _replay(one_job, line)
            sums["file_count"] += 1
            sums["physical"] += counts.physical
            sums["loaded"] += counts.loaded
            sums["rejected"] += counts.rejected
            if batch_id is not None:
                batch_ids.append(batch_id)
        review_feed(connection, feed, template)
    if batch_ids:
        told = {"files": sums["file_count"], "rows": sums["loaded"], "replayed": len(batch_ids)}
        audit_log.record(warehouse.home, warehouse.key, "load", feed.feed, **told)
    known = sums["physical"] - sums["loaded"] - sums["rejected"]
    return FeedOutcome(
        feed.feed,
        sums["file_count"],
        sums["physical"],
        sums["loaded"],
        sums["rejected"],
        known,
        batch_ids=tuple(batch_ids),
    )


def _lines(one_job: Job, file_ids: Collection[str] | None) -> list[_Line]:
    rows = one_job.connection.execute(
        "select file_id, original_name, arrived_at, status, loaded_count, rejected_count "
        "from ops.file_ledger where feed = $1 and template = $2 and status in "
        "('loaded', 'quarantined') and case "
        "when $4 is not null then list_contains($4, file_id) else "
        "rejected_count > 0 or status = 'quarantined' or "
        "file_id in (select file_id from ops.rejects where feed = $1 and disposition = $3 "
        "and replayed_batch_id is null) end order by arrived_at",
        [
            one_job.feed.feed,
            one_job.feed.template,
            VALUE,
            list(file_ids) if file_ids is not None else None,
        ],
    ).fetchall()
    lines = [_Line(*row) for row in rows]
    return [line for line in lines if has_original(one_job.home, line.file_id)]


def _replay(one_job: Job, line: _Line) -> tuple[Counts, int | None]:
    path = one_job.home.scratch / f"{line.file_id}.replay"
    open_original(one_job.home, one_job.key, line.file_id, path)
    batch = Batch()
    try:
        received = receive(Claim(str(path), line.name, line.arrived_at), one_job.feed, one_job.home)
        if not isinstance(received, Delivered):
            return Counts(), None
        read_files(one_job, batch, [received])
        try:
            return _write(one_job, batch, line)
        finally:
            batch.close(one_job)
    finally:
        path.unlink()


def _write(one_job: Job, batch: Batch, line: _Line) -> tuple[Counts, int | None]:
    """Write what is new of a file; nothing where nothing is."""
    counts = Counts()
    if batch.held or batch.refused:
        counts.physical = counts.rejected = sum(v.physical[0] for v in batch.verdicts)
        return counts, None
    with _transaction(one_job) as undo:
        batch_id = one_job.connection.execute("select nextval('ops.batch_sequence')").fetchone()[0]
        rejects = [one for v in batch.verdicts for one in discards_of(one_job, v, 0, batch_id)]
        taken_out = _take_out_corrected(one_job, line, rejects)
        for verdict in batch.verdicts:
            counts.add(verdict, write_unit(one_job, verdict, batch_id), 0)
            rejects += rejects_of(one_job, verdict, 0, batch_id)
        is_same = line.status == "loaded" and line.rejected_count == counts.rejected
        if is_same and not (counts.loaded or taken_out):
            undo()
            return counts, None
        line = replace(line, loaded_count=line.loaded_count - taken_out)
        _settle_rejects(one_job, line, rejects, batch_id)
        content_id = batch.delivered()[0].content_id
        _update_ledger(one_job, line, content_id, counts, batch_id)
        one_job.connection.execute(
            "insert into ops.batch values (?, ?, current_timestamp, 1, ?)",
            [batch_id, one_job.feed.feed, counts.loaded],
        )
    return counts, batch_id


def _take_out_corrected(one_job: Job, line: _Line, discards: list[Reject]) -> int:
    """Delete the rows of records whose discarded values are no longer; returns how many records."""
    found = one_job.connection.execute(
        "select distinct record_number from ops.rejects where file_id = ? and feed = ? "
        "and disposition = ? and replayed_batch_id is null "
        "and reject_key not in (select unnest(?::bigint[]))",
        [line.file_id, one_job.feed.feed, VALUE, [one.reject_key for one in discards]],
    ).fetchall()
    numbers = [row[0] for row in found]
    gone: set[int] = set()
    for record in one_job.feed.records if numbers else ():
        rows = one_job.connection.execute(
            f"delete from raw.{one_job.template.table(record)} where _feed = ? and _file_id = ? "
            "and _record_number in (select unnest(?)) returning _record_number",
            [one_job.feed.feed, line.file_id, numbers],
        ).fetchall()
        gone |= {row[0] for row in rows}
    return len(gone)


@contextmanager
def _transaction(one_job: Job) -> Iterator[_Undo]:
    one_job.connection.execute("begin")
    undo = _Undo()
    try:
        yield undo
    except BaseException:
        one_job.connection.execute("rollback")
        raise
    one_job.connection.execute("rollback" if undo.is_called else "commit")


class _Undo:
    """Called inside a transaction that turns out to change nothing."""

    is_called = False

    def __call__(self) -> None:
        self.is_called = True


def _settle_rejects(one_job: Job, line: _Line, rejects: list[Reject], batch_id: int) -> None:
    """Mark those that are no longer rejected so, and note those that are new."""
    one_job.connection.execute(
        "update ops.rejects set replayed_batch_id = ? where file_id = ? and feed = ? "
        "and replayed_batch_id is null and reject_key not in (select unnest(?::bigint[]))",
        [batch_id, line.file_id, one_job.feed.feed, [one.reject_key for one in rejects]],
    )
    append_rejects(one_job.connection, rejects)


def _update_ledger(
    one_job: Job, line: _Line, content_id: str, counts: Counts, batch_id: int
) -> None:
    good = counts.physical - counts.rejected
    loaded = min(line.loaded_count + counts.loaded, good)
    one_job.connection.execute(
        "update ops.file_ledger set status = 'loaded', reason = null, content_id = ?, "
        "physical_count = ?, "
        "loaded_count = ?, rejected_count = ?, duplicate_count = ?, template_version = ?, "
        "first_business_at = ?, last_business_at = ?, batch_id = ? "
        "where file_id = ? and feed = ? and arrived_at = ?",
        [
            content_id,
            counts.physical,
            loaded,
            counts.rejected,
            good - loaded,
            one_job.feed.template_version,
            min(counts.times, default=None),
            max(counts.times, default=None),
            batch_id,
            line.file_id,
            one_job.feed.feed,
            line.arrived_at,
        ],
    )
