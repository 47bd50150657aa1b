"""What every step of a load works with.

Belongs here: the one object that is handed from step to step. Does not: anything that changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from dagster_project.core.declarations import Feed, FieldType, Template
from dagster_project.core.feeds.spelling import as_spelled, macros
from dagster_project.core.feeds.sql import identifier, literal
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey

# Loading 10 million lines stays below 4 GB of memory, Arrow's share included.
MEMORY_LIMIT = "2500MB"
_WINDOW = re.compile(r"\bover\s*\(\s*(partition\s+by\s+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Job:
    """One load of one feed."""

    connection: duckdb.DuckDBPyConnection
    home: Home
    key: MasterKey
    feed: Feed
    template: Template


@contextmanager
def in_file_order(job: Job) -> Iterator[None]:
    """Keep rows in the order they are read, for tables whose ``rowid`` is a place.

    Everywhere else rows carry their place, and an engine free to reorder is a third faster.
    """
    job.connection.execute("set preserve_insertion_order = true")
    try:
        yield
    finally:
        job.connection.execute("set preserve_insertion_order = false")


def spelled_out(feed: Feed, template: Template) -> Feed:
    """The feed with its mapping as SQL that holds for many files in one relation.

    A window stays within one file, whose rows are a row's neighbours; a mapping that is nothing
    but a column is quoted, whatever the sender calls it (``at``, ``order``, ``Invoice No``), and
    read as the dialect says.
    """
    records = {}
    for name, record in feed.records.items():
        fields = {
            field: _spelled(sql, feed, template.records[name].fields[field].type)
            for field, sql in record.fields.items()
        }
        around = {key: _windowed(sql) for key in ("where", "each") if (sql := getattr(record, key))}
        records[name] = record.model_copy(update={"fields": fields} | around)
    return feed.model_copy(update={"records": records})


def needs_whole_files(feed: Feed) -> bool:
    """Whether rows are looked at together, so that a file must not be cut into pieces."""
    return bool(feed.totals) or any(
        _WINDOW.search(sql)
        for one in feed.records.values()
        for sql in (*one.fields.values(), one.where or "", one.each or "")
    )


def job(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    key: MasterKey,
    feed: Feed,
    template: Template,
) -> Job:
    """A job with the feed's mapping spelled out, on a connection set up for it.

    A local time without an offset is one of the feed's zone; the engine spills, encrypted, where
    it would need more than its share of memory.
    """
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    connection.execute(f"set TimeZone = {literal(feed.time_zone)}")
    connection.execute("set preserve_insertion_order = false")
    for macro in macros(feed.dialect):
        connection.execute(macro)
    return Job(connection, home, key, spelled_out(feed, template), template)


def _spelled(sql: str, feed: Feed, kind: FieldType) -> str:
    if sql.strip() in feed.columns:
        return as_spelled(identifier(sql.strip()), kind, feed.dialect)
    return _windowed(sql)


def _windowed(sql: str) -> str:
    return _WINDOW.sub(lambda found: "over (partition by _file" + (", " if found[1] else " "), sql)
