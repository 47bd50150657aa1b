"""Which delivery is this: its identity, its content's identity, and whether it is known.

Belongs here: one pass over the delivered bytes that hashes, seals and profiles them, and the
look-up in the ledger. Does not: records.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from dagster_project.core.declarations import DELIMITED, Feed
from dagster_project.core.feeds.arrive import EPOCH, Claim
from dagster_project.core.feeds.errors import HeldBackError
from dagster_project.core.feeds.store import Seal
from dagster_project.core.feeds.totals import with_figures
from dagster_project.core.feeds.transcode import (
    CHUNK_BYTES,
    TextStart,
    needs_rewriting,
    write_text,
)
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey


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
    """A delivery that can be read: UTF-8 text (or Parquet) in scratch, under a safe name."""

    claim: Claim
    file_id: str
    content_id: str
    size_bytes: int
    path: Path
    profile: Profile
    start: TextStart
    seal: Seal | None
    signature: tuple[int, int]  # size and mtime of the claimed file when it was hashed

    def has_changed(self) -> bool:
        """Whether the sender went on writing after the file was hashed."""
        return self.signature != _signature(self.claim.path)


@dataclass(frozen=True)
class Held:
    """A delivery that cannot be loaded, and the reason."""

    claim: Claim
    file_id: str
    size_bytes: int
    reason: str
    seal: Seal | None


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


def receive(claim: Claim, feed: Feed, home: Home, key: MasterKey | None) -> Delivered | Held:
    """Hash, seal (with a key), unpack and transcode one claimed file."""
    if claim.refusal:
        return Held(claim, claim.refused_id, 0, claim.refusal, None)
    seal = Seal(home, key) if key else None
    try:
        signature = _signature(claim.path)
        file_id, profile, start = _read_once(claim.path, feed, seal)
        suffix = ".csv" if feed.format in DELIMITED else ".jsonl"
        suffix = ".parquet" if feed.format == "parquet" else suffix
        path = home.scratch / f"{file_id}-{claim.instant}{suffix}"
        try:
            text, known = _text_of(claim.path, path, feed, profile, start)
        except HeldBackError as error:
            return Held(claim, file_id, profile.size_bytes, str(error), seal)
    except BaseException:
        if seal:
            seal.drop()
        raise
    size = profile.size_bytes
    return Delivered(claim, file_id, known or file_id, size, path, *text, seal, signature)


def _read_once(path: Path, feed: Feed, seal: Seal | None) -> tuple[str, Profile, bytes]:
    """SHA-256 and profile of the delivered bytes, sealed on the way; and their first 16."""
    profiler = Profiler(feed.dialect.quote)
    digest = hashlib.sha256()
    start = b""
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            start = start or chunk[:16]
            digest.update(chunk)
            profiler.add(chunk)
            if seal:
                seal.write(chunk)
    if seal:
        seal.close()
    return digest.hexdigest(), profiler.profile(), start


def _text_of(
    source: Path, path: Path, feed: Feed, profile: Profile, start: bytes
) -> tuple[tuple[Profile, TextStart], str | None]:
    """Make the readable text; its profile and start, and its identity where it differs."""
    if profile.size_bytes == 0:
        raise HeldBackError("the file is empty")
    if needs_rewriting(feed, start):
        text_start = write_text(source, path, feed)
        known = with_figures(content_id(path, feed), feed, text_start)
        return (profile_of(path, feed.dialect.quote), text_start), known
    link(source, path)
    is_as_delivered = feed.format == "parquet" or not profile.has_return
    return (profile, TextStart()), None if is_as_delivered else content_id(path, feed)


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


def link(source: Path, target: Path) -> None:
    """Give the file a safe name: a hard link, or a copy across file systems."""
    target.unlink(missing_ok=True)  # of a load that ended before it could tidy up
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _signature(path: Path) -> tuple[int, int]:
    status = path.stat()
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
