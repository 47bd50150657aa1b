"""Erasing persons: the order of the steps, each of which may be done again after a kill.

Belongs here: that order. Does not: any step's detail. First the register, so that no file brings
anybody back; then the originals, found by the rows that are still there; then the database, in one
transaction; then its file, written anew. The models follow with the next refresh.
"""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from dagster_project.core import audit_log
from dagster_project.core.declarations import Feed, Template, load_feeds, load_templates
from dagster_project.core.erasure import database, finding
from dagster_project.core.erasure.finding import Selectors, Traces
from dagster_project.core.erasure.originals import Originals, drop_originals
from dagster_project.core.erasure.rewriting import rewrite_warehouse
from dagster_project.core.home import FEEDS, TEMPLATES, load_settings
from dagster_project.core.identity import resolve_persons
from dagster_project.core.suppression import matching
from dagster_project.core.suppression.register import (
    Entry,
    ErasureError,
    append,
    mark_path,
    read_register,
)
from dagster_project.core.warehouse import Warehouse, WriterLock


@dataclass(frozen=True)
class Plan:
    """Who would be erased; counts of rows by raw table."""

    person_count: int
    token_count: int
    rows: dict[str, int]
    file_count: int


@dataclass(frozen=True)
class Outcome:
    """What one pass over the warehouse found and did."""

    changes: tuple[matching.Change, ...]
    originals: Originals
    size_before: int  # of the warehouse's file, bytes; equal where it was not written anew
    size_after: int


@dataclass(frozen=True)
class Erasure:
    """One erasure that was carried out; ``traces`` stay in memory."""

    entry: Entry
    outcome: Outcome
    traces: Traces


def plan(warehouse: Warehouse, selectors: Selectors) -> Plan:
    """What an erasure would find; nothing is written, and identity is read as it stands."""
    templates = load_templates(TEMPLATES)
    with warehouse.connect() as connection:
        connection.execute("begin")
        try:
            places = database.raw_places(connection, templates)
            persons = finding.find_persons(connection, warehouse.key, selectors)
            finding.find_everything(connection, places, persons)
            return _plan(connection, places, len(persons))
        finally:
            connection.execute("rollback")


def _plan(
    connection: duckdb.DuckDBPyConnection, places: list[matching.Place], person_count: int
) -> Plan:
    rows = {
        place.table: connection.execute(f"select count(*) from {place.rows}").fetchone()[0]
        for place in places
    }
    (tokens,) = connection.execute("select count(*) from erasure_token").fetchone()
    files = database.named_files(connection, places)
    return Plan(person_count, tokens, {t: n for t, n in rows.items() if n}, len(files))


def erase(
    warehouse: Warehouse,
    lock: WriterLock,
    selectors: Selectors,
    *,
    reason: str,
    feeds: Mapping[str, Feed] | None = None,
) -> Erasure:
    """Erase the persons that are meant from everything but the models, which the caller rebuilds.

    The caller holds the writer's lock and no connection; ``feeds`` read the originals, by default
    the shipped ones and the deployment's own. Raises ErasureError where a selector is
    nobody's, or the reason holds what is to be forgotten.
    """
    _require(lock)
    templates = load_templates(TEMPLATES)
    with warehouse.connect() as connection:
        settings = load_settings(warehouse.home)
        resolve_persons(connection, probabilistic=settings.probabilistic_identity)
        places = database.raw_places(connection, templates)
        persons = finding.find_persons(connection, warehouse.key, selectors)
        finding.find_everything(connection, places, persons)
        traces = finding.find_traces(connection, places, persons)
        _refuse_names(reason, [*selectors.values(), *traces.values, *traces.descriptions])
        entry = Entry(
            erasure_id=f"E-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
            asked_at=datetime.now(UTC).isoformat(timespec="seconds"),
            asked_by=getpass.getuser(),
            reason=reason,
            person_count=len(persons),
            tokens=matching.hashes_of_tokens(connection, warehouse.key),
        )
        matching.forget(connection, places)
    mark_path(warehouse.home).touch()
    append(warehouse.home, warehouse.key, entry)
    _tell(warehouse, entry, "asked", persons=entry.person_count, identifiers=len(entry.tokens))
    entries = read_register(warehouse.home, warehouse.key)
    outcome = _carry_out(warehouse, templates, entries, feeds)
    _tell(warehouse, entry, "erased", rows=sum(change.found for change in outcome.changes))
    return Erasure(entry, outcome, traces)


def erase_again(
    warehouse: Warehouse, lock: WriterLock, feeds: Mapping[str, Feed] | None = None
) -> Erasure | None:
    """Carry out every recorded erasure again, as one; None where none is recorded."""
    _require(lock)
    entries = read_register(warehouse.home, warehouse.key)
    if not entries or not warehouse.home.warehouse.exists():
        return None
    outcome = _carry_out(warehouse, load_templates(TEMPLATES), entries, feeds)
    rows = sum(change.found for change in outcome.changes)
    now = datetime.now(UTC)
    entry = Entry(
        erasure_id=f"A-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
        # What was published since the last one stands where nobody had come back.
        asked_at=now.isoformat(timespec="seconds") if rows else entries[-1].asked_at,
        asked_by=getpass.getuser(),
        reason=f"{len(entries)} recorded erasures again",
        person_count=sum(one.person_count for one in entries),
        tokens=tuple(sorted({token for one in entries for token in one.tokens})),
    )
    _tell(warehouse, entry, "again", erasures=len(entries), rows=rows)
    return Erasure(entry, outcome, Traces((), (), ()))


def carry_out_all(warehouse: Warehouse, lock: WriterLock) -> int:
    """Carry out every recorded erasure again; how many are recorded."""
    erase_again(warehouse, lock)
    return len(read_register(warehouse.home, warehouse.key))


def _tell(warehouse: Warehouse, entry: Entry, step: str, **counts: int) -> None:
    key = warehouse.key
    audit_log.record(warehouse.home, key, "erase", entry.erasure_id, step=step, **counts)


def _carry_out(
    warehouse: Warehouse,
    templates: dict[str, Template],
    entries: tuple[Entry, ...],
    feeds: Mapping[str, Feed] | None,
) -> Outcome:
    feeds = load_feeds(FEEDS, templates) if feeds is None else feeds
    mark = mark_path(warehouse.home)
    mark.touch()
    with warehouse.connect() as connection:
        places = database.raw_places(connection, templates)
        matching.read_suppressed(connection, entries)
        named = database.find_named(connection, warehouse.key, places)
        matching.forget(connection, places)
        originals = drop_originals(warehouse, connection, templates, feeds, named_in=named)
        matching.read_suppressed(connection, entries)
        erased = database.erase_rows(connection, warehouse.key, places)
    sizes = rewrite_warehouse(warehouse)
    mark.unlink()
    return Outcome(erased.changes, originals, *sizes)


def _require(lock: WriterLock) -> None:
    """Raise WarehouseError where the writer's lock is not held."""
    if lock.descriptor < 0:
        raise ErasureError("the writer's lock is not held")


def _refuse_names(reason: str, values: list[str]) -> None:
    """A reason is kept for good: it may say why, never who."""
    if any(value.casefold() in reason.casefold() for value in values if value):
        raise ErasureError("the reason names the person: it is kept, so say why and not who")


__all__ = [
    "Erasure",
    "Outcome",
    "Plan",
    "Selectors",
    "carry_out_all",
    "erase",
    "erase_again",
    "plan",
]
