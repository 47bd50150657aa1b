"""Erased persons that a sender delivers again: taken out before anything is written.

Belongs here: the loader's one look at the register. Does not: how a record loses its person
(``matching``). Without a register it costs one look whether the file is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from dagster_project.core.declarations import load_templates
from dagster_project.core.home import TEMPLATES
from dagster_project.core.suppression import matching
from dagster_project.core.suppression.lineage import RawRecord, raw_records
from dagster_project.core.suppression.register import read_register

if TYPE_CHECKING:
    from dagster_project.core.feeds.job import Job
    from dagster_project.core.feeds.stage import StagedRecord, Unit


def withhold(job: Job, unit: Unit) -> Unit:
    """The unit without erased persons; ``erased_rows`` says where they stood.

    Rows that are nothing but the person's are gone from the staged tables: their records count as
    known before. The clear values of what was taken out never reach the vault.
    """
    if not job.home.erasures.exists():
        return unit
    places = _places(job, unit.records)
    if not places or not _is_met(job, places):
        return unit
    matching.find_rows(job.connection, places)
    erased = {row for place in places for row in _rows(job, place)}
    matching.take_out(job.connection, job.key, places)
    matching.forget(job.connection, places)
    for one in unit.protected:
        job.connection.execute(
            f"delete from {one.table} where token not in "
            f"(select {one.column} from {one.staged} where {one.column} is not null)"
        )
    records = tuple(replace(one, maps_every_row=False) for one in unit.records)
    return replace(unit, records=records, erased_rows=frozenset(erased))


def _is_met(job: Job, places: Sequence[matching.Place]) -> bool:
    candidates = [query for place in places for query in place.candidates()]
    if not candidates:
        return False
    matching.read_suppressed(job.connection, read_register(job.home, job.key))
    return matching.find_tokens(job.connection, job.key, candidates) > 0


def _places(job: Job, records: Sequence[StagedRecord]) -> list[matching.Place]:
    known = _lineage()
    if job.template.table(records[0].name) not in known:  # of a deployment's own folder
        known = {one.table: one for one in raw_records({job.template.family: job.template})}
    return [
        matching.Place(
            number,
            known[job.template.table(one.name)],
            one.table,
            frozenset(_columns(job, one.table)),
            job.feed.sender,
        )
        for number, one in enumerate(records)
    ]


@lru_cache(maxsize=1)
def _lineage() -> dict[str, RawRecord]:
    return {one.table: one for one in raw_records(load_templates(TEMPLATES))}


def _columns(job: Job, table: str) -> list[str]:
    rows = job.connection.execute(
        "select column_name from duckdb_columns() where table_name = ?", [table]
    ).fetchall()
    return [name for (name,) in rows]


def _rows(job: Job, place: matching.Place) -> list[int]:
    rows = job.connection.execute(
        f"select distinct _row from {place.table} where rowid in (from {place.rows})"
    ).fetchall()
    return [row for (row,) in rows]
