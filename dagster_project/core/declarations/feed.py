"""Feeds: one sender's stream in that sender's own layout, mapped onto a template.

Belongs here: what a feed may say of files, dialect, mapping, drift and arrival. Does not: reading
a delivered file (``feeds``). Mapped expressions are SQL written by the deployment's own engineer.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, model_validator

from dagster_project.core.declarations.fields import IDENTIFIER, Declared
from dagster_project.core.declarations.layouts import with_layout

Format = Literal[
    "csv", "tsv", "fixed_width", "jsonl", "json", "xlsx", "xls", "xml", "parquet", "table"
]
# Read cell by cell as delimited text, after a conversion where the file is none.
DELIMITED = frozenset({"csv", "tsv", "fixed_width", "xlsx", "xls"})
# Read record by record as JSON objects, after a conversion where the file is none.
OBJECTS = frozenset({"jsonl", "json", "xml", "table"})


class Dialect(Declared):
    """How the sender writes a file; nothing of it is guessed at load time."""

    delimiter: str = Field(default=",", min_length=1, max_length=8)
    quote: str | None = Field(default='"', min_length=1, max_length=1)
    # Written before a quote within quotes; the quote itself, doubled, where nothing is said.
    escape: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str = "utf-8"
    header: bool = True
    # Lines of the header; names of several lines are joined by a space.
    header_lines: int = Field(default=1, ge=1, le=9)
    preamble_lines: int = Field(default=0, ge=0)
    footer_lines: int = Field(default=0, ge=0)
    null_text: tuple[str, ...] = ("",)
    # How numbers and times are spelled in columns that are mapped as they are, and by the
    # functions ``amount(text)``, ``day(text)`` and ``moment(text)`` in expressions.
    decimal_mark: str = Field(default=".", min_length=1, max_length=1)
    thousands_mark: str | None = Field(default=None, min_length=1, max_length=1)
    date_formats: tuple[str, ...] = ()  # of strptime, tried in order; ISO 8601 where none is named
    timestamp_formats: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()  # fixed_width: characters of each column, in order
    sheet: str | None = None  # xlsx, xls: the sheet's name; the first one otherwise
    # xml: local name of the element that is a record; json: path of the list of records, a/b/c.
    record_path: str | None = None

    @model_validator(mode="after")
    def _names_zones_everywhere_or_nowhere(self) -> Dialect:
        """The engine reads times without a zone in the one that the row before them named."""
        if 0 < sum("%Z" in one for one in self.timestamp_formats) < len(self.timestamp_formats):
            raise ValueError("timestamp_formats: give every format a %Z, or none of them")
        return self


class Arrival(Declared):
    """When a file is complete, how often one is expected, and how many bad rows are too many."""

    complete_by: Literal["rename", "marker", "stable"] = "stable"
    stable_seconds: float = Field(default=2, ge=0)
    expected_hours: float | None = Field(default=None, gt=0)
    reject_threshold: float = Field(default=0.05, ge=0, le=1)
    # A file with less than this share of the feed's usual records is reported.
    usual_share: float = Field(default=0.1, ge=0, le=1)
    # A last record without its newline and with missing cells: hold the file, or only its record.
    truncated: Literal["hold", "reject"] = "reject"


class Policy(StrEnum):
    """What to do with what a feed did not announce."""

    NOTE = "note"  # go on, and say so
    FREEZE = "freeze"  # hold the file back
    DISCARD_ROW = "discard_row"  # reject the record
    DISCARD_VALUE = "discard_value"  # load the record without the value, and say so


class Drift(Declared):
    """What becomes of files that are no longer what the feed says."""

    new_column: Literal[Policy.NOTE, Policy.FREEZE] = Policy.NOTE
    # In JSON and XML a key that is left out says that there is no value: there a column is missed
    # only where the feed itself names a policy, and only by a file in which no record has it.
    missing_column: Literal[Policy.NOTE, Policy.FREEZE] = Policy.FREEZE
    bad_value: Literal[Policy.FREEZE, Policy.DISCARD_ROW, Policy.DISCARD_VALUE] = Policy.DISCARD_ROW
    # Of single template fields; a required one cannot do without its value.
    fields: dict[str, Literal[Policy.FREEZE, Policy.DISCARD_ROW, Policy.DISCARD_VALUE]] = Field(
        default_factory=dict
    )


class Total(Declared):
    """Figures that a file states of itself in a preamble or footer line."""

    pattern: str  # regular expression with named groups
    # Group name → SQL aggregate over the sender's columns that must give the same number.
    agrees: dict[str, str] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_its_groups(self) -> Total:
        try:
            groups = set(re.compile(self.pattern).groupindex)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if unknown := sorted(set(self.agrees) - groups):
            raise ValueError(f"the pattern has no group {', '.join(unknown)}")
        return self


class Sequence(Declared):
    """Numbers that run without a gap, such as a terminal's receipts."""

    record: str
    number: str  # field of the record; its last run of digits is the number
    within: tuple[str, ...] = ()  # fields that a run of numbers belongs to


