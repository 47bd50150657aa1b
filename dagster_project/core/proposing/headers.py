"""Names of columns: which line holds them, several lines of them, none, or a damaged one.

Belongs here: telling a header from a record by what stands below it. Does not: where the table
begins and ends (``tables``). A header that does not fit the records is taken off as a preamble
and its names are given by place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from dagster_project.core.declarations import Dialect
from dagster_project.core.feeds.records import Physical, Splitter
from dagster_project.core.proposing.dialects import DELIMITERS
from dagster_project.core.proposing.kinds import Kind, kind_of
from dagster_project.core.proposing.notes import Note
from dagster_project.core.proposing.words import is_known

MAX_HEADER_LINES = 9
LOOKED_AT = 2_000  # records below a header that it is compared with
TYPED_SHARE = 0.9
UNTYPED = frozenset({Kind.TEXT, Kind.BLANK, Kind.CODE})
LONG_CELL = 40  # signs; names of columns are shorter


@dataclass(frozen=True)
class Below:
    """What stands below a header, column by column."""

    kinds: tuple[Kind, ...]
    values: tuple[frozenset[str], ...]
    lengths: tuple[float, ...]  # mean number of signs

    @property
    def typed(self) -> list[int]:
        """Places of columns whose values are of a kind of their own."""
        return [place for place, kind in enumerate(self.kinds) if kind not in UNTYPED]


@dataclass(frozen=True)
class Header:
    """Names, and how the loader gets past them."""

    names: tuple[str, ...]
    first_record: int  # place of the first record below
    first_line: int  # of the header, or of the first record
    last_line: int
    lines: int  # that hold names; 0 without a header
    is_named: bool
    is_by_place: bool  # the loader cannot match these names, so it takes columns in order
    notes: tuple[Note, ...]
    cells: tuple[str, ...] = ()  # of the last header line
    below: Below | None = None

    def dialect_words(self) -> dict[str, Any]:
        """What the dialect says of header and preamble."""
        if self.is_by_place:
            return {"header": False, "preamble_lines": self.last_line}
        preamble = {"preamble_lines": self.first_line - 1}
        if not self.is_named:
            return preamble | {"header": False}
        return preamble | {"header": True, "header_lines": max(1, self.lines)}


def find_header(
    records: list[Physical], main: tuple[int, int, int], content: bytes, dialect: Dialect
) -> Header:
    """The header of the main table: its first and last place among records, and its width."""
    first, last, width = main
    first = _past_padding(records, first, last, width)
    block = [r for r in records[first : last + 1] if _fits(r, width)]
    below = _below(block, width)
    lines = _header_lines(block, below)
    if lines == 0:
        above = records[first - 1] if first else None
        line = content[above.offset : above.end] if above else b""
        damaged = _damaged(above, line, below, dialect) if above else None
        if damaged is not None:
            return replace(damaged, first_record=first)
        return _nameless(records, first, width, below)
    rows = [one.cells or [] for one in block[:lines]]
    after = records.index(block[lines - 1]) + 1
    names, notes, is_by_place = _names(rows, block[lines:])
    start = block[0].first_line
    if start > 1:
        before = Note("preamble_lines", f"{start - 1} lines stand before the header")
        notes = [before, *notes]
    if lines > 1:
        evidence = f"{lines} lines hold names, and nothing like the records below"
        notes = [*notes, Note("header_lines", evidence)]
    end = block[lines - 1].last_line
    cells = tuple(cell.strip() for cell in rows[-1])
    return Header(names, after, start, end, lines, True, is_by_place, tuple(notes), cells, below)


def is_other_header(cells: Sequence[str], header: Header) -> bool:
    """Whether a row is a header again: the same names, or words where values belong."""
    stripped = tuple(cell.strip() for cell in cells)
    if header.is_named and stripped == header.cells:
        return True
    typed = header.below.typed if header.below else []
    return len(typed) >= 3 and all(kind_of(stripped[place]) is Kind.TEXT for place in typed)


def _fits(record: Physical, width: int) -> bool:
    return record.cells is not None and len(record.cells) == width


def _past_padding(records: list[Physical], first: int, last: int, width: int) -> int:
    """Past lines that hold a title and are filled up with delimiters."""
    if width < 3:  # a blank cell of two says nothing
        return first
    start = first
    while start < last and _is_narrow(records[start], width):
        start += 1
    further = records[start + 1 : last + 1][:LOOKED_AT]
    narrow = sum(_is_narrow(one, width) for one in further)
    # Where records are as empty as the lines before them, those are records too.
    return first if start == last or narrow > 0.3 * len(further) else start


def _below(block: list[Physical], width: int) -> Below:
    skipped = min(MAX_HEADER_LINES, len(block) // 2)
    rows = [one.cells or [] for one in block[skipped : skipped + LOOKED_AT]]
    if len(block) == 1:
        rows = []
    kinds, values, lengths = [], [], []
    for place in range(width):
        column = [row[place].strip() for row in rows if row[place].strip()]
        counted = Counter(kind_of(cell) for cell in column)
        kind, count = counted.most_common(1)[0] if counted else (Kind.BLANK, 0)
        kinds.append(kind if count >= TYPED_SHARE * len(column) else Kind.TEXT)
        values.append(frozenset(column))
        lengths.append(sum(map(len, column)) / len(column) if column else 0.0)
    return Below(tuple(kinds), tuple(values), tuple(lengths))


def _header_lines(block: list[Physical], below: Below) -> int:
    if not block or not _is_header(block[0].cells or [], below):
        return 0
    count = 1
    while count < min(MAX_HEADER_LINES, len(block)):
        cells = [cell.strip() for cell in block[count].cells or []]
        is_same = cells == [cell.strip() for cell in block[count - 1].cells or []]
        if not (is_same or _goes_on(cells, below)):
            break
        count += 1
    return count


def _goes_on(cells: list[str], below: Below) -> bool:
    """Whether a second line is of the header too: words wherever values belong."""
    typed = [place for place in below.typed if cells[place]]
    words = [place for place in typed if kind_of(cells[place]) is Kind.TEXT]
    return len(words) >= 2 and len(words) == len(typed)


def _is_header(cells: list[str], below: Below) -> bool:
    stripped = [cell.strip() for cell in cells]
    filled = [cell for cell in stripped if cell]
    if len(filled) < 0.5 * len(cells):
        return False
    if not any(below.values):
        return all(_is_word(cell) for cell in filled)
    score = -0.5 * (len(filled) - len(set(filled)))
    score += sum(_vote(cell, place, below) for place, cell in enumerate(stripped) if cell)
    if score == 0:
        return all(_is_word(cell) for cell in filled)
    return score > 0


def _vote(cell: str, place: int, below: Below) -> float:
    """How much a cell speaks for a header, by what stands below it."""
    kind, own = kind_of(cell), below.kinds[place]
    if own not in UNTYPED:
        return -2.0 if kind is own else (1.0 if kind is Kind.TEXT else -0.5)
    if cell in below.values[place]:
        return -1.0
    if kind is not Kind.TEXT:
        return -1.0
    vote = 0.5 if is_known(cell) else 0.0
    if below.lengths[place] > LONG_CELL / 2 > len(cell):
        vote += 0.3
    return vote


def _is_word(cell: str) -> bool:
    return kind_of(cell) is Kind.TEXT and len(cell) <= LONG_CELL


def _names(
    rows: list[list[str]], below: list[Physical]
) -> tuple[tuple[str, ...], list[Note], bool]:
    """Names as the loader joins them; by place where one is missing or stands twice."""
    columns = zip_longest(*rows, fillvalue="")
    names = [" ".join(filter(None, (cell.strip() for cell in column))) for column in columns]
    empty = {
        place
        for place, name in enumerate(names)
        if not name and all(not (one.cells or [])[place].strip() for one in below)
    }
    named = [name for place, name in enumerate(names) if place not in empty]
    if all(named) and len(set(named)) == len(named):
        return tuple(names), [], False
    note = Note("columns", "names are missing or stand twice: columns are taken in file order")
    return unique_names(names), [note], True


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Every name once: ``column_3`` where there is none, ``amount_2`` where it stands twice."""
    found: list[str] = []
    for place, name in enumerate(names, 1):
        wanted = base = name or f"column_{place}"
        number = 1
        while wanted in found:
            number += 1
            wanted = f"{base}_{number}"
        found.append(wanted)
    return tuple(found)


