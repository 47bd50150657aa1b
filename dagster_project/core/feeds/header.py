"""A file's columns against those that its feed declares.

Belongs here: which column is which. Does not: their values.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds.drift import judge_columns
from dagster_project.core.feeds.errors import HeldBackError
from dagster_project.core.feeds.recognise import Delivered
from dagster_project.core.feeds.records import MAX_RECORD_BYTES, header_cells
from dagster_project.core.feeds.sql import identifier


@dataclass(frozen=True)
class Header:
    """The file's columns in file order: declared names, and nothing for unknown ones."""

    columns: tuple[str | None, ...]
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  # declared ones that are read as empty

    @property
    def known(self) -> list[tuple[int, str]]:
        """Place and declared name of the columns that are read."""
        return [(place, name) for place, name in enumerate(self.columns) if name is not None]

    def select(self, prefix: str = "") -> str:
        """The declared columns of a table; those that the file lacks are empty."""
        known = [f"{prefix}{identifier(column)}" for _, column in self.known]
        absent = [column for column in self.missing if column not in self.columns]
        return ", ".join([*known, *(f"null::varchar as {identifier(one)}" for one in absent)])


def match_header(delivered: Delivered, feed: Feed) -> Header:
    """The file's columns against the declared ones.

    Raises HeldBackError when a declared column is missing, or stands twice.
    """
    cells = header_cells(delivered.text.part(0, MAX_RECORD_BYTES), feed.dialect)
    if cells is None:
        raise HeldBackError("no header or first record can be read")
    declared = list(feed.columns)
    if not feed.dialect.header:
        if len(cells) != len(declared):
            raise HeldBackError(f"{len(cells)} columns, expected {len(declared)}")
        return Header(tuple(declared))
    return match_names([cell.strip() for cell in cells], feed)


def match_names(cells: list[str], feed: Feed) -> Header:
    """The declared name of each of the file's column names; raises HeldBackError."""
    names = {alias: name for name, aliases in feed.columns.items() for alias in (name, *aliases)}
    columns = tuple(names.get(cell) for cell in cells)
    known = [name for name in columns if name is not None]
    missing = tuple(name for name in feed.columns if name not in known)
    unknown = tuple(c for c, name in zip(cells, columns, strict=True) if name is None)
    judge_columns(feed, missing, unknown)
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise HeldBackError(f"column found twice: {', '.join(twice)}")
    return Header(columns, unknown, missing)
