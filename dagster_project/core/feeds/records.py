"""Physical records of a text file: where each begins, and an own splitter for polluted files.

Belongs here: bytes, lines, quotes. Does not: what the cells mean. The splitter never loses a
record: each is either a list of cells or an error with its lines and byte offset.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from pathlib import Path

import numpy as np

from dagster_project.core.declarations import Dialect
from dagster_project.core.feeds.errors import ErrorCode, FastPathError
from dagster_project.core.feeds.transcode import BOM

MAX_FIELD_BYTES = 1 << 20
MAX_RECORD_BYTES = 4 << 20
NEWLINE, RETURN = 10, 13
TAB, SPACE = 9, 32
Bytes = bytes | mmap.mmap
BLANKS = (TAB, SPACE)
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class Physical:
    """One physical record of a delimited file."""

    number: int  # from 1, header and blank lines left out
    first_line: int  # from 1
    last_line: int
    offset: int  # of its first byte
    end: int  # one past its last byte, line end left out
    cells: list[str] | None = None
    error: ErrorCode | None = None


def record_bounds(content: np.ndarray, quote: str | None) -> tuple[np.ndarray, np.ndarray]:
    """First byte and end of every record that is not blank, header included.

    A newline ends a record where the quotes before it are even in number; vectorised.
    """
    ends = np.flatnonzero(content == NEWLINE)
    if quote is not None:
        quotes = np.flatnonzero(content == ord(quote))
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    if len(content) and (len(ends) == 0 or ends[-1] != len(content) - 1):
        ends = np.append(ends, len(content))
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    stripped = ends - ((ends > starts) & (content[np.maximum(ends, 1) - 1] == RETURN))
    filled = stripped > starts
    return starts[filled], stripped[filled]


def has_loose_quotes(content: np.ndarray, dialect: Dialect) -> bool:
    """Whether blanks may stand between a delimiter and a quote, which the database's reader drops.

    To the splitter, as to RFC 4180, such blanks belong to the cell. A blank within quotes, as in
    ``"CARD, "``, is none of them where every quote opens or closes a cell or is doubled; where one
    does neither, what is within is not known: says yes, and the splitter decides.
    """
    if not dialect.quote or not len(content):
        return False
    delimiter = set(dialect.delimiter.encode())
    blanks = np.array(sorted({TAB, SPACE} - delimiter))
    ends_cell = np.array(sorted({NEWLINE, RETURN} | delimiter))
    quotes = np.flatnonzero(content == ord(dialect.quote))
    if _stand_at_ends(content, quotes, np.append(ends_cell, ord(dialect.quote))):
        return False
    for step in (-1, 1):
        places = quotes + step
        while len(places := places[(places >= 0) & (places < len(content))]):
            places = places[np.isin(content[places], blanks)] + step
            inside = places[(places >= 0) & (places < len(content))]
            if len(inside) < len(places) or np.isin(content[inside], ends_cell).any():
                return True
    return False


def _stand_at_ends(content: np.ndarray, quotes: np.ndarray, beside: np.ndarray) -> bool:
    """Whether the quotes, taken in turn, open right behind and close right before these signs."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = opening[opening > 0] - 1
    after = closing[closing < len(content) - 1] + 1
    return (
        len(opening) == len(closing)
        and bool(np.isin(content[before], beside).all())
        and bool(np.isin(content[after], beside).all())
    )


def require_common(dialect: Dialect) -> None:
    """Raise FastPathError for a dialect that only the splitter reads."""
    if not is_common(dialect):
        raise FastPathError("a dialect that only the own splitter reads")


def require_tight(content: np.ndarray, dialect: Dialect, width: int) -> None:
    """Raise FastPathError for a text with quotes that the database's reader takes otherwise."""
    if has_loose_quotes(content, dialect):
        raise FastPathError("a blank stands beside a quote")
    if has_quotes_within(content, dialect):
        raise FastPathError("a quote stands within a cell")
    if has_surplus_cells(content, dialect, width):
        raise FastPathError("an empty cell too many at the end of a record")
    starts, ends = record_bounds(content, dialect.quote)
    if len(starts) and int((ends - starts).max()) > MAX_FIELD_BYTES:
        raise FastPathError("a record is longer than a cell may be")