def _nameless(records: list[Physical], first: int, width: int, below: Below) -> Header:
    """No header: everything before the first record that could be one is a preamble."""
    while first and not _is_narrow(records[first - 1], width):
        first -= 1
    line = records[first].first_line if records else 1
    names = tuple(f"column_{place}" for place in range(1, width + 1))
    note = Note("header", "the first line looks like the records below it: no names", is_open=True)
    notes = (note,) if line == 1 else (Note("preamble_lines", f"{line - 1} lines before"), note)
    return Header(names, first, line, line - 1, 0, False, False, notes, (), below)


def _is_narrow(record: Physical, width: int) -> bool:
    filled = sum(bool(cell.strip()) for cell in record.cells or [])
    return record.cells is not None and filled <= max(1, width // 3)


def _damaged(one: Physical, line: bytes, below: Below, dialect: Dialect) -> Header | None:
    """A header right above the table that has another number of cells, or a stray quote."""
    width = len(below.kinds)
    cells = _mended(line, width, dialect) if below.typed else None
    if cells is None or not _is_header([*cells, *[""] * width][:width], _shuffled(below)):
        return None
    told = f"the header in line {one.first_line} does not fit the records: names are by place"
    note = Note("columns", told, is_open=len([c for c in cells if c]) != width)
    names = unique_names([*cells, *[""] * width][:width])
    return Header(
        names, 0, one.first_line, one.last_line, 1, True, True, (note,), tuple(cells), below
    )


def _shuffled(below: Below) -> Below:
    """Nothing is known of which name stands above which column."""
    anything = frozenset().union(*below.values)
    return Below((Kind.TEXT,) * len(below.kinds), (anything,) * len(below.kinds), below.lengths)


def _mended(line: bytes, width: int, dialect: Dialect) -> list[str] | None:
    """The names of a damaged header line: blank ones left out, or cut by another sign."""
    text = line.decode(errors="replace")
    mark = dialect.quote or '"'
    cells = [_unquoted(cell.strip(), mark) for cell in text.split(dialect.delimiter)]
    filled = [cell for cell in cells if cell]
    if len(cells) > width and len(filled) <= width:
        return filled
    if len(cells) == width or len(cells) == width - 1:
        return cells
    for delimiter in DELIMITERS:
        other = dialect.model_copy(update={"delimiter": delimiter})
        cut = next(Splitter(line, other, width).records(), None)
        if cut is not None and cut.cells is not None:
            return [cell.strip() for cell in cut.cells]
    return cells if len(filled) > width // 2 else None


def _unquoted(cell: str, mark: str) -> str:
    is_quoted = len(cell) > 1 and cell.startswith(mark) and cell.endswith(mark)
    return cell[1:-1] if is_quoted else cell
