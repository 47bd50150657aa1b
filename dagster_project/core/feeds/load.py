"""Loading a feed: every waiting file wholly in or wholly out, in transactions of many files.

Belongs here: the order of the steps and what happens when one fails. Does not: the steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import duckdb

from dagster_project.core import audit_log
from dagster_project.core.declarations import SYSTEM_COLUMNS, Feed, Template
from dagster_project.core.feeds.arrive import Claim, claim_files, put_back, release
from dagster_project.core.feeds.batch import Batch, prepare
from dagster_project.core.feeds.book import write_batch
from dagster_project.core.feeds.errors import one_line_errors
from dagster_project.core.feeds.findings import review_feed
from dagster_project.core.feeds.job import Job, job
from dagster_project.core.feeds.ledger import LedgerLine
from dagster_project.core.feeds.recognise import in_ledger
from dagster_project.core.feeds.store import empty_unsealed
from dagster_project.core.feeds.table_memory import note_rows
from dagster_project.core.feeds.tables import SourceError, extract_table
from dagster_project.core.warehouse import Warehouse

# A transaction costs as much as reading 50 small files; what a crash can undo stays within bytes.
MAX_BATCH_FILES = 10_000
MAX_BATCH_BYTES = 256 << 20
STEWARD = "identity_decision"  # a template whose rows are a person's decisions
Progress = Callable[[int, int], None]  # files done, files in all


@dataclass(frozen=True)
class FeedOutcome:
    """What one load of a feed did; physical = loaded + rejected + duplicate."""

    feed: str
    file_count: int = 0
    physical_count: int = 0
    loaded_count: int = 0
    rejected_count: int = 0
    duplicate_count: int = 0
    quarantined: tuple[tuple[str, str], ...] = ()  # sender's file name, reason
    reject_reasons: tuple[tuple[str, int], ...] = ()  # error code, records
    batch_ids: tuple[int, ...] = ()


Loaded = Callable[[duckdb.DuckDBPyConnection, FeedOutcome], None]


def create_raw_tables(
    connection: duckdb.DuckDBPyConnection, templates: dict[str, Template]
) -> None:
    """Make the raw tables, and the columns of existing ones, that do not exist yet."""
    for template in templates.values():
        for statement in template.ddl():
            connection.execute(statement)
    rows = connection.execute(
        "select table_name, column_name from duckdb_columns() "
        "where database_name = current_database() and schema_name = 'raw'"
    ).fetchall()
    existing = set(rows)
    for template in templates.values():
        for name, record in template.records.items():
            table = template.table(name)
            for column, kind in (record.columns() | SYSTEM_COLUMNS).items():
                if (table, column) not in existing:
                    connection.execute(f"alter table raw.{table} add column {column} {kind}")
                    existing.add((table, column))  # custom templates share the table


def load_feed(
    warehouse: Warehouse,
    feed: Feed,
    template: Template,
    *,
    on_progress: Progress | None = None,
    on_loaded: Loaded | None = None,
) -> FeedOutcome:
    """Load every complete file of the feed's landing folder; the caller holds the writer's lock.

    A feed of a table first reads what changed there into such a file. Raises LoadError with one
    line when it cannot go on; committed batches stay, files that were not committed are taken
    again by the next load. A table that cannot be read is a SourceError with the outcome so far.
    ``on_loaded`` may look at the warehouse before it is closed; not called where nothing came.
    """
    claims = claim_files(warehouse.home, feed)
    tally = Tally(feed.feed)
    if not claims and feed.source is None:
        return tally.outcome()
    with one_line_errors(feed.feed), warehouse.connect() as connection:
        create_raw_tables(connection, {template.template: template})
        empty_unsealed(warehouse.home)
        loader = Loader(job(connection, warehouse.home, warehouse.key, feed, template), tally)
        # What a killed load had read from the table is committed before it is read again.
        loader.load_all(claims, on_progress)
        if feed.source is not None and _extract(loader.job, tally):
            loader.load_all(claim_files(warehouse.home, feed), on_progress)
        if tally.lines:
            review_feed(connection, feed, template)
        if on_loaded:
            on_loaded(connection, tally.outcome())
    return tally.outcome()


def _extract(one_job: Job, tally: Tally) -> int:
    """Lines read from the feed's table; the load's outcome goes with a failure."""
    try:
        return extract_table(one_job)
    except SourceError as error:
        table = one_job.feed.source.table if one_job.feed.source else ""
        error.outcome = replace(tally.outcome(), quarantined=((table, str(error)),))
        raise


def batches(claims: list[Claim]) -> Iterator[list[Claim]]:
    """Files that are committed together: at most so many, and so many bytes."""
    group: list[Claim] = []
    size = 0
    for claim in claims:
        own = claim.size_bytes
        if group and (len(group) == MAX_BATCH_FILES or size + own > MAX_BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append(claim)
        size += own
    if group:
        yield group


@dataclass
class Tally:
    """Sums ledger lines and rejects over the batches of one load."""

    feed: str
    lines: list[LedgerLine] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    batch_ids: list[int] = field(default_factory=list)

    def outcome(self) -> FeedOutcome:
        """The load as its caller sees it."""
        return FeedOutcome(
            self.feed,
            len(self.lines),
            sum(line.physical_count for line in self.lines),
            sum(line.loaded_count for line in self.lines),
            sum(line.rejected_count for line in self.lines),
            sum(line.duplicate_count for line in self.lines),
            tuple(
                (line.original_name, line.reason or "")
                for line in self.lines
                if line.status == "quarantined"
            ),
            tuple(sorted(self.reasons.items())),
            tuple(self.batch_ids),
        )


class Loader:
    """Loads batches of claimed files of one feed over one connection."""

    def __init__(self, job: Job, tally: Tally) -> None:
        self._job = job
        self._tally = tally

    @property
    def job(self) -> Job:
        return self._job

    def load_all(self, claims: list[Claim], on_progress: Progress | None) -> None:
        """Load claimed files batch by batch."""
        done = 0
        for group in batches(claims):
            self.load(group)
            done += len(group)
            if on_progress:
                on_progress(done, len(claims))

    def load(self, claims: list[Claim]) -> None:
        """Load one batch; a crash at any point leaves each file wholly in or wholly out."""
        known = in_ledger(self._job.connection, self._job.feed, claims)
        release([claim for claim in claims if claim.arrived_at in known])
        waiting = [claim for claim in claims if claim.arrived_at not in known]
        batch = prepare(self._job, waiting)
        try:
            if batch.sealer is not None:
                batch.sealer.wait()  # whatever is kept was read before this look
            changed = {one.claim for one in batch.delivered() if one.has_changed()}
            if not changed:
                self._commit(batch)
        finally:
            batch.close(self._job)
        for claim in changed:
            put_back(claim)
        if changed:
            self.load([claim for claim in waiting if claim not in changed])
            return
        release(waiting)

    def _commit(self, batch: Batch) -> None:
        connection = self._job.connection
        connection.execute("begin")
        try:
            batch_id = connection.execute("select nextval('ops.batch_sequence')").fetchone()[0]
            lines, rejects = write_batch(self._job, batch, batch_id)
            note_rows(self._job, batch)
            batch.keep_originals()
            connection.execute("commit")
        except BaseException:
            _rollback(connection)
            raise
        self._tally.lines += lines
        self._tally.reasons.update(reject.error_code for reject in rejects)
        if any(line.batch_id is not None for line in lines):
            self._tally.batch_ids.append(batch_id)
        self._tell(lines, batch_id)

    def _tell(self, lines: list[LedgerLine], batch_id: int) -> None:
        """One entry in the audit log for a batch that brought rows."""
        rows = sum(line.loaded_count for line in lines)
        if rows:
            one, feed = self._job, self._job.feed
            event = "steward" if feed.template == STEWARD else "load"
            files = sum(1 for line in lines if line.loaded_count)
            told = {"batch": batch_id, "files": files, "rows": rows}
            audit_log.record(one.home, one.key, event, feed.feed, **told)


def _rollback(connection: duckdb.DuckDBPyConnection) -> None:
    """Undo; where the failed statement or commit ended the transaction, there is none to undo."""
    try:
        connection.execute("rollback")
    except duckdb.TransactionException:
        return
