"""What a file would do if it were delivered: a dry run that writes nothing.

Belongs here: the dry run. Does not: rules of its own; it takes the loader's steps up to the
transaction, in an engine of its own.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from dagster_project.core.declarations import Feed, Template
from dagster_project.core.feeds.arrive import EPOCH, Claim
from dagster_project.core.feeds.batch import Batch, read_files
from dagster_project.core.feeds.errors import one_line_errors
from dagster_project.core.feeds.job import Job, job
from dagster_project.core.feeds.ledger import Reject
from dagster_project.core.feeds.recognise import Held, receive
from dagster_project.core.feeds.rejects import discards_of, rejects_of
from dagster_project.core.home import Home
from dagster_project.core.keys import KEY_BYTES, MasterKey
from dagster_project.core.warehouse import open_engine

MAX_EXAMPLES = 20


@dataclass(frozen=True)
class CheckOutcome:
    """What a load would do with one file."""

    feed: str
    name: str
    reason: str | None = None  # why the whole file would be held back
    physical_count: int = 0
    accepted_count: int = 0
    rejected_count: int = 0
    reject_reasons: tuple[tuple[str, int], ...] = ()  # error code, records
    examples: tuple[tuple[int, str, str], ...] = ()  # first line, column, error code
    unknown_columns: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()  # would be loaded as empty
    discarded_values: tuple[tuple[int, str, str], ...] = ()  # as examples
    cards_in_text: int = 0


def check_feed_file(feed: Feed, template: Template, path: Path, home: Home) -> CheckOutcome:
    """Read, judge and protect a file as a load would, and forget it.

    Whether its records are known already is not looked up. Raises LoadError where it cannot run.
    """
    aside = Home(home.create().scratch / f"check-{os.getpid()}")
    with one_line_errors(feed.feed):
        aside.scratch.mkdir(parents=True)
        connection = open_engine(home)
        try:
            # Tokens of a dry run are never seen: any key will do.
            key = MasterKey(os.urandom(KEY_BYTES))
            return _check(job(connection, aside, key, feed, template), path)
        finally:
            connection.close()
            shutil.rmtree(aside.root)


def _check(one_job: Job, path: Path) -> CheckOutcome:
    received = receive(Claim(str(path), path.name, EPOCH), one_job.feed, one_job.home)
    if isinstance(received, Held):
        return CheckOutcome(one_job.feed.feed, path.name, received.reason)
    batch = Batch()
    read_files(one_job, batch, [received])
    try:
        return _outcome(one_job, batch, path.name)
    finally:
        batch.close(one_job)


def _outcome(one_job: Job, batch: Batch, name: str) -> CheckOutcome:
    feed = one_job.feed.feed
    if batch.held:
        return CheckOutcome(feed, name, batch.held[0].reason)
    verdicts = batch.verdicts
    rejects = [reject for verdict in verdicts for reject in rejects_of(one_job, verdict, 0, 0)]
    flaws = [flaw for verdict in verdicts for flaw in verdict.flaws[0]]
    discards = [one for verdict in verdicts for one in discards_of(one_job, verdict, 0, 0)]
    headers = [verdict.unit.source.header for verdict in verdicts]
    return CheckOutcome(
        feed,
        name,
        next(iter(batch.refused.values()), None),
        sum(verdict.physical[0] for verdict in verdicts),
        sum(int(verdict.accepted.sum()) for verdict in verdicts),
        len(flaws),
        tuple(sorted(Counter(flaw.code.value for flaw in flaws).items())),
        _examples(rejects),
        tuple(sorted({column for header in headers for column in header.unknown})),
        tuple(sorted({column for header in headers for column in header.missing})),
        _examples(discards),
        sum(verdict.unit.cards_in_text for verdict in verdicts),
    )


def _examples(rejects: list[Reject]) -> tuple[tuple[int, str, str], ...]:
    found = [(r.first_line, r.column_name or "", r.error_code) for r in rejects[:MAX_EXAMPLES]]
    return tuple(found)
