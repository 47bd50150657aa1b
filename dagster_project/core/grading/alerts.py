"""Whom to phone about what: the poor days of stores, and tables, with the feed and its owner.

Belongs here: the lines that people read. Does not: finding anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

import duckdb

from dagster_project.core.declarations import Feed, Template
from dagster_project.core.grading.store_days import StoreDay, poor_store_days

MODELLERS = "data engineering"  # of a table that no feed fills


@dataclass(frozen=True)
class Alert:
    """One thing worth a phone call."""

    subject: str  # the store, or the table
    message: str
    feeds: tuple[str, ...]
    contact: str  # who to phone

    @property
    def line(self) -> str:
        """In one line."""
        named = f" ({', '.join(self.feeds)})" if self.feeds else ""
        return f"{self.subject}: {self.message}{named}; who to phone: {self.contact}"


def store_alerts(connection: duckdb.DuckDBPyConnection, feeds: Mapping[str, Feed]) -> list[Alert]:
    """One alert per store with a day of grade D or worse in the last graded week, worst first."""
    poor = poor_store_days(connection)
    by_store = groupby(sorted(poor, key=lambda one: one.store), key=lambda one: one.store)
    found = [list(days) for _, days in by_store]
    found.sort(key=lambda days: (-ord(_worst(days).grade), -len(days), days[0].store))
    return [_of_store(days, feeds) for days in found]


def contact_of_table(
    schema: str, table: str, feeds: Mapping[str, Feed], templates: Mapping[str, Template]
) -> str:
    """Who to phone about a table: the feeds that fill a raw one, with their owners."""
    family = table.partition("__")[0]
    named = [
        name
        for name, feed in sorted(feeds.items())
        if schema == "raw" and templates[feed.template].family == family
    ]
    return f"{', '.join(named)}; who to phone: {_contacts(named, feeds)}".removeprefix("; ")


def _worst(days: list[StoreDay]) -> StoreDay:
    return max(days, key=lambda one: (one.grade, one.day))


def _of_store(days: list[StoreDay], feeds: Mapping[str, Feed]) -> Alert:
    worst = _worst(days)
    more = f"; {len(days) - 1} more poor days that week" if len(days) > 1 else ""
    message = f"{worst.day} is graded {worst.grade}: {worst.reason}{more}"
    named = (worst.feed,) if worst.feed else ()
    return Alert(worst.store, message, named, _contacts(named, feeds))


def _contacts(named: Iterable[str], feeds: Mapping[str, Feed]) -> str:
    owners = dict.fromkeys(feeds[name].owner for name in named if name in feeds)
    return "; ".join(owners) or MODELLERS
