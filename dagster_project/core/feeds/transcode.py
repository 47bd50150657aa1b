"""Opening what a sender packed, and bringing text to UTF-8.

Belongs here: gzip, zip, zstandard, encodings, preamble and footer lines. Does not: records. All
of it is streamed and capped; a checksum that does not fit holds the file back.
"""

from __future__ import annotations

import codecs
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dagster_project.core.declarations import Dialect, Feed
from dagster_project.core.feeds.convert import CONVERTERS
from dagster_project.core.feeds.errors import HeldBackError

CHUNK_BYTES = 4 << 20
MAX_LINE = 4096  # characters kept of a line before or behind the records
MAX_UNPACKED_BYTES = 16 << 30
# Text of tills packs 10 to 30 times; a file of one repeated byte packs 1,000 times.
MAX_RATIO = 200
RATIO_FREE_BYTES = 16 << 20  # small files may pack as well as they like
GZIP, ZIP, ZSTD = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"
PACKED = (GZIP, ZIP, ZSTD)
BOM = codecs.BOM_UTF8
UTF8_NAMES = frozenset({"utf-8", "ascii"})
# Formats that say themselves how their bytes are to be read.
BINARY = frozenset({"parquet", "xlsx", "xls", "xml"})
# Text formats whose first and last lines may be no records.
TRIMMED = frozenset({"csv", "tsv", "fixed_width"})


@dataclass(frozen=True)
class TextStart:
    """Where the text that is read begins within the unpacked, transcoded file."""

    lines: int = 0
    offset: int = 0
    # The lines that were cut off, for the totals they may state; never shown.
    preamble: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()


def packing(start: bytes) -> bytes | None:
    """The packing whose signature a file begins with, if any."""
    if not start.startswith(PACKED):  # nearly every file
        return None
    return next(signature for signature in PACKED if start.startswith(signature))


def needs_rewriting(feed: Feed, start: bytes) -> bool:
    """Whether the database's reader cannot be given the delivered bytes as they are."""
    if feed.format in CONVERTERS or packing(start):
        return True
    if feed.format == "parquet":
        return False
    dialect = feed.dialect
    is_utf8 = canonical(dialect.encoding) in UTF8_NAMES
    return (
        not is_utf8 or start.startswith(BOM) or bool(dialect.preamble_lines or dialect.footer_lines)
    )


def canonical(encoding: str) -> str:
    """Python's name of an encoding; raises HeldBackError for one that does not exist."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise HeldBackError(f"the feed declares an unknown encoding {encoding!r}") from None


def unpack(path: Path, feed: Feed) -> Iterator[bytes]:
    """The file's content in pieces, unpacked where it is packed; a workbook is a zip by itself.

    Raises HeldBackError for a broken, encrypted, nested or exploding archive.
    """
    size = path.stat().st_size
    with path.open("rb") as handle:
        signature = packing(handle.read(4))
        handle.seek(0)
        if signature is None or (signature == ZIP and feed.format == "xlsx"):
            yield from _pieces(handle)
            return
        try:
            yield from _capped(_unpacked(handle, signature), size)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
            raise HeldBackError(f"the archive cannot be unpacked: {_line(error)}") from None


def _unpacked(handle: BinaryIO, signature: bytes) -> Iterator[bytes]:
    if signature == GZIP:
        with gzip.GzipFile(fileobj=handle) as opened:
            yield from _pieces(opened)
    elif signature == ZSTD:
        import pyarrow

        with pyarrow.CompressedInputStream(handle, "zstd") as opened:
            yield from _pieces(opened)
    else:
        with zipfile.ZipFile(handle) as archive:
            yield from _only_member(archive)


def _only_member(archive: zipfile.ZipFile) -> Iterator[bytes]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise HeldBackError(f"the archive holds {len(members)} files, expected one")
    if members[0].flag_bits & 1:
        raise HeldBackError("the archive is encrypted")
    with archive.open(members[0]) as opened:
        yield from _pieces(opened)


def _pieces(handle: BinaryIO) -> Iterator[bytes]:
    while chunk := handle.read(CHUNK_BYTES):
        yield chunk


def _capped(pieces: Iterator[bytes], packed_bytes: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        if total == 0 and packing(piece):
            raise HeldBackError("the archive holds another archive")
        total += len(piece)
        exploding = total > RATIO_FREE_BYTES and total > packed_bytes * MAX_RATIO
        if exploding or total > MAX_UNPACKED_BYTES:
            raise HeldBackError("the archive unpacks to more than the cap")
        yield piece


def write_text(source: Path, target: Path, feed: Feed) -> TextStart:
    """Write the unpacked content as UTF-8 without mark, preamble and footer.

    Raises HeldBackError where bytes do not belong to the declared encoding, with their offset.
    """
    if feed.format in BINARY:
        with target.open("wb") as out:
            out.writelines(unpack(source, feed))
        start = TextStart()
    else:
        with target.open("wb") as out:
            for piece in _transcoded(unpack(source, feed), feed.dialect.encoding):
                out.write(piece)
        start = _trim(target, feed.dialect) if feed.format in TRIMMED else TextStart()
    if convert := CONVERTERS.get(feed.format):
        unpacked = target.with_name(f"{target.name}.unpacked")
        target.rename(unpacked)
        try:
            convert(unpacked, target, feed)
        finally:
            unpacked.unlink()
    return start


def _transcoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    name = canonical(encoding)
    is_first = True
    decoder = None if name in UTF8_NAMES else codecs.getincrementaldecoder(name)()
    done = 0
    for piece in pieces:
        text = piece if decoder is None else _decode(decoder, piece, done, encoding)
        done += len(piece)
        if is_first and text:
            text, is_first = text.removeprefix(BOM), False
        yield text
    if decoder is not None:
        yield _decode(decoder, b"", done, encoding, final=True)


def _decode(
    decoder: codecs.IncrementalDecoder,
    piece: bytes,
    done: int,
    encoding: str,
    *,
    final: bool = False,
) -> bytes:
    held = len(decoder.getstate()[0])
    try:
        return decoder.decode(piece, final).encode()
    except UnicodeError as error:
        offset = done - held + getattr(error, "start", 0)
        raise HeldBackError(f"byte {offset} is not {encoding}, the declared encoding") from None


def _trim(path: Path, dialect: Dialect) -> TextStart:
    """Take preamble and footer lines off a text file in place."""
    if not (dialect.preamble_lines or dialect.footer_lines):
        return TextStart()
    content = path.read_bytes()
    start = 0
    for _ in range(dialect.preamble_lines):
        start = content.find(b"\n", start) + 1
        if start == 0:
            raise HeldBackError("the file ends within its preamble")
    end = len(content.rstrip(b"\r\n"))
    for _ in range(dialect.footer_lines):
        end = content.rfind(b"\n", start, end)
        if end < 0:
            raise HeldBackError("the file ends within its preamble and footer")
    kept_end = len(content) if not dialect.footer_lines else end + 1
    path.write_bytes(content[start:kept_end])
    cut = content[:start], content[kept_end:]
    return TextStart(dialect.preamble_lines, start, *map(_cut_lines, cut))


def _cut_lines(content: bytes) -> tuple[str, ...]:
    text = content.decode(errors="replace")
    return tuple(line[:MAX_LINE].strip() for line in text.splitlines() if line.strip())


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
