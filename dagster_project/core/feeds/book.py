"""One batch into its transaction: rows, ledger lines, rejects, alarms; and counts that agree.

Belongs here: what is written together. Does not: beginning and ending the transaction.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from dagster_project.core.feeds.batch import Batch
from dagster_project.core.feeds.cards import mask_text
from dagster_project.core.feeds.commit import Written, write_unit
from dagster_project.core.feeds.drift import names, note_drift
from dagster_project.core.feeds.errors import LoadError
from dagster_project.core.feeds.job import Job
from dagster_project.core.feeds.ledger import (
    LedgerLine,
    Reject,
    append,
    append_rejects,
    raise_alarm,
)
from dagster_project.core.feeds.recognise import Delivered, Held, Identified
from dagster_project.core.feeds.rejects import discards_of, rejects_of
from dagster_project.core.feeds.settle import Verdict


@dataclass
class Counts:
    """One file's records, summed over its pieces."""

    physical: int = 0
    loaded: int = 0
    rejected: int = 0
    duplicate: int = 0
    times: list[datetime] = field(default_factory=list)

    def add(self, verdict: Verdict, written: Written, place: int) -> None:
        """Count one piece's part."""
        self.physical += verdict.physical[place]
        self.loaded += written.loaded[place]
        self.rejected += len(verdict.flaws[place])
        self.duplicate += written.duplicate[place]
        self.times += [time for time in written.business_times[place] if time is not None]


def write_batch(job: Job, batch: Batch, batch_id: int) -> tuple[list[LedgerLine], list[Reject]]:
    """Write everything of a batch; the rejects that are returned are whole records.

    Raises LoadError when a file's records do not add up; the caller then undoes all of it.
    """
    counts: dict[str, Counts] = defaultdict(Counts)
    rejects: list[Reject] = []
    discards: list[Reject] = []
    for verdict in batch.verdicts:
        written = write_unit(job, verdict, batch_id)
        for place, one in enumerate(verdict.unit.source.files):
            counts[one.content_id].add(verdict, written, place)
            rejects += rejects_of(job, verdict, place, batch_id)
            discards += discards_of(job, verdict, place, batch_id)
    lines = [_line(job, batch, one, counts[one.content_id], batch_id) for one in batch.delivered()]
    lines += [_held_line(job, held) for held in batch.held]
    lines += _duplicate_lines(job, batch, lines)
    append(job.connection, "ops.file_ledger", lines)
    append_rejects(job.connection, [*rejects, *discards])
    note_drift(job.connection, job.feed.feed, batch.drifted())
    if own := [line for line in lines if line.batch_id is not None]:
        job.connection.execute(
            "insert into ops.batch values (?, ?, current_timestamp, ?, ?)",
            [batch_id, job.feed.feed, len(own), sum(line.loaded_count for line in own)],
        )
    _raise_alarms(job, batch)
    return lines, rejects


def _line(job: Job, batch: Batch, one: Delivered, counts: Counts, batch_id: int) -> LedgerLine:
    reason = batch.refused.get(one.content_id)
    rejected = counts.physical if reason else counts.rejected
    accounted = counts.loaded + rejected + counts.duplicate
    if accounted != counts.physical:
        raise LoadError(
            f"feed {job.feed.feed}: {one.claim.name}: {counts.physical} records came in and "
            f"{accounted} are accounted for; nothing was loaded"
        )
    return LedgerLine(
        **_common(job, one),
        content_id=one.content_id,
        physical_count=counts.physical,
        loaded_count=counts.loaded,
        rejected_count=rejected,
        duplicate_count=counts.duplicate,
        status="quarantined" if reason else "loaded",
        reason=_harmless(reason),
        batch_id=batch_id,
        first_business_at=min(counts.times, default=None),
        last_business_at=max(counts.times, default=None),
    )


def _common(job: Job, one: Delivered | Identified | Held) -> dict[str, object]:
    return {
        "file_id": one.file_id,
        "feed": job.feed.feed,
        "original_name": one.claim.name,
        "size_bytes": one.size_bytes,
        "arrived_at": one.claim.arrived_at,
        "encoding": job.feed.dialect.encoding,
        "template": job.feed.template,
        "template_version": job.feed.template_version,
    }


def _held_line(job: Job, held: Held) -> LedgerLine:
    """Of a file that could not be read: its records are not even counted."""
    return LedgerLine(
        **_common(job, held),
        content_id=None,
        physical_count=0,
        loaded_count=0,
        rejected_count=0,
        duplicate_count=0,
        status="quarantined",
        reason=_harmless(held.reason),
        batch_id=None,
    )


def _duplicate_lines(job: Job, batch: Batch, lines: list[LedgerLine]) -> list[LedgerLine]:
    """Of contents that are loaded already, or were judged in this very batch."""
    firsts = {line.content_id: line for line in lines}
    held = {one.file_id: one.reason for one in batch.held}
    found = []
    for one in batch.duplicates:
        first = firsts.get(one.content_id)
        rows = first.physical_count if first else batch.known.get(one.content_id, 0)
        reason = first.reason if first else held.get(one.file_id)
        found.append(
            LedgerLine(
                **_common(job, one),
                content_id=one.content_id,
                physical_count=rows,
                loaded_count=0,
                rejected_count=rows if reason else 0,
                duplicate_count=0 if reason else rows,
                status="quarantined" if reason else "duplicate",
                reason=_harmless(reason),
                batch_id=None,
            )
        )
    return found


def _harmless(reason: str | None) -> str | None:
    """A reason may tell what the sender wrote."""
    return reason and mask_text(reason)[0]


def _raise_alarms(job: Job, batch: Batch) -> None:
    subject = f"feed/{job.feed.feed}"
    for one in batch.delivered():
        if one.claim.arrived_at in batch.not_kept:
            message = (
                f"{one.claim.name}: card verification, track or PIN data arrived; "
                "it was dropped and the original is not kept"
            )
            raise_alarm(job.connection, subject, "critical", message)
    if cards := sum(verdict.unit.cards_in_text for verdict in batch.verdicts):
        raise_alarm(job.connection, subject, "warning", f"{cards} card numbers in text were masked")
    if kept := {name for verdict in batch.verdicts for name in verdict.unit.card_fields}:
        message = (
            f"card numbers stood in {names(kept)}: they were masked, "
            "or their records rejected where it is a key or a figure"
        )
        raise_alarm(job.connection, subject, "warning", message)
    headers = batch.drifted().values()
    if unknown := {name for header in headers for name in header.unknown}:
        message = f"unknown columns were left out: {names(unknown)}"
        raise_alarm(job.connection, subject, "warning", message)
    if missing := {name for header in headers for name in header.missing}:
        message = f"columns were missing and are empty: {names(missing)}"
        raise_alarm(job.connection, subject, "warning", message)
    if count := sum(len(found) for verdict in batch.verdicts for found in verdict.discards):
        raise_alarm(job.connection, subject, "warning", f"{count} bad values were left out")
