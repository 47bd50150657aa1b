"""Rejected records as they are kept: where they stood, why, and what may be shown of them.

Belongs here: places and the harmless text of a raw record. Does not: finding errors. A raw
record is kept as JSON of the sender's columns: personal values left out, card numbers masked. What
is wrong with a record may be that its cells stand one column too far, so that a name is where a
city should be: of texts only their shape is kept, of figures and times their digits. The record
itself is in the stored original, at the line and byte that the reject names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np

from dagster_project.core.declarations import (
    SQL_TYPES,
    Classification,
    Feed,
    FieldType,
    Template,
    Treatment,
)
from dagster_project.core.feeds.cards import ascii_digits, mask_digits, mask_text
from dagster_project.core.feeds.errors import MESSAGES
from dagster_project.core.feeds.job import Job
from dagster_project.core.feeds.ledger import RECORD, VALUE, Reject, reject_key
from dagster_project.core.feeds.read import Source
from dagster_project.core.feeds.records import Splitter, record_bounds
from dagster_project.core.feeds.settle import Flaw, Verdict

# A refused file is in the store as a whole; so many of its records are shown.
MAX_REJECTS_OF_REFUSED = 10_000
TELLING_DIGITS = 9  # a figure this long may be a phone or an account
HARMLESS = frozenset({Classification.PUBLIC, Classification.INTERNAL})


def rejects_of(job: Job, verdict: Verdict, place: int, batch_id: int) -> list[Reject]:
    """The rejects of one file of a unit."""
    flaws = verdict.flaws[place]
    if flaws and not verdict.per_file(verdict.accepted)[place]:
        flaws = flaws[:MAX_REJECTS_OF_REFUSED]
    return _kept(job, verdict, place, batch_id, flaws=flaws, disposition=RECORD)


def discards_of(job: Job, verdict: Verdict, place: int, batch_id: int) -> list[Reject]:
    """The values that records of one file of a unit are loaded without."""
    flaws = verdict.discards[place]
    if flaws and not verdict.per_file(verdict.accepted)[place]:
        return []
    return _kept(job, verdict, place, batch_id, flaws=flaws, disposition=VALUE)


def first_line(job: Job, verdict: Verdict, place: int, flaw: Flaw) -> int:
    """The line of the delivered file, from 1, on which a flawed record begins."""
    source = verdict.unit.source
    return _Places(source, place, job.feed).place(flaw)[0] + source.files[place].start.lines


def _kept(
    job: Job,
    verdict: Verdict,
    place: int,
    batch_id: int,
    *,
    flaws: Sequence[Flaw],
    disposition: str,
) -> list[Reject]:
    if not flaws:
        return []
    source = verdict.unit.source
    one = source.files[place]
    is_text = job.feed.format != "parquet"
    locate = _Places(source, place, job.feed)
    shown = _Shown(source, job)
    found = []
    for flaw in flaws:
        first, last, start, end = locate.place(flaw)
        may_show = is_text and flaw.row not in verdict.unit.erased_rows
        found.append(
            Reject(
                reject_key(one.file_id, flaw.record_number, flaw.column, flaw.code, disposition),
                job.feed.feed,
                one.file_id,
                flaw.record_number,
                first + one.start.lines,
                last + one.start.lines,
                start + one.start.offset if is_text else None,
                flaw.record,
                flaw.column,
                flaw.code,
                MESSAGES[flaw.code],
                shown.text(one.text.part(start, end)) if may_show and flaw.row >= 0 else None,
                batch_id,
                disposition=disposition,
            )
        )
    return found


class _Places:
    """Lines and bytes of a file's records, found only when a record is rejected."""

    def __init__(self, source: Source, place: int, feed: Feed) -> None:
        self._source = source
        self._broken = {broken.record_number: broken for broken in source.broken}
        self._is_located = source.places is not None
        self._first_row = int(source.first_rows[place])
        self._header = feed.format == "csv" and feed.dialect.header
        if not self._is_located and feed.format != "parquet":
            content = source.files[place].text.array()
            quote = feed.dialect.quote if feed.format == "csv" else None
            self._starts, self._ends = record_bounds(content, quote)
            self._newlines = np.flatnonzero(content == 10)

    def place(self, flaw: Flaw) -> tuple[int, int, int, int]:
        """First line, last line, first byte, end."""
        if flaw.row < 0:
            broken = self._broken[flaw.record_number]
            return broken.first_line, broken.last_line, broken.offset, broken.end
        if self._source.places is not None:
            first, last, start, end = self._source.places[flaw.row - self._first_row].tolist()
            return first, last, start, end
        if not hasattr(self, "_starts"):  # Parquet: a record has a number and no line
            return flaw.record_number, flaw.record_number, 0, 0
        index = flaw.record_number - 1 + self._header
        start, end = int(self._starts[index]), int(self._ends[index])
        first, last = np.searchsorted(self._newlines, (start, end)) + 1
        return int(first), int(last), start, end


