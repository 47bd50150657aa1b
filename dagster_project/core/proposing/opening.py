"""Samples as text: what they are packed in, what kind of file they are, how they are encoded.

Belongs here: bytes to text, and the evidence for it. Does not: what stands in the text. A wrong
guess costs a look at the proposal, never a load: the loader is told, it does not guess.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from dagster_project.core.declarations import Feed, FeedRecord
from dagster_project.core.feeds.errors import HeldBackError
from dagster_project.core.feeds.transcode import GZIP, ZIP, ZSTD, packing, unpack

# What is looked at of one sample; a day of a big shop's till lines is a tenth of it.
MAX_SAMPLE_BYTES = 32 << 20
PACKINGS = {GZIP: "gzip", ZIP: "zip", ZSTD: "zstandard"}
PARQUET, OLE = b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SHEET_MEMBER = b"[Content_Types].xml"
MARKS = (
    (codecs.BOM_UTF8, "utf-8", "a byte order mark"),
    (codecs.BOM_UTF32_LE, "utf-32", "a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "a byte order mark"),
    (codecs.BOM_UTF16_BE, "utf-16", "a byte order mark"),
)
# An encoding is believed when so many of its signs are those that its texts consist of.
BELIEVED_SHARE = 0.75


# Unpacking asks a feed only whether a zip is a workbook.
_READ_AS_TEXT = Feed(
    feed="sample",
    description="A sample.",
    sender="sample",
    template="none",
    owner="nobody",
    format="csv",
    columns={},
    records={"record": FeedRecord(fields={})},
)


class ProposingError(Exception):
    """Nothing can be proposed from a sample; the message says why in one line."""


@dataclass(frozen=True)
class Opened:
    """One sample, unpacked, as bytes; text still has its encoding."""

    path: Path
    content: bytes
    packing: str | None
    kind: str  # text, xlsx, xls, parquet
    is_whole: bool


@dataclass(frozen=True)
class Encoding:
    """An encoding as Python calls it, and the reason."""

    name: str
    evidence: str
    is_sure: bool


def open_sample(path: Path) -> Opened:
    """The sample's content up to the cap; raises ProposingError for what cannot be opened."""
    with path.open("rb") as handle:
        start = handle.read(64)
    if not start:
        raise ProposingError(f"{path.name} is empty: nothing can be proposed from it")
    if (kind := _container(path, start)) is not None:
        return Opened(path, start, None, kind, is_whole=True)
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in unpack(path, _READ_AS_TEXT):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_SAMPLE_BYTES:
                break
    except HeldBackError as error:
        raise ProposingError(f"{path.name}: {error}") from None
    content = b"".join(pieces)
    is_whole = size <= MAX_SAMPLE_BYTES
    if not is_whole:
        content = content[: content.rfind(b"\n", 0, MAX_SAMPLE_BYTES) + 1]
    if not content.strip():
        raise ProposingError(f"{path.name} is empty: nothing can be proposed from it")
    return Opened(path, content, PACKINGS.get(packing(start) or b""), "text", is_whole)


def _container(path: Path, start: bytes) -> str | None:
    if start.startswith(PARQUET):
        return "parquet"
    if start.startswith(OLE):
        return "xls"
    if start.startswith(ZIP):
        with path.open("rb") as handle:
            if SHEET_MEMBER in handle.read(1 << 12):
                return "xlsx"
    return None


def find_encoding(content: bytes) -> Encoding:
    """The encoding that the bytes speak for; UTF-8 where they are valid UTF-8."""
    for mark, name, evidence in MARKS:
        if content.startswith(mark):
            return Encoding(name, evidence, is_sure=True)
    if (wide := _wide(content)) is not None:
        return wide
    if _decodes(content, "utf-8"):
        is_ascii = content.isascii()
        evidence = "nothing but ASCII" if is_ascii else "every byte is valid UTF-8"
        return Encoding("utf-8", evidence, is_sure=True)
    shares = sorted(((share, name) for name, share in _shares(content)), reverse=True)
    if shares and shares[0][0] >= BELIEVED_SHARE:
        share, name = shares[0]
        evidence = f"no UTF-8; {share:.0%} of its signs beyond ASCII are usual {name} text"
        return Encoding(name, evidence, is_sure=True)
    return _second_opinion(content, shares[0][1] if shares else "windows-1252")


def _wide(content: bytes) -> Encoding | None:
    """UTF-16 without a mark: half the bytes of Latin text are zero, all on one side."""
    start = content[: 1 << 16]
    even, odd = start[::2].count(0), start[1::2].count(0)
    half = len(start) / 2
    if max(even, odd) < 0.3 * half or min(even, odd) > 0.05 * half:
        return None
    name = "utf-16-le" if odd > even else "utf-16-be"
    return Encoding(name, "every second byte is zero", is_sure=True)


def _decodes(content: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(content)
    except UnicodeError:
        return False
    return True


def _shares(content: bytes) -> Iterator[tuple[str, float]]:
    """How much of what is beyond ASCII is what texts of each encoding consist of."""
    start = content[: 1 << 18]
    start = start[: start.rfind(b"\n") + 1] or start
    measures = {
        "gb18030": lambda: _pairs(start, (0xB0, 0xD7), (0xA1, 0xA3), 0xA1),
        "big5": lambda: _pairs(start, (0xA4, 0xC6), (0xA1, 0xA3), 0x40),
        "windows-1256": lambda: _letters(start, "windows-1256", _ARABIC),
        "windows-1251": lambda: _letters(start, "windows-1251", _CYRILLIC),
        "windows-1252": lambda: _latin(start),
    }
    for name, measure in measures.items():
        if _decodes(content, name):
            yield name, measure()


_ARABIC = re.compile(r"[ء-یپچژگ‌]{2,}")
_CYRILLIC = re.compile(r"[А-Яа-яЁё][а-яё]+")
_ACCENTED = re.compile(r"(?<=[A-Za-z])[À-ÿŒœŠšŽž]|[À-ÿŒœŠšŽž](?=[a-z])|[€£©®°–—’‘“”…·½¼¾²³]")


def _pairs(content: bytes, common: tuple[int, int], signs: tuple[int, int], trail: int) -> float:
    """Share of two-byte signs whose first byte is one of frequent ideographs or punctuation."""
    total = usual = 0
    place = 0
    while place < len(content) - 1:
        lead, second = content[place], content[place + 1]
        if lead < 0x80:
            place += 1
            continue
        total += 1
        is_frequent = common[0] <= lead <= common[1] or signs[0] <= lead <= signs[1]
        usual += is_frequent and second >= trail
        place += 2
    return usual / total if total else 0.0


def _letters(content: bytes, name: str, words: re.Pattern[str]) -> float:
    text = content.decode(name, "replace")
    total = sum(not sign.isascii() for sign in text)
    return sum(len(word) for word in words.findall(text)) / total if total else 0.0


def _latin(content: bytes) -> float:
    text = content.decode("windows-1252", "replace")
    total = sum(not sign.isascii() for sign in text)
    runs = sum(not a.isascii() and not b.isascii() for a, b in pairwise(text))
    return max(0.0, (len(_ACCENTED.findall(text)) - runs) / total) if total else 0.0


def _second_opinion(content: bytes, fallback: str) -> Encoding:
    from charset_normalizer import from_bytes

    best = from_bytes(content[: 1 << 16]).best()
    name = best.encoding if best is not None else fallback
    if not _decodes(content, name):
        name = fallback if _decodes(content, fallback) else "latin-1"
    return Encoding(name, "no UTF-8, and no encoding fits well", is_sure=False)
