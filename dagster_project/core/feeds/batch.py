"""A batch on its way to its transaction: which files are read how, and what is held back.

Belongs here: grouping files into units and trying the faster way first. Does not: writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from dagster_project.core.declarations import Feed, Template
from dagster_project.core.feeds.arrive import Claim
from dagster_project.core.feeds.cards import SECRET_COLUMN
from dagster_project.core.feeds.errors import FastPathError, HeldBackError
from dagster_project.core.feeds.jsonl import read_jsonl
from dagster_project.core.feeds.read import (
    Header,
    Source,
    match_header,
    read_fast,
    read_parquet,
    read_slow,
)
from dagster_project.core.feeds.recognise import Delivered, Held, known_contents, receive
from dagster_project.core.feeds.settle import Verdict, settle
from dagster_project.core.feeds.stage import (
    Unit,
    drop_unit,
    secret_expressions,
    stage_unit,
)
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey

HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Ready:
    """A unit that is staged and judged."""

    unit: Unit
    verdict: Verdict


@dataclass
class Batch:
    """Everything a transaction needs."""

    ready: list[Ready] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    duplicates: list[Delivered] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)  # content id → physical records
    not_kept: set[datetime] = field(default_factory=set)  # arrivals whose original is not stored

    def delivered(self) -> list[Delivered]:
        """Files whose rows are written or refused."""
        return [one for ready in self.ready for one in ready.unit.source.files]

    def close(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Give back tables and scratch files; seals that were kept are kept."""
        for ready in self.ready:
            drop_unit(connection, ready.unit)
        for one in (*self.delivered(), *self.duplicates):
            one.path.unlink(missing_ok=True)
        for one in (*self.delivered(), *self.duplicates, *self.held):
            if one.seal is not None:
                one.seal.drop()


class _Preparer:
    def __init__(
        self, connection: duckdb.DuckDBPyConnection, key: MasterKey, feed: Feed, template: Template
    ) -> None:
        self._connection = connection
        self._key = key
        self._feed = feed
        self._template = template
        self._tables = 0
        self.batch = Batch()

    def units(self, files: list[Delivered]) -> None:
        for header, group in self._groups(files):
            self._unit(tuple(group), header)

    def _groups(self, files: list[Delivered]) -> Iterator[tuple[Header | None, list[Delivered]]]:
        """Files that one statement can read, in the order they came."""
        if self._feed.format != "csv":
            yield from ((None, [one]) for one in files)
            return
        groups: dict[Header, list[Delivered]] = {}
        for one in files:
            try:
                groups.setdefault(match_header(one, self._feed), []).append(one)
            except HeldBackError as error:
                self.hold(one, str(error))
        for header, group in groups.items():
            if looks_around(self._feed):
                yield from ((header, [one]) for one in group)
            else:
                yield header, group

    def _unit(self, files: tuple[Delivered, ...], header: Header | None) -> None:
        """Read, stage and judge; on failure each file by itself, then by the own splitter."""
        try:
            self._stage(self._read(files, header))
        except (FastPathError, duckdb.Error) as error:
            if _is_outside(error):
                raise
            if len(files) > 1:
                for one in files:
                    self._unit((one,), header)
            elif isinstance(error, FastPathError) and header is not None:
                self._slowly(files[0], header)
            else:
                self.hold(files[0], _mapping_fails(error))
        except HeldBackError as error:
            self.hold(files[0], str(error))

    def _slowly(self, one: Delivered, header: Header) -> None:
        try:
            self._stage(read_slow(self._connection, one, header, self._feed, self._table()))
        except duckdb.Error as error:
            if _is_outside(error):
                raise
            self.hold(one, _mapping_fails(error))

    def _read(self, files: tuple[Delivered, ...], header: Header | None) -> Source:
        if header is not None:
            return read_fast(self._connection, files, header, self._feed, self._table())
        if self._feed.format == "jsonl":
            return read_jsonl(self._connection, files[0], self._feed, self._table())
        return read_parquet(self._connection, files[0], self._feed, self._table())

    def _stage(self, source: Source) -> None:
        unit = stage_unit(self._connection, source, self._feed, self._template, self._key)
        verdict = settle(self._connection, unit, self._feed)
        self.batch.ready.append(Ready(unit, verdict))
        self.batch.not_kept |= {source.files[p].claim.arrived_at for p in unit.secret_files}

    def _table(self) -> str:
        self._tables += 1
        return f"source_{self._tables}"

    def hold(self, one: Delivered, reason: str) -> None:
        """Hold a file back; its original is kept unless it may hold card secrets."""
        self.batch.held.append(Held(one.claim, one.file_id, one.size_bytes, reason, one.seal))
        if self._may_hold_secrets(one):
            self.batch.not_kept.add(one.claim.arrived_at)
        one.path.unlink(missing_ok=True)

    def _may_hold_secrets(self, one: Delivered) -> bool:
        if secret_expressions(self._feed, self._template):
            return True
        with one.path.open("rb") as handle:
            return SECRET_COLUMN.search(handle.read(HEAD_BYTES).decode("latin-1")) is not None


def prepare(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    key: MasterKey,
    feed: Feed,
    template: Template,
    claims: list[Claim],
) -> Batch:
    """Receive, recognise, read, stage and judge a batch of claimed files."""
    preparer = _Preparer(connection, key, feed, template)
    batch = preparer.batch
    received = [receive(claim, feed, home, key) for claim in claims]
    batch.held += [one for one in received if isinstance(one, Held)]
    readable = [one for one in received if isinstance(one, Delivered)]
    batch.known = known_contents(connection, feed, [one.content_id for one in readable])
    fresh: dict[str, Delivered] = {}
    for one in readable:
        if one.content_id in batch.known or one.content_id in fresh:
            batch.duplicates.append(one)
        else:
            fresh[one.content_id] = one
    try:
        preparer.units(list(fresh.values()))
    except BaseException:
        batch.close(connection)
        raise
    return batch


def looks_around(feed: Feed) -> bool:
    """Whether a mapping looks at other rows, and so must see one file at a time."""
    texts = [sql for record in feed.records.values() for sql in record.fields.values()]
    return any(
        " over " in f" {' '.join(text.lower().split())} ".replace("over(", "over (")
        for text in texts
    )


def _is_outside(error: Exception) -> bool:
    """Whether the disk, the memory or the file system failed, not the delivered file."""
    return isinstance(
        error, duckdb.IOException | duckdb.OutOfMemoryException | duckdb.FatalException
    )


def _mapping_fails(error: Exception) -> str:
    """The kind of the failure alone: the database's message may quote the sender's values."""
    return f"the feed's mapping cannot be computed ({type(error).__name__})"
