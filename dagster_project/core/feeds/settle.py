"""What becomes of every physical record: accepted, rejected, ignored, held back with its file.

Belongs here: counting and reasons. Does not: writing; whether an accepted record is new or a
duplicate is only known in the transaction (``commit``). Arrays hold one entry per row of a unit.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from dagster_project.core.declarations import Feed, Policy
from dagster_project.core.feeds.errors import ErrorCode
from dagster_project.core.feeds.job import Job
from dagster_project.core.feeds.judge import broken_lists
from dagster_project.core.feeds.stage import StagedRecord, Unit


@dataclass(frozen=True)
class Flaw:
    """Why one record is rejected."""

    row: int  # place in the unit; -1 where the record could not even be split
    record_number: int
    code: ErrorCode
    record: str  # the template's record, or the feed's name where none can be told
    column: str | None = None
    freezes: bool = False  # the whole file is held back for it


@dataclass(frozen=True)
class Verdict:
    """What is decided about a unit's rows."""

    unit: Unit
    physical: tuple[int, ...]  # records per file: rows and broken ones, without ignored ones
    flaws: tuple[tuple[Flaw, ...], ...]  # per file
    discards: tuple[tuple[Flaw, ...], ...]  # per file: values left out of accepted records
    accepted: np.ndarray  # bool per row: all outputs may be written
    file_of_row: np.ndarray

    def per_file(self, rows: np.ndarray) -> tuple[int, ...]:
        """How many of the chosen rows each file has."""
        counts = np.bincount(self.file_of_row[rows], minlength=len(self.unit.source.files))
        return tuple(counts.tolist())


def settle(job: Job, unit: Unit) -> Verdict:
    """Judge every row of a staged unit by itself."""
    source = unit.source
    file_of_row = np.repeat(np.arange(len(source.files)), source.row_counts)
    mapped = np.zeros(source.total, bool)
    flaws: dict[int, Flaw] = {}
    for record in unit.records:
        if record.maps_every_row:
            mapped[:] = True
        else:
            mapped[rows_of(job, f"select _row from {record.table}")] = True
        for row, number in _broken_lists(job, unit, record):
            flaws.setdefault(row, Flaw(row, number, ErrorCode.BAD_LIST, record.name))
        found = job.connection.execute(
            f"select _row, _record, _error from {record.table} where _error is not null"
        ).fetchall()
        for row, number, error in found:
            flaw = _flaw(record, row, number, error)
            if row not in flaws or (flaw.freezes and not flaws[row].freezes):
                flaws[row] = flaw
    mapped[list(flaws)] = True
    ignored = np.zeros(source.total, bool)
    if not mapped.all():
        ignored = _ignored(job, unit) & ~mapped
        for row in np.flatnonzero(~mapped & ~ignored).tolist():
            number = source.record_number(row, int(file_of_row[row]))
            flaws[row] = Flaw(row, number, ErrorCode.UNMAPPED, job.feed.feed)
    accepted = ~ignored
    accepted[list(flaws)] = False
    discards = [one for record in unit.records for one in _discards(job, record)]
    return _verdict(job.feed, unit, flaws, discards, accepted=accepted, ignored=ignored)


def _flaw(record: StagedRecord, row: int, number: int, error: int) -> Flaw:
    check = record.checks[error]
    freezes = check.policy is Policy.FREEZE
    return Flaw(row, number, check.code, record.name, check.field, freezes)


def _discards(job: Job, record: StagedRecord) -> list[Flaw]:
    """Values that a record does without, each once per row."""
    if not any(check.policy is Policy.DISCARD_VALUE for check in record.checks):
        return []
    found = job.connection.execute(
        f"select distinct _row, _record, unnest(_discarded) as number from {record.table} "
        "where len(_discarded) > 0 order by all"
    ).fetchall()
    return [_flaw(record, *one) for one in found]


def _broken_lists(job: Job, unit: Unit, record: StagedRecord) -> list[tuple[int, int]]:
    """Place and number of rows that should hold a list of records and hold something else."""
    if not record.is_list:
        return []
    query = broken_lists(job.feed.records[record.name], unit.source.relation)
    return job.connection.execute(query).fetchall()


def rows_of(job: Job, query: str) -> np.ndarray:
    """The places of rows that a query of ``_row`` gives."""
    return job.connection.execute(query).fetchnumpy()["_row"].astype(np.int64)


def _ignored(job: Job, unit: Unit) -> np.ndarray:
    ignored = np.zeros(unit.source.total, bool)
    if job.feed.ignore_where:
        query = f"select _row from {unit.source.relation} where {job.feed.ignore_where}"
        ignored[rows_of(job, query)] = True
    return ignored


def _verdict(
    feed: Feed,
    unit: Unit,
    flaws: dict[int, Flaw],
    discards: list[Flaw],
    *,
    accepted: np.ndarray,
    ignored: np.ndarray,
) -> Verdict:
    source = unit.source
    file_of_row = np.repeat(np.arange(len(source.files)), source.row_counts)
    per_file: dict[int, list[Flaw]] = defaultdict(list)
    for broken in source.broken:
        per_file[0].append(Flaw(-1, broken.record_number, broken.code, feed.feed))
    for row in sorted(flaws):
        per_file[int(file_of_row[row])].append(flaws[row])
    left_empty: dict[int, list[Flaw]] = defaultdict(list)
    for discard in discards:
        if discard.row not in flaws:  # a rejected record is told of as a whole
            left_empty[int(file_of_row[discard.row])].append(discard)
    left_out = np.bincount(file_of_row[ignored], minlength=len(source.files)).tolist()
    physical = tuple(
        rows - out + (len(source.broken) if place == 0 else 0)
        for place, (rows, out) in enumerate(zip(source.row_counts, left_out, strict=True))
    )
    places = range(len(source.files))
    listed = tuple(tuple(per_file[place]) for place in places)
    emptied = tuple(tuple(left_empty[place]) for place in places)
    return Verdict(unit, physical, listed, emptied, accepted, file_of_row)


def refuse(feed: Feed, verdicts: list[Verdict], found: dict[str, str]) -> dict[str, str]:
    """Hold back files of which too much is rejected, beside those found: content id → reason.

    Looks at all pieces of a file together and withdraws its rows from ``accepted``.
    """
    physical: dict[str, int] = defaultdict(int)
    rejected: dict[str, int] = defaultdict(int)
    for verdict in verdicts:
        for place, one in enumerate(verdict.unit.source.files):
            physical[one.content_id] += verdict.physical[place]
            rejected[one.content_id] += len(verdict.flaws[place])
    limit = feed.arrival.reject_threshold
    refused = {
        name: f"{bad} of {physical[name]} records rejected, more than {limit:.0%}"
        for name, bad in rejected.items()
        if bad and bad > limit * physical[name]
    } | found
    for verdict in verdicts:
        for place, one in enumerate(verdict.unit.source.files):
            if one.content_id in refused:
                verdict.accepted[verdict.file_of_row == place] = False
    return refused