def has_quotes_within(content: np.ndarray, dialect: Dialect) -> bool:
    """Whether a quote seems to open in the middle of a cell: two cells that lost their delimiter.

    To the database's reader such a quote is a sign like any other; ``5" pipe`` has none of them.
    """
    if not dialect.quote:
        return False
    signs = np.array([NEWLINE, RETURN, ord(dialect.delimiter), ord(dialect.quote)])
    quotes = np.flatnonzero(content == ord(dialect.quote))
    quotes = quotes[(quotes > 0) & (quotes < len(content) - 1)]
    inside = quotes[~np.isin(content[quotes - 1], signs)]
    return not np.isin(content[inside + 1], np.append(signs, BLANKS)).all()


def has_surplus_cells(content: np.ndarray, dialect: Dialect, width: int) -> bool:
    """Whether a record has more cells than columns, the last of them empty.

    The database's strict reader drops that cell without a word, which moves all others by one where
    a delimiter too many stands further left. Only a record that ends with a delimiter can have it.
    """
    starts, ends = record_bounds(content, dialect.quote)
    delimiter = ord(dialect.delimiter)
    if not len(ends) or not (content[ends - 1] == delimiter).any():
        return False
    delimiters = np.flatnonzero(content == delimiter)
    quotes = np.flatnonzero(content == ord(dialect.quote or '"'))
    before = np.searchsorted(delimiters, quotes)  # delimiters in front of every quote
    inside = int((before[1::2] - before[: len(before[1::2]) * 2 : 2]).sum())
    return len(delimiters) - inside > len(starts) * (width - 1)


def is_common(dialect: Dialect) -> bool:
    """Whether the fast readers know this dialect; the splitter reads every other one.

    They take one-byte delimiters and quotes, doubled quotes within quotes and one header line.
    """
    one_byte = len(dialect.delimiter.encode()) == 1 and len((dialect.quote or "").encode()) <= 1
    return one_byte and dialect.escape in {None, dialect.quote} and dialect.header_lines == 1


def map_bytes(path: Path) -> np.ndarray:
    """The file's bytes as a read-only array backed by the file."""
    return np.memmap(path, dtype=np.uint8, mode="r")


def mapped(path: Path) -> mmap.mmap:
    """The file's bytes as one searchable text backed by the file."""
    with path.open("rb") as handle:
        return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)


