"""Which delivery is this: its identity, its content's identity, and whether it is known.

Belongs here: one pass over the delivered bytes that hashes and profiles them, and the look-up in
the ledger. Does not: records; keeping the original (``store``), which waits until it is known
that the delivery is none that was kept before.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from dagster_project.core.declarations import DELIMITED, Feed
from dagster_project.core.feeds.arrive import EPOCH, Claim
from dagster_project.core.feeds.errors import HeldBackError
from dagster_project.core.feeds.records import NEWLINE, RETURN
from dagster_project.core.feeds.store import Original
from dagster_project.core.feeds.text import IN_MEMORY_BYTES, Text
from dagster_project.core.feeds.totals import with_figures
from dagster_project.core.feeds.transcode import (
    BOM,
    CHUNK_BYTES,
    TextStart,
    needs_rewriting,
    write_text,
)
from dagster_project.core.home import Home

Signature = tuple[int, int]  # size and mtime of a file


@dataclass(frozen=True)
class Profile:
    """What one pass over a text file tells about its lines."""

    size_bytes: int
    newlines: int
    has_quote: bool
    has_return: bool
    has_blank_line: bool
    ends_with_newline: bool

    @property
    def is_plain(self) -> bool:
        """Every newline ends a record, and every record ends at one."""
        return not (self.has_quote or self.has_return or self.has_blank_line)

    @property
    def lines(self) -> int:
        return self.newlines + (not self.ends_with_newline and self.size_bytes > 0)


@dataclass(frozen=True)
class Identified:
    """A delivery whose bytes are known; what they say is not looked at yet."""

    claim: Claim
    original: Original
    size_bytes: int
    start: bytes
    signature: Signature  # of the claimed file when it was hashed
    content_id: str | None  # nothing where the content must be made readable first

    @property
    def file_id(self) -> str:
        """SHA-256 of the delivered bytes."""
        return self.original.file_id


@dataclass(frozen=True)
class Delivered:
    """A delivery that can be read."""

    claim: Claim
    file_id: str
    content_id: str
    size_bytes: int
    text: Text
    quote: str | None
    start: TextStart
    original: Original
    signature: Signature

    @cached_property
    def profile(self) -> Profile:
        """What its lines are like; nobody asks that of a duplicate."""
        profiler = Profiler(self.quote)
        for piece in self.text.pieces():
            profiler.add(piece)
        return profiler.profile()

    @property
    def path(self) -> Path:
        """A file of the text, made where there is none yet."""
        return self.text.path

    def has_changed(self) -> bool:
        """Whether the sender went on writing after the file was hashed."""
        return self.signature != _signature(os.stat(self.claim.file))


@dataclass(frozen=True)
class Held:
    """A delivery that cannot be loaded, and the reason."""

    claim: Claim
    file_id: str
    size_bytes: int
    reason: str
    original: Original | None  # nothing of what is no file


class Profiler:
    """Collects a Profile from pieces of a text."""

    def __init__(self, quote: str | None) -> None:
        self._quote = quote.encode() if quote else None
        self._size = self._newlines = 0
        self._has_quote = self._has_return = self._has_blank = False
        self._last = b"\n"

    def add(self, piece: bytes) -> None:
        """Look at the next piece."""
        self._size += len(piece)
        self._newlines += piece.count(b"\n")
        self._has_quote = self._has_quote or (self._quote is not None and self._quote in piece)
        self._has_return = self._has_return or b"\r" in piece
        opens_blank = self._last == b"\n" and piece[:1] == b"\n"
        self._has_blank = self._has_blank or opens_blank or b"\n\n" in piece
        self._last = piece[-1:]

    def profile(self) -> Profile:
        """What was seen."""
        return Profile(
            self._size,
            self._newlines,
            self._has_quote,
            self._has_return,
            self._has_blank,
            self._last == b"\n",
        )


class Fingerprint:
    """SHA-256 of bytes as they are, and of the text that they are without mark and returns.

    Most texts have neither: both are one hash until the first byte that differs.
    """

    def __init__(self, mark: bytes = BOM) -> None:
        self._mark = mark  # which the text does without
        self._bytes = hashlib.sha256()
        self._text: Any = None  # the other hash, once there is one
        self._size = 0
        self._carried = b""

    def add(self, piece: bytes) -> None:
        """Hash the next piece."""
        text = piece.removeprefix(self._mark) if self._size == 0 else piece
        if self._text is None and (len(text) < len(piece) or b"\r" in piece):
            self._text = self._bytes.copy()
        if self._text is not None:
            text = self._carried + text
            self._carried = b"\r" if text.endswith(b"\r") else b""
            text = text[: len(text) - len(self._carried)]
            self._text.update(_with_newlines(text))
        self._bytes.update(piece)
        self._size += len(piece)

    def of_bytes(self) -> str:
        """The identity of the bytes."""
        return self._bytes.hexdigest()

    def of_text(self) -> str:
        """The identity of the text, line ends as newlines; asked once, at the end."""
        if self._text is None:
            return self.of_bytes()
        self._text.update(self._carried.replace(b"\r", b"\n"))
        return self._text.hexdigest()


def _with_newlines(text: bytes) -> bytes:
    """The text with every line end as one newline; a return at its end is one by itself."""
    if b"\r" not in text:
        return text
    signs = np.frombuffer(text, np.uint8)
    is_alone = (signs[:-1] == RETURN) & (signs[1:] != NEWLINE)
    if text.endswith(b"\r") or is_alone.any():
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.replace(b"\r", b"")  # ten times as fast as looking for pairs


def identify(claim: Claim, feed: Feed) -> Identified | Held:
    """Hash one claimed file."""
    if claim.refusal:
        return Held(claim, claim.refused_id, 0, claim.refusal, None)
    found = Fingerprint()
    start, content, size = b"", b"", 0
    with open(claim.file, "rb", buffering=0) as handle:
        status = os.fstat(handle.fileno())
        is_small = status.st_size <= IN_MEMORY_BYTES
        wanted = min(CHUNK_BYTES, status.st_size + 1)
        while chunk := handle.read(wanted):
            start = start or chunk[:16]
            size += len(chunk)
            found.add(chunk)
            if is_small:
                content = content + chunk if content else chunk
    original = Original(found.of_bytes(), claim.file, content if is_small else None)
    known = _content_of(found, feed, start.removeprefix(BOM))
    return Identified(claim, original, size, start, _signature(status), known)


def _content_of(found: Fingerprint, feed: Feed, start: bytes) -> str | None:
    """The identity of a content that can be read as it is, but for its mark."""
    try:
        if needs_rewriting(feed, start) or feed.totals:
            return None
    except HeldBackError:  # by the encoding that the feed declares, nothing can be read
        return None
    return found.of_bytes() if feed.format == "parquet" else found.of_text()


def receive(claim: Claim, feed: Feed, home: Home) -> Delivered | Held:
    """Hash, unpack and transcode one claimed file."""
    one = identify(claim, feed)
    return one if isinstance(one, Held) else make_readable(one, feed, home)


def make_readable(one: Identified, feed: Feed, home: Home) -> Delivered | Held:
    """Unpack and transcode a file, where that is needed to read it."""
    name = f"{one.file_id}-{one.claim.instant}{_suffix(feed)}"
    text = Text(home, name, one.original.content, one.claim.file)
    try:
        known, start = _read_as_text(one, text, feed)
    except HeldBackError as error:
        text.drop()
        return Held(one.claim, one.file_id, one.size_bytes, str(error), one.original)
    size, quote = one.size_bytes, feed.dialect.quote
    return Delivered(
        one.claim, one.file_id, known, size, text, quote, start, one.original, one.signature
    )


def _read_as_text(one: Identified, text: Text, feed: Feed) -> tuple[str, TextStart]:
    """Write the text where it is not as it came; its identity and start."""
    if one.size_bytes == 0:
        raise HeldBackError("the file is empty")
    if not needs_rewriting(feed, one.start):
        return one.content_id or content_id(text, feed), TextStart()
    text.content = None
    start = write_text(one.claim.path, text.written(), feed)
    return one.content_id or with_figures(content_id(text, feed), feed, start), start


def _suffix(feed: Feed) -> str:
    if feed.format == "parquet":
        return ".parquet"
    return ".csv" if feed.format in DELIMITED else ".jsonl"


def content_id(text: Text, feed: Feed) -> str:
    """SHA-256 of the content with every line end as one newline."""
    found = Fingerprint(mark=b"")
    for piece in text.pieces():
        found.add(piece)
    return found.of_bytes() if feed.format == "parquet" else found.of_text()


def _signature(status: os.stat_result) -> Signature:
    return status.st_size, status.st_mtime_ns


def known_contents(
    connection: duckdb.DuckDBPyConnection, feed: Feed, content_ids: list[str]
) -> dict[str, int]:
    """Physical records of those contents that this feed and template version has loaded."""
    rows = connection.execute(
        "select content_id, any_value(physical_count) from ops.file_ledger "
        "where feed = ? and status = 'loaded' and template = ? and template_version = ? "
        "and content_id in (select unnest(?)) group by content_id",
        [feed.feed, feed.template, feed.template_version, content_ids],
    ).fetchall()
    return dict(rows)


def in_ledger(
    connection: duckdb.DuckDBPyConnection, feed: Feed, claims: list[Claim]
) -> set[datetime]:
    """Arrivals that were committed before a crash kept their files from being removed."""
    rows = connection.execute(
        "select epoch_us(arrived_at) from ops.file_ledger where feed = ? "
        "and epoch_us(arrived_at) in (select unnest(?))",
        [feed.feed, [claim.instant for claim in claims]],
    ).fetchall()
    return {EPOCH + timedelta(microseconds=row[0]) for row in rows}