class TableSource(Declared):
    """A table of a running PostgreSQL server."""

    dsn_variable: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")  # environment: connection string
    table: str = Field(pattern=r"^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)?$")
    cursor: str  # column that changes with every change: a number, a date or a time
    key: tuple[str, ...] = Field(min_length=1)
    # Column name under which a row that is gone is delivered with the value true.
    deleted_column: str = "is_deleted"
    # Column name under which a row says when it was found gone, back again, or changed although
    # its cursor was not: what happened then is newer than the row's own times tell.
    seen_column: str = "seen_at"
    # Of a cursor that is a time: rows as old as this below the newest are compared whole, in case
    # they changed within the same tick of the sender's clock.
    overlap_minutes: float = Field(default=15, ge=0)
    # Nothing is taken when more than this share of the known rows is gone at once.
    max_deleted_share: float = Field(default=0.5, ge=0, le=1)


class FeedRecord(Declared):
    """How the sender's rows make one of the template's records."""

    # SQL that gives a JSON list: one record per element, ``each``, with its ``each_number`` from 1.
    each: str | None = None
    where: str | None = None  # SQL predicate over the sender's columns; all rows without it
    fields: dict[str, str]  # field → SQL expression over the sender's columns, all of them text


class Feed(Declared):
    """One sender's stream, mapped onto a template; a shipped ``layout`` may say most of it."""

    feed: str = Field(pattern=IDENTIFIER)
    layout: str | None = Field(default=None, pattern=IDENTIFIER)
    description: str
    sender: str = Field(pattern=IDENTIFIER)  # the source system: its codes are unique within it
    template: str
    template_version: int = 1
    owner: str
    format: Format
    files: str = "*"
    source: TableSource | None = None  # of format table
    dialect: Dialect = Dialect()
    time_zone: str = "UTC"  # of local times without an offset
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")  # of phone numbers
    arrival: Arrival = Arrival()
    drift: Drift = Drift()
    totals: tuple[Total, ...] = ()
    sequence: Sequence | None = None
    # The sender's columns, in file order where there is no header; values are other names seen.
    # In XML names are paths below the record: a/b, a/b@attribute, a[@x='1']/b, a/b[] for a list.
    columns: dict[str, tuple[str, ...]]
    records: dict[str, FeedRecord] = Field(min_length=1)
    # Fields whose numbers are the sender's own even where they look like card numbers: in others
    # such a number is masked, and the record is rejected where it is a key or a figure.
    own_numbers: tuple[str, ...] = ()
    # Rows whose kind is none of the records: named here, else they are rejected.
    ignore_where: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_layout(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        whole = with_layout(content)
        if whole.get("format") == "tsv" and isinstance(whole.get("dialect", {}), dict):
            whole = whole | {"dialect": {"delimiter": "\t"} | whole.get("dialect", {})}
        if whole.get("format") == "table" and isinstance(whole.get("arrival", {}), dict):
            # What is read from a table is put into the landing folder by one rename.
            whole = whole | {"arrival": {"complete_by": "rename"} | whole.get("arrival", {})}
        return whole

    @model_validator(mode="after")
    def _says_what_its_format_needs(self) -> Feed:
        if (self.format == "table") != (self.source is not None):
            raise ValueError("a source belongs to the format table, and the format to a source")
        if (self.format == "fixed_width") != bool(self.dialect.widths):
            raise ValueError("dialect.widths belong to the format fixed_width, and it to them")
        if self.format == "fixed_width" and len(self.dialect.widths) != len(self.columns):
            raise ValueError("dialect.widths and columns differ in number")
        if self.format == "xml" and not self.dialect.record_path:
            raise ValueError("the format xml needs dialect.record_path, the record's element")
        return self

    @model_validator(mode="after")
    def _declares_what_its_table_delivers(self) -> Feed:
        if self.source is None:
            return self
        known = {name for column, others in self.columns.items() for name in (column, *others)}
        source = self.source
        wanted = {*source.key, source.cursor, source.deleted_column, source.seen_column}
        if missing := sorted(wanted - known):
            raise ValueError(f"source names {', '.join(missing)}, which columns does not")
        if self.files != "*" or self.arrival.complete_by != "rename":
            raise ValueError("a table delivers no files: leave out files and arrival.complete_by")
        return self