class Splitter:
    """Splits the bytes of a delimited file into records, by the rules of RFC 4180.

    Delimiters may have several characters. A quote within quotes is doubled or, where the dialect
    names one, stands behind the escape sign. Quotes count only where they open a cell. A record
    that breaks the rules is an error of its first line alone; splitting goes on at the next line,
    so that no good row is swallowed.
    """

    def __init__(self, content: Bytes, dialect: Dialect, width: int | None) -> None:
        self._content = content
        self._delimiter = dialect.delimiter.encode()
        self._quote = dialect.quote.encode() if dialect.quote else None
        self._width = width
        escape = dialect.escape.encode() if dialect.escape else self._quote
        self._escape = None if escape == self._quote else escape
        self._escaped = _escaped_signs(self._quote, self._escape)
        self._opening = re.compile(b"." + re.escape(self._quote or b"") + rb"[^\s]", re.DOTALL)
        skipped = re.escape(self._delimiter) + rb"|\r\n|\n|\r|\Z"
        self._cell_end = re.compile(skipped)

    def records(self, number: int = 1) -> Iterator[Physical]:
        """Every record that is not blank, numbered from the given number."""
        position = len(BOM) if self._content[: len(BOM)] == BOM else 0
        line = 1
        while position < len(self._content):
            record, position_after, lines = self._next(position, number, line)
            if record is not None:
                yield record
                number += 1
            position, line = position_after, line + lines

    def _next(self, start: int, number: int, line: int) -> tuple[Physical | None, int, int]:
        """The record at a position, where the next begins, and the lines it took."""
        end, after = self._line_end(start)
        if end == start:
            return None, after, 1
        if self._quote is None or self._content.find(self._quote, start, end) < 0:
            raw = self._content[start:end].split(self._delimiter)
            return self._judged(raw, Physical(number, line, line, start, end)), after, 1
        cells, error, end_quoted, after_quoted = self._quoted(start)
        lines = 1 + len(_LINE_END.findall(self._content, start, end_quoted))
        if error is None:
            place = Physical(number, line, line + lines - 1, start, end_quoted)
            record = self._judged(cells, place)
            if record.error is not ErrorCode.RAGGED_ROW or lines == 1:
                return record, after_quoted, lines
            error = ErrorCode.UNTERMINATED_QUOTE
        # Only the first line is given up: the quote that swallowed the others is the error.
        return Physical(number, line, line, start, end, None, error), after, 1

    def _judged(self, raw: list[bytes], place: Physical) -> Physical:
        error: ErrorCode | None = None
        cells: list[str] | None = None
        if self._width is not None and len(raw) != self._width:
            error = ErrorCode.RAGGED_ROW
        elif place.end - place.offset > MAX_RECORD_BYTES:
            error = ErrorCode.RECORD_TOO_LONG
        elif max(map(len, raw)) > MAX_FIELD_BYTES:
            error = ErrorCode.FIELD_TOO_LONG
        else:
            try:
                cells = [cell.decode() for cell in raw]
            except UnicodeDecodeError:
                error = ErrorCode.BAD_ENCODING
        return replace(place, cells=cells, error=error)

    def _line_end(self, start: int) -> tuple[int, int]:
        match = _LINE_END.search(self._content, start)
        return (match.start(), match.end()) if match else (len(self._content),) * 2

    def _quoted(self, start: int) -> tuple[list[bytes], ErrorCode | None, int, int]:
        """Cells of a record with quotes, or its error; its end and where the next begins."""
        cells: list[bytes] = []
        position = start
        opens = False  # a quote within a cell: what it opens may have lost its delimiter
        while True:
            is_bare = self._quote is not None and not self._at(position, self._quote)
            cell, position, error = self._cell(position)
            if is_bare and opens and cell.endswith(self._quote or b""):
                error = ErrorCode.STRAY_QUOTE
            if error is not None:
                return cells, error, position, position
            opens = opens or (is_bare and self._opening.search(cell) is not None)
            cells.append(cell)
            if self._at(position, self._delimiter):
                position += len(self._delimiter)
                continue
            match = _LINE_END.match(self._content, position)
            return cells, None, position, match.end() if match else len(self._content)

    def _at(self, position: int, sign: bytes) -> bool:
        return self._content[position : position + len(sign)] == sign

    def _cell(self, start: int) -> tuple[bytes, int, ErrorCode | None]:
        quote = self._quote
        if quote is None or not self._at(start, quote):
            match = self._cell_end.search(self._content, start)
            end = match.start() if match else len(self._content)
            return self._content[start:end], end, None
        first = start + len(quote)
        closing = self._closing(first, quote)
        if closing < 0:
            return b"", start, ErrorCode.UNTERMINATED_QUOTE
        end = closing + len(quote)
        if self._cell_end.match(self._content, end) is None:
            return b"", end, ErrorCode.STRAY_QUOTE
        return self._unescaped(self._content[first:closing], quote), end, None

    def _closing(self, position: int, quote: bytes) -> int:
        """Where the quote is that closes the cell; -1 where there is none within the cap."""
        limit = position + MAX_FIELD_BYTES
        while True:
            found = self._content.find(quote, position, limit)
            if found < 0:
                return -1
            if self._escape is None:
                if not self._at(found + len(quote), quote):
                    return found
                position = found + 2 * len(quote)
            elif self._is_escaped(found, position):
                position = found + len(quote)
            else:
                return found

    def _is_escaped(self, place: int, first: int) -> bool:
        """Whether an odd number of escape signs stands before a quote."""
        count, size = 0, len(self._escape or b"")
        while place - size >= first and self._at(place - size, self._escape or b""):
            place -= size
            count += 1
        return count % 2 == 1

    def _unescaped(self, raw: bytes, quote: bytes) -> bytes:
        """An escape sign before anything but a quote or itself is a sign like any other."""
        if self._escaped is None:
            return raw.replace(quote * 2, quote)
        return self._escaped.sub(rb"\1", raw)


def _escaped_signs(quote: bytes | None, escape: bytes | None) -> re.Pattern[bytes] | None:
    if quote is None or escape is None:
        return None
    sign = re.escape(escape)
    return re.compile(sign + b"(" + re.escape(quote) + b"|" + sign + b")")


def header_cells(start: bytes, dialect: Dialect) -> list[str] | None:
    """Names in the header, or cells of the first record where there is none, from a text's start.

    Names that stand on several lines are joined by a space; nothing when a line cannot be split.
    """
    wanted = dialect.header_lines if dialect.header else 1
    lines = [one.cells for one in islice(Splitter(start, dialect, None).records(), wanted)]
    if len(lines) < wanted or any(cells is None for cells in lines):
        return None
    if wanted == 1:
        return lines[0]
    columns = zip_longest(*(cells or [] for cells in lines), fillvalue="")
    return [" ".join(filter(None, (cell.strip() for cell in column))) for column in columns]