class _Shown:
    """The part of a raw record that may be kept."""

    def __init__(self, source: Source, job: Job) -> None:
        self._feed = job.feed
        self._columns = source.header.columns
        self._hidden, self._cards = hidden_columns(job.feed, job.template)
        self._figures = frozenset() if _has_secrets(job) else _figures(job)

    def text(self, raw: bytes) -> str | None:
        """The record's harmless columns as JSON; nothing when it cannot be split."""
        values = self._values(raw)
        if values is None:
            return None
        kept = {
            name: self._value(name, text)
            for name, text in values
            if name not in self._hidden and text not in self._feed.dialect.null_text
        }
        return json.dumps(kept, ensure_ascii=False)

    def _values(self, raw: bytes) -> list[tuple[str, str]] | None:
        if self._feed.format == "jsonl":
            names = {a: n for n, aliases in self._feed.columns.items() for a in (n, *aliases)}
            parsed = json.loads(raw)
            return [(names[k], str(v)) for k, v in parsed.items() if k in names and v is not None]
        record = next(Splitter(raw, self._feed.dialect, len(self._columns)).records(), None)
        if record is None or record.cells is None:
            return None
        pairs = zip(self._columns, record.cells, strict=True)
        return [(name, cell) for name, cell in pairs if name is not None]

    def _value(self, name: str, text: str) -> str:
        if name in self._cards:
            digits = "".join(sign for sign in ascii_digits(text) if sign.isdigit())
            return mask_digits(digits)
        return shape(mask_text(text)[0], keeps_digits=name in self._figures)


def shape(text: str, *, keeps_digits: bool) -> str:
    """The text with X or x for each letter; 9 for each digit, unless a short figure keeps them."""
    figures = sum(map(str.isdigit, text))
    keeps_digits = keeps_digits and figures < TELLING_DIGITS
    return "".join(
        ("X" if sign.isupper() else "x")
        if sign.isalpha()
        else ("9" if sign.isdigit() and not keeps_digits else sign)
        for sign in text
    )


def _figures(job: Job) -> frozenset[str]:
    """The sender's columns of which some field makes a figure, a date or a time."""
    return frozenset(
        column
        for name, mapping in job.feed.records.items()
        for field, expression in mapping.fields.items()
        if SQL_TYPES[job.template.records[name].fields[field].type] != "varchar"
        for column in job.feed.columns
        if _names(expression, column)
    )


def _has_secrets(job: Job) -> bool:
    """Whether the feed delivers verification values: three digits anywhere may be one."""
    return any(
        declared.classification is Classification.CARD and declared.treatment is Treatment.DROP
        for name, mapping in job.feed.records.items()
        for declared in map(job.template.records[name].fields.__getitem__, mapping.fields)
    )


def hidden_columns(feed: Feed, template: Template) -> tuple[frozenset[str], frozenset[str]]:
    """The sender's columns that feed personal or secret fields; and those of card numbers."""
    hidden: set[str] = set()
    cards: set[str] = set()
    for name, mapping in feed.records.items():
        for field, expression in mapping.fields.items():
            declared = template.records[name].fields[field]
            if declared.classification in HARMLESS:
                continue
            used = {column for column in feed.columns if _names(expression, column)}
            if declared.type is FieldType.CARD_NUMBER:
                cards |= used
            else:
                hidden |= used
    return frozenset(hidden), frozenset(cards)


def _names(expression: str, column: str) -> bool:
    return re.search(rf"(?i)(?<!\w){re.escape(column)}(?!\w)", expression) is not None
