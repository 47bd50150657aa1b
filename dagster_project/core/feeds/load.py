"""Loading a feed: every waiting file wholly in or wholly out, in transactions of many files.

Belongs here: the order of the steps and what happens when one fails. Does not: the steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb

from dagster_project.core.declarations import Feed, Template
from dagster_project.core.feeds.arrive import Claim, claim_files, put_back, release
from dagster_project.core.feeds.batch import Batch, Ready, prepare
from dagster_project.core.feeds.commit import Written, write_unit
from dagster_project.core.feeds.errors import LoadError
from dagster_project.core.feeds.ledger import (
    LedgerLine,
    Reject,
    append,
    append_rejects,
    raise_alarm,
)
from dagster_project.core.feeds.recognise import Delivered, Held, in_ledger
from dagster_project.core.feeds.rejects import rejects_of
from dagster_project.core.feeds.store import empty_unsealed, sync_store
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse

MAX_BATCH_FILES = 50
MAX_BATCH_BYTES = 256 << 20
# Loading 10 million lines stays below 4 GB of memory; beyond this the engine spills, encrypted.
MEMORY_LIMIT = "2500MB"
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


def create_raw_tables(
    connection: duckdb.DuckDBPyConnection, templates: dict[str, Template]
) -> None:
    """Make the raw tables of every template that do not exist yet."""
    for template in templates.values():
        for statement in template.ddl():
            connection.execute(statement)


def load_feed(
    warehouse: Warehouse,
    feed: Feed,
    template: Template,
    *,
    on_progress: Progress | None = None,
) -> FeedOutcome:
    """Load every complete file of the feed's landing folder; the caller holds the writer's lock.

    Raises LoadError with one line when it cannot go on; committed batches stay, files that were
    not committed are taken again by the next load.
    """
    claims = claim_files(warehouse.home, feed)
    tally = Tally(feed.feed)
    if not claims:
        return tally.outcome()
    with one_line_errors(feed), warehouse.connect() as connection:
        create_raw_tables(connection, {template.template: template})
        empty_unsealed(warehouse.home)
        loader = Loader(connection, warehouse.home, warehouse.key, feed, template, tally)
        done = 0
        for group in batches(claims):
            loader.load(group)
            done += len(group)
            if on_progress:
                on_progress(done, len(claims))
    return tally.outcome()


@contextmanager
def one_line_errors(feed: Feed) -> Iterator[None]:
    """Turn what a disk or the database throws into one clear line."""
    try:
        yield
    except OSError as error:
        raise LoadError(f"feed {feed.feed}: {error.strerror or error}") from error
    except duckdb.Error as error:
        raise LoadError(f"feed {feed.feed}: {' '.join(str(error).split())[:300]}") from error


def batches(claims: list[Claim]) -> Iterator[list[Claim]]:
    """Files that are committed together: at most so many, and so many bytes."""
    group: list[Claim] = []
    size = 0
    for claim in claims:
        own = claim.path.lstat().st_size
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

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        home: Home,
        key: MasterKey,
        feed: Feed,
        template: Template,
        tally: Tally,
    ) -> None:
        self._connection = connection
        self._home = home
        self._key = key
        self._feed = feed
        self._template = template
        self._tally = tally
        connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        # A local time without an offset is one of the feed's zone.
        connection.execute("set TimeZone = ?", [feed.time_zone])

    def load(self, claims: list[Claim]) -> None:
        """Load one batch; a crash at any point leaves each file wholly in or wholly out."""
        known = in_ledger(self._connection, self._feed, claims)
        for claim in claims:
            if claim.arrived_at in known:
                release(claim)
        waiting = [claim for claim in claims if claim.arrived_at not in known]
        batch = prepare(
            self._connection, self._home, self._key, self._feed, self._template, waiting
        )
        try:
            changed = {one.claim for one in batch.delivered() if one.has_changed()}
            if not changed:
                self._commit(batch)
        finally:
            batch.close(self._connection)
        if changed:
            for claim in changed:
                put_back(claim)
            self.load([claim for claim in waiting if claim not in changed])
            return
        for claim in waiting:
            release(claim)

    def _commit(self, batch: Batch) -> None:
        connection = self._connection
        connection.execute("begin")
        try:
            batch_id = connection.execute("select nextval('ops.batch_sequence')").fetchone()[0]
            lines, rejects = self._write(batch, batch_id)
            self._keep_originals(batch)
            connection.execute("commit")
        except BaseException:
            _rollback(connection)
            raise
        self._tally.lines += lines
        self._tally.reasons.update(reject.error_code for reject in rejects)
        if any(line.batch_id is not None for line in lines):
            self._tally.batch_ids.append(batch_id)

    def _write(self, batch: Batch, batch_id: int) -> tuple[list[LedgerLine], list[Reject]]:
        lines: list[LedgerLine] = []
        rejects: list[Reject] = []
        for ready in batch.ready:
            written = write_unit(
                self._connection, ready.unit, ready.verdict, self._feed, self._template, batch_id
            )
            lines += self._lines(ready, written, batch_id)
            for place, verdict in enumerate(ready.verdict.files):
                rejects += rejects_of(
                    ready.unit.source, place, verdict, self._feed, self._template, batch_id
                )
            self._raise_alarms(ready)
        lines += [self._held_line(held) for held in batch.held]
        lines += self._duplicate_lines(batch, lines)
        append(self._connection, "ops.file_ledger", lines)
        append_rejects(self._connection, rejects)
        own = [line for line in lines if line.batch_id is not None]
        if own:
            self._connection.execute(
                "insert into ops.batch values (?, ?, current_timestamp, ?, ?)",
                [batch_id, self._feed.feed, len(own), sum(line.loaded_count for line in own)],
            )
        return lines, rejects

    def _lines(self, ready: Ready, written: Written, batch_id: int) -> list[LedgerLine]:
        lines = []
        for place, one in enumerate(ready.unit.source.files):
            verdict = ready.verdict.files[place]
            status = "quarantined" if verdict.refusal else "loaded"
            line = LedgerLine(
                **self._common(one),
                content_id=one.content_id,
                physical_count=verdict.physical_count,
                loaded_count=written.loaded[place],
                rejected_count=verdict.rejected_count,
                duplicate_count=written.duplicate[place],
                status=status,
                reason=verdict.refusal,
                batch_id=batch_id,
                first_business_at=written.first_business[place],
                last_business_at=written.last_business[place],
            )
            counted = line.loaded_count + line.rejected_count + line.duplicate_count
            if counted != line.physical_count:
                raise LoadError(
                    f"feed {self._feed.feed}: {line.original_name}: {line.physical_count} records "
                    f"came in and {counted} are accounted for; nothing was loaded"
                )
            lines.append(line)
        return lines

    def _common(self, one: Delivered | Held) -> dict[str, object]:
        return {
            "file_id": one.file_id,
            "feed": self._feed.feed,
            "original_name": one.claim.name,
            "size_bytes": one.size_bytes,
            "arrived_at": one.claim.arrived_at,
            "encoding": self._feed.dialect.encoding,
            "template": self._feed.template,
            "template_version": self._feed.template_version,
        }

    def _held_line(self, held: Held) -> LedgerLine:
        nothing = {"physical_count": 0, "loaded_count": 0, "rejected_count": 0}
        return LedgerLine(
            **self._common(held),
            **nothing,
            content_id=None,
            duplicate_count=0,
            status="quarantined",
            reason=held.reason,
            batch_id=None,
        )

    def _duplicate_lines(self, batch: Batch, lines: list[LedgerLine]) -> list[LedgerLine]:
        """Of a content that is loaded already, or was refused in this very batch."""
        own = {line.content_id: line for line in lines}
        found = []
        for one in batch.duplicates:
            first = own.get(one.content_id)
            is_refused = first is not None and first.status == "quarantined"
            rows = first.physical_count if first else batch.known[one.content_id]
            found.append(
                LedgerLine(
                    **self._common(one),
                    content_id=one.content_id,
                    physical_count=rows,
                    loaded_count=0,
                    rejected_count=rows if is_refused else 0,
                    duplicate_count=0 if is_refused else rows,
                    status="quarantined" if is_refused else "duplicate",
                    reason=first.reason if first and is_refused else None,
                    batch_id=None,
                )
            )
        return found

    def _keep_originals(self, batch: Batch) -> None:
        kept = []
        for one in (*batch.delivered(), *batch.held):
            if one.seal is None or one.claim.arrived_at in batch.not_kept:
                continue
            one.seal.keep(one.file_id)
            kept.append(one.file_id)
        sync_store(self._home, kept)

    def _raise_alarms(self, ready: Ready) -> None:
        source = ready.unit.source
        for place in sorted(ready.unit.secret_files):
            raise_alarm(
                self._connection,
                f"feed/{self._feed.feed}",
                "critical",
                f"{source.files[place].claim.name}: card verification, track or PIN data arrived; "
                "it was dropped and the original is not kept",
            )
        if ready.unit.cards_in_text:
            message = f"{ready.unit.cards_in_text} card numbers in free text were masked"
            raise_alarm(self._connection, f"feed/{self._feed.feed}", "warning", message)
        if source.header.unknown:
            names = ", ".join(source.header.unknown)
            message = f"unknown columns were left out: {names}"[:500]
            raise_alarm(self._connection, f"feed/{self._feed.feed}", "warning", message)


def _rollback(connection: duckdb.DuckDBPyConnection) -> None:
    """Undo; where the failed statement or commit ended the transaction, there is none to undo."""
    try:
        connection.execute("rollback")
    except duckdb.TransactionException:
        return
