"""A batch on its way to its transaction: which files are read how, and what is held back.

Belongs here: grouping files into units and trying the faster way first. Does not: writing.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import duckdb

from dagster_project.core.declarations import OBJECTS
from dagster_project.core.feeds.arrive import Claim
from dagster_project.core.feeds.cards import SECRET_COLUMN
from dagster_project.core.feeds.drift import frozen
from dagster_project.core.feeds.errors import FastPathError, HeldBackError
from dagster_project.core.feeds.header import Header, match_header
from dagster_project.core.feeds.job import Job, needs_whole_files
from dagster_project.core.feeds.jsonl import read_jsonl
from dagster_project.core.feeds.plain import PIECE_BYTES, Piece, pieces_of, read_unquoted
from dagster_project.core.feeds.read import Source, read_parquet, read_quoted, read_slow
from dagster_project.core.feeds.recognise import (
    Delivered,
    Held,
    Identified,
    identify,
    known_contents,
    make_readable,
)
from dagster_project.core.feeds.rejects import first_line
from dagster_project.core.feeds.settle import Verdict, refuse, settle
from dagster_project.core.feeds.stage import (
    drop_source,
    drop_unit,
    secret_columns,
    secret_fields,
    stage_unit,
)
from dagster_project.core.feeds.store import Sealer
from dagster_project.core.feeds.totals import disagreements
from dagster_project.core.feeds.withholding import withhold
from dagster_project.core.warehouse import THREADS

HEAD_BYTES = 1 << 16
SMALL_BYTES = 1 << 17  # hashed in a tenth of a millisecond
Given = TypeVar("Given", Claim, Identified, Delivered)
Received = TypeVar("Received")
# No fault of a delivered file: disk, memory, or a mapping that is no SQL over the feed's columns.
OUTSIDE = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.FatalException,
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
)


@dataclass
class Batch:
    """Everything a transaction needs."""

    verdicts: list[Verdict] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # content id → reason
    disagreeing: dict[str, str] = field(default_factory=dict)  # the same, for stated totals
    held: list[Held] = field(default_factory=list)
    duplicates: list[Delivered | Identified] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)  # content id → physical records
    not_kept: set[datetime] = field(default_factory=set)  # arrivals whose original is not stored
    erased: set[datetime] = field(default_factory=set)  # the same: they name an erased person
    sealer: Sealer | None = None  # nothing where originals are in the store already

    def delivered(self) -> list[Delivered]:
        """Files whose rows are written or refused, each once."""
        files = [one for verdict in self.verdicts for one in verdict.unit.source.files]
        return list({one.claim.arrived_at: one for one in files}.values())

    def drifted(self) -> dict[str, Header]:
        """Headers with new or missing columns by file id."""
        return {
            one.file_id: source.header
            for source in (verdict.unit.source for verdict in self.verdicts)
            if source.header.unknown or source.header.missing
            for one in source.files
        }

    def close(self, job: Job) -> None:
        """Give back tables and scratch files; originals that were kept are kept."""
        for one in self.delivered():
            one.text.drop()
        if self.sealer is not None:
            self.sealer.close()
        # Last: an engine that a full disk has ended cannot even drop a table.
        for verdict in self.verdicts:
            drop_unit(job, verdict.unit)

    def keep_originals(self) -> None:
        """Make the originals durable of what is not in the store and may be there."""
        if self.sealer is not None:
            self.sealer.keep(
                [
                    one.original
                    for one in (*self.delivered(), *self.held)
                    if one.original is not None
                    and one.claim.arrived_at not in self.not_kept | self.erased
                ]
            )


def prepare(job: Job, claims: list[Claim]) -> Batch:
    """Receive, recognise, read, stage and judge a batch of claimed files."""
    batch = Batch(sealer=Sealer(job.home, job.key))
    fresh: dict[str, Delivered] = {}
    with ThreadPoolExecutor(THREADS) as threads:
        for one in _readable(job, batch, claims, threads):
            if one.content_id in batch.known or one.content_id in fresh:
                one.text.drop()
                batch.duplicates.append(one)
            else:
                fresh[one.content_id] = one
        _for_each(threads, list(fresh.values()), lambda one: one.profile)
    for one in fresh.values():
        batch.sealer.begin(one.original)
    read_files(job, batch, list(fresh.values()))
    return batch


def _readable(
    job: Job, batch: Batch, claims: list[Claim], threads: ThreadPoolExecutor
) -> list[Delivered]:
    """Files that are not known by their bytes alone, made readable; the others go to the batch."""
    found = _for_each(threads, claims, lambda claim: identify(claim, job.feed))
    batch.held += [one for one in found if isinstance(one, Held)]
    identified = [one for one in found if isinstance(one, Identified)]
    _note_known(job, batch, [one.content_id for one in identified])
    batch.duplicates += [one for one in identified if one.content_id in batch.known]
    others = [one for one in identified if one.content_id not in batch.known]
    made = _for_each(threads, others, lambda one: make_readable(one, job.feed, job.home))
    batch.held += [one for one in made if isinstance(one, Held)]
    delivered = [one for one in made if isinstance(one, Delivered)]
    untold = {one.claim.arrived_at for one in others if one.content_id is None}
    _note_known(job, batch, [d.content_id for d in delivered if d.claim.arrived_at in untold])
    return delivered


def _note_known(job: Job, batch: Batch, content_ids: list[str | None]) -> None:
    told = [one for one in content_ids if one is not None]
    if told:
        batch.known |= known_contents(job.connection, job.feed, told)


def _for_each(
    threads: ThreadPoolExecutor, files: list[Given], work: Callable[[Given], Received]
) -> list[Received]:
    """The work done on every file, in their order.

    Hashing and unpacking leave the interpreter's lock; handing over a small file costs more.
    """
    begun = [threads.submit(work, one) if one.size_bytes > SMALL_BYTES else one for one in files]
    return [one.result() if isinstance(one, Future) else work(one) for one in begun]


def read_files(job: Job, batch: Batch, files: list[Delivered]) -> None:
    """Read, stage and judge files into the batch."""
    try:
        _Preparer(job, batch).read(files)
        stopped = frozen(batch.verdicts, partial(first_line, job))
        batch.refused = refuse(job.feed, batch.verdicts, stopped | batch.disagreeing)
    except BaseException:
        batch.close(job)
        raise


class _Preparer:
    def __init__(self, job: Job, batch: Batch) -> None:
        self._job = job
        self._sources = 0
        self._headers: dict[bytes, Header] = {}  # by the first line
        self.batch = batch

    def read(self, files: list[Delivered]) -> None:
        """Stage every file, alone or with others of its layout."""
        if self._job.feed.format in OBJECTS:
            for one in files:
                self._alone(one, lambda one: read_jsonl(self._job, one, self._name()))
        elif self._job.feed.format == "parquet":
            for one in files:
                self._alone(one, lambda one: read_parquet(self._job, one, self._name()))
        else:
            for header, group in self._layouts(files).items():
                # Without quotes, blank lines and returns a file can be cut in one way only.
                self._unquoted([one for one in group if one.profile.is_plain], header)
                self._quoted([one for one in group if not one.profile.is_plain], header)

    def _layouts(self, files: list[Delivered]) -> dict[Header, list[Delivered]]:
        """Files that can be read as one relation, in the order they came."""
        layouts: dict[Header, list[Delivered]] = {}
        for one in files:
            try:
                layouts.setdefault(self._header(one), []).append(one)
            except HeldBackError as error:
                self._hold(one, str(error))
        return layouts

    def _header(self, one: Delivered) -> Header:
        """The file's columns; most files of a batch begin with the same line.

        Raises HeldBackError.
        """
        dialect = self._job.feed.dialect
        line = b""
        if one.profile.is_plain and dialect.header and dialect.header_lines == 1:
            start = one.text.part(0, HEAD_BYTES)
            line = start[: start.find(b"\n") + 1]
        if not line:
            return match_header(one, self._job.feed)
        if line not in self._headers:
            self._headers[line] = match_header(one, self._job.feed)
        return self._headers[line]

    def _unquoted(self, files: list[Delivered], header: Header) -> None:
        """Files without quotes: small ones together, big ones in pieces of their own."""
        together: list[Piece] = []
        is_whole = needs_whole_files(self._job.feed)
        for one in files:
            size = one.profile.size_bytes if is_whole else PIECE_BYTES
            pieces = pieces_of(one, self._job.feed.dialect, size)
            if len(pieces) == 1:
                together += pieces
            else:
                self._pieces(one, pieces, header)
        if together:
            self._together(together, header)

    def _together(self, pieces: list[Piece], header: Header) -> None:
        """Many files in one go; where one of them cannot be read so, halves until it is alone."""
        if len(pieces) == 1:
            self._pieces(pieces[0].one, pieces, header)
            return
        try:
            self._stage(read_unquoted(self._job, tuple(pieces), header, self._name()))
        except (FastPathError, duckdb.Error) as error:
            _raise_outside(error)
            half = len(pieces) // 2
            self._together(pieces[:half], header)
            self._together(pieces[half:], header)

    def _pieces(self, one: Delivered, pieces: list[Piece], header: Header) -> None:
        before = len(self.batch.verdicts)
        try:
            for piece in pieces:
                self._stage(read_unquoted(self._job, (piece,), header, self._name()))
        except FastPathError:
            for verdict in self.batch.verdicts[before:]:
                drop_unit(self._job, verdict.unit)
            del self.batch.verdicts[before:]
            self._slowly(one, header)
        except duckdb.Error as error:
            _raise_outside(error)
            self._hold(one, _mapping_fails(error))

    def _quoted(self, files: list[Delivered], header: Header) -> None:
        if not files:
            return
        try:
            self._stage(read_quoted(self._job, tuple(files), header, self._name()))
        except (FastPathError, duckdb.Error) as error:
            _raise_outside(error)
            if half := len(files) // 2:
                self._quoted(files[:half], header)
                self._quoted(files[half:], header)
            elif isinstance(error, FastPathError):
                self._slowly(files[0], header)
            else:
                self._hold(files[0], _mapping_fails(error))

    def _slowly(self, one: Delivered, header: Header) -> None:
        self._alone(one, lambda one: read_slow(self._job, one, header, self._name()))

    def _alone(self, one: Delivered, read: Callable[[Delivered], Source]) -> None:
        try:
            self._stage(read(one))
        except HeldBackError as error:
            self._hold(one, str(error))
        except duckdb.Error as error:
            _raise_outside(error)
            self._hold(one, _mapping_fails(error))

    def _stage(self, source: Source) -> None:
        unit = stage_unit(self._job, source)
        verdict = settle(self._job, unit)
        verdict = replace(verdict, unit=withhold(self._job, unit))
        self.batch.verdicts.append(verdict)
        self.batch.erased |= {
            source.files[verdict.file_of_row[row]].claim.arrived_at
            for row in verdict.unit.erased_rows
        }
        self.batch.disagreeing |= disagreements(self._job, source)
        drop_source(self._job, source)  # what was read is staged: half of the memory
        self.batch.not_kept |= {source.files[p].claim.arrived_at for p in unit.secret_files}

    def _name(self) -> str:
        self._sources += 1
        return f"source_{self._sources}"

    def _hold(self, one: Delivered, reason: str) -> None:
        """Hold a file back; its original is kept unless it may hold card secrets."""
        self.batch.held.append(Held(one.claim, one.file_id, one.size_bytes, reason, one.original))
        if SECRET_COLUMN.search(reason) or self._may_hold_secrets(one):
            self.batch.not_kept.add(one.claim.arrived_at)
        one.text.drop()

    def _may_hold_secrets(self, one: Delivered) -> bool:
        if secret_fields(self._job.feed, self._job.template) or secret_columns(self._job.feed):
            return True
        return SECRET_COLUMN.search(one.text.part(0, HEAD_BYTES).decode("latin-1")) is not None


def _raise_outside(error: Exception) -> None:
    """Raise again what is no fault of the delivered file."""
    if isinstance(error, OUTSIDE):
        raise error


def _mapping_fails(error: Exception) -> str:
    """The kind of the failure alone: the database's message may quote the sender's values."""
    return f"the feed's mapping cannot be computed ({type(error).__name__})"
