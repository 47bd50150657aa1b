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
from pathlib import Path

import duckdb

from dagster_project.core.declarations import DELIMITED, Feed
from dagster_project.core.feeds.arrive import EPOCH, Claim
from dagster_project.core.feeds.errors import HeldBackError
from dagster_project.core.feeds.store import Original
from dagster_project.core.feeds.text import IN_MEMORY_BYTES, Text
from dagster_project.core.feeds.totals import with_figures
from dagster_project.core.feeds.transcode import (
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
class Delivered:
    """A delivery that can be read."""

    claim: Claim
    file_id: str
    content_id: str
    size_bytes: int
    text: Text
    profile: Profile
    start: TextStart
    original: Original
    signature: Signature  # of the claimed file when it was hashed

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


def receive(claim: Claim, feed: Feed, home: Home) -> Delivered | Held:
    """Hash, unpack and transcode one claimed file."""
    if claim.refusal:
        return Held(claim, claim.refused_id, 0, claim.refusal, None)
    file_id, profile, start, content, signature = _read_once(claim.file, feed)
    original = Original(file_id, claim.file, content)
    text = Text(home, f"{file_id}-{claim.instant}{_suffix(feed)}", content, claim.file)
    size = profile.size_bytes
    try:
        text, profile, text_start, known = _readable(text, original, feed, profile, start)
    except HeldBackError as error:
        text.drop()
        return Held(claim, file_id, size, str(error), original)
    return Delivered(
        claim, file_id, known or file_id, size, text, profile, text_start, original, signature
    )


def _suffix(feed: Feed) -> str:
    if feed.format == "parquet":
        return ".parquet"
    return ".csv" if feed.format in DELIMITED else ".jsonl"


def _read_once(path: str, feed: Feed) -> tuple[str, Profile, bytes, bytes | None, Signature]:
    """SHA-256, profile, first bytes and signature of a file; and its content, where small."""
    profiler = Profiler(feed.dialect.quote)
    digest = hashlib.sha256()
    start, content = b"", b""
    with open(path, "rb", buffering=0) as handle:
        status = os.fstat(handle.fileno())
        is_small = status.st_size <= IN_MEMORY_BYTES
        wanted = min(CHUNK_BYTES, status.st_size + 1)
        while chunk := handle.read(wanted):
            start = start or chunk[:16]
            digest.update(chunk)
            profiler.add(chunk)
            if is_small:
                content = content + chunk if content else chunk
    small = content if is_small else None
    return digest.hexdigest(), profiler.profile(), start, small, _signature(status)


def _readable(
    text: Text, original: Original, feed: Feed, profile: Profile, start: bytes
) -> tuple[Text, Profile, TextStart, str | None]:
    """The readable text, its profile and start, and its identity where it differs."""
    if profile.size_bytes == 0:
        raise HeldBackError("the file is empty")
    if needs_rewriting(feed, start):
        text.content = None
        path = text.written()
        text_start = write_text(Path(original.path), path, feed)
        known = with_figures(content_id(path, feed), feed, text_start)
        return text, profile_of(path, feed.dialect.quote), text_start, known
    is_as_delivered = feed.format == "parquet" or not profile.has_return
    known = None if is_as_delivered else content_id(text.path, feed)
    return text, profile, TextStart(), known


def profile_of(path: Path, quote: str | None) -> Profile:
    """The profile of a text file."""
    profiler = Profiler(quote)
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            profiler.add(chunk)
    return profiler.profile()


def content_id(path: Path, feed: Feed) -> str:
    """SHA-256 of the content with every line end as one newline."""
    digest = hashlib.sha256()
    carried = b""
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            if feed.format != "parquet":
                chunk = carried + chunk
                carried = b"\r" if chunk.endswith(b"\r") else b""
                chunk = chunk[: len(chunk) - len(carried)]
                chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            digest.update(chunk)
    digest.update(carried.replace(b"\r", b"\n"))
    return digest.hexdigest()


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
